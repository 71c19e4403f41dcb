"""Propose to a person that a customer whom a reply let down is written to, and send what they let out; nobody is written to by itself.

Each bad outcome is noticed once, and either a text is proposed for it or it is written down why not. The text is an approved one of
the configuration, filled with what is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.language import language_of
from understudy.effects.handing_off import set_mode
from understudy.effects.holds import close_hold, hold_opened, open_hold
from understudy.effects.identity import group_of
from understudy.effects.sending import queue_message
from understudy.errors import Conflict
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import Telemetry
from understudy.records.codec import canonical, load
from understudy.records.conversation import Author, Conversation, Message, Mode, Origin
from understudy.records.review import Hold, HoldKind, HoldState, Verdict, VerdictKind
from understudy.records.templates import placeholders
from understudy.records.trust import Cap
from understudy.records.turn import Turn
from understudy.records.win_back import (
    CAUSES,
    OPEN_STATES,
    REVIEWER,
    WhyNone,
    WinBack,
    WinBackState,
    WinBackTerms,
    WinBackText,
    worded,
)

SWEEP_MAX: Final = 100
LOOK_EVERY: Final = timedelta(seconds=15)
"""What waits is looked at so often: whether a person has the conversation by now, say. A verdict looks for itself."""
PRIORITY: Final = 4
SAID_CHARS_MAX: Final = 300
MESSAGES_MAX: Final = 200
BY_PEOPLE: Final = frozenset({Origin.AI_APPROVED, Origin.AI_EDITED, Origin.PERSON})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Proposal:
    """What is proposed: a text with what fills it, for as long as the channel takes it."""

    text: WinBackText
    facts: Mapping[str, str]
    shut_at: datetime | None


class WinBacks:
    """Proposes by rule. `terms` None: nothing is proposed, and nothing noticed."""

    def __init__(
        self, store: Store, clock: Clock, telemetry: Telemetry, *, business: str, terms: WinBackTerms | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._business = business
        self._terms = terms
        self._looked_at: datetime | None = None

    async def sweep(self) -> int:
        """Notice what went badly, propose what can be, and take back what no longer can; returns how many changed."""
        terms = self._terms
        if terms is None:
            return 0

        now = self._clock.now()
        is_time = self._looked_at is None or now - self._looked_at >= LOOK_EVERY
        self._looked_at = now if is_time else self._looked_at

        def look(tx: Transaction) -> bool:
            if self._missing(tx, terms):
                return True
            known = tx.win_backs.listed(OPEN_STATES, limit=SWEEP_MAX) if is_time else []
            return any(self._next(tx, terms, one) is not None for one in known)

        if not await self._store.read(look):
            return 0
        opened: list[Hold] = []

        def step(tx: Transaction) -> int:
            opened.clear()
            fresh = [self._notice(tx, cap) for cap in self._missing(tx, terms)]
            known = tx.win_backs.listed(OPEN_STATES, limit=SWEEP_MAX)
            return len(fresh) + sum(self._look_at(tx, terms, one, opened) for one in known)

        changed = await self._store.write(step)
        for hold in opened:
            self._telemetry.emit(hold_opened(hold))
        return changed

    def _missing(self, tx: Transaction, terms: WinBackTerms) -> list[Cap]:
        causes = frozenset(cause for text in terms.texts for cause in text.causes) & frozenset(CAUSES)
        return tx.win_backs.missing(causes, self._clock.now() - terms.within, limit=SWEEP_MAX)

    def _notice(self, tx: Transaction, cap: Cap) -> WinBack:
        assert cap.turn_id is not None, "what is missing has a turn"
        noticed = WinBack(
            id=self._clock.new_id("wb"),
            contact_id=cap.contact_id,
            conversation_id=tx.turns.get(cap.turn_id).conversation_id,
            turn_id=cap.turn_id,
            cause=cap.cause,
            state=WinBackState.NOTICED,
            at=cap.at,
        )
        tx.win_backs.put(noticed)
        _tell(tx, self._clock, "win_back.noticed", noticed)
        return noticed

    def _look_at(self, tx: Transaction, terms: WinBackTerms, one: WinBack, opened: list[Hold]) -> bool:
        match self._next(tx, terms, one):
            case None:
                return False
            case WhyNone() as why:
                self._end(tx, one, why)
            case _Proposal() as proposal:
                opened.append(self._propose(tx, one, proposal))
        return True

    def _end(self, tx: Transaction, one: WinBack, why: WhyNone) -> None:
        """Propose none, or take the proposal back."""
        is_proposed = one.state is WinBackState.PROPOSED
        state = WinBackState.VOID if is_proposed else WinBackState.SKIPPED
        ended = replace(one, state=state, settled_at=self._clock.now(), why=why)
        tx.win_backs.put(ended)
        if is_proposed:
            _tell(tx, self._clock, "win_back.void", ended)
        else:
            _tell(tx, self._clock, "win_back.skipped", ended)
        if one.hold_id is not None and (hold := tx.holds.get(one.hold_id)).state is HoldState.OPEN:
            close_hold(tx, self._clock, hold, HoldState.EXPIRED)

    def _propose(self, tx: Transaction, one: WinBack, proposal: _Proposal) -> Hold:
        hold = open_hold(
            tx,
            self._clock,
            tx.turns.get(one.turn_id),
            kind=HoldKind.WIN_BACK,
            reasons=(f"win_back_{one.cause.value}",),
            priority=PRIORITY,
            expires_after_s=None,
        )
        proposed = replace(
            one,
            state=WinBackState.PROPOSED,
            hold_id=hold.id,
            text_id=f"{proposal.text.id}@{proposal.text.version}",
            language=proposal.text.language,
            text=proposal.text.text,
            facts=canonical(dict(proposal.facts)),
            shut_at=proposal.shut_at,
        )
        tx.win_backs.put(proposed)
        _tell(tx, self._clock, "win_back.proposed", proposed)
        return hold

    def _next(self, tx: Transaction, terms: WinBackTerms, one: WinBack) -> WhyNone | _Proposal | None:
        """What is to be done of one now: propose it, or say why not; None: wait."""
        hold = None if one.hold_id is None else tx.holds.get(one.hold_id)
        if hold is not None and (hold.state is not HoldState.OPEN or hold.undo_until is not None):
            return None  # somebody decides on it
        turn, conversation = tx.turns.get(one.turn_id), tx.conversations.get(one.conversation_id)
        said = tx.messages.of_conversation(conversation.id, limit=MESSAGES_MAX)
        shut_at = shut_of(said, terms.windows.get(conversation.channel))
        if (why := self._against(tx, terms, one, conversation, said, shut_at)) is not None:
            return why
        if one.state is WinBackState.PROPOSED or _is_being_answered(tx, conversation, turn):
            return None
        text, facts = self._text_for(tx, terms, one, turn, said)
        return WhyNone.NO_TEXT if text is None else _Proposal(text=text, facts=facts, shut_at=shut_at)

    def _against(
        self,
        tx: Transaction,
        terms: WinBackTerms,
        one: WinBack,
        conversation: Conversation,
        said: list[Message],
        shut_at: datetime | None,
    ) -> WhyNone | None:
        now = self._clock.now()
        if now - one.at > terms.within:
            return WhyNone.TOO_LATE
        if conversation.mode is not Mode.AGENT:
            return WhyNone.WITH_PERSON
        since = (message for message in said if message.at >= one.at and message.turn_id != one.turn_id)
        if any(message.origin in BY_PEOPLE for message in since):
            return WhyNone.ANSWERED
        if conversation.channel not in terms.windows:
            return WhyNone.NO_WAY
        if is_opted_out(tx, conversation):
            return WhyNone.OPTED_OUT
        if shut_at is not None and shut_at <= now:
            return WhyNone.WINDOW_CLOSED
        group = group_of(tx, one.contact_id)
        others = [other for other in tx.win_backs.of_contacts(group, limit=SWEEP_MAX) if other.id != one.id]
        if any(other.state is WinBackState.PROPOSED for other in others) and one.state is WinBackState.NOTICED:
            return WhyNone.ONE_WAITS
        sent = [other.settled_at for other in others if other.state is WinBackState.SENT and other.settled_at]
        return WhyNone.SENT_LATELY if sent and now - max(sent) < terms.again_after else None

    def _text_for(
        self, tx: Transaction, terms: WinBackTerms, one: WinBack, turn: Turn, said: list[Message]
    ) -> tuple[WinBackText | None, dict[str, str]]:
        """The first approved text for this cause, in the customer's language, of which every placeholder is known."""
        facts = self._facts(tx, one, turn, said)
        spoken = language_of("\n".join(message.text for message in said if message.author is Author.CUSTOMER))
        for language in dict.fromkeys((spoken, terms.language)):
            for text in terms.texts:
                is_fit = text.language == language and one.cause in text.causes
                if is_fit and placeholders(text.text) <= facts.keys() | {REVIEWER}:
                    return text, facts
        return None, facts

    def _facts(self, tx: Transaction, one: WinBack, turn: Turn, said: list[Message]) -> dict[str, str]:
        """What is stored and known, by the names of placeholders."""
        contact = tx.contacts.get(one.contact_id)
        reply = next((message for message in said if message.turn_id == turn.id and message.is_ours), None)
        edits = [verdict.text for verdict in tx.verdicts.of_turn(turn.id) if verdict.kind is VerdictKind.EDIT]
        found = {
            "customer": contact.name,
            "business": self._business,
            "channel": turn.channel,
            "topic": turn.topic,
            "day": None if reply is None else f"{reply.at:%Y-%m-%d}",
            "said": None if reply is None else " ".join(reply.text.split())[:SAID_CHARS_MAX],
            "correction": edits[-1] if edits else None,
        }
        return {name: value for name, value in found.items() if value}


def settle_win_back(tx: Transaction, clock: Clock, hold: Hold, verdict: Verdict) -> None:
    """Do what a person decided: send the words, as they are or edited, leave it, or talk to the customer instead.

    Raises `Conflict` where nothing may be sent any more; the hold is open then as before.
    """
    one = tx.win_backs.of_hold(hold.id)
    if one is None or one.state is not WinBackState.PROPOSED:
        raise Conflict(f"nothing is proposed on hold {hold.id} any more")
    settled = replace(one, settled_at=clock.now(), by=verdict.reviewer)
    conversation = tx.conversations.get(one.conversation_id)
    match verdict.kind:
        case VerdictKind.APPROVE | VerdictKind.EDIT:
            _demand_open(tx, clock, one, conversation)
            sent = replace(settled, state=WinBackState.SENT)
            text = verdict.text or words_of(one, verdict.reviewer)
            queue_message(
                tx,
                clock,
                conversation,
                turn_id=None,
                text=text,
                author=Author.REVIEWER,
                author_name=verdict.reviewer,
                ai_generated=False,
                actor=verdict.reviewer,
            )
            tx.win_backs.put(sent)
            _tell(tx, clock, "win_back.sent", sent, actor=verdict.reviewer)
        case VerdictKind.TAKE_OVER:
            set_mode(tx, clock, one.conversation_id, Mode.PERSON, taken_by=verdict.reviewer, actor=verdict.reviewer)
            left = replace(settled, state=WinBackState.DISMISSED, why=WhyNone.TAKEN_OVER)
            tx.win_backs.put(left)
            _tell(tx, clock, "win_back.dismissed", left, actor=verdict.reviewer)
        case _:
            left = replace(settled, state=WinBackState.DISMISSED)
            tx.win_backs.put(left)
            _tell(tx, clock, "win_back.dismissed", left, actor=verdict.reviewer)


def words_of(one: WinBack, reviewer: str) -> str:
    """What is sent if one reviewer lets it out as it is."""
    return worded(one.text or "", load(dict[str, str], one.facts or "{}"), reviewer)


def shut_of(said: list[Message], window: float | None) -> datetime | None:
    """When a channel with a window takes no more messages, by the customer's last one; None = it has none."""
    if window is None:
        return None
    last = max((message.at for message in said if message.author is Author.CUSTOMER), default=None)
    return None if last is None else last + timedelta(seconds=window)


def is_opted_out(tx: Transaction, conversation: Conversation) -> bool:
    """Whether the customer wants no messages on this channel."""
    return any(one.channel == conversation.channel for one in tx.opt_outs.of_contacts((conversation.contact_id,)))


def _is_being_answered(tx: Transaction, conversation: Conversation, turn: Turn) -> bool:
    """Whether something is on its way to the customer, or somebody is to decide on it; a second reviewer must not be told what
    the first said."""
    if tx.turns.open_of(conversation.id) or tx.outbox.open_of(conversation.id):
        return True
    waiting = [*tx.holds.open_of_conversation(conversation.id), *tx.holds.open_of_turn(turn.id)]
    return any(hold.kind is not HoldKind.AUDIT for hold in waiting)


def _demand_open(tx: Transaction, clock: Clock, one: WinBack, conversation: Conversation) -> None:
    if conversation.mode is not Mode.AGENT:
        raise Conflict("a person has this conversation; write to the customer there, and dismiss this")
    if is_opted_out(tx, conversation):
        raise Conflict(f"the customer wants no messages on {conversation.channel}; dismiss this")
    if one.shut_at is not None and one.shut_at <= clock.now():
        raise Conflict(
            f"{conversation.channel} takes no message since {one.shut_at:%Y-%m-%d %H:%M} UTC, until the customer writes "
            "again; dismiss this"
        )


def _tell(tx: Transaction, clock: Clock, event: str, one: WinBack, *, actor: str = "system") -> None:
    tx.ledger.append(
        event,
        at=clock.now(),
        turn_id=one.turn_id,
        conversation_id=one.conversation_id,
        actor=actor,
        win_back=one.id,
        cause=one.cause.value,
        text=one.text_id,
        why=None if one.why is None else one.why.value,
    )
