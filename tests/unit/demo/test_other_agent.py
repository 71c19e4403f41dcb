"""The drafts of the demo's other agent: turn records that the API takes, each with a word on what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from understudy.demo.other_agent import load_drafts
from understudy.demo.story import TOPICS
from understudy.records.wire import parse_turn_record


@pytest.mark.parametrize("draft", load_drafts(), ids=lambda draft: draft["id"])
def test_draft_is_a_turn_record_with_a_note(draft: dict[str, Any]) -> None:
    record = parse_turn_record(json.dumps(draft))
    assert record.topic in TOPICS
    assert draft["note"]


def test_each_draft_stands_in_a_conversation_of_its_own() -> None:
    assert len({draft["conversation_id"] for draft in load_drafts()}) == len(load_drafts())
    assert len({draft["id"] for draft in load_drafts()}) == len(load_drafts())
