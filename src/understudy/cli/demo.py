"""`understudy demo`: the whole product on the embedded default, with a bundled business and its customers."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table
from rich.text import Text

from understudy.cli.demo_fault import demo_fault
from understudy.cli.output import EXIT_FAILED, EXIT_INTERRUPTED, EXIT_OK, JsonOption, print_json
from understudy.cli.plain_text import shown

if TYPE_CHECKING:
    from understudy.demo.run import Running
    from understudy.demo.summary import Summary

HEADLESS_PACE = 0.3
LIVE_PACE = 0.8
LOOK_S = 5.0
"""How long somebody who watches has for each turn of events."""
WORDS_SHOWN = 60
PEOPLE_WORDS_SHOWN = 160
ACTS = {
    1: ("Customers write and reviewers decide", ""),
    2: ("Gift cards earn the right to answer alone, get worse, and lose it", "autonomy/gift_cards?channel=api"),
    3: ("A mistake stops one version of the agent, lets another out, and that one is taken back", "releases"),
    4: ("Three customers need people: one is angry, one writes at night, one goes on by e-mail", "staffing"),
}
"""What each act shows, and where in the console."""


def demo(
    headless: bool = typer.Option(
        False,
        "--headless",
        help="play the story, print what became of it, and end; so it is where there is no terminal",
    ),
    serve: bool = typer.Option(
        False, "--serve", help="without a terminal too, print the address and password and serve on until Ctrl-C"
    ),
    port: int = typer.Option(8080, min=0, max=65535, help="port to listen on; 0 = any free one"),
    folder: Path | None = typer.Option(None, help="keep the database here; default: a folder that is removed again"),
    fault: str | None = typer.Option(
        None,
        help="play some seconds in which something fails instead: crm-down, provider-down, agent-down, agent-slow, agent-nonsense, judge-down, rate-limited or drifting",
    ),
    as_json: JsonOption = False,
) -> None:
    """Play the story of a made-up business in a terminal, within two minutes, and keep serving for you to try.

    Without a terminal it plays headless and ends, unless it is told to --serve."""
    if fault is not None:
        demo_fault(fault, folder, as_json=as_json)
        return
    if headless and serve:
        raise typer.BadParameter("ends when the story ends; leave out --headless or --serve", param_hint="--headless")
    has_terminal = sys.stdout.isatty() and sys.stdin.isatty()
    stays = serve or (has_terminal and not headless)
    if not stays and not headless:
        typer.echo(
            "demo: no terminal, so it plays headless and ends; --serve prints its address and serves on", err=True
        )
    keep = nullcontext(str(folder)) if folder is not None else tempfile.TemporaryDirectory(prefix="understudy-demo-")
    with keep as place:
        Path(place).mkdir(parents=True, exist_ok=True)
        try:
            summary = asyncio.run(_run(Path(place), port if stays else 0, stays=stays, as_json=as_json))
        except (KeyboardInterrupt, asyncio.CancelledError):
            raise typer.Exit(EXIT_OK if stays else EXIT_INTERRUPTED) from None
    if not summary.is_settled:
        typer.echo("demo: some turns were still open when the time ran out", err=True)
        raise typer.Exit(EXIT_FAILED)


async def _run(folder: Path, port: int, *, stays: bool, as_json: bool) -> Summary:
    from understudy.demo.run import serving

    console = Console(stderr=as_json)
    async with serving(folder, port=port) as running:
        if stays:
            _invite(console, running)
            summary = await _shown(console, running)
        else:
            summary = await _play(running, pace=HEADLESS_PACE)
        _print(console, summary)
        print_json(
            {
                name: getattr(summary, name)
                for name in ("turns", "delivered", "held", "handed_off", "degraded", "superseded", "seconds")
            }
            | {"acts": [asdict(act) for act in summary.acts]}
            | {"autonomy": [asdict(moment) for moment in summary.moments]}
            | {"releases": [asdict(moment) for moment in summary.releases]}
            | {"people": [asdict(moment) for moment in summary.people]}
        )
        if stays:
            _invite(console, running)
            console.print("Serving until Ctrl-C.")
            await asyncio.Event().wait()
    return summary


async def _shown(console: Console, running: Running) -> Summary:
    """Play the story to somebody who watches, and may take a hand in it."""

    def scene(act: int) -> None:
        words, place = ACTS[act]
        console.print(f"  Act {act}. {words}: {running.url}/console/#/{place}", soft_wrap=True)

    def told(words: str) -> None:
        console.print(f"  {words[:1].upper()}{words[1:]}.", soft_wrap=True, markup=False)

    return await _play(running, pace=LIVE_PACE, look_s=LOOK_S, scene=scene, told=told)


async def _play(
    running: Running,
    *,
    pace: float,
    look_s: float = 0.0,
    scene: Callable[[int], None] = lambda act: None,
    told: Callable[[str], None] = lambda words: None,
) -> Summary:
    from understudy.demo.earning import DRAFTS_EXPECTED
    from understudy.demo.people import LINES_EXPECTED
    from understudy.demo.run import play
    from understudy.demo.story import load_story
    from understudy.demo.versions import CUSTOMERS_EXPECTED

    steps = len(load_story()) + DRAFTS_EXPECTED + CUSTOMERS_EXPECTED + LINES_EXPECTED
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        disable=not sys.stderr.isatty(),
        transient=True,
    )
    with progress:
        task = progress.add_task("customers write, reviewers decide", total=steps)
        return await play(
            running,
            pace=pace,
            said=lambda number: progress.update(task, completed=number),
            look_s=look_s,
            scene=scene,
            told=told,
        )


def _invite(console: Console, running: Running) -> None:
    from understudy.demo.visitor import VISITOR

    console.print(f"\n  Web chat         {running.url}/chat")
    console.print(f"  In a shop page   {running.url}/chat/example")
    console.print(f"  Console          {running.url}/console/")
    name_and_password = f"sign in as “{VISITOR}” with the password {running.password}"
    console.print(f"                   {name_and_password}", highlight=False, soft_wrap=True)
    console.print("  Review           in another terminal:")
    console.print(
        f"    UNDERSTUDY_URL={running.url} UNDERSTUDY_API_KEY={running.visitor_key} understudy review",
        soft_wrap=True,
    )
    console.print(f"  API              {running.url}/openapi.json\n")


def _print(console: Console, summary: Summary) -> None:
    console.print(_findings_table(summary))
    table = Table("decision", "turns", "why (most frequent reasons)", title="What became of the customers' messages")
    rows = (
        ("delivered", summary.delivered, "deliver"),
        ("held for review", summary.held, "hold"),
        ("handed off", summary.handed_off, "hand_off"),
        ("safe reply", summary.degraded, "degrade"),
    )
    for name, count, kind in rows:
        reasons = summary.reasons.get(kind, Counter())
        common = sorted(reasons.items(), key=lambda item: (-item[1], item[0]))[:5]
        table.add_row(name, str(count), ", ".join(f"{code} ({times})" for code, times in common))
    table.add_row("superseded", str(summary.superseded), "the customer wrote again before an answer")
    console.print(table)
    verdicts = ", ".join(f"{count} × {kind.replace('_', ' ')}" for kind, count in sorted(summary.verdicts.items()))
    yours = f" You decided {summary.by_visitor} times." if summary.by_visitor else ""
    seconds = ", ".join(f"act {act.act} {act.seconds:.1f} s" for act in summary.acts)
    console.print(f"Reviewers decided: {verdicts or 'nothing'}.{yours} {summary.seconds:.1f} s: {seconds}.")
    console.print(_autonomy_table(summary))
    console.print(_releases_table(summary))
    console.print(_people_table(summary))


def _autonomy_table(summary: Summary) -> Table:
    """How one topic earned the right to answer alone, and lost it."""
    table = Table(
        "what happened", "level", "labels", "bad", "evidence", "from", "audits", title="Gift cards, by the API"
    )
    for moment in summary.moments:
        table.add_row(
            moment.what,
            moment.level,
            str(moment.labels),
            f"{moment.loss_sum:g}",
            f"{moment.evidence} of 100",
            "–" if moment.threshold is None else f"{moment.threshold:.3f}",
            f"{moment.audited} of {moment.delivered}",
        )
    return table


def _releases_table(summary: Summary) -> Table:
    """How a mistake kept one release from the customers, and how another was taken back from them."""
    table = Table(Column("release", no_wrap=True), "stage", "what happened", title="Releases, by the API")
    for moment in summary.releases:
        table.add_row(moment.release, moment.stage, shown(moment.what))
    return table


def _people_table(summary: Summary) -> Table:
    """What became of the customers who needed people."""
    caption = "Nobody reads letters before tomorrow, and no hour passes here: somebody of that team looks in early."
    table = Table("customer", "what happened", "in words", title="People, by the API", caption=caption)
    for moment in summary.people:
        table.add_row(moment.customer, moment.what, shown(shorten(moment.words, PEOPLE_WORDS_SHOWN, placeholder=" …")))
    return table


def _findings_table(summary: Summary) -> Table:
    """What the checks found, each kind once, with the words of the draft that it points at; – is no place in the draft."""
    table = Table(
        Column("finding", no_wrap=True), "severity", "drafts", "for example at", title="What the checks found"
    )
    for found in summary.findings:
        words = Text("–", style="dim") if found.words is None else shown(_short(found.words))
        table.add_row(found.name, found.severity, str(found.drafts), words)
    return table


def _short(words: str) -> str:
    return words if len(words) <= WORDS_SHOWN else f"{words[: WORDS_SHOWN - 1]}…"
