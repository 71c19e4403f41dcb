"""People who write over many addresses, leads who link contacts rightly and wrongly, and a house that answers: what anybody
is sent is compared with who they truly are. The house is the product's own flows over a real store; only people, agent,
channels and clock are made up. It knows no rule of identity itself.

Every customer's message carries a mark of the person who wrote it, and the agent repeats all that it is told, from every
channel. A message at somebody's address that carries another person's mark is *wrong*, whatever led there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

from understudy.adapters.stores.sql_store import SqlStore
from understudy.delivery.outbox import Outbox, OutboxLimits
from understudy.effects.codes import ask_code
from understudy.effects.handing_off import set_mode
from understudy.effects.identity import group_of, link_contacts, unlink_contacts, verify
from understudy.effects.sending import readdress
from understudy.errors import Conflict
from understudy.ports.store import Committed, Transaction
from understudy.ports.telemetry import Event
from understudy.records.codec import digest, dump
from understudy.records.conversation import Conversation, Inbound, Mode
from understudy.records.identity import HandleKind, Link, LinkState, Vouched, handle_in
from understudy.records.ledger import readable_body
from understudy.records.outbox import OutboxEntry, OutboxState, Retry, SendResult, Unknown
from understudy.records.rulebook import Grant, Level, Rulebook, Rules
from understudy.records.turn import OUTBOX_JOB, TURN_JOB, Job
from understudy.simulation.identity_people import (
    CODE,
    CODE_TEXT,
    LOOKS_MAX,
    MARK,
    PEOPLE,
    PROOFS,
    WINDOW_S,
    Dice,
    Place,
    Tally,
    TellingChannel,
    echo,
    email,
)
from understudy.testing.scripted import DeliversThen, FrozenClock, ScriptedAgent
from understudy.turn.coalescing import CoalescingLimits
from understudy.turn.drafting import Drafting, DraftingLimits
from understudy.turn.flow import TurnFlow
from understudy.turn.intake import Intake, IntakeLimits
from understudy.turn.limits import FlowLimits

T = TypeVar("T")


class IdentityWorld:
    """One world over a store whose schema is in place. `do` lets one random thing happen; `end` lets everything settle."""

    def __init__(self, store: SqlStore, dice: Dice) -> None:
        self.tally = Tally()
        self.dice = dice
        self.store, self.clock = store, FrozenClock(seed=dice.randrange(10**6))
        self._hints: deque[tuple[Job, datetime | None]] = deque()
        self.places: dict[tuple[str, str], Place] = {}
        self._codes: dict[tuple[str, str], list[str]] = {}
        self._began: dict[str, Conversation] = {}
        self._count = 0
        store.subscribe(self._announced)
        agent = ScriptedAgent(echo, name="echo")
        arrived = self._arrived
        self.channels = {
            "mail": TellingChannel("mail", arrived, honours_keys=False, can_look_up=True),
            "sms": TellingChannel("sms", arrived, window_s=WINDOW_S),
            "app": TellingChannel("app", arrived, honours_keys=False),
            "webchat": TellingChannel("webchat", arrived),
        }
        rules = Rules(grants=(Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.0),), audit_rate=0.0)
        rulebook = Rulebook(id=digest(dump(rules)), rules=rules)
        clock = self.clock
        drafting = Drafting(clock, self, lambda _request: (agent,), limits=DraftingLimits())
        self.outbox = Outbox(store, clock, self, self.channels, limits=OutboxLimits(attempts_max=4))
        proofs = PROOFS.__getitem__
        self.flow = TurnFlow(store, clock, self, drafting, lambda: rulebook, limits=FlowLimits(), proofs=proofs)
        pauses = CoalescingLimits(window_s_min=0, window_s_max=0, burst_s_max=0)
        self.intake = Intake(store, clock, self, limits=IntakeLimits(), coalescing=pauses, proofs=proofs)

    def emit(self, happened: Event) -> None:
        """Be the telemetry that nobody reads."""

    def _announced(self, committed: Committed) -> None:
        self._hints.extend(committed.jobs)

    # What happens ------------------------------------------------------------------------------------------------

    async def do(self) -> None:
        """Let one thing happen, and now and then some of what is due."""
        happenings: tuple[tuple[int, Callable[[], Any]], ...] = (
            (30, self._somebody_writes),
            (22, self._something_is_done),
            (8, self._lead_links),
            (4, self._lead_unlinks),
            (6, self._code_is_asked),
            (6, self._code_is_entered),
            (5, self._somebody_claims),
            (4, self._channel_falters),
            (4, self._time_passes),
            (3, self._person_chooses_address),
            (2, self._lead_vouches),
            (2, self._house_stands_still),
        )
        happens = self.dice.choices([one for _, one in happenings], [weight for weight, _ in happenings])[0]
        self.tally.events += 1
        self.tally.kinds[happens.__name__.strip("_")] += 1
        await happens()

    async def end(self) -> None:
        """Let everything that is due be done, with all channels well again."""
        for channel in self.channels.values():
            channel.answers.clear()
        for _ in range(6):
            self.clock.advance(400)
            await self._sweep(LOOKS_MAX)

    async def _somebody_writes(self) -> None:
        place = self._some_place(self.dice.randrange(PEOPLE))
        await self.write(place, f"note <p{place.person}> {self._next()}")

    async def write(self, place: Place, text: str, **more: Any) -> Conversation:
        """Let somebody write from one of their addresses; nothing is done about it yet."""
        if place.channel == "app":
            more = {"contact_email": email(place.person, 0), **more}
        inbound = Inbound(
            provider_id=f"in-{self._next()}",
            external_id=place.address,
            address=place.address,
            text=text,
            topic="orders",
            **more,
        )
        received = await self.intake.receive(place.channel, inbound)
        conversation_id = received.message.conversation_id
        if conversation_id not in self._began:
            self._began[conversation_id] = await self.store.read(lambda tx: tx.conversations.get(conversation_id))
        self.places.setdefault((place.channel, place.address), place)
        return self._began[conversation_id]

    def _some_place(self, person: int) -> Place:
        """One of a person's addresses; web chats are new ones now and then, the others are few."""
        channel, number = self.dice.choice(sorted(PROOFS)), self.dice.randrange(2)
        address = {
            "mail": email(person, number),
            "sms": f"+4477009{person:03}{number}",
            "app": f"user-{person}-{number}",
            "webchat": f"visit-{person}-{self.dice.randrange(4)}",
        }[channel]
        return self.places.setdefault((channel, address), Place(person, channel, address))

    async def _something_is_done(self) -> None:
        await self.look(self.dice.randrange(1, 6))

    async def _somebody_claims(self) -> None:
        """Somebody says in a web chat that they are another, or themselves."""
        person, other = self.dice.randrange(PEOPLE), self.dice.randrange(PEOPLE)
        address = f"visit-{person}-claim-{self._next()}"
        place = self.places.setdefault(("webchat", address), Place(person, "webchat", address))
        claimed = email(other, 0)
        await self.write(place, f"I am {claimed} <p{person}>", contact_email=claimed, contact_name=f"P{other}")

    async def _code_is_asked(self) -> None:
        """For a web chat a code is sent to a handle, the visitor's own or another's."""
        if (conversation := await self._some_conversation("webchat")) is None:
            return
        own = self._own_email(conversation)
        handle = handle_in(self.dice.choice([email(self.dice.randrange(PEOPLE), 0), own, own]))
        assert handle is not None
        kind, value = handle
        await self.store.write(
            lambda tx: ask_code(tx, self.clock, conversation, kind, value, text=CODE_TEXT, minutes=30, by="lena")
        )

    def _own_email(self, conversation: Conversation) -> str:
        return email(self.places[conversation.channel, conversation.address].person, self.dice.randrange(2))

    async def _code_is_entered(self) -> None:
        """A visitor enters what they truly got somewhere, or guesses."""
        waiting = await self.store.read(
            lambda tx: [one for one in self._began.values() if tx.identities.open_code(one.id) is not None]
        )
        if not waiting or (conversation := self.dice.choice(sorted(waiting, key=lambda one: one.id))) is None:
            return
        place = self.places[conversation.channel, conversation.address]
        got = [
            code
            for where, codes in self._codes.items()
            if self.places[where].person == place.person
            for code in codes[-1:]
        ]
        code = self.dice.choice(got) if got and self.dice.random() < 0.8 else f"{self.dice.randrange(10**6):06}"
        await self.write(place, f"{code} <p{place.person}>")

    async def _lead_links(self) -> None:
        """A lead says of two contacts, often wrongly, that they are one, or takes what was proposed."""

        def step(tx: Transaction) -> None:
            proposed = tx.identities.proposed(limit=5)
            if proposed and self.dice.random() < 0.5:
                link = self.dice.choice(proposed)
                link_contacts(tx, self.clock, link.one, link.other, by="lena")
            elif self.dice.random() < 0.4:
                apart = [link for link in self._links(tx) if link.state is LinkState.APART]
                if apart:  # a lead who thinks better of it
                    link = self.dice.choice(apart)
                    link_contacts(tx, self.clock, link.one, link.other, by="lena")
            elif len(self._began) > 1:
                one, other = self.dice.sample(sorted(self._began), 2)
                ids = [self._began[which].contact_id for which in (one, other)]
                link_contacts(tx, self.clock, *ids, by="lena")

        await self._try(step, "linked")

    async def _lead_unlinks(self) -> None:
        def step(tx: Transaction) -> None:
            held = [link for link in self._links(tx) if link.state is not LinkState.APART]
            if not held:
                raise Conflict("nobody here is linked")
            link = self.dice.choice(held)
            unlink_contacts(tx, self.clock, link.one, link.other, by="lena")

        await self._try(step, "unlinked")

    def _links(self, tx: Transaction) -> list[Link]:
        """What is held of some contacts and others."""
        some = self.dice.sample(sorted(self._began), min(5, len(self._began)))
        return [link for which in some for link in tx.identities.links_of(self._began[which].contact_id)]

    async def _lead_vouches(self) -> None:
        """A lead takes somebody's word for a handle that may be another's."""
        if (conversation := await self._some_conversation(None)) is None:
            return
        value = email(self.dice.randrange(PEOPLE), 0)

        def step(tx: Transaction) -> None:
            verify(tx, self.clock, conversation, HandleKind.EMAIL, value, Vouched.PERSON, by="lena")

        if self.places[conversation.channel, conversation.address].channel == "webchat":
            await self._try(step, "vouched")

    async def _person_chooses_address(self) -> None:
        """A reviewer sends what is queued to another address that is proven to be the customer's, at that moment."""

        def step(tx: Transaction) -> None:
            for entry in tx.outbox.listed([OutboxState.PENDING], limit=20):
                own = tx.conversations.get(entry.conversation_id)
                group = group_of(tx, own.contact_id, is_verified=True)
                others = [one for one in self._began.values() if one.contact_id in group and one.channel != own.channel]
                if others and not entry.attempts and entry.turn_id is not None:
                    to = self.dice.choice(sorted(others, key=lambda one: one.id))
                    readdress(tx, self.clock, entry, to, why="chosen", actor="rosa")
                    return
            raise Conflict("nothing waits that could go elsewhere")

        await self._try(step, "chosen")

    async def _channel_falters(self) -> None:
        channel = self.channels[self.dice.choice(sorted(self.channels))]
        answers: list[SendResult | DeliversThen | BaseException] = [
            Retry(reason="busy"),
            Unknown(reason="cut off"),
            DeliversThen(answer=OSError("cut off")),
            OSError("refused"),
        ]
        channel.answers.append(self.dice.choice(answers))

    async def _time_passes(self) -> None:
        self.clock.advance(self.dice.choice([1, 30, 90, 700, 4_000, 90_000]))
        await self._people_hand_back()
        await self._sweep(self.dice.randrange(1, 40))

    async def _people_hand_back(self) -> None:
        """Whoever had a conversation gives it back to the agent."""

        def step(tx: Transaction) -> None:
            for conversation_id in self.dice.sample(sorted(self._began), min(20, len(self._began))):
                if tx.conversations.get(conversation_id).mode is Mode.PERSON:
                    set_mode(tx, self.clock, conversation_id, Mode.AGENT, taken_by=None, actor="rosa")

        await self.store.write(step)

    async def _house_stands_still(self) -> None:
        """A process dies with what it had in its hands: leases lapse, and others find the rest."""
        self._hints.clear()
        self.clock.advance(70)

    # What is done ------------------------------------------------------------------------------------------------

    async def _try(self, step: Callable[[Transaction], None], what: str) -> None:
        try:
            await self.store.write(step)
        except Conflict:
            return
        if what in ("linked", "unlinked"):
            setattr(self.tally, what, getattr(self.tally, what) + 1)

    async def _some_conversation(self, channel: str | None) -> Conversation | None:
        found = [one for one in self._began.values() if channel in (None, one.channel)]
        return self.dice.choice(sorted(found, key=lambda one: one.id)) if found else None

    async def _sweep(self, looks: int) -> None:
        await self.flow.sweep()
        await self.outbox.sweep()
        await self.look(looks)

    async def look(self, looks: int, *, besides: str | None = None) -> None:
        """Do some of the jobs that are due, none of a kind `besides`."""
        for _ in range(looks):
            due = (one for one, at in self._hints if at is None or at <= self.clock.now())
            job = next((one for one in due if one.kind != besides), None)
            if job is None:
                return
            self._hints = deque((one, at) for one, at in self._hints if one != job)
            if job.kind == TURN_JOB:
                await self.flow.advance(job.key)
            elif job.kind == OUTBOX_JOB:
                await self._deliver(job.key)

    async def _deliver(self, conversation_id: str) -> None:
        """Send; what a person would be asked about an ambiguous send is put back, as they mostly say."""
        await self.outbox.deliver(conversation_id)

        def step(tx: Transaction) -> None:
            entry = tx.outbox.head(conversation_id)
            if entry is None or entry.state is not OutboxState.UNKNOWN:
                raise Conflict("nothing is unknown")
            state = OutboxState.SENT if self._has(entry) else OutboxState.PENDING
            due_at = None if state is OutboxState.SENT else self.clock.now()
            tx.outbox.change(replace(entry, state=state, due_at=due_at), attempts=entry.attempts)
            tx.ledger.append(
                "outbox.retried", at=self.clock.now(), outbox=entry.id, attempt=entry.attempts, was=entry.state.value
            )

        if self.dice.random() < 0.5:
            await self._try(step, "settled")

    def _has(self, entry: OutboxEntry) -> bool:
        return any(channel.times_delivered(entry.id) for channel in self.channels.values())

    def _arrived(self, entry: OutboxEntry) -> None:
        """Look at what somebody got: at whose address, and whose words."""
        place = self.places[entry.channel, entry.address]
        own = self._began[entry.conversation_id]
        asked = self.places[own.channel, own.address]
        self.tally.sent += 1
        self.tally.elsewhere += (own.channel, own.external_id) != (entry.channel, entry.external_id)
        persons = {int(found) for found in MARK.findall(entry.text)}
        if persons - {place.person} or asked.person != place.person:
            self.tally.wrong.append(
                f"{entry.id} at {place.channel} of p{place.person}: {sorted(persons)}, p{asked.person}"
            )
        if found := CODE.search(entry.text):
            self._codes.setdefault((place.channel, place.address), []).append(found[1])

    def _next(self) -> int:
        self._count += 1
        return self._count


async def fuzz(store: SqlStore, dice: Dice, *, events: int) -> Tally:
    """Let so many random things happen over a store whose schema is in place, and say what came of it; the same dice over
    an empty store give the same."""
    world = IdentityWorld(store, dice)
    for _ in range(events):
        await world.do()
        await asyncio.sleep(0)
    await world.end()
    codes = await store.read(_entered_right)
    world.tally.codes_right = codes
    return world.tally


def _entered_right(tx: Transaction) -> int:
    after, count = 0, 0
    while entries := tx.ledger.entries(after=after, limit=5_000):
        count += sum(
            one.event == "contact.code_entered" and readable_body(one).get("outcome") == "right" for one in entries
        )
        after = entries[-1].seq
    return count
