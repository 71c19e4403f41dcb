"""What every part of the benchmark is given: seeded dice, how many runs, a bar of progress. It measures nothing."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from rich.progress import Progress

T = TypeVar("T")
SEED = 20260502


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    data: Path
    is_quick: bool
    progress: Progress

    def runs(self, full: int) -> int:
        """How many runs to make where a full measurement makes `full`."""
        return max(20, full // 25) if self.is_quick else full

    def dice(self, *names: object) -> np.random.Generator:
        """Dice that fall the same way in every measurement, others for every name."""
        return np.random.default_rng([SEED, zlib.crc32(repr(names).encode())])

    def steps(self, items: Iterable[T], words: str) -> Iterator[T]:
        """Go through the items with a bar that says how far it is."""
        total = len(items) if isinstance(items, Sized) else None
        task = self.progress.add_task(words, total=total)
        for item in items:
            yield item
            self.progress.advance(task)
        self.progress.remove_task(task)


def share(hits: np.ndarray) -> dict[str, float]:
    """A share of runs with the standard error that so many runs leave."""
    rate = float(np.mean(hits))
    return {"share": rate, "standard_error": float(np.sqrt(rate * (1 - rate) / len(hits))), "runs": len(hits)}
