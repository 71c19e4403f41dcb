"""`understudy eval compare A B`: two releases side by side for people, as Markdown or a page; it judges nothing."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console

from understudy.cli.eval_report import cell, write_file
from understudy.cli.output import EXIT_OK, JsonOption, print_json
from understudy.cli.plain_text import shown, visible
from understudy.cli.word_diff import Change, changes, word_diff
from understudy.errors import ConfigurationError

if TYPE_CHECKING:
    from understudy.evaluation.compare import Beside, Side

SHOWN: Final = 10
UNCHANGED: Final = ("same",)
STYLE: Final = (
    "body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem;color:#1a1a1a}"
    "h2{font-size:1.05rem;margin:2rem 0 .3rem}table{border-collapse:collapse;width:100%;table-layout:fixed}"
    "td,th{border:1px solid #ccc;padding:.5rem;text-align:left;vertical-align:top;white-space:pre-wrap;overflow-wrap:anywhere}"
    "del{background:#ffd7d5}ins{background:#ccffd8;text-decoration:none}.worse{color:#b00020}.better{color:#0a6b2d}"
)


def compare(
    first: Path = typer.Argument(help="results of one release"),
    second: Path = typer.Argument(help="results of the other"),
    output: Path | None = typer.Option(
        None, "--output", "-o", help="write a report here: .md or .html; default: print it"
    ),
    every: bool = typer.Option(False, "--all", help="cases as well in which nothing changed"),
    as_json: JsonOption = False,
) -> int:
    """Show what two releases answered to the same cases, word by word, what matters first."""
    from understudy.evaluation.compare import beside
    from understudy.evaluation.readers.results import read_results

    if output is not None and output.suffix not in (".md", ".html"):
        raise ConfigurationError(f"--output {output}: end the name in .md or .html")
    one, other = read_results(first), read_results(second)
    names = (one.release or first.name, other.release or second.name)
    everything = beside(one.trials, other.trials)
    wanted = [found for found in everything if every or found.change not in UNCHANGED]
    if output is not None:
        made = html_page(wanted, everything, names) if output.suffix == ".html" else markdown(wanted, everything, names)
        write_file(output, made.encode())
    if as_json:
        print_json(
            {
                "first": names[0],
                "second": names[1],
                "changes": counts(everything),
                "cases": [{**asdict(found), "rule": found.rule.value, "change": found.change} for found in wanted],
            }
        )
    elif output is None:
        _show(wanted, everything, names)
    return EXIT_OK


def counts(everything: Sequence[Beside]) -> dict[str, int]:
    """How many cases changed in which way."""
    return dict(Counter(found.change for found in everything).most_common())


def markdown(wanted: Sequence[Beside], everything: Sequence[Beside], names: tuple[str, str]) -> str:
    """The report as Markdown."""
    lines = [f"# {cell(names[1])} beside {cell(names[0])}", "", _counted(everything), ""]
    for found in wanted:
        lines += [
            f"## {cell(found.case)}: {found.change}",
            "",
            f"| | {cell(names[0])} | {cell(names[1])} |",
            "|---|---|---|",
        ]
        lines += [f"| {name} | {cell(old)} | {cell(new)} |" for name, old, new in _facts(found)]
        lines += ["", _diff_markdown(changes(_reply(found.before), _reply(found.after))), ""]
    return "\n".join(lines)


def html_page(wanted: Sequence[Beside], everything: Sequence[Beside], names: tuple[str, str]) -> str:
    """The report as one page that loads nothing from elsewhere; all text of agents is escaped."""
    first, second = map(_escaped, names)
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Comparison</title>',
        f"<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\"><style>{STYLE}</style>",
        f"</head><body><h1>{second} beside {first}</h1><p>{_escaped(_counted(everything))}</p>",
    ]
    for found in wanted:
        old, new = _diff_html(changes(_reply(found.before), _reply(found.after)))
        parts.append(f'<h2>{_escaped(found.case)}: <span class="{found.change.split()[0]}">{found.change}</span></h2>')
        parts.append(f"<table><tr><th></th><th>{first}</th><th>{second}</th></tr>")
        parts += [
            f"<tr><th>{name}</th><td>{_escaped(a)}</td><td>{_escaped(b)}</td></tr>" for name, a, b in _facts(found)
        ]
        parts.append(f"<tr><th>reply</th><td>{old}</td><td>{new}</td></tr></table>")
    return "\n".join([*parts, "</body></html>\n"])


def _facts(found: Beside) -> Iterator[tuple[str, str, str]]:
    yield "failed", _losses(found.before), _losses(found.after)
    old, new = (side.decision or "–" if side else "–" for side in (found.before, found.after))
    if (old, new) != ("–", "–"):
        yield "decision", old, new
    if found.gone or found.new:
        yield "graders", "; ".join(found.gone) or "–", "; ".join(found.new) or "–"


def _losses(side: Side | None) -> str:
    if side is None:
        return "–"
    judged = "no result" if side.loss is None else f"mean loss {side.loss:.2f} in {side.trials - side.errors} trials"
    return judged + (f", {side.errors} in error" if side.errors else "")


def _counted(everything: Sequence[Beside]) -> str:
    return ", ".join(f"{count} {change}" for change, count in counts(everything).items()) + "."


def _reply(side: Side | None) -> str:
    return "" if side is None else side.reply or ""


def _diff_markdown(found: Sequence[Change]) -> str:
    signs = {"same": "{}", "gone": "~~{}~~", "new": "**{}**"}
    return (
        "".join(_around(signs[change.kind], cell(change.text, whole=True), change.text) for change in found)
        or "*no reply is recorded*"
    )


def _around(sign: str, text: str, written: str) -> str:
    """Put signs around a text, and its outer white space outside them: only so are they read as signs."""
    if not text:
        return " "
    before = " " if written[:1].isspace() else ""
    return before + sign.format(text) + (" " if written[-1:].isspace() else "")


def _diff_html(found: Sequence[Change]) -> tuple[str, str]:
    old = "".join(
        f"<del>{_escaped(one.text)}</del>" if one.kind == "gone" else _escaped(one.text)
        for one in found
        if one.kind != "new"
    )
    new = "".join(
        f"<ins>{_escaped(one.text)}</ins>" if one.kind == "new" else _escaped(one.text)
        for one in found
        if one.kind != "gone"
    )
    return old or "–", new or "–"


def _escaped(text: str) -> str:
    return html.escape(visible(text))


def _show(wanted: Sequence[Beside], everything: Sequence[Beside], names: tuple[str, str]) -> None:
    console = Console(soft_wrap=True)
    console.print(shown(f"{names[1]} beside {names[0]}: {_counted(everything)}"))
    for found in wanted[:SHOWN]:
        console.print()
        console.print(shown(f"{found.case}: {found.change}", style="bold"))
        for name, old, new in _facts(found):
            console.print(shown(f"  {name}: {old} → {new}"))
        console.print(word_diff(_reply(found.before), _reply(found.after)))
    if len(wanted) > SHOWN:
        console.print(shown(f"{len(wanted) - SHOWN} more; -o FILE.html has them all", style="dim"))
