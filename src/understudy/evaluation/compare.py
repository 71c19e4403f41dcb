"""Two releases side by side on the same cases: what each said, which graders changed their mind, what matters first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Final

from understudy.records.suite import CaseRule, Trial

_WEIGHTS: Final = {CaseRule.ORDINARY: 1.0, CaseRule.MUST_PASS: 3.0, CaseRule.ZERO_TOLERANCE: 5.0}
_WORDS_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What one release did with a case: the mean loss of its trials (None: all in error), and the trial that is shown."""

    loss: float | None
    trials: int
    errors: int
    reply: str | None
    decision: str | None
    why: str
    complaints: tuple[str, ...]
    """What graders found wrong in the trial that is shown, one each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """One case on both sides. `importance` orders them; `gone` and `new` are complaints of graders."""

    case: str
    rule: CaseRule
    before: Side | None
    after: Side | None
    importance: float
    gone: tuple[str, ...]
    new: tuple[str, ...]

    @property
    def change(self) -> str:
        """In one word."""
        if self.before is None or self.after is None:
            return "only in the first" if self.after is None else "only in the second"
        old, now = self.before.loss, self.after.loss
        if old is None or now is None:
            return "in error"
        if now > old:
            return "worse"
        if now < old:
            return "better"
        if self.before.decision != self.after.decision:
            return "decided otherwise"
        return "same" if self.before.reply == self.after.reply else "worded otherwise"


def beside(before: Iterable[Trial], after: Iterable[Trial]) -> tuple[Beside, ...]:
    """Put two runs side by side, case by case, what matters first: what got worse, most of all where it must not."""
    olds, news = _by_case(before), _by_case(after)
    found = [_beside(name, olds.get(name, []), news.get(name, [])) for name in dict.fromkeys([*olds, *news])]
    return tuple(sorted(found, key=lambda one: (-one.importance, one.case)))


def _beside(name: str, old: list[Trial], new: list[Trial]) -> Beside:
    # The trials that are shown are the worst of each side, so that what went wrong is to be seen.
    before, after = _side(old), _side(new)
    had, has = set(before.complaints if before else ()), set(after.complaints if after else ())
    rule = max((trial.rule for trial in (*old, *new)), key=lambda one: _WEIGHTS[one])
    return Beside(
        case=name,
        rule=rule,
        before=before,
        after=after,
        importance=_importance(before, after, rule),
        gone=tuple(sorted(had - has)),
        new=tuple(sorted(has - had)),
    )


def _importance(before: Side | None, after: Side | None, rule: CaseRule) -> float:
    if before is None or after is None:
        return 0.5 + (after.loss or 0.0 if after is not None else 0.0)
    if before.loss is None or after.loss is None:
        return 0.8
    difference = after.loss - before.loss
    base = 10.0 * difference * _WEIGHTS[rule] if difference > 0 else -4.0 * difference
    return base + (before.decision != after.decision) + 0.4 * _otherwise(before.reply or "", after.reply or "")


def _otherwise(first: str, second: str) -> float:
    """How far two texts differ, in [0, 1]."""
    if first == second:
        return 0.0
    return 1.0 - SequenceMatcher(None, first.split()[:_WORDS_MAX], second.split()[:_WORDS_MAX], autojunk=False).ratio()


def _side(trials: Sequence[Trial]) -> Side | None:
    if not trials:
        return None
    judged = [trial for trial in trials if trial.loss is not None]
    worst = max(judged, key=lambda trial: (trial.loss or 0.0, -trial.trial), default=trials[0])
    return Side(
        loss=sum(trial.loss or 0.0 for trial in judged) / len(judged) if judged else None,
        trials=len(trials),
        errors=len(trials) - len(judged),
        reply=worst.reply,
        decision=worst.decision,
        why=worst.why or worst.error or "",
        complaints=tuple(
            f"{grade.grader}: {grade.why or grade.error or 'failed'}"
            for grade in worst.grades
            if grade.loss or grade.error
        )
        or ((worst.why,) if worst.loss and worst.why else ()),
    )


def _by_case(trials: Iterable[Trial]) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in trials:
        found.setdefault(trial.case, []).append(trial)
    return found
