"""A release through the gate: its trials against its baseline's, begun, kept and judged in one go. It promotes nothing.

What a release is and what follows from the verdict is not known here: two agents under their rulebooks come in, a
`GateResult` goes out. The baseline is tried only where the store holds no whole run of this very suite against it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Final

from understudy.evaluation import teeth
from understudy.evaluation.archive import Archive
from understudy.evaluation.attempts import Release
from understudy.evaluation.gate import CACHED_FROM, decide, settling
from understudy.evaluation.journal import Journal, RunHead
from understudy.evaluation.plan import GATE_TRIALS_MAX, plan_of
from understudy.evaluation.runner import Runner, RunOutcome, Watch
from understudy.evaluation.suites import read_suite
from understudy.evaluations import Evaluations
from understudy.records.gate import GateResult
from understudy.records.suite import Suite, Trial

RUNS: Final = Path("understudy-data/runs")

Watching = Callable[[str, int, int], AbstractContextManager[Watch]]
"""Of what is tried, how many trials there will be at the most and how many there are: who is told of each."""


def unwatched(what: str, planned: int, known: int) -> AbstractContextManager[Watch]:  # noqa: ARG001 - the shape
    """Nobody is told."""
    return nullcontext(lambda point, case, trial: None)


async def gate_release(
    evaluations: Evaluations,
    archive: Archive,
    *,
    suite: str,
    baseline: Release,
    candidate: Release,
    trials_max: int = GATE_TRIALS_MAX,
    actor: str = "command line",
    watching: Watching = unwatched,
) -> GateResult:
    """Try a candidate on a suite until the gate is decided, and keep the runs and the verdict.

    Cut off by a crash it goes on where it was: results are in files named by the suite's content and the release. Raises
    `ConfigurationError` and `MalformedInput` where the suite cannot be used.
    """
    read = read_suite(evaluations.suite_folder(suite))
    terms = evaluations.terms(margin=read.margin)
    trials = max(CACHED_FROM, read.trials)
    before: Sequence[Trial] = await archive.baseline(
        baseline.name,
        read.name,
        read.checksum,
        trials_min=len(plan_of(read, trials=trials, must_pass=evaluations.must_pass)),
        error_share_max=terms.error_share_max,
    )
    if not before:
        outcome = await _run(evaluations, archive, read, baseline, trials=trials, actor=actor, watching=watching)
        before = outcome.trials
    after = await _run(
        evaluations,
        archive,
        read,
        candidate,
        trials=trials_max,
        actor=actor,
        watching=watching,
        is_decided=settling(before, terms),
    )
    return await archive.keep_gate(
        decide(before, after.trials, terms),
        suite=read.name,
        suite_digest=read.checksum,
        baseline=baseline.name,
        candidate=candidate.name,
        actor=actor,
    )


async def _run(
    evaluations: Evaluations,
    archive: Archive,
    suite: Suite,
    release: Release,
    *,
    trials: int,
    actor: str,
    watching: Watching,
    is_decided: Callable[[Sequence[Trial]], bool] = lambda found: False,
) -> RunOutcome:
    graders = evaluations.graders(suite)
    tried = [await teeth.tried(case, graders[case.id], release.rulebook, release.checks) for case in suite.cases]
    head = RunHead(
        run=evaluations.clock.new_id("run"), suite=suite.name, suite_digest=suite.checksum, release=release.name
    )
    file = evaluations.base / RUNS / f"{suite.name}-{suite.checksum[:12]}-{_fit(release.name)}.jsonl"
    journal = Journal.opened(file, head, drops_errors=True)
    plan = plan_of(suite, trials=trials, must_pass=evaluations.must_pass)
    with watching(f"{release.name} on {suite.name}", len(plan), len(journal.known)) as watch:
        runner = Runner(
            release,
            evaluations.clock,
            graders=graders,
            player=evaluations.player,
            limits=evaluations.limits(None),
            teeth={one.case: one.refused for one in tried if one and not one.is_good and one.refused is not None},
            watch=watch,
        )
        outcome = await runner.run(plan, journal, is_decided=is_decided)
    await archive.keep_run(
        run=journal.head.run,
        suite=suite.name,
        suite_digest=suite.checksum,
        release=release.name,
        planned=outcome.planned,
        trials=outcome.trials,
        is_ended=outcome.ended is None,
        actor=actor,
    )
    return outcome


def _fit(name: str) -> str:
    return "".join(letter if letter.isalnum() or letter in "._-" else "-" for letter in name)[:100]
