"""The last answers in matters of customers and what became of them, counted in SQL; what that means is worked out in `quality/`.

A matter is a person and a topic, over all their conversations: contacts are one person where both were proven to have the same handle, and
never because somebody says so. The statement walks over the turns decided in a time by
their index, puts those of a matter in their order, and groups.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Integer,
    String,
    Text,
    and_,
    case,
    exists,
    func,
    literal_column,
    or_,
    select,
    type_coerce,
)

from understudy.adapters.stores.decided import IN_TIME, SERVED, SLICE, TOLD, given, micro, number_of, of_part
from understudy.adapters.stores.identity_tables import links
from understudy.adapters.stores.oversight_tables import feedback
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import conversations, messages, turns
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author
from understudy.records.feedback import FeedbackKind
from understudy.records.identity import LinkCause, LinkState
from understudy.records.quality import Part
from understudy.records.resolution import GOES_ON, Outcome, ResolutionTally
from understudy.records.turn import TurnState

LOOK_AHEAD: Final = timedelta(days=1)
"""So much later than a customer may come back a turn of theirs may be decided."""

_PROVEN = (among(links.c.state, [LinkState.LINKED]), among(links.c.cause, [LinkCause.HANDLE]))
_linked = (
    select(type_coerce(links.c.one, Text).label("first"), type_coerce(links.c.other, Text).label("contact_id"))
    .where(*_PROVEN)
    .cte("linked", recursive=True)
)
_linked = _linked.union(
    select(_linked.c.first, case((links.c.one == _linked.c.contact_id, links.c.other), else_=links.c.one))
    .select_from(_linked.join(links, or_(links.c.one == _linked.c.contact_id, links.c.other == _linked.c.contact_id)))
    .where(*_PROVEN)
)
_person = (
    select(_linked.c.contact_id, func.min(_linked.c.first).label("first"))
    .group_by(_linked.c.contact_id)
    .subquery("person")
)
"""Who of several linked contacts stands for all of them: whoever is first of those that begin a link, from which all are reached."""

_scoped: Any = (
    select(
        turns.c.id,
        turns.c.conversation_id,
        turns.c.state,
        turns.c.decision,
        number_of(turns.c.decided_at).label("decided"),
        number_of(turns.c.finished_at).label("finished"),
        func.lead(number_of(turns.c.created_at))
        .over(
            partition_by=(func.coalesce(_person.c.first, conversations.c.contact_id), SLICE[0]),
            order_by=turns.c.position,
        )
        .label("next"),
        *(case((part, 1), else_=0).label(f"is_part_{place}") for place, part in enumerate(of_part())),
    )
    .select_from(
        turns.join(conversations, conversations.c.id == turns.c.conversation_id).outerjoin(
            _person, _person.c.contact_id == conversations.c.contact_id
        )
    )
    .where(*IN_TIME, SERVED, TOLD)
    .subquery("scoped")
)
_SAID_OF = literal_column("feedback.turn_id || ''", String)
_heard = (
    select(
        _SAID_OF.label("turn_id"),
        func.max(case((among(feedback.c.kind, [FeedbackKind.THUMBS_UP]), 1), else_=0)).label("up"),
        func.max(case((among(feedback.c.kind, [FeedbackKind.COMPLAINT, FeedbackKind.THUMBS_DOWN]), 1), else_=0)).label(
            "bad"
        ),
    )
    .where(number_of(feedback.c.at) >= given("start"))
    .group_by(_SAID_OF)
    .subquery("heard")
)
_by_hand = exists().where(
    messages.c.conversation_id == _scoped.c.conversation_id,
    among(messages.c.author, [Author.REVIEWER]),
    number_of(messages.c.at) > _scoped.c.finished,
    or_(_scoped.c.next.is_(None), number_of(messages.c.at) < _scoped.c.next),
)
_IS_BAD = _heard.c.bad == literal_column("1", Integer)
_ALONE = case((and_(among(_scoped.c.decision, [DecisionKind.DELIVER]), or_(_IS_BAD, ~_by_hand)), 1), else_=0)
"""Where a person wrote of their own accord after the agent, theirs is the last answer; what the customer said is of the agent's."""
_OUTCOMES: Final = (Outcome.EARLY, Outcome.BACK, Outcome.BAD, Outcome.CONFIRMED, Outcome.SILENT)


def _code(outcome: Outcome) -> ColumnElement[int]:
    return literal_column(str(_OUTCOMES.index(outcome)), Integer)


_OUTCOME = case(
    (_scoped.c.finished > given("settled"), _code(Outcome.EARLY)),
    (_scoped.c.next <= _scoped.c.finished + given("within"), _code(Outcome.BACK)),
    (_IS_BAD, _code(Outcome.BAD)),
    (_heard.c.up == literal_column("1", Integer), _code(Outcome.CONFIRMED)),
    else_=_code(Outcome.SILENT),
)
_LAST_ANSWERS = Statement(
    select(_ALONE, _OUTCOME, func.count())
    .select_from(_scoped.outerjoin(_heard, _heard.c.turn_id == _scoped.c.id))
    .where(
        _scoped.c.decided < given("end"),
        among(_scoped.c.state, [TurnState.ANSWERED]),
        among(_scoped.c.decision, [DecisionKind.DELIVER, DecisionKind.HOLD, DecisionKind.HAND_OFF]),
        or_(_scoped.c.next.is_(None), _scoped.c.next > _scoped.c.finished + given("goes_on")),
        *(_scoped.c[f"is_part_{place}"] == literal_column("1", BigInteger) for place in range(3)),
    )
    .group_by(literal_column("1"), literal_column("2"))
)


def last_answers(
    session: Session, since: datetime, until: datetime, part: Part, *, within: timedelta, now: datetime
) -> list[ResolutionTally]:
    """Count the last answers that were decided in a time; see `ports.figures.Figures`."""
    rows = session.rows(
        _LAST_ANSWERS,
        since=since,
        until=until + within + LOOK_AHEAD,
        start=micro(since),
        end=micro(until),
        settled=micro(now - within),
        within=within // timedelta(microseconds=1),
        goes_on=GOES_ON // timedelta(microseconds=1),
        of_topic=part.topic,
        of_channel=part.channel,
        of_release=part.release,
    )
    return [
        ResolutionTally(alone=bool(alone), outcome=_OUTCOMES[int(code)], answers=int(count))
        for alone, code, count in rows
    ]
