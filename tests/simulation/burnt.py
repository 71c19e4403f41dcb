"""Worlds in which the first thing a customer has of the agent is bad: does anybody meet it again before they trust it?

A reply is rejected after it was sent, complained of, disliked, or a person has to take over; then the customer writes
again, in the same conversation and in others. What the world remembers of that is its own: it trusts no cap.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from simulation import violation as promise
from simulation.customers import Customer, Letter
from simulation.inspector import Inspector
from simulation.process import ConnectionLost, Process
from simulation.terms import Terms
from simulation.world import Outcome, World, play
from understudy.errors import Conflict, Forbidden, NotFound, StoreError
from understudy.records.feedback import FeedbackKind, FeedbackTerms
from understudy.records.ledger import LedgerEntry
from understudy.records.review import VerdictKind, VerdictRequest
from understudy.records.rulebook import Grant, Level, Rulebook
from understudy.records.trust import TrustRules
from understudy.review.feedback import FeedbackDesk

CONVERSATIONS = (4, 8)
GOOD_CONTACTS, CAP_S = 3, 90.0
AGAIN = (3, 7)
PAUSE_S = (1.0, 12.0)
WAITS_S = 25.0
WAYS = ("rejected", "complaint", "thumbs_down", "taken_over")
COMPLAINT = "That was wrong. I want to make a complaint."
AUTOMATIC = ("deliver", "degrade")


@dataclass(slots=True)
class Burnt:
    """What the world remembers of a contact: since when, by which ledger entry, and how many contacts went well since."""

    way: str
    since_us: int
    seq: int
    good: int = 0


class BurntProcess(Process):
    """A process that also takes feedback."""

    def __init__(self, world: World, name: str, *, fast_by_s: float) -> None:
        super().__init__(world, name, fast_by_s=fast_by_s)
        self.feedback = FeedbackDesk(self.store, self.clock, self, terms=FeedbackTerms())


class BurntCustomer(Customer):
    """Writes, has a bad answer, and writes again."""

    def __init__(self, world: World, number: int) -> None:
        super().__init__(world, number)
        self._topic, self._keeps_conversation = "orders", False
        self._first = self.external_id
        self.way = world.dice.choice(WAYS)

    async def act(self) -> None:
        weather, dice = self._world.weather, self._world.dice
        await asyncio.sleep(weather.between(0.0, 5.0))
        await self._say(self._write())
        turn_id = await self._had_answer()
        if turn_id is not None:
            await self._goes_badly(turn_id)
        for number in range(dice.randint(*AGAIN)):
            await asyncio.sleep(weather.between(*PAUSE_S))
            if not weather.is_stormy:
                return
            if dice.random() < 0.4:
                self.external_id = f"{self._first}-{number}"  # A new conversation of the same customer.
            await self._say(self._write())

    async def _say(self, letter: Letter) -> None:
        letter = replace(letter, inbound=replace(letter.inbound, address=f"at-{self._first}"))
        self.letters.append(letter)
        await self._see_through(letter)

    async def _had_answer(self) -> str | None:
        """Wait for an automatic answer to the first message."""
        for _ in range(int(WAITS_S)):
            await asyncio.sleep(1.0)
            found = self._world.database.rows(
                "SELECT t.id FROM messages AS m JOIN turns AS t ON t.id = m.turn_id WHERE m.channel = ? AND"
                " m.provider_id = ? AND t.state = 'answered' AND t.decision = 'deliver'",
                self.channel,
                self.letters[0].inbound.provider_id,
            )
            if found:
                return str(found[0][0])
        return None

    async def _goes_badly(self, turn_id: str) -> None:
        """See to it that it went badly, until that is known to be stored."""
        if self.way == "complaint":
            number = self._world.number()
            await self._say(self._letter(COMPLAINT, number))
            return
        for _ in range(20):
            process = self._world.alive()
            if isinstance(process, BurntProcess):
                try:
                    await process.call(self._spoil(process, turn_id))
                except (ConnectionLost, StoreError, NotFound, Conflict, Forbidden):
                    pass
                else:
                    return
            await asyncio.sleep(1.0)

    async def _spoil(self, process: BurntProcess, turn_id: str) -> None:
        if self.way == "thumbs_down":
            await process.feedback.give(turn_id, FeedbackKind.THUMBS_DOWN, by="button")
            return
        if self.way == "taken_over":
            found = self._world.database.rows("SELECT conversation_id FROM turns WHERE id = ?", turn_id)
            await process.conversations.take_over(str(found[0][0]), reviewer="reviewer-burnt")
            await process.conversations.hand_back(str(found[0][0]), reviewer="reviewer-burnt")
            return
        for hold_id, version in self._world.database.rows(
            "SELECT id, version FROM holds WHERE turn_id = ? AND kind = 'audit' AND state = 'open'", turn_id
        ):
            request = VerdictRequest(
                hold_id=hold_id, version=version, kind=VerdictKind.REJECT, reviewer="reviewer-burnt"
            )
            self._world.inspector.requested(request)
            await process.verdicts.give(request)


class BurntInspector(Inspector):
    """Remembers who was burnt, and looks at every decision about them."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._burnt: dict[str, Burnt] = {}
        self._gathered: dict[str, int] = {}
        self._modes: dict[str, str] = {}
        self._answers_hand_off = False

    def committed(self, who: str, entries: Sequence[LedgerEntry]) -> None:
        self._answers_hand_off = any(self._is_of_hand_off(entry) for entry in entries if entry.event == "verdict.given")
        for entry in entries:
            self._follow(entry, json.loads(entry.body))
        super().committed(who, entries)

    def _follow(self, entry: LedgerEntry, body: dict[str, Any]) -> None:
        match entry.event:
            case "turn.gathered":
                self._gathered[entry.turn_id or ""] = entry.seq
            case "verdict.given":
                self._judged(entry, body)
            case "feedback.given" if body["kind"] == "thumbs_down":
                self._burn(entry, "thumbs_down")
            case "conversation.mode":
                was = self._modes.get(entry.conversation_id or "", "agent")
                self._modes[entry.conversation_id or ""] = body["mode"]
                is_taken = body["mode"] == "person" and body["taken_by"] is not None and was == "agent"
                if is_taken and not self._answers_hand_off:  # Who answers a hand-off takes nothing from the agent.
                    self._burn(entry, "taken_over")
            case "turn.decided":
                self._decided(entry, body)
            case "trust.lifted":
                self._lifted(entry, body)

    def _is_of_hand_off(self, entry: LedgerEntry) -> bool:
        found = self._world.database.rows("SELECT kind FROM holds WHERE id = ?", json.loads(entry.body)["hold"])
        return str(found[0][0]) == "hand_off"

    def _contact(self, entry: LedgerEntry) -> str:
        sql = "SELECT contact_id FROM conversations WHERE id = ?"
        return str(self._world.database.rows(sql, entry.conversation_id)[0][0])

    def _burn(self, entry: LedgerEntry, way: str) -> None:
        self._count(f"burnt: {way}")
        self._burnt[self._contact(entry)] = Burnt(way=way, since_us=_us(entry), seq=entry.seq)

    def _judged(self, entry: LedgerEntry, body: dict[str, Any]) -> None:
        kind = self._world.database.rows("SELECT kind FROM holds WHERE id = ?", body["hold"])[0][0]
        if kind == "audit" and body["kind"] == "reject":
            self._burn(entry, "rejected")
        elif kind == "draft" and body["kind"] == "approve" and (one := self._burnt.get(self._contact(entry))):
            one.good += 1

    def _decided(self, entry: LedgerEntry, body: dict[str, Any]) -> None:
        contact = self._contact(entry)
        if any(reason == "trust_complaint" for reason in body["reasons"]) and contact not in self._burnt:
            self._burn(entry, "complaint")
        self._complained(entry, body)
        one = self._burnt.get(contact)
        if one is None or not self._is_capped(one, _us(entry)):
            return
        self._count(f"after it: {body['decision']}")
        if body["decision"] in AUTOMATIC:
            if self._gathered.get(entry.turn_id or "", 0) < one.seq:
                self._count("decided on what was known before")
            else:
                self._broken(
                    promise.NOT_BURNT_TWICE, f"{entry.turn_id} is answered by the agent again, after {one.way}"
                )

    def _complained(self, entry: LedgerEntry, body: dict[str, Any]) -> None:
        """A complaint right after an automatic answer is not answered by the agent, whatever is remembered of it."""
        texts = self._world.database.rows("SELECT text FROM messages WHERE turn_id = ?", entry.turn_id)
        if any(text == COMPLAINT for (text,) in texts) and body["decision"] in AUTOMATIC:
            self._broken(promise.NOT_BURNT_TWICE, f"{entry.turn_id} complains and is answered by the agent")

    def _is_capped(self, one: Burnt, now_us: int) -> bool:
        return one.good < GOOD_CONTACTS and now_us - one.since_us < CAP_S * 1_000_000

    def _lifted(self, entry: LedgerEntry, body: dict[str, Any]) -> None:
        """A cap that ended may have ended only by its rule."""
        one = self._burnt.get(body["contact"])
        self._count("lifted")
        if one is not None and self._is_capped(one, _us(entry)) and entry.actor == "system":
            self._broken(promise.NOT_BURNT_TWICE, f"the cap of {body['contact']} was lifted early, after {one.way}")


def _us(entry: LedgerEntry) -> int:
    return int(entry.at.timestamp() * 1_000_000)


class BurntWorld(World):
    """See the module."""

    process, inspector_of, customer = BurntProcess, BurntInspector, BurntCustomer

    def __init__(self, seed: int, *given: Any, **terms: Any) -> None:
        super().__init__(seed, *given, **terms)
        self.outcome.again = "--burnt "

    def drawn(self) -> Terms:
        terms = super().drawn()
        rules = replace(
            terms.rulebook.rules,
            grants=(Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.0),),
            audit_rate=1.0,
            automatic_per_hour_max=100_000,
            degrade_on=(),
            trust=TrustRules(days=CAP_S / 86_400, good_contacts=GOOD_CONTACTS),
        )
        return replace(
            terms,
            conversations=self.dice.randint(*CONVERSATIONS),
            asks_for_person=0.0,
            passes_on=0.0,
            rulebook=Rulebook(id=terms.rulebook.id + "-burnt", rules=rules),
        )


def play_burnt(seed: int) -> Outcome:
    """Play the world of burnt customers of a seed."""
    return play(seed, kind=BurntWorld)
