"""What a system's answer to a write means, in the four answers of any delivery; pure, it asks nobody.

no connection made                              Retry: nothing can have left
anything later that breaks, or silence          Unknown, or Retry where a repeated key changes nothing
408, 425, 429, 501, 503                         Retry, after Retry-After where given
401, 403                                        Retry: it was not done, and may be once somebody mends the credentials
other 5xx                                       as what breaks
3xx, other 4xx                                  Rejected
2xx without the id that `answer` wants          Unknown: an empty 200 of a broken proxy is no receipt
"""

from __future__ import annotations

from typing import Any

from understudy.adapters.systems.asking import Answered, Broken, NotAsked
from understudy.records.json_paths import first_text, found, holds
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.rest import RequestShape
from understudy.records.systems import FindShape, Order, WriteShape
from understudy.records.templates import placeholders

PROVIDER_ID_CHARS_MAX = 500
_NOT_DONE = frozenset({401, 403, 408, 425, 429, 501, 503})


def meaning(shape: WriteShape, answer: Answered | NotAsked | Broken, *, host: str) -> SendResult:
    """Say what became of a write."""
    if isinstance(answer, NotAsked):
        return Retry(reason=answer.says)
    if isinstance(answer, Broken):
        return _unclear(shape, answer.says, None)
    seen = answer.seen()
    reason = f"{host} answered {answer.status}{_code(shape, seen)}"
    for rule in shape.answer.rules:
        if holds(rule.when, seen):
            return _by_rule(rule.means, rule.why or reason, shape, seen, answer.retry_after_s)
    if answer.is_fine:
        name = _id(shape.answer.provider_id, seen)
        if shape.answer.provider_id and name is None:
            return _unclear(shape, f"{reason} without the id of what it wrote", None)
        return Accepted(provider_id=name)
    if answer.status in _NOT_DONE:
        return Retry(reason=reason, after_s=answer.retry_after_s)
    if answer.status >= 500:
        return _unclear(shape, reason, answer.retry_after_s)
    if 300 <= answer.status < 400:
        return Rejected(reason=f"{reason}, a redirect, which is not followed: configure the final address")
    return Rejected(reason=reason)


def seen_again(shape: FindShape, answer: Answered | NotAsked | Broken, order: Order, *, host: str) -> SendResult:
    """Say what a look-up tells of an order; `Retry` only where it certainly was not carried out."""
    if isinstance(answer, NotAsked | Broken):
        return Unknown(reason=answer.says)
    if answer.status in shape.not_found:
        return Retry(reason=f"{host} has not seen {order.key}")
    seen = answer.seen()
    if not answer.is_fine or answer.body is None or not holds(shape.answered, seen):
        return Unknown(reason=f"{host} answered the look-up with {answer.status} and not as find.answered wants it")
    ours = {
        "key": order.key,
        "ticket": order.ticket,
        "subject": order.subject,
        "text": order.text,
        "assignee": order.assignee,
    }
    for item in found(shape.items, seen):
        scope = {**seen, "order": ours, "item": item}
        if holds(shape.when, scope):
            name = _id(shape.id, scope)
            return Accepted(provider_id=name) if name else Unknown(reason=f"{host} shows it without an id")
    if shape.more is not None and holds(shape.more, seen):
        return Unknown(reason="it is not on the first page of what was looked up, and there are more")
    return Retry(reason=f"{host} has not seen {order.key}")


def pruned(shape: RequestShape, values: dict[str, str]) -> RequestShape:
    """The request without the members of its body that are nothing but a placeholder which stands for nothing, and without
    those of its lists that lack one."""
    return shape.model_copy(update={"template": _pruned(shape.template, values)})


def _pruned(tree: Any, values: dict[str, str]) -> Any:
    if isinstance(tree, dict):
        kept = {name: _pruned(inner, values) for name, inner in tree.items() if not _is_nothing(inner, values)}
        return {name: inner for name, inner in kept.items() if inner != {} or tree[name] == {}}
    if isinstance(tree, list):
        whole = [inner for inner in tree if not _is_nothing(inner, values)]
        return [inner for inner in whole if _pruned(inner, values) == inner]
    return tree


def _is_nothing(leaf: Any, values: dict[str, str]) -> bool:
    if not (isinstance(leaf, str) and leaf.startswith("{") and leaf.endswith("}") and leaf.count("{") == 1):
        return False
    return all(values.get(name) == "" for name in placeholders(leaf))


def _by_rule(means: str, reason: str, shape: WriteShape, seen: dict[str, Any], after_s: float | None) -> SendResult:
    match means:
        case "accepted":
            return Accepted(provider_id=_id(shape.answer.provider_id, seen))
        case "rejected":
            return Rejected(reason=reason)
        case "retry":
            return Retry(reason=reason, after_s=after_s)
        case _:
            return _unclear(shape, reason, None)


def _unclear(shape: WriteShape, reason: str, after_s: float | None) -> SendResult:
    """Nobody can tell whether it was done; where a repeated key changes nothing, trying again is safe."""
    return Retry(reason=reason, after_s=after_s) if shape.honours_keys else Unknown(reason=reason)


def _id(paths: list[str], seen: dict[str, Any]) -> str | None:
    text = first_text(paths, seen)
    return text if text is not None and len(text) <= PROVIDER_ID_CHARS_MAX and text.isprintable() else None


def _code(shape: WriteShape, seen: dict[str, Any]) -> str:
    code = first_text(shape.answer.code, seen)
    return f" ({code[:100]})" if code and code.isprintable() else ""
