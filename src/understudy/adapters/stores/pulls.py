"""Channels that are fetched from, and letters' envelopes, in SQL."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import bindparam, func, select, update

from understudy.adapters.stores.pull_tables import envelopes, pulls
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement, among, insert_into
from understudy.adapters.stores.tables import addresses, conversations, messages
from understudy.errors import StepSuperseded
from understudy.records.conversation import Author
from understudy.records.pulls import Envelope, PullLease, PullState

LETTERS_MAX = 200
_OF_CHANNEL = pulls.c.channel == bindparam("which")
_UNDER_TOKEN = (_OF_CHANNEL, pulls.c.token == bindparam("was"))
_PULL = Statement(select(pulls.c.token, pulls.c.due_at, pulls.c.cursor).where(_OF_CHANNEL))
_ADD_PULL = insert_into(pulls)
_TAKE = Statement(update(pulls).where(_OF_CHANNEL).values(token=bindparam("new_token"), due_at=bindparam("until")))
_MOVE = Statement(update(pulls).where(*_UNDER_TOKEN).values(cursor=bindparam("new_cursor")))
_RENEW = Statement(update(pulls).where(*_UNDER_TOKEN).values(due_at=bindparam("until")))
_FREE = Statement(update(pulls).where(pulls.c.due_at > bindparam("now")).values(due_at=bindparam("until")))

_ADD_ENVELOPE = insert_into(envelopes)
_ENVELOPE = Statement(select(envelopes.c.body).where(envelopes.c.message_id == bindparam("message_id")))
_LETTERS = select(envelopes.c.body).join(messages, messages.c.id == envelopes.c.message_id)
_OF_CONVERSATION = Statement(
    select(envelopes.c.message_id, envelopes.c.body)
    .join(messages, messages.c.id == envelopes.c.message_id)
    .where(messages.c.conversation_id == bindparam("conversation_id"))
    .order_by(messages.c.seq.desc())
    .limit(LETTERS_MAX)
)
_LATEST = Statement(
    _LETTERS.where(messages.c.conversation_id == bindparam("conversation_id")).order_by(messages.c.seq.desc()).limit(1)
)
_LATEST_BY = Statement(
    _LETTERS.where(messages.c.conversation_id == bindparam("conversation_id"), messages.c.at <= bindparam("until"))
    .order_by(messages.c.seq.desc())
    .limit(1)
)
_LATEST_OF_TURN = Statement(
    _LETTERS.where(messages.c.turn_id == bindparam("turn_id")).order_by(messages.c.seq.desc()).limit(1)
)
_COUNT_FROM = Statement(
    select(func.count())
    .select_from(addresses)
    .join(conversations, conversations.c.contact_id == addresses.c.contact_id)
    .join(messages, messages.c.conversation_id == conversations.c.id)
    .where(
        addresses.c.channel == bindparam("channel"),
        addresses.c.value == bindparam("value"),
        messages.c.at >= bindparam("since"),
        among(messages.c.author, [Author.CUSTOMER]),
    )
)


class SqlPulls:
    """`ports.pulls.Pulls` in SQL. Who fetches and how far it is are no news, so no ledger entry tells of them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def lease(self, channel: str, *, now: datetime, until: datetime) -> PullLease | None:
        row = self._session.row(_PULL, which=channel)
        if row is None:
            self._session.renew(_ADD_PULL, {"channel": channel, "token": 1, "due_at": until, "cursor": None})
            return PullLease(channel=channel, token=1, cursor=None)
        token, due_at, cursor = row
        if due_at > now:
            return None
        self._session.renew(_TAKE, {"which": channel, "new_token": token + 1, "until": until})
        return PullLease(channel=channel, token=token + 1, cursor=cursor)

    def move(self, lease: PullLease, cursor: str) -> None:
        row = self._session.row(_PULL, which=lease.channel)
        if row is None or row[0] != lease.token:
            raise StepSuperseded(f"channel {lease.channel!r} is fetched by another process now")
        self._session.renew(_MOVE, {"which": lease.channel, "was": lease.token, "new_cursor": cursor})

    def renew(self, leases: Iterable[PullLease], *, until: datetime) -> None:
        for lease in leases:
            self._session.renew(_RENEW, {"which": lease.channel, "was": lease.token, "until": until})

    def free(self, *, now: datetime) -> None:
        self._session.renew(_FREE, {"now": now, "until": now})

    def state(self, channel: str, *, now: datetime) -> PullState | None:
        row = self._session.row(_PULL, which=channel)
        return None if row is None else PullState(channel=channel, cursor=row[2], is_held=row[1] > now)


class SqlEnvelopes:
    """`ports.pulls.Envelopes` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def add(self, message_id: str, envelope: Envelope) -> None:
        self._session.change(_ADD_ENVELOPE, {"message_id": message_id, "body": envelope})

    def of_message(self, message_id: str) -> Envelope | None:
        found: Envelope | None = self._session.scalar(_ENVELOPE, message_id=message_id)
        return found

    def of_conversation(self, conversation_id: str) -> dict[str, Envelope]:
        return {row[0]: row[1] for row in self._session.rows(_OF_CONVERSATION, conversation_id=conversation_id)}

    def latest(
        self, conversation_id: str, *, turn_id: str | None = None, until: datetime | None = None
    ) -> Envelope | None:
        found: Envelope | None
        if turn_id is not None:
            found = self._session.scalar(_LATEST_OF_TURN, turn_id=turn_id)
        elif until is not None:
            found = self._session.scalar(_LATEST_BY, conversation_id=conversation_id, until=until)
        else:
            found = self._session.scalar(_LATEST, conversation_id=conversation_id)
        return found

    def count_from(self, channel: str, address: str, *, since: datetime) -> int:
        return int(self._session.scalar(_COUNT_FROM, channel=channel, value=address, since=since) or 0)
