"""What a REST channel's request holds, read by its shape: messages, reports, and why all else is passed over; it verifies nothing.

Every event is accounted for: it is a message, a report, something to pass over for a reason that can be shown, or a
message that cannot be read, which is refused so that the provider sends it again. What a message carries besides text
is noted in its text. A message without any text goes to a person: an agent would answer to words that nobody wrote.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from understudy.adapters.channels.fitting import NO_TEXT, fitted
from understudy.errors import MalformedInput
from understudy.ports.channel import Events, InboundRequest
from understudy.records.conversation import Inbound
from understudy.records.json_paths import first_text, found, holds, text_of
from understudy.records.outbox import Report
from understudy.records.rest import AttachmentShape, HandshakeShape, InboundShape, ReportsShape, RestShape

FIELDS_MAX = 1_000
ATTACHMENTS_MAX = 10
DETAIL_CHARS_MAX = 100
CHALLENGE_CHARS_MAX = 1_000
NAMES_CHARS_MAX = 500
_CHARSET = re.compile(r"charset\s*=\s*\"?([\w.:-]+)", re.IGNORECASE)
_READABLE = frozenset({"utf-8", "utf8", "us-ascii", "ascii"})
_NO_MESSAGE = "is no customer's message: it is not what inbound.when asks for"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How the requests of one channel are read; `own` are its values."""

    shape: RestShape
    own: Mapping[str, str]
    text_chars_max: int

    def scope(self, request: InboundRequest) -> dict[str, Any]:
        """All there is to see of a request; raises `MalformedInput` where its body cannot be read."""
        form, around = self.shape.inbound.form, self.without_payload(request)
        if form == "query":
            return around | {"payload": around["query"]}
        return around | {"payload": None if request.method == "GET" else _payload(request, form)}

    def without_payload(self, request: InboundRequest) -> dict[str, Any]:
        """What is to be seen of a request before its body is looked at."""
        try:
            query = _fields(urlsplit(request.url).query)
        except ValueError as error:
            raise MalformedInput(f"the query of the address cannot be read: {error}") from error
        return {"headers": dict(request.headers), "query": query, "own": dict(self.own)}

    def handshake(self, method: str, scope: Mapping[str, Any]) -> HandshakeShape | None:
        """The handshake that a request is, if it is one."""
        return next((one for one in self.shape.handshakes if one.method == method and holds(one.when, scope)), None)

    def events(self, scope: Mapping[str, Any]) -> Events:
        """Read every event of a request whose sender is known."""
        messages: list[Inbound] = []
        reports: list[Report] = []
        ignored: list[str] = []
        refused: list[str] = []
        inbound, reporting = self.shape.inbound, self.shape.reports
        for event in found(inbound.events, scope["payload"]):
            around = {**scope, "event": event}
            told = [] if reporting is None else self._reports(reporting, around)
            found_here = [item for path in inbound.messages for item in found(path, event)]
            for item in found_here:
                seen = {**around, "message": item}
                why = next((one.why for one in inbound.ignore if holds(one.when, seen)), None)
                if why is not None:
                    ignored += [] if told else [why]
                elif holds(inbound.when, seen):
                    try:
                        messages.append(self._message(inbound, seen))
                    except MalformedInput as error:
                        refused.append(error.message)
                elif not told:
                    ignored.append(_NO_MESSAGE)
            if not found_here and not told:
                why = next((one.why for one in inbound.ignore if holds(one.when, around)), None)
                ignored.append(why or "holds nothing where inbound.messages looks")
            reports += [one for one in told if isinstance(one, Report)]
            ignored += [one for one in told if isinstance(one, str)]
        if not (messages or reports or ignored or refused):
            ignored.append("holds nothing where inbound.events looks")
        return Events(
            messages=tuple(messages),
            reports=tuple(reports),
            ignored=tuple(ignored),
            refused=tuple(refused),
            say={"json": None, "empty": "", "ok": "ok"}[inbound.acknowledge],
        )

    def _reports(self, shape: ReportsShape, around: Mapping[str, Any]) -> list[Report | str]:
        told: list[Report | str] = []
        for item in found(shape.at, around["event"]):
            seen = {**around, "report": item}
            if not holds(shape.when, seen):
                continue
            status = first_text([shape.status], seen)
            if status not in (*shape.delivered, *shape.failed):
                told.append("reports on a reply of ours, neither delivered nor failed")
                continue
            key = _within(first_text(shape.key, seen), NAMES_CHARS_MAX)
            provider_id = _within(first_text(shape.provider_id, seen), NAMES_CHARS_MAX)
            if key is None and provider_id is None:
                told.append("reports on a reply without naming it")
                continue
            why = first_text(shape.why, seen)
            told.append(
                Report(
                    key=key,
                    provider_id=provider_id,
                    has_arrived=status in shape.delivered,
                    why=_short(why) if why else None,
                )
            )
        return told

    def _message(self, shape: InboundShape, seen: Mapping[str, Any]) -> Inbound:
        names = {field: first_text(getattr(shape, field), seen) for field in ("id", "conversation", "address")}
        for field, value in names.items():
            if value is None or len(value) > NAMES_CHARS_MAX:
                wrong = "is missing" if value is None else f"is longer than {NAMES_CHARS_MAX} characters"
                raise MalformedInput(
                    f"a message whose {field} {wrong}: inbound.{field} looks at {' and '.join(getattr(shape, field))}; "
                    "compare it with what the provider sends"
                )
        words = _plain(first_text(shape.text, seen) or "", shape.text_form)
        notes = _notes(shape.attachments, seen)
        text, needs_person = fitted("\n".join([*filter(None, [words]), *notes]), self.text_chars_max)
        if not words:
            text, needs_person = text or "[a message without text]", NO_TEXT
        return Inbound(
            provider_id=names["id"] or "",
            external_id=names["conversation"] or "",
            address=names["address"] or "",
            text=text,
            sent_at=_moment(first_text(shape.time, seen), shape.time_form),
            contact_name=_within(first_text(shape.name, seen), 200),
            contact_email=_within(first_text(shape.email, seen), 320),
            contact_phone=_within(first_text(shape.phone, seen), 200),
            needs_person=needs_person,
        )


def challenge_of(handshake: HandshakeShape, scope: Mapping[str, Any]) -> str:
    """What a handshake wants to hear; raises `MalformedInput` where it does not say."""
    challenge = first_text([handshake.challenge], scope)
    if challenge is None or len(challenge) > CHALLENGE_CHARS_MAX:
        raise MalformedInput(
            f"a handshake without a challenge of 1 to {CHALLENGE_CHARS_MAX} characters at {handshake.challenge}"
        )
    return challenge.encode("utf-8", "replace").decode()


def _payload(request: InboundRequest, form: str) -> Any:
    charset = _CHARSET.search(request.headers.get("content-type", ""))
    if charset is not None and charset[1].lower() not in _READABLE:
        raise MalformedInput(f"the body is said to be in {charset[1]!r}: send UTF-8")
    try:
        text = request.body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedInput(f"the body is not UTF-8 at byte {error.start}: send UTF-8") from error
    try:
        return json.loads(text) if form == "json" else _fields(text)
    except (ValueError, RecursionError) as error:
        raise MalformedInput(
            f"the body cannot be read as {form} ({error}): see inbound.form of this channel"
        ) from error


def _fields(text: str) -> dict[str, str]:
    """The fields of a form or query, the first of each name; raises `ValueError`."""
    fields: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict"):
        fields.setdefault(name, value)
    return fields


def _notes(shapes: list[AttachmentShape], seen: Mapping[str, Any]) -> list[str]:
    notes: list[str] = []
    for shape in shapes:
        for node in found(shape.at, seen):
            parts = [node.get(name) for name in shape.details] if isinstance(node, dict) else [node]
            details = [_short(text) for text in map(text_of, parts) if text and text.strip()]
            notes.append(f"[{shape.label}: {', '.join(details)}]" if details else f"[{shape.label}]")
    if len(notes) > ATTACHMENTS_MAX:
        notes[ATTACHMENTS_MAX:] = [f"[and {len(notes) - ATTACHMENTS_MAX} more]"]
    return notes


def _short(text: str) -> str:
    one_line = " ".join(text.split())
    return one_line if len(one_line) <= DETAIL_CHARS_MAX else one_line[: DETAIL_CHARS_MAX - 1] + "…"


def _within(text: str | None, chars_max: int) -> str | None:
    """A fact of the contact or the name of a reply, if it may be one: what is longer is a mistake."""
    return text if text is not None and len(text) <= chars_max else None


def _moment(text: str | None, form: str) -> datetime | None:
    """When it was written, in UTC; None where the provider does not say it readably: the time of arrival counts."""
    if text is None:
        return None
    try:
        if form == "iso-8601":
            moment = datetime.fromisoformat(text)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        return datetime.fromtimestamp(float(text) / (1000 if form == "milliseconds" else 1), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _plain(text: str, form: str) -> str:
    if form == "plain":
        return text
    return html.unescape(text) if form == "entities" else _Tagless.read(text)


class _Tagless(HTMLParser):
    """The words of a piece of HTML."""

    _BREAKS = frozenset({"br", "p", "div", "li", "tr"})
    _UNSAID = frozenset({"script", "style", "head"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._unsaid = 0

    @classmethod
    def read(cls, text: str) -> str:
        reader = cls()
        reader.feed(text)
        reader.close()
        return "\n".join(filter(None, (" ".join(line.split()) for line in "".join(reader._parts).splitlines())))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._unsaid += tag in self._UNSAID
        if tag in self._BREAKS:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._unsaid = max(self._unsaid - (tag in self._UNSAID), 0)
        if tag in self._BREAKS:
            self._parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unsaid:
            self._parts.append(data)
