"""How well people review, and what customers say, in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache

from sqlalchemy import bindparam, delete, func, or_, select, text, update

from understudy.adapters.stores.known_autonomy import KnownAutonomy
from understudy.adapters.stores.oversight_tables import (
    barred,
    caps,
    discounts,
    feedback,
    frequencies,
    judgements,
    second_reviews,
    seeds,
)
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import conversations, holds, turns, verdicts
from understudy.records.assessment import DecisionKind
from understudy.records.feedback import Feedback, Frequency, Stir
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.reviewing import Discount, Judgement, Rejected, SecondReview, Seed, SeedCount, SeedOutcome
from understudy.records.trust import Cap
from understudy.records.turn import TurnState

_SEED = columns_of(seeds, Seed)
_ADD_SEED = insert_into(seeds)
_CHANGE_SEED = Statement(
    update(seeds)
    .where(seeds.c.id == bindparam("which"))
    .values({column.name: bindparam(column.name) for column in _SEED if column.name != "id"})
)
_SEED_OF_TURN = Statement(select(*_SEED).where(seeds.c.turn_id == bindparam("turn_id")))
_UNPLANTED = Statement(
    select(*_SEED).where(seeds.c.planted_at.is_(None)).order_by(seeds.c.added_at, seeds.c.id).limit(bindparam("limit"))
)
_KNOWN_SOURCE = Statement(select(seeds.c.source).where(seeds.c.source == bindparam("source")))
_REJECTED = Statement(
    select(verdicts.c.turn_id, verdicts.c.reviewer, verdicts.c.kind, verdicts.c.reasons, verdicts.c.at)
    .join(holds, holds.c.id == verdicts.c.hold_id)
    .join(turns, turns.c.id == verdicts.c.turn_id)
    .where(
        verdicts.c.at < bindparam("before"),
        or_(among(verdicts.c.kind, [VerdictKind.REJECT]), verdicts.c.reasons != ()),
        among(holds.c.kind, [HoldKind.DRAFT]),
        ~among(turns.c.state, [TurnState.SPENT]),
        ~select(seeds.c.id).where(seeds.c.source == verdicts.c.turn_id).exists(),
    )
    .order_by(verdicts.c.at.desc(), verdicts.c.id)
    .limit(bindparam("limit"))
)


@cache
def _count(*, of_one: bool) -> Statement:
    wanted = select(seeds.c.outcome, func.count()).where(
        among(seeds.c.outcome, [SeedOutcome.CAUGHT, SeedOutcome.MISSED])
    )
    if of_one:
        wanted = wanted.where(seeds.c.reviewer == bindparam("reviewer"))
    return Statement(wanted.group_by(seeds.c.outcome))


_JUDGEMENT = columns_of(judgements, Judgement)
_ADD_JUDGEMENT = insert_into(judgements)
_REVIEWERS = Statement(select(judgements.c.reviewer).distinct().order_by(judgements.c.reviewer))
_OF_REVIEWER = Statement(
    select(*_JUDGEMENT)
    .where(judgements.c.reviewer == bindparam("reviewer"))
    .order_by(judgements.c.at.desc(), judgements.c.verdict_id)
    .limit(bindparam("limit"))
)
_OTHER = Statement(
    select(judgements.c.verdict_id)
    .where(judgements.c.at >= bindparam("since"), judgements.c.reviewer != bindparam("reviewer"))
    .limit(1)
)
_BAR = insert_into(barred)
_BARRED = Statement(
    select(barred.c.hold_id).where(barred.c.hold_id == bindparam("hold_id"), barred.c.reviewer == bindparam("reviewer"))
)
_SECOND = columns_of(second_reviews, SecondReview)
_ADD_SECOND = insert_into(second_reviews)


@cache
def _seconds(*, of_one: bool) -> Statement:
    page = select(*_SECOND).order_by(second_reviews.c.at.desc(), second_reviews.c.hold_id).limit(bindparam("limit"))
    if of_one:
        one = bindparam("reviewer", type_=second_reviews.c.first_by.type)
        page = page.where(or_(second_reviews.c.first_by == one, second_reviews.c.second_by == one))
    return Statement(page)


_ADD_DISCOUNT = insert_into(discounts)
_RESTORE = Statement(delete(discounts).where(discounts.c.reviewer == bindparam("reviewer")))
_DISCOUNTED = Statement(select(*columns_of(discounts, Discount)).where(discounts.c.reviewer == bindparam("reviewer")))

_FEEDBACK = Rows(feedback, Feedback, key=("turn_id", "kind"))
_FEEDBACK_OF = Statement(
    select(*columns_of(feedback, Feedback)).where(feedback.c.turn_id == bindparam("turn_id")).order_by(feedback.c.kind)
)
CONVERSATIONS_MAX = 50
"""So many of a contact's latest conversations are looked through for a reply."""
_LATEST_CONVERSATIONS = (
    select(conversations.c.id)
    .where(conversations.c.contact_id == bindparam("contact_id"), conversations.c.id != bindparam("besides"))
    .order_by(conversations.c.created_at.desc())
    .limit(CONVERSATIONS_MAX)
)
_LAST_REPLY_TO = Statement(
    select(turns.c.id, turns.c.decision, turns.c.finished_at)
    .where(
        turns.c.conversation_id.in_(_LATEST_CONVERSATIONS),
        turns.c.topic == bindparam("topic"),
        among(turns.c.state, [TurnState.ANSWERED]),
        turns.c.finished_at > bindparam("since"),
    )
    .order_by(turns.c.finished_at.desc())
    .limit(1)
)
_FREQUENCY = Statement(
    select(*columns_of(frequencies, Frequency)).where(
        frequencies.c.topic == bindparam("topic"),
        frequencies.c.channel == bindparam("channel"),
        frequencies.c.stir == bindparam("stir"),
    )
)
_FREQUENCIES = Rows(frequencies, Frequency, key=("topic", "channel", "stir"), again="replaces")

_CAP = columns_of(caps, Cap)
_CAP_OF = Statement(select(*_CAP).where(caps.c.contact_id == bindparam("contact_id")))
_ANY_CAP = Statement(select(caps.c.contact_id).limit(1))
_PUT_CAP = Statement(
    text(
        "INSERT INTO caps (contact_id, cause, turn_id, at, good, beside, beside_turn_id, beside_at) "
        "VALUES (:contact_id, :cause, :turn_id, :at, :good, :beside, :beside_turn_id, :beside_at) "
        "ON CONFLICT (contact_id) DO UPDATE SET cause = excluded.cause, turn_id = excluded.turn_id, "
        "at = excluded.at, good = excluded.good, beside = excluded.beside, "
        "beside_turn_id = excluded.beside_turn_id, beside_at = excluded.beside_at"
    ).bindparams(*(bindparam(column.name, type_=column.type) for column in _CAP)),
    of=caps,
)
_LIFT_CAP = Statement(delete(caps).where(caps.c.contact_id == bindparam("which")))


class SqlSeeds:
    """`ports.oversight.Seeds` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, seed: Seed) -> None:
        self._session.change(_ADD_SEED, values_of(seed))

    def change(self, seed: Seed) -> None:
        self._session.change(_CHANGE_SEED, {"which": seed.id, **values_of(seed, leave_out=("id",))})

    def of_turn(self, turn_id: str) -> Seed | None:
        row = self._session.row(_SEED_OF_TURN, turn_id=turn_id)
        return None if row is None else record_of(Seed, row)

    def unplanted(self, *, limit: int) -> list[Seed]:
        return [record_of(Seed, row) for row in self._session.rows(_UNPLANTED, limit=limit)]

    def known(self, sources: Sequence[str]) -> frozenset[str]:
        return frozenset(source for source in sources if self._session.scalar(_KNOWN_SOURCE, source=source) is not None)

    def rejected(self, *, before: datetime, limit: int) -> list[Rejected]:
        return [record_of(Rejected, row) for row in self._session.rows(_REJECTED, before=before, limit=limit)]

    def count(self, reviewer: str | None = None) -> SeedCount:
        values = {} if reviewer is None else {"reviewer": reviewer}
        by_outcome = dict(map(tuple, self._session.rows(_count(of_one=reviewer is not None), **values)))
        caught = int(by_outcome.get(SeedOutcome.CAUGHT, 0))
        return SeedCount(caught=caught, judged=caught + int(by_outcome.get(SeedOutcome.MISSED, 0)))


class SqlReviews:
    """`ports.oversight.Reviews` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, judgement: Judgement) -> None:
        self._session.change(_ADD_JUDGEMENT, values_of(judgement))

    def reviewers(self) -> list[str]:
        return [str(row[0]) for row in self._session.rows(_REVIEWERS)]

    def of_reviewer(self, reviewer: str, *, limit: int) -> list[Judgement]:
        return [record_of(Judgement, row) for row in self._session.rows(_OF_REVIEWER, reviewer=reviewer, limit=limit)]

    def has_other(self, reviewer: str, *, since: datetime) -> bool:
        return self._session.scalar(_OTHER, reviewer=reviewer, since=since) is not None

    def bar(self, hold_id: str, reviewer: str) -> None:
        self._session.change(_BAR, {"hold_id": hold_id, "reviewer": reviewer})

    def is_barred(self, hold_id: str, reviewer: str) -> bool:
        return self._session.scalar(_BARRED, hold_id=hold_id, reviewer=reviewer) is not None

    def add_second(self, review: SecondReview) -> None:
        by = {"first_by": review.first.by, "second_by": review.second.by}
        self._session.change(_ADD_SECOND, {**values_of(review), **by})

    def seconds(self, reviewer: str | None = None, *, limit: int) -> list[SecondReview]:
        values = {"limit": limit} if reviewer is None else {"limit": limit, "reviewer": reviewer}
        rows = self._session.rows(_seconds(of_one=reviewer is not None), **values)
        return [record_of(SecondReview, row) for row in rows]

    def discount(self, discount: Discount) -> None:
        self.restore(discount.reviewer)
        self._session.change(_ADD_DISCOUNT, values_of(discount))

    def restore(self, reviewer: str) -> None:
        self._session.change(_RESTORE, {"reviewer": reviewer})

    def discounted(self, reviewer: str) -> Discount | None:
        row = self._session.row(_DISCOUNTED, reviewer=reviewer)
        return None if row is None else record_of(Discount, row)


class SqlFeedbacks:
    """`ports.oversight.Feedbacks` in SQL. What is counted of a slice is remembered: each message that follows asks."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def add(self, feedback: Feedback) -> None:
        self._session.add(_FEEDBACK, _FEEDBACK.of(feedback))

    def of_turn(self, turn_id: str) -> list[Feedback]:
        rows = self._session.rows_where(_FEEDBACK, _FEEDBACK_OF, turn_id=turn_id)
        return [record_of(Feedback, row) for row in rows]

    def last_automatic(self, contact_ids: Sequence[str], topic: str, *, besides: str, since: datetime) -> str | None:
        # What is not written yet was sent just now: nobody has read it and come back since.
        said = {"topic": topic, "besides": besides, "since": since}
        found = [self._session.stored_row(_LAST_REPLY_TO, contact_id=one, **said) for one in contact_ids]
        row = max((row for row in found if row is not None), key=lambda row: row[2], default=None)
        return row[0] if row is not None and row[1] is DecisionKind.DELIVER else None

    def frequency(self, topic: str, channel: str, stir: Stir) -> Frequency:
        known = self._known.frequencies.get((topic, channel, stir))
        if known is None:
            row = self._session.row_at(_FREQUENCIES, _FREQUENCY, topic=topic, channel=channel, stir=stir)
            known = Frequency(topic=topic, channel=channel, stir=stir) if row is None else record_of(Frequency, row)
            self._known.frequencies[topic, channel, stir] = known
        return known

    def put_frequency(self, frequency: Frequency) -> None:
        self._session.add(_FREQUENCIES, _FREQUENCIES.of(frequency))
        self._known.frequencies[frequency.topic, frequency.channel, frequency.stir] = frequency


class SqlCaps:
    """`ports.oversight.Caps` in SQL. Every turn asks, and mostly nobody is capped: that there is none is remembered."""

    def __init__(self, session: Session, known: KnownAutonomy) -> None:
        self._session = session
        self._known = known

    def of_contact(self, contact_id: str) -> Cap | None:
        if self._known.has_caps is None:
            self._known.has_caps = self._session.scalar(_ANY_CAP) is not None
        row = self._session.row(_CAP_OF, contact_id=contact_id) if self._known.has_caps else None
        return None if row is None else record_of(Cap, row)

    def put(self, cap: Cap) -> None:
        self._session.change(_PUT_CAP, values_of(cap))
        self._known.has_caps = True

    def lift(self, contact_id: str) -> bool:
        was = self.of_contact(contact_id) is not None
        if was:
            self._session.change(_LIFT_CAP, {"which": contact_id})
        return was
