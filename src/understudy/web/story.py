"""`/v1/turns/{id}/story` and `/verification`: one turn with all that is kept of it, as far as whoever asks may know, and its proof."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import BaseModel

from understudy.ports.store import Transaction
from understudy.records.access import Caller, Scope
from understudy.records.autonomy import Label
from understudy.records.conversation import Author
from understudy.records.evidence import NO_FACTS, Evidence
from understudy.records.feedback import Feedback
from understudy.records.outbox import OutboxState, Receipt
from understudy.records.review import Hold, Verdict
from understudy.records.reviewing import SeedOutcome
from understudy.records.rulebook import Grant, Rules
from understudy.records.story import Proof, Story
from understudy.web.auth import LedgerReader, TheApp, TurnsReader
from understudy.web.blind import second_of_turn
from understudy.web.problems import answers
from understudy.web.shapes import ContactOut, LedgerLine, MessageOut, TurnOut
from understudy.web.views import AFTERWARDS, ledger_view, turn_view

router = APIRouter(prefix="/v1/turns", tags=["turns"])


class SentOut(BaseModel):
    """A message to the customer and what its channel answered to each try."""

    id: str
    text: str
    author: str
    author_name: str | None
    state: OutboxState
    attempts: int
    last_error: str | None
    created_at: datetime
    due_at: datetime | None
    receipts: list[Receipt]


class CountedOut(BaseModel):
    """What the draft counts as for the autonomy of its slice: which release, chosen with what probability, the label it got."""

    seq: int
    release: str
    calibrator: str
    is_delivered: bool
    is_sampled: bool
    rate: float
    label: Label | None
    awaits_second: bool


class SecondOut(BaseModel):
    """What the two reviewers of one draft said, neither knowing of the other."""

    hold_id: str
    first: Label
    second: Label
    at: datetime


class SeedOut(BaseModel):
    """This turn was planted: its draft was known to be bad, and nobody was behind it."""

    id: str
    origin: str
    source: str
    outcome: SeedOutcome | None


class StoryOut(BaseModel):
    """One turn with all that is kept of it. `is_whole` False: the caller does not read the ledger, and sees the turn, what was said
    in it and, once nothing of it is secret any more, what people decided and what was sent."""

    is_whole: bool
    turn: TurnOut
    customer: ContactOut | None
    said: list[MessageOut]
    evidence: Evidence | None
    rules: Rules | None
    grant: Grant | None
    spoke: list[str]
    holds: list[Hold]
    verdicts: list[Verdict]
    sent: list[SentOut]
    feedback: list[Feedback]
    counted: CountedOut | None
    seconds: list[SecondOut]
    seed: SeedOut | None
    entries: list[LedgerLine]


class TurnProofsOut(BaseModel):
    """What was compared, and how each stands; `first` and `last` number the ledger's entries of this turn."""

    turn_id: str
    is_intact: bool
    first: int | None
    last: int | None
    proofs: list[Proof]


@router.get("/{turn_id}/story", responses=answers(401, 403, 404))
async def read_story(turn_id: str, app: TheApp, key: TurnsReader, response: Response) -> StoryOut:
    """Read one turn with all that is kept of it: what was asked, seen, found, decided, said by people, sent.

    Without `ledger:read` it is what a reviewer may know: nothing of how reviews are looked at, and of a draft that the caller may
    review a second time nothing of what came after.
    """
    story = await app.audit.story(turn_id)

    def query(tx: Transaction) -> StoryOut:
        view = turn_view(tx, story.turn, reader=key)
        if Scope.LEDGER_READ in key.scopes:
            return _whole(story, view)
        return _in_part(story, view, key, is_blind=second_of_turn(tx, key, turn_id) is not None)

    response.headers["Cache-Control"] = "no-store"
    return await app.store.read(query)


@router.get("/{turn_id}/verification", responses=answers(401, 403, 404))
async def verify_turn(
    turn_id: str,
    app: TheApp,
    key: LedgerReader,  # noqa: ARG001 - its dependency lets only auditors through
) -> TurnProofsOut:
    """Compare a turn with its entries in the ledger, and decide it again from what is stored."""
    proofs = await app.audit.prove_turn(turn_id)
    return TurnProofsOut(
        turn_id=proofs.turn_id,
        is_intact=proofs.is_intact,
        first=proofs.first,
        last=proofs.last,
        proofs=list(proofs.proofs),
    )


def _whole(story: Story, view: TurnOut) -> StoryOut:
    candidate, seed = story.candidate, story.seed
    counted = candidate and CountedOut(
        seq=candidate.seq,
        release=candidate.release,
        calibrator=candidate.calibrator,
        is_delivered=candidate.is_delivered,
        is_sampled=candidate.is_sampled,
        rate=candidate.rate,
        label=candidate.label,
        awaits_second=candidate.awaits_second,
    )
    planted = seed and SeedOut(id=seed.id, origin=seed.origin.value, source=seed.source, outcome=seed.outcome)
    return _base(story, view).model_copy(
        update={
            "is_whole": True,
            "turn": view.model_copy(update={"state": story.turn.state}),
            "evidence": story.evidence,
            "rules": story.rules,
            "grant": story.grant,
            "spoke": list(story.spoke),
            "holds": list(story.holds),
            "verdicts": list(story.verdicts),
            "sent": _sent(story),
            "feedback": list(story.feedback),
            "counted": counted,
            "seconds": [
                SecondOut(hold_id=one.hold_id, first=one.first, second=one.second, at=one.at) for one in story.seconds
            ],
            "seed": planted,
            "entries": [ledger_view(entry) for entry in story.entries],
        }
    )


def _in_part(story: Story, view: TurnOut, key: Caller, *, is_blind: bool) -> StoryOut:
    """What tells of no review that is still to come, nor of how reviews are looked at."""
    base = _base(story, view)
    if Scope.HOLDS_READ not in key.scopes:
        base = base.model_copy(update={"customer": None})
    if is_blind:
        return base
    holds = [hold for hold in story.holds if hold.kind not in AFTERWARDS]
    told = {hold.id for hold in holds}
    verdicts = [verdict for verdict in story.verdicts if verdict.hold_id in told]
    return base.model_copy(update={"holds": holds, "verdicts": verdicts, "sent": _sent(story)})


def _base(story: Story, view: TurnOut) -> StoryOut:
    contact, told = story.contact, NO_FACTS if story.evidence is None else story.evidence.contact
    asked = [one for one in story.said if one.author is Author.CUSTOMER]
    return StoryOut(
        is_whole=False,
        turn=view,
        customer=ContactOut(
            id=contact.id,
            name=contact.name or told.name,
            email=contact.email or next(iter(told.emails), None),
            phone=contact.phone or next(iter(told.phones), None),
        ),
        said=[
            MessageOut(
                seq=one.seq,
                turn_id=one.turn_id,
                author=one.author,
                author_name=one.author_name,
                text=one.text,
                at=one.at,
            )
            for one in asked
        ],
        evidence=None,
        rules=None,
        grant=None,
        spoke=[],
        holds=[],
        verdicts=[],
        sent=[],
        feedback=[],
        counted=None,
        seconds=[],
        seed=None,
        entries=[],
    )


def _sent(story: Story) -> list[SentOut]:
    return [
        SentOut(
            id=one.entry.id,
            text=one.entry.text,
            author=one.entry.author.value,
            author_name=one.entry.author_name,
            state=one.entry.state,
            attempts=one.entry.attempts,
            last_error=one.entry.last_error,
            created_at=one.entry.created_at,
            due_at=one.entry.due_at,
            receipts=list(one.receipts),
        )
        for one in story.sent
    ]
