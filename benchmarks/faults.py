"""Ten faults on nine dependencies, each with traffic: what customers had, and how soon all was well again.

    ./dev bench faults [--json] [--only agents.bot,channels.desk] [--faults drip,dns] [--at-once 6] [--seed 1]

Each cell is a process of its own: the bundled business of `understudy chaos`, customers who write before, while and after the
fault strikes every request to one dependency, and nobody else. What each figure means stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from understudy.chaos.outcomes import Outcome
from understudy.chaos.running import Play, as_json, bundled_settings, playing
from understudy.records.tickets import TicketState
from understudy.testing.faults import Fault, Rule
from understudy.testing.system_of_record import SystemOfRecord

DEPENDENCIES = (
    "agents.bot", "opinions.judge", "opinions.knowledge", "records.orders", "systems.shop",
    "channels.chatwoot", "channels.zendesk", "channels.whatsapp", "channels.desk",
)  # fmt: skip
BEFORE = 2
DURING = 8
PAUSE_S = 0.75
DEADLINE_S = 30.0
PROBE_EVERY_S = 1.0
PROBE_WITHIN_S = 4.0
"""A customer who has the agent's reply so soon is answered as before."""
RECOVER_S_MAX = 90.0
CELL_S_MAX = 240.0
Cell = dict[str, Any]


def main() -> None:
    """Play all cells and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--only", default=",".join(DEPENDENCIES), help="comma-separated dependencies")
    parser.add_argument("--faults", default=",".join(Fault), help="comma-separated faults")
    parser.add_argument("--at-once", type=int, default=6, help="cells at once; they mostly wait")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cell", nargs=2, metavar=("FAULT", "DEPENDENCY"), help="play one cell in this process")
    chosen = parser.parse_args()
    if chosen.cell:
        print(json.dumps(asyncio.run(_cell(Fault(chosen.cell[0]), chosen.cell[1], chosen.seed))))
        return
    names, faults = chosen.only.split(","), [Fault(one) for one in chosen.faults.split(",")]
    if strange := [name for name in names if name not in DEPENDENCIES]:
        sys.exit(f"--only {strange[0]}: there is {', '.join(DEPENDENCIES)}")
    cells = _all(names, faults, at_once=chosen.at_once, seed=chosen.seed)
    result = {"totals": totals(cells), "cells": cells}
    print(json.dumps(result)) if chosen.json else _show(result)


def _all(names: Sequence[str], faults: Sequence[Fault], *, at_once: int, seed: int) -> list[Cell]:
    """Every cell in a process of its own, forked from this one, which has everything loaded."""
    wanted = [(fault, name, seed) for name in names for fault in faults]
    found: dict[tuple[str, str], Cell] = {}
    with multiprocessing.get_context("fork").Pool(at_once, os.setsid, maxtasksperchild=1) as pool:
        for number, cell in enumerate(pool.imap_unordered(_apart, wanted), start=1):
            found[cell["dependency"], cell["fault"]] = cell
            words = f"{number} of {len(wanted)}: {cell['fault']} on {cell['dependency']}"
            print(f"{words} {'is safe' if cell['is_safe'] else f'IS NOT SAFE {cell}'}", file=sys.stderr, flush=True)
    return [found[name, fault.value] for name in names for fault in faults]


def _apart(wanted: tuple[Fault, str, int]) -> Cell:
    fault, name, seed = wanted
    try:
        return asyncio.run(asyncio.wait_for(_cell(fault, name, seed), CELL_S_MAX))
    except Exception as error:  # noqa: BLE001 - whatever broke is the cell's result, and the others go on
        return {"fault": fault.value, "dependency": name, "is_safe": False, "error": f"{type(error).__name__}: {error}"}


async def _cell(fault: Fault, name: str, seed: int) -> Cell:
    """One cell: traffic before, while it strikes and after."""
    with tempfile.TemporaryDirectory(prefix="understudy-faults-") as folder:
        async with playing(bundled_settings(), Path(folder), Path(folder), seed=seed) as play:
            customers = _Customers(play, name)
            # An address that was found is remembered for some seconds, and connections are kept: only a first look-up fails.
            await customers.write(0 if fault is Fault.DNS else BEFORE)
            proxy = play.stage.dependencies[name].proxy
            proxy.strike_by([Rule(fault=fault)])
            await customers.write(DURING)
            struck = proxy.plan.struck[fault] + sum(play.stage.names.failed.values())
            proxy.lift()
            recovered_s = await customers.recovered()
            settled = await play.settled(within_s=DEADLINE_S)
            tickets = await _tickets(play, within_s=DEADLINE_S)
            await asyncio.sleep(2)
            result = await play.result(deadline_s=DEADLINE_S)
    return {
        "fault": fault.value,
        "dependency": name,
        "is_safe": result.is_safe and settled and recovered_s is not None and tickets["missing"] == tickets["doubled"] == 0,
        "was_struck": bool(struck),
        "struck": struck,
        "recovered_s": recovered_s,
        "tickets": tickets,
        **{key: as_json(result)[key] for key in ("messages", "outcomes", "doubled", "reordered", "within_s_p95", "wrong")},
    }  # fmt: skip


async def _tickets(play: Play, *, within_s: float) -> dict[str, int]:
    """Hand-offs, and those whose ticket is missing in the system of record, or there twice, once it has had time."""
    ends = time.monotonic() + within_s
    while True:
        found = await play.app.store.read(lambda tx: tx.tickets.listed(list(TicketState), limit=1_000))
        wanted = [one for one in found if one.state is not TicketState.DROPPED]
        if all(one.state is TicketState.OPENED for one in wanted) or time.monotonic() >= ends:
            break
        await asyncio.sleep(0.25)
    system = play.stage.dependencies["systems.shop"].fake
    assert isinstance(system, SystemOfRecord), "the bundled business has this system"
    opened = sum(one.state is TicketState.OPENED and one.id in system.written for one in wanted)
    return {
        "ordered": len(wanted),
        "missing": len(wanted) - opened,
        "doubled": max(0, len(system.written) - len(wanted)),
    }


class _Customers:
    """Writes over the channels that a dependency concerns; three customers write on each."""

    def __init__(self, play: Play, name: str) -> None:
        self._play = play
        kind, _, own = name.partition(".")
        # Of who writes from a phone a system is asked what it knows; every third of them wants a person, and so gets a ticket.
        self._channels = {"channels": [own], "systems": ["whatsapp"]}.get(kind, sorted(play.stage.providers))
        self._wants_people = kind == "systems"
        self._number = 0

    async def write(self, count: int) -> None:
        """Write so many messages at an even pace."""
        for _ in range(count):
            wants_person = self._wants_people and self._number % 3 == 2
            await self._one(
                customer=100 + self._number if wants_person else self._number % 3, wants_person=wants_person
            )
            await asyncio.sleep(PAUSE_S)

    async def recovered(self) -> float | None:
        """Let new customers write until one has the agent's reply as before; the seconds until that one wrote."""
        began = time.monotonic()
        while (at_s := time.monotonic() - began) < RECOVER_S_MAX:
            number = self._number
            await self._one(customer=1_000 + number)
            ends = time.monotonic() + PROBE_WITHIN_S
            while time.monotonic() < ends:
                (one,) = [had for had in await self._play.had() if had.number == number]
                if one.reply_s is not None and one.outcome(PROBE_WITHIN_S) is Outcome.ANSWERED:
                    return round(at_s, 1)
                await asyncio.sleep(0.1)
        return None

    async def _one(self, *, customer: int, wants_person: bool = False) -> None:
        channel = self._channels[self._number % len(self._channels)]
        text = f"Where is my order {self._number}, please?"
        text = f"I want to talk to a person about order {self._number}." if wants_person else text
        await self._play.write(channel, str(49_151_000_000 + customer), text, number=self._number)
        self._number += 1


def totals(cells: Sequence[Cell]) -> dict[str, Any]:
    """All cells together."""
    played = [cell for cell in cells if "error" not in cell]
    outcomes = {one.value: sum(cell["outcomes"][one.value] for cell in played) for one in Outcome}
    waits = sorted(cell["recovered_s"] for cell in played if cell["recovered_s"] is not None)
    return {
        "cells": len(cells),
        "safe": sum(cell["is_safe"] for cell in cells),
        "struck": sum(cell["was_struck"] for cell in played),
        "messages": sum(cell["messages"] for cell in played),
        "outcomes": outcomes,
        "doubled": sum(cell["doubled"] for cell in played),
        "reordered": sum(cell["reordered"] for cell in played),
        "tickets": {name: sum(cell["tickets"][name] for cell in played) for name in ("ordered", "missing", "doubled")},
        "recovered_s_p50": waits[len(waits) // 2] if waits else None,
        "recovered_s_max": waits[-1] if waits else None,
        "recovered_s_max_by": {
            name: max((cell["recovered_s"] for cell in played if cell["dependency"] == name and cell["recovered_s"] is not None), default=None)
            for name in dict.fromkeys(cell["dependency"] for cell in played)
        },
    }  # fmt: skip


def _show(result: Mapping[str, Any]) -> None:
    console = Console()
    names = list(dict.fromkeys(cell["dependency"] for cell in result["cells"]))
    table = Table("fault", *names, title="answered/told/held/handed off, and s until all was well; ! = not safe")
    for fault in dict.fromkeys(cell["fault"] for cell in result["cells"]):
        row = {cell["dependency"]: cell for cell in result["cells"] if cell["fault"] == fault}
        table.add_row(fault, *(_said(row[name]) for name in names))
    console.print(table)
    for cell in result["cells"]:
        for wrong in cell.get("wrong", [cell.get("error")]):
            console.print(f"{cell['fault']} x {cell['dependency']}: {wrong}", markup=False)
    console.print(result["totals"])


def _said(cell: Cell) -> str:
    if "error" in cell:
        return "! error"
    counts = "/".join(str(cell["outcomes"][one]) for one in ("answered", "told", "held", "handed_off"))
    return f"{'' if cell['is_safe'] else '! '}{counts} {cell['recovered_s']}"


if __name__ == "__main__":
    main()
