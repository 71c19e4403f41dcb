"""How rows are printed: as a table where it fits, else so that nothing is cut."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from understudy.cli.output import print_rows

ID = "out-01m8ez3frqf08phvv6cqr5zv74"
TURN = "turn-01m8ez3f1v5j8c2hxpdnkryahf"
COLUMNS = ("id", "state", "turn", "hold", "last error")
ROWS = [
    (ID, "dead", TURN, "", "the receiver said 410, which means that it is gone for good"),
    (TURN, "sent", ID, "h", ""),
]


def printed(width: int) -> str:
    out = io.StringIO()
    print_rows(Console(file=out, width=width), COLUMNS, ROWS)
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 80, 100, 120, 200])
def test_no_id_is_cut_however_narrow_the_terminal_is(width: int) -> None:
    said = printed(width)
    assert said.count(ID) == said.count(TURN) == 2
    assert "…" not in said
    assert max(map(len, said.splitlines())) <= width


def test_a_table_is_drawn_where_it_fits() -> None:
    assert "┃ last error" in printed(200)
    assert "┃" not in printed(80)


def test_a_paragraph_leaves_empty_cells_out() -> None:
    first, second = printed(90).split("dead", 1)[1].split("sent", 1)
    assert "hold" not in first
    assert "hold h" in second
    assert "last error" not in second


def test_nothing_in_a_cell_is_interpreted() -> None:
    out = io.StringIO()
    print_rows(Console(file=out, width=20), ("id", "why"), [("[b]x[/b]", ":bug: [red]no[/red]")])
    assert "[b]x[/b]" in out.getvalue()
    assert ":bug:" in out.getvalue()
