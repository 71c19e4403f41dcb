"""Prove that what is kept is what was written: the ledger's chain, a turn's documents against its entries, its decision made again.

What does not hold is said in a sentence; nothing is mended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from understudy.errors import MalformedInput, NotFound, UnderstudyError
from understudy.ports.store import Transaction
from understudy.records.assessment import Assessment
from understudy.records.codec import digest, dump
from understudy.records.identity import ERASED, ERASED_KIND
from understudy.records.ledger import GENESIS, LedgerEntry, fault_of, readable_body
from understudy.records.story import ChainProof, Proof, TurnProofs
from understudy.records.turn import Turn

Replay = Callable[[Transaction, str], tuple[Assessment, Assessment]]
"""Decide a past turn again: (as recorded, as computed now)."""

ENTRIES_MAX = 2_000
DOCUMENTS = {"evidence": "turn.gathered", "assessment": "turn.decided"}
"""Documents of a turn, and the entry whose body names the digest of each under the document's own name."""


def prove_chain(tx: Transaction, *, after: int, limit: int) -> ChainProof:
    """Compute the hashes of the `limit` entries behind number `after` again, each following the one before it."""
    head = tx.ledger.head_seq()
    previous, fault = GENESIS, None
    if after:
        before = tx.ledger.entries(after=after - 1, limit=1)
        if not before or before[0].seq != after:
            fault = f"entry {after} is missing"
            return ChainProof(after=after, until=after, head=head, hash=None, fault=fault)
        previous = before[0].hash
    count = after
    for entry in tx.ledger.entries(after=after, limit=limit):
        if (fault := fault_of(entry, seq=count + 1, previous=previous)) is not None:
            break
        previous, count = entry.hash, entry.seq
    looked = previous if count else None
    return ChainProof(after=after, until=count, head=head, hash=looked, fault=fault)


def prove_turn(tx: Transaction, turn_id: str, *, replay: Replay) -> TurnProofs:
    """Compare a turn with its ledger entries and decide it again; raises `NotFound`."""
    turn = tx.turns.get(turn_id)
    entries = tx.trail.entries_of(turn_id, limit=ENTRIES_MAX)
    if _is_erased(tx, turn):
        says = "The customer was erased, and with them what was seen, drafted and said; the ledger keeps the digests."
        erased = (_entries(tx, entries), Proof(what="documents", state="unknown", says=says), _rulebook(tx, turn))
        first, last = (entries[0].seq, entries[-1].seq) if entries else (None, None)
        return TurnProofs(turn_id=turn.id, first=first, last=last, proofs=erased)
    proofs = [
        _entries(tx, entries),
        *_documents(tx, turn, entries),
        *_texts(tx, turn, entries),
        _rulebook(tx, turn),
        _decided_again(tx, turn, replay),
    ]
    first, last = (entries[0].seq, entries[-1].seq) if entries else (None, None)
    return TurnProofs(turn_id=turn.id, first=first, last=last, proofs=tuple(proofs))


def _is_erased(tx: Transaction, turn: Turn) -> bool:
    """Whether what was said in a turn was taken away for good, since somebody it was of was erased."""
    conversation = tx.conversations.get(turn.conversation_id)
    return conversation.external_id == ERASED + conversation.id or tx.artifacts.get(turn.id, ERASED_KIND) is not None


def _entries(tx: Transaction, entries: list[LedgerEntry]) -> Proof:
    """Each entry's own hash, and that it follows the entry before it, whatever that is about."""
    what = "ledger entries"
    for entry in entries:
        previous = GENESIS
        if entry.seq > 1:
            before = tx.ledger.entries(after=entry.seq - 2, limit=1)
            if not before or before[0].seq != entry.seq - 1:
                return Proof(what=what, state="broken", says=f"Entry {entry.seq - 1} of the ledger is missing.")
            previous = before[0].hash
        if (fault := fault_of(entry, seq=entry.seq, previous=previous)) is not None:
            return Proof(what=what, state="broken", says=f"The ledger is broken: {fault}.")
    if not entries:
        return Proof(what=what, state="broken", says="The ledger has no entry of this turn.")
    says = f"All {len(entries)} entries of this turn have the hash that follows from them, and each follows the one before it."
    return Proof(what=what, state="holds", says=says)


def _documents(tx: Transaction, turn: Turn, entries: list[LedgerEntry]) -> Iterator[Proof]:
    """What was seen and what was found are as they were when the ledger took their digests down."""
    for kind in DOCUMENTS:
        told = [name for entry in entries if (name := readable_body(entry).get(kind)) is not None]
        if told:
            yield _compared(kind, tx.artifacts.get(turn.id, kind), str(told[-1]))
    drafted = next((readable_body(entry) for entry in reversed(entries) if entry.event == "turn.drafted"), None)
    if drafted is not None:
        kind = "agent_error" if drafted.get("failed") else "draft"
        yield _compared(kind, tx.artifacts.get(turn.id, kind), str(drafted.get("document")))


def _compared(kind: str, stored: str | None, told: str) -> Proof:
    name = kind.replace("_", "'s ") if kind == "agent_error" else kind
    if stored is None:
        return Proof(what=kind, state="broken", says=f"The {name} is gone, and the ledger tells of one.")
    if digest(stored) != told:
        return Proof(what=kind, state="broken", says=f"The {name} was changed since the ledger took it down.")
    return Proof(what=kind, state="holds", says=f"The {name} is what the ledger took down, letter for letter.")


def _texts(tx: Transaction, turn: Turn, entries: list[LedgerEntry]) -> Iterator[Proof]:
    """What was to be sent and what reviewers wrote."""
    queued = {
        str(readable_body(one).get("outbox")): readable_body(one).get("text")
        for one in entries
        if one.event == "outbox.queued"
    }
    given = {
        str(readable_body(one).get("verdict")): readable_body(one) for one in entries if one.event == "verdict.given"
    }
    for message in tx.outbox.of_turn(turn.id):
        told = queued.pop(message.id, None)
        yield _text("reply", message.id, message.text, told, is_told=told is not None)
    for verdict in tx.verdicts.of_turn(turn.id):
        body = given.pop(verdict.id, None)
        if body is None or (body.get("kind"), body.get("reasons")) != (verdict.kind.value, list(verdict.reasons)):
            says = f"The verdict {verdict.id} by {verdict.reviewer} is not the one that the ledger tells of."
            yield Proof(what="verdict", state="broken", says=says)
        else:
            yield _text("verdict", f"{verdict.id} by {verdict.reviewer}", verdict.text, body.get("text"), is_told=True)
    for kind, gone in (("reply", queued), ("verdict", given)):
        for name in gone:
            yield Proof(what=kind, state="broken", says=f"The {kind} {name} is gone, and the ledger tells of it.")


def _text(what: str, name: str, stored: str | None, told: Any, *, is_told: bool) -> Proof:
    if not is_told:
        return Proof(what=what, state="broken", says=f"The {what} {name} is not in the ledger.")
    if (None if stored is None else digest(stored)) != told:
        return Proof(what=what, state="broken", says=f"The words of the {what} {name} were changed since.")
    return Proof(what=what, state="holds", says=f"The {what} {name} is as the ledger took it down.")


def _rulebook(tx: Transaction, turn: Turn) -> Proof:
    if turn.rulebook_id is None:
        return Proof(what="rulebook", state="unknown", says="No rulebook was asked yet.")
    try:
        rules = tx.rulebooks.get(turn.rulebook_id).rules
    except NotFound:
        return Proof(what="rulebook", state="broken", says=f"The rulebook {turn.rulebook_id[:12]} is gone.")
    except MalformedInput as error:
        return Proof(
            what="rulebook", state="broken", says=f"The rulebook {turn.rulebook_id[:12]} cannot be read: {error}."
        )
    if digest(dump(rules)) != turn.rulebook_id:
        says = f"The rulebook {turn.rulebook_id[:12]} does not say what its name is the digest of."
        return Proof(what="rulebook", state="broken", says=says)
    return Proof(
        what="rulebook", state="holds", says=f"The rulebook {turn.rulebook_id[:12]} says what its name stands for."
    )


def _decided_again(tx: Transaction, turn: Turn, replay: Replay) -> Proof:
    if tx.artifacts.get(turn.id, "assessment") is None:
        return Proof(what="replay", state="unknown", says="Nothing was decided yet, so nothing can be decided again.")
    try:
        recorded, again = replay(tx, turn.id)
    except (UnderstudyError, AssertionError, ValueError) as error:
        return Proof(what="replay", state="broken", says=f"It cannot be decided again: {error}.")
    if dump(recorded) != dump(again):
        says = (
            f"Decided again from what is stored it comes out otherwise: {again.decision.kind.value} instead of "
            f"{recorded.decision.kind.value}. Either something stored was changed, or the checks of this program are "
            "not those it was decided by."
            if recorded.decision != again.decision
            else "Decided again from what is stored the decision is the same, and what the checks say of it is not."
        )
        return Proof(what="replay", state="broken", says=says)
    says = f"Decided again from what is stored it comes out the same, bit for bit: {recorded.decision.kind.value}."
    return Proof(what="replay", state="holds", says=says)
