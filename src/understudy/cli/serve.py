"""`understudy serve`: run the product until it is told to stop."""

from __future__ import annotations

import asyncio
from pathlib import Path

import typer

from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.settings.model import Settings


def serve(
    config: ConfigOption = None,
    host: str | None = typer.Option(None, help="address to listen on; default server.host"),
    port: int | None = typer.Option(
        None, min=0, max=65535, help="port to listen on, 0 = any free one; default server.port"
    ),
    as_json: JsonOption = False,
) -> None:
    """Run the product with ./understudy.toml."""
    settings, base = read_settings(config)
    if host is not None or port is not None:
        changes = {"host": host or settings.server.host, "port": settings.server.port if port is None else port}
        settings = settings.model_copy(update={"server": settings.server.model_copy(update=changes)})
    asyncio.run(_serve(settings, base, as_json=as_json))


async def _serve(settings: Settings, base: Path, *, as_json: bool) -> None:
    from understudy.app import build, configure_telemetry
    from understudy.web.asgi import create
    from understudy.web.server import Server

    configure_telemetry(settings)
    app = build(settings, base)
    app.sole_process.acquire()
    server = Server(create(app), settings)
    listening = server.listen()
    serving = await server.begin(listening)
    url = settings.server.public_url or f"http://{settings.server.host}:{listening.getsockname()[1]}"
    if server.started and as_json:
        print_json({"url": url})
    elif server.started:
        typer.echo(f"Understudy serves {url}  (web chat at {url}/chat, API at {url}/v1; Ctrl-C stops it)")
    await serving
