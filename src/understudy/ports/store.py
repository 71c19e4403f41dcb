"""The store as a port: one small protocol per record, reached through a transaction; it stores and judges nothing.

A step is a plain function of a transaction: `await store.write(step)`. It cannot await, so no network call can ever
happen while a transaction is open. Steps of parallel callers are committed in groups; each succeeds or fails alone,
and `write` returns only when the group is safely on disk. A step may run again from the start where the database
asks for it, so it must have no effect outside its transaction; jobs are announced after the commit.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from understudy.ports.access import IdempotencyKeys, Keys, Users
from understudy.ports.acting import Actions
from understudy.ports.asked import OptOuts, Surveys
from understudy.ports.calls import AgentCalls
from understudy.ports.desk import Desk, WaitingVerdicts
from understudy.ports.evaluation import Gates, Runs
from understudy.ports.figures import Failures, Figures
from understudy.ports.identities import Erasures, Identities
from understudy.ports.learned import Calibrators, Candidates, Epochs, Redrafts, Stops, Topics
from understudy.ports.notes import Notes, Remarks
from understudy.ports.oversight import Caps, Feedbacks, Reviews, Seeds
from understudy.ports.pledges import Pledges
from understudy.ports.pulls import Envelopes, Pulls
from understudy.ports.releases import Releases
from understudy.ports.sending import Outbox
from understudy.ports.spread import PendingGates, SpreadRuns
from understudy.ports.staffing import Assignments
from understudy.ports.summaries import Summaries
from understudy.ports.tickets import Contracts, Tickets, TicketSteps
from understudy.ports.trail import Processes, Trail
from understudy.ports.win_backs import WinBacks
from understudy.records.conversation import Contact, Conversation, Inbound, Message
from understudy.records.ledger import LedgerEntry
from understudy.records.review import Hold, HoldState, Verdict, Waiting
from understudy.records.rulebook import Rulebook
from understudy.records.turn import Job, Turn, TurnState

T = TypeVar("T")


class Contacts(Protocol):
    """Customers, found again by their address on a channel."""

    def resolve(self, channel: str, inbound: Inbound, *, new_id: str, now: datetime) -> Contact:
        """Find the contact behind an address or add one under `new_id`; newly given facts fill empty fields only."""
        ...

    def get(self, contact_id: str) -> Contact:
        """Read one; raises `NotFound`."""
        ...


class Conversations(Protocol):
    """Threads, one per channel and external id."""

    def find(self, channel: str, external_id: str) -> Conversation | None: ...

    def get(self, conversation_id: str) -> Conversation:
        """Read one; raises `NotFound`."""
        ...

    def of_contact(self, contact_id: str, *, limit: int) -> list[Conversation]:
        """The conversations of one contact, the latest begun first; rehearsals, behind which nobody is, included."""
        ...

    def add(self, conversation: Conversation) -> None: ...

    def change(self, conversation: Conversation) -> None:
        """Write mode, taken_by and address; one in rehearsal stays in it, whatever is asked."""
        ...


class Messages(Protocol):
    """What was said, in order of `seq`."""

    def known(self, channel: str, provider_id: str) -> Message | None:
        """Find the message a provider's id was stored as."""
        ...

    def add(self, message: Message, *, channel: str) -> Message:
        """Add one and return it with its `seq`."""
        ...

    def of_conversation(self, conversation_id: str, *, after: int = 0, limit: int = 200) -> list[Message]:
        """The last `limit` messages with `seq` > `after`, oldest first."""
        ...

    def of_turn(self, turn_id: str) -> list[Message]: ...

    def move(self, conversation_id: str, *, from_turn: str, to_turn: str) -> None:
        """Give a superseded turn's customer messages to the turn that answers them now."""
        ...


class Turns(Protocol):
    """Turns; every change is a compare-and-set on state and token."""

    def add(self, turn: Turn) -> Turn:
        """Add one and return it with its `position`, which orders turns inside a conversation."""
        ...

    def get(self, turn_id: str) -> Turn:
        """Read one; raises `NotFound`."""
        ...

    def open_of(self, conversation_id: str) -> list[Turn]:
        """The open turns of a conversation, oldest first."""
        ...

    def latest_of(self, conversation_id: str) -> Turn | None: ...

    def of_contact(self, contact_id: str, *, limit: int) -> list[Turn]:
        """The last turns of a contact over all conversations, newest first."""
        ...

    def advance(self, turn: Turn, *path: TurnState, **changes: Any) -> Turn:
        """Take one legal transition, or several at once, writing `changes` under a new token.

        Raises `StepSuperseded` where state or token moved on, and `ValueError` for a way that is not in the table.
        """
        ...

    def touch(self, turn: Turn, **changes: Any) -> Turn:
        """Write `changes` without a transition, under the same compare-and-set."""
        ...

    def renew(self, turn: Turn, *, until: datetime) -> None:
        """Move `due_at` of a turn that is as it was read, or do nothing; no news, so it needs no ledger entry."""
        ...

    def backlog(self) -> int:
        """Count the turns in which the system has the next move."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Turn]:
        """Working turns whose `due_at` has passed, the longest waiting first."""
        ...

    def decided_since(self, topic: str, channel: str, since: datetime) -> tuple[int, int]:
        """Count a slice's automatic and its safe replies since then, turns about to be decided included in both."""
        ...

    def listed(self, *, after: int, limit: int) -> list[Turn]:
        """Turns with `position` > `after`, oldest first."""
        ...


class Artifacts(Protocol):
    """The bulky documents of a turn as canonical JSON, by kind: transcript, draft, evidence, assessment."""

    def put(self, turn_id: str, kind: str, body: str) -> str:
        """Store one and return its digest; a second of the same kind replaces the first."""
        ...

    def get(self, turn_id: str, kind: str) -> str | None: ...


class Holds(Protocol):
    """What waits for people."""

    def add(self, hold: Hold) -> None: ...

    def get(self, hold_id: str) -> Hold:
        """Read one; raises `NotFound`."""
        ...

    def open_of_turn(self, turn_id: str) -> list[Hold]: ...

    def open_of_conversation(self, conversation_id: str) -> list[Hold]: ...

    def change(self, hold: Hold, *, was: int) -> None:
        """Write a hold whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...

    def renew(self, hold: Hold, *, until: datetime) -> None:
        """Lengthen a claim. It is no news, so it needs no ledger entry."""
        ...

    def queue(
        self,
        *,
        state: HoldState | None,
        after: tuple[int, datetime, str] | None,
        limit: int,
        reader: str | None = None,
    ) -> list[Hold]:
        """Holds in queue order (priority, created_at, id), after a position; without those that `reader` is barred from, and
        of one state without those decided on that may be taken back, or that only another help desk's people have."""
        ...

    def waiting(self, *, limit: int, reader: str, only: Collection[str] | None = None) -> list[Waiting]:
        """Holds with what a list says of each, in queue order, without those that `reader` is barred from: all open ones that
        nobody decided on yet, or those with the ids `only`, whatever their state."""
        ...

    def due(self, now: datetime, *, limit: int) -> list[Hold]:
        """Open holds whose expiry has passed and that were not raised yet."""
        ...

    def count_open(self) -> int: ...


class Verdicts(Protocol):
    """What people decided."""

    def add(self, verdict: Verdict) -> None: ...

    def of_turn(self, turn_id: str) -> list[Verdict]: ...


class Ledger(Protocol):
    """The append-only audit log."""

    def append(
        self,
        event: str,
        *,
        at: datetime,
        turn_id: str | None = None,
        conversation_id: str | None = None,
        actor: str = "system",
        **body: Any,
    ) -> LedgerEntry:
        """Chain one entry; `body` must be plain JSON data without message text."""
        ...

    def head_seq(self) -> int:
        """The `seq` of the latest entry; 0 where there is none."""
        ...

    def entries(self, *, after: int = 0, limit: int = 1000) -> list[LedgerEntry]:
        """Entries with `seq` > `after`, in order."""
        ...

    def of_autonomy(self, *, limit: int) -> list[LedgerEntry]:
        """The latest entries on levels, promotions, stops, ends of evidence, latest first; none that only counts labels."""
        ...


class Rulebooks(Protocol):
    """Every rulebook ever in force, by id."""

    def put(self, rulebook: Rulebook, *, now: datetime) -> bool:
        """Store one; False where it was there already."""
        ...

    def get(self, rulebook_id: str) -> Rulebook:
        """Read one; raises `NotFound`."""
        ...


class Transaction(Protocol):
    """Everything one step may read and write."""

    @property
    def contacts(self) -> Contacts: ...
    @property
    def conversations(self) -> Conversations: ...
    @property
    def messages(self) -> Messages: ...
    @property
    def turns(self) -> Turns: ...
    @property
    def artifacts(self) -> Artifacts: ...
    @property
    def holds(self) -> Holds: ...
    @property
    def verdicts(self) -> Verdicts: ...
    @property
    def waiting_verdicts(self) -> WaitingVerdicts: ...
    @property
    def desk(self) -> Desk: ...
    @property
    def outbox(self) -> Outbox: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def rulebooks(self) -> Rulebooks: ...
    @property
    def keys(self) -> Keys: ...
    @property
    def idempotency(self) -> IdempotencyKeys: ...
    @property
    def users(self) -> Users: ...
    @property
    def calls(self) -> AgentCalls: ...
    @property
    def candidates(self) -> Candidates: ...
    @property
    def epochs(self) -> Epochs: ...
    @property
    def calibrators(self) -> Calibrators: ...
    @property
    def stops(self) -> Stops: ...
    @property
    def topics(self) -> Topics: ...
    @property
    def redrafts(self) -> Redrafts: ...
    @property
    def seeds(self) -> Seeds: ...
    @property
    def reviews(self) -> Reviews: ...
    @property
    def feedback(self) -> Feedbacks: ...
    @property
    def caps(self) -> Caps: ...
    @property
    def opt_outs(self) -> OptOuts: ...
    @property
    def surveys(self) -> Surveys: ...
    @property
    def figures(self) -> Figures: ...
    @property
    def failures(self) -> Failures: ...
    @property
    def runs(self) -> Runs: ...
    @property
    def gates(self) -> Gates: ...
    @property
    def releases(self) -> Releases: ...
    @property
    def spread(self) -> SpreadRuns: ...
    @property
    def pending_gates(self) -> PendingGates: ...
    @property
    def trail(self) -> Trail: ...
    @property
    def processes(self) -> Processes: ...
    @property
    def pulls(self) -> Pulls: ...
    @property
    def envelopes(self) -> Envelopes: ...
    @property
    def tickets(self) -> Tickets: ...
    @property
    def pledges(self) -> Pledges: ...
    @property
    def assignments(self) -> Assignments: ...
    @property
    def ticket_steps(self) -> TicketSteps: ...
    @property
    def contracts(self) -> Contracts: ...
    @property
    def notes(self) -> Notes: ...
    @property
    def remarks(self) -> Remarks: ...
    @property
    def actions(self) -> Actions: ...
    @property
    def identities(self) -> Identities: ...
    @property
    def summaries(self) -> Summaries: ...
    @property
    def win_backs(self) -> WinBacks: ...
    @property
    def erasures(self) -> Erasures: ...

    def announce(self, job: Job, *, at: datetime | None = None) -> None:
        """Hint a job once this transaction is committed, now or not before `at`."""
        ...

    def keep(self, job: Job) -> None:
        """Tell nobody of a job that was announced: who runs this step goes on with it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Committed:
    """What a group commit made true: ledger entries in order, and the jobs it announced."""

    entries: Sequence[LedgerEntry]
    jobs: Sequence[tuple[Job, datetime | None]]


class Store(Protocol):
    """Where everything is kept."""

    def write(self, step: Callable[[Transaction], T]) -> Awaitable[T]:
        """Run a step and commit it; a step that raises changes nothing and its exception comes back.

        A step that changed a record must have appended to the ledger, else `AssertionError` and nothing is stored.
        """
        ...

    def read(self, query: Callable[[Transaction], T]) -> Awaitable[T]:
        """Run a query on one consistent snapshot; it must not write."""
        ...

    def subscribe(self, listener: Callable[[Committed], None]) -> None:
        """Call `listener` after every commit, from the store's own thread; it must be quick and not raise."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        ...
