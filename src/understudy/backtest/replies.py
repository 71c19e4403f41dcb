"""The judged replies of a history, each reduced to a few numbers, so that a long file needs little memory; it decides
nothing about them.

The file is read twice: once to see what it holds, once to take from it what is needed. Customers' words are not kept.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.assessment.confidence import AGENT_SIGNAL
from understudy.assessment.grading import grade
from understudy.assessment.recorded import evidence_of
from understudy.backtest.histories.labelled import Labelled
from understudy.records.backtest import ScoreOrigin
from understudy.records.evidence import Evidence
from understudy.records.rulebook import Rulebook

DIMENSIONS: Final = ("topic", "channel", "agent_version")
"""What a history may be cut into slices by."""
UNVERSIONED: Final = "unversioned"
TOLD_EVERY: Final = 50

Read = Callable[[], Iterator[Labelled]]
Told = Callable[[int], None]
"""Called with how many records are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What a history holds. `judged`: records with a verdict; of those, `sure` have a confidence and `timed` a time."""

    records: int
    judged: int
    sure: int
    timed: int

    def origin(self) -> ScoreOrigin:
        """The drafts' own confidence where most judged ones have it, else a learned score."""
        return ScoreOrigin.GIVEN if self.judged and 2 * self.sure >= self.judged else ScoreOrigin.LEARNED


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A judged draft. `score` in [0, 1], NaN where it is still to be learned; `signals` then are the checks' numbers, in
    [0, 1]. `order` is a time in seconds or a place in the file."""

    conversation: str
    topic: str
    parts: tuple[str, ...]
    order: float
    score: float
    signals: tuple[float, ...]
    loss: float
    is_severe: bool


def survey(read: Read, told: Told) -> Survey:
    """Count; raises `MalformedInput` at the first record that cannot be read."""
    records = judged = sure = timed = 0
    for records, labelled in enumerate(read(), start=1):
        record = labelled.record
        if record.verdict is not None:
            judged += 1
            sure += record.draft.confidence is not None
            timed += record.at is not None
        if records % TOLD_EVERY == 0:
            told(records)
    return Survey(records=records, judged=judged, sure=sure, timed=timed)


def replies(
    read: Read,
    seen: Survey,
    origin: ScoreOrigin,
    by: Sequence[str],
    rulebook: Rulebook,
    checks: tuple[Check, ...],
    told: Told,
) -> tuple[list[Reply], tuple[str, ...]]:
    """The judged replies in the file's order, and the names of their signals (none where the score is given).

    A draft without a confidence, where the others have one, scores 0: unknown never passes.
    """
    found: list[Reply] = []
    names: tuple[str, ...] = ()
    is_timed = seen.timed == seen.judged
    for place, labelled in enumerate(read()):
        record = labelled.record
        if place % TOLD_EVERY == 0:
            told(place)
        if record.verdict is None:
            continue
        evidence = evidence_of(record, rulebook.rules)
        signals: tuple[float, ...] = ()
        score = record.draft.confidence or 0.0
        if origin is ScoreOrigin.LEARNED:
            given = _signals(evidence, rulebook, checks)
            names = names or tuple(given)
            signals, score = tuple(given.get(name, 1.0) for name in names), math.nan
        verdict = record.verdict
        said = grade(
            verdict.action,
            draft=record.draft.text,
            text=verdict.text,
            severity=verdict.severity,
            reasons=verdict.reasons,
        )
        found.append(
            Reply(
                conversation=record.conversation_id or record.id,
                topic=sys.intern(evidence.topic),
                parts=tuple(_part(evidence, dimension) for dimension in by),
                order=record.at.timestamp() if is_timed and record.at is not None else float(place),
                score=score,
                signals=signals,
                loss=said.loss,
                is_severe=said.is_severe,
            )
        )
    told(seen.records)
    return found, names


def _signals(evidence: Evidence, rulebook: Rulebook, checks: tuple[Check, ...]) -> dict[str, float]:
    """The checks' numbers; the agent's own word is left out, because not every draft has it."""
    signals = assess(evidence, rulebook, checks=checks).signals
    return {signal.check: signal.score for signal in signals if signal.check != AGENT_SIGNAL}


def _part(evidence: Evidence, dimension: str) -> str:
    match dimension:
        case "topic":
            return evidence.topic
        case "channel":
            return evidence.channel
        case _:
            version = None if evidence.draft is None else evidence.draft.agent_version
            return version or UNVERSIONED
