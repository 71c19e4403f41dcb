"""`understudy autonomy reviewers`: how each reviewer decides, and what they miss, for the lead."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from understudy.cli.output import ConfigOption, JsonOption, print_json, print_rows, read_settings
from understudy.cli.plain_text import shown
from understudy.records.reviewing import Agreed, ReviewerQuality

COLUMNS = ("reviewer", "verdicts", "decides in", "approves", "approves in", "to read", "planted", "notices", "agrees")


def reviewers(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show each reviewer's pace, share of approvals, planted drafts noticed, and agreement with others."""
    from understudy.databases import open_reviewers

    settings, base = read_settings(config)
    with open_reviewers(settings, base) as desk:
        found, agreement = asyncio.run(_look(desk))
    if as_json:
        print_json({"reviewers": [_plain(asdict(one)) for one in found], "agreement": _agreement(agreement)})
    else:
        _show(found, agreement)


async def _look(desk: Any) -> tuple[list[ReviewerQuality], Agreed | None]:
    return await desk.all(), await desk.agreement()


def _show(found: list[ReviewerQuality], agreement: Agreed | None) -> None:
    console = Console()
    if not found:
        console.print("Nobody has judged a draft yet.")
        return
    print_rows(console, COLUMNS, [_row(one) for one in found])
    console.print(f"Any two on the same draft: {_words(agreement)}.")
    for one in found:
        if one.discounted is not None:
            line = shown(f"{one.reviewer}: approvals are no evidence at present. {one.discounted}", "bold red")
            console.print(line)


def _row(one: ReviewerQuality) -> tuple[str | Text, ...]:
    seeds = one.seeds
    return (
        shown(one.reviewer),
        str(one.verdicts),
        _seconds(one.decision_s),
        "–" if one.approval_rate is None else f"{one.approval_rate:.0%}",
        _seconds(one.approval_s),
        _seconds(one.reading_s),
        f"{seeds.caught} of {seeds.judged} caught" if seeds.judged else "–",
        f"{one.noticed_low:.0%} to {one.noticed_high:.0%}" if seeds.judged else "–",
        _words(one.second),
    )


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s" if value >= 10 else f"{value:.1f} s"


def _words(agreed: Agreed | None) -> str:
    if agreed is None:
        return "–"
    kappa = "" if agreed.kappa is None else f", kappa {agreed.kappa:.2f} ({agreed.low:.2f} to {agreed.high:.2f})"
    return f"{agreed.rate:.0%} of {agreed.drafts}{kappa}"


def _agreement(agreed: Agreed | None) -> dict[str, Any] | None:
    return None if agreed is None else asdict(agreed)


def _plain(facts: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()}
