"""Handles, links and codes in SQL. Most stores have none of a kind, and that is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, delete, func, or_, select

from understudy.adapters.stores.identity_tables import codes, handles, links
from understudy.adapters.stores.known_identity import KnownIdentity
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.records.identity import Code, CodeState, Handle, HandleKind, Link, LinkState

LINKS_MAX = 200
"""So many links of one contact are read."""

_HANDLE = columns_of(handles, Handle)
_ANY_HANDLE = Statement(select(handles.c.contact_id).limit(1))
_HANDLES_OF = Statement(
    select(*_HANDLE).where(handles.c.contact_id == bindparam("contact_id")).order_by(handles.c.verified_at)
)
_HOLDERS = Statement(
    select(*_HANDLE)
    .where(handles.c.kind == bindparam("kind"), handles.c.value == bindparam("value"))
    .order_by(handles.c.verified_at, handles.c.contact_id)
)
_LINK = columns_of(links, Link)
_ANY_LINK = Statement(select(links.c.id).limit(1))
_LINKS_OF = Statement(
    select(*_LINK)
    .where(or_(links.c.one == bindparam("contact_id"), links.c.other == bindparam("contact_id")))
    .order_by(links.c.at, links.c.id)
    .limit(LINKS_MAX)
)
_LINK_OF = Statement(select(*_LINK).where(links.c.one == bindparam("one"), links.c.other == bindparam("other")))
_PROPOSED = Statement(
    select(*_LINK).where(among(links.c.state, [LinkState.PROPOSED])).order_by(links.c.at).limit(bindparam("limit"))
)
_CODE = columns_of(codes, Code)
_ANY_CODE = Statement(select(codes.c.id).limit(1))
_CODES_IN = Statement(
    select(*_CODE)
    .where(codes.c.conversation_id == bindparam("conversation_id"))
    .order_by(codes.c.created_at.desc(), codes.c.id.desc())
    .limit(1)
)
_CODE_SENT_AS = Statement(select(*_CODE).where(codes.c.outbox_id == bindparam("outbox_id")))
_CODES_SINCE = Statement(
    select(func.count())
    .select_from(codes)
    .where(
        or_(
            codes.c.conversation_id == bindparam("conversation_id"),
            (codes.c.kind == bindparam("kind")) & (codes.c.value == bindparam("value")),
        ),
        codes.c.created_at > bindparam("since"),
    )
)
_FORGET = tuple(
    Statement(delete(table).where(or_(*(column == bindparam("which") for column in columns))))
    for table, columns in (
        (handles, (handles.c.contact_id,)),
        (links, (links.c.one, links.c.other)),
        (codes, (codes.c.contact_id, codes.c.holder_id)),
    )
)

_HANDLES = Rows(handles, Handle, key=("contact_id", "kind", "value"), again="replaces")
_LINKS = Rows(links, Link, key=("id",), again="replaces")
_CODES = Rows(codes, Code, key=("id",), again="replaces")


class SqlIdentities:
    """`ports.identities.Identities` in SQL."""

    def __init__(self, session: Session, known: KnownIdentity) -> None:
        self._session = session
        self._known = known

    def has_handles(self) -> bool:
        if self._known.has_handles is None:
            self._known.has_handles = self._session.scalar(_ANY_HANDLE) is not None
        return self._known.has_handles

    def has_links(self) -> bool:
        if self._known.has_links is None:
            self._known.has_links = self._session.scalar(_ANY_LINK) is not None
        return self._known.has_links

    def _has_codes(self) -> bool:
        if self._known.has_codes is None:
            self._known.has_codes = self._session.scalar(_ANY_CODE) is not None
        return self._known.has_codes

    def is_known(self, contact_id: str, kind: HandleKind, value: str) -> bool:
        return (contact_id, kind, value) in self._known.handles

    def put_handle(self, handle: Handle) -> None:
        self._session.add(_HANDLES, _HANDLES.of(handle))
        self._known.has_handles = True
        self._known.keep(handle.contact_id, handle.kind, handle.value)

    def handles_of(self, contact_ids: Sequence[str]) -> list[Handle]:
        if not self.has_handles():
            return []
        rows = (row for one in contact_ids for row in self._session.rows(_HANDLES_OF, contact_id=one))
        return sorted((record_of(Handle, row) for row in rows), key=lambda handle: handle.verified_at)

    def holders(self, kind: HandleKind, value: str) -> list[Handle]:
        if not self.has_handles():
            return []
        found = [record_of(Handle, row) for row in self._session.rows(_HOLDERS, kind=kind, value=value)]
        for handle in found:
            self._known.keep(handle.contact_id, kind, value)
        return found

    def links_of(self, contact_id: str) -> list[Link]:
        if not self.has_links():
            return []
        return [record_of(Link, row) for row in self._session.rows(_LINKS_OF, contact_id=contact_id)]

    def link(self, one: str, other: str) -> Link | None:
        if not self.has_links():
            return None
        first, second = sorted((one, other))
        row = self._session.row(_LINK_OF, one=first, other=second)
        return None if row is None else record_of(Link, row)

    def put_link(self, link: Link) -> None:
        self._session.add(_LINKS, _LINKS.of(link))
        self._known.has_links = True

    def proposed(self, *, limit: int) -> list[Link]:
        return [record_of(Link, row) for row in self._session.rows(_PROPOSED, limit=limit)]

    def put_code(self, code: Code) -> None:
        self._session.add(_CODES, _CODES.of(code))
        self._known.has_codes = True

    def open_code(self, conversation_id: str) -> Code | None:
        row = self._session.row(_CODES_IN, conversation_id=conversation_id) if self._has_codes() else None
        code = None if row is None else record_of(Code, row)
        return code if code is not None and code.state is CodeState.OPEN else None

    def code_sent_as(self, outbox_id: str) -> Code | None:
        row = self._session.row(_CODE_SENT_AS, outbox_id=outbox_id) if self._has_codes() else None
        return None if row is None else record_of(Code, row)

    def codes_since(self, *, conversation_id: str, kind: HandleKind, value: str, since: datetime) -> int:
        values = {"conversation_id": conversation_id, "kind": kind, "value": value, "since": since}
        return int(self._session.scalar(_CODES_SINCE, **values))

    def forget(self, contact_id: str) -> None:
        for statement in _FORGET:
            self._session.change(statement, {"which": contact_id})
        self._known.clear()
