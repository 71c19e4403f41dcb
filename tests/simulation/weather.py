"""What goes wrong in one world and how often, drawn from its seed; it makes nothing go wrong itself.

Each seed switches most faults off and gives the others one of a few rates, so that some worlds are full of crashes,
others of lost answers, and a rare pair of faults meets more often than if every world had a little of everything.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

LEVELS: dict[str, tuple[float, ...]] = {
    # the processes
    "crash": (0.0, 0.0, 0.003, 0.01, 0.03),
    "freeze": (0.0, 0.0, 0.003, 0.02),
    "restart": (0.0, 0.0, 0.3, 1.0),
    # the database
    "slow_store": (0.0, 0.05, 0.3, 0.5),
    "store_refuses": (0.0, 0.0, 0.0, 0.01, 0.05),
    "store_forgets": (0.0, 0.0, 0.0, 0.01, 0.05),
    "step_runs_again": (0.0, 0.2),
    # hints between the store and the dispatcher
    "hint_lost": (0.0, 0.0, 0.1, 0.5),
    "hint_doubled": (0.0, 0.0, 0.2),
    "hint_late": (0.0, 0.0, 0.3),
    # what comes in
    "webhook_lost": (0.0, 0.0, 0.2),
    "webhook_repeated": (0.0, 0.2, 0.5),
    "webhook_late": (0.0, 0.0, 0.3),
    "answer_lost": (0.0, 0.0, 0.2),
    # the agent
    "agent_fails": (0.0, 0.0, 0.2, 0.6),
    "agent_is_late": (0.0, 0.0, 0.2),
    "agent_talks_nonsense": (0.0, 0.0, 0.1),
    # the channel
    "freeze_in_send": (0.0, 0.0, 0.1, 0.3),
    "send_rejected": (0.0, 0.0, 0.1),
    "send_busy": (0.0, 0.0, 0.3),
    "send_answer_lost": (0.0, 0.1, 0.4),
    "send_request_lost": (0.0, 0.0, 0.3),
    "send_lands_late": (0.0, 0.0, 0.3),
    "look_up_fails": (0.0, 0.0, 0.3),
}
"""The rates that a world may draw, by fault; per step, message, send or whatever the fault is of."""

CRASHES_MAX = 12
"""Deaths of processes in one world; more only make it longer."""


@dataclass(slots=True, kw_only=True)
class Weather:
    """The faults of one world. After `calm_down` nothing goes wrong any more."""

    dice: random.Random
    rates: dict[str, float]
    is_stormy: bool = True
    crashes_left: int = CRASHES_MAX
    struck: dict[str, int] = field(default_factory=dict)
    """How often each fault happened."""

    @classmethod
    def drawn(cls, dice: random.Random) -> Weather:
        """Draw a world's faults."""
        return cls(dice=dice, rates={name: dice.choice(levels) for name, levels in LEVELS.items()})

    def strikes(self, fault: str) -> bool:
        """Draw whether this fault happens here and now."""
        rate = self.rates[fault]
        if rate == 0.0 or not self.is_stormy or self.dice.random() >= rate:
            return False
        self.struck[fault] = self.struck.get(fault, 0) + 1
        return True

    def crashes(self) -> bool:
        """Draw whether a process dies here and now."""
        if self.crashes_left == 0 or not self.strikes("crash"):
            return False
        self.crashes_left -= 1
        return True

    def between(self, low: float, high: float) -> float:
        """Draw a duration in s."""
        return low + (high - low) * self.dice.random()

    def calm_down(self) -> None:
        """Let nothing go wrong from now on."""
        self.is_stormy = False
