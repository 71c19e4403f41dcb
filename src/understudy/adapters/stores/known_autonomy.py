"""What this process last saw of epochs, calibrators, stops, caps and releases; right for as long as `hot.py`, of which it is a part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from understudy.records.autonomy import Epoch, Stop
from understudy.records.release import Roster
from understudy.records.rulebook import Calibrator

EPOCHS_MAX = 20_000
"""How many slices are kept before all are read anew: some tens of megabytes."""

OfSlice = tuple[str, str, str]
"""Topic, channel, release."""


@dataclass(slots=True)
class KnownAutonomy:
    """Open epochs by slice and release (None = there is none), calibrators by id, all stops (None = not read), the name
    of the latest topic model (None = not read, "" = there is none).

    `has_caps`: whether any contact has a cap (None = not looked). `roster`: all releases (None = not read).
    """

    epochs: dict[OfSlice, Epoch | None] = field(default_factory=dict)
    calibrators: dict[str, Calibrator | None] = field(default_factory=dict)
    stops: Sequence[Stop] | None = None
    topic_model: str | None = None
    has_caps: bool | None = None
    roster: Roster | None = None

    def keep(self, of_slice: OfSlice, epoch: Epoch | None) -> None:
        """Keep the open epoch of a slice and release, or that there is none."""
        if len(self.epochs) >= EPOCHS_MAX:
            self.epochs.clear()
        self.epochs[of_slice] = epoch

    def clear(self) -> None:
        """Forget everything."""
        self.epochs.clear()
        self.calibrators.clear()
        self.stops = None
        self.topic_model = None
        self.has_caps = None
        self.roster = None
