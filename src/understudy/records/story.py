"""Everything that is kept of one turn, in one record; how it is told is for whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from understudy.records.assessment import Assessment
from understudy.records.autonomy import Candidate
from understudy.records.conversation import Contact, Conversation, Message
from understudy.records.evidence import Evidence
from understudy.records.feedback import Feedback
from understudy.records.ledger import LedgerEntry
from understudy.records.outbox import OutboxEntry, Receipt
from understudy.records.review import Hold, Verdict
from understudy.records.reviewing import SecondReview, Seed
from understudy.records.rulebook import Grant, Rules
from understudy.records.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message to the customer, and what its channel answered to each try."""

    entry: OutboxEntry
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One turn: what was asked, what was seen, decided, said by people and sent, and the ledger's own lines of it.

    `said` are the messages of this turn alone; what the agent knew of those before stands in `evidence`. Documents are
    None where the turn has not come so far. `spoke` names the rules that had something to say, the one that decided first;
    `grant` is what the slice was granted at that moment.
    """

    turn: Turn
    conversation: Conversation
    contact: Contact
    said: tuple[Message, ...]
    evidence: Evidence | None
    rules: Rules | None
    grant: Grant | None
    spoke: tuple[str, ...]
    assessment: Assessment | None
    agent_error: str | None
    holds: tuple[Hold, ...]
    verdicts: tuple[Verdict, ...]
    sent: tuple[Sent, ...]
    feedback: tuple[Feedback, ...]
    candidate: Candidate | None
    seconds: tuple[SecondReview, ...]
    seed: Seed | None
    entries: tuple[LedgerEntry, ...]


ProofState = Literal["holds", "broken", "unknown"]
"""Whether something is as it should be; *unknown*: there is nothing to compare it with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One thing that was compared, and how it stands, in a sentence."""

    what: str
    state: ProofState
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnProofs:
    """What was proved of a turn: of its ledger entries `first` to `last`, of its documents, and of its decision."""

    turn_id: str
    first: int | None
    last: int | None
    proofs: tuple[Proof, ...]

    @property
    def is_intact(self) -> bool:
        """Whether nothing is broken."""
        return not any(proof.state == "broken" for proof in self.proofs)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProof:
    """A stretch of the ledger whose hashes were computed again: entries `after` + 1 to `until`, of `head` in all.

    `hash` is that of the entry `until`, None where nothing was looked at. `fault` says what is wrong with the first that does not
    hold; `until` is then the last before it.
    """

    after: int
    until: int
    head: int
    hash: str | None
    fault: str | None

    @property
    def is_whole(self) -> bool:
        """Whether it goes to the end of the ledger."""
        return self.fault is None and self.until >= self.head
