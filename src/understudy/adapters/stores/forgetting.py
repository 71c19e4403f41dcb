"""What a writer forgets of its memory (`hot.py`) because another process changed it, as that one's mark says.

Whose rows are known is forgotten by name; of other tables all is that is remembered of them; and where a mark tells of
anything that is not listed here, everything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from understudy.adapters.stores.hot import Hot
from understudy.adapters.stores.marks import WHOSE, Head, Mark

NEVER_REMEMBERED: Final = frozenset({
    "addresses", "agent_calls", "assignments", "barred", "discounts", "envelopes", "feedback", "holds", "idempotency_keys",
    "judgements", "ledger", "note_threads", "notes", "receipts", "rehearsals", "release_choices", "remarks", "rulebooks",
    "second_reviews", "seeds", "slice_counts", "summaries", "surveys", "ticket_steps", "tickets", "verdicts", "waiting_verdicts",
    "win_backs",
})  # fmt: skip
"""Tables that are written to all day and of which nothing is kept that another process could make wrong: a rulebook never
changes, and what is counted in `slice_counts` goes with `turns`."""

FORGETS: Final[dict[str, Callable[[Hot], None]]] = {
    "turns": lambda hot: hot.drop_counts(),
    "messages": lambda hot: hot.numbers.clear(),
    "outbox": lambda hot: hot.numbers.clear(),
    "conversations": lambda hot: None,
    "contacts": lambda hot: None,
    "artifacts": lambda hot: None,
    "pledges": lambda hot: hot.pledges.look_again(),
    "actions": lambda hot: hot.look_for_actions(),
    "handles": lambda hot: hot.identity.look_again(),
    "links": lambda hot: hot.identity.look_again(),
    "codes": lambda hot: hot.identity.look_again(),
    "epochs": lambda hot: hot.autonomy.epochs.clear(),
    "candidates": lambda hot: hot.autonomy.delivered.clear(),
    "frequencies": lambda hot: hot.autonomy.frequencies.clear(),
    "caps": lambda hot: hot.autonomy.look_again(),
    "opt_outs": lambda hot: hot.autonomy.look_again(),
}
"""What goes when somebody wrote to a table, beside the rows that the mark names."""


def catch_up(hot: Hot, head: Head, changed: Mark | None) -> None:
    """Make the memory right for a ledger that ends with `head`; `changed`: all that others did since, None = not known."""
    if head == hot.head:
        return
    if changed is None:
        hot.clear()
    else:
        _forget(hot, changed)


def _forget(hot: Hot, mark: Mark) -> None:
    if mark.loose & WHOSE.keys() or not mark.tables <= NEVER_REMEMBERED | FORGETS.keys():
        hot.clear()
        return
    hot.drop(mark.whose)
    if "handles" in mark.loose:  # some may be gone
        hot.identity.clear()
    for table in mark.tables - NEVER_REMEMBERED:
        FORGETS[table](hot)
