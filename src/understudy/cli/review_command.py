"""`understudy review`: the reviewers' terminal against a running server."""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from understudy.cli.keyboard import LineKeyboard, TerminalKeyboard
from understudy.cli.output import JsonOption, print_json
from understudy.errors import ConfigurationError


def review(
    url: str = typer.Option("http://127.0.0.1:8080", envvar="UNDERSTUDY_URL", help="the server"),
    key: str = typer.Option("", envvar="UNDERSTUDY_API_KEY", help="an API key that may review; better by environment"),
    as_json: JsonOption = False,
) -> None:
    """Work through the queue: single keys, the draft with its findings, passages and history; ? shows the keys."""
    from understudy.cli.review import run_review
    from understudy.client.client import Client

    if not key:
        raise ConfigurationError("no API key: set UNDERSTUDY_API_KEY (`understudy keys create NAME` makes one)")
    keyboard = TerminalKeyboard(sys.stdin.fileno()) if sys.stdin.isatty() else LineKeyboard(sys.stdin)
    with Client(url, key) as client:
        tally = run_review(client, Console(stderr=as_json), keyboard)
    if as_json:
        print_json(dict(tally))
