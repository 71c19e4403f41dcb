"""`understudy serve`: run the product until it is told to stop."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.cli.running import run_for_long, settle
from understudy.errors import ConfigurationError
from understudy.settings.model import Settings


def serve(
    config: ConfigOption = None,
    host: str | None = typer.Option(None, help="address to listen on; default server.host"),
    port: int | None = typer.Option(
        None, min=0, max=65535, help="port to listen on, 0 = any free one; default server.port"
    ),
    workers: int | None = typer.Option(
        None, min=1, max=64, help="processes that serve and work, PostgreSQL only; SIGHUP restarts them one by one"
    ),
    web_only: bool = typer.Option(
        False, "--web-only", help="leave all turns to `understudy work` processes; PostgreSQL only"
    ),
    as_json: JsonOption = False,
    replica: str | None = typer.Option(None, hidden=True, help="how `--workers` hands its sockets to a server"),
) -> None:
    """Run the product with ./understudy.toml."""
    settings, base = read_settings(config)
    if host is not None or port is not None:
        changes = {"host": host or settings.server.host, "port": settings.server.port if port is None else port}
        settings = settings.model_copy(update={"server": settings.server.model_copy(update=changes)})
    count = workers or settings.server.workers
    if replica is not None:
        run_for_long(_serve_as_replica(settings, base, replica, works=not web_only))
    elif count > 1 or (workers is not None and _takes_many(settings)):
        again = ["serve", *(["--config", str(config)] if config is not None else []), *(["--web-only"] * web_only)]
        sys.exit(asyncio.run(_serve_by_replicas(settings, base, again, count, as_json=as_json)))
    else:
        run_for_long(_serve(settings, base, works=not web_only, as_json=as_json))


async def _serve(settings: Settings, base: Path, *, works: bool, as_json: bool) -> None:
    from understudy.app import build, configure_telemetry
    from understudy.web.asgi import create
    from understudy.web.server import Server

    configure_telemetry(settings)
    app = build(settings, base, works=works)
    app.sole_process.acquire()
    server = Server(create(app), settings)
    listening = server.listen()
    serving = await server.begin(listening)
    if server.started:
        settle()
        _say_where(settings, listening, as_json=as_json)
    await serving


async def _serve_by_replicas(settings: Settings, base: Path, again: Sequence[str], count: int, *, as_json: bool) -> int:
    """Hold the socket and keep servers running on it; returns the exit code."""
    from understudy.app import configure_telemetry
    from understudy.cli.replicas import Replicas
    from understudy.databases import open_store
    from understudy.web.server import bind

    if not _takes_many(settings):
        raise ConfigurationError(
            f"{count} workers need PostgreSQL (store.url): SQLite takes one process, which serves and works"
        )
    if sys.platform == "win32":
        raise ConfigurationError("--workers needs a system that hands sockets to processes; start one process")
    configure_telemetry(settings)
    listening = bind(settings.server.host, settings.server.port)
    open_store(settings, base).close_now()  # the schema is brought to this version once, and errors are said once
    replicas = Replicas(again, count, listening)
    if await replicas.start():
        _say_where(settings, listening, as_json=as_json)
        await replicas.run()
    return replicas.exit_code


async def _serve_as_replica(settings: Settings, base: Path, numbers: str, *, works: bool) -> None:
    """Serve on the socket of a parent that holds it, until that says so or is gone."""
    from understudy.app import build, configure_telemetry
    from understudy.cli.replicas import Parent
    from understudy.web.asgi import create
    from understudy.web.server import Server

    parent = Parent(numbers)
    configure_telemetry(settings)
    server = Server(create(build(settings, base, works=works)), settings, is_one_of_many=True)
    serving = await server.begin(parent.listening)
    if server.started:
        settle()
        parent.say_ready()
    gone = asyncio.ensure_future(parent.gone())
    await asyncio.wait({serving, gone}, return_when=asyncio.FIRST_COMPLETED)
    if not serving.done():
        server.begin_drain()
    gone.cancel()
    await serving


def _takes_many(settings: Settings) -> bool:
    from understudy.databases import takes_one_process

    return not takes_one_process(settings)


def _say_where(settings: Settings, listening: socket.socket, *, as_json: bool) -> None:
    url = settings.server.public_url or f"http://{settings.server.host}:{listening.getsockname()[1]}"
    if as_json:
        print_json({"url": url})
    else:
        typer.echo(
            f"Understudy serves {url}  (console at {url}/console/, web chat at {url}/chat, API at {url}/v1; Ctrl-C stops it)"
        )
