"""Files of history for the readers, written where a test asks for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.backtest.histories.source import Source


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Source]:
    """Write rows as JSON Lines, or a text as it is, and open it: `written(row, row)`, `written("a,b", name="h.csv")`."""

    def write(*rows: Any, name: str = "history.jsonl") -> Source:
        path = tmp_path / name
        path.write_text(
            "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows), encoding="utf-8"
        )
        return Source.opened(path)

    return write
