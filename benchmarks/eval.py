"""Evaluation, measured: trials beside promptfoo and Inspect AI, the gate's errors and savings, real agents, A/A flips.

    ./dev bench eval [--json] [--quick] [--rounds 3] [--runs 1000] [--only gates,recorded,throughput]

The peers are installed once into `.bench/` and left out, with a message, where they cannot be had.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from rich.console import Console

from eval_bench import gates, recorded, throughput

PARTS = ("throughput", "gates", "recorded")


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--quick", action="store_true", help="one round, 100 runs")
    parser.add_argument("--rounds", type=int, help="how often each runner is measured (default 3, quick 1)")
    parser.add_argument("--runs", type=int, help="seeded runs of the gate (default 1,000, quick 100)")
    parser.add_argument("--seed", type=int, default=20261127)
    parser.add_argument("--only", default=",".join(PARTS), help="comma-separated parts: " + ", ".join(PARTS))
    parser.add_argument("--runners", default="", help="comma-separated runners: understudy, promptfoo, inspect")
    chosen = parser.parse_args()
    wanted = chosen.only.split(",")
    if unknown := set(wanted) - set(PARTS):
        sys.exit(f"--only {', '.join(unknown)}: there is {', '.join(PARTS)}")
    began = time.perf_counter()
    found: dict[str, Any] = {}
    if "throughput" in wanted:
        runners = tuple(name for name in chosen.runners.split(",") if name)
        found["throughput"] = throughput.measure(rounds=chosen.rounds or (1 if chosen.quick else 3), only=runners)
    if "gates" in wanted:
        found["gates"] = gates.measure(runs=chosen.runs or (100 if chosen.quick else 1_000), seed=chosen.seed)
    if "recorded" in wanted:
        found["recorded"] = recorded.measure()
    found["took_s"] = round(time.perf_counter() - began, 1)
    print(json.dumps(found)) if chosen.json else _show(found)
    if not found.get("recorded", {}).get("right", True):
        sys.exit(1)


def _show(found: dict[str, Any]) -> None:
    Console().print_json(json.dumps(found))


if __name__ == "__main__":
    main()
