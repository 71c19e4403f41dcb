"""The demo: a server, its made-up customers and its simulated reviewers in one process, all over HTTP.

Everything the customers and reviewers do goes the way real ones go; the runner itself only watches and counts.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from importlib.resources import as_file, files
from pathlib import Path

import httpx2

from understudy.app import App, build, configure_telemetry
from understudy.client.client import AsyncClient
from understudy.demo.customers import Customers, wait_until
from understudy.demo.desk import Desk
from understudy.demo.earning import DRAFTS_EXPECTED, Earning, Moment
from understudy.demo.other_agent import hand_over
from understudy.demo.reviewers import REVIEWERS
from understudy.demo.story import OffScript, load_story
from understudy.demo.versions import AGENT, ReleaseMoment, Versions, write_versions
from understudy.ports.store import Transaction
from understudy.records.access import Role, Scope, user_id
from understudy.records.assessment import Assessment
from understudy.records.codec import load as load_record
from understudy.records.evidence import Draft
from understudy.records.turn import OPEN, Turn, TurnState
from understudy.settings.load import PREFIX, load
from understudy.settings.model import Settings
from understudy.web.asgi import create
from understudy.web.keys import add_key, make_key
from understudy.web.passwords import make_password
from understudy.web.server import Server
from understudy.web.users import add_user, change_user, make_user

SETTLE_WITHIN_S = 60.0
PAGE = 500
TELEMETRY_PREFIX = f"{PREFIX}TELEMETRY__"
VISITOR = "you"
OTHER_AGENT = "other agent"
LEAD = "Lena Brandt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """One kind of finding as it was first found: its severity, what it points at (None: at no place in the draft), and
    on how many drafts it was found."""

    name: str
    severity: str
    words: str | None
    drafts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What became of the customers' messages. Each turn counts once, under its decision; superseded ones apart.

    `findings` has each kind of finding once, by name; `moments` is how the slice of the second act stood, in order, and
    `releases` what happened to releases in the third.
    """

    turns: int
    delivered: int
    held: int
    handed_off: int
    degraded: int
    superseded: int
    seconds: float
    reasons: dict[str, Counter[str]]
    verdicts: dict[str, int]
    findings: tuple[Shown, ...]
    moments: tuple[Moment, ...]
    releases: tuple[ReleaseMoment, ...]
    is_settled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A demo under way: where it listens, and keys for whoever wants to look."""

    app: App
    url: str
    reviewer_keys: dict[str, str]
    visitor_key: str
    agent_key: str
    lead_key: str
    password: str
    """With which the visitor signs in to the console, under the name `VISITOR`."""


def demo_settings(folder: Path, knowledge: Path, *, port: int) -> Settings:
    """The bundled business's settings, with its database and the other versions of its agent in `folder`; the environment
    says what is told of itself."""
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
            **versions,
        }
        return load(config, environment)


@asynccontextmanager
async def serving(folder: Path, *, port: int) -> AsyncIterator[Running]:
    """Serve the demo's business from `folder`; port 0 takes any free one.

    Where the server is told to stop (Ctrl-C, SIGTERM), what runs inside is cancelled.
    """
    with as_file(files(__package__).joinpath("business", "knowledge")) as knowledge:
        settings = demo_settings(folder, knowledge, port=port)
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
            yield Running(
                app=app,
                url=url,
                reviewer_keys={name: keys[name] for name in names},
                visitor_key=keys[VISITOR],
                agent_key=keys[OTHER_AGENT],
                lead_key=keys[LEAD],
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
    scene: Callable[[int], None] = lambda act: None,
) -> Summary:
    """Play the whole story and wait until nothing waits any more, then the other two acts; `said` hears how many lines,
    drafts and customers there were, `scene` which act begins, from 1. `look_s`: how long whoever watches has for each turn
    of events in those two, 0 where nobody does. Raises `OffScript` where the story does not come to pass."""
    began = time.perf_counter()
    clients = {name: AsyncClient(running.url, key) for name, key in running.reviewer_keys.items()}
    desk = Desk(clients, pace=pace)
    scene(1)
    try:
        async with _at_work(running, desk) as is_settled:
            await _first_act(running, pace=pace, said=said)
            settled = await wait_until(is_settled, limit_s=SETTLE_WITHIN_S)
        summary = await _summary(running.app, desk, seconds=time.perf_counter() - began, is_settled=settled)
        scene(2)
        moments = await _second_act(running, clients, said=said, look_s=look_s)
        scene(3)
        releases, is_over = await _third_act(running, clients, desk, said=said, look_s=look_s)
    except httpx2.HTTPStatusError as error:
        raise OffScript(f"{error.request.url.path} answered {error.response.status_code}") from error
    finally:
        for client in clients.values():
            await client.close()
    seconds = round(time.perf_counter() - began, 2)
    return replace(
        summary,
        moments=tuple(moments),
        releases=releases,
        seconds=seconds,
        is_settled=summary.is_settled and is_over,
    )


@asynccontextmanager
async def _at_work(running: Running, desk: Desk) -> AsyncIterator[Callable[[], Awaitable[bool]]]:
    """Let the reviewers work meanwhile; gives what tells whether nothing waits any more."""
    work = asyncio.ensure_future(desk.work())

    async def is_settled() -> bool:
        if work.done():
            work.result()  # Reviewers never stop by themselves: whatever broke them is raised here.
        return await running.app.store.read(_is_settled)

    try:
        yield is_settled
    finally:
        work.cancel()
        with suppress(asyncio.CancelledError):
            await work


async def _first_act(running: Running, *, pace: float, said: Callable[[int], None]) -> None:
    """Customers write to the bundled agent, and another agent hands over what it drafted."""
    async with httpx2.AsyncClient(base_url=running.url, timeout=30) as http:
        other_agent = AsyncClient(running.url, running.agent_key)
        try:
            customers = Customers(running.app, http, pace=pace, said=said)
            await asyncio.gather(customers.play(load_story()), hand_over(other_agent, pace=pace))
        finally:
            await other_agent.close()


async def _second_act(
    running: Running, reviewers: dict[str, AsyncClient], *, said: Callable[[int], None], look_s: float
) -> list[Moment]:
    """One topic earns the right to answer alone and loses it again."""
    lines = len(load_story())
    async with httpx2.AsyncClient(base_url=running.url, timeout=30) as http:
        agent = AsyncClient(running.url, running.agent_key)
        try:
            earning = Earning(
                http, agent, reviewers, running.lead_key, said=lambda number: said(lines + number), look_s=look_s
            )
            return await earning.play()
        finally:
            await agent.close()


async def _third_act(
    running: Running, reviewers: dict[str, AsyncClient], desk: Desk, *, said: Callable[[int], None], look_s: float
) -> tuple[tuple[ReleaseMoment, ...], bool]:
    """A mistake becomes a case, stops one release and lets another out, which is taken back; then nothing waits any more."""
    before = len(load_story()) + DRAFTS_EXPECTED
    suites = running.app.base / running.app.settings.evaluation.suites
    async with httpx2.AsyncClient(base_url=running.url, timeout=60) as http:
        reviewer = next(iter(reviewers.values()))
        act = Versions(
            http, reviewer, running.lead_key, suites, said=lambda number: said(before + number), look_s=look_s
        )
        await act.learn_from_a_mistake()
        async with _at_work(running, desk) as is_settled:
            await act.let_out()
            return tuple(act.moments), await wait_until(is_settled, limit_s=SETTLE_WITHIN_S)


def _cancelling() -> Callable[[asyncio.Future[None]], None]:
    """What cancels the task that calls this, when something else is done."""
    task = asyncio.current_task()
    assert task is not None, "called in a coroutine"

    def cancel(_done: asyncio.Future[None]) -> None:
        task.cancel()

    return cancel


def _is_settled(tx: Transaction) -> bool:
    return tx.holds.count_open() == 0 and not any(turn.state in OPEN for turn in _all_turns(tx))


def _all_turns(tx: Transaction) -> list[Turn]:
    turns: list[Turn] = []
    while page := tx.turns.listed(after=turns[-1].position if turns else 0, limit=PAGE):
        turns += page
    return turns


def _findings(tx: Transaction) -> tuple[Shown, ...]:
    """Each kind of finding of all turns, where it was first found with a place in the draft."""
    counts: Counter[str] = Counter()
    first: dict[str, tuple[str, str | None]] = {}
    for turn in _all_turns(tx):
        assessment, draft = tx.artifacts.get(turn.id, "assessment"), tx.artifacts.get(turn.id, "draft")
        found = () if assessment is None else load_record(Assessment, assessment).findings
        text = "" if draft is None else load_record(Draft, draft).text
        counts.update({finding.name for finding in found})
        for finding in found:
            words = None if finding.span is None else text[finding.span.start : finding.span.end]
            if finding.name not in first or (first[finding.name][1] is None and words):
                first[finding.name] = (finding.severity.value, words)
    return tuple(
        Shown(name=name, severity=severity, words=words, drafts=counts[name])
        for name, (severity, words) in sorted(first.items())
    )


async def _summary(app: App, desk: Desk, *, seconds: float, is_settled: bool) -> Summary:
    turns, findings = await app.store.read(_all_turns), await app.store.read(_findings)
    superseded = [turn for turn in turns if turn.state is TurnState.SUPERSEDED]
    decided = [turn for turn in turns if turn.state is not TurnState.SUPERSEDED and turn.decision is not None]
    kinds = Counter(turn.decision.value for turn in decided if turn.decision is not None)
    reasons: dict[str, Counter[str]] = {}
    for turn in decided:
        if turn.decision is not None:
            reasons.setdefault(turn.decision.value, Counter()).update(turn.reasons)
    return Summary(
        turns=len(turns),
        delivered=kinds["deliver"],
        held=kinds["hold"],
        handed_off=kinds["hand_off"],
        degraded=kinds["degrade"],
        superseded=len(superseded),
        seconds=round(seconds, 2),
        reasons=reasons,
        verdicts=dict(desk.verdicts),
        findings=findings,
        moments=(),
        releases=(),
        is_settled=is_settled,
    )


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
