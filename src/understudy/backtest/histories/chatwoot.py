"""Read a Chatwoot export: conversations with their messages, judged by satisfaction or labels; it asks no server.

Read are conversations as the API and webhooks give them (`messages` inside, one or many, also under `payload` or
`data.payload`), and satisfaction responses (`rating`, `conversation_id`) beside them. A conversation is one turn: the
bot's last answer is the draft. Where a person of the team answered after it, they took the conversation over. Else the
customer's rating counts, 4 and 5 of 5 good, or the conversation's labels where the user says what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from understudy.backtest.histories.labelled import Labelled, labelled, moment
from understudy.backtest.histories.ratings import Meaning, verdict_of, verdict_of_labels
from understudy.backtest.histories.source import Place, Source, shown
from understudy.records.review import VerdictKind

EXPECTED: Final = (
    "expected conversations of a Chatwoot export, each with `id` and `messages` that have `content`, `message_type` and "
    "`sender`, or satisfaction responses with `conversation_id` and `rating`"
)
SATISFIED_FROM: Final = 4.0
"""Of five; the share of 4 and 5 is what Chatwoot calls the satisfaction score."""
INCOMING: Final = frozenset({0, "0", "incoming"})
OUTGOING: Final = frozenset({1, "1", "outgoing"})
BOTS: Final = frozenset({"agent_bot", "agentbot", "captain::assistant", "captain_assistant"})
Row = Mapping[str, Any]


def read(source: Source, meaning: Meaning) -> Iterator[Labelled]:
    """Each conversation in which a bot answered, in the file's order; the others say nothing about a draft."""
    ratings = {
        str(row["conversation_id"]): row["rating"] for _, row in _rows(source) if _is_response(row) and "rating" in row
    }
    for place, row in _rows(source):
        if _is_response(row):
            continue
        messages = _public(row, place)
        last = _last_answer(messages)
        if last is not None:
            yield _turn(row, messages, last, ratings, place, meaning)


def _rows(source: Source) -> Iterator[tuple[Place, Row]]:
    """Conversations and satisfaction responses, out of whatever list they stand in."""
    for line, value in source.values():
        place = source.at(line)
        for row in _unpacked(value):
            if not isinstance(row, dict) or not (_is_response(row) or isinstance(row.get("messages"), list)):
                place.refuse(f"{EXPECTED}; got {shown(row)}")
            yield place, row


def _unpacked(value: Any) -> list[Any]:
    if isinstance(value, dict):
        inner = value.get("data", value)
        payload = inner.get("payload", inner) if isinstance(inner, dict) else inner
        if isinstance(payload, list) and payload and isinstance(payload[0], dict) and "message_type" in payload[0]:
            meta = value.get("meta")  # the messages of one conversation, with what is known of it beside them
            return [
                {
                    **(meta if isinstance(meta, dict) else {}),
                    "messages": payload,
                    "id": payload[0].get("conversation_id"),
                }
            ]
        return payload if isinstance(payload, list) else [payload]
    return value if isinstance(value, list) else [value]


def _is_response(row: Any) -> bool:
    return isinstance(row, dict) and "rating" in row and row.get("conversation_id") is not None


def _public(row: Row, place: Place) -> list[Row]:
    """What the customer could see, oldest first: no notes, no activity lines, no surveys."""
    for message in row["messages"]:
        if not isinstance(message, dict) or "message_type" not in message:
            place.refuse(f"messages: each needs `message_type` and `content`, got {shown(message)}")
    said = [
        message
        for message in row["messages"]
        if not message.get("private")
        and message["message_type"] in INCOMING | OUTGOING
        and isinstance(message.get("content"), str)
        and message["content"].strip()
    ]
    return sorted(said, key=lambda message: _order(message, place))


def _order(message: Row, place: Place) -> tuple[float, float]:
    at = moment(message.get("created_at"), place, "created_at")
    number = message.get("id")
    return (at.timestamp() if at else 0.0, float(number) if isinstance(number, int | float) else 0.0)


def _last_answer(messages: Sequence[Row]) -> int | None:
    """Where the bot's last answer to the customer stands."""
    has_asked, found = False, None
    for number, message in enumerate(messages):
        has_asked = has_asked or message["message_type"] in INCOMING
        if has_asked and _is_by_bot(message):
            found = number
    return found


def _is_by_bot(message: Row) -> bool:
    return message["message_type"] in OUTGOING and _sender(message) in BOTS


def _sender(message: Row) -> str:
    sender = message.get("sender")
    kind = (sender.get("type") if isinstance(sender, dict) else None) or message.get("sender_type") or ""
    return str(kind).casefold()


def _turn(
    row: Row, messages: Sequence[Row], last: int, ratings: Mapping[str, Any], place: Place, meaning: Meaning
) -> Labelled:
    draft = messages[last]
    own = str(row.get("id") if row.get("id") is not None else f"line-{place.line}")
    verdict = _verdict(row, messages, last, ratings.get(own), place, meaning)
    custom = row.get("custom_attributes")
    known: Row = custom if isinstance(custom, dict) else {}
    return labelled(
        place,
        {
            "id": own if draft.get("id") is None else f"{own}#{draft['id']}",
            "conversation_id": own,
            "channel": _channel(row),
            "topic": known.get("topic"),
            "agent_version": known.get("agent_version"),
            "at": moment(draft.get("created_at"), place, "created_at"),
            "messages": [
                {
                    "role": "user" if message["message_type"] in INCOMING else "assistant",
                    "content": message["content"],
                }
                for message in messages[:last]
            ],
            "draft": {"text": draft["content"], "confidence": _confidence(draft)},
            "verdict": None if verdict is None else {"action": verdict.value},
        },
    )


def _verdict(
    row: Row, messages: Sequence[Row], last: int, rating: Any, place: Place, meaning: Meaning
) -> VerdictKind | None:
    if any(message["message_type"] in OUTGOING and _sender(message) == "user" for message in messages[last + 1 :]):
        return VerdictKind.TAKE_OVER
    labels = row.get("labels")
    if meaning.has_words() and isinstance(labels, list):
        by_label = verdict_of_labels(map(str, labels), meaning)
        if by_label is not None:
            return by_label
    if rating is None:
        rating = _rating_in(row)
    stars = Meaning(good_from=SATISFIED_FROM if meaning.good_from is None else meaning.good_from)
    try:
        return verdict_of(rating, stars)
    except ValueError as error:
        place.refuse(f"rating of conversation {row.get('id')}: {error}")


def _rating_in(row: Row) -> Any:
    """The answer to the survey, which Chatwoot keeps in the message that asked for it."""
    for message in reversed(row["messages"]):
        attributes = message.get("content_attributes")
        submitted = attributes.get("submitted_values") if isinstance(attributes, dict) else None
        response = submitted.get("csat_survey_response") if isinstance(submitted, dict) else None
        if isinstance(response, dict) and response.get("rating") is not None:
            return response["rating"]
    survey = row.get("csat_survey_response")
    return survey.get("rating") if isinstance(survey, dict) else None


def _channel(row: Row) -> str:
    meta = row.get("meta")
    named = row.get("channel") or (meta.get("channel") if isinstance(meta, dict) else None)
    return str(named).removeprefix("Channel::") if named else "chatwoot"


def _confidence(draft: Row) -> Any:
    attributes = draft.get("content_attributes")
    return attributes.get("confidence") if isinstance(attributes, dict) else None
