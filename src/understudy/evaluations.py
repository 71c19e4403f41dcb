"""The evaluation pipeline built from the settings: the agent under trial, judges, simulated customers; it runs no trial."""

from __future__ import annotations

import importlib.util
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from understudy.adapters.system_clock import SystemClock
from understudy.assessment.check import Check
from understudy.assessment.checks import OPINIONS
from understudy.connections import build_agent, build_opinion
from understudy.errors import ConfigurationError, MalformedInput
from understudy.evaluation.attempts import Release
from understudy.evaluation.casebook import Suites
from understudy.evaluation.conversation import PlayedPlayer, Player, ScriptedPlayer, faults_of
from understudy.evaluation.gate import GateTerms
from understudy.evaluation.graders import graders_of
from understudy.evaluation.graders.contract import Grader, Means
from understudy.evaluation.pacing import PacedAgent, PlacedAgent, RememberingAgent
from understudy.evaluation.runner import RunLimits
from understudy.plugins import checks_of
from understudy.ports.agent import Agent
from understudy.ports.clock import Clock
from understudy.ports.opinion import SecondOpinion
from understudy.records.codec import canonical, digest
from understudy.records.rulebook import Rulebook
from understudy.records.suite import Case, Suite
from understudy.settings.asked import agents_asked
from understudy.settings.model import AgentSettings, PythonAgent, Settings
from understudy.settings.opinions import JudgeOpinion
from understudy.settings.rules import rulebook_of
from understudy.stats.sprt import Sprt

RELEASE_CHARS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Tries:
    """How the agent may be asked: requests in any 60 s and in all, None = no limit; where answers are remembered."""

    per_minute_max: int | None = None
    calls_max: int | None = None
    cache: Path | None = None


class Evaluations:
    """What a run needs, by the settings. `base` is the folder that relative paths start from. `place`: how a place is waited
    for at an agent that plays customers, by its name; without, it is asked as often as there is something to ask."""

    def __init__(
        self, settings: Settings, base: Path, *, place: Callable[[str], AbstractAsyncContextManager[None]] | None = None
    ) -> None:
        self._place = place
        self.settings = settings
        self.base = base
        self.clock: Clock = SystemClock()
        self.rulebook: Rulebook = _rulebook(settings)
        self.checks: tuple[Check, ...] = tuple(check for check in checks_of(settings) if check is not OPINIONS)
        self.suites = Suites(base / settings.evaluation.suites, self.rulebook.rules.profile)
        self._judges: dict[tuple[str, str | None], SecondOpinion] = {}
        self._players: dict[str, Agent] = {}

    def suite_folder(self, suite: str) -> Path:
        """Where a suite is: a folder by its path, else by its name in `evaluation.suites`."""
        path = Path(suite)
        return path if path.is_dir() else self.base / self.settings.evaluation.suites / suite

    def terms(self, *, margin: float) -> GateTerms:
        """What the gate asks for; raises `ConfigurationError`."""
        wanted = self.settings.evaluation
        try:
            return GateTerms(
                margin=margin,
                cases_min=wanted.cases_min,
                error_share_max=wanted.error_share_max,
                must_pass=self.must_pass,
            )
        except ValueError as error:
            raise ConfigurationError(f"evaluation: {error}") from error

    @property
    def must_pass(self) -> Sprt:
        """The test of cases that must pass; raises `ConfigurationError`."""
        wanted = self.settings.evaluation
        try:
            return Sprt(unacceptable=wanted.must_pass_unacceptable, acceptable=wanted.must_pass_acceptable)
        except ValueError as error:
            raise ConfigurationError(
                f"evaluation.must_pass_acceptable must be below must_pass_unacceptable: {error}"
            ) from error

    def limits(self, at_once: int | None) -> RunLimits:
        """How many trials at once, how many tries."""
        wanted = self.settings.evaluation
        return RunLimits(at_once_max=at_once or wanted.at_once_max, attempts_max=wanted.attempts_max)

    def graders(self, suite: Suite) -> Mapping[str, Sequence[Grader]]:
        """The graders of every case, by its id; raises `MalformedInput` where a case cannot be graded or played."""
        means = Means(judge=self._judge, folder=self.base, judge_deadline_s=self.settings.evaluation.deadline_s)
        for case in suite.cases:
            wrong = [] if case.customer is None else faults_of(case.customer)
            if wrong:
                raise MalformedInput(f"case {case.id!r}: {wrong[0]}")
            if case.customer is not None and case.customer.played_by is not None:
                self._agent_settings(case.customer.played_by)
        return {case.id: graders_of(case, means) for case in suite.cases}

    def player(self, case: Case, trial: int) -> Player:
        """Who plays the customer of a case; raises `ConfigurationError` where no agent is by that name."""
        assert case.customer is not None, "only conversations are played"
        name = case.customer.played_by
        if name is None:
            return ScriptedPlayer(case.customer)
        if name not in self._players:
            built = build_agent(name, self._agent_settings(name), self.base)
            self._players[name] = built if self._place is None else PlacedAgent(built, partial(self._place, name))
        return PlayedPlayer(case, trial, self._players[name], deadline_s=self.settings.evaluation.deadline_s)

    @asynccontextmanager
    async def release(self, agent: str | None, *, name: str | None, tries: Tries) -> AsyncIterator[Release]:
        """Open the agent that is to be tried, by its name in [agents] (None: the one that drafts); close all at the end.

        `name` names the release in results; None: its own version, else the digest of what is known of it.
        """
        chosen = agent or self._drafting_agent()
        settings = self._agent_settings(chosen)
        key = _key(settings, self.base)
        built = build_agent(chosen, settings, self.base)
        release = name or built.version or f"{chosen}-{(key or digest(_content(settings)))[:RELEASE_CHARS]}"
        paced: Agent = PacedAgent(built, self.clock, per_minute_max=tries.per_minute_max, calls_max=tries.calls_max)
        if tries.cache is not None:
            paced = RememberingAgent(paced, tries.cache, release_key=digest(f"{release} {key or _content(settings)}"))
        try:
            yield Release(
                name=release,
                agent=paced,
                rulebook=self.rulebook,
                checks=self.checks,
                deadline_s=self.settings.evaluation.deadline_s,
                key=key,
            )
        finally:
            await built.close()
            await self.close()

    async def close(self) -> None:
        """Let go of judges and simulated customers."""
        for judge in self._judges.values():
            await judge.close()
        for player in self._players.values():
            await player.close()

    def _drafting_agent(self) -> str:
        if not self.settings.agents:
            raise ConfigurationError("there is no agent to try; describe one in [agents.NAME] of understudy.toml")
        return agents_asked(self.settings, {name: name for name in self.settings.agents})[""][0]

    def _agent_settings(self, name: str) -> AgentSettings:
        if name not in self.settings.agents:
            known = ", ".join(sorted(self.settings.agents)) or "none"
            raise ConfigurationError(f"there is no agent {name!r}; there is: {known}")
        return self.settings.agents[name]

    def _judge(self, name: str | None, prompt: str | None) -> SecondOpinion:
        opinions = self.settings.opinions
        if name is None:
            if len(opinions) != 1:
                known = ", ".join(sorted(opinions)) or "none"
                raise ValueError(f"name the opinion that judges; there is in [opinions]: {known}")
            name = next(iter(opinions))
        if name not in opinions:
            raise ValueError(f"there is no opinion {name!r}; there is: {', '.join(sorted(opinions)) or 'none'}")
        if (name, prompt) not in self._judges:
            wanted = opinions[name]
            if prompt is not None:
                if not isinstance(wanted, JudgeOpinion):
                    raise ValueError(f"the opinion {name!r} is no language model, so it takes no question")
                wanted = wanted.model_copy(update={"prompt": prompt})
            self._judges[name, prompt] = build_opinion(name, wanted, self.base)
        return self._judges[name, prompt]


def _rulebook(settings: Settings) -> Rulebook:
    try:
        return rulebook_of(settings)
    except ValueError as error:
        raise ConfigurationError(f"the rules do not fit together: {error}") from error


def _content(settings: AgentSettings) -> str:
    """The settings of an agent without its secrets."""
    return canonical(settings.model_dump(mode="json", exclude={"api_key", "token", "headers"}))


def _key(settings: AgentSettings, base: Path) -> str | None:
    """Names what is known of an agent's content: its settings, and the source of a Python function; None where the
    agent is somewhere else and could change without our seeing it."""
    if isinstance(settings, PythonAgent):
        module = settings.target.partition(":")[0]
        beside = base / (module.replace(".", "/") + ".py")
        try:
            found = None if beside.is_file() else importlib.util.find_spec(module)
            source = beside if beside.is_file() else Path(found.origin) if found and found.origin else None
            return None if source is None else digest(_content(settings) + digest(source.read_text(errors="replace")))
        except (ImportError, OSError, ValueError):
            return None
    return digest(_content(settings)) if settings.kind == "faq" else None
