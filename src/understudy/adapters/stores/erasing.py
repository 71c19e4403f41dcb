"""Take a person's words and addresses out of every table, row by row; what they were is in no digest of ours to be read.

Rows stay where others count them: a turn was decided, a reply was sent. What they said does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Integer, String, bindparam, delete, select, text

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.identity_tables import rewrites
from understudy.adapters.stores.session import Session
from understudy.adapters.stores.statement import Statement, insert_into

_CONVERSATIONS: Final = "SELECT id FROM conversations WHERE contact_id = :which"
_NAMED: Final = {
    "@conversations": _CONVERSATIONS,
    "@turns": "SELECT id FROM turns WHERE conversation_id IN (SELECT id FROM conversations WHERE contact_id = :which)",
    "@places": "SELECT channel, external_id FROM conversations WHERE contact_id = :which",
}

# Whatever is found by another table comes before that one.
STATEMENTS: Final = (
    "DELETE FROM envelopes WHERE message_id IN (SELECT id FROM messages WHERE conversation_id IN (@conversations))",
    "DELETE FROM artifacts WHERE turn_id IN (@turns)",
    "DELETE FROM rehearsals WHERE turn_id IN (@turns)",
    "UPDATE seeds SET body = NULL WHERE turn_id IN (@turns) OR source IN (@turns)",
    "DELETE FROM waiting_verdicts WHERE hold_id IN (SELECT id FROM holds WHERE conversation_id IN (@conversations))",
    "UPDATE verdicts SET text = NULL, actions = NULL WHERE turn_id IN (@turns)",
    (
        "DELETE FROM idempotency_keys WHERE body LIKE '%' || :which || '%' OR EXISTS (SELECT 1 FROM turns "
        "WHERE conversation_id IN (@conversations) AND idempotency_keys.body LIKE '%' || turns.id || '%') OR EXISTS (SELECT 1 FROM conversations "
        "WHERE contact_id = :which AND idempotency_keys.body LIKE '%' || conversations.id || '%')"
    ),
    (
        "UPDATE receipts SET detail = NULL, provider_id = NULL WHERE outbox_id IN (SELECT id FROM outbox "
        "WHERE conversation_id IN (@conversations) OR (channel, external_id) IN (@places))"
    ),
    "UPDATE outbox SET address = '', external_id = '', last_error = NULL WHERE (channel, external_id) IN (@places)",
    "UPDATE outbox SET text = '', address = '', external_id = '', last_error = NULL WHERE conversation_id IN (@conversations)",
    "DELETE FROM tickets WHERE conversation_id IN (@conversations)",
    "DELETE FROM ticket_steps WHERE conversation_id IN (@conversations)",
    "DELETE FROM notes WHERE conversation_id IN (@conversations)",
    "DELETE FROM remarks WHERE (channel, external_id) IN (@places)",
    "DELETE FROM note_threads WHERE (channel, external_id) IN (@places)",
    (
        "UPDATE actions SET arguments = '{}', answer = NULL, last_error = NULL, provider_id = NULL "
        "WHERE contact_id = :which"
    ),
    "UPDATE messages SET text = '', author_name = NULL, provider_id = NULL WHERE conversation_id IN (@conversations)",
    "DELETE FROM caps WHERE contact_id = :which",
    "DELETE FROM opt_outs WHERE contact_id = :which",
    "DELETE FROM surveys WHERE contact_id = :which",
    "DELETE FROM assignments WHERE conversation_id IN (@conversations)",
    "DELETE FROM summaries WHERE conversation_id IN (@conversations)",
    "DELETE FROM win_backs WHERE contact_id = :which OR conversation_id IN (@conversations)",
    "DELETE FROM pledges WHERE contact_id = :which OR conversation_id IN (@conversations)",
    "UPDATE conversations SET address = '', external_id = 'erased ' || id WHERE contact_id = :which",
    "DELETE FROM addresses WHERE contact_id = :which",
    "UPDATE contacts SET name = NULL, email = NULL, phone = NULL WHERE id = :which",
)
"""In order; each for the contact `which`."""


def _whole(sql: str) -> Statement:
    for name, query in _NAMED.items():
        sql = sql.replace(name, query)
    return Statement(text(sql).bindparams(bindparam("which", type_=String)))


_STATEMENTS = tuple(map(_whole, STATEMENTS))
_TOLD = Statement(
    text(
        "SELECT DISTINCT artifacts.turn_id FROM artifacts JOIN turns ON turns.id = artifacts.turn_id "
        "JOIN conversations ON conversations.id = turns.conversation_id "
        "WHERE artifacts.kind = 'elsewhere' AND conversations.contact_id = :which"
    ).bindparams(bindparam("which", type_=String))
)
_FORGET_TURN = Statement(
    text("DELETE FROM artifacts WHERE turn_id = :which").bindparams(bindparam("which", type_=String))
)


_ORDER_REWRITE = insert_into(rewrites)
_REWRITES = Statement(
    select(rewrites.c.contact_id).order_by(rewrites.c.contact_id).limit(bindparam("limit", type_=Integer))
)
_NO_REWRITE = Statement(delete(rewrites).where(rewrites.c.contact_id == bindparam("which")))


class SqlErasures:
    """`ports.identities.Erasures` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot

    def order_rewrite(self, contact_id: str, at: datetime) -> None:
        self._session.change(_NO_REWRITE, {"which": contact_id})
        self._session.change(_ORDER_REWRITE, {"contact_id": contact_id, "ordered_at": at})

    def rewrites(self, *, limit: int) -> list[str]:
        return [str(row[0]) for row in self._session.rows(_REWRITES, limit=limit)]

    def rewritten(self, contact_ids: Sequence[str]) -> None:
        for one in contact_ids:
            self._session.change(_NO_REWRITE, {"which": one})

    def turns_told(self, contact_id: str) -> list[str]:
        return [str(row[0]) for row in self._session.rows(_TOLD, which=contact_id)]

    def forget_turn(self, turn_id: str) -> None:
        self._session.change(_FORGET_TURN, {"which": turn_id})
        self._hot.documents.forget(turn_id)

    def erase(self, contact_id: str) -> None:
        for statement in _STATEMENTS:
            self._session.change(statement, {"which": contact_id})
        self._hot.forget(contact_id)
