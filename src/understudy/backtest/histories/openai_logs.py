"""Read chat logs in the OpenAI format with thumbs or scores, JSON Lines or one JSON list; it guesses no rating.

A line is a conversation with one rating for its last answer, a stored completion (`messages` and `choices`, or
`request` and `response`), or a conversation whose answers carry a rating each. What else it says (conversation, time,
topic, channel, model) is taken from the line or its `metadata`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from understudy.backtest.histories.labelled import Labelled, labelled, moment, text_of
from understudy.backtest.histories.ratings import Meaning, verdict_of
from understudy.backtest.histories.source import Place, Source, shown

RATING_FIELDS: Final = ("verdict", "rating", "feedback", "score", "thumbs", "user_feedback", "label")
CONVERSATION_FIELDS: Final = ("conversation_id", "session_id", "thread_id", "chat_id")
TIME_FIELDS: Final = ("at", "created_at", "created", "timestamp", "time")
VERSION_FIELDS: Final = ("agent_version", "model")
EXPECTED: Final = (
    "expected an object with `messages` in the OpenAI format and a rating: "
    '{"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}], "rating": "up"}'
)
Row = Mapping[str, Any]


def read(source: Source, meaning: Meaning) -> Iterator[Labelled]:
    """Each rated answer as a turn; a log without any rating as one turn without a verdict."""
    for line, value in source.values():
        place = source.at(line)
        if not isinstance(value, dict):
            place.refuse(f"{EXPECTED}; got {shown(value)}")
        yield from _turns(value, place, meaning)


def _turns(row: Row, place: Place, meaning: Meaning) -> Iterator[Labelled]:
    messages = _messages(row, place)
    reply = _reply(row)
    if reply is not None:
        yield _turn(row, place, meaning, messages, reply, rating=_rating(row, meaning), number=None)
        return
    rated = [
        (number, rating)
        for number, message in enumerate(messages)
        if message.get("role") == "assistant" and (rating := _rating(message, meaning)) is not None
    ]
    for number, rating in rated:
        yield _turn(row, place, meaning, messages[:number], messages[number], rating=rating, number=number)
    if rated:
        return
    answers = [n for n, m in enumerate(messages) if m.get("role") == "assistant" and text_of(m.get("content"))]
    if not answers:
        place.refuse("messages: no answer of the assistant is among them, so there is nothing to judge")
    last = answers[-1]
    yield _turn(row, place, meaning, messages[:last], messages[last], rating=_rating(row, meaning), number=None)


def _messages(row: Row, place: Place) -> list[dict[str, Any]]:
    request = row.get("request")
    body = request.get("body", request) if isinstance(request, dict) else row
    found = body.get("messages", body.get("input"))
    if "messages" not in body and isinstance(found, str):  # as the Responses API takes it
        found = [{"role": "user", "content": found}]
    if not isinstance(found, list) or not all(isinstance(message, dict) for message in found):
        place.refuse(f"messages: {EXPECTED}; got {shown(found)}")
    return [{**message, "role": "tool"} if message.get("role") == "function" else message for message in found]


def _reply(row: Row) -> dict[str, Any] | None:
    """The answer where it stands apart from the messages before it."""
    response = row.get("response", row)
    body = response.get("body", response) if isinstance(response, dict) else response
    if isinstance(body, str):
        return {"content": body}
    if not isinstance(body, dict):
        return None
    choices = body.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        message = choices[0].get("message")
        return message if isinstance(message, dict) else None
    for field in ("output", "completion", "answer"):
        if (text := text_of(body.get(field))) is not None:
            return {"content": text}
    return None


def _turn(
    row: Row,
    place: Place,
    meaning: Meaning,
    before: Sequence[Row],
    reply: Row,
    *,
    rating: Any,
    number: int | None,
) -> Labelled:
    try:
        verdict = verdict_of(rating, meaning)
    except ValueError as error:
        place.refuse(f"{meaning.name or 'the rating'}: {error}")
    if not before:
        place.refuse("messages: nothing stands before the answer; what the customer said is needed")
    own = str(_first(row, "id") or f"line-{place.line}")
    at = next((moment(row[field], place, field) for field in TIME_FIELDS if row.get(field) is not None), None)
    conversation = next((row_id for field in CONVERSATION_FIELDS if (row_id := _first(row, field)) is not None), None)
    if conversation is None and number is not None:
        conversation = own  # several answers of one line belong together
    confidence = _first(row, "confidence")
    return labelled(
        place,
        {
            "id": own if number is None else f"{own}#{number}",
            "conversation_id": None if conversation is None else str(conversation),
            "channel": _first(row, "channel") or "api",
            "topic": _first(row, "topic"),
            "agent_version": next((str(v) for field in VERSION_FIELDS if (v := _first(row, field))), None),
            "at": at,
            "messages": before,
            "draft": {"text": text_of(reply.get("content")) or "", "confidence": confidence},
            "verdict": None if verdict is None else {"action": verdict.value},
        },
    )


def _first(row: Row, field: str) -> Any:
    """A field of the line, or of its metadata."""
    if row.get(field) is not None:
        return row[field]
    metadata = row.get("metadata")
    return metadata.get(field) if isinstance(metadata, dict) else None


def _rating(row: Row, meaning: Meaning) -> Any:
    """The rating on a line or message, and of a rating that is an object what it says."""
    for field in (meaning.name,) if meaning.name else RATING_FIELDS:
        found = _first(row, field)
        if isinstance(found, dict):
            found = next((found[key] for key in ("rating", "score", "value", "thumbs", "type") if key in found), None)
        if found is not None:
            return found
    return None
