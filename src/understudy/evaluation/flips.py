"""The cases behind a gate's verdict, with what both releases answered; it reads what is kept, and judges nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.errors import ConfigurationError, MalformedInput, NotFound
from understudy.evaluation.gate import GateTerms
from understudy.ports.store import Store, Transaction
from understudy.records.codec import load
from understudy.records.flips import Flip, FlipSide, GateDetail
from understudy.records.gate import GateResult
from understudy.records.suite import Case, CaseRule, Suite, Trial

CASES_MAX: Final = 100
"""So many cases are shown."""
TRIALS_MAX: Final = 50
"""So many trials of a case are looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """What the store has of a gate: its runs, its terms, and the trials of the cases that matter, by case."""

    result: GateResult
    baseline_run: str | None
    candidate_run: str | None
    named: str
    margin: float | None
    before: Mapping[str, Sequence[Trial]]
    after: Mapping[str, Sequence[Trial]]


class Flips:
    """See the module. `read` reads a suite by the name it was asked for by; raises as `read_suite` does."""

    def __init__(self, store: Store, *, read: Callable[[str], Suite]) -> None:
        self._store = store
        self._read = read

    async def detail(self, release_id: str) -> GateDetail:
        """The cases that went the other way at a release's gate, and those that blocked; raises `NotFound` where no gate
        has said anything of it."""
        kept = await self._store.read(lambda tx: _kept(tx, release_id))
        cases = await asyncio.to_thread(self._cases, kept)
        names = _names(kept.result)
        return GateDetail(
            result=kept.result,
            baseline_run=kept.baseline_run,
            candidate_run=kept.candidate_run,
            margin=kept.margin,
            cases=tuple(_flip(name, kept, cases.get(name)) for name in names[:CASES_MAX]),
            is_cut=len(names) > CASES_MAX,
        )

    def _cases(self, kept: _Kept) -> dict[str, Case]:
        """The cases as they stand here, if they are the very ones that were tried."""
        try:
            suite = self._read(kept.named)
        except (ConfigurationError, MalformedInput):
            return {}
        return {case.id: case for case in suite.cases} if suite.checksum == kept.result.suite_digest else {}


def _kept(tx: Transaction, release_id: str) -> _Kept:
    result = tx.releases.get(release_id).gate
    if result is None:
        raise NotFound(f"no gate has said anything of release {release_id} yet")
    named, margin = result.suite, None
    before, after = (_kept_run(tx, release, result) for release in (result.baseline, result.candidate))
    asked = tx.pending_gates.latest(release_id)
    for part in asked.parts if asked is not None else ():
        if part.suite_digest == result.suite_digest and part.result is not None:
            before, after, margin = part.baseline_run, part.candidate_run, load(GateTerms, part.terms).margin
            named = tx.spread.get(part.candidate_run).named
    names = _names(result)[:CASES_MAX]
    trials = [
        {name: [] if run is None else tx.runs.of_case(run, name, limit=TRIALS_MAX) for name in names}
        for run in (before, after)
    ]
    return _Kept(
        result=result,
        baseline_run=before,
        candidate_run=after,
        named=named,
        margin=margin,
        before=trials[0],
        after=trials[1],
    )


def _kept_run(tx: Transaction, release: str, result: GateResult) -> str | None:
    """The latest run of this very suite against a release that a command line kept."""
    runs = (run for run in tx.runs.of_release(release, result.suite) if run.suite_digest == result.suite_digest)
    return next((run.id for run in runs), None)


def _names(result: GateResult) -> list[str]:
    """The cases that flipped, worst first, and then those that blocked without having flipped."""
    flipped = [flipped.case for flipped in result.flipped]
    return [*flipped, *(case for case in result.blocked_by if case not in flipped)]


def _flip(name: str, kept: _Kept, case: Case | None) -> Flip:
    before, after = kept.before[name], kept.after[name]
    tried = [*after, *before]
    return Flip(
        case=name,
        rule=tried[0].rule if tried else CaseRule.ORDINARY,
        asked=None if case is None else _asked(case),
        was_wrong=None if case is None else case.what_was_wrong,
        baseline=_side(before),
        candidate=_side(after),
        blocks=name in kept.result.blocked_by,
    )


def _asked(case: Case) -> str | None:
    """What the customer said last, or wants, where it is a whole conversation."""
    if case.customer is not None:
        return case.customer.goal
    return next((message.content for message in reversed(case.messages) if message.role == "user"), None)


def _side(trials: Sequence[Trial]) -> FlipSide:
    """What a release did on a case; shown is the trial that most of them are like: one that failed, or one that passed."""
    told = [trial for trial in trials if trial.loss is not None]
    failed = [trial for trial in told if not trial.is_passed]
    is_bad = 2 * len(failed) >= len(told)
    shown = next((trial for trial in told if trial.is_passed is not is_bad), None)
    return FlipSide(
        made=len(told),
        failed=len(failed),
        errors=len(trials) - len(told),
        trial=None if shown is None else shown.trial,
        loss=None if shown is None else shown.loss,
        reply=None if shown is None else shown.reply,
        decision=None if shown is None else shown.decision,
        why="" if shown is None else shown.why,
    )
