"""The demo: a server, its made-up customers and its simulated reviewers in one process, all over HTTP.

Everything the customers and reviewers do goes the way real ones go; the runner itself only watches and counts.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import as_file, files
from pathlib import Path

import httpx2

from understudy.app import App, build, configure_telemetry
from understudy.client.client import AsyncClient
from understudy.client.errors import ClientError
from understudy.demo.canned import write_canned
from understudy.demo.customers import Customers, wait_until
from understudy.demo.desk import Desk
from understudy.demo.earning import DRAFTS_EXPECTED, Earning, Moment
from understudy.demo.other_agent import hand_over
from understudy.demo.outside import AppChat, MailGateway
from understudy.demo.people import People, PeopleMoment
from understudy.demo.reviewers import REVIEWERS
from understudy.demo.story import OffScript, load_story
from understudy.demo.summary import Act, FirstAct, Summary, all_turns, findings_of, summary_of
from understudy.demo.versions import AGENT, CUSTOMERS_EXPECTED, ReleaseMoment, Versions, write_versions
from understudy.demo.visitor import VISITOR, Look, decided_by_visitor, looking, waits_for_others
from understudy.ports.store import Transaction
from understudy.records.access import Role, Scope, user_id
from understudy.settings.load import PREFIX, load
from understudy.settings.model import Settings
from understudy.web.asgi import create
from understudy.web.keys import add_key, make_key
from understudy.web.passwords import make_password
from understudy.web.server import Server
from understudy.web.users import add_user, change_user, make_user

SETTLE_WITHIN_S = 60.0
TELEMETRY_PREFIX = f"{PREFIX}TELEMETRY__"
OTHER_AGENT = "other agent"
LEAD = "Lena Brandt"
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LETTER_HOURS = "09:00-17:00"
BROKEN = (OffScript, ClientError, httpx2.HTTPError)
"""How an act ends that cannot go on, because whoever watches took it another way, or the machine is too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A demo under way: where it listens, and keys for whoever wants to look."""

    app: App
    url: str
    reviewer_keys: dict[str, str]
    visitor_key: str
    agent_key: str
    lead_key: str
    mail: MailGateway
    app_chat: AppChat
    is_stopping: Callable[[], bool]
    password: str
    """With which the visitor signs in to the console, under the name `VISITOR`."""


def demo_settings(folder: Path, knowledge: Path, *, port: int, mail: str, app_chat: str) -> Settings:
    """The bundled business's settings, with its database and the other versions of its agent in `folder`, its own services at
    these addresses, and nobody at the letters before tomorrow; the environment says what is told of itself."""
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    versions: dict[str, str] = {}
    for entry, documents in write_versions(knowledge, folder / "versions").items():
        name = f"UNDERSTUDY__AGENTS__{entry.upper()}"
        versions |= {f"{name}__KIND": "faq", f"{name}__KNOWLEDGE": str(documents), f"{name}__RELEASE_OF": AGENT}
    with as_file(files(__package__).joinpath("business", "understudy.toml")) as config:
        environment = {
            **{name: value for name, value in os.environ.items() if name.startswith(TELEMETRY_PREFIX)},
            "UNDERSTUDY__STORE__URL": f'"sqlite:///{folder / "demo.db"}"',
            "UNDERSTUDY__SERVER__PORT": str(port),
            "UNDERSTUDY__AGENTS__FAQ__KIND": "faq",
            "UNDERSTUDY__AGENTS__FAQ__KNOWLEDGE": str(knowledge),
            "UNDERSTUDY__CHANNELS__MAIL__URL": mail,
            "UNDERSTUDY__CHANNELS__APP__URL": app_chat,
            "UNDERSTUDY__TEAMS__LETTERS__HOURS": f'["{DAYS[tomorrow.weekday()]} {LETTER_HOURS}"]',
            **versions,
        }
        return load(config, environment)


@asynccontextmanager
async def serving(folder: Path, *, port: int) -> AsyncIterator[Running]:
    """Serve the demo's business from `folder`; port 0 takes any free one.

    Where the server is told to stop (Ctrl-C, SIGTERM), what runs inside is cancelled.
    """
    async with AsyncExitStack() as stack:
        knowledge = stack.enter_context(as_file(files(__package__).joinpath("business", "knowledge")))
        mail, app_chat = MailGateway(), AppChat()
        for service in (mail, app_chat):
            await stack.enter_async_context(service)
        settings = demo_settings(folder, knowledge, port=port, mail=mail.url, app_chat=app_chat.url)
        configure_telemetry(settings)
        app = build(settings, folder)
        app.sole_process.acquire()
        names = [reviewer.name for reviewer in REVIEWERS]
        keys = {name: await _new_key(app, name) for name in [*names, VISITOR, OTHER_AGENT, LEAD]}
        password = await _let_visitor_in(app)
        server = Server(create(app), settings)
        listening = server.listen()
        served = await server.begin(listening)
        stop_body = _cancelling()
        served.add_done_callback(stop_body)
        try:
            url = f"http://{settings.server.host}:{listening.getsockname()[1]}"
            await write_canned(url, keys[LEAD])
            mail.webhook, app_chat.webhook = f"{url}/webhooks/mail", f"{url}/webhooks/app"
            yield Running(
                app=app,
                url=url,
                reviewer_keys={name: keys[name] for name in names},
                visitor_key=keys[VISITOR],
                agent_key=keys[OTHER_AGENT],
                lead_key=keys[LEAD],
                mail=mail,
                app_chat=app_chat,
                is_stopping=lambda: server.should_exit,
                password=password,
            )
        except Exception as error:
            if server.should_exit:  # whatever breaks once the server was told to stop, breaks because of that
                raise asyncio.CancelledError from error
            raise
        finally:
            served.remove_done_callback(stop_body)
            server.end_streams()
            server.should_exit = True
            await served


async def play(
    running: Running,
    *,
    pace: float,
    said: Callable[[int], None],
    look_s: float = 0.0,
    look: Look | None = None,
    scene: Callable[[int], None] = lambda act: None,
    told: Callable[[str], None] = lambda words: None,
) -> Summary:
    """Play the whole story and wait until nothing waits any more, then the other three acts; `said` hears how many lines,
    drafts and customers there were, `scene` which act begins, from 1, and `told` where the story gives way to whoever
    watches. `look_s`: how long they have for each turn of events in those three, 0 where nobody does; `look` waits for them in
    another way.

    An act that cannot go on ends, and the next begins; where nobody watches it raises what broke it, `OffScript` where the
    story did not come to pass.
    """
    clients = {name: AsyncClient(running.url, key) for name, key in running.reviewer_keys.items()}
    stage = _Stage(
        running, clients, Desk(clients, pace=pace), pace=pace, look=look or looking(look_s), is_watched=look_s > 0,
        said=said, told=told,
    )  # fmt: skip
    acts: list[Act] = []
    try:
        for number, act in enumerate((stage.first, stage.second, stage.third, stage.fourth), start=1):
            scene(number)
            acts.append(await _timed(running, number, act, told=told, goes_on=look_s > 0))
    finally:
        for client in clients.values():
            await client.close()
    by_visitor = await running.app.store.read(lambda tx: decided_by_visitor(tx, all_turns(tx)))
    return summary_of(
        stage.first_act,
        tuple(acts),
        by_visitor=by_visitor,
        moments=stage.moments,
        releases=stage.releases,
        people=stage.people,
        is_settled=stage.is_settled,
    )


async def _timed(
    running: Running,
    number: int,
    act: Callable[[], Awaitable[None]],
    *,
    told: Callable[[str], None],
    goes_on: bool,
) -> Act:
    began, cpu, ended = time.perf_counter(), time.process_time(), None
    try:
        await act()
    except BROKEN as error:
        if not goes_on or running.is_stopping():
            raise OffScript(str(error)) from error
        ended = str(error) or type(error).__name__
        told(f"act {number} ends here: {ended}")
    seconds, cpu_seconds = time.perf_counter() - began, time.process_time() - cpu
    return Act(act=number, seconds=round(seconds, 2), cpu_seconds=round(cpu_seconds, 2), ended=ended)


class _Stage:
    """The four acts, and what came of them so far."""

    def __init__(
        self, running: Running, reviewers: dict[str, AsyncClient], desk: Desk, *, pace: float, look: Look,
        is_watched: bool, said: Callable[[int], None], told: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._running = running
        self._reviewers = reviewers
        self.desk = desk
        self._pace = pace
        self._look = look
        self._is_watched = is_watched
        self._said = said
        self._told = told
        self.first_act = FirstAct(turns=[], findings=(), verdicts={})
        self.moments: list[Moment] = []
        self.releases: list[ReleaseMoment] = []
        self.people: list[PeopleMoment] = []
        self.is_settled = True

    async def first(self) -> None:
        """Customers write to the bundled agent, another agent hands over what it drafted, and reviewers decide."""
        store = self._running.app.store
        try:
            async with _at_work(self._running, self.desk) as is_settled:
                await self._write_and_draft()
                self.is_settled = await wait_until(is_settled, limit_s=SETTLE_WITHIN_S)
        finally:
            turns, findings = await store.read(all_turns), await store.read(findings_of)
            self.first_act = FirstAct(turns=turns, findings=findings, verdicts=dict(self.desk.verdicts))

    async def _write_and_draft(self) -> None:
        async with httpx2.AsyncClient(base_url=self._running.url, timeout=30) as http:
            other_agent = AsyncClient(self._running.url, self._running.agent_key)
            try:
                customers = Customers(self._running.app, http, pace=self._pace, said=self._said)
                await asyncio.gather(customers.play(load_story()), hand_over(other_agent, pace=self._pace))
            finally:
                await other_agent.close()

    async def second(self) -> None:
        """One topic earns the right to answer alone and loses it again."""
        lines, key = len(load_story()), self._running.lead_key
        async with httpx2.AsyncClient(base_url=self._running.url, timeout=30) as http:
            agent = AsyncClient(self._running.url, self._running.agent_key)
            earning = Earning(
                http, agent, self._reviewers, key, said=lambda number: self._said(lines + number),
                look=self._look, told=self._told,
            )  # fmt: skip
            try:
                await earning.play()
            finally:
                self.moments = earning.moments
                await agent.close()

    async def third(self) -> None:
        """A mistake becomes a case, stops one release and lets another out, which is taken back; then nothing waits any
        more."""
        before = len(load_story()) + DRAFTS_EXPECTED
        suites = self._running.app.base / self._running.app.settings.evaluation.suites
        async with httpx2.AsyncClient(base_url=self._running.url, timeout=60) as http:
            act = Versions(
                http, next(iter(self._reviewers.values())), self._running.lead_key, suites,
                said=lambda number: self._said(before + number), look=self._look, is_watched=self._is_watched,
                told=self._told,
            )  # fmt: skip
            self.releases = act.moments
            await act.learn_from_a_mistake()
            async with _at_work(self._running, self.desk) as is_settled:
                await act.let_out()
                self.is_settled &= await wait_until(is_settled, limit_s=SETTLE_WITHIN_S)

    async def fourth(self) -> None:
        """Three scenes of people; then nothing waits any more."""
        before, running = len(load_story()) + DRAFTS_EXPECTED + CUSTOMERS_EXPECTED, self._running
        async with httpx2.AsyncClient(base_url=running.url, timeout=30) as http:
            act = People(
                http, self._reviewers, running.reviewer_keys, mail=running.mail, app=running.app_chat, look=self._look,
                said=lambda number: self._said(before + number), told=self._told, goes_on=self._is_watched,
            )  # fmt: skip
            self.people = act.moments
            try:
                await act.play()
            finally:
                async with _at_work(running, self.desk) as is_settled:
                    self.is_settled &= await wait_until(is_settled, limit_s=SETTLE_WITHIN_S)


@asynccontextmanager
async def _at_work(running: Running, desk: Desk) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Let the reviewers work meanwhile; gives what tells whether nothing waits any more."""
    work = asyncio.ensure_future(desk.work())

    async def is_settled() -> bool:
        if work.done():
            work.result()  # Reviewers never stop by themselves: whatever broke them is raised here.
        now = running.app.clock.now()
        return await running.app.store.read(lambda tx: not waits_for_others(tx, all_turns, now))

    try:
        yield is_settled
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


def _cancelling() -> Callable[[asyncio.Future[None]], None]:
    """What cancels the task that calls this, when something else is done."""
    task = asyncio.current_task()
    assert task is not None, "called in a coroutine"

    def cancel(_done: asyncio.Future[None]) -> None:
        task.cancel()

    return cancel


async def _new_key(app: App, name: str) -> str:
    key, text = make_key(name, tuple(Scope), now=app.clock.now())
    await app.store.write(lambda tx: add_key(tx, key, actor="demo"))
    return text


async def _let_visitor_in(app: App) -> str:
    """Let the visitor sign in to the console as an admin, in a kept database with a new password; returns it."""
    now, password = app.clock.now(), make_password()
    visitor = make_user(VISITOR, Role.ADMIN, password, now=now)

    def step(tx: Transaction) -> None:
        if tx.users.get(user_id(VISITOR)) is None:
            add_user(tx, visitor, actor="demo")
        else:
            change_user(tx, VISITOR, now=now, actor="demo", password_hash=visitor.password_hash)

    await app.store.write(step)
    return password
