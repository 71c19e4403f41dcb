"""`pytest --understudy-suite suites/shop`: every case of a suite is a test; `--understudy-connector NAME` tries a channel.

It runs nothing unless a suite or a channel is named. The fixture `understudy_fakes` starts fakes for tests of yours.

A case fails where any of its trials failed, and is an *error* where none failed and some told nothing of the agent. JUnit
reports are pytest's own (`--junitxml`). Under pytest-xdist each process tries the cases it is given.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

from understudy.errors import UnderstudyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from understudy.connector_kit.choosing import Play
    from understudy.evaluations import Evaluations
    from understudy.records.suite import Suite
    from understudy.records.suite import Trial as CaseTrial
    from understudy.settings.model import Settings
    from understudy.testing.fakes import Fakes


@pytest.fixture
def understudy_fakes() -> Iterator[Fakes]:
    """Fakes of providers and of an LLM endpoint, and faults before them: `understudy_fakes.chatwoot(webhook=…)`."""
    from understudy.testing.fakes import Fakes

    with Fakes() as fakes:
        yield fakes


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options."""
    group = parser.getgroup("understudy", "try an agent on suites of cases")
    group.addoption("--understudy-suite", action="append", default=[], metavar="SUITE", help="a folder of cases")
    group.addoption(
        "--understudy-connector", action="append", default=[], metavar="NAME", help="try a channel of the configuration"
    )
    group.addoption("--understudy-config", metavar="FILE", help="default: ./understudy.toml, where there is one")
    group.addoption("--understudy-agent", metavar="NAME", help="which agent; default: the one that drafts")
    group.addoption("--understudy-trials", type=int, metavar="N", help="of each case; default: as the suite says")
    group.addoption("--understudy-output", metavar="FILE", help="keep the results here, for understudy eval gate")


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each case of the suites that were named."""
    for name in config.getoption("--understudy-suite"):
        try:
            collector = SuiteCollector.from_parent(session, name=name)
            items.extend(collector.collect())
        except UnderstudyError as error:
            raise pytest.UsageError(f"--understudy-suite {name}: {error.message}") from error
    for name in config.getoption("--understudy-connector"):
        try:
            items.extend(ConnectorCollector.from_parent(session, name=name).collect())
        except UnderstudyError as error:
            raise pytest.UsageError(f"--understudy-connector {name}: {error.message}") from error


class ConnectorCollector(pytest.Collector):
    """A channel of the configuration, on trial."""

    def collect(self) -> list[ConnectorItem]:
        """Build the channel; what goes wrong with channels are the tests."""
        from understudy.connector_kit.choosing import cases_for

        cases = cases_for(_settings(self.config)[0], self.name)
        return [ConnectorItem.from_parent(self, name=name, play=play) for name, play in cases.items()]


class ConnectorItem(pytest.Item):
    """One case of the connector kit."""

    def __init__(self, *, play: Play, **more: Any) -> None:
        super().__init__(**more)
        self._play = play

    def runtest(self) -> None:
        """Play the case."""
        self._play()

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say what the channel did instead, without a traceback through this module."""
        from understudy.connector_kit.trial import CaseFailed as ChannelFailed

        if isinstance(excinfo.value, ChannelFailed | UnderstudyError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, int | None, str]:
        """Where the case is."""
        assert self.parent is not None, "cases belong to channels"
        return self.parent.name, None, f"{self.parent.name}: {self.name}"


def _settings(config: pytest.Config) -> tuple[Settings, Path]:
    """The settings that the options name, and the folder they are in."""
    from understudy.settings.load import FILE_NAME, load

    given = config.getoption("--understudy-config")
    file = Path(given or FILE_NAME)
    return load(file if given or file.exists() else None, os.environ), file.resolve().parent


class SuiteCollector(pytest.Collector):
    """A suite, tried as a whole when its first case is asked for."""

    def collect(self) -> list[CaseItem]:
        """Read the suite; its cases are the tests."""
        from understudy.evaluation.suites import read_suite
        from understudy.evaluations import Evaluations

        self.evaluations: Evaluations = Evaluations(*_settings(self.config))
        self.suite: Suite = read_suite(self.evaluations.suite_folder(self.name))
        self.graders = self.evaluations.graders(self.suite)
        self.found: dict[str, list[CaseTrial]] = {}
        return [CaseItem.from_parent(self, name=case.id) for case in self.suite.cases]

    def trials_of(self, case: str) -> list[CaseTrial]:
        """The trials of a case; makes those of the whole suite at once, except where other processes make theirs."""
        if case not in self.found:
            only = [case] if hasattr(self.config, "workerinput") else []
            for trial in asyncio.run(self._made(only)):
                self.found.setdefault(trial.case, []).append(trial)
        return self.found.get(case, [])

    async def _made(self, only: Sequence[str]) -> Sequence[CaseTrial]:
        from understudy.evaluation.journal import Journal, RunHead
        from understudy.evaluation.plan import plan_of
        from understudy.evaluation.runner import Runner
        from understudy.evaluations import Tries

        option = self.config.getoption
        trials = option("--understudy-trials") or self.suite.trials
        plan = plan_of(self.suite, trials=trials, only=only)
        with TemporaryDirectory() as folder:
            file = Path(option("--understudy-output") or Path(folder) / "trials.jsonl")
            async with self.evaluations.release(option("--understudy-agent"), name=None, tries=Tries()) as release:
                head = RunHead(
                    run=self.evaluations.clock.new_id("run"),
                    suite=self.suite.name,
                    suite_digest=self.suite.checksum,
                    release=release.name,
                )
                runner = Runner(
                    release,
                    self.evaluations.clock,
                    graders=self.graders,
                    player=self.evaluations.player,
                    limits=self.evaluations.limits(None),
                )
                return (await runner.run(plan, Journal.opened(file, head))).trials


class CaseItem(pytest.Item):
    """One case."""

    def setup(self) -> None:
        """Try the case; what tells nothing of the agent is an error of the test, no failure."""
        assert isinstance(self.parent, SuiteCollector), "cases belong to suites"
        self.trials = self.parent.trials_of(self.name)
        errors = [trial.error for trial in self.trials if trial.error]
        if errors and not any(trial.loss for trial in self.trials):
            raise TrialErrorsFound(f"{len(errors)} of {len(self.trials)} trials ended in an error: {errors[0]}")

    def runtest(self) -> None:
        """See that nothing was wrong."""
        failed = [trial for trial in self.trials if trial.loss]
        if failed:
            judged = sum(trial.loss is not None for trial in self.trials)
            reply = "" if failed[0].reply is None else f"\nreply: {failed[0].reply}"
            raise CaseFailed(f"failed {len(failed)} of {judged} trials: {failed[0].why}{reply}")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Say why, without a traceback through this module."""
        if isinstance(excinfo.value, CaseFailed | TrialErrorsFound | UnderstudyError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[str, int | None, str]:
        """Where the case is."""
        assert self.parent is not None, "cases belong to suites"
        return self.parent.name, None, f"{self.parent.name}: {self.name}"


class CaseFailed(Exception):
    """A trial of the case failed."""


class TrialErrorsFound(Exception):
    """Trials of the case told nothing of the agent."""
