"""What people of the business write is stored and sent with card numbers masked, like everything else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from understudy.records.evidence import Draft
from understudy.records.review import VerdictKind, VerdictRequest
from understudy.records.rulebook import Level

Build = Callable[..., Any]

CARD = "4242 4242 4242 4242"
MASKED = "Use the card [card ending 4242]."


def stands_on_disk(stage: Any, text: str) -> bool:
    database = Path(stage.store.engine.url.database)
    return any(text.encode() in file.read_bytes() for file in database.parent.glob(f"{database.name}*"))


@pytest.mark.parametrize("kind", [VerdictKind.EDIT, VerdictKind.RESPOND])
def test_a_reviewers_own_text_is_masked_before_it_is_first_written(
    build: Build, staging: ModuleType, kind: VerdictKind
) -> None:
    stage = build(rules=staging.rules(Level.ASSIST))
    stage.ask("When?")
    (hold,) = stage.open_holds
    request = VerdictRequest(
        hold_id=hold.id,
        version=hold.version,
        kind=kind,
        reviewer="rosa",
        text=f"Use the card {CARD}.",
        reasons=(f"said {CARD}",),
    )
    given = stage.run(stage.verdicts.give(request))
    stage.settle()
    assert (given.text, given.reasons) == (MASKED, ("said [card ending 4242]",))
    assert stage.channel.texts == [MASKED]
    assert not stands_on_disk(stage, CARD)


def test_what_a_person_writes_in_a_conversation_is_masked(build: Build) -> None:
    stage = build()
    stage.ask("Hello")
    conversation = stage.conversation().id
    stage.run(stage.conversations.take_over(conversation, reviewer="rosa"))
    stage.run(stage.conversations.say(conversation, f"Use the card {CARD}.", reviewer="rosa"))
    stage.settle()
    assert stage.channel.texts[-1] == MASKED
    assert not stands_on_disk(stage, CARD)


def test_a_turn_handed_over_again_is_known_though_its_card_was_masked(build: Build) -> None:
    stage = build()
    text, draft = "Hello", Draft(text=f"Your card {CARD} was charged.")
    first = stage.submit(text, draft=draft, provider_id="t-1")
    again = stage.submit(text, draft=draft, provider_id="t-1")
    other = stage.submit(text, draft=Draft(text="Another."), provider_id="t-1")
    assert (first.is_duplicate, first.is_other_draft) == (False, False)
    assert (again.is_duplicate, again.is_other_draft, again.turn_id) == (True, False, first.turn_id)
    assert (other.is_duplicate, other.is_other_draft) == (True, True)
