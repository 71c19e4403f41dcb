"""A file of turn records is a bank of seeds: checked as a whole, known by id, planted like any other."""

from __future__ import annotations

import json
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from understudy.assessment.checks import CHECKS
from understudy.errors import MalformedInput
from understudy.records.review import HoldKind, VerdictKind
from understudy.records.reviewing import SeedOutcome
from understudy.records.rulebook import Level
from understudy.records.turn import SEED_JOB, Job, TurnState
from understudy.records.wire import parse_turn_record
from understudy.review.seed_bank import SeedBank

Build = Callable[..., Any]


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    return build(rules=staging.rules(Level.ASSIST))


@pytest.fixture
def bank(stage: Any) -> SeedBank:
    return SeedBank(stage.store, stage.clock, stage.rulebook, CHECKS)


def line(name: str = "s-1", **fields: Any) -> tuple[str, Any]:
    record = {
        "id": name,
        "channel": "webchat",
        "topic": "refunds",
        "messages": [
            {"role": "user", "content": "Hello"},
            {"role": "assistant", "content": "How can I help?"},
            {"role": "user", "content": "May I send it back after 60 days?"},
        ],
        "draft": {"text": "Yes, you may send anything back for a year."},
        **fields,
    }
    return f"seeds.jsonl, line {name}", parse_turn_record(json.dumps(record))


def test_a_seed_of_a_file_is_planted_and_sent_to_nobody(stage: Any, bank: SeedBank) -> None:
    added = stage.run(bank.add([line("s-1"), line("s-2")], by="lena"))
    assert (added.added, added.known) == (2, 0)
    stage.look(Job(kind=SEED_JOB, key="now"))
    (hold,) = stage.open_holds
    assert (hold.kind, hold.topic, hold.channel) == (HoldKind.DRAFT, "refunds", "webchat")
    messages = stage.read(lambda tx: tx.messages.of_conversation(hold.conversation_id))
    assert [one.text for one in messages] == ["Hello", "How can I help?", "May I send it back after 60 days?"]
    stage.give(hold, VerdictKind.APPROVE)
    stage.pass_time(3600)
    assert stage.channel.delivered == []
    assert stage.turn(hold.turn_id).state is TurnState.SPENT
    assert stage.read(lambda tx: tx.seeds.of_turn(hold.turn_id)).outcome is SeedOutcome.MISSED
    assert stage.run(bank.look()).left == 1


def test_what_is_known_is_not_added_again(stage: Any, bank: SeedBank) -> None:
    stage.run(bank.add([line("s-1")], by="lena"))
    added = stage.run(bank.add([line("s-1"), line("s-2")], by="lena"))
    assert (added.added, added.known) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"verdict": {"action": "approve"}}, "was approved"),
        ({"messages": [{"role": "assistant", "content": "Hello"}]}, "no customer's message"),
        ({"draft": {"text": " "}}, "no draft"),
        ({"messages": [{"role": "user", "content": "I want to speak to a human"}]}, "hand_off"),
    ],
)
def test_a_record_that_cannot_pass_for_a_held_draft_is_refused_and_nothing_is_added(
    stage: Any, bank: SeedBank, fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(MalformedInput, match=says) as refused:
        stage.run(bank.add([line("s-1"), line("s-2", **fields)], by="lena"))
    assert "line s-2" in refused.value.message
    assert stage.run(bank.look()).left == 0


def test_an_id_stands_for_one_record(stage: Any, bank: SeedBank) -> None:
    with pytest.raises(MalformedInput, match="two lines"):
        stage.run(bank.add([line("s-1"), line("s-1")], by="lena"))


def test_card_numbers_are_masked(stage: Any, bank: SeedBank) -> None:
    asked = [{"role": "user", "content": "My card is 4111 1111 1111 1111, may I send it back?"}]
    stage.run(bank.add([line("s-1", messages=asked)], by="lena"))
    (seed,) = stage.read(lambda tx: tx.seeds.unplanted(limit=9))
    assert "4111 1111" not in seed.body
