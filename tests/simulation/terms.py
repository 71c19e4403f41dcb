"""How the product is configured in one world, and who is there; drawn from the world's seed."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from understudy.delivery.outbox import OutboxLimits
from understudy.delivery.outcomes import ActingLimits
from understudy.ports.channel import Capabilities
from understudy.records.autonomy import Targets
from understudy.records.autonomy import Terms as Earning
from understudy.records.codec import digest, dump
from understudy.records.rulebook import Grant, Level, Rulebook, Rules, SafeReply
from understudy.review.holds import ReviewLimits
from understudy.turn.coalescing import CoalescingLimits
from understudy.turn.drafting import DraftingLimits
from understudy.turn.intake import IntakeLimits
from understudy.turn.limits import FlowLimits

SORRY = SafeReply(id="sorry", version=1, text="Sorry, please try again in a minute.")
FOLLOW_UP = SafeReply(id="follow_up", version=2, text="A colleague will look into this.", then_hand_off=True)
NOTICE = SafeReply(id="notice", version=1, text="A colleague takes over from here.")
OVERDUE = SafeReply(id="overdue", version=1, text="This takes us longer than it should.")

TOPICS = ("orders",) * 6 + ("delicate", "delicate", "reviewed", "shadowed")
GRANTS = (
    Grant(topic="shadowed", channel="*", level=Level.SHADOW, threshold=0.0),
    Grant(topic="reviewed", channel="*", level=Level.ASSIST, threshold=0.0),
    Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.5),
)
CHANNELS = {
    "keyed": Capabilities(honours_keys=True),
    "watched": Capabilities(can_look_up=True),
    "blind": Capabilities(),
    "both": Capabilities(honours_keys=True, can_look_up=True),
}
TARGETS = Targets(risk_max=0.05, severe_max=0.05, delta=0.05, sensitivity=1.0)
LEASE_S = 8.0
LAPSE_S = 3.0
"""How soon work of a silent process is another's, where there are several."""
LANDS_WITHIN_S = 2.0
"""How long after it left a message may reach its provider: less than half a lease, or no protocol could help."""
DEADLINE_S = 4.0
EXPIRES_AFTER_S = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """The configuration of every process of a world, and the counts of those who live in it."""

    replicas: int
    conversations: int
    reviewers: int
    agents: tuple[str, ...]
    rulebook: Rulebook
    coalescing: CoalescingLimits
    intake: IntakeLimits
    drafting: DraftingLimits
    flow: FlowLimits
    outbox: OutboxLimits
    review: ReviewLimits
    expiry_reply: SafeReply | None = OVERDUE
    targets: Targets = TARGETS
    earning: Earning = field(default_factory=Earning)
    sweep_period_s: float = 3.0
    lands_within_s: float = LANDS_WITHIN_S
    acts: bool = False
    """Whether agents propose what the business has declared, and it is carried out."""
    acting: ActingLimits = field(default_factory=lambda: ActingLimits(lease_s=LEASE_S, attempts_max=3, read_back_s=4.0, backoff_max_s=10.0))  # fmt: skip

    @classmethod
    def drawn(cls, dice: random.Random) -> Terms:
        """Draw a world's terms."""
        replicas = dice.choice([1, 1, 2, 3])
        lapse_s = LAPSE_S if replicas > 1 else None
        return cls(
            replicas=replicas,
            conversations=dice.randint(1, 4),
            reviewers=dice.randint(0, 3),
            agents=dice.choice([("prime",), ("prime", "fallback")]),
            rulebook=_rulebook(dice),
            coalescing=dice.choice(
                [
                    CoalescingLimits(window_s_min=0, window_s_max=0, burst_s_max=0),
                    CoalescingLimits(window_s_min=0.1, window_s_max=2.0, burst_s_max=5.0),
                ]
            ),
            intake=IntakeLimits(backlog_max=dice.choice([2, 50, 50])),
            drafting=DraftingLimits(deadline_s=DEADLINE_S, in_flight_max=dice.choice([1, 64])),
            flow=FlowLimits(
                hold_expires_after_s=dice.choice([None, EXPIRES_AFTER_S, EXPIRES_AFTER_S]), lapse_s=lapse_s
            ),
            outbox=OutboxLimits(lease_s=LEASE_S, lapse_s=lapse_s, attempts_max=dice.choice([2, 5]), backoff_max_s=10.0),
            review=ReviewLimits(claim_lease_s=10.0, on_expiry=dice.choice(["raise", "safe_reply"])),
        )


def _rulebook(dice: random.Random) -> Rulebook:
    rules = Rules(
        grants=GRANTS,
        never_auto=("delicate",),
        safe_replies=(SORRY, FOLLOW_UP, NOTICE, OVERDUE),
        degrade_on=dice.choice([(), (("agent_failed", "sorry"), ("quality.does_not_know", "follow_up"))]),
        hand_off_notice=dice.choice([None, "notice"]),
        audit_rate=0.1,
        automatic_per_hour_max=dice.choice([1, 3, 200]),
    )
    return Rulebook(id=digest(dump(rules)), rules=rules)
