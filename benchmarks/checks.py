"""The built-in checks, measured on records that others labelled, and how long they take.

    ./dev bench checks [--json] [--only grounding,speed] [--data ../shared/data] [--skip-peers]

What is learned was learned from other sources than those measured here (`checks_bench/sample.py`); where the data are
missing a check's part says so. What each figure means stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
import time
from pathlib import Path
from typing import Any

from shown import print_figures

ROOT = Path(__file__).resolve().parent.parent
MODULES = ("grounding", "injection", "exposure", "escalation", "failure", "speed", "peers")
BEGAN = time.perf_counter()


def main() -> None:
    """Measure and print."""
    chosen = _options()
    result = {}
    for name in chosen.only.split(",") if chosen.only else MODULES:
        if name == "peers" and chosen.skip_peers:
            continue
        print(f"{time.perf_counter() - BEGAN:7.1f} s  {name}", file=sys.stderr, flush=True)
        result[name] = _measured(name, chosen.data)
    print_figures(result, "checks", as_json=chosen.json)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--only", help=f"comma-separated parts: {', '.join(MODULES)}")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    parser.add_argument("--skip-peers", action="store_true", help="do not install and time other programs")
    return parser.parse_args()


def _measured(name: str, data: Path) -> dict[str, Any]:
    if name not in MODULES:
        sys.exit(f"--only {name}: there is {', '.join(MODULES)}")
    if importlib.util.find_spec(f"checks_bench.{name}") is None:
        return {"skipped": "this part is not in this checkout"}
    module = importlib.import_module(f"checks_bench.{name}")
    missing = [file for file in module.FILES if not (data / file).is_file()]
    if missing:
        return {"skipped": f"there is no {', '.join(missing)} in {data}; name the folder with --data"}
    found: dict[str, Any] = module.measure(data)
    return found


if __name__ == "__main__":
    main()
