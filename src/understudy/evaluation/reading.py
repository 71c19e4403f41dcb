"""The finished trials of a run, read from the beginning of its plan on, and whether they decide it; it makes none.

They are read in the order of the plan and never in that in which they came, because quick answers may be better or
worse than slow ones. Whether they decide is asked at fixed lengths, so that the same trials end a run at the same place
however quickly they came, and whoever made them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from understudy.records.suite import Trial

LOOK_PART: Final = 100
"""Whether all is decided is looked at whenever this part more is finished than at the last look."""

IsDecided = Callable[[Sequence[Trial]], bool]


class Reading:
    """Trials up to the first that lacks. `is_decided` is asked with longer and longer beginnings; once it says so, no
    further trial is taken in."""

    def __init__(self, is_decided: IsDecided) -> None:
        self._ask = is_decided
        self._looked_at = 0
        self.trials: list[Trial] = []
        self.is_decided = False

    def take(self, trial: Trial) -> None:
        """Take in the next trial of the plan."""
        assert not self.is_decided, "what is decided reads no further"
        self.trials.append(trial)
        if len(self.trials) >= self._looked_at + max(1, self._looked_at // LOOK_PART):
            self._looked_at = len(self.trials)
            self.is_decided = self._ask(self.trials)
