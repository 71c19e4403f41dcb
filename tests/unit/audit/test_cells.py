"""Nothing that a customer wrote is a formula to whoever opens an export in a spreadsheet."""

from __future__ import annotations

import csv
import io

import pytest

from understudy.audit.exporting import csv_text


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20"])
def test_a_cell_that_a_spreadsheet_would_compute_is_text(sign: str) -> None:
    ((cell, other),) = csv.reader(io.StringIO(csv_text([[f"{sign}1+1", "1 = 1"]]), newline=""))
    assert (cell, other) == (f"'{sign}1+1", "1 = 1")
