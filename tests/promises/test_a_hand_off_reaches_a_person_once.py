"""Hand-offs in simulated worlds: many at once, people away, echoes of our own messages, answers from elsewhere, crashes.

What each world is held to stands in `simulation/violation.py`; `./dev simulate --hand-offs` plays others, and
`./dev bench people` a thousand hand-offs.
"""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parents[1]
if str(TESTS) not in sys.path:
    sys.path.insert(0, str(TESTS))  # tests are no package; the simulation is one, and its modules import each other

from simulation import violation as promise  # noqa: E402
from simulation.hand_offs import play_hand_offs  # noqa: E402
from understudy.effects.handing_off import give_to_person  # noqa: E402
from understudy.notes import deciding  # noqa: E402
from understudy.records.turn import TurnState  # noqa: E402
from understudy.review.conversations import Conversations  # noqa: E402
from understudy.review.holds import Holds  # noqa: E402

SEEDS = 24
CHUNK = 6
SEEDS_TO_FIND_A_PLANT_MAX = 20


@pytest.mark.parametrize("start", range(0, SEEDS, CHUNK))
def test_no_hand_off_is_lost_repeated_muted_or_late(start: int) -> None:
    for seed in range(start, start + CHUNK):
        outcome = play_hand_offs(seed)
        assert outcome.violation is None, f"\n{outcome.told()}"


def test_the_worlds_are_full_of_hand_offs_and_trouble() -> None:
    met = Counter[str]()
    for seed in range(12):
        met.update(play_hand_offs(seed).counts)
    assert met["hand-offs"] > 60
    wanted = {
        *("crash", "restart", "webhook_repeated", "seen to in time", "raised", "told that a person comes"),
        *("ours in the help desk: own_reply", "a colleague in the help desk: taken_over", "after it all: deliver"),
    }
    assert wanted <= met.keys()


@pytest.mark.parametrize("seed", [17, 66, 101])
def test_trap_3_own_message_without_a_receipt_that_comes_back_is_nobodys_answer(seed: int) -> None:
    """Its answer was lost and a person said that it had arrived; or it was dropped, and had arrived all the same."""
    outcome = play_hand_offs(seed)
    assert outcome.violation is None, f"\n{outcome.told()}"


def first_broken() -> str | None:
    for seed in range(SEEDS_TO_FIND_A_PLANT_MAX):
        outcome = play_hand_offs(seed)
        if outcome.violation is not None:
            assert f"./dev simulate --hand-offs --seed {seed}" in outcome.told()
            return outcome.violation.promise
    return None


def test_echo_that_is_read_as_an_answer_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deciding, "is_own_reply", lambda *_: False)
    assert first_broken() == promise.OWN_ECHO


def test_conversation_that_stays_silent_after_it_was_handed_back_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def keeps_it(self: Conversations, conversation_id: str, *, reviewer: str, take_from: str | None) -> None:
        """Say that it was handed back, and do nothing."""

    monkeypatch.setattr(Conversations, "hand_back", keeps_it)
    assert first_broken() == promise.NOT_MUTED


def test_hand_off_that_nobody_raises_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def looks_away(self: Holds, hold_id: str) -> None:
        """Do nothing about an overdue hold."""

    monkeypatch.setattr(Holds, "look", looks_away)
    assert first_broken() == promise.SLA_KEPT


def test_hand_off_that_comes_again_by_itself_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    sweep = Holds.sweep

    async def hands_off_again(self: Holds) -> int:
        def step(tx: Any) -> None:
            told = (one for one in tx.ledger.entries(after=0, limit=50) if one.conversation_id)
            first = next(told, None)
            turn = None if first is None else tx.turns.latest_of(first.conversation_id)
            if turn is not None and turn.state in (TurnState.HANDED_OFF, TurnState.ANSWERED):
                give_to_person(tx, self._clock, turn, reasons=("again",), priority=3, expires_after_s=None)

        await self._store.write(step)
        return await sweep(self)

    monkeypatch.setattr(Holds, "sweep", hands_off_again)
    assert first_broken() in (promise.NO_LOOP, promise.ONE_HAND_OFF)
