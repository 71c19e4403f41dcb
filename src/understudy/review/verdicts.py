"""A reviewer's verdict on a hold: checked, stored and carried out in one transaction; a stale one changes nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from understudy.effects.absence import NobodyHome
from understudy.effects.acting import queue_after_actions
from understudy.effects.handing_off import check_taking, give_to_person, set_mode
from understudy.effects.holds import close_hold, hold_opened
from understudy.effects.labelling import label_by_verdict
from understudy.effects.pledging import choose_pledges
from understudy.effects.taking_along import Nobody, TakesAlong
from understudy.effects.trust import cap_contact, credit_contact
from understudy.effects.waiting import reopen_refused
from understudy.errors import Conflict, Forbidden, InputError
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import HoldClosed, Telemetry
from understudy.records.acting import WaitingReply
from understudy.records.action_rules import ActionRule
from understudy.records.answering import Event
from understudy.records.codec import load
from understudy.records.conversation import Author, Mode
from understudy.records.evidence import Draft
from understudy.records.pledges import USUAL_PLEDGES, PledgeTerms
from understudy.records.review import (
    Hold,
    HoldKind,
    HoldState,
    Verdict,
    VerdictKind,
    VerdictRequest,
)
from understudy.records.reviewing import ReviewTerms
from understudy.records.trust import CapCause
from understudy.records.turn import VERDICT_JOB, Job, Turn, TurnState
from understudy.review.actions import Plan, carry_choices, plan_for, settle_unsure_action, severity_of
from understudy.review.holds import open_for
from understudy.review.quality import note_judgement, review_standing
from understudy.review.requests import check_text, fitted_request
from understudy.review.second import ask_second, may_be_seconded, settle_second, unblind
from understudy.review.seed_verdicts import is_caught, settle_seed
from understudy.review.telling import tell_verdict
from understudy.review.undo import put_waiting, reopen
from understudy.review.unsure_send import settle_unsure_send
from understudy.review.winning_back import settle_win_back

REJECTED_PRIORITY = 3
TAKES = frozenset({VerdictKind.RESPOND, VerdictKind.TAKE_OVER})
"""Verdicts that make a conversation with people the reviewer's own."""
SWEEP_MAX = 500
NO_SECOND = ReviewTerms()
"""Nobody is asked a second time."""

ALLOWED: dict[HoldKind, frozenset[VerdictKind]] = {
    HoldKind.DRAFT: frozenset(VerdictKind),
    HoldKind.HAND_OFF: frozenset({VerdictKind.RESPOND, VerdictKind.TAKE_OVER}),
    HoldKind.UNSURE_SEND: frozenset({VerdictKind.APPROVE, VerdictKind.REJECT}),
    HoldKind.UNSURE_ACTION: frozenset({VerdictKind.APPROVE, VerdictKind.REJECT}),
    HoldKind.WIN_BACK: frozenset(VerdictKind) - {VerdictKind.RESPOND},
    HoldKind.AUDIT: frozenset({VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT}),
    HoldKind.SECOND: frozenset({VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT}),
    HoldKind.REDRAFT: frozenset({VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT}),
}
"""Which verdicts each kind of hold takes. On an unsure send *approve* says "it did not arrive, send it again", *reject* "it did";
on an unsure action "it was not done, do it" and "it was"; on a win-back *reject* says "it is not needed". On the last three a verdict
says how good the draft was; nothing is sent."""

Along = Callable[[Transaction], None]
"""Something that is done in the transaction of a verdict, or not at all."""
_Done = tuple[Verdict, Hold, list[Hold], Any]
"""A verdict carried out: on which hold, the holds that it opened, and what was taken along."""


class Verdicts:
    """Takes verdicts. `following` sends what they let out; None: whoever hears of it does."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        telemetry: Telemetry,
        *,
        business: Callable[[], str],
        hold_expires_after_s: float | None,
        terms: ReviewTerms = NO_SECOND,
        text_chars_max: int = 20_000,
        following: TakesAlong | None = None,
        actions: Callable[[], tuple[ActionRule, ...]] = tuple,
        pledges: PledgeTerms = USUAL_PLEDGES,
        nobody_home: NobodyHome | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._business = business
        self._hold_expires_after_s = hold_expires_after_s
        self._terms = terms
        self._text_chars_max = text_chars_max
        self._following = following or Nobody()
        self._actions = actions
        self._pledges = pledges
        self._nobody_home = nobody_home

    async def give(self, request: VerdictRequest, *, along: Along | None = None) -> Verdict:
        """Store a verdict and do what it says; `along` is done in the same transaction, after it.

        Raises `NotFound`, `HoldClosed`, `StaleVersion`, `ClaimedByOther`, or `InputError` for a verdict that this
        kind of hold does not take or that lacks its text. Nothing is stored or sent then. Card numbers in what the
        reviewer wrote are masked before anything is stored, and so before it is sent.
        """
        check_text(request, chars_max=self._text_chars_max)
        request, is_drawn = fitted_request(request), self._draw()

        def step(tx: Transaction) -> _Done:
            hold = self._admitted(tx, request)
            verdict = self._verdict(hold, request, self._plan(tx, hold, request))
            carried = self._carry_through(tx, hold, verdict, is_drawn=is_drawn)
            if along is not None:
                along(tx)
            return carried

        done = await self._store.write(step)
        self._tell(done)
        return done[0]

    async def give_later(
        self, request: VerdictRequest, *, undo_s: float, along: Along | None = None
    ) -> tuple[Verdict, datetime]:
        """Store a verdict that is carried out in `undo_s` > 0 seconds, unless it is taken back or the hold goes another
        way before; returns it with the moment.

        Until then nothing is sent, nothing is learned from it, and nobody else can act on the hold. Raises as `give`.
        """
        check_text(request, chars_max=self._text_chars_max)
        request = fitted_request(request)

        def step(tx: Transaction) -> tuple[Verdict, datetime]:
            hold = self._admitted(tx, request)
            if request.kind is VerdictKind.APPROVE and hold.kind is HoldKind.DRAFT:
                self._draft_text(tx, tx.turns.get(hold.turn_id))  # an empty one is refused now and not later
            verdict = self._verdict(hold, request, self._plan(tx, hold, request))
            due_at = verdict.at + timedelta(seconds=undo_s)
            put_waiting(tx, hold, verdict, due_at=due_at)
            if along is not None:
                along(tx)
            return verdict, due_at

        return await self._store.write(step)

    async def take_back(
        self, hold_id: str, *, reviewer: str, claim_lease_s: float, along: Along | None = None
    ) -> tuple[Hold, Verdict]:
        """Undo a verdict that was not carried out yet: the hold waits again, at a new version, claimed by its reviewer.

        Raises `TooLate` where it was carried out or there is none, `Forbidden` where it is somebody else's, and `NotFound`.
        """
        until = self._clock.now() + timedelta(seconds=claim_lease_s)

        def step(tx: Transaction) -> tuple[Hold, Verdict]:
            reopened = reopen(tx, self._clock, hold_id, reviewer, claimed_until=until)
            if along is not None:
                along(tx)
            return reopened

        return await self._store.write(step)

    async def look(self, hold_id: str) -> None:
        """Carry out the verdict that waits on a hold, if its time has come; harmless at any other time."""
        now, is_drawn = self._clock.now(), self._draw()

        def step(tx: Transaction) -> _Done | None:
            waiting = tx.waiting_verdicts.get(hold_id)
            if waiting is None or waiting.due_at > now:
                return None
            tx.waiting_verdicts.remove(hold_id)
            hold = replace(tx.holds.get(hold_id), undo_until=None)
            return self._carry_through(tx, hold, waiting.verdict, is_drawn=is_drawn)

        try:
            done = await self._store.write(step)
        except (InputError, Conflict, Forbidden) as error:  # it would be refused for ever: a person looks again
            why = str(error)
            await self._store.write(lambda tx: reopen_refused(tx, hold_id, now=now, why=why))
            return
        if done is not None:
            self._tell(done)

    async def sweep(self) -> int:
        """Announce every verdict that is due."""

        def step(tx: Transaction) -> int:
            due = tx.waiting_verdicts.due(self._clock.now(), limit=SWEEP_MAX)
            for hold_id in due:
                tx.announce(Job(kind=VERDICT_JOB, key=hold_id))
            return len(due)

        return await self._store.write(step)

    def _draw(self) -> bool:
        """Whether the verdict is one that another reviewer gives too."""
        return self._terms.second_rate > 0 and self._clock.random() < self._terms.second_rate

    def _admitted(self, tx: Transaction, request: VerdictRequest) -> Hold:
        hold = open_for(tx, self._clock, request.hold_id, request.reviewer, version=request.version)
        if request.kind not in ALLOWED[hold.kind]:
            allowed = ", ".join(sorted(kind.value for kind in ALLOWED[hold.kind]))
            raise InputError(f"a {hold.kind.value} hold does not take {request.kind.value!r}; it takes {allowed}")
        if request.kind in TAKES:
            check_taking(tx, hold.conversation_id, request.reviewer, request.take_from)
        if self._terms.second_rate > 0 and hold.kind is not HoldKind.SECOND:
            unblind(tx, hold.conversation_id, request.reviewer)
        return hold

    def _carry_through(self, tx: Transaction, hold: Hold, verdict: Verdict, *, is_drawn: bool) -> _Done:
        tx.verdicts.add(verdict)
        tell_verdict(tx, "verdict.given", hold, verdict, at=self._clock.now())
        opened = self._settle(tx, hold, verdict, is_drawn=is_drawn)
        # A message of which nobody knew what became of it is looked at anew by whoever hears of it.
        is_new = hold.kind not in (HoldKind.UNSURE_SEND, HoldKind.UNSURE_ACTION)
        taken = self._following.take_along(tx, hold.conversation_id) if is_new else None
        return verdict, hold, opened, taken

    def _tell(self, done: _Done) -> None:
        verdict, hold, opened, taken = done
        if taken is not None:
            self._following.go_on(hold.conversation_id, taken)
        age_s = (verdict.at - hold.created_at).total_seconds()
        self._telemetry.emit(
            HoldClosed(
                hold_id=hold.id, turn_id=hold.turn_id, how=verdict.kind.value, reviewer=verdict.reviewer, age_s=age_s
            )
        )
        for further in opened:
            self._telemetry.emit(hold_opened(further))

    def _settle(self, tx: Transaction, hold: Hold, verdict: Verdict, *, is_drawn: bool) -> list[Hold]:
        """Close the hold, learn from the verdict and do what it says; returns the holds it opens."""
        turn = tx.turns.get(hold.turn_id)
        note_judgement(tx, hold, verdict)
        if turn.state is TurnState.PLANTED:
            caught, reviewer = is_caught(tx, verdict), verdict.reviewer
            settle_seed(tx, self._clock, turn, kind=verdict.kind, is_caught=caught, reviewer=reviewer)
            review_standing(tx, self._clock, reviewer, self._terms)
            close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=reviewer)
            return []
        candidate = label_by_verdict(tx, self._clock, hold, verdict)
        carry_choices(tx, self._clock, hold, turn, verdict, self._actions())
        close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=verdict.reviewer)
        is_done = hold.kind is HoldKind.REDRAFT  # nobody is behind it: the label is all there is to do
        opened = [None if is_done else self._carry_out(tx, turn, hold, verdict)]
        if candidate is not None and is_drawn and may_be_seconded(candidate):
            within = timedelta(seconds=self._terms.second_within_s)
            opened.append(ask_second(tx, self._clock, turn, candidate, first=verdict.reviewer, within=within))
        return [one for one in opened if one is not None]

    def _plan(self, tx: Transaction, hold: Hold, request: VerdictRequest) -> Plan:
        choose_pledges(tx, hold.turn_id, request.pledges)
        return plan_for(
            tx,
            self._clock,
            hold,
            tx.turns.get(hold.turn_id),
            kind=request.kind,
            text=request.text,
            choices=request.actions,
            rules=self._actions(),
            as_lead=request.as_lead,
        )

    def _verdict(self, hold: Hold, request: VerdictRequest, plan: Plan) -> Verdict:
        return Verdict(
            id=self._clock.new_id("verdict"),
            hold_id=hold.id,
            turn_id=hold.turn_id,
            kind=request.kind,
            text=request.text,
            reasons=request.reasons,
            severity=severity_of(plan, request.severity, request.kind),
            topic=None if request.topic is None else request.topic.strip(),
            reviewer=request.reviewer,
            at=self._clock.now(),
            bulk=request.bulk,
            is_repeat=request.is_repeat,
            actions=plan.choices(as_lead=request.as_lead),
        )

    def _carry_out(self, tx: Transaction, turn: Turn, hold: Hold, verdict: Verdict) -> Hold | None:
        """Do what the verdict says; returns the hold it opens, if any."""
        if hold.kind not in (HoldKind.DRAFT, HoldKind.HAND_OFF):
            self._settle_other(tx, turn, hold, verdict)
            return None
        match verdict.kind:
            case VerdictKind.APPROVE:
                self._send_draft(tx, turn, self._draft_text(tx, turn), verdict)
                credit_contact(tx, self._clock, turn.conversation_id, turn_id=turn.id, actor=verdict.reviewer)
            case VerdictKind.EDIT:
                self._send_draft(tx, turn, verdict.text or "", verdict)
            case VerdictKind.RESPOND:
                self._send_own(tx, turn, verdict)
            case VerdictKind.REJECT:
                return self._hand_off(tx, turn)
            case VerdictKind.TAKE_OVER:
                if turn.state is TurnState.HELD:
                    tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=verdict.at)
                    self._lay_draft_aside(tx, turn, verdict.reviewer)
                if hold.kind is HoldKind.DRAFT:
                    self._cap(tx, turn, verdict, CapCause.TAKEN_OVER)
                self._take(tx, turn, verdict.reviewer)
        return None

    def _settle_other(self, tx: Transaction, turn: Turn, hold: Hold, verdict: Verdict) -> None:
        """Do what a verdict says that answers no message of a customer."""
        match hold.kind:
            case HoldKind.AUDIT if verdict.kind is VerdictKind.REJECT:
                self._cap(tx, turn, verdict, CapCause.REJECTED)
            case HoldKind.SECOND:
                settle_second(tx, self._clock, hold, verdict)
            case HoldKind.UNSURE_SEND:
                settle_unsure_send(tx, self._clock, turn, verdict, self._pledges)
            case HoldKind.WIN_BACK:
                settle_win_back(tx, self._clock, hold, verdict)
            case HoldKind.UNSURE_ACTION:
                settle_unsure_action(tx, self._clock, hold, verdict)
            case _:
                return

    def _draft_text(self, tx: Transaction, turn: Turn) -> str:
        stored = tx.artifacts.get(turn.id, "draft")
        assert stored is not None, f"turn {turn.id} is held without a draft"
        text = load(Draft, stored).text
        if not text.strip():
            raise InputError("the draft is empty and cannot be approved; edit it, respond yourself or reject it")
        return text

    def _send_draft(self, tx: Transaction, turn: Turn, text: str, verdict: Verdict) -> None:
        tx.turns.advance(turn, TurnState.DELIVERING)
        self._queue(tx, turn, text, verdict, author=Author.AGENT, name=self._business())

    def _send_own(self, tx: Transaction, turn: Turn, verdict: Verdict) -> None:
        while turn.superseded_by is not None:  # The customer wrote on while the hold waited: that is answered now.
            turn = tx.turns.get(turn.superseded_by)
        if turn.state in (TurnState.HELD, TurnState.HANDED_OFF):
            tx.turns.advance(turn, TurnState.DELIVERING)
            self._lay_draft_aside(tx, turn, verdict.reviewer)
        if tx.conversations.get(turn.conversation_id).mode is Mode.PERSON:
            self._take(tx, turn, verdict.reviewer)
        self._queue(tx, turn, verdict.text or "", verdict, author=Author.REVIEWER, name=verdict.reviewer)

    def _lay_draft_aside(self, tx: Transaction, turn: Turn, reviewer: str) -> None:
        """A person answers in its place: where the verdict was on another hold, nobody may still approve the draft."""
        for hold in tx.holds.open_of_turn(turn.id):
            if hold.kind is HoldKind.DRAFT:
                close_hold(tx, self._clock, hold, HoldState.DECIDED, actor=reviewer)

    def _queue(self, tx: Transaction, turn: Turn, text: str, verdict: Verdict, *, author: Author, name: str) -> None:
        reply = WaitingReply(
            text=text,
            author=author.value,
            author_name=name,
            ai_generated=author is Author.AGENT,
            actor=verdict.reviewer,
            is_edited=verdict.kind is VerdictKind.EDIT,
        )
        queue_after_actions(tx, self._clock, turn, reply)

    def _hand_off(self, tx: Transaction, turn: Turn) -> Hold | None:
        """Nothing of a rejected draft is sent, and the customer still waits: a person has to answer."""
        handed = tx.turns.advance(turn, TurnState.HANDED_OFF, finished_at=self._clock.now())
        return give_to_person(
            tx,
            self._clock,
            handed,
            reasons=("draft_rejected",),
            priority=REJECTED_PRIORITY,
            expires_after_s=self._hold_expires_after_s,
            event=Event.REJECTED,
            nobody_home=self._nobody_home,
        )

    def _cap(self, tx: Transaction, turn: Turn, verdict: Verdict, cause: CapCause) -> None:
        cap_contact(tx, self._clock, turn.conversation_id, cause, turn_id=turn.id, actor=verdict.reviewer)

    def _take(self, tx: Transaction, turn: Turn, reviewer: str) -> None:
        set_mode(tx, self._clock, turn.conversation_id, Mode.PERSON, taken_by=reviewer, actor=reviewer)
