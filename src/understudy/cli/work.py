"""`understudy work`: a process that takes turns and sends replies, and serves nobody; any number, beside any `serve`."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import typer

from understudy.cli.output import ConfigOption, JsonOption, print_json, read_settings
from understudy.cli.running import run_for_long, settle
from understudy.errors import ConfigurationError
from understudy.settings.model import Settings


def work(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Work on turns with ./understudy.toml, beside the servers; PostgreSQL only."""
    settings, base = read_settings(config)
    run_for_long(_work(settings, base, as_json=as_json))


async def _work(settings: Settings, base: Path, *, as_json: bool) -> None:
    from understudy.app import build, configure_telemetry
    from understudy.databases import takes_one_process

    if takes_one_process(settings):
        raise ConfigurationError(
            "SQLite takes one process: `understudy serve` serves and works. Use PostgreSQL for more (store.url)"
        )
    configure_telemetry(settings)
    app = build(settings, base)
    is_over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, is_over.set)
    await app.start()
    settle()
    if as_json:
        print_json({"pid": os.getpid()})
    else:
        typer.echo(f"Understudy works (process {os.getpid()}; Ctrl-C stops it)")
    await is_over.wait()
    app.drain()
    await app.stop()
