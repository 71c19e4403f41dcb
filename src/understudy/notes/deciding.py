"""Do what a remark asks for, in one transaction with the note that says so: a verdict by a command, a take-over by an answer.

Promise: a remark has its effect once. It ends in the transaction of its effect, under the attempt that it was read with.
A command counts only from a colleague whom the help desk vouches for and who is a user here that may decide; it is about
the hold as the note showed it that stood above it, and anything newer makes it stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol

from understudy.effects.pledging import keep_written
from understudy.errors import ChannelUnreachable, StepSuperseded, TakenByOther, UnderstudyError
from understudy.notes.grammar import Command, Unclear, read
from understudy.notes.showing import Desk, is_kept_blind, queue_note, thread_name
from understudy.notes.wording import Worded, code_of, done_note, refusal_note
from understudy.ports.channel import KeepsNotes
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.access import SCOPES_OF, Scope, User, user_id
from understudy.records.conversation import Author, Conversation, Message, Mode, Origin
from understudy.records.notes import Colleague, Note, NoteKind, NoteState, Remark, RemarkKind, RemarkState
from understudy.records.review import Hold, HoldKind, VerdictKind, VerdictRequest

Along = Callable[[Transaction], None]
PERSONS: Final = frozenset({HoldKind.DRAFT, HoldKind.HAND_OFF})


class GivesVerdicts(Protocol):
    """What takes verdicts; `along` is done in the same transaction."""

    async def give(self, request: VerdictRequest, *, along: Along | None = None) -> Any: ...

    async def give_later(
        self, request: VerdictRequest, *, undo_s: float, along: Along | None = None
    ) -> tuple[Any, datetime]: ...

    async def take_back(
        self, hold_id: str, *, reviewer: str, claim_lease_s: float, along: Along | None = None
    ) -> tuple[Hold, Any]: ...


class TakesOver(Protocol):
    """What gives a conversation to a person."""

    async def answered_elsewhere(self, conversation_id: str, *, reviewer: str, along: Along | None = None) -> Any: ...

    async def take_over(
        self, conversation_id: str, *, reviewer: str, take_from: str | None = None, along: Along | None = None
    ) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What came of a remark, in a word."""

    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """How a channel's colleagues are known: `colleagues` are users' names by id there or verified address; what `automations`
    write is no person's answer."""

    colleagues: Mapping[str, str]
    automations: frozenset[str]


class Deciding:
    """Carries remarks out; see the module."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        desks: Mapping[str, Desk],
        houses: Mapping[str, House],
        verdicts: GivesVerdicts,
        conversations: TakesOver,
        undo_s: float,
        claim_lease_s: float,
    ) -> None:
        self._store = store
        self._clock = clock
        self._desks = desks
        self._houses = houses
        self._verdicts = verdicts
        self._conversations = conversations
        self._undo_s = undo_s
        self._claim_lease_s = claim_lease_s

    async def decide(self, remark: Remark, conversation: Conversation, channel: KeepsNotes) -> Finished:
        """Do what a remark asks for. Raises `ChannelUnreachable` where nobody can say who wrote it, `StepSuperseded` where it was
        done meanwhile."""
        if remark.kind is RemarkKind.ANSWER:
            return await self._answered(remark, conversation, channel)
        if remark.channel not in self._desks:
            return await self._just(remark, "reviewed_elsewhere")
        command = read(remark.text)
        shown = await self._store.read(lambda tx: tx.notes.of_conversation(conversation.id))
        if not shown:
            return await self._just(
                remark, "nothing_shown"
            )  # nothing of ours stands there, so it may be somebody else's
        colleague = await channel.colleague(remark)
        user = await self._store.read(lambda tx: self._user(tx, colleague, remark.channel))
        if isinstance(user, str):
            return await self.refuse(remark, conversation, "not_permitted", user)
        if isinstance(command, Unclear):
            return await self.refuse(remark, conversation, "unclear", command.why)
        note = note_meant(shown, remark, command)
        if isinstance(note, str):
            return await self.refuse(remark, conversation, "unclear", note)
        try:
            return await self._carry_out(remark, conversation, command, note, user.name)
        except StepSuperseded:
            raise
        except TakenByOther as error:
            how = f"{error.message}: /take-over from {error.taken_by}"
            return await self.refuse(remark, conversation, error.code, how)
        except UnderstudyError as error:
            return await self.refuse(remark, conversation, error.code, error.message)

    async def refuse(self, remark: Remark, conversation: Conversation, outcome: str, why: str) -> Finished:
        """End a remark that does nothing, and say so in a note."""

        def step(tx: Transaction) -> None:
            self.finish(tx, remark, outcome)
            note_id = self._clock.new_id("note")
            text = refusal_note(note_id, remark.author_name, why)
            self._reply(tx, conversation, note_id, NoteKind.REPLY, text, hold=None)

        await self._store.write(step)
        return Finished(outcome=outcome)

    def finish(self, tx: Transaction, remark: Remark, outcome: str) -> None:
        """End a remark; raises `StepSuperseded` where it has ended. Its text is kept no longer."""
        done = replace(remark, state=RemarkState.DONE, outcome=outcome, due_at=None, text="")
        tx.remarks.change(done, attempts=remark.attempts)
        tx.ledger.append(
            "remark.done",
            at=self._clock.now(),
            channel=remark.channel,
            remark=remark.id,
            kind=remark.kind.value,
            outcome=outcome,
        )

    async def _just(self, remark: Remark, outcome: str) -> Finished:
        await self._store.write(lambda tx: self.finish(tx, remark, outcome))
        return Finished(outcome=outcome)

    # Commands ----------------------------------------------------------------------------------------------------

    async def _carry_out(
        self, remark: Remark, conversation: Conversation, command: Command, note: Note, reviewer: str
    ) -> Finished:
        hold_id = note.hold_id or ""
        if command.verdict is None:
            along = self._done(remark, conversation, hold_id, reviewer, None, until=None)
            await self._verdicts.take_back(hold_id, reviewer=reviewer, claim_lease_s=self._claim_lease_s, along=along)
            return Finished(outcome="undone")
        hold, there = await self._store.read(lambda tx: (tx.holds.get(hold_id), tx.conversations.get(conversation.id)))
        is_theirs = hold.closed_at is None and there.taken_by == command.take_from
        if command.take_from is not None and not is_theirs:  # nothing waits, or somebody else has it, which is refused
            along = self._done(remark, conversation, hold_id, reviewer, command.verdict, until=None)
            await self._conversations.take_over(
                conversation.id, reviewer=reviewer, take_from=command.take_from, along=along
            )
            return Finished(outcome=command.verdict.value)
        if not command.fits(hold.kind):
            kinds = "/arrived or /send-again" if hold.kind is HoldKind.UNSURE_SEND else "another command"
            return await self.refuse(
                remark, conversation, "unclear", f"what note #{code_of(note.id)} shows takes {kinds}"
            )
        if command.verdict is VerdictKind.APPROVE and not note.is_whole:
            why = "the draft is longer than a note, so nobody can have read the whole of it here; decide in the console"
            return await self.refuse(remark, conversation, "unclear", why)
        request = VerdictRequest(
            hold_id=hold_id,
            version=note.version,
            kind=command.verdict,
            reviewer=reviewer,
            text=command.text,
            reasons=command.reasons,
            take_from=command.take_from,
        )
        # What ends the wait of a person cannot be waited with, and what was sent or not is so already.
        is_at_once = command.verdict is VerdictKind.TAKE_OVER or hold.kind is HoldKind.UNSURE_SEND or self._undo_s <= 0
        if is_at_once:
            along = self._done(remark, conversation, hold_id, reviewer, command.verdict, until=None)
            await self._verdicts.give(request, along=along)
        else:
            along = self._done(remark, conversation, hold_id, reviewer, command.verdict, until=self._undo_s)
            await self._verdicts.give_later(request, undo_s=self._undo_s, along=along)
        return Finished(outcome=command.verdict.value)

    def _done(
        self,
        remark: Remark,
        conversation: Conversation,
        hold_id: str,
        reviewer: str,
        verdict: VerdictKind | None,
        *,
        until: float | None,
    ) -> Along:
        """End the remark in the transaction of its effect, and confirm it."""

        def along(tx: Transaction) -> None:
            hold = tx.holds.get(hold_id)
            self.finish(tx, remark, "undone" if verdict is None else verdict.value)
            note_id = self._clock.new_id("note")
            text = done_note(
                note_id,
                reviewer,
                verdict,
                until=None if until is None else hold.undo_until,
                is_kept_blind=is_kept_blind(tx, hold.turn_id),
            )
            kind = NoteKind.REPLY if verdict is None else NoteKind.DONE
            self._reply(tx, conversation, note_id, kind, text, hold=hold)

        return along

    def _user(self, tx: Transaction, colleague: Colleague, channel: str) -> User | str:
        """Who a colleague is here; a text says why they may not decide."""
        house = self._houses[channel]
        name = None if colleague.id is None else house.colleagues.get(colleague.id)
        address = colleague.email if colleague.is_verified and colleague.is_staff else None
        if name is None and address is not None:
            by_address = {key.casefold(): user for key, user in house.colleagues.items()}
            name = by_address.get(address.casefold(), address)
        user = None if name is None else tx.users.get(user_id(name))
        if user is None:
            return (
                "you are no user of Understudy, as far as this help desk says who you are; an administrator can add you "
                f"(channels.{channel}.colleagues)"
            )
        if user.disabled_at is not None or Scope.HOLDS_WRITE not in SCOPES_OF[user.role]:
            return f"{user.name} may not decide on drafts (role {user.role.value})"
        return user

    # Answers -----------------------------------------------------------------------------------------------------

    async def _answered(self, remark: Remark, conversation: Conversation, channel: KeepsNotes) -> Finished:
        """A person wrote to the customer over there: the conversation is theirs, and no draft may follow."""
        house = self._houses[remark.channel]
        if remark.author_name in house.automations or remark.author in house.automations:
            return await self._just(remark, "automatic")
        if await self._store.read(lambda tx: is_own_reply(tx, conversation, remark)):
            return await self._just(remark, "own_reply")
        reviewer = await self._name_of(remark, channel)

        def along(tx: Transaction) -> None:
            self.finish(tx, remark, "taken_over")
            self._keep_answer(tx, remark, conversation, reviewer)
            keep_written(tx, self._clock, conversation.id, by=reviewer)

        def step(tx: Transaction) -> bool:
            there = tx.conversations.get(conversation.id)
            waits = any(hold.kind in PERSONS for hold in tx.holds.open_of_conversation(conversation.id))
            return there.mode is Mode.PERSON and there.taken_by == reviewer and not waits

        if await self._store.read(step):
            await self._store.write(along)
        else:
            await self._conversations.answered_elsewhere(conversation.id, reviewer=reviewer, along=along)
        return Finished(outcome="taken_over")

    async def _name_of(self, remark: Remark, channel: KeepsNotes) -> str:
        """The user who answered, or what they are called over there: it does not have to be known for the draft to be void."""
        try:
            colleague = await channel.colleague(remark)
        except ChannelUnreachable:
            colleague = Colleague(id=remark.author, name=remark.author_name)
        user = await self._store.read(lambda tx: self._user(tx, colleague, remark.channel))
        if isinstance(user, User):
            return user.name
        return f"{remark.author_name or remark.author or 'somebody'} ({remark.channel})"[:200]

    def _keep_answer(self, tx: Transaction, remark: Remark, conversation: Conversation, reviewer: str) -> None:
        """What they said is part of the conversation, so that whoever answers next knows it."""
        number = remark.provider_id.partition(":")[2]
        if not remark.text.strip() or tx.messages.known(remark.channel, number) is not None:
            return
        message = Message(
            seq=0,
            id=self._clock.new_id("msg"),
            conversation_id=conversation.id,
            turn_id=None,
            author=Author.REVIEWER,
            author_name=reviewer,
            text=remark.text,
            at=self._clock.now(),
            provider_id=number,
            origin=Origin.PERSON,
        )
        tx.messages.add(message, channel=remark.channel)

    def _reply(
        self, tx: Transaction, conversation: Conversation, note_id: str, kind: NoteKind, text: str, *, hold: Hold | None
    ) -> None:
        desk = self._desks[conversation.channel]
        thread = thread_name(tx, conversation, desk)
        if thread is not None:
            queue_note(
                tx,
                self._clock,
                note_id=note_id,
                kind=kind,
                text=Worded(text=text[: desk.chars_max]),
                channel=conversation.channel,
                conversation_id=conversation.id,
                thread=thread,
                hold=hold,
            )


def note_meant(shown: list[Note], remark: Remark, command: Command) -> Note | str:
    """The note that a command is about: the one it names, else the last that stood above it; a text says why there is none.

    Help desks number notes as they come, so a note of ours with a higher number was not there when the command was written.
    """
    if command.code is not None:
        named = [note for note in shown if code_of(note.id).startswith(command.code)]
        return named[-1] if len(named) == 1 else f"no note of ours is called #{command.code}"
    standing = [note for note in shown if note.provider_id is not None and note.state is NoteState.WRITTEN]
    if not standing:
        return "no note of ours stands here with a number; name it, as in /approve #code"
    number = remark.provider_id.partition(":")[2]
    if number.isdecimal() and all((note.provider_id or "").isdecimal() for note in standing):
        above = [note for note in standing if int(note.provider_id or 0) < int(number)]
        return above[-1] if above else "no note of ours stood above what you wrote; name it, as in /approve #code"
    if len(shown) == 1:
        return standing[0]
    return f"say which note is meant, as in /approve #{code_of(standing[-1].id)}"


def is_own_reply(tx: Transaction, conversation: Conversation, remark: Remark) -> bool:
    """Whether what looks like a person's answer is a reply of ours that came back: under our name or that of another user.

    It may come back before the answer that gives it a name, or without one ever: then it is known by its words, even where
    it was dropped because it seemed not to arrive.
    """
    number = remark.provider_id.partition(":")[2]
    if tx.outbox.taken_as(conversation.channel, number) is not None:
        return True
    said = remark.text.strip()
    may_stand = (*tx.outbox.open_of(conversation.id), *tx.outbox.nameless_of(conversation.id))
    by_people = filter(_is_said_here, tx.messages.of_conversation(conversation.id))
    texts = (*(entry.text for entry in may_stand), *(message.text for message in by_people))
    return any(text.strip() == said for text in texts)


def _is_said_here(message: Message) -> bool:
    """Whether a colleague wrote it by way of us, of their own accord: it belongs to no turn by which it could be found."""
    return message.author is Author.REVIEWER and message.turn_id is None and message.provider_id is None
