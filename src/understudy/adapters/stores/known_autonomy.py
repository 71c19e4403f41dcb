"""What this process last saw of epochs, calibrators, stops, caps and releases; right for as long as `hot.py`, of which it is a part."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

from understudy.records.autonomy import Epoch, Stop
from understudy.records.feedback import Frequency, Stir
from understudy.records.release import Roster
from understudy.records.rulebook import Calibrator

EPOCHS_MAX = 20_000
"""How many slices are kept before all are read anew: some tens of megabytes."""

DELIVERED_MAX = 10_000
"""How many automatic replies of a topic and channel are kept, by number; then they are counted anew."""

OfSlice = tuple[str, str, str]
"""Topic, channel, release."""


@dataclass(slots=True)
class KnownAutonomy:
    """Open epochs by slice and release (None = there is none), calibrators by id, all stops (None = not read), the name
    of the latest topic model (None = not read, "" = there is none), how often replies stir customers.

    `has_caps`: whether any contact has a cap (None = not looked); `has_opt_outs`: whether any wants no messages somewhere. `roster`: all releases (None = not read).
    """

    epochs: dict[OfSlice, Epoch | None] = field(default_factory=dict)
    calibrators: dict[str, Calibrator | None] = field(default_factory=dict)
    stops: Sequence[Stop] | None = None
    topic_model: str | None = None
    has_caps: bool | None = None
    has_opt_outs: bool | None = None
    frequencies: dict[tuple[str, str, Stir], Frequency] = field(default_factory=dict)
    delivered: dict[tuple[str, str], list[int]] = field(default_factory=dict)
    """The numbers of a topic's and channel's automatic replies, ascending, all from the first one on."""
    roster: Roster | None = None

    def begin_delivered(self, topic: str, channel: str, latest: int) -> None:
        """Keep the automatic replies from `latest` on, which is the last there is, or the one after which there is none."""
        self.delivered[topic, channel] = [latest]

    def count_delivered(self, topic: str, channel: str, seq: int) -> None:
        """Take one more; forget all where there are too many."""
        if (known := self.delivered.get((topic, channel))) is not None:
            known.append(seq)
            if len(known) > DELIVERED_MAX:
                del self.delivered[topic, channel]

    def delivered_after(self, topic: str, channel: str, after: int) -> tuple[int, int] | None:
        """How many there are after a number, and the last of them (`after` without any); None where it is not known."""
        known = self.delivered.get((topic, channel))
        if known is None or after < known[0]:
            return None
        count = len(known) - bisect_right(known, after)
        return count, known[-1] if count else after

    def keep(self, of_slice: OfSlice, epoch: Epoch | None) -> None:
        """Keep the open epoch of a slice and release, or that there is none."""
        if len(self.epochs) >= EPOCHS_MAX:
            self.epochs.clear()
        self.epochs[of_slice] = epoch

    def look_again(self) -> None:
        """Look again whether anybody has a cap, or wants no messages somewhere."""
        self.has_caps = self.has_opt_outs = None

    def clear(self) -> None:
        """Forget everything."""
        self.epochs.clear()
        self.calibrators.clear()
        self.stops = None
        self.topic_model = None
        self.look_again()
        self.frequencies.clear()
        self.delivered.clear()
        self.roster = None
