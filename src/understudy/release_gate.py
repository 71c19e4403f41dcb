"""The gate of a release: candidate and baseline are tried on the suites it has to pass, and compared; it lets nothing out.

The results of each release on each suite are a file, so a gate that was cut off goes on where it was, a baseline is tried
once for all its candidates, and a gate that decided nothing goes on with more trials when it is run again. That is
sound, because its interval may be looked at at any time; to begin again until it passes would not be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from understudy.errors import ConfigurationError
from understudy.evaluation import teeth
from understudy.evaluation.archive import gate_result
from understudy.evaluation.gate import CACHED_FROM, GateTerms, decide, is_settled
from understudy.evaluation.journal import Journal, RunHead
from understudy.evaluation.plan import plan_of
from understudy.evaluation.runner import Runner, Watch
from understudy.evaluation.suites import read_suite
from understudy.evaluations import Evaluations, Tries
from understudy.records.gate import GateResult, GateVerdict
from understudy.records.release import Release
from understudy.records.suite import Suite, Trial
from understudy.settings.model import Settings
from understudy.settings.stated import stated

RESULTS = Path("understudy-data/releases")
DIGEST_CHARS = 12
WORST_FIRST = (GateVerdict.FAIL, GateVerdict.INCONCLUSIVE, GateVerdict.PASS)

Watching = Callable[[str, int, int], AbstractContextManager[Watch]]
"""Of what is tried, how many trials there will be and how many there are already: who is told of each."""


def unwatched(what: str, planned: int, known: int) -> AbstractContextManager[Watch]:  # noqa: ARG001 - the shape
    """Nobody is told."""
    return nullcontext(lambda point, case, trial: None)


class SuiteGate:
    """Compares two releases that the configuration states; the worst that any suite says is what it says."""

    def __init__(self, settings: Settings, base: Path, *, watching: Watching = unwatched) -> None:
        self._settings = settings
        self._base = base
        self._watching = watching
        self._entries: Mapping[str, str] = {one.id: one.entry for one in stated(settings, base).values()}

    async def __call__(self, candidate: Release, baseline: Release) -> GateResult:
        """Try both and compare; raises `ConfigurationError` where a suite or a release is not there."""
        results = [await self._on(name, candidate, baseline) for name in self._settings.releases.suites]
        worst = min(results, key=lambda one: WORST_FIRST.index(one.verdict))
        if len(results) == 1:
            return worst
        return replace(worst, reason=f"suite {worst.suite}: {worst.reason}")

    async def _on(self, name: str, candidate: Release, baseline: Release) -> GateResult:
        suite = read_suite(Evaluations(self._settings, self._base).suite_folder(name))
        evaluations = Evaluations(self._settings, self._base)
        terms = evaluations.terms(margin=suite.margin)
        before = await self._tried(baseline, suite, terms, is_decided=lambda trials: False)
        after = await self._tried(candidate, suite, terms, is_decided=lambda trials: is_settled(before, trials, terms))
        return gate_result(
            decide(before, after, terms),
            gate_id=evaluations.clock.new_id("gate"),
            suite=suite.name,
            suite_digest=suite.checksum,
            baseline=baseline.id,
            candidate=candidate.id,
            clock=evaluations.clock,
        )

    async def _tried(
        self, release: Release, suite: Suite, terms: GateTerms, *, is_decided: Callable[[Sequence[Trial]], bool]
    ) -> tuple[Trial, ...]:
        """All trials of a release on a suite, made now or earlier."""
        evaluations = Evaluations(self._settings, self._base)  # of its own, since a run closes what it opened
        graders = evaluations.graders(suite)
        entry = self._entries.get(release.id)
        if entry is None:
            raise ConfigurationError(
                f"release {release.id} is stated nowhere in this configuration, so it cannot be tried"
            )
        async with evaluations.release(entry, name=release.id, tries=Tries()) as tried:
            head = RunHead(
                run=evaluations.clock.new_id("run"),
                suite=suite.name,
                suite_digest=suite.checksum,
                release=release.id,
            )
            file = self._base / RESULTS / f"{release.id}-{suite.name}-{suite.checksum[:DIGEST_CHARS]}.jsonl"
            journal = Journal.opened(file, head, drops_errors=True)
            plan = plan_of(suite, trials=_wanted(suite, journal.known, is_decided), must_pass=terms.must_pass)
            bites = [
                one
                for case in suite.cases
                if (one := await teeth.tried(case, graders[case.id], tried.rulebook, tried.checks)) is not None
            ]
            with self._watching(f"{entry} on {suite.name}", len(plan), len(journal.known)) as watch:
                runner = Runner(
                    tried,
                    evaluations.clock,
                    graders=graders,
                    player=evaluations.player,
                    limits=evaluations.limits(None),
                    teeth={one.case: one.refused for one in bites if not one.is_good and one.refused is not None},
                    watch=watch,
                )
                outcome = await runner.run(plan, journal, is_decided=is_decided)
        return outcome.trials


def gate_of(settings: Settings, base: Path, *, watching: Watching = unwatched) -> SuiteGate | None:
    """The gate that the settings ask for; None where they name no suite, and then only a person lets a release go on."""
    return SuiteGate(settings, base, watching=watching) if settings.releases.suites else None


def _wanted(suite: Suite, known: Mapping[tuple[str, int], Trial], is_decided: Callable[[Sequence[Trial]], bool]) -> int:
    """How many trials of each case: as the suite says, enough to stand for a baseline, and, where they are all made and
    decide nothing, as many again."""
    at_first = max(suite.trials, CACHED_FROM)
    made = min((sum(case == one.id for case, _ in known) for one in suite.cases), default=0)
    if made < at_first or is_decided(tuple(known.values())):
        return max(at_first, made)
    return made + at_first
