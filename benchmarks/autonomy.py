"""How soon autonomy is earned and how soon it is lost, how often wrongly, beside what could be reached at all.

    ./dev bench autonomy [--json] [--quick] [--only certify,detection] [--data ../shared/data]

Everything is drawn from a seed or computed exactly. What each figure means stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from autonomy_bench import targets
from autonomy_bench.study import SEED, Study
from shown import rounded, table_of

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("certify", "false_certificates", "selective", "detection", "gates", "score", "agents", "cost")


def main() -> None:
    """Measure and print."""
    chosen = _options()
    result: dict[str, Any] = {"seed": SEED}
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        study = Study(data=chosen.data, is_quick=chosen.quick, progress=progress)
        names = chosen.only.split(",") if chosen.only else PARTS
        for name in study.steps(names, "all parts"):
            began = time.perf_counter()
            result[name] = _measured(name, study)
            print(f"{name}: {time.perf_counter() - began:.0f} s", file=sys.stderr, flush=True)
    result["targets"] = targets.against(result)
    print(json.dumps(rounded(result))) if chosen.json else _show(result)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help="few runs, to see that all works; the figures are rough")
    parser.add_argument("--only", help=f"comma-separated parts: {', '.join(PARTS)}")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    return parser.parse_args()


def _measured(name: str, study: Study) -> dict[str, Any]:
    if name not in PARTS:
        sys.exit(f"--only {name}: there is {', '.join(PARTS)}")
    module = importlib.import_module(f"autonomy_bench.{name}")
    missing = [file for file in module.FILES if not (study.data / file).is_file()]
    if missing:
        return {"skipped": f"there is no {', '.join(missing)} in {study.data}; name the folder with --data"}
    found: dict[str, Any] = module.measure(study)
    return found


def _show(result: dict[str, Any]) -> None:
    rows = rounded(result.pop("targets"))
    Console().print(table_of(result, "autonomy"))
    table = Table("target", "measured", "goal", "", "limit", "", title="targets")
    for row in rows:
        limit = "" if row["limit"] is None else str(row["limit"])
        met = "met" if row["is_met"] else "missed"
        table.add_row(row["target"], str(row["measured"]), str(row["goal"]), met, limit, row["limit_is"])
    Console().print(table)


if __name__ == "__main__":
    main()
