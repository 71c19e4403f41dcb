"""Counts of a planted history, whose every number is known, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.ports.store import Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.autonomy import Candidate, Label, Outcome
from understudy.records.feedback import Feedback, FeedbackKind
from understudy.records.quality import (
    AskedTally,
    FeedbackTally,
    LateTally,
    ModeQuery,
    ModeSource,
    ModeTally,
    Part,
    Span,
    Tallies,
    TurnTally,
    VerdictTally,
    WaitTally,
)
from understudy.records.review import HoldKind, HoldState, VerdictKind
from understudy.records.turn import Turn, TurnState

SINCE = datetime(2026, 5, 1, tzinfo=UTC)
DAY = timedelta(days=1)
SPAN = Span(since=SINCE, width=DAY, buckets=3)
SETTLED = SINCE + timedelta(days=2)
DELIVER, HOLD, HAND_OFF = DecisionKind.DELIVER, DecisionKind.HOLD, DecisionKind.HAND_OFF
ANSWERED, HANDED_OFF = TurnState.ANSWERED, TurnState.HANDED_OFF
MONEY, ASKED = "grounding.unsupported_money", "escalation.wants_person"
ALL = Part()
NOWHERE = {"topic": "", "channel": "", "release": ""}
ORDERS = {"topic": "orders", "channel": "webchat", "release": "v1"}
NAMELESS = {"topic": "", "channel": "webchat", "release": ""}

Commit = Callable[[Callable[[Transaction], Any]], Any]


class History:
    """Writes turns as they stand long after they were decided; `day` counts from `SINCE`, `took_s` is the wait."""

    def __init__(self, make: Any, tx: Transaction) -> None:
        self.make, self.tx = make, tx
        self._number = 0

    def turn(
        self, day: float, decision: DecisionKind = HOLD, state: TurnState = ANSWERED, took_s: float = 2, **more: Any
    ) -> Turn:
        at = SINCE + day * DAY
        fields = {"topic": "orders", "agent_version": "v1", "created_at": at, "decided_at": at, **more}
        finished_at = None if state is TurnState.HELD else at + timedelta(seconds=took_s)
        turn: Turn = self.make.turn(
            self.tx, decision=decision, state=state, due_at=None, finished_at=finished_at, **fields
        )
        return turn

    def judged(
        self, turn: Turn, kind: VerdictKind, hold: HoldKind = HoldKind.DRAFT, *reasons: str, **more: Any
    ) -> None:
        at = (turn.decided_at or SINCE) + timedelta(hours=1)
        fields = {"created_at": turn.decided_at, "closed_at": at, "expires_at": None, **more}
        kept = self.make.hold(self.tx, turn=turn, kind=hold, state=HoldState.DECIDED, **fields)
        self.tx.verdicts.add(self.make.verdict(kept, kind=kind, reasons=reasons, at=at, text="Hello"))

    def said(self, turn: Turn, *kinds: FeedbackKind) -> None:
        for kind in kinds:
            self.tx.feedback.add(Feedback(turn_id=turn.id, kind=kind, by="customer", at=SINCE + 2 * DAY))

    def awaits_second(self, turn: Turn) -> None:
        self._number += 1
        label = Label(outcome=Outcome.REJECT, loss=1.0, is_severe=False, by="rosa", at=SINCE)
        self.tx.candidates.add(
            Candidate(
                seq=self._number,
                turn_id=turn.id,
                conversation_id=turn.conversation_id,
                topic="orders",
                channel="webchat",
                release="v1",
                calibrator="shipped",
                confidence=0.5,
                signals=(),
                is_delivered=False,
                is_sampled=True,
                rate=1.0,
                decided_at=SINCE,
                due_at=SINCE,
                second_due_at=SINCE + DAY,
                label=label,
            )
        )


@pytest.fixture
def past(store: SqlStore, commit: Commit, make: Any) -> Callable[[Callable[[History], Any]], Any]:
    return lambda tell: commit(lambda tx: tell(History(make, tx)))


def over_time(store: SqlStore, part: Part = ALL) -> Tallies:
    return store.read_now(lambda tx: tx.figures.over_time(SPAN, part, settled_before=SETTLED))


def by_slice(store: SqlStore, since: datetime = SINCE) -> Tallies:
    return store.read_now(lambda tx: tx.figures.by_slice(since, SPAN.until, settled_before=SETTLED))


def alike(found: tuple[Any, ...], *wanted: Any) -> bool:
    return set(found) == set(wanted) and len(found) == len(wanted)


def test_an_empty_store_counts_nothing(store: SqlStore) -> None:
    assert over_time(store) == by_slice(store) == Tallies()


def test_turns_are_counted_by_when_they_were_decided(store: SqlStore, past: Any) -> None:
    def tell(history: History) -> None:
        history.turn(-0.001)
        history.turn(0, DELIVER)
        history.turn(0.999, DELIVER)
        history.turn(1, DELIVER, took_s=2 * 86_400)
        history.turn(2.5, topic=None, agent_version=None, state=TurnState.HELD)
        history.turn(3)
        for state in (TurnState.SUPERSEDED, TurnState.PLANTED, TurnState.SPENT, TurnState.REDRAFTED):
            history.turn(1, state=state)

    past(tell)
    alone = {"decision": DELIVER, "state": ANSWERED}
    held = {"decision": HOLD, "state": TurnState.HELD, "settled": False, "turns": 1}
    assert alike(
        over_time(store).turns,
        TurnTally(bucket=0, **NOWHERE, turns=2, **alone, settled=True),
        TurnTally(bucket=1, **NOWHERE, turns=1, **alone, settled=False),
        TurnTally(bucket=2, **NOWHERE, **held),
    )
    assert alike(
        by_slice(store).turns,
        TurnTally(bucket=0, **ORDERS, turns=2, **alone, settled=True),
        TurnTally(bucket=0, **ORDERS, turns=1, **alone, settled=False),
        TurnTally(bucket=0, **NAMELESS, **held),
    )
    assert sum(one.turns for one in over_time(store, Part(topic="")).turns) == 1
    assert sum(one.turns for one in over_time(store, Part(topic="orders", release="v1")).turns) == 3
    assert over_time(store, Part(channel="email")).turns == ()
    assert len(by_slice(store, SINCE + 2 * DAY).turns) == 1


@pytest.mark.parametrize(
    ("took_ms", "digits", "lead"),
    [(0, 1, 0), (7, 1, 6), (19, 2, 18), (21, 2, 20), (534, 3, 50), (1999, 4, 18), (3_600_000, 7, 35), (-5, 1, 0)],
)
def test_waits_are_counted_by_their_first_digits(
    took_ms: int, digits: int, lead: int, store: SqlStore, past: Any
) -> None:
    past(lambda history: history.turn(0, DELIVER, took_s=took_ms / 1000))
    (found,) = over_time(store).waits
    assert found == WaitTally(bucket=0, **NOWHERE, turns=1, alone=True, digits=digits, lead=lead)


def test_only_answers_have_waits_and_safe_replies_are_none(store: SqlStore, past: Any) -> None:
    def tell(history: History) -> None:
        history.turn(0, HAND_OFF, took_s=700)
        history.turn(0, HAND_OFF, HANDED_OFF)
        history.turn(0, DecisionKind.DEGRADE)
        history.turn(0, state=TurnState.HELD)

    past(tell)
    (found,) = by_slice(store).waits
    assert found == WaitTally(bucket=0, **ORDERS, turns=1, alone=False, digits=6, lead=70)


def test_verdicts_are_those_on_drafts_before_and_after_they_left(store: SqlStore, past: Any) -> None:
    def tell(history: History) -> None:
        history.judged(history.turn(0), VerdictKind.APPROVE)
        history.judged(history.turn(0), VerdictKind.REJECT, HoldKind.DRAFT, "wrong_tone", "needs_person")
        history.judged(history.turn(1, DELIVER), VerdictKind.EDIT, HoldKind.AUDIT)
        history.judged(history.turn(1), VerdictKind.RESPOND, HoldKind.HAND_OFF)
        history.judged(history.turn(1), VerdictKind.APPROVE, HoldKind.SECOND)
        history.judged(history.turn(1, state=TurnState.SPENT), VerdictKind.APPROVE)

    past(tell)
    draft, audit = {"hold": HoldKind.DRAFT}, {"hold": HoldKind.AUDIT}
    assert alike(
        over_time(store).verdicts,
        VerdictTally(bucket=0, **NOWHERE, turns=1, **draft, verdict=VerdictKind.APPROVE, needs_person=False),
        VerdictTally(bucket=0, **NOWHERE, turns=1, **draft, verdict=VerdictKind.REJECT, needs_person=True),
        VerdictTally(bucket=1, **NOWHERE, turns=1, **audit, verdict=VerdictKind.EDIT, needs_person=False),
    )


def test_what_a_customer_said_of_an_answer_is_one_row(store: SqlStore, past: Any) -> None:
    def tell(history: History) -> None:
        history.said(history.turn(0, DELIVER), FeedbackKind.RECONTACT, FeedbackKind.THUMBS_DOWN)
        history.said(history.turn(0, DELIVER), FeedbackKind.COMPLAINT)
        history.said(history.turn(2.5), FeedbackKind.THUMBS_UP)
        history.said(history.turn(-1), FeedbackKind.THUMBS_UP)

    past(tell)
    silent = dict.fromkeys(("recontact", "discontent", "up", "down"), False)
    told = {"recontact": True, "discontent": True, "down": True}
    assert alike(
        over_time(store).feedback,
        FeedbackTally(bucket=0, **NOWHERE, turns=1, decision=DELIVER, settled=True, **(silent | told)),
        FeedbackTally(bucket=0, **NOWHERE, turns=1, decision=DELIVER, settled=True, **(silent | {"discontent": True})),
        FeedbackTally(bucket=2, **NOWHERE, turns=1, decision=HOLD, settled=False, **(silent | {"up": True})),
    )


def test_late_turns_count_once_and_customers_who_asked_are_told_apart(store: SqlStore, past: Any) -> None:
    def tell(history: History) -> None:
        late = history.turn(0)
        for _ in range(2):
            history.judged(late, VerdictKind.APPROVE, raised_at=SINCE + DAY)
        history.judged(history.turn(1), VerdictKind.APPROVE)
        history.turn(0, HAND_OFF, HANDED_OFF, findings=(ASKED, MONEY))
        history.turn(0, findings=(ASKED,))
        history.turn(0, findings=(MONEY,))

    past(tell)
    found = over_time(store)
    assert found.late == (LateTally(bucket=0, **NOWHERE, turns=1),)
    assert alike(
        found.asked,
        AskedTally(bucket=0, **NOWHERE, turns=1, handed_off=True),
        AskedTally(bucket=0, **NOWHERE, turns=1, handed_off=False),
    )


def test_nothing_is_told_of_a_turn_that_somebody_may_still_review(store: SqlStore, past: Any) -> None:
    def tell(history: History) -> list[Turn]:
        known, secret = history.turn(0, findings=(MONEY,)), history.turn(0, findings=(MONEY, ASKED))
        for turn in (known, secret):
            history.judged(turn, VerdictKind.REJECT, HoldKind.DRAFT, "wrong_tone", raised_at=SINCE + DAY)
            history.said(turn, FeedbackKind.THUMBS_UP)
        history.awaits_second(secret)
        return [known, secret]

    known, _ = past(tell)
    for found in (over_time(store), by_slice(store)):
        assert [one.turns for one in (*found.turns, *found.verdicts, *found.feedback, *found.late, *found.waits)] == [
            1
        ] * 5
        assert found.asked == ()
    assert {one.turns for one in modes(store)} == {1}
    for source, code in ((ModeSource.FINDING, MONEY), (ModeSource.REVIEWER, "wrong_tone")):
        assert behind(store, source, code) == [known.id]


def modes(store: SqlStore, part: Part = ALL) -> list[ModeTally]:
    return store.read_now(lambda tx: tx.failures.modes(SINCE, SPAN.until, part))


def behind(store: SqlStore, source: ModeSource | None, code: str, **more: Any) -> list[str]:
    given: dict[str, Any] = {"topic": "orders", "channel": None, "release": None, "before": None, "limit": 10}
    query = ModeQuery(since=SINCE, until=SPAN.until, source=source, code=code, **{**given, **more})
    return [turn.id for turn in store.read_now(lambda tx: tx.failures.turns_with(query))]


def test_failure_modes_are_counted_by_topic_and_lead_to_their_turns(store: SqlStore, past: Any) -> None:
    def tell(history: History) -> dict[str, str]:
        found = history.turn(0, findings=(MONEY,))
        nameless = history.turn(0, topic=None, findings=(MONEY,))
        failed = history.turn(1, HAND_OFF, HANDED_OFF, reasons=("agent_failed",))
        rejected = history.turn(1)
        history.judged(rejected, VerdictKind.REJECT, HoldKind.DRAFT, "wrong_tone")
        unsure = history.turn(1, DELIVER, TurnState.DELIVERING)
        history.make.hold(
            history.tx,
            turn=unsure,
            kind=HoldKind.UNSURE_SEND,
            reasons=("send_outcome_unknown",),
            created_at=SINCE + DAY,
        )
        planted = history.turn(2, state=TurnState.PLANTED, findings=(MONEY,))
        history.turn(2, state=TurnState.SPENT, findings=(MONEY,))
        every = {"found": found, "nameless": nameless, "failed": failed, "rejected": rejected, "unsure": unsure}
        return {name: turn.id for name, turn in (every | {"planted": planted}).items()}

    ids = past(tell)
    assert store.read_now(lambda tx: tx.failures.decided(SINCE, SPAN.until, Part())) == {"orders": 5, "": 1}
    assert alike(
        tuple(modes(store)),
        ModeTally(source=ModeSource.FINDING, topic="orders", codes=(MONEY,), turns=2),
        ModeTally(source=ModeSource.FINDING, topic="", codes=(MONEY,), turns=1),
        ModeTally(source=ModeSource.HAND_OFF, topic="orders", codes=("agent_failed",), turns=1),
        ModeTally(source=ModeSource.REVIEWER, topic="orders", codes=("wrong_tone",), turns=1),
        ModeTally(source=ModeSource.SENDING, topic="orders", codes=("send_outcome_unknown",), turns=1),
    )
    assert modes(store, Part(channel="email")) == []
    assert behind(store, ModeSource.FINDING, MONEY) == [ids["planted"], ids["found"]]
    assert behind(store, ModeSource.FINDING, MONEY, topic="") == [ids["nameless"]]
    assert behind(store, ModeSource.FINDING, MONEY, topic=None) == [ids["planted"], ids["nameless"], ids["found"]]
    assert behind(store, ModeSource.FINDING, "grounding_unsupported%") == []
    assert behind(store, ModeSource.HAND_OFF, "agent_failed") == [ids["failed"]]
    assert behind(store, ModeSource.REVIEWER, "wrong_tone") == [ids["rejected"]]
    assert behind(store, ModeSource.SENDING, "send_outcome_unknown") == [ids["unsure"]]
    every = [ids[name] for name in ("planted", "unsure", "rejected", "failed", "found")]
    assert behind(store, None, "") == every


def test_turns_behind_a_count_come_in_pages(store: SqlStore, past: Any) -> None:
    turns: list[Turn] = past(lambda history: [history.turn(day, findings=(MONEY,)) for day in (0, 1, 1, 2)])
    wanted = [turn.id for turn in reversed(turns)]
    seen: list[str] = []
    place: tuple[datetime, int] | None = None
    by_id = {turn.id: turn for turn in turns}
    while page := behind(store, ModeSource.FINDING, MONEY, before=place, limit=1):
        seen += page
        last = by_id[page[-1]]
        place = (last.decided_at or SINCE, last.position)
    assert seen == wanted


def test_findings_of_a_turn_come_back_as_they_were_kept(store: SqlStore, past: Any) -> None:
    turn = past(lambda history: history.turn(0, findings=(MONEY, ASKED)))
    assert store.read_now(lambda tx: tx.turns.get(turn.id)).findings == (MONEY, ASKED)
