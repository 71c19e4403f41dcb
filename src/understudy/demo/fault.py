"""The demo under a fault: a made-up business with every dependency, of which one fails for a while, customer by customer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from understudy.chaos.outcomes import Had, Outcome
from understudy.chaos.profile import Profile, ProfileRule
from understudy.chaos.running import Played, bundled_settings, run
from understudy.testing.faults import Fault

FAULTS: Final = {
    "agent-down": ("agents.*", Fault.RESET, 1.0, "the agent cannot be reached"),
    "agent-slow": ("agents.*", Fault.TIMEOUT, 1.0, "the agent does not answer in time"),
    "agent-nonsense": ("agents.*", Fault.MALFORMED, 1.0, "the agent answers nonsense"),
    "crm-down": ("records.*", Fault.RESET, 1.0, "the system that knows the orders is down"),
    "judge-down": ("opinions.*", Fault.ERROR, 1.0, "the second opinions on drafts fail"),
    "provider-down": ("channels.*", Fault.RESET, 1.0, "the providers of all channels are down"),
    "rate-limited": ("*", Fault.RATE_LIMIT, 0.7, "everybody says that it is too much"),
    "drifting": ("*", Fault.DRIFT, 1.0, "every interface answers in another version"),
}
"""Under their names: what fails, how, at which share of the requests, and in words."""
SECONDS: Final = 12.0
FROM_S, UNTIL_S = 4.0, 8.0
SEED: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message of one customer: when, in s; whether the fault was on; what they had in the end, and what they read."""

    at_s: float
    channel: str
    asked: str
    was_struck: bool
    outcome: Outcome
    after_s: float | None
    reads: str | None


def profile_of(name: str) -> Profile:
    """The profile of a fault's name."""
    on, fault, share, words = FAULTS[name]
    rule = ProfileRule(on=on, fault=fault, share=share, from_s=FROM_S, until_s=UNTIL_S)
    return Profile(description=words, seconds=SECONDS, rules=[rule])


async def play_fault(name: str, folder: Path, *, told: Callable[[float], None]) -> tuple[Played, tuple[Line, ...]]:
    """Play it to its end; `told` hears what share of it is over."""
    profile = profile_of(name)
    played = await run(profile, bundled_settings(), folder, folder, seed=SEED, told=told)
    return played, lines_of(played, profile.deadline_s)


def lines_of(played: Played, deadline_s: float) -> tuple[Line, ...]:
    """What each customer had, in the order in which they wrote."""
    had = {one.number: one for one in played.had}
    lines = []
    for asked in sorted(played.asked, key=lambda one: one.number):
        one, at_s = had[asked.number], (asked.at - played.began).total_seconds()
        lines.append(
            Line(
                at_s=round(at_s, 1),
                channel=asked.channel,
                asked=asked.text,
                was_struck=FROM_S <= at_s < UNTIL_S,
                outcome=one.outcome(deadline_s),
                after_s=_after_s(one),
                reads=_read(played, one),
            )
        )
    return tuple(lines)


def _after_s(one: Had) -> float | None:
    found = one.reply_s if one.reply_s is not None else one.told_s
    return None if found is None else round(found, 1)


def _read(played: Played, one: Had) -> str | None:
    """What the customer read in answer to this message."""
    after_s = one.reply_s if one.reply_s is not None else one.told_s
    if after_s is None:
        return None
    fake = played.stage.providers[one.channel]
    asked = next(asked for asked in played.asked if asked.number == one.number)
    at = asked.at + timedelta(seconds=after_s)
    those = [taken for taken in fake.taken if taken.conversation == one.conversation]
    return min(those, key=lambda taken: abs(fake.began_at + timedelta(seconds=taken.at_s) - at)).text
