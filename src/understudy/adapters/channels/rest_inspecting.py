"""Ask a provider how a REST channel is set up there, as its shape says: permissions, web hooks, secrets. It changes nothing."""

from __future__ import annotations

import asyncio
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import aiohttp

from understudy.adapters.channels.outlet import Outlet
from understudy.adapters.channels.rest_answers import seen_of
from understudy.adapters.channels.rest_writing import CannotStand, written
from understudy.ports.channel import Inspected
from understudy.records.json_paths import first_text, found, holds
from understudy.records.outbox import Accepted, SendResult, Unknown
from understudy.records.rest import ALWAYS_KNOWN, InspectionShape

Ask = Callable[[Outlet, Any, Any], Any]
"""Makes one request over an outlet and has its answer read."""


async def inspected(
    shapes: Sequence[InspectionShape],
    *,
    values: Mapping[str, str],
    secrets: Sequence[str],
    outlet_for: Callable[[InspectionShape], Outlet],
    ask: Ask,
) -> tuple[Inspected, ...]:
    """Ask all that can be asked with these values; each question by itself."""
    return tuple(
        [
            await _one(shape, values, secrets, outlet_for, ask)
            for shape in shapes
            if not shape.wanted() - ALWAYS_KNOWN - frozenset(values)
        ]
    )


async def _one(
    shape: InspectionShape,
    values: Mapping[str, str],
    secrets: Sequence[str],
    outlet_for: Callable[[InspectionShape], Outlet],
    ask: Ask,
) -> Inspected:
    outlet = outlet_for(shape)
    told: list[Inspected] = []

    async def read(answer: aiohttp.ClientResponse, _: asyncio.Timeout) -> SendResult:
        seen = await seen_of(answer)
        if not 200 <= answer.status < 300 or not holds(shape.answered, seen):
            return Unknown(reason=f"{outlet.host} answered {answer.status} and not as it should")
        told.append(_judged(shape, {**seen, "own": dict(values), "hook": hooks_of(values)}, secrets))
        return Accepted()

    try:
        result = await ask(outlet, written(shape, values), read)
        why = getattr(result, "reason", "")
    except CannotStand as error:
        why = str(error)
    finally:
        await outlet.close()
    return (
        told[0] if told else Inspected(what=shape.what, is_well=None, says=f"cannot be asked: {why}", mend=shape.mend)
    )


def hooks_of(values: Mapping[str, str]) -> dict[str, str]:
    """The addresses of a channel, as its provider should know them."""
    url = f"{values['public_url'].rstrip('/')}/webhooks/{values['channel']}"
    return {"url": url, "notes": f"{url}/notes"}


def _judged(shape: InspectionShape, seen: Mapping[str, Any], secrets: Sequence[str]) -> Inspected:
    if shape.needs:
        there = {word for path in shape.words for node in found(path, seen) for word in _words(node)}
        missing = [need for need in shape.needs if need not in there]
        says = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(shape.needs)}"
        return Inspected(what=shape.what, is_well=not missing, says=says, mend=shape.mend if missing else "")
    assert shape.when is not None, "an inspection asks something"
    fitting = [item for item in found(shape.items, seen) if holds(shape.when, {**seen, "item": item})]
    if not fitting:
        return Inspected(what=shape.what, is_well=False, says="is not as this channel needs it", mend=shape.mend)
    if shape.secret:
        theirs = [first_text(shape.secret, {**seen, "item": item}) for item in fitting]
        known = [one for one in theirs if one]
        if known and not any(_is_one_of(one, secrets) for one in known):
            says = "signs with a secret that this channel does not have"
            return Inspected(what=shape.what, is_well=False, says=says, mend="give this channel the provider's secret")
        return Inspected(what=shape.what, is_well=True, says=f"is right{', and so is its secret' if known else ''}")
    return Inspected(what=shape.what, is_well=True, says="is right")


def _is_one_of(secret: str, secrets: Sequence[str]) -> bool:
    fits = [hmac.compare_digest(secret.encode("utf-8", "replace"), one.encode()) for one in secrets]  # all of them
    return any(fits)


def _words(node: Any) -> list[str]:
    if isinstance(node, list):
        return [word for one in node for word in _words(one)]
    return [word for word in re.split(r"[,\s]+", str(node)) if word]
