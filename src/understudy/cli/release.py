"""`understudy release`: versions of agents, from the first look to all customers, and back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from understudy.cli import release_report
from understudy.cli.output import (
    EXIT_FAILED,
    EXIT_INCONCLUSIVE,
    EXIT_OK,
    ConfigOption,
    JsonOption,
    print_json,
    read_settings,
)
from understudy.errors import ConfigurationError, Conflict
from understudy.records.codec import plain
from understudy.records.gate import GateVerdict
from understudy.records.release import Release, Stage, is_unverified
from understudy.records.spread import Pace

if TYPE_CHECKING:
    from understudy.databases import KnownReleases
    from understudy.ports.store import Store
    from understudy.records.rollout import ReleaseStatus
    from understudy.release_gate import SuiteGate

tree = typer.Typer(help="Let versions of agents out step by step, and take them back.", no_args_is_help=True)

T = TypeVar("T")
COMMAND_LINE = "command line"
LOOK_S = 0.1

NameArgument = Annotated[str, typer.Argument(help="id of a release, the beginning of it, or its entry in [agents]")]
ByOption = Annotated[str, typer.Option("--by", help="who decides this; the ledger keeps the name")]
WhyOption = Annotated[str, typer.Option("--why", help="kept in the ledger and shown in `show`")]
VersionOption = Annotated[
    int | None, typer.Option("--version", min=1, help="refuse where it changed since it was at this version")
]


@tree.command("create")
def create(
    entry: Annotated[str, typer.Argument(help="the entry of [agents] that is to be a release")],
    waive_gate: Annotated[
        bool, typer.Option("--waive-gate", help="let it go on where no gate decided; needs --why, and people review it")
    ] = False,
    server: Annotated[
        bool,
        typer.Option(
            "--server",
            help="have the servers that run make the trials, and wait; Ctrl-C leaves them at it; prints JSON as `show` does",
        ),
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="with --server: only ask for it; exit 2")] = False,
    why: WhyOption = "",
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a version down as a release and run its gate; exit 1 where it fails, 2 where nothing was decided."""
    if no_wait and not server:
        raise ConfigurationError("--no-wait is for --server: without, this command makes the trials itself")
    if waive_gate and server:
        raise ConfigurationError("--waive-gate and --server exclude each other: a gate that runs is waited for")

    async def served(known: KnownReleases) -> ReleaseStatus:
        from understudy.cli.release_wait import waited

        release, gate = await known.orders.ask(entry, by=by, why=why)
        found = await known.reports.release(release.id)
        return found if gate is None or no_wait else await waited(known, release.id)

    if server:
        found = _order(config, as_json, served, asks_servers=True)
        if as_json:
            print_json(plain(found))
        else:
            typer.echo(release_report.at_gate(found))
        is_open = found.gate is not None and found.gate.state is not Pace.DECIDED
        raise typer.Exit(EXIT_INCONCLUSIVE if is_open else _exit_of(found.release))

    async def order(known: KnownReleases) -> Release:
        release = await known.orders.create(entry, by=by, why=why)
        if waive_gate and release.stage is Stage.CREATED:
            return await known.orders.waive(release.id, version=release.version, by=by, why=why)
        return release

    release = _order(config, as_json, order)
    _say(release, as_json, release_report.created(release))
    raise typer.Exit(_exit_of(release))


@tree.command("list")
def list_releases(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List all releases, the latest first."""
    agents = _on_the_store(config, lambda known: known.reports.agents())
    if as_json:
        print_json(plain(agents))
        return
    release_report.show_list(agents)


@tree.command("status")
def status(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show who answers, what is being tried, what was seen of it and what follows; exit 1 where a rollback is not
    verified."""
    agents = _on_the_store(config, lambda known: known.reports.agents())
    unverified = [one.release for agent in agents for one in agent.releases if is_unverified(one.release)]
    if as_json:
        print_json(plain(agents))
    else:
        release_report.show_status(agents)
    if unverified:
        raise typer.Exit(EXIT_FAILED)


@tree.command("show")
def show(name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one release: what it is made of, its gate, what was seen of it, and who did what to it."""
    found = _on_the_store(config, lambda known: known.reports.release(name))
    if as_json:
        print_json(plain(found))
        return
    release_report.show_one(found)


@tree.command("promote")
def promote(
    name: NameArgument,
    to: Annotated[Stage | None, typer.Option("--to", help="stage to go to; default: the next one")] = None,
    share: Annotated[
        float | None, typer.Option("--share", help="share of new conversations, for a canary; default: the setting")
    ] = None,
    version: VersionOption = None,
    why: WhyOption = "",
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a release to its next stage: shadow, canary, full; exit 1 where it may not go there."""
    if share is not None and not 0.0 < share <= 1.0:
        raise ConfigurationError(f"--share must be above 0 and at most 1, got {share:g}")

    def order(known: KnownReleases) -> Coroutine[Any, Any, Release]:
        return known.orders.promote(name, version=version, by=by, to=to, share=share, why=why)

    release = _order(config, as_json, order)
    _say(release, as_json, release_report.promoted(release))


@tree.command("rollback")
def rollback(
    name: Annotated[
        str | None, typer.Argument(help="release to take back; default: the one being tried, else the one that answers")
    ] = None,
    agent: Annotated[str | None, typer.Option("--agent", help="of which agent, where several have releases")] = None,
    wait_s: Annotated[
        float, typer.Option("--wait-s", min=0, help="how long to wait until a server has seen that the old one answers")
    ] = 15.0,
    version: VersionOption = None,
    why: WhyOption = "",
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a release back at once, and see that the old one answers; exit 1 where it does not, 2 where no server said."""

    async def order(known: KnownReleases) -> tuple[Release, Release | None]:
        back = await known.orders.roll_back(name, by=by, why=why, version=version, agent=agent)
        return await _verified(known, back.release, within_s=wait_s), back.answers

    release, answers = _order(config, as_json, order)
    if as_json:
        print_json({"release": plain(release), "answers": None if answers is None else plain(answers)})
    else:
        typer.echo(release_report.rolled_back(release, answers, waited_s=wait_s))
    if release.verified_at is None:
        raise typer.Exit(EXIT_INCONCLUSIVE if release.unverified is None else EXIT_FAILED)


@tree.command("hold")
def hold(
    name: NameArgument,
    version: VersionOption = None,
    why: WhyOption = "",
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a release where it is: nothing but a person moves it until `resume`."""
    release = _order(config, as_json, lambda known: known.orders.hold(name, version=version, by=by, why=why))
    _say(release, as_json, f"{release.id} stays {release.stage.value}: no machine promotes it or takes it back.")


@tree.command("resume")
def resume(
    name: NameArgument,
    version: VersionOption = None,
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a hold back."""
    release = _order(config, as_json, lambda known: known.orders.resume(name, version=version, by=by))
    _say(release, as_json, f"{release.id} goes on from {release.stage.value}.")


@tree.command("give-up")
def give_up(
    name: NameArgument,
    version: VersionOption = None,
    why: WhyOption = "",
    by: ByOption = COMMAND_LINE,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """Retire a release that was never let out."""
    release = _order(config, as_json, lambda known: known.orders.give_up(name, version=version, by=by, why=why))
    _say(release, as_json, f"{release.id} is retired.")


def _on_the_store(
    config: Any, ask: Callable[[KnownReleases], Coroutine[Any, Any, T]], *, asks_servers: bool = False
) -> T:
    from understudy.cli.eval_run import progress
    from understudy.connections import build_agent
    from understudy.databases import open_releases
    from understudy.release_gate import gate_of

    settings, base = read_settings(config)

    def version_of(entry: str) -> str | None:
        return build_agent(entry, settings.agents[entry], base).version

    def gate(store: Store) -> SuiteGate | None:
        return gate_of(settings, base, store, watching=progress)

    def served(store: Store) -> Any:
        if not asks_servers:
            return None  # a rollback needs no suite
        from understudy.app import system_clock
        from understudy.evaluations import Evaluations
        from understudy.spreading import asking_of

        return asking_of(Evaluations(settings, base), store, system_clock())

    with open_releases(settings, base, version_of=version_of, gate=gate, served=served) as known:
        return asyncio.run(ask(known))


def _order(
    config: Any,
    as_json: bool,
    ask: Callable[[KnownReleases], Coroutine[Any, Any, T]],
    *,
    asks_servers: bool = False,
) -> T:
    """Order something; where the world stands against it, say so and exit 1: nothing is wrong with the command."""
    try:
        return _on_the_store(config, ask, asks_servers=asks_servers)
    except Conflict as error:
        if as_json:
            print_json({"refused": error.code, "why": error.message})
        else:
            typer.echo(f"understudy: {error.message}", err=True)
        raise typer.Exit(EXIT_FAILED) from error


async def _verified(known: KnownReleases, release: Release, *, within_s: float) -> Release:
    """Wait until a server has seen who answers after a rollback, or says that it cannot."""
    ends = time.monotonic() + within_s
    while True:
        found = (await known.reports.release(release.id)).release
        if found.verified_at is not None or found.unverified is not None or time.monotonic() >= ends:
            return found
        await asyncio.sleep(LOOK_S)


def _say(release: Release, as_json: bool, words: str) -> None:
    if as_json:
        print_json(plain(release))
    else:
        typer.echo(words)


def _exit_of(release: Release) -> int:
    if release.stage is not Stage.CREATED:
        return EXIT_OK
    failed = release.gate is not None and release.gate.verdict is GateVerdict.FAIL
    return EXIT_FAILED if failed else EXIT_INCONCLUSIVE
