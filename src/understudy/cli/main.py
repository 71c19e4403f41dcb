"""The command tree. Exit codes: 0 ok, 1 a check or gate failed, 2 inconclusive, 3 usage or configuration error."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer
from rich.console import Console
from typer.exceptions import TyperException

from understudy import __version__
from understudy.cli import (
    actions,
    audit,
    autonomy,
    backtest,
    channels,
    chaos,
    check,
    contacts,
    demo,
    doctor,
    eval_command,
    init,
    keys,
    mcp_tools,
    migrate,
    migrate_store,
    outbox,
    pledges,
    release,
    review_command,
    serve,
    simulate,
    systems,
    teams,
    users,
    work,
)
from understudy.cli.output import EXIT_USAGE
from understudy.cli.running import NEW_OBJECTS
from understudy.errors import UnderstudyError

tree = typer.Typer(
    name="understudy",
    help="A reliability layer between an AI agent and your customers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
tree.command("demo")(demo.demo)
tree.command("serve")(serve.serve)
tree.command("work")(work.work)
tree.command("init")(init.init)
tree.command("doctor")(doctor.doctor)
tree.command("review")(review_command.review)
tree.command("check")(check.check)
tree.command("backtest")(backtest.backtest)
tree.command("simulate")(simulate.simulate)
tree.command("chaos")(chaos.chaos)
tree.command("mcp")(mcp_tools.mcp)
tree.command("migrate")(migrate.migrate)
tree.command("migrate-store")(migrate_store.migrate_store)
tree.add_typer(keys.tree, name="keys")
tree.add_typer(users.tree, name="users")
tree.add_typer(audit.tree, name="audit")
tree.add_typer(outbox.tree, name="outbox")
tree.add_typer(contacts.tree, name="contacts")
tree.add_typer(actions.tree, name="actions")
tree.add_typer(pledges.tree, name="pledges")
tree.add_typer(teams.tree, name="teams")
tree.add_typer(channels.tree, name="channels")
tree.add_typer(systems.tree, name="systems")
tree.add_typer(autonomy.tree, name="autonomy")
tree.add_typer(eval_command.tree, name="eval")
tree.add_typer(release.tree, name="release")


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"understudy {__version__}")
        raise typer.Exit


@tree.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="print the version")
    ] = False,
) -> None:
    """Take options that belong to no command."""


def main() -> None:
    """Run the command line; expected errors are one message on stderr and exit code 3, never a traceback."""
    gc.set_threshold(NEW_OBJECTS, 20, 20)  # what a command imports makes hundreds of thousands, and all of them stay
    try:
        result = tree(standalone_mode=False)
    except UnderstudyError as error:
        Console(stderr=True, soft_wrap=True).print(f"understudy: {error.message}", markup=False, highlight=False)
        sys.exit(EXIT_USAGE)
    except typer.Abort:
        sys.exit(130)
    except TyperException as error:
        show = getattr(error, "show", None)  # a usage error knows how to print its command's usage
        show() if show is not None else typer.echo(error.message, err=True)
        sys.exit(EXIT_USAGE)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    sys.exit(result if isinstance(result, int) else 0)
