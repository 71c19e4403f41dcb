"""People: whether the need of one is seen, whether a hand-off can get lost, whether a burnt customer is burnt again.

    ./dev bench people [--json] [--quick] [--only need,hand_offs] [--data ../shared/data]

What each figure means stands in benchmarks/README.md. Ends with 1 where something was lost, repeated, muted or misled.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from pathlib import Path
from typing import Any

from shown import print_figures

ROOT = Path(__file__).resolve().parent.parent
PARTS = ("need", "hand_offs", "staffed", "merges", "burnt")
BEGAN = time.perf_counter()


def main() -> None:
    """Measure and print."""
    given = _options()
    result: dict[str, Any] = {}
    for name in given.only.split(",") if given.only else PARTS:
        print(f"{time.perf_counter() - BEGAN:7.1f} s  {name}", file=sys.stderr, flush=True)
        result[name] = _measured(name, given)
    print_figures(result, "people", as_json=given.json)
    sys.exit(1 if any(part.get("broken") for part in result.values()) else 0)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: that it runs, not what it says")
    parser.add_argument("--only", help=f"comma-separated parts: {', '.join(PARTS)}")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    return parser.parse_args()


def _measured(name: str, given: argparse.Namespace) -> dict[str, Any]:
    if name not in PARTS:
        sys.exit(f"--only {name}: there is {', '.join(PARTS)}")
    part = importlib.import_module(f"people_bench.{name}")
    missing = [file for file in part.FILES if not (given.data / file).is_file()]
    if missing:
        return {"skipped": f"there is no {', '.join(missing)} in {given.data}; name the folder with --data"}
    began = time.perf_counter()
    found: dict[str, Any] = part.measure(given.data, quick=given.quick)
    return found | {"took_s": time.perf_counter() - began}


if __name__ == "__main__":
    main()
