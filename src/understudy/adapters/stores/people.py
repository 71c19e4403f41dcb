"""Contacts, conversations and messages in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.numbers import Numbers
from understudy.adapters.stores.rows import Rows
from understudy.adapters.stores.session import Session, columns_of, record_of
from understudy.adapters.stores.statement import Statement, among
from understudy.adapters.stores.tables import addresses, contacts, conversations, messages
from understudy.errors import NotFound
from understudy.records.conversation import Contact, Conversation, Inbound, Message, Mode

_CONTACT = columns_of(contacts, Contact)
_CONTACT_AT = Statement(
    select(*_CONTACT)
    .join(addresses, addresses.c.contact_id == contacts.c.id)
    .where(addresses.c.channel == bindparam("channel"), addresses.c.value == bindparam("value"))
)
_CONTACT_BY_ID = Statement(select(*_CONTACT).where(contacts.c.id == bindparam("id")))

_CONVERSATION = columns_of(conversations, Conversation)
_CONVERSATION_BY_ID = Statement(select(*_CONVERSATION).where(conversations.c.id == bindparam("id")))
_CONVERSATION_AT = Statement(
    select(*_CONVERSATION).where(
        conversations.c.channel == bindparam("channel"), conversations.c.external_id == bindparam("external_id")
    )
)
_OF_CONTACT = Statement(
    select(*_CONVERSATION)
    .where(conversations.c.contact_id == bindparam("contact_id"))
    .order_by(conversations.c.created_at.desc(), conversations.c.id)
    .limit(bindparam("limit"))
)

_MESSAGE = columns_of(messages, Message)
_MESSAGE_KNOWN = Statement(
    select(*_MESSAGE).where(
        messages.c.channel == bindparam("channel"), messages.c.provider_id == bindparam("provider_id")
    )
)
_MESSAGES_OF_TURN = Statement(
    select(*_MESSAGE).where(messages.c.turn_id == bindparam("turn_id")).order_by(messages.c.seq)
)
_LAST_MESSAGES = Statement(
    select(*_MESSAGE)
    .where(messages.c.conversation_id == bindparam("conversation_id"), messages.c.seq > bindparam("after"))
    .order_by(messages.c.seq.desc())
    .limit(bindparam("limit"))
)

_CONTACTS = Rows(contacts, Contact, key=("id",))
_ADDRESSES = Rows(addresses, key=("channel", "value"), more=("channel", "value", "contact_id"))
_FILL_CONTACT = Statement(
    update(contacts)
    .where(contacts.c.id == bindparam("which"))
    .values({name: bindparam(name) for name in ("name", "email", "phone")})
)
_CONVERSATIONS = Rows(conversations, Conversation, key=("id",))
_CHANGE_CONVERSATION = Statement(
    update(conversations)
    .where(conversations.c.id == bindparam("which"), ~among(conversations.c.mode, [Mode.REHEARSAL]))
    .values({name: bindparam(name) for name in ("mode", "taken_by", "address")})
)
_MESSAGES = Rows(messages, Message, key=("id",), more=("channel",))
_MOVE_MESSAGES = Statement(
    update(messages).where(messages.c.turn_id == bindparam("from_turn")).values(turn_id=bindparam("turn_id"))
)


class SqlContacts:
    """`ports.store.Contacts` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot
        self._new: dict[tuple[str, str], Contact] = {}

    def resolve(self, channel: str, inbound: Inbound, *, new_id: str, now: datetime) -> Contact:
        known = self._at(channel, inbound.address)
        if known is None:
            contact = Contact(
                id=new_id,
                name=inbound.contact_name,
                email=inbound.contact_email,
                phone=inbound.contact_phone,
                created_at=now,
            )
            self._session.add(_CONTACTS, _CONTACTS.of(contact))
            self._session.add(_ADDRESSES, (channel, inbound.address, contact.id))
            self._new[channel, inbound.address] = contact
            self._hot.keep_contact(contact)
            return contact
        filled = replace(
            known,
            name=known.name or inbound.contact_name,
            email=known.email or inbound.contact_email,
            phone=known.phone or inbound.contact_phone,
        )
        if filled != known:
            facts = {"name": filled.name, "email": filled.email, "phone": filled.phone}
            self._session.change(_FILL_CONTACT, {"which": known.id, **facts}, of=known.id)
            self._new.pop((channel, inbound.address), None)
        self._hot.keep_contact(filled)
        return filled

    def _at(self, channel: str, address: str) -> Contact | None:
        if (new := self._new.get((channel, address))) is not None:
            return new
        row = self._session.stored_row(_CONTACT_AT, channel=channel, value=address)
        return None if row is None else record_of(Contact, row)

    def get(self, contact_id: str) -> Contact:
        if (kept := self._hot.contact(contact_id)) is not None:
            return kept
        row = self._session.row_at(_CONTACTS, _CONTACT_BY_ID, id=contact_id)
        if row is None:
            raise NotFound(f"there is no contact {contact_id!r}")
        contact = record_of(Contact, row)
        self._hot.keep_contact(contact)
        return contact


class SqlConversations:
    """`ports.store.Conversations` in SQL."""

    def __init__(self, session: Session, hot: Hot) -> None:
        self._session = session
        self._hot = hot
        self._new: set[tuple[str, str]] = set()

    def find(self, channel: str, external_id: str) -> Conversation | None:
        scene = self._hot.scene_at(channel, external_id)
        if scene is not None and scene.conversation is not None:
            return scene.conversation
        look = self._session.row if (channel, external_id) in self._new else self._session.stored_row
        row = look(_CONVERSATION_AT, channel=channel, external_id=external_id)
        return None if row is None else self._kept(row)

    def get(self, conversation_id: str) -> Conversation:
        scene = self._hot.scene(conversation_id)
        if scene is not None and scene.conversation is not None:
            return scene.conversation
        row = self._session.row_at(_CONVERSATIONS, _CONVERSATION_BY_ID, id=conversation_id)
        if row is None:
            raise NotFound(f"there is no conversation {conversation_id!r}")
        return self._kept(row)

    def of_contact(self, contact_id: str, *, limit: int) -> list[Conversation]:
        rows = self._session.rows(_OF_CONTACT, contact_id=contact_id, limit=limit)
        return [record_of(Conversation, row) for row in rows]

    def add(self, conversation: Conversation) -> None:
        self._session.add(_CONVERSATIONS, _CONVERSATIONS.of(conversation))
        self._new.add((conversation.channel, conversation.external_id))
        self._hot.keep(conversation, is_new=True)

    def change(self, conversation: Conversation) -> None:
        changes = {name: getattr(conversation, name) for name in ("mode", "taken_by", "address")}
        which = conversation.id
        self._session.change(_CHANGE_CONVERSATION, {"which": which, **changes}, of=which)
        scene = self._hot.scene(conversation.id)
        if scene is not None and (known := scene.conversation) is not None and known.mode is not Mode.REHEARSAL:
            scene.conversation = conversation

    def _kept(self, row: Sequence[Any]) -> Conversation:
        conversation = record_of(Conversation, row)
        self._hot.keep(conversation)
        return conversation


class SqlMessages:
    """`ports.store.Messages` in SQL."""

    def __init__(self, session: Session, hot: Hot, numbers: Numbers) -> None:
        self._session = session
        self._hot = hot
        self._numbers = numbers
        self._new: set[tuple[str, str | None]] = set()

    def known(self, channel: str, provider_id: str) -> Message | None:
        look = self._session.row if (channel, provider_id) in self._new else self._session.stored_row
        row = look(_MESSAGE_KNOWN, channel=channel, provider_id=provider_id)
        return None if row is None else record_of(Message, row)

    def add(self, message: Message, *, channel: str) -> Message:
        added = replace(message, seq=self._numbers.next("messages"))
        self._session.add(_MESSAGES, _MESSAGES.of(added, channel))
        self._new.add((channel, message.provider_id))
        scene = self._hot.scene(message.conversation_id)
        if scene is not None and scene.messages is not None:
            scene.put_messages([*scene.messages, added])
        return added

    def of_conversation(self, conversation_id: str, *, after: int = 0, limit: int = 200) -> list[Message]:
        scene = self._hot.scene_of(conversation_id)
        if scene is not None and scene.messages is not None:
            return [message for message in scene.messages[-limit:] if message.seq > after]
        rows = self._session.rows(_LAST_MESSAGES, conversation_id=conversation_id, after=after, limit=limit)
        found = [record_of(Message, row) for row in reversed(rows)]
        if scene is not None and not after and len(found) < limit:
            scene.put_messages(list(found))
        return found

    def of_turn(self, turn_id: str) -> list[Message]:
        return [record_of(Message, row) for row in self._session.rows(_MESSAGES_OF_TURN, turn_id=turn_id)]

    def move(self, conversation_id: str, *, from_turn: str, to_turn: str) -> None:
        where = {"from_turn": from_turn, "turn_id": to_turn}
        self._session.change(_MOVE_MESSAGES, where, of=conversation_id)
        if (scene := self._hot.scene(conversation_id)) is not None:
            scene.messages = None
