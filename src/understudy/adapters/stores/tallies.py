"""How many decisions of a slice left without a person lately, as the writer remembers it; it reads no table.

A quota is asked for at every turn. What is remembered here is changed with the tables and forgotten with the rest of
the writer's memory (`hot.py`).
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from understudy.records.assessment import DecisionKind
from understudy.records.turn import Turn, TurnState

BUCKET = timedelta(seconds=10)
LEFT_ALONE = (DecisionKind.DELIVER, DecisionKind.DEGRADE)
"""Decisions after which something leaves without a person."""

SLICES_MAX = 256
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def bucket(moment: datetime) -> datetime:
    """When the ten seconds began in which a moment lies."""
    moment = moment.astimezone(UTC)
    return moment - (moment - _EPOCH) % BUCKET


def is_counted(turn: Turn) -> bool:
    """Whether a turn was decided in a way that counts."""
    return turn.decision in LEFT_ALONE and turn.decided_at is not None


@dataclass(slots=True)
class _Tally:
    """Of one slice: the moments of the first ten seconds, the sums of all after them, turns about to be decided."""

    began_at: datetime
    moments: dict[DecisionKind, list[datetime]]
    sums: dict[DecisionKind, int]
    being_decided: int

    def add(self, kind: DecisionKind, moment: datetime) -> None:
        if moment >= self.began_at + BUCKET:
            self.sums[kind] += 1
        elif moment >= self.began_at:
            insort(self.moments[kind], moment)

    def since(self, kind: DecisionKind, since: datetime) -> int:
        moments = self.moments[kind]
        return len(moments) - bisect_left(moments, since) + self.sums[kind] + self.being_decided


class Tallies:
    """By topic and channel."""

    def __init__(self) -> None:
        self._tallies: dict[tuple[str | None, str], _Tally] = {}

    def clear(self) -> None:
        """Forget everything."""
        self._tallies.clear()

    def decided_since(self, topic: str, channel: str, since: datetime) -> tuple[int, int] | None:
        """A slice's automatic and safe replies, turns about to be decided included in both; None = not remembered."""
        tally = self._tallies.get((topic, channel))
        if tally is None or tally.began_at != bucket(since):
            return None
        return tally.since(DecisionKind.DELIVER, since), tally.since(DecisionKind.DEGRADE, since)

    def keep(
        self,
        topic: str,
        channel: str,
        began_at: datetime,
        *,
        moments: Iterable[tuple[DecisionKind, datetime]],
        sums: Iterable[tuple[DecisionKind, int]],
        being_decided: int,
    ) -> None:
        """Remember what the tables say: decisions in the ten seconds from `began_at`, and their number after that."""
        if len(self._tallies) >= SLICES_MAX:
            self._tallies.clear()
        tally = _Tally(began_at, {kind: [] for kind in LEFT_ALONE}, dict.fromkeys(LEFT_ALONE, 0), being_decided)
        tally.sums.update(sums)
        for kind, moment in moments:
            tally.add(kind, moment)
        self._tallies[topic, channel] = tally

    def moved(self, was: Turn | None, now: Turn) -> None:
        """Take a turn as it is now, and as it was before, if there was one."""
        for turn, step in ((was, -1), (now, 1)):
            if turn is not None and turn.state is TurnState.ASSESSING:
                if (tally := self._tallies.get((turn.topic, turn.channel))) is not None:
                    tally.being_decided += step
        if is_counted(now) and (was is None or was.decision is not now.decision):
            assert now.decided_at is not None
            assert now.decision is not None
            if (tally := self._tallies.get((now.topic, now.channel))) is not None:
                tally.add(now.decision, now.decided_at)
