"""What a Matrix room's events are read as: messages, or why they are none; pure, and it raises for nothing in them.

What was said in a thread is a conversation of its own, and so is a room. An edit is a message once more, since what was
drafted on the old words answers something nobody says any longer. What other programs say (`m.notice`) is passed over,
as the protocol asks: two programs that answer each other do not stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from understudy.adapters.channels.fitting import NO_TEXT, UNREADABLE, fitted
from understudy.records.conversation import Inbound

NAMES_CHARS_MAX = 255
DETAIL_CHARS_MAX = 100
THREAD = " in "
"""Between a thread's first event and its room in the name of a conversation."""
_FILES = {"m.image": "image", "m.file": "file", "m.audio": "audio", "m.video": "video", "m.location": "place"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixReading:
    """How the events of an account's rooms are read."""

    user_id: str
    text_chars_max: int

    def read(self, room: str, event: Any) -> Inbound | str | None:
        """A message; why there is none; or nothing at all to be said of it, as of most of a room's events."""
        kind, sender, name = _text(event, "type"), _text(event, "sender"), _text(event, "event_id")
        if kind not in ("m.room.message", "m.room.encrypted", "m.room.redaction"):
            return None
        if not sender or not name or len(name) > NAMES_CHARS_MAX or len(sender) > NAMES_CHARS_MAX:
            return "an event without a sender or a name"
        if sender == self.user_id:
            return "our own message came back"
        if kind == "m.room.redaction":
            return "a message was taken back; what was said stays in the record"
        content = _table(event, "content")
        needs_person: str | None
        if kind == "m.room.encrypted":
            words, needs_person = (
                "[an encrypted message, which cannot be read here: ask for an unencrypted room]",
                UNREADABLE,
            )
        elif not content:
            return "taken back before it was read"
        else:
            kind_of_words = _text(content, "msgtype")
            if kind_of_words == "m.notice":
                return "a notice of another program"
            words, needs_person = self._words(content, kind_of_words)
        return Inbound(
            provider_id=name,
            external_id=conversation_of(room, _thread(content)),
            address=sender,
            text=words,
            sent_at=_moment(event),
            needs_person=needs_person,
        )

    def _words(self, content: Mapping[str, Any], kind: str) -> tuple[str, str | None]:
        relation = _table(content, "m.relates_to")
        is_edit = _text(relation, "rel_type") == "m.replace"
        said = _table(content, "m.new_content") if is_edit else content
        body = _text(said, "body").strip()
        if kind in _FILES:
            info = _table(said, "info")
            details = [
                body,
                _text(info, "mimetype"),
                f"{info['size']} bytes" if isinstance(info.get("size"), int) else "",
            ]
            return f"[{_FILES[kind]}: {', '.join(_short(one) for one in details if one)}]", NO_TEXT
        if "m.in_reply_to" in relation and not is_edit:
            body = _without_quote(body)
        if not body:
            return "[a message without text]", NO_TEXT
        text = f"[corrected] {body.removeprefix('* ')}" if is_edit else body
        return fitted(text, self.text_chars_max)


def conversation_of(room: str, thread: str | None) -> str:
    """The name of a conversation: its room, and the thread's first event where it is one."""
    return room if thread is None else f"{thread}{THREAD}{room}"


def place_of(conversation: str) -> tuple[str, str | None]:
    """The room of a conversation, and its thread's first event."""
    thread, found, room = conversation.partition(THREAD)
    return (room, thread) if found else (conversation, None)


def _thread(content: Mapping[str, Any]) -> str | None:
    relation = _table(content, "m.relates_to")
    root = _text(relation, "event_id")
    is_thread = _text(relation, "rel_type") == "m.thread" and root.startswith("$") and " " not in root
    return root if is_thread and len(root) <= NAMES_CHARS_MAX else None


def _without_quote(body: str) -> str:
    """The words of a reply without what older clients quote before them."""
    lines = body.split("\n")
    if not lines[0].startswith("> <"):
        return body
    own = next((place for place, line in enumerate(lines) if not line.startswith(">")), len(lines))
    return "\n".join(lines[own:]).strip()


def _moment(event: Mapping[str, Any]) -> datetime | None:
    at = event.get("origin_server_ts")
    try:
        return datetime.fromtimestamp(at / 1000, UTC) if isinstance(at, int | float) else None
    except (ValueError, OverflowError, OSError):
        return None


def _short(text: str) -> str:
    return " ".join(text.split())[:DETAIL_CHARS_MAX]


def _table(node: Any, name: str) -> Mapping[str, Any]:
    found = node.get(name) if isinstance(node, dict) else None
    return found if isinstance(found, dict) else {}


def _text(node: Any, name: str) -> str:
    found = node.get(name) if isinstance(node, Mapping) else None
    return found if isinstance(found, str) else ""
