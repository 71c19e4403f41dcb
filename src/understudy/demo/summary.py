"""What a demo leaves for whoever reads its end: how each act went, what became of the messages, what was found. It plays nothing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from understudy.demo.earning import Moment
from understudy.demo.people import PeopleMoment
from understudy.demo.versions import ReleaseMoment
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import load as load_record
from understudy.records.evidence import Draft
from understudy.records.turn import Turn, TurnState

PAGE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One kind of finding as it was first found: its severity, what it points at (None: at no place in the draft), and
    on how many drafts it was found."""

    name: str
    severity: str
    words: str | None
    drafts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """How long an act took, by the clock and of the processor, and why it ended before its end; None where it did not."""

    act: int
    seconds: float
    cpu_seconds: float
    ended: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of the customers' messages. Each turn counts once, under its decision; superseded ones apart.

    `findings` has each kind of finding once, by name; `moments` is how the slice of the second act stood, in order, and
    `releases` what happened to releases in the third, `people` to customers in the fourth. `verdicts` are the reviewers', `by_visitor` counts those of whoever
    watched. Those up to `verdicts` are of the first act, `seconds` and the rest of all.
    """

    turns: int
    delivered: int
    held: int
    handed_off: int
    degraded: int
    superseded: int
    seconds: float
    reasons: dict[str, Counter[str]]
    verdicts: dict[str, int]
    by_visitor: int
    acts: tuple[Act, ...]
    findings: tuple[Shown, ...]
    moments: tuple[Moment, ...]
    releases: tuple[ReleaseMoment, ...]
    people: tuple[PeopleMoment, ...]
    is_settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FirstAct:
    """The turns of the first act as they stood at its end, what was found in their drafts, and the reviewers' verdicts."""

    turns: list[Turn]
    findings: tuple[Shown, ...]
    verdicts: dict[str, int]


def summary_of(
    first: FirstAct,
    acts: tuple[Act, ...],
    *,
    by_visitor: int,
    moments: list[Moment],
    releases: list[ReleaseMoment],
    people: list[PeopleMoment],
    is_settled: bool,
) -> Summary:
    """Count what became of the messages, and put it together with the rest."""
    superseded = [turn for turn in first.turns if turn.state is TurnState.SUPERSEDED]
    decided = [turn for turn in first.turns if turn.state is not TurnState.SUPERSEDED and turn.decision is not None]
    kinds = Counter(turn.decision.value for turn in decided if turn.decision is not None)
    reasons: dict[str, Counter[str]] = {}
    for turn in decided:
        if turn.decision is not None:
            reasons.setdefault(turn.decision.value, Counter()).update(turn.reasons)
    return Summary(
        turns=len(first.turns),
        delivered=kinds["deliver"],
        held=kinds["hold"],
        handed_off=kinds["hand_off"],
        degraded=kinds["degrade"],
        superseded=len(superseded),
        seconds=round(sum(act.seconds for act in acts), 2),
        reasons=reasons,
        verdicts=first.verdicts,
        by_visitor=by_visitor,
        acts=acts,
        findings=first.findings,
        moments=tuple(moments),
        releases=tuple(releases),
        people=tuple(people),
        is_settled=is_settled,
    )


def all_turns(tx: Transaction) -> list[Turn]:
    """Read every turn, page by page."""
    turns: list[Turn] = []
    while page := tx.turns.listed(after=turns[-1].position if turns else 0, limit=PAGE):
        turns += page
    return turns


def findings_of(tx: Transaction) -> tuple[Shown, ...]:
    """Each kind of finding of all turns, where it was first found with a place in the draft."""
    counts: Counter[str] = Counter()
    first: dict[str, tuple[str, str | None]] = {}
    for turn in all_turns(tx):
        assessment, draft = tx.artifacts.get(turn.id, "assessment"), tx.artifacts.get(turn.id, "draft")
        found = () if assessment is None else load_record(Assessment, assessment).findings
        text = "" if draft is None else load_record(Draft, draft).text
        counts.update({finding.name for finding in found})
        for finding in found:
            words = None if finding.span is None else text[finding.span.start : finding.span.end]
            if finding.name not in first or (first[finding.name][1] is None and words):
                first[finding.name] = (finding.severity.value, words)
    return tuple(
        Shown(name=name, severity=severity, words=words, drafts=counts[name])
        for name, (severity, words) in sorted(first.items())
    )
