"""Direct chats on a real Synapse: invitations, words of every kind, gaps, and replies that a repeated key does not double."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_httpserver import HTTPServer

sys.path.insert(0, str(Path(__file__).parents[1]))  # test files are no package
from matrix_server import Synapse, User, synapse_running
from replies import reply
from understudy.adapters.channels.matrix import MatrixChannel
from understudy.adapters.channels.matrix_reading import MatrixReading, conversation_of, place_of
from understudy.adapters.system_clock import SystemClock
from understudy.errors import ChannelUnreachable
from understudy.ports.channel import Arrival
from understudy.records.conversation import Author, Inbound
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown

Make = Callable[..., MatrixChannel]


def channel_of(url: str, bot: User | None = None, **more: Any) -> MatrixChannel:
    who = (
        {"user_id": "@help:shop.example", "access_token": "t"}
        if bot is None
        else {"user_id": bot.id, "access_token": bot.token}
    )
    return MatrixChannel("chat", homeserver=url, clock=SystemClock(), **{"text_chars_max": 20_000, **who, **more})


@pytest.fixture(scope="module")
def synapse() -> Iterator[Synapse]:
    with synapse_running() as one:
        yield one


@dataclasses.dataclass
class Chat:
    """An account that is fetched from, and a customer."""

    bot: User
    ada: User
    more: dict[str, Any]
    cursor: str | None = None

    def fetch(self, *, wait_s: float = 0.0) -> list[Any]:
        """What came since the last look: messages, and why other things are none."""

        async def scene() -> tuple[Arrival, ...]:
            channel = channel_of(self.bot.url, self.bot, **self.more)
            try:
                return await channel.fetch(self.cursor, wait_s=wait_s)
            finally:
                await channel.close()

        found: list[Any] = []
        for arrival in asyncio.run(scene()):
            self.cursor = arrival.cursor
            found += [*arrival.events.messages, *arrival.events.ignored]
        return found

    def send(self, *entries: Any, **more: Any) -> list[Any]:
        async def scene() -> list[Any]:
            channel = channel_of(self.bot.url, self.bot, **more)
            try:
                return [await channel.send(entry) for entry in entries]
            finally:
                await channel.close()

        return asyncio.run(scene())


@pytest.fixture
def chat(synapse: Synapse) -> Chat:
    one = Chat(bot=synapse.user(), ada=synapse.user(), more={})
    assert one.fetch() == []
    return one


@pytest.fixture
def room(chat: Chat) -> str:
    """A room that the account has come into."""
    made = chat.ada.room_with(chat.bot.id)
    chat.fetch()
    chat.fetch()
    return made


def messages(found: list[Any]) -> list[Inbound]:
    return [one for one in found if isinstance(one, Inbound)]


def test_who_is_invited_comes_and_hears_what_was_said_before(chat: Chat) -> None:
    room = chat.ada.room_with(chat.bot.id)
    event = chat.ada.say(room, "Where is my kettle?")
    found = [*chat.fetch(), *chat.fetch()]
    (message,) = messages(found)
    assert (message.provider_id, message.external_id, message.address) == (event, room, chat.ada.id)
    assert (message.text, message.needs_person) == ("Where is my kettle?", None)
    assert message.sent_at is not None


def test_invitations_from_elsewhere_are_declined(synapse: Synapse) -> None:
    one = Chat(bot=synapse.user(), ada=synapse.user(), more={"invite_servers": ["other.example"]})
    one.fetch()
    room = one.ada.room_with(one.bot.id)
    one.fetch()
    one.fetch()
    assert list(one.ada.ask("GET", f"rooms/{room}/joined_members")["joined"]) == [one.ada.id]


def test_words_of_every_kind_are_read(chat: Chat, room: str) -> None:
    first = chat.ada.say(room, "Where is it?")
    chat.ada.say(room, "* Where are they?", **{"m.relates_to": {"rel_type": "m.replace", "event_id": first}, "m.new_content": {"msgtype": "m.text", "body": "Where are they?"}})  # fmt: skip
    chat.ada.say(room, "> <@x:y> It left\n\nWhen?", **{"m.relates_to": {"m.in_reply_to": {"event_id": first}}})
    chat.ada.say(room, "I am a program", msgtype="m.notice")
    chat.ada.say(room, "dent.png", msgtype="m.image", info={"mimetype": "image/png", "size": 12_345})
    root = chat.ada.say(room, "Another thing", **{"m.relates_to": {"rel_type": "m.thread", "event_id": first}})
    gone = chat.ada.say(room, "never mind")
    chat.ada.redact(room, gone)
    found = chat.fetch()
    said = messages(found)
    assert [one.text for one in said] == [
        "Where is it?", "[corrected] Where are they?", "When?", "[image: dent.png, image/png, 12345 bytes]", "Another thing",
    ]  # fmt: skip
    assert [one.needs_person for one in said] == [None, None, None, "message_without_text", None]
    assert said[-1].external_id == conversation_of(room, first)
    assert said[-1].provider_id == root
    reasons = [one for one in found if isinstance(one, str)]
    assert any("notice" in why for why in reasons)
    assert any("taken back" in why for why in reasons)


def test_an_encrypted_message_goes_to_a_person_with_a_clear_note(chat: Chat) -> None:
    room = chat.ada.room_with(chat.bot.id, encrypted=True)
    chat.fetch()
    chat.ada.say(room, "", kind="m.room.encrypted", algorithm="m.megolm.v1.aes-sha2", ciphertext="x")
    (message,) = messages(chat.fetch())
    assert message.needs_person == "message_unreadable"
    assert "ask for an unencrypted room" in message.text


def test_nobody_is_answered_where_others_would_read_it(chat: Chat, room: str, synapse: Synapse) -> None:
    third = synapse.user()
    chat.ada.ask("POST", f"rooms/{room}/invite", {"user_id": third.id})
    third.ask("POST", f"join/{room}", {})
    chat.ada.say(room, "Where is my kettle?")
    assert chat.fetch() == ["said in a room with more than two people, where others would read the answer"]


def test_nothing_is_left_out_where_more_was_said_than_a_batch_holds(chat: Chat, room: str) -> None:
    for number in range(70):
        chat.ada.say(room, f"message {number}")
    assert [one.text for one in messages(chat.fetch())] == [f"message {number}" for number in range(70)]


def test_the_same_cursor_gives_the_same_again_and_waiting_ends_with_news(chat: Chat, room: str) -> None:
    before = chat.cursor
    chat.ada.say(room, "one")
    first = messages(chat.fetch())
    chat.cursor = before
    assert messages(chat.fetch()) == first
    later = threading.Timer(1.0, chat.ada.say, [room, "two"])
    later.start()
    assert [one.text for one in messages(chat.fetch(wait_s=60))] == ["two"]
    later.join()


def test_a_reply_sent_twice_under_one_key_is_said_once(chat: Chat, room: str) -> None:
    entry = reply(id="out-1", external_id=room, text="It left <b>on</b> Monday. 👋")
    first, second = chat.send(entry, entry)
    (again,) = chat.send(dataclasses.replace(entry, attempts=7))
    assert isinstance(first, Accepted)
    assert first == second == again
    (heard,) = chat.ada.heard(room)
    assert heard["event_id"] == first.provider_id
    assert heard["content"] == {
        "msgtype": "m.notice",
        "body": "It left <b>on</b> Monday. 👋",
        "org.understudy.ai_generated": True,
        "org.understudy.origin": "ai",
    }
    assert messages(chat.fetch()) == []  # and does not come back as a customer's


def test_a_persons_reply_is_text_and_one_in_a_thread_stays_there(chat: Chat, room: str) -> None:
    root = chat.ada.say(room, "Another thing")
    chat.send(reply(id="out-2", external_id=conversation_of(room, root), author=Author.REVIEWER, text="Yes?"))
    (heard,) = chat.ada.heard(room)
    assert heard["content"]["msgtype"] == "m.text"
    assert heard["content"]["m.relates_to"]["event_id"] == root


def test_a_reply_where_nobody_is_let_in_is_refused(chat: Chat, synapse: Synapse) -> None:
    closed = synapse.user().room_with()
    (found,) = chat.send(reply(external_id=closed))
    assert isinstance(found, Rejected)
    assert "M_FORBIDDEN" in found.reason
    assert isinstance(chat.send(reply(external_id="thread-1"))[0], Rejected)
    assert isinstance(chat.send(reply(external_id=closed, text="x" * 11), chars_max=10)[0], Rejected)


def test_doctor_says_whose_the_token_is(chat: Chat) -> None:
    async def check(channel: MatrixChannel) -> str:
        try:
            return (await channel.check()).says
        finally:
            await channel.close()

    assert f"lets {chat.bot.id} in" in asyncio.run(check(channel_of(chat.bot.url, chat.bot)))
    with pytest.raises(ChannelUnreachable, match="401"):
        asyncio.run(check(channel_of(chat.bot.url)))
    with pytest.raises(ChannelUnreachable, match="the access token is"):
        asyncio.run(check(channel_of(chat.bot.url, chat.bot, user_id="@other:shop.example")))
    with pytest.raises(ChannelUnreachable, match="cannot be asked"):
        asyncio.run(check(channel_of("http://127.0.0.1:9")))


# --- without a server of its own


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (429, {"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 2500}, Retry(reason="", after_s=2.5)),
        (500, {}, Retry(reason="")),
        (502, "bad gateway", Retry(reason="")),
        (401, {"errcode": "M_UNKNOWN_TOKEN"}, Retry(reason="", after_s=60.0)),
        (403, {"errcode": "M_FORBIDDEN"}, Rejected(reason="")),
        (413, {"errcode": "M_TOO_LARGE"}, Rejected(reason="")),
        (200, {}, Unknown(reason="")),
        (200, "<html>", Unknown(reason="")),
    ],
)
def test_an_answer_means_what_the_protocol_says(httpserver: HTTPServer, status: int, body: Any, expected: Any) -> None:
    httpserver.expect_request(
        "/_matrix/client/v3/rooms/!r:x/send/m.room.message/out-1", method="PUT"
    ).respond_with_data(body if isinstance(body, str) else json.dumps(body), status=status)

    async def scene() -> Any:
        channel = channel_of(httpserver.url_for("/").rstrip("/"))
        try:
            return await channel.send(reply(external_id="!r:x"))
        finally:
            await channel.close()

    found = asyncio.run(scene())
    assert dataclasses.replace(found, reason="") == expected


def test_the_place_of_a_conversation_is_found_again() -> None:
    assert place_of(conversation_of("!r:x", None)) == ("!r:x", None)
    assert place_of(conversation_of("!r:x", "$e")) == ("!r:x", "$e")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "sender", "event_id", "content", "msgtype", "body", "m.relates_to", "rel_type", "m.new_content", "info", "origin_server_ts"]), inner, max_size=6),
    max_leaves=12,
)  # fmt: skip


@given(JSON, st.sampled_from(["m.room.message", "m.room.encrypted", "m.room.redaction", "m.reaction"]))
def test_any_event_is_read_or_passed_over(content: Any, kind: str) -> None:
    reading = MatrixReading(user_id="@help:shop.example", text_chars_max=100)
    for event in (
        content,
        {"type": kind, "sender": "@a:x", "event_id": "$1", "content": content, "origin_server_ts": content},
    ):
        found = reading.read("!r:x", event)
        assert found is None or isinstance(found, str) or found.text
