"""A stage (tests/stage.py) with a help desk behind its channel: what its people do comes in, and what is noted goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from help_desks import Chatwoot, HelpDesk, Zendesk, serving
from understudy.notes.deciding import Deciding, House
from understudy.notes.showing import NOTES_JOB, Desk
from understudy.notes.taking import REMARK_JOB, Remarks
from understudy.notes.writing import NOTE_JOB, NoteLimits, Notes
from understudy.ports.store import Committed
from understudy.records.access import Role
from understudy.records.notes import Note, Remark
from understudy.records.review import Hold
from understudy.records.rulebook import Level
from understudy.testing.scripted import FrozenClock
from understudy.web.users import add_user, make_user_with

COLLEAGUES = {"rosa@shop.example": "rosa"}


class NotedStage:
    """A stage whose drafts are held; `desk` is what its people see. `begins` in Zendesk: the ticket is there from the start."""

    def __init__(
        self,
        build: Any,
        rules: Any,
        desk: HelpDesk,
        *,
        where: str = "notes",
        undo_s: float = 0.0,
        begins: bool = True,
        colleagues: dict[str, str] | None = None,
        automations: frozenset[str] = frozenset(),
        chars_max: int | None = None,
        channel: Any = None,
        **plan: Any,
    ) -> None:
        clock = FrozenClock()
        self.desk = desk
        self.channel = channel or desk.channel(clock)  # type: ignore[attr-defined]
        self.stage = stage = build(channel=self.channel, rules=rules, clock=clock, **plan)
        self.to = "conv-1" if isinstance(desk, Zendesk) else "10"
        kept = {"chat": self.channel}
        terms = Desk(
            where=where,  # type: ignore[arg-type]
            chars_max=chars_max or self.channel.note_chars_max,
            needs_threads=self.channel.needs_threads,
            undo_s=undo_s,
        )
        self.desks = {"chat": terms} if where != "console" else {}
        known = COLLEAGUES if colleagues is None else colleagues
        self.deciding = Deciding(
            stage.store,
            clock,
            desks=self.desks,
            houses={"chat": House(colleagues=known, automations=automations)},
            verdicts=stage.verdicts,
            conversations=stage.conversations,
            undo_s=undo_s,
            claim_lease_s=60.0,
        )
        self.notes = Notes(stage.store, clock, stage, kept, self.desks, limits=NoteLimits(attempts_max=4))
        self.remarks = Remarks(stage.store, clock, stage, kept, self.deciding)
        stage._handlers |= {
            NOTE_JOB: self.notes.look,
            NOTES_JOB: self.notes.write,
            REMARK_JOB: self.remarks.look,
        }
        stage.store.subscribe(self._hear)
        for name, role in (("rosa", Role.REVIEWER), ("vic", Role.VIEWER)):
            user = make_user_with(name, role, "x", now=clock.now())
            stage.store.write_now(lambda tx, user=user: add_user(tx, user, actor="test"))
        if isinstance(desk, Zendesk) and begins:
            desk.begin()
            self.settle()

    def _hear(self, committed: Committed) -> None:
        self.stage.hints.extend(self.notes.hear(committed))

    def deliver(self, times: int = 1) -> None:
        """Bring in all web hooks that wait, each so many times."""
        while self.desk.events:
            where, payload = self.desk.events.popleft()
            for _ in range(times):
                request = self.desk.request(where, payload, self.stage.clock)
                events = self.channel.read_notes(request) if where else self.channel.read(request)
                assert not events.messages, "what people of the help desk write is no customer's message"
                for said in events.remarks:
                    self.stage.run(self.remarks.take("chat", said))

    def settle(self, times: int = 1) -> None:
        """Do everything that is due, on both sides, until nothing happens any more."""
        for _ in range(20):
            self.stage.settle()
            if not self.desk.events:
                return
            self.deliver(times)
        raise AssertionError("the two sides talk for ever")

    def sweep(self) -> None:
        self.stage.run(self.notes.sweep())
        self.stage.run(self.remarks.sweep())
        self.stage.sweep()
        self.settle()

    def pass_time(self, seconds: float) -> None:
        self.stage.clock.advance(seconds)
        self.sweep()

    def ask(self, text: str = "When?", **fields: Any) -> Any:
        """A customer writes; their turn, once all that follows was done."""
        received = self.stage.receive(text, to=self.to, **fields)
        self.settle()
        return self.stage.turn(received.turn_id)

    def remark(self, text: str, **more: Any) -> None:
        """Somebody of the help desk writes, and what follows from it is done."""
        self.desk.remark(text, **more)  # type: ignore[attr-defined]
        self.settle()

    @property
    def customer_got(self) -> list[str]:
        return self.desk.to_customers

    @property
    def noted(self) -> list[str]:
        """What our notes say, in order."""
        return [text for text in self.desk.texts if text.startswith("Understudy:")]

    def holds(self) -> list[Hold]:
        return [one for one in self.stage.all_holds if one.closed_at is None]

    def kept_notes(self, hold: Hold) -> list[Note]:
        return self.stage.read(lambda tx: tx.notes.of_hold(hold.id))  # type: ignore[no-any-return]

    def remarks_left(self) -> list[Remark]:
        return self.stage.read(lambda tx: tx.remarks.due(self.stage.clock.now(), limit=10))  # type: ignore[no-any-return]

    def close(self) -> None:
        self.stage.run(self.channel.close())


@pytest.fixture(params=[Chatwoot, Zendesk])
def desk(request: pytest.FixtureRequest) -> Iterator[Any]:
    """A help desk of each kind, that refused nothing we asked."""
    one = request.param()
    with serving(one):
        yield one
    assert one.refused == [], "a strict help desk refused what we asked"


@pytest.fixture
def make(build: Any, staging: ModuleType) -> Iterator[Callable[..., NotedStage]]:
    """Make stages with a help desk, on which every draft is held."""
    made: list[NotedStage] = []

    def noted(desk: Any, **more: Any) -> NotedStage:
        made.append(NotedStage(build, more.pop("rules", staging.rules(Level.ASSIST)), desk, **more))
        return made[-1]

    yield noted
    for one in made:
        one.close()
