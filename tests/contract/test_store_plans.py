"""No look-up of a store grows with the turns that went before: SQLite says how it finds what each statement asks for.

PostgreSQL chooses by what it counted, so an empty database says nothing there.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.adapters import stores
from understudy.adapters.stores.engine import open_engine
from understudy.adapters.stores.migrate import upgrade
from understudy.adapters.stores.statement import Statement

GROWS = ("turns", "messages", "artifacts", "holds", "verdicts", "outbox", "ledger", "candidates", "conversations")
AS_A_WHOLE = {
    "learned._SLICES": "SCAN candidates USING COVERING INDEX ix_candidates_slice",  # counts all, for a page of the console
}
"""What looks at every row of a table on purpose."""
OF_THE_FEW = (
    *("ix_ledger_autonomy", "ix_candidates_awaited", "ix_candidates_judged", "ix_verdicts_tagged", "ix_turns_working"),
    *("ix_outbox_open", "ix_outbox_dead"),
)
"""Indexes that hold only the rows that their condition is true of."""
COUNTS = ("_OVER_TIME", "_BY_SLICE")
FOR_POSTGRESQL = ("numbers._NEXT", "writer_connection._TAKE_WRITER_LOCK")


def statements() -> Iterator[tuple[str, Statement]]:
    for module in pkgutil.iter_modules(stores.__path__):
        if not module.ispkg:
            found = vars(importlib.import_module(f"{stores.__name__}.{module.name}"))
            yield from ((f"{module.name}.{name}", one) for name, one in found.items() if isinstance(one, Statement))
            for name, several in found.items():
                if isinstance(several, dict):
                    some = ((key, one) for key, one in several.items() if isinstance(one, Statement))
                    yield from ((f"{module.name}.{name}.{key}", one) for key, one in some)


@pytest.fixture(scope="module")
def plans(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    folder: Path = tmp_path_factory.mktemp("plans")
    engine = open_engine(f"sqlite:///{folder / 'turns.db'}")
    upgrade(engine)
    found = {}
    with engine.connect() as connection:
        for name, statement in statements():
            sql = statement.on(engine.dialect).sql
            if name not in FOR_POSTGRESQL and not sql.startswith("INSERT"):
                rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", (0,) * sql.count("?"))
                found[name] = [row[3] for row in rows]
    engine.dispose()
    return found


def test_the_statements_are_found(plans: dict[str, list[str]]) -> None:
    assert {"learned._AWAITED", "learned_topics._EARLIER_TAGS", "turns._BACKLOG"} <= plans.keys()


def test_no_statement_reads_a_table_that_grows_from_end_to_end(plans: dict[str, list[str]]) -> None:
    faults = [
        f"{name}: {line}"
        for name, plan in plans.items()
        for line in plan
        if line.startswith(tuple(f"SCAN {table}" for table in GROWS))
        and AS_A_WHOLE.get(name) != line
        and not line.endswith(OF_THE_FEW)
        and not line.startswith("SCAN ledger USING INDEX")  # its end, in the order of its numbers
    ]
    assert faults == []


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("learned._AWAITED", "ix_candidates_awaited (due_at<?)"),
        ("learned._SLICES_AWAITED", "ix_candidates_awaited"),
        ("learned._AUDITS_OWED", "ix_candidates_awaited"),
        ("journal._OF_AUTONOMY", "ix_ledger_autonomy"),
        ("learned._AWAITED_REDRAFTS", "ix_candidates_redrafts (topic=? AND release=? AND channel=?)"),
        ("learned._JUDGED", "ix_candidates_judged (seq>?)"),
        ("learned._COUNT_JUDGED", "ix_candidates_judged (seq>?)"),
        ("learned._LATEST_JUDGED", "ix_candidates_judged"),
        ("learned_topics._LATEST_TAGS", "ix_verdicts_tagged"),
        ("learned_topics._EARLIER_TAGS", "ix_verdicts_tagged (at<?)"),
        *((f"figures.{by}.turns", "COVERING INDEX ix_turns_decided (decided_at>? AND decided_at<?)") for by in COUNTS),
        *((f"figures.{by}.verdicts", "ix_verdicts_at (at>?)") for by in COUNTS),
        *((f"figures.{by}.late", "ix_holds_raised (raised_at>?)") for by in COUNTS),
        *((f"figures.{by}.asked", "ix_turns_found (decided_at>? AND decided_at<?)") for by in COUNTS),
        ("failures._DECIDED", "COVERING INDEX ix_turns_decided (decided_at>? AND decided_at<?)"),
        ("failures._MODES.finding", "ix_turns_found (decided_at>? AND decided_at<?)"),
        ("failures._MODES.reviewer", "ix_verdicts_at (at>?)"),
        ("failures._MODES.sending", "ix_holds_given_up (created_at>?)"),
        ("failures._BEHIND_FINDING", "ix_turns_found (decided_at>? AND decided_at<?)"),
    ],
)
def test_what_is_rare_is_found_by_its_index(name: str, index: str, plans: dict[str, list[str]]) -> None:
    assert plans[name][0].endswith(index)
