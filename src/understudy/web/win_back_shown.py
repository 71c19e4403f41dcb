"""Show win-backs: what is proposed on a hold, and what was made of a customer's bad outcomes; it changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.assessment.summary import BEFORE
from understudy.ports.store import Transaction
from understudy.records.access import Caller
from understudy.records.codec import load
from understudy.records.review import Hold, HoldKind
from understudy.records.win_back import WinBack, WinBackState, worded
from understudy.web.blind import second_of_turn
from understudy.web.shapes_win_back import WinBackOut

SHOWN_MAX = 10


def win_back_of_hold(tx: Transaction, hold: Hold, reader: Caller) -> WinBackOut | None:
    """What is proposed on a hold, as this reader would send it."""
    one = tx.win_backs.of_hold(hold.id) if hold.kind is HoldKind.WIN_BACK else None
    return None if one is None else _shown(one, reader)


def win_backs_of(tx: Transaction, contact_ids: Sequence[str], reader: Caller) -> list[WinBackOut]:
    """What was made of a customer's bad outcomes, the latest first, but for those a second review of whose turn is the reader's."""
    found = tx.win_backs.of_contacts(contact_ids, limit=SHOWN_MAX)
    return [_shown(one, reader) for one in found if second_of_turn(tx, reader, one.turn_id) is None]


def _shown(one: WinBack, reader: Caller) -> WinBackOut:
    is_proposed = one.state is WinBackState.PROPOSED and one.text is not None
    return WinBackOut(
        turn_id=one.turn_id,
        cause=one.cause,
        explanation=f"{BEFORE[one.cause]}.",
        state=one.state,
        at=one.at,
        text=worded(one.text or "", load(dict[str, str], one.facts or "{}"), reader.name) if is_proposed else None,
        text_id=one.text_id,
        shut_at=one.shut_at,
        settled_at=one.settled_at,
        by=one.by,
        why=one.why,
    )
