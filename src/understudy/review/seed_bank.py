"""Take known-bad drafts from turn records into the bank of seeds; when one is planted is not decided here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from understudy.assessment.assess import assess
from understudy.assessment.cards import mask_all
from understudy.assessment.check import Check
from understudy.assessment.recorded import evidence_of
from understudy.errors import MalformedInput
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.records.assessment import DecisionKind
from understudy.records.codec import build, digest, dump, plain
from understudy.records.conversation import Author
from understudy.records.evidence import ChatMessage, Evidence
from understudy.records.review import VerdictKind
from understudy.records.reviewing import Line, Scene, Seed, SeedCount, SeedOrigin
from understudy.records.rulebook import Rulebook
from understudy.records.wire import TurnRecord

SECONDS_BETWEEN = 40.0
"""Turn records do not say when each message was sent: as if people had written one after the other."""
DRAFTED_WITHIN_S = 2.0
NAME_CHARS_MAX = 200
LEFT_LOOKED_AT = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Added:
    """How many seeds are new, and how many were known by their id."""

    added: int
    known: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Bank:
    """What there is: seeds of files not planted yet, and what became of those that were, of files and of history."""

    left: int
    count: SeedCount


class SeedBank:
    """See the module. Each record is assessed once, when it is added, as a turn whose slice is in assist."""

    def __init__(self, store: Store, clock: Clock, rulebook: Rulebook, checks: tuple[Check, ...]) -> None:
        rules = replace(rulebook.rules, grants=(), earned=None, opinions=())
        self._store = store
        self._clock = clock
        self._rulebook = Rulebook(id=digest(dump(rules)), rules=rules)
        self._checks = checks

    async def add(self, records: Sequence[tuple[str, TurnRecord]], *, by: str) -> Added:
        """Add records, each with the words that name its place (`FILE, line 3`); all or none.

        Raises `MalformedInput` for a record that cannot pass for a draft on hold: approved by people, without a
        customer's message, handed off or answered by a safe reply whatever its draft, or another's id.
        """
        seeds = [self._seed(place, record, by) for place, record in records]
        names = [seed.source for seed in seeds]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise MalformedInput(f"the id {twice!r} stands on two lines; give each turn record its own")

        def step(tx: Transaction) -> Added:
            known = tx.seeds.known(names)
            fresh = [seed for seed in seeds if seed.source not in known]
            if fresh and tx.rulebooks.put(self._rulebook, now=self._clock.now()):
                tx.ledger.append("rulebook.added", at=self._clock.now(), rulebook=self._rulebook.id)
            for seed in fresh:
                tx.seeds.add(seed)
                tx.ledger.append("seed.added", at=seed.added_at, actor=by, seed=seed.id, source=seed.source)
            return Added(added=len(fresh), known=len(known))

        return await self._store.write(step)

    async def look(self) -> Bank:
        """Say what there is."""
        return await self._store.read(
            lambda tx: Bank(left=len(tx.seeds.unplanted(limit=LEFT_LOOKED_AT)), count=tx.seeds.count())
        )

    def _seed(self, place: str, record: TurnRecord, by: str) -> Seed:
        if len(record.id) > NAME_CHARS_MAX:
            raise MalformedInput(f"{place}: the id has {len(record.id)} characters; at most {NAME_CHARS_MAX} are taken")
        if record.verdict is not None and record.verdict.action == VerdictKind.APPROVE:
            raise MalformedInput(f"{place}: turn record {record.id!r} was approved; a seed must be known to be bad")
        evidence = build(Evidence, mask_all(plain(evidence_of(record, self._rulebook.rules))))
        if not evidence.burst or evidence.draft is None or not evidence.draft.text.strip():
            raise MalformedInput(f"{place}: turn record {record.id!r} has no customer's message, or no draft, to show")
        assessment = assess(evidence, self._rulebook, checks=self._checks)
        decision = assessment.decision
        if decision.kind is not DecisionKind.HOLD:
            reasons = ", ".join(reason.code for reason in decision.reasons)
            raise MalformedInput(
                f"{place}: turn record {record.id!r} would never wait as a draft: {decision.kind.value} ({reasons}); "
                "take it out of the file"
            )
        scene = Scene(
            lines=_lines(evidence.messages, evidence.burst),
            draft=dump(evidence.draft),
            evidence=dump(evidence),
            assessment=dump(assessment),
            contact_id=None,
            contact_name=evidence.contact.name,
            external_id=evidence.conversation_id,
            took_s=DRAFTED_WITHIN_S,
        )
        return Seed(
            id=self._clock.new_id("seed"),
            origin=SeedOrigin.FILE,
            source=record.id,
            topic=evidence.topic,
            channel=evidence.channel,
            added_by=by,
            added_at=self._clock.now(),
            body=dump(scene),
        )


def _lines(messages: tuple[ChatMessage, ...], burst: int) -> tuple[Line, ...]:
    """What was said, the last message just before the draft."""
    said = [
        (place, message)
        for place, message in enumerate(messages)
        if message.role in ("user", "assistant") and (message.content or "").strip()
    ]
    return tuple(
        Line(
            author=Author.CUSTOMER if message.role == "user" else (Author.REVIEWER if message.person else Author.AGENT),
            author_name=None,
            text=message.content or "",
            before_s=DRAFTED_WITHIN_S + SECONDS_BETWEEN * (len(said) - number),
            is_asked=place >= len(messages) - burst and message.role == "user",
        )
        for number, (place, message) in enumerate(said, start=1)
    )
