"""Play worlds by their seeds: `python -m simulation --seeds 10000`, or `--seed N` to see one again step by step."""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from multiprocessing import Pool
from os import cpu_count

from simulation.world import Outcome, play

CHUNK = 25


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")


def main() -> int:
    """Play what the command line asks for; 1 where a promise was broken."""
    parser = argparse.ArgumentParser(prog="simulate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=10_000, help="how many worlds")
    parser.add_argument("--start", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="play this one and tell its history")
    parser.add_argument("--jobs", type=int, default=cpu_count() or 1, help="operating system processes")
    parser.add_argument("--failures", type=int, default=5, help="stop after so many broken worlds")
    parser.add_argument("--acts", action="store_true", help="worlds in which agents propose actions, and they are done")
    given = parser.parse_args()
    playing = partial(play, acts=True) if given.acts else play
    if given.seed is not None:
        return _one(given.seed, playing)
    began = time.perf_counter()
    counts: Counter[str] = Counter()
    failures: list[Outcome] = []
    played = 0
    seeds = range(given.start, given.start + given.seeds)
    with Pool(given.jobs) as pool:
        for outcome in pool.imap(playing, seeds, CHUNK):
            played += 1
            counts.update(outcome.counts)
            if outcome.violation is not None:
                failures.append(outcome)
                say(outcome.told() if len(failures) == 1 else f"seed {outcome.seed}: {outcome.violation}")
            if len(failures) >= given.failures:
                break
    for what, count in sorted(counts.items()):
        say(f"{count:9}  {what}")
    took_s = time.perf_counter() - began
    say(f"{played} worlds in {took_s:.1f} s ({given.jobs} jobs), {len(failures)} broke a promise")
    return 1 if failures else 0


def _one(seed: int, playing: Callable[[int], Outcome]) -> int:
    outcome = playing(seed)
    for moment, who, what in outcome.history:
        say(f"{moment:9.4f}  {who:10}  {what}")
    say(f"seed {seed}: {outcome.violation or 'every promise was kept'}")
    return 0 if outcome.violation is None else 1


if __name__ == "__main__":
    sys.exit(main())
