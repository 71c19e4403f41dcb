"""The JSON that the API answers with, as models, so that OpenAPI describes it; reading the store is `views.py`'s work."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel

from understudy.assessment.summary import SummaryPart
from understudy.records.acting import ActionState
from understudy.records.action_rules import Approver, Reversibility
from understudy.records.assessment import Contribution, Finding, Reason, Span
from understudy.records.conversation import Author, Mode, Origin
from understudy.records.disclosure import Shown, Why
from understudy.records.evidence import Draft, PipelineStep
from understudy.records.facts import About, FactItem, Unknown
from understudy.records.identity import HandleKind, Link, Vouched
from understudy.records.outbox import OutboxState
from understudy.records.pledges import PledgeKind, PledgeState
from understudy.records.review import Hold, Verdict, VerdictKind
from understudy.records.reviewing import Agreed, ReviewerQuality
from understudy.records.survey import Scale, SurveyState
from understudy.records.systems import Write
from understudy.records.tickets import StepState, TicketState
from understudy.records.trust import CapCause
from understudy.records.turn import TurnState
from understudy.web.shapes_win_back import WinBackOut


class DisclosureOut(BaseModel):
    """What a message tells of the AI that wrote it. `shown`: *message*, before its text; *channel*, by the channel itself;
    *caller*, by whoever asked over the API, who has to show it."""

    text: str
    language: str
    version: int
    shown: Shown
    why: Why


class Reply(BaseModel):
    """What was or is being sent for a turn; `text` is without what its `disclosure` tells, which is known once it leaves."""

    text: str
    author: Author
    author_name: str | None
    at: datetime
    state: OutboxState
    origin: Origin | None = None
    disclosure: DisclosureOut | None = None


class ActionOut(BaseModel):
    """An action that a draft proposes: what, with which arguments and limits, where it stands, and what came of it.

    `amount` in the unit of its arguments. `against`: why it is not let through as it is, or only by a lead; empty once that
    was decided. `is_unsure`: nobody knows, or nothing but the system's answer says, that it was done.
    """

    id: str
    name: str
    arguments: dict[str, Any]
    amount: float | None
    state: ActionState
    is_declared: bool = False
    unit: str = ""
    reversibility: Reversibility | None = None
    approver: Approver | None = None
    limits: list[str] = []
    against: list[str] = []
    is_edited: bool = False
    is_unsure: bool = False
    tries: int = 0
    due_at: datetime | None = None
    approved_by: str | None = None
    approved_at: datetime | None = None
    provider_id: str | None = None
    answer: str | None = None
    last_error: str | None = None
    settled_at: datetime | None = None


class TurnOut(BaseModel):
    """A turn with its assessment and its reply; empty where it has not come so far."""

    id: str
    position: int
    conversation_id: str
    channel: str
    topic: str | None
    state: TurnState
    decision: str | None
    reasons: list[Reason]
    confidence: float | None
    contributions: list[Contribution]
    signals: dict[str, float]
    findings: list[Finding]
    draft: Draft | None
    actions: list[ActionOut]
    agent_error: str | None
    is_audited: bool
    superseded_by: str | None
    hold_id: str | None
    reply: Reply | None
    rulebook_id: str | None
    created_at: datetime
    decided_at: datetime | None
    finished_at: datetime | None


class TurnPage(BaseModel):
    """Turns in the order asked for; `next` is the cursor of the following page."""

    items: list[TurnOut]
    next: str | None


class Pipeline(BaseModel):
    """The agent's own log of how a draft was made."""

    turn_id: str
    steps: list[PipelineStep]


class HoldPage(BaseModel):
    """Holds in queue order; `next` is the cursor of the following page."""

    items: list[Hold]
    next: str | None


class ContactOut(BaseModel):
    """The customer."""

    id: str
    name: str | None
    email: str | None
    phone: str | None


class CapOut(BaseModel):
    """Why a contact gets people, and when that ends: at `ends_at`, or after so many contacts that went well."""

    cause: CapCause
    explanation: str
    turn_id: str | None
    since: datetime
    ends_at: datetime | None
    good_contacts: int
    good_contacts_needed: int | None


class HandleOut(BaseModel):
    """By what a contact is known, who vouches for that (`channel`, `software`, `code` or `person`), over which channel and when."""

    kind: HandleKind
    value: str
    how: Vouched
    channel: str
    verified_at: datetime
    verified_by: str


class AddressOut(BaseModel):
    """Where a contact was talked to."""

    conversation_id: str
    channel: str
    address: str


class MemberOut(ContactOut):
    """A contact that is one person with the one asked for. `is_proven`: by handles that both were proven to have, so that
    replies and history follow."""

    is_proven: bool
    handles: list[HandleOut]
    addresses: list[AddressOut]


class OptOutOut(BaseModel):
    """A channel on which a contact wants no messages; `said` is the word."""

    channel: str
    said: str
    since: datetime


class SurveyOut(BaseModel):
    """A turn of which a contact was asked how it was; `score` 1 to 5 where they answered, a thumb as 5 or 1."""

    turn_id: str
    channel: str
    scale: Scale
    state: SurveyState
    score: int | None
    at: datetime


class ContactDetail(ContactOut):
    """The customer, whether they get people, all contacts that are this one person, themselves first, with what is held of them
    and of others, where they want no messages, what they said when they were asked how it was, and what was made of what reached
    them badly."""

    cap: CapOut | None
    group: list[MemberOut]
    links: list[Link]
    opt_outs: list[OptOutOut] = []
    surveys: list[SurveyOut] = []
    win_backs: list[WinBackOut] = []


class ReviewersOut(BaseModel):
    """Reviewers by name; `agreement` is that of any two on the same draft."""

    items: list[ReviewerQuality]
    agreement: Agreed | None


class LetterOut(BaseModel):
    """What came around a message that is a letter. `whole`: what was written before quoted history was taken away, its first
    20,000 characters; null where nothing was taken away, and in old messages of a conversation with much of it. `is_proven`
    false: nobody vouches for the sender."""

    subject: str
    whole: str | None
    is_proven: bool


class MessageOut(BaseModel):
    """Something said in a conversation; `letter` where it is a mail, `disclosure` where it told that an AI writes."""

    seq: int
    turn_id: str | None
    author: Author
    author_name: str | None
    text: str
    at: datetime
    letter: LetterOut | None = None
    origin: Origin | None = None
    disclosure: DisclosureOut | None = None


class ConversationOut(BaseModel):
    """A conversation with its latest messages, oldest first."""

    id: str
    channel: str
    external_id: str
    mode: Mode
    taken_by: str | None
    contact: ContactOut
    messages: list[MessageOut]


class EarlierVerdict(BaseModel):
    """What a colleague said of this turn's draft before it came to a person: why, and what they added for whoever it is."""

    kind: VerdictKind
    reviewer: str
    reasons: list[str]
    text: str | None
    at: datetime


class FactsOut(BaseModel):
    """What a system of record said of the customer before the agent drafted: `items`, or why it is `unknown` and the same in
    words. After `fresh_until` it may be otherwise."""

    system: str
    about: About
    taken_at: datetime
    fresh_until: datetime
    items: list[FactItem]
    has_more: bool
    unknown: Unknown | None
    why: str | None
    says: str


class TicketStepOut(BaseModel):
    """What an open ticket was to be told once its hand-off was over."""

    id: str
    what: Write
    state: StepState
    attempts: int
    last_error: str | None
    created_at: datetime


class TicketOut(BaseModel):
    """A ticket in a system of record for this hand-off; `number` is the system's name for it, `steps` what it is told since."""

    id: str
    system: str
    state: TicketState
    number: str | None
    attempts: int
    last_error: str | None
    created_at: datetime
    steps: list[TicketStepOut] = []


class SaidPledgeOut(BaseModel):
    """What a draft promises, at `span`; once it is sent it becomes a task due at `due_at`, null: the usual time."""

    kind: PledgeKind
    span: Span
    words: str
    due_at: datetime | None


class PledgeOut(BaseModel):
    """Something that was promised to a customer. `made_by`: who let it out or wrote it, null where it left by itself."""

    id: str
    kind: PledgeKind
    state: PledgeState
    contact_id: str
    conversation_id: str
    turn_id: str | None
    author: Author
    made_by: str | None
    words: str
    has_named_time: bool
    made_at: datetime
    due_at: datetime
    ended_at: datetime | None
    ended_by: str | None
    note: str | None


class HoldDetail(BaseModel):
    """A hold and all a reviewer needs to decide on it. `before`: of a hand-off, the verdicts it comes from. `disclosure`:
    what the draft will tell, as the conversation stands now, if it is let out. `draft_pledges`: what it promises; `pledges`:
    what this customer was promised and still has to be kept. `summary`: of a hand-off, what a person needs to know to go on;
    `win_back`: what is proposed to be written to a customer whom a reply let down."""

    hold: Hold
    turn: TurnOut
    conversation: ConversationOut
    before: list[EarlierVerdict] = []
    facts: list[FactsOut] = []
    tickets: list[TicketOut] = []
    draft_pledges: list[SaidPledgeOut] = []
    pledges: list[PledgeOut] = []
    disclosure: DisclosureOut | None = None
    summary: list[SummaryPart] = []
    win_back: WinBackOut | None = None


class VerdictOut(BaseModel):
    """A verdict as stored, and the turn after it; with `undo_until` it is carried out then, unless it is taken back."""

    verdict: Verdict
    turn: TurnOut
    undo_until: datetime | None = None


class TakenBack(BaseModel):
    """A hold that is open again, and the verdict that was taken back."""

    hold: Hold
    verdict: Verdict


class LedgerLine(BaseModel):
    """One entry of the audit log; its hash chains it to the one before."""

    seq: int
    at: datetime
    event: str
    turn_id: str | None
    conversation_id: str | None
    actor: str
    body: dict[str, Any]
    previous: str
    hash: str


class LedgerPage(BaseModel):
    """Ledger entries in order; `next` is the cursor of the following page."""

    items: list[LedgerLine]
    next: str | None
