"""Each call of the HTTP API as a value: what is sent, how its answer is read, when it may be repeated; no sockets here.

Both clients share this module, so a call is described once. Only calls that are harmless when they arrive twice may
be repeated: reads, and handing over a turn under its idempotency key. A verdict is never repeated by itself.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Literal, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import ValidationError

from understudy.client import models
from understudy.client.errors import AnswerUnreadable, ApiError, ClientError, ServerUnreachable

T = TypeVar("T")

ATTEMPTS_MAX = 3
"""How often a repeatable call is tried in all."""
PAUSE_FIRST_S = 0.2
"""The pause before the second attempt; it doubles with each further one."""
PAUSE_S_MAX = 10.0
"""The longest pause between attempts; where the server asks for more, the error is raised instead."""
DETAIL_CHARS_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request. `content` is JSON text; `wait_s` is how long the server itself may take on top of the timeout."""

    method: Literal["GET", "POST"]
    path: str
    read: Callable[[Any], T]
    params: Mapping[str, str | int | float] = field(default_factory=dict)
    content: str | bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_repeatable: bool = False
    wait_s: float = 0.0


def submit_turn(
    record: Mapping[str, Any] | str | bytes, *, wait_s: float = 0, idempotency_key: str | None = None
) -> Call[models.Turn]:
    """Hand over a finished draft as a turn record and get the decision.

    `record` is the turn record as a mapping or as one JSON line of a file. `wait_s` in [0, 60] waits for a person's
    verdict where the draft is held. Without `idempotency_key` one is made, so repeats of this call count once; give
    your own to make repeats by *your* code count once too.
    """
    return Call(
        method="POST",
        path="/v1/turns",
        read=_reader(models.Turn),
        params=_wait(wait_s),
        content=record if isinstance(record, str | bytes) else json.dumps(record, ensure_ascii=False),
        headers={"Idempotency-Key": idempotency_key or secrets.token_hex(16)},
        is_repeatable=True,
        wait_s=wait_s,
    )


def turn(turn_id: str, *, wait_s: float = 0) -> Call[models.Turn]:
    """Read one turn; `wait_s` in [0, 60] waits for it to be answered or handed off."""
    return _get(f"/v1/turns/{_part(turn_id)}", models.Turn, _wait(wait_s), wait_s=wait_s)


def turns_page(cursor: str | None, limit: int) -> Call[models.Page[models.Turn]]:
    """Read one page of turns."""
    return _get("/v1/turns", models.Page[models.Turn], _page(cursor, limit))


def pipeline(turn_id: str) -> Call[models.Pipeline]:
    """Read how a turn's draft came about, step by step."""
    return _get(f"/v1/turns/{_part(turn_id)}/pipeline", models.Pipeline)


def feedback(turn_id: str, kind: str) -> Call[models.Feedback]:
    """Say what the customer thinks of the reply: `complaint`, `thumbs_down`, `thumbs_up` or `recontact`; once per kind."""
    call = _post(f"/v1/turns/{_part(turn_id)}/feedback", models.Feedback, {"kind": kind})
    return replace(call, is_repeatable=True)


def holds_page(cursor: str | None, limit: int) -> Call[models.Page[models.Hold]]:
    """Read one page of the queue, first to be decided first."""
    return _get("/v1/holds", models.Page[models.Hold], _page(cursor, limit))


def hold(hold_id: str) -> Call[models.HoldDetail]:
    """Read one hold with its turn and conversation."""
    return _get(f"/v1/holds/{_part(hold_id)}", models.HoldDetail)


def claim(hold_id: str) -> Call[models.Hold]:
    """Claim a hold for 60 s, or keep a claim alive; `ApiError` code `claimed-by-other` where somebody else has it."""
    return _post(f"/v1/holds/{_part(hold_id)}/claim", models.Hold, {})


def release(hold_id: str) -> Call[models.Hold]:
    """Let go of a claim, so that others may decide."""
    return _post(f"/v1/holds/{_part(hold_id)}/release", models.Hold, {})


def approve(
    hold_id: str,
    *,
    version: int,
    reasons: Sequence[str] = (),
    severity: float | None = None,
    topic: str | None = None,
    actions: Sequence[models.ActionChoice] = (),
) -> Call[models.Decided]:
    """Send the draft as it is. `version` is the hold's as read; `ApiError` `stale-version` where it moved on.

    `topic`, here and below, says what the turn is about, where the reviewer knows better; `actions` what becomes of proposed
    actions. Of those that are not named *approve* and *edit* let through all, the others none.
    """
    return _verdict(hold_id, version, "approve", None, reasons, severity, topic, actions)


def edit(
    hold_id: str,
    text: str,
    *,
    version: int,
    reasons: Sequence[str] = (),
    severity: float | None = None,
    topic: str | None = None,
    actions: Sequence[models.ActionChoice] = (),
) -> Call[models.Decided]:
    """Send `text` in place of the draft; `severity` in [0, 1] grades how wrong the draft was (0 = cosmetic)."""
    return _verdict(hold_id, version, "edit", text, reasons, severity, topic, actions)


def reject(
    hold_id: str,
    *,
    version: int,
    reasons: Sequence[str] = (),
    text: str | None = None,
    severity: float | None = None,
    topic: str | None = None,
) -> Call[models.Decided]:
    """Refuse the draft; `reasons` are codes, `text` is a remark for colleagues and is not sent to the customer."""
    return _verdict(hold_id, version, "reject", text, reasons, severity, topic)


def respond(
    hold_id: str,
    text: str,
    *,
    version: int,
    reasons: Sequence[str] = (),
    severity: float | None = None,
    topic: str | None = None,
    actions: Sequence[models.ActionChoice] = (),
    take_from: str | None = None,
) -> Call[models.Decided]:
    """Answer in the reviewer's own words. `take_from`: who has the conversation, where another person does."""
    return _verdict(hold_id, version, "respond", text, reasons, severity, topic, actions, take_from=take_from)


def take_over(
    hold_id: str,
    *,
    version: int,
    reasons: Sequence[str] = (),
    topic: str | None = None,
    take_from: str | None = None,
) -> Call[models.Decided]:
    """Take the conversation over: a person writes until it is handed back. `take_from`: who has it, where another person does."""
    return _verdict(hold_id, version, "take_over", None, reasons, None, topic, take_from=take_from)


def conversation(conversation_id: str) -> Call[models.Conversation]:
    """Read one conversation with its messages."""
    return _get(f"/v1/conversations/{_part(conversation_id)}", models.Conversation)


def say(conversation_id: str, text: str) -> Call[models.Reply]:
    """Write to the customer in a conversation that a person has taken over."""
    return _post(f"/v1/conversations/{_part(conversation_id)}/messages", models.Reply, {"text": text})


def take_over_conversation(conversation_id: str, *, take_from: str | None = None) -> Call[models.Conversation]:
    """Take a conversation over that has no open hold; drafts that wait become void. Where another person has it that is refused
    (409 taken-by-other) unless `take_from` names them."""
    return _post(
        f"/v1/conversations/{_part(conversation_id)}/take_over", models.Conversation, _given(take_from=take_from)
    )


def hand_back(
    conversation_id: str, *, note: str | None = None, take_from: str | None = None
) -> Call[models.Conversation]:
    """Let the agent answer again, from the customer's next message on. `note`: what was done beside writing, for the agent."""
    body = _given(note=note, take_from=take_from)
    return _post(f"/v1/conversations/{_part(conversation_id)}/hand_back", models.Conversation, body)


def receive(call: Call[T], response: httpx2.Response) -> T:
    """Read the answer to a call; raises `ApiError` for a refusal, `AnswerUnreadable` where it is not this API's."""
    if not response.is_success:
        raise refusal(response)
    try:
        return call.read(response.json())
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "the whole"
        raise AnswerUnreadable(f"the answer of {call.path} does not fit at {where}: {first['msg']}") from error
    except ValueError as error:
        raise AnswerUnreadable(
            f"{response.url} answered {response.status_code}, but not JSON; is it Understudy?"
        ) from error


def refusal(response: httpx2.Response) -> ApiError:
    """Read a refusal (RFC 9457 problem, or whatever a proxy in between sent instead)."""
    code, detail = (
        f"http-{response.status_code}",
        f"{response.url.path} answered {response.reason_phrase or 'an error'}",
    )
    try:
        problem = response.json()
    except ValueError:
        problem = None
    if isinstance(problem, dict):
        code = str(problem.get("type") or code).rpartition(":")[2]
        detail = str(problem.get("detail") or problem.get("title") or detail)[:DETAIL_CHARS_MAX]
    retry_after = response.headers.get("retry-after", "")
    return ApiError(
        status=response.status_code,
        code=code,
        detail=detail,
        retry_after_s=float(retry_after) if retry_after.isascii() and retry_after.isdigit() else None,
    )


def no_answer(url: str, error: httpx2.RequestError) -> ServerUnreachable:
    """Name the URL that gave no answer, and why."""
    if isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout | httpx2.PoolTimeout):
        why = "it did not answer in time"
    elif isinstance(error, httpx2.ConnectTimeout | httpx2.ConnectError):
        why = f"no connection ({error or 'timed out'}); is the address right and does `understudy serve` run?"
    else:
        why = f"the connection broke ({error or type(error).__name__})"
    return ServerUnreachable(f"{url}: {why}")


def pause_s(call: Call[Any], attempt: int, failure: ClientError) -> float | None:
    """How many seconds to wait before the next attempt; None where the failure is to be raised."""
    if not call.is_repeatable or not failure.is_retryable or attempt >= ATTEMPTS_MAX:
        return None
    asked = failure.retry_after_s if isinstance(failure, ApiError) else None
    pause = PAUSE_FIRST_S * 2 ** (attempt - 1) if asked is None else asked
    return pause if pause <= PAUSE_S_MAX else None


def _get(
    path: str, kind: type[T], params: Mapping[str, str | int | float] | None = None, *, wait_s: float = 0
) -> Call[T]:
    return Call(method="GET", path=path, read=_reader(kind), params=params or {}, is_repeatable=True, wait_s=wait_s)


def _post(path: str, kind: type[T], body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Call[T]:
    content = json.dumps(body, ensure_ascii=False)
    return Call(method="POST", path=path, read=_reader(kind), content=content, headers=headers or {})


def _verdict(
    hold_id: str,
    version: int,
    action: str,
    text: str | None,
    reasons: Sequence[str],
    severity: float | None,
    topic: str | None,
    actions: Sequence[models.ActionChoice] = (),
    *,
    take_from: str | None = None,
) -> Call[models.Decided]:
    body: dict[str, Any] = {"action": action, "text": text, "reasons": list(reasons), "severity": severity}
    if actions:
        body["actions"] = [
            {"id": one.id, "let_through": one.let_through}
            | ({} if one.arguments is None else {"arguments": dict(one.arguments)})
            for one in actions
        ]
    if topic is not None:
        body["topic"] = topic  # left out where nothing is said, for servers that do not know it yet
    body |= _given(take_from=take_from)
    return _post(f"/v1/holds/{_part(hold_id)}/verdict", models.Decided, body, {"If-Match": f'"{version}"'})


def _given(**said: str | None) -> dict[str, Any]:
    """What is said at all, for servers that do not know the rest yet."""
    return {name: value for name, value in said.items() if value is not None}


def _reader(kind: type[T]) -> Callable[[Any], T]:
    return lambda data: models.read(kind, data)


def _wait(wait_s: float) -> dict[str, str | int | float]:
    return {"wait_s": wait_s} if wait_s else {}


def _page(cursor: str | None, limit: int) -> dict[str, str | int | float]:
    return {"limit": limit} if cursor is None else {"limit": limit, "cursor": cursor}


def _part(name: str) -> str:
    if not name.strip("."):
        raise ValueError(f"an id must not be empty or made of dots, got {name!r}")
    return quote(name, safe="")
