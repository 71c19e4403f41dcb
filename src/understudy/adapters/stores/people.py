"""Contacts, conversations and messages in SQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, insert, select, update

from understudy.adapters.stores.session import Session, columns_of, record_of, values_of
from understudy.adapters.stores.tables import addresses, contacts, conversations, messages
from understudy.errors import NotFound
from understudy.records.conversation import Contact, Conversation, Inbound, Message

_CONTACT = columns_of(contacts, Contact)
_CONTACT_AT = (
    select(*_CONTACT)
    .join(addresses, addresses.c.contact_id == contacts.c.id)
    .where(addresses.c.channel == bindparam("channel"), addresses.c.value == bindparam("value"))
)
_CONTACT_BY_ID = select(*_CONTACT).where(contacts.c.id == bindparam("id"))

_CONVERSATION = columns_of(conversations, Conversation)
_CONVERSATION_BY_ID = select(*_CONVERSATION).where(conversations.c.id == bindparam("id"))
_CONVERSATION_AT = select(*_CONVERSATION).where(
    conversations.c.channel == bindparam("channel"), conversations.c.external_id == bindparam("external_id")
)

_MESSAGE = columns_of(messages, Message)
_MESSAGE_KNOWN = select(*_MESSAGE).where(
    messages.c.channel == bindparam("channel"), messages.c.provider_id == bindparam("provider_id")
)
_MESSAGES_OF_TURN = select(*_MESSAGE).where(messages.c.turn_id == bindparam("turn_id")).order_by(messages.c.seq)
_LAST_MESSAGES = (
    select(*_MESSAGE)
    .where(messages.c.conversation_id == bindparam("conversation_id"), messages.c.seq > bindparam("after"))
    .order_by(messages.c.seq.desc())
    .limit(bindparam("limit"))
)


class SqlContacts:
    """`ports.store.Contacts` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def resolve(self, channel: str, inbound: Inbound, *, new_id: str, now: datetime) -> Contact:
        row = self._session.row(_CONTACT_AT, channel=channel, value=inbound.address)
        if row is None:
            contact = Contact(
                id=new_id,
                name=inbound.contact_name,
                email=inbound.contact_email,
                phone=inbound.contact_phone,
                created_at=now,
            )
            self._session.change(insert(contacts), values_of(contact))
            self._session.change(
                insert(addresses), {"channel": channel, "value": inbound.address, "contact_id": contact.id}
            )
            return contact
        known = record_of(Contact, row)
        filled = replace(
            known,
            name=known.name or inbound.contact_name,
            email=known.email or inbound.contact_email,
            phone=known.phone or inbound.contact_phone,
        )
        if filled != known:
            self._session.change(
                update(contacts)
                .where(contacts.c.id == known.id)
                .values(name=filled.name, email=filled.email, phone=filled.phone)
            )
        return filled

    def get(self, contact_id: str) -> Contact:
        row = self._session.row(_CONTACT_BY_ID, id=contact_id)
        if row is None:
            raise NotFound(f"there is no contact {contact_id!r}")
        return record_of(Contact, row)


class SqlConversations:
    """`ports.store.Conversations` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, channel: str, external_id: str) -> Conversation | None:
        row = self._session.row(_CONVERSATION_AT, channel=channel, external_id=external_id)
        return None if row is None else record_of(Conversation, row)

    def get(self, conversation_id: str) -> Conversation:
        row = self._session.row(_CONVERSATION_BY_ID, id=conversation_id)
        if row is None:
            raise NotFound(f"there is no conversation {conversation_id!r}")
        return record_of(Conversation, row)

    def add(self, conversation: Conversation) -> None:
        self._session.change(insert(conversations), values_of(conversation))

    def change(self, conversation: Conversation) -> None:
        self._session.change(
            update(conversations)
            .where(conversations.c.id == conversation.id)
            .values(mode=conversation.mode, taken_by=conversation.taken_by, address=conversation.address)
        )


class SqlMessages:
    """`ports.store.Messages` in SQL."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def known(self, channel: str, provider_id: str) -> Message | None:
        row = self._session.row(_MESSAGE_KNOWN, channel=channel, provider_id=provider_id)
        return None if row is None else record_of(Message, row)

    def add(self, message: Message, *, channel: str) -> Message:
        values = {**values_of(message, leave_out=("seq",)), "channel": channel}
        return replace(message, seq=self._session.insert(insert(messages), values))

    def of_conversation(self, conversation_id: str, *, after: int = 0, limit: int = 200) -> list[Message]:
        rows = self._session.rows(_LAST_MESSAGES, conversation_id=conversation_id, after=after, limit=limit)
        return [record_of(Message, row) for row in reversed(rows)]

    def of_turn(self, turn_id: str) -> list[Message]:
        return [record_of(Message, row) for row in self._session.rows(_MESSAGES_OF_TURN, turn_id=turn_id)]

    def move(self, *, from_turn: str, to_turn: str) -> None:
        self._session.change(update(messages).where(messages.c.turn_id == from_turn).values(turn_id=to_turn))
