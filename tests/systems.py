"""Systems of record as tests have them: each vendor's as a user would configure it, on a server of the test; and a scripted one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Mapping
from typing import Any

from understudy.adapters.systems.presets import PRESETS, shape_of
from understudy.adapters.systems.rest import RestSystem
from understudy.ports.channel import Reached
from understudy.ports.system import Found, Untold
from understudy.records.facts import About, FactItem
from understudy.records.outbox import Accepted, SendResult, Unknown
from understudy.records.systems import Known, Order, SystemShape, Write
from understudy.systems import token_source
from understudy.testing.scripted import FrozenClock

VALUES: Mapping[str, dict[str, str]] = {
    "chatwoot": {"account_id": "1", "inbox_id": "3"},
    "hubspot": {"portal_id": "99"},
    "request_tracker": {"queue": "Support"},
    "salesforce": {"client_id": "app"},
    "zendesk": {"subdomain": "acme", "agent": "bot@acme.example"},
}
CREDENTIALS: Mapping[str, dict[str, str]] = {
    **{name: {"api_token": "t0p-secret"} for name in PRESETS},
    "salesforce": {"client_secret": "t0p-secret"},
}
ADA = Known(emails=("ada@example.com",), phones=("+491511234567",))
assert set(VALUES) == set(PRESETS)


def rehosted(preset: str, server: str, *, clock: Any = None, **more: Any) -> RestSystem:
    """A vendor's system whose requests go to a server of the test instead of the vendor's."""
    return own(server, shape_of(preset), values={**VALUES[preset], "base_url": server}, clock=clock, **more)


def own(
    server: str,
    shape: SystemShape | dict[str, Any],
    *,
    values: Mapping[str, str] | None = None,
    credentials: Mapping[str, str] | None = None,
    clock: Any = None,
) -> RestSystem:
    """A system as its shape describes it."""
    shape = shape if isinstance(shape, SystemShape) else SystemShape.model_validate(shape)
    moved = SystemShape.model_validate(_moved(shape.model_dump(), server))
    values = {"base_url": server, **(values or {})}
    secrets = dict(credentials or {"api_token": "t0p-secret", "client_secret": "t0p-secret"})
    clock = clock or FrozenClock()
    tokens = token_source("systems.desk", moved.auth, {**moved.values, **values, **secrets}, clock)
    return RestSystem("desk", moved, clock=clock, values=values, credentials=secrets, tokens=tokens)


def _moved(tree: Any, server: str) -> Any:
    if isinstance(tree, dict):
        return {name: _url(inner, server) if name == "url" else _moved(inner, server) for name, inner in tree.items()}
    return [_moved(inner, server) for inner in tree] if isinstance(tree, list) else tree


def _url(url: str, server: str) -> str:
    return server + "/" + url.removeprefix("https://").partition("/")[2] if url.startswith("https://") else url


def ask(system: RestSystem, about: About, known: Known = ADA, *, deadline_s: float = 2.0) -> Found | Untold:
    """Look something up, and let go of the connections."""

    async def asked() -> Found | Untold:
        try:
            return await system.look_up(about, known, deadline_s=deadline_s)
        finally:
            await system.close()

    return asyncio.run(asked())


def tell(system: RestSystem, order: Order, *, find: bool = False) -> SendResult:
    """Have an order carried out, or looked for, and let go of the connections."""

    async def told() -> SendResult:
        try:
            return await (system.find(order) if find else system.write(order))
        finally:
            await system.close()

    return asyncio.run(told())


def sample(text: str | None) -> Any:
    """A sample of a shape as JSON."""
    return json.loads(text or "null")


class ScriptedSystem:
    """A system that says what the test tells it to; `asked` is what it was asked. A gate makes it wait."""

    def __init__(self, name: str = "desk", **says: Any) -> None:
        self.name = name
        self.says: dict[str, Any] = says
        self.asked: list[tuple[str, Known]] = []
        self.orders: list[Order] = []
        self.gate: asyncio.Event | None = None
        self.answer: Callable[[Order], SendResult] = lambda order: Accepted(provider_id=f"T-{len(self.orders)}")
        self.found: Callable[[Order], SendResult] = lambda _order: Unknown(reason="cannot be asked")
        self.keys = False
        self.looks = False

    def can_look_up(self, about: About) -> bool:
        return about in self.says

    def wants(self, about: About) -> Collection[str]:
        return {"email", "phone"} if about == "contact" else {"contact_id"}

    async def look_up(self, about: About, known: Known, *, deadline_s: float) -> Found | Untold:
        self.asked.append((about, known))
        if self.gate is not None:
            await self.gate.wait()
        said = self.says[about]
        if isinstance(said, Exception):
            raise said
        return said() if callable(said) else said

    def can_write(self, what: Write) -> bool:
        return True

    def honours_keys(self, what: Write) -> bool:
        return self.keys

    def can_find(self, what: Write) -> bool:
        return self.looks

    async def write(self, order: Order) -> SendResult:
        self.orders.append(order)
        return self.answer(order)

    async def find(self, order: Order) -> SendResult:
        return self.found(order)

    async def check(self) -> Reached:
        return Reached(says="scripted")

    async def close(self) -> None: ...


def found(*items: FactItem, **more: Any) -> Found:
    return Found(items=items, **more)


def item(item_id: str, **values: str) -> FactItem:
    return FactItem(id=item_id, values=values)
