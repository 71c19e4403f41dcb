"""The reviewers of the world: they claim, decide on what they saw a while ago, take that back, take over, write and hand back.

They tell the truth about whether a message arrived. What they were refused they do not take for done.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine
from typing import TYPE_CHECKING, Any

from simulation.agent import word
from simulation.process import ConnectionLost, Process
from understudy.errors import Conflict, Forbidden, InputError, NotFound, StoreError
from understudy.records.outbox import OutboxState
from understudy.records.review import Hold, HoldKind, HoldState, VerdictKind, VerdictRequest

if TYPE_CHECKING:
    from simulation.world import World

EVERY: tuple[VerdictKind, ...] = tuple(VerdictKind)
ON_AUDITS = (VerdictKind.APPROVE, VerdictKind.APPROVE, VerdictKind.EDIT, VerdictKind.REJECT)
UNSURE = (HoldKind.UNSURE_SEND, HoldKind.UNSURE_ACTION)
"""Of these a person says what is so; nothing of it is taken back."""
NEEDS_TEXT = (VerdictKind.EDIT, VerdictKind.RESPOND)
THINKS_S = (0.1, 30.0)
LOOKED_AT_MAX = 50
LATER_SHARE, TAKEN_BACK_SHARE, UNDO_S = 0.3, 0.3, 5.0
"""How many verdicts can be taken back, how many of those are, or are tried to be, and for how long they can."""


class Person:
    """One reviewer; stops where `is_at_work` becomes False."""

    def __init__(self, world: World, name: str) -> None:
        self._world, self.name = world, name
        self.is_at_work = True
        self.changes_mind = True
        self._is_quick = world.dice.random() < 0.5
        self._undo = random.Random(name)

    async def act(self) -> None:
        """Work until the shift ends."""
        weather, dice = self._world.weather, self._world.dice
        while self.is_at_work:
            await asyncio.sleep(weather.between(0.2, 8.0))
            if (away_s := self.away_s()) > 0:
                await asyncio.sleep(away_s)
                continue
            hold = await self._look()
            if (stroke := dice.random()) < 0.15:
                await self._step_in()
            elif stroke < 0.2:
                await self._clear_outbox()
            elif hold is not None:
                await self._review(hold)

    def away_s(self) -> float:
        """For how long nobody sits here now."""
        return 0.0

    async def _look(self) -> Hold | None:
        """Read the queue and pick from it, mostly from its head."""

        async def read(process: Process) -> list[Hold]:
            return await process.store.read(
                lambda tx: tx.holds.queue(state=HoldState.OPEN, after=None, limit=LOOKED_AT_MAX)
            )

        holds: list[Hold] | None = await self._ask(read)
        if not holds:
            return None
        return holds[0] if self._world.dice.random() < 0.6 else self._world.dice.choice(holds)

    async def _review(self, hold: Hold) -> None:
        dice, weather = self._world.dice, self._world.weather
        if dice.random() < 0.7:
            claimed = await self._ask(lambda process: process.holds.claim(hold.id, reviewer=self.name))
            if claimed is None:
                return
            hold = claimed
        await asyncio.sleep(weather.between(0.1, 3.0) if self._is_quick else weather.between(*THINKS_S))
        if hold.kind in UNSURE:  # Who asks a customer whether a message came gives it time to come.
            await asyncio.sleep(2 * self._world.terms.lands_within_s)
        if dice.random() < 0.1:
            await self._ask(lambda process: process.holds.release(hold.id, reviewer=self.name))
            return
        times = 2 if dice.random() < 0.1 else 1
        kind = _wanted(self._world, hold)
        await asyncio.gather(*(self.give(hold, kind) for _ in range(times)))
        if hold.kind is HoldKind.HAND_OFF and dice.random() < 0.7:
            await self._ask(lambda process: process.conversations.hand_back(hold.conversation_id, reviewer=self.name))

    async def give(self, hold: Hold, kind: VerdictKind) -> None:
        """Give one verdict on a hold as it was seen."""
        text = self._words() if kind in NEEDS_TEXT else None
        request = VerdictRequest(
            hold_id=hold.id,
            version=hold.version,
            kind=kind,
            reviewer=self.name,
            text=text,
            take_from=who_has(self._world, hold.conversation_id),
        )
        self._world.inspector.requested(request)
        if hold.kind in UNSURE or not self.changes_mind or self._undo.random() >= LATER_SHARE:
            await self._ask(lambda process: process.verdicts.give(request))
            return
        await self._ask(lambda process: process.verdicts.give_later(request, undo_s=UNDO_S))
        if self._undo.random() < TAKEN_BACK_SHARE:
            await asyncio.sleep(self._undo.uniform(0.0, 1.2 * UNDO_S))
            lease_s = self._world.terms.review.claim_lease_s  # as long as a claim, or a renewed one would be shorter
            await self._ask(
                lambda process: process.verdicts.take_back(hold.id, reviewer=self.name, claim_lease_s=lease_s)
            )

    async def _step_in(self) -> None:
        """Do something in a conversation of one's own accord."""
        dice = self._world.dice
        sql = "SELECT id FROM conversations ORDER BY id"
        if dice.random() < 0.6:  # People step in where something happens just now.
            sql = "SELECT conversation_id FROM turns WHERE state IN ('drafting', 'assessing', 'held') ORDER BY position"
        found = self._world.database.rows(sql)
        if not found:
            return
        conversation_id = str(dice.choice(found)[0])
        first = who_has(self._world, conversation_id)
        await self._ask(
            lambda process: process.conversations.take_over(conversation_id, reviewer=self.name, take_from=first)
        )
        await asyncio.sleep(self._world.weather.between(0.0, 10.0))
        if dice.random() < 0.7:
            words = self._words()
            await self._ask(lambda process: process.conversations.say(conversation_id, words, reviewer=self.name))
        if dice.random() < 0.7:
            await asyncio.sleep(self._world.weather.between(0.0, 5.0))
            await self._ask(lambda process: process.conversations.hand_back(conversation_id, reviewer=self.name))

    async def _clear_outbox(self) -> None:
        """Put what was given up back to be sent, or drop it."""
        dice = self._world.dice
        found = self._world.database.rows("SELECT id FROM outbox WHERE state IN ('dead', 'pending') ORDER BY seq")
        if not found:
            return
        outbox_id = str(dice.choice(found)[0])
        match dice.randrange(3):
            case 0:
                await self._ask(lambda process: process.dead_letters.retry_dead(actor=self.name))
            case 1:
                await self._ask(lambda process: process.dead_letters.retry([outbox_id], actor=self.name))
            case _:
                drop = "not needed any more"
                await self._ask(lambda process: process.dead_letters.drop(outbox_id, reason=drop, actor=self.name))

    def _words(self) -> str:
        text = f"By hand: {word(self._world.number())}"
        self._world.inspector.said[text] = self.name
        return text

    async def _ask(self, ask: Any) -> Any:
        """Ask some living process; None where it refused or nobody knows what became of it."""
        process = self._world.alive()
        if process is None:
            return None

        async def asked() -> Any:
            return await ask(process)

        coroutine: Coroutine[Any, Any, Any] = asked()
        try:
            return await process.call(coroutine)
        except (Conflict, Forbidden, NotFound, InputError, StoreError, ConnectionLost):
            return None


def _wanted(world: World, hold: Hold) -> VerdictKind:
    dice = world.dice
    if hold.kind not in UNSURE and dice.random() < 0.05:
        return dice.choice(EVERY)  # some of them this kind of hold does not take
    match hold.kind:
        case HoldKind.DRAFT:
            return dice.choice((*EVERY, VerdictKind.APPROVE, VerdictKind.APPROVE))
        case HoldKind.HAND_OFF:
            return dice.choice([VerdictKind.RESPOND, VerdictKind.RESPOND, VerdictKind.TAKE_OVER])
        case HoldKind.UNSURE_SEND:
            return truth(world, hold)
        case HoldKind.UNSURE_ACTION:
            return truth_of_action(world, hold)
        case HoldKind.AUDIT:
            return dice.choice(ON_AUDITS)


def truth(world: World, hold: Hold) -> VerdictKind:
    """Say whether the message that waits for an answer reached its customer: *reject* says that it did."""
    found = world.database.rows(
        "SELECT id, channel FROM outbox WHERE conversation_id = ? AND state = ? ORDER BY seq LIMIT 1",
        hold.conversation_id,
        OutboxState.UNKNOWN.value,
    )
    arrived = bool(found) and world.providers[found[0][1]].times[found[0][0]] > 0
    return VerdictKind.REJECT if arrived else VerdictKind.APPROVE


def truth_of_action(world: World, hold: Hold) -> VerdictKind:
    """Say whether the action of which nobody knows was done: *reject* says that it was."""
    found = world.database.rows(
        "SELECT id FROM actions WHERE conversation_id = ? AND state = 'unknown' ORDER BY seq LIMIT 1",
        hold.conversation_id,
    )
    is_done = bool(found) and world.system is not None and world.system.times[found[0][0]] > 0
    return VerdictKind.REJECT if is_done else VerdictKind.APPROVE


def who_has(world: World, conversation_id: str) -> str | None:
    """Who has a conversation, as the screen shows it: whoever takes it says from whom."""
    found = world.database.rows("SELECT taken_by FROM conversations WHERE id = ?", conversation_id)
    return found[0][0] if found else None


async def work_off(world: World, seconds: float) -> None:
    """Let one person who works by the book answer everything that waits, until nothing waits any more."""
    person = Person(world, "reviewer-last")
    person.changes_mind = False
    ends, idle = world.loop.time() + seconds, 0
    while world.loop.time() < ends and idle < 3:
        holds = world.database.read(lambda tx: tx.holds.queue(state=HoldState.OPEN, after=None, limit=LOOKED_AT_MAX))
        for hold in holds:
            match hold.kind:
                case HoldKind.DRAFT:
                    await person.give(hold, world.dice.choice([VerdictKind.APPROVE, VerdictKind.REJECT]))
                case HoldKind.HAND_OFF:
                    await person.give(hold, VerdictKind.RESPOND)
                case HoldKind.UNSURE_SEND:
                    await person.give(hold, truth(world, hold))
                case HoldKind.UNSURE_ACTION:
                    await person.give(hold, truth_of_action(world, hold))
                case HoldKind.AUDIT:
                    await person.give(hold, world.dice.choice(ON_AUDITS))
        idle = 0 if holds else idle + 1
        await asyncio.sleep(12.0)
