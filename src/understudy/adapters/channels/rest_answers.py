"""What a provider's answers mean, by the shape of its channel; it asks nobody.

Where an answer has to name the message (`answer.provider_id`) and does not, nobody knows what became of it: an empty
200 from a broken proxy is no receipt.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

from understudy.adapters.channels.outlet import RETRY_AFTER_S_MAX, Outlet, body_of
from understudy.adapters.channels.rest_writing import values_of
from understudy.records.json_paths import first_text, found, holds
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, Retry, SendResult, Unknown
from understudy.records.rest import AnswerShape, LookUpShape

PROVIDER_ID_CHARS_MAX = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class NotSeen(Retry):
    """The provider says that it never saw the message."""


async def meaning(
    shape: AnswerShape, outlet: Outlet, answer: aiohttp.ClientResponse, deadline: asyncio.Timeout
) -> SendResult:
    """What the answer to a send means: by the first rule that holds, else by its status."""
    is_fine = 200 <= answer.status < 300
    if is_fine and not (shape.rules or shape.provider_id):
        deadline.reschedule(None)  # the status has decided
        return Accepted()
    seen = await seen_of(answer)
    detail = _code(shape, seen)
    after_s = _after_s(shape, seen)
    for rule in shape.rules:
        if holds(rule.when, seen):
            reason = (rule.why or f"{outlet.host} answered {answer.status}") + detail
            match rule.means:
                case "accepted":
                    return Accepted(provider_id=_provider_id(shape.provider_id, seen))
                case "rejected":
                    return Rejected(reason=reason)
                case "retry":
                    return Retry(reason=reason, after_s=outlet.retry_after_s(answer) if after_s is None else after_s)
                case "unknown":
                    return Unknown(reason=reason)
    if not is_fine:
        return outlet.refusal(answer, detail=detail, after_s=after_s)
    provider_id = _provider_id(shape.provider_id, seen)
    if shape.provider_id and provider_id is None:
        return Unknown(reason=f"{outlet.host} answered {answer.status} without the message's id")
    return Accepted(provider_id=provider_id)


def looked_up(shape: LookUpShape, seen: Mapping[str, Any], entry: OutboxEntry) -> SendResult:
    """What the answer to a look-up says of an entry; `NotSeen` only where it certainly is not there."""
    not_seen = NotSeen(reason=f"the provider has not seen {entry.id}")
    if seen["status"] in shape.not_found:
        return not_seen
    if not 200 <= seen["status"] < 300 or not holds(shape.answered, seen):
        return Unknown(reason=f"the look-up was answered with {seen['status']} and not as look_up.answered wants it")
    ours = {**values_of(entry), "created_at": entry.created_at.isoformat()}
    for item in found(shape.items, seen):
        candidate = {**seen, "entry": ours, "item": item}
        if holds(shape.when, candidate):
            if shape.failed is not None and holds(shape.failed, candidate):
                return Rejected(reason="the provider took the message and could not deliver it")
            return Accepted(provider_id=_provider_id(shape.provider_id, candidate))
    if shape.more is not None and holds(shape.more, seen):
        return Unknown(reason="it is not on the first page of what was looked up, and there are more")
    return not_seen


async def seen_of(answer: aiohttp.ClientResponse) -> dict[str, Any]:
    """An answer as conditions are asked of it; a body that is no JSON is null."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    try:
        body = json.loads(await body_of(answer) or b"null")
    except (ValueError, RecursionError):
        body = None
    return {"status": answer.status, "headers": headers, "body": body}


def _provider_id(paths: list[str], seen: Mapping[str, Any]) -> str | None:
    text = first_text(paths, seen)
    return text if text is not None and len(text) <= PROVIDER_ID_CHARS_MAX and text.isprintable() else None


def _code(shape: AnswerShape, seen: Mapping[str, Any]) -> str:
    code = first_text(shape.code, seen)
    return f" ({code[:100]})" if code and code.isprintable() else ""


def _after_s(shape: AnswerShape, seen: Mapping[str, Any]) -> float | None:
    try:
        return min(max(float(first_text(shape.retry_after, seen) or ""), 0.0), RETRY_AFTER_S_MAX)
    except ValueError:
        return None
