"""Worlds full of hand-offs: many ask for a person, people are away for long, answer from elsewhere, and hand back.

Beside what every world has, each channel is a help desk that tells of every message that stands in a conversation: of
ours, which come back as if somebody had written them, and of those that a colleague wrote there. When people have
answered everything they hand everything back, and each customer writes once more: the agent must be heard again.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from simulation import violation as promise
from simulation.agent import word
from simulation.channel import Provider, SimulatedChannel
from simulation.customers import Customer, Letter
from simulation.inspector import Inspector
from simulation.people import Person, who_has, work_off
from simulation.process import ConnectionLost, Process
from simulation.terms import EXPIRES_AFTER_S, NOTICE, Terms
from simulation.virtual_time import START
from simulation.world import Outcome, World, play
from understudy.errors import Conflict, NotFound, StoreError
from understudy.notes.deciding import Deciding, House
from understudy.notes.taking import REMARK_JOB, Remarks
from understudy.ports.channel import Events, InboundRequest, KeepsNotes
from understudy.records.ledger import LedgerEntry
from understudy.records.notes import Colleague, Note, Remark, RemarkKind, Said
from understudy.records.outbox import OutboxEntry, SendResult, Unknown
from understudy.records.rulebook import Rulebook

CONVERSATIONS = (4, 9)
ASKS, PASSES_ON = 0.3, 0.25
ECHOED_AFTER_S = (0.0, 20.0)
ECHO_DOUBLED, ELSEWHERE_HANDS_BACK = 0.2, 0.5
AWAY, AWAY_S = 0.2, (10.0, 60.0)
SWEEPS_MAX = 12
"""So many sweeps may pass over a hand-off after its deadline: each may fail or be cut short, and what it tells may be lost."""
AFTER_S = (0.0, 20.0)
ECHO_DOUBLED, ELSEWHERE_HANDS_BACK = 0.2, 0.5
AWAY, AWAY_S = 0.2, (10.0, 60.0)
LATE_S_MAX = 45.0
"""For so long after its deadline, while a process was there, a hand-off may wait to be raised: all may be frozen, and a dead
sweeper taken for alive."""
AFTER_S = 40.0
SENDS_FAILED = frozenset({"delivery_failed", "message_dropped"})
"""Why a hand-off comes without anybody's doing in the conversation."""
COLLEAGUE = "reviewer-elsewhere"


class Desk(Provider):
    """A channel whose provider tells of each message that stands there."""

    def land(self, entry: OutboxEntry) -> None:
        before = len(self.landed)
        super().land(entry)
        world = self._world
        if len(self.landed) > before and isinstance(world, HandOffWorld):
            said = world.remark(entry.channel, entry.address.removeprefix("at-"), entry.text, number=f"p-{entry.id}")
            world.loop.call_later(
                world.weather.between(*ECHOED_AFTER_S), lambda: world.begin(world.tell(self.name, said))
            )


class DeskChannel(SimulatedChannel, KeepsNotes):
    """The way to such a provider; nothing is reviewed in its notes."""

    needs_threads, looks_up_notes, knows_authors, note_chars_max = False, False, True, 10_000

    def read_notes(self, request: InboundRequest) -> Events:
        """Nothing comes in as bytes in this world."""
        raise NotImplementedError(request.url)

    async def write_note(self, note: Note) -> SendResult:
        return Unknown(reason=f"no notes are written here, and {note.id} is one")

    async def look_up_note(self, note: Note) -> SendResult:
        return Unknown(reason=f"no notes are written here, and {note.id} is one")

    async def colleague(self, remark: Remark) -> Colleague:
        return Colleague(id=remark.author, name=remark.author_name)

    async def conversation_of(self, thread: str) -> str | None:
        return thread


class DeskProcess(Process):
    """A process that hears what the help desks tell."""

    def __init__(self, world: World, name: str, *, fast_by_s: float) -> None:
        super().__init__(world, name, fast_by_s=fast_by_s)
        desks: dict[str, KeepsNotes] = {n: one for n, one in self.channels.items() if isinstance(one, DeskChannel)}
        deciding = Deciding(
            self.store,
            self.clock,
            desks={},
            houses={name: House(colleagues={}, automations=frozenset()) for name in desks},
            verdicts=self.verdicts,
            conversations=self.conversations,
            undo_s=0.0,
            claim_lease_s=60.0,
        )
        self.remarks = Remarks(self.store, self.clock, self, desks, deciding)

    def channel(self, provider: Provider) -> SimulatedChannel:
        return DeskChannel(self, provider)

    def handlers(self) -> dict[str, Callable[[str], Awaitable[None]]]:
        return super().handlers() | {REMARK_JOB: self.remarks.look}

    def sweeping(self) -> dict[str, Callable[[], Awaitable[int]]]:
        return super().sweeping() | {"remarks": self._sweep_remarks}

    async def _may_sweep(self) -> bool:
        may = await super()._may_sweep()
        if may and isinstance(self.world, HandOffWorld):
            self.world.inspector.swept_at.append(_us(self.world.loop.time()))
        return may

    async def _sweep_remarks(self) -> int:
        """Asked for by its name, because the sweeps are named before the remarks are there."""
        return await self.remarks.sweep()


class HandOffCustomer(Customer):
    """A customer who comes back at the end, too."""

    def once_more(self) -> Letter:
        """Write something that needs nobody."""
        number = self._world.number()
        letter = self._letter(f"Another question {word(number)}.", number)
        self.letters.append(letter)
        return letter

    async def see_through(self, letter: Letter) -> None:
        """Deliver until it is acknowledged."""
        await self._see_through(letter)


class AbsentPerson(Person):
    """A reviewer who is away for long."""

    def away_s(self) -> float:
        dice = self._world.dice
        return dice.uniform(*AWAY_S) if dice.random() < AWAY else 0.0


class HandOffInspector(Inspector):
    """Looks at hand-offs more closely: what they came of, what came back, and whether anybody is left unheard."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.is_ours: dict[str, bool] = {}
        """By the help desk's id of a message whether it is one of ours."""
        self._caused: dict[str, bool] = {}
        self._noticed: dict[str, int] = {}
        self.swept_at: list[int] = []
        """When a process began to sweep, in us."""

    def committed(self, who: str, entries: Sequence[LedgerEntry]) -> None:
        for entry in entries:
            self._follow(entry, json.loads(entry.body))
        super().committed(who, entries)

    def _follow(self, entry: LedgerEntry, body: dict[str, Any]) -> None:
        conversation = entry.conversation_id or ""
        match entry.event:
            case "remark.done":
                self._remark_done(body)
            case "message.received":
                self._caused[conversation] = True
            case "conversation.mode":
                if body["mode"] == "agent":  # a person gave it back, and the agent is asked what nobody answered
                    self._noticed[conversation], self._caused[conversation] = 0, True
            case "verdict.given":
                kind = self._world.database.rows("SELECT kind FROM holds WHERE id = ?", body["hold"])[0][0]
                self._caused[conversation] = self._caused.get(conversation, False) or kind != "hand_off"
            case "hold.opened" if body["kind"] == "hand_off":
                self._count("hand-offs")
                if not self._caused.get(conversation, False) and SENDS_FAILED.isdisjoint(body["reasons"]):
                    self._broken(promise.NO_LOOP, f"{conversation} is handed off again and nothing happened since")
                self._caused[conversation] = False

    def _remark_done(self, body: dict[str, Any]) -> None:
        found = self._world.database.rows("SELECT provider_id FROM remarks WHERE id = ?", body["remark"])
        number = str(found[0][0])
        is_ours, outcome = self.is_ours[number], body["outcome"]
        self._count(f"{'ours' if is_ours else 'a colleague'} in the help desk: {outcome}")
        if is_ours and outcome not in ("own_reply", "no_conversation"):
            self._broken(promise.OWN_ECHO, f"{number} is ours and came back as {outcome}")
        if not is_ours and outcome != "taken_over":
            self._broken(promise.NOT_LOST, f"{number} is a colleague's answer and was taken for {outcome}")

    def landed(self, provider: Provider, entry: OutboxEntry) -> None:
        super().landed(provider, entry)
        if entry.text == NOTICE.text:
            self._noticed[entry.conversation_id] = self._noticed.get(entry.conversation_id, 0) + 1
            self._count("told that a person comes")

    def reckon_sla(self) -> None:
        """Each hand-off was seen to by its deadline, or raised soon after it; nothing in between."""
        found = self._world.database.rows(
            "SELECT id, expires_at, raised_at, closed_at FROM holds WHERE kind = 'hand_off' AND expires_at IS NOT NULL"
        )
        for hold_id, expires, raised, closed in found:
            seen_to = min(moment for moment in (raised, closed, _us(self._world.loop.time())) if moment is not None)
            self._count("seen to in time" if seen_to <= expires else "raised" if raised is not None else "seen to late")
            passed_over = sum(expires < moment < seen_to for moment in self.swept_at)
            if passed_over > SWEEPS_MAX:
                self._broken(
                    promise.SLA_KEPT, f"{hold_id} was due and {passed_over} sweeps neither raised it nor had to"
                )


def _us(seconds: float) -> int:
    return int((START + timedelta(seconds=seconds)).timestamp() * 1_000_000)


class HandOffWorld(World):
    """See the module."""

    process, inspector_of, customer, person, provider = (
        DeskProcess,
        HandOffInspector,
        HandOffCustomer,
        AbsentPerson,
        Desk,
    )
    inspector: HandOffInspector

    def __init__(self, seed: int, *given: Any, **terms: Any) -> None:
        self._elsewhere = random.Random(f"elsewhere-{seed}")
        super().__init__(seed, *given, **terms)
        self.outcome.again = "--hand-offs "

    def drawn(self) -> Terms:
        terms = super().drawn()
        rules = replace(terms.rulebook.rules, automatic_per_hour_max=200)
        return replace(
            terms,
            conversations=self.dice.randint(*CONVERSATIONS),
            asks_for_person=ASKS,
            passes_on=PASSES_ON,
            rulebook=Rulebook(id=terms.rulebook.id + "-hand-offs", rules=rules),
            flow=replace(terms.flow, hold_expires_after_s=EXPIRES_AFTER_S),
        )

    def others(self) -> list[Coroutine[Any, Any, None]]:
        return [self._answer_elsewhere()] if self._elsewhere.random() < 0.7 else []

    # The help desks ------------------------------------------------------------------------------------------

    def begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Begin something that nobody waits for."""
        if self._is_ending:
            coroutine.close()
        else:
            self.loop.create_task(coroutine)

    def remark(self, channel: str, external_id: str, text: str, *, number: str) -> Said:
        """What a help desk tells of a message that stands there."""
        is_ours = number.startswith("p-")
        said_id = f"answer:{number}"
        self.inspector.is_ours[said_id] = is_ours
        author = "integration" if is_ours else COLLEAGUE
        return Said(
            id=said_id,
            kind=RemarkKind.ANSWER,
            text=text,
            thread=None,
            conversation=external_id,
            author=author,
            author_name=author,
        )

    async def tell(self, channel: str, said: Said) -> None:
        """Tell of a message until it is acknowledged, and now and then once more."""
        for _ in range(2 if self._elsewhere.random() < ECHO_DOUBLED else 1):
            while True:
                if await self._told(channel, said):
                    break
                await asyncio.sleep(self._elsewhere.uniform(0.5, 6.0))

    async def _told(self, channel: str, said: Said) -> bool:
        process = self.alive()
        if not isinstance(process, DeskProcess):
            return False
        try:
            await process.call(process.remarks.take(channel, said))
        except (ConnectionLost, StoreError):
            return False
        return True

    async def _answer_elsewhere(self) -> None:
        """A colleague who never opens the console answers in the help desk, from a phone."""
        while self.weather.is_stormy:
            await asyncio.sleep(self._elsewhere.uniform(3.0, 20.0))
            found = self.database.rows("SELECT id, channel, external_id FROM conversations ORDER BY id")
            if not found or not self.weather.is_stormy:
                continue
            conversation_id, channel, external_id = self._elsewhere.choice(found)
            number = self.number()
            self.note(COLLEAGUE, f"answers {conversation_id} in the help desk")
            said = self.remark(channel, external_id, f"By phone: {word(number)}", number=f"h-{number}")
            await self.tell(channel, said)
            if self._elsewhere.random() < ELSEWHERE_HANDS_BACK:
                await asyncio.sleep(self._elsewhere.uniform(0.0, 15.0))
                await self.hand_back(conversation_id, COLLEAGUE)

    async def hand_back(self, conversation_id: str, reviewer: str) -> bool:
        """Hand a conversation back to the agent; False where nobody knows whether it was."""
        process = self.alive()
        if process is None:
            return False
        try:
            first = who_has(self, conversation_id)
            await process.call(process.conversations.hand_back(conversation_id, reviewer=reviewer, take_from=first))
        except (ConnectionLost, StoreError, NotFound, Conflict):
            return False
        return True

    # The end -------------------------------------------------------------------------------------------------

    async def afterwards(self) -> None:
        """Hand everything back; every customer writes once more, and is heard."""
        self.inspector.reckon_sla()
        self.note("world", "handed back")
        for (conversation_id,) in self.database.rows("SELECT id FROM conversations WHERE mode = 'person' ORDER BY id"):
            while True:
                if await self.hand_back(conversation_id, "reviewer-last"):
                    break
                await asyncio.sleep(1.0)
        letters: list[Letter] = []
        for customer in self.customers:
            assert isinstance(customer, HandOffCustomer)
            letters.append(letter := customer.once_more())
            await customer.see_through(letter)
        await asyncio.sleep(AFTER_S)
        for letter in letters:
            self._is_heard(letter)
        await work_off(self, AFTER_S * 3)

    def _is_heard(self, letter: Letter) -> None:
        """Whether the agent was asked: a person who does not have the conversation any more must not silence it."""
        found = self.database.rows(
            "SELECT m.turn_id, t.state, t.decision FROM messages AS m LEFT JOIN turns AS t ON t.id = m.turn_id"
            " WHERE m.channel = ? AND m.provider_id = ?",
            letter.channel,
            letter.inbound.provider_id,
        )
        turn_id, state, decision = found[0] if found else (None, None, None)
        if decision is None:
            self.violated(promise.NOT_MUTED, f"{letter.inbound.provider_id} waits in {turn_id}, which is {state}")
            return
        self.inspector.counts[f"after it all: {decision}"] = (
            self.inspector.counts.get(f"after it all: {decision}", 0) + 1
        )
        decided = self.database.rows(
            "SELECT body FROM ledger WHERE event = 'turn.decided' AND turn_id = ? ORDER BY seq DESC LIMIT 1", turn_id
        )
        if "conversation_with_person" in json.loads(decided[0][0])["reasons"] and not self._is_given_anew(turn_id):
            self.violated(promise.NOT_MUTED, f"{turn_id} is silent for a person who handed back")

    def _is_given_anew(self, turn_id: str) -> bool:
        """Whether the agent, asked what nobody had answered, brought people in again before this turn."""
        modes = self.database.rows(
            "SELECT body FROM ledger WHERE event = 'conversation.mode'"
            " AND conversation_id = (SELECT conversation_id FROM turns WHERE id = ?) ORDER BY seq DESC LIMIT 2",
            turn_id,
        )
        latest, *before = (json.loads(body) for (body,) in modes)
        is_anew = latest["mode"] == "person" and latest["taken_by"] is None
        return is_anew and any(body["mode"] == "agent" for body in before)


def play_hand_offs(seed: int) -> Outcome:
    """Play the world of hand-offs of a seed."""
    return play(seed, kind=HandOffWorld)
