"""What became of customers' messages, told from what was stored and from what the customers saw; it reads no store and asks nobody."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a customer had when the deadline came.

    *answered*: the agent's or a person's reply. *told*: an approved reply that says honestly how things are. *held*: a
    draft waits for a person. *handed_off*: a person has the conversation, or has to say whether a reply arrived. *silent*:
    none of these. *lost*: acknowledged, and nowhere to be found. *refused*: never acknowledged, and the provider knows.
    """

    ANSWERED = "answered"
    TOLD = "told"
    HELD = "held"
    HANDED_OFF = "handed_off"
    SILENT = "silent"
    LOST = "lost"
    REFUSED = "refused"


NEVER = (Outcome.SILENT, Outcome.LOST)
"""Outcomes that must not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Had:
    """What one message had come to; times in s after it was written, None = not.

    `is_known`: it is stored. `reply_s`, `told_s`: when the customer saw a reply to it, or an approved one; `held_s`,
    `person_s`: when a draft of it began to wait for a person, or a person was given the conversation.
    """

    number: int
    channel: str
    conversation: str
    is_acknowledged: bool
    is_known: bool
    reply_s: float | None = None
    told_s: float | None = None
    held_s: float | None = None
    person_s: float | None = None

    def outcome(self, deadline_s: float) -> Outcome:
        """What the customer had at the deadline, the best of it."""
        if not self.is_acknowledged:
            return Outcome.REFUSED
        if not self.is_known:
            return Outcome.LOST
        ways = (
            (self.reply_s, Outcome.ANSWERED),
            (self.told_s, Outcome.TOLD),
            (self.held_s, Outcome.HELD),
            (self.person_s, Outcome.HANDED_OFF),
        )
        for at_s, outcome in ways:
            if at_s is not None and at_s <= deadline_s:
                return outcome
        return Outcome.SILENT

    @property
    def is_settled(self) -> bool:
        """Whether it came to anything."""
        return not self.is_acknowledged or any(
            at_s is not None for at_s in (self.reply_s, self.told_s, self.held_s, self.person_s)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What went wrong with the replies of one conversation, by its texts: `doubled` too many, `reordered` out of order."""

    doubled: int
    reordered: int


def sight_of(queued: Sequence[str], seen: Sequence[str]) -> Sight:
    """Compare what was queued for a customer, in order, with what they saw.

    A text seen more often than it was queued is doubled. Of those that remain, one that comes before another which was
    queued earlier is out of order; one that never came is neither.
    """
    left = Counter(queued)
    kept: list[str] = []
    doubled = 0
    for text in seen:
        if left[text] > 0:
            left[text] -= 1
            kept.append(text)
        else:
            doubled += 1
    return Sight(doubled=doubled, reordered=len(kept) - _longest_in_order(queued, kept))


def _longest_in_order(queued: Sequence[str], seen: Sequence[str]) -> int:
    """The length of the longest common subsequence."""
    row = [0] * (len(seen) + 1)
    for text in queued:
        before = row[:]
        for place, other in enumerate(seen, start=1):
            row[place] = before[place - 1] + 1 if text == other else max(row[place - 1], before[place])
    return row[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """All of it. `struck`: how often each dependency was struck by each fault. `wrong`: what must not be, in words.
    `complaints`: what fakes found wrong with requests, each once; a fault may have made it so.
    """

    messages: int
    outcomes: Mapping[Outcome, int]
    doubled: int
    reordered: int
    within_s_p50: float | None
    within_s_p95: float | None
    struck: Mapping[str, Mapping[str, int]]
    wrong: tuple[str, ...]
    unknown_hosts: tuple[str, ...] = ()
    complaints: tuple[str, ...] = ()

    @property
    def is_safe(self) -> bool:
        """Whether nobody was left alone, and nothing lost, doubled or out of order."""
        return not (self.doubled or self.reordered or any(self.outcomes.get(one, 0) for one in NEVER))

    @property
    def was_struck(self) -> bool:
        """Whether any fault happened at all; else nothing was tried."""
        return any(sum(one.values()) for one in self.struck.values())


def result_of(
    had: Sequence[Had],
    sights: Mapping[str, Sight],
    *,
    deadline_s: float,
    struck: Mapping[str, Mapping[str, int]],
    unknown_hosts: Sequence[str] = (),
    complaints: Iterable[str] = (),
) -> Result:
    """Put it together; `sights` by conversation."""
    outcomes = Counter(one.outcome(deadline_s) for one in had)
    waits = sorted(
        min(at_s for at_s in (one.reply_s, one.told_s) if at_s is not None)
        for one in had
        if one.reply_s is not None or one.told_s is not None
    )
    wrong = [
        f"message {one.number} of conversation {one.conversation} on {one.channel} is {one.outcome(deadline_s)}"
        for one in had
        if one.outcome(deadline_s) in NEVER
    ]
    for name, sight in sights.items():
        wrong += [f"conversation {name}: {sight.doubled} replies came twice"] * bool(sight.doubled)
        wrong += [f"conversation {name}: {sight.reordered} replies came out of order"] * bool(sight.reordered)
    return Result(
        messages=len(had),
        outcomes={one: outcomes[one] for one in Outcome},
        doubled=sum(one.doubled for one in sights.values()),
        reordered=sum(one.reordered for one in sights.values()),
        within_s_p50=_at(waits, 0.5),
        within_s_p95=_at(waits, 0.95),
        struck=struck,
        wrong=tuple(wrong),
        unknown_hosts=tuple(unknown_hosts),
        complaints=tuple(dict.fromkeys(complaints)),
    )


def _at(waits: Sequence[float], share: float) -> float | None:
    return round(waits[min(len(waits) - 1, int(len(waits) * share))], 2) if waits else None
