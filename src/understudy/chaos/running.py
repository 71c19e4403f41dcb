"""A profile played on a stage: the product serves, customers write, faults strike; at the end it is told what they had."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

from understudy.app import App, build, configure_telemetry
from understudy.chaos.outcomes import Had, Result, Sight, result_of
from understudy.chaos.profile import Profile
from understudy.chaos.reading import Asked, Seen, had_of, sights_of
from understudy.chaos.stage import Stage, opened
from understudy.errors import ConfigurationError
from understudy.settings.load import load
from understudy.settings.model import Settings
from understudy.web.asgi import create
from understudy.web.server import Server

LOOK_EVERY_S = 0.25
MESSAGES_EACH = 3
"""So many messages one customer writes."""
AT_ONCE = 2
"""So many customers write on each channel at the same time."""
AFTER_S = 2.0
"""Once all is settled it goes on for so long, so that what comes twice or too late is seen."""


@dataclass(slots=True, kw_only=True)
class Play:
    """A product that serves on a stage, and what its customers have written."""

    stage: Stage
    app: App
    url: str
    began: datetime
    asked: list[Asked] = field(default_factory=list)

    async def write(self, channel: str, conversation: str, text: str, *, number: int) -> Asked:
        """Let a customer write on a channel; returns once that is acknowledged or given up."""
        fake, at = self.stage.providers[channel], datetime.now(UTC)  # noqa: TID251 - the true time, as the fakes have it
        wrote = await fake.customer_writes(text, conversation=conversation)
        one = Asked(
            number=number,
            channel=channel,
            conversation=conversation,
            provider_id=wrote.id,
            text=text,
            at=at,
            is_acknowledged=wrote.is_acknowledged,
        )
        self.asked.append(one)
        return one

    def seen(self) -> dict[str, list[Seen]]:
        """What customers saw so far, by channel."""
        return {
            name: [Seen(taken=one, at=fake.began_at + timedelta(seconds=one.at_s)) for one in fake.taken]
            for name, fake in self.stage.providers.items()
        }

    async def had(self) -> list[Had]:
        """What each message has come to so far."""
        asked, seen = list(self.asked), self.seen()
        return await self.app.store.read(lambda tx: had_of(tx, asked, seen))

    async def sights(self) -> dict[str, Sight]:
        """How the replies of each conversation came."""
        asked, seen = list(self.asked), self.seen()
        return await self.app.store.read(lambda tx: sights_of(tx, asked, seen))

    async def settled(self, *, within_s: float) -> bool:
        """Wait until every message has come to something."""
        ends = time.monotonic() + within_s
        while not all(one.is_settled for one in await self.had()):
            if time.monotonic() >= ends:
                return False
            await asyncio.sleep(LOOK_EVERY_S)
        return True

    def struck(self) -> dict[str, dict[str, int]]:
        """How often each dependency was struck by each fault since its rules came into force."""
        return {
            name: {fault.value: times for fault, times in sorted(one.proxy.plan.struck.items())}
            for name, one in self.stage.dependencies.items()
        }

    async def result(self, *, deadline_s: float) -> Result:
        """Put together what became of all."""
        return result_of(
            await self.had(),
            await self.sights(),
            deadline_s=deadline_s,
            struck=self.struck(),
            unknown_hosts=sorted(set(self.stage.names.refused)),
            complaints=self.stage.complaints,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """A profile that was played: since when customers wrote what, and what each message had come to in the end."""

    result: Result
    stage: Stage
    began: datetime
    asked: tuple[Asked, ...]
    had: tuple[Had, ...]


@asynccontextmanager
async def playing(settings: Settings, base: Path, folder: Path, *, seed: int, pace: float = 1.0) -> AsyncIterator[Play]:
    """Serve a configuration on a stage, with its database in `folder`; `base` is where its relative paths start from."""
    async with opened(settings, folder, seed=seed, pace=pace) as stage:
        configure_telemetry(stage.settings)
        app = build(stage.settings, base, instead=stage.instead)
        server = Server(create(app), stage.settings)
        listening = server.listen()
        served = await server.begin(listening)
        try:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            for name, fake in stage.providers.items():
                fake.webhook = f"{url}/webhooks/{name}"
            yield Play(stage=stage, app=app, url=url, began=app.clock.now())
        finally:
            server.end_streams()
            server.should_exit = True
            await served


async def run(
    profile: Profile,
    settings: Settings,
    base: Path,
    folder: Path,
    *,
    seed: int,
    told: Callable[[float], None] = lambda share: None,
) -> Played:
    """Play a profile to its end; `told` hears what share of it is over. Raises `ConfigurationError` where it strikes nothing."""
    async with playing(settings, base, folder, seed=seed) as play:
        names = list(play.stage.dependencies)
        if not profile.strikes(names):
            raise ConfigurationError(f"no rule of the profile strikes anything here; there is {', '.join(names)}")
        for name, one in play.stage.dependencies.items():
            one.proxy.strike_by(profile.rules_on(name))
        began = datetime.now(UTC)  # noqa: TID251 - the true time, as the fakes have it
        await write_all(play, profile, told)
        for one in play.stage.dependencies.values():
            one.proxy.lift()
        await play.settled(within_s=profile.deadline_s)
        await asyncio.sleep(AFTER_S)
        told(1.0)
        result = await play.result(deadline_s=profile.deadline_s)
        return Played(
            result=result, stage=play.stage, began=began, asked=tuple(play.asked), had=tuple(await play.had())
        )


async def write_all(play: Play, profile: Profile, told: Callable[[float], None]) -> None:
    """Let customers write, over all channels in turn, at an even pace; each keeps their own order.

    New ones come all the time, and each is done after some messages: whom a person has got stays with them.
    """
    channels = sorted(play.stage.providers)
    count = max(1, round(profile.seconds * profile.messages_per_s))
    at_once = AT_ONCE * len(channels)
    loop = asyncio.get_running_loop()
    began = loop.time()
    last: dict[int, asyncio.Task[Asked]] = {}

    async def one(number: int, customer: int, before: asyncio.Task[Asked] | None) -> Asked:
        if before is not None:
            await before
        channel = channels[customer % len(channels)]
        text = f"Where is my order {number}, please?"
        return await play.write(channel, str(49_151_000_000 + customer), text, number=number)

    for number in range(count):
        await asyncio.sleep(max(0.0, began + number / profile.messages_per_s - loop.time()))
        customer = number // (at_once * MESSAGES_EACH) * at_once + number % at_once
        last[customer] = asyncio.ensure_future(one(number, customer, last.get(customer)))
        told(number / profile.messages_per_s / (profile.seconds + AFTER_S))
    await asyncio.gather(*last.values())


def bundled_settings() -> Settings:
    """A made-up business with every dependency there is a fake of."""
    with as_file(files(__package__).joinpath("staging.toml")) as file:
        return load(file, {})


def as_json(result: Result) -> Mapping[str, object]:
    """A result as plain data."""
    return {
        "messages": result.messages,
        "outcomes": {outcome.value: times for outcome, times in result.outcomes.items()},
        "doubled": result.doubled,
        "reordered": result.reordered,
        "within_s_p50": result.within_s_p50,
        "within_s_p95": result.within_s_p95,
        "struck": result.struck,
        "wrong": list(result.wrong),
        "is_safe": result.is_safe,
        "was_struck": result.was_struck,
        "unknown_hosts": list(result.unknown_hosts),
        "complaints": list(result.complaints),
    }
