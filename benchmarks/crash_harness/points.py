"""The named points at which a process is killed: before and after each kind of commit, and in the middle of a send.

A commit is named by what it writes into the ledger, and every step that changes anything must write there; so the names
need no switch in the product. The words in `step` are those of the table in ARCHITECTURE.md. This module kills nobody.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

When = Literal["before", "after", "during"]

NOTHING_WRITTEN = "nothing"
"""Stands for a commit without a ledger entry: renewed leases, and sweeps that only announce."""

AT_THE_SINK = "send"
"""Stands for the moment when the receiver has the reply and the sender has no answer yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A place to die. `where`: which processes come there; `stores` and `honours_keys` (None = both): in which cells."""

    step: str
    event: str
    when: When
    where: Literal["web", "worker", "any"] = "worker"
    stores: tuple[str, ...] = ("sqlite", "postgres")
    honours_keys: bool | None = None

    @property
    def name(self) -> str:
        """As it stands in the figures."""
        return f"{self.when} {self.event}"


def _around(step: str, event: str, where: Literal["web", "worker", "any"] = "worker") -> tuple[Point, Point]:
    return (
        Point(step=step, event=event, when="before", where=where),
        Point(step=step, event=event, when="after", where=where),
    )


POINTS: tuple[Point, ...] = (
    *_around("intake", "message.received", "web"),
    *_around("intake, making a draft void", "turn.superseded", "web"),
    *_around("burst closed", "turn.drafting"),
    *_around("agent asked", "agent.asked"),
    *_around("drafted", "turn.drafted"),
    *_around("second opinions asked", "opinions.asked"),
    *_around("gathered", "turn.gathered"),
    *_around("decided", "turn.decided"),
    *_around("decided: a reply to send", "outbox.queued"),
    *_around("decided: a hold for a person", "hold.opened"),
    *_around("send leased", "outbox.sending"),
    Point(step="sending: the reply has arrived, its answer has not", event=AT_THE_SINK, when="during"),
    *_around("sent", "outbox.accepted"),
    *_around("sent: the turn is answered", "turn.answered"),
    *_around("not taken, to be tried again", "outbox.retry"),
    Point(step="unsure", event="outbox.unknown", when="before", honours_keys=False),
    Point(step="unsure", event="outbox.unknown", when="after", honours_keys=False),
    *_around("verdict, given at once or carried out later", "verdict.given", "any"),
    *_around("verdict that waits", "hold.deciding", "web"),
    *_around("verdict taken back", "hold.reopened", "web"),
    Point(step="start of a sole process", event="server.started", when="before", stores=("sqlite",)),
    Point(step="start of a sole process", event="server.started", when="after", stores=("sqlite",)),
    *_around("leases renewed, due work announced", NOTHING_WRITTEN),
)

SAME_COMMIT = frozenset(
    {
        "rulebook.added",
        "release.chosen",
        "hold.joined",
        "review.verdict_lapsed",
        "hold.superseded",
        "hold.decided",
        "turn.gathering",
        "label.given",
        "feedback.given",
        "feedback.rose",
        "autonomy.burst",
        "trust.capped",
        "trust.credited",
        "trust.lifted",
        "facts.read",
        "action.proposed",
        "action.approved",
        "action.dropped",
        "disclosure.made",
        "outbox.readdressed",
        "contact.verified",
        "contact.code_asked",
        "contact.code_not_sent",
        "contact.code_entered",
        "csat.answered",
    }
)
"""Ledger events that never come without one of the named ones. How an action goes on after it was let through has points
of its own in tests/promises/test_an_action_is_done_once_whoever_is_killed.py."""

TOO_SELDOM = frozenset(
    {
        "autonomy.began",
        "autonomy.advanced",
        "autonomy.proposed",
        "autonomy.ended",
        "calibrator.adopted",
        "topics.adopted",
    }
)
"""Commits of their own that begin with the thirtieth draft of a slice, too late to wait for; the random kills hit them,
and tests/promises/test_autonomy_is_earned_and_lost.py kills a process at each statement of a promotion."""

NAMED = frozenset(point.event for point in POINTS)


def points_of(store: str, *, honours_keys: bool) -> tuple[Point, ...]:
    """The points that processes on such a store, with such a channel, come to."""
    return tuple(point for point in POINTS if store in point.stores and point.honours_keys in (None, honours_keys))
