"""A configuration with fakes in the place of everything it reaches, each behind a proxy of its own; it plays nothing.

Every dependency has a made-up name that stands for its proxy, so that the name can fail too. No other host is found
while the stage is open.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from understudy.errors import ConfigurationError
from understudy.records.systems import SystemShape
from understudy.settings.channels import Chatwoot, WhatsAppCloud, Zendesk
from understudy.settings.model import (
    ChatCompletionsAgent,
    FaqAgent,
    HttpAgent,
    PythonAgent,
    ResponsesAgent,
    Settings,
    Webhook,
)
from understudy.settings.opinions import OnnxOpinion, OpinionSettings
from understudy.settings.sign_in import SignInSettings
from understudy.settings.summaries import SummarySettings
from understudy.settings.systems import System as SystemSettings
from understudy.systems import shape_of_system
from understudy.testing.chatwoot import Chatwoot as FakeChatwoot
from understudy.testing.fault_proxy import FaultProxy
from understudy.testing.faults import Plan
from understudy.testing.listening import Listening
from understudy.testing.llm import LlmEndpoint
from understudy.testing.names import Names
from understudy.testing.provider import Provider
from understudy.testing.records import Orders, looking_up
from understudy.testing.signed_webhook import SECRET, SignedWebhook
from understudy.testing.system_of_record import SystemOfRecord, in_place
from understudy.testing.whatsapp import WhatsApp
from understudy.testing.zendesk import Zendesk as FakeZendesk

RECORD = "records.orders"
"""The system that the fake agents look orders up in."""

DOUBLES = 0.1
"""Share of web hooks that come a second time though the first was answered, as happens with every provider."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """Something the product needs from outside: its fake, the proxy before it, and the address the product has of it."""

    name: str
    fake: Listening
    proxy: FaultProxy
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """All of it. `settings` are the product's; `instead` says where channels send whose address nobody can configure.

    `left_out` names what there is no fake of, and which is therefore not played.
    """

    settings: Settings
    instead: Mapping[str, str]
    dependencies: Mapping[str, Dependency]
    left_out: tuple[str, ...]
    names: Names

    @property
    def providers(self) -> dict[str, Provider]:
        """The fakes over which customers write, by their channel."""
        found = {name: one.fake for name, one in self.dependencies.items()}
        return {name.removeprefix("channels."): fake for name, fake in found.items() if isinstance(fake, Provider)}

    @property
    def complaints(self) -> list[str]:
        """What the fakes found wrong with requests, by dependency."""
        return [
            f"{name}: {what}" for name, one in self.dependencies.items() for what in getattr(one.fake, "complaints", ())
        ]


@dataclass(slots=True)
class _Building:
    """What is opened so far."""

    stack: AsyncExitStack
    names: Names
    seed: int
    dependencies: dict[str, Dependency] = field(default_factory=dict)
    instead: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)

    async def open(self, name: str, fake: Listening) -> Dependency:
        """Start a fake and its proxy, under a name of their own."""
        await self.stack.enter_async_context(fake)
        # The seed is told apart by the name, else all dependencies would fail in step.
        plan = Plan(seed=hash_of(f"{self.seed}/{name}"))
        proxy = await self.stack.enter_async_context(FaultProxy(fake.url, plan=plan))
        host = f"{name.replace('.', '-').replace('_', '-').lower()}.fault.test"
        self.names.stand_in(host, fails=lambda: proxy.name_fails)
        one = Dependency(name=name, fake=fake, proxy=proxy, address=f"http://{host}:{proxy.port}")
        self.dependencies[name] = one
        return one


@asynccontextmanager
async def opened(settings: Settings, folder: Path, *, seed: int, pace: float = 1.0) -> AsyncIterator[Stage]:
    """Open a stage for a configuration; its database is in `folder`. Raises `ConfigurationError` where nothing can be played."""
    async with AsyncExitStack() as stack:
        names = stack.enter_context(Names(only_here=True))
        building = _Building(stack=stack, names=names, seed=seed)
        agents = await _agents(settings, building)
        opinions = {name: await _opinion(f"opinions.{name}", one, building) for name, one in settings.opinions.items()}
        written = settings.summaries
        summaries = None if written is None else await _opinion("summaries", written, building)
        channels = await _channels(settings, building, pace=pace)
        if not channels:
            raise ConfigurationError(
                "no channel of this configuration has a fake; there are fakes of chatwoot, webhook, whatsapp_cloud and zendesk"
            )
        changed: dict[str, Any] = {
            "agents": agents,
            "opinions": opinions,
            "summaries": summaries,
            "channels": channels,
            "systems": await _systems(settings, building),
            "sign_in": SignInSettings(),
            "store": settings.store.model_copy(update={"url": f"sqlite:///{folder / 'chaos.db'}"}),
            "server": settings.server.model_copy(update={"host": "127.0.0.1", "port": 0, "public_url": None, "workers": 1}),
            "telemetry": settings.telemetry.model_copy(update={"otlp_endpoint": None, "log_level": "ERROR"}),
        }  # fmt: skip
        yield Stage(
            settings=settings.model_copy(update=changed),
            instead=building.instead,
            dependencies=building.dependencies,
            left_out=tuple(building.left_out),
            names=names,
        )


async def _agents(settings: Settings, building: _Building) -> dict[str, Any]:
    remote = [name for name, one in settings.agents.items() if not isinstance(one, FaqAgent | PythonAgent)]
    answers = None
    if remote:
        orders = await building.open(RECORD, Orders())
        answers = looking_up(orders.address)
    changed: dict[str, Any] = {}
    for name, one in settings.agents.items():
        if isinstance(one, FaqAgent | PythonAgent):
            changed[name] = one
            continue
        assert answers is not None, "there are agents that are asked over HTTP"
        model = () if isinstance(one, HttpAgent) else (one.model,)
        key = one.token if isinstance(one, HttpAgent) else one.api_key
        fake = LlmEndpoint(answers=answers, models=model or ("none",), key=_plain(key))
        address = (await building.open(f"agents.{name}", fake)).address
        match one:
            case HttpAgent():
                changed[name] = one.model_copy(update={"url": f"{address}/draft"})
            case ChatCompletionsAgent() | ResponsesAgent():
                changed[name] = one.model_copy(update={"base_url": f"{address}/v1"})
    return changed


async def _opinion(name: str, one: OpinionSettings | SummarySettings, building: _Building) -> Any:
    if isinstance(one, OnnxOpinion):
        return one
    fake = LlmEndpoint(models=(one.model,), key=_plain(one.api_key))
    return one.model_copy(update={"base_url": f"{(await building.open(name, fake)).address}/v1"})


async def _systems(settings: Settings, building: _Building) -> dict[str, SystemSettings]:
    """Each system whose description has samples; tickets are opened only where it honours keys, and else left out."""
    changed: dict[str, SystemSettings] = {}
    for name, one in settings.systems.items():
        shape = shape_of_system(one)
        reads = [
            about for about in one.reads if (asks := shape.consults(about)) is not None and asks.sample is not None
        ]
        opens = one.hand_offs and shape.create is not None and shape.create.honours_keys
        building.left_out += [f"systems.{name} (tickets)"] if one.hand_offs and not opens else []
        if not (reads or opens):
            building.left_out.append(f"systems.{name}")
            continue
        address = (await building.open(f"systems.{name}", SystemOfRecord(shape))).address
        kept = one.model_dump(
            exclude_unset=True, exclude={"preset", "auth", "hand_offs", "tells", *SystemShape.model_fields}
        )
        told = [what for what in one.tells or () if (write := shape.writes(what)) is not None and write.honours_keys]
        more = {"values": {**shape.values, **one.values}, "hand_offs": opens, "tells": told, "reads": reads}
        changed[name] = SystemSettings.model_validate({**in_place(shape, address), **kept, **more})
    return changed


async def _channels(settings: Settings, building: _Building, *, pace: float) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for name, channel in settings.channels.items():
        made = _fake_of(channel, seed=building.seed, pace=pace)
        if made is None:
            building.left_out.append(f"channels.{name}")
            continue
        fake, secret, with_address = made
        address = (await building.open(f"channels.{name}", fake)).address
        fields = with_address(address)
        if not fields:
            building.instead[name] = address
        changed[name] = channel.model_copy(update={"secrets": [SecretStr(secret)], "insecure": False, **fields})
    return changed


def _fake_of(channel: Any, *, seed: int, pace: float) -> tuple[Provider, str, Callable[[str], dict[str, str]]] | None:
    """A channel's fake, the secret it signs with, and the settings that name its address; None: there is none of its kind."""
    fake: Provider
    more: dict[str, Any] = {"seed": seed, "pace": pace, "doubles": DOUBLES}
    match channel:
        case Chatwoot():
            token = channel.access_token.get_secret_value()
            fake = FakeChatwoot(account=channel.account_id, token=token, **more)
            return fake, fake.secret, lambda address: {"base_url": address}
        case Webhook():
            fake = SignedWebhook(secret=SECRET, honours_keys=channel.honours_keys, **more)
            return fake, SECRET, lambda address: {"url": f"{address}/replies"}
        case WhatsAppCloud():
            token = channel.access_token.get_secret_value()
            fake = WhatsApp(phone_number_id=channel.phone_number_id, token=token, shuffles=True, **more)
            return fake, fake.secret, lambda _: {}
        case Zendesk():
            secret = channel.key_secret.get_secret_value()
            fake = FakeZendesk(app=channel.app_id, key_id=channel.key_id, key_secret=secret, **more)
            return fake, fake.secret, lambda _: {}
        case _:
            return None


def hash_of(text: str) -> int:
    """A number that stands for a text, the same on every machine."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")


def _plain(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()
