"""What the statistics cost: labels a second, memory and stored bytes of a slice, ten thousand slices at once."""

from __future__ import annotations

import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import numpy as np

from autonomy_bench.study import Study
from understudy.records import codec
from understudy.stats.detector import Detector, after, unstirred
from understudy.stats.ladder import COVERAGES, Ladder, Rungs, climb, foot, standing
from understudy.stats.ladder_design import shares_for
from understudy.stats.outlook import outlook

FILES = ()
LADDER = Ladder(
    thresholds=tuple(1 - coverage for coverage in COVERAGES), shares=shares_for(COVERAGES, 0.9), target=0.02, delta=0.05
)


def measure(study: Study) -> dict[str, Any]:
    """Processor time of one core; the best of three, because other programs only ever make it longer."""
    rng, labels = study.dice("cost"), 20_000 if study.is_quick else 200_000
    scores, losses = rng.random(labels), (rng.random(labels) < 0.01).astype(float)
    graded = rng.choice([0.0, 0.2, 0.5, 1.0], labels, p=[0.97, 0.01, 0.01, 0.01])
    detector, watch = Detector(target=0.02), unstirred(Detector(target=0.02))

    def one_by_one() -> None:
        rungs = foot(LADDER)
        for i in range(1000):
            rungs = climb(LADDER, rungs, scores[i : i + 1], losses[i : i + 1])

    def watching() -> None:
        now = watch
        for i in range(1000):
            now = after(detector, now, rate=0.05, loss=float(losses[i]))

    def looking() -> None:
        for _ in range(1000):
            standing(LADDER, rungs)

    rungs = climb(LADDER, foot(LADDER), scores[:5000], graded[:5000])
    return {
        "labels_per_s": labels / _cpu_s(lambda: climb(LADDER, foot(LADDER), scores, losses)),
        "graded_labels_per_s": labels / _cpu_s(lambda: climb(LADDER, foot(LADDER), scores, graded)),
        "labels_per_s_one_by_one": 1000 / _cpu_s(one_by_one),
        "replies_per_s_through_the_detector": 1000 / _cpu_s(watching),
        "certificates_read_per_s": 1000 / _cpu_s(looking),
        "outlook_3000_labels_ms": 1000 * _cpu_s(lambda: outlook(0.02, target=0.02, delta=0.05, horizon=3000)),
        "stored_bytes_per_slice": {
            "ladder": len(codec.dump(rungs)),
            "detector": len(codec.dump(after(detector, watch, rate=0.05, loss=0.2))),
        },
        "slices": _slices(study, scores, losses),
        "import_ms": {
            name: _import_ms(name) for name in study.steps(("betting", "ladder", "detector", "binomial"), "imports")
        },
    }


def _cpu_s(work: Callable[[], object]) -> float:
    found = []
    for _ in range(3):
        began = time.process_time()
        work()
        found.append(time.process_time() - began)
    return min(found)


def _slices(study: Study, scores: np.ndarray, losses: np.ndarray) -> dict[str, float]:
    """Ten thousand slices with a history of 200 labels each, then one more label for each."""
    count = 500 if study.is_quick else 10_000
    tracemalloc.start()
    held: list[Rungs] = []
    for number in study.steps(range(count), "slices"):
        start = number * 7 % (scores.size - 201)
        held.append(climb(LADDER, foot(LADDER), scores[start : start + 200], losses[start : start + 200]))
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    began = time.process_time()
    held = [climb(LADDER, rungs, scores[:1], losses[:1]) for rungs in held]
    spent = time.process_time() - began
    return {"count": count, "memory_bytes_per_slice": memory / count, "one_label_for_each_s": spent}


def _import_ms(name: str) -> float:
    """What importing the module takes in a new process, over importing nothing; the best of three."""

    def took(code: str) -> float:
        best = float("inf")
        for _ in range(3):
            began = time.perf_counter()
            subprocess.run([sys.executable, "-c", code], check=True)
            best = min(best, time.perf_counter() - began)
        return best

    return 1000 * (took(f"import understudy.stats.{name}") - took("pass"))
