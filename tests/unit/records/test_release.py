"""Releases: the table of stages, ids by content, the draw of a conversation, how drafts are recorded."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.codec import dump, load
from understudy.records.release import (
    CANDIDATE,
    NEXT,
    TRANSITIONS,
    Chosen,
    Part,
    Release,
    Roster,
    Stage,
    content_id,
    draw,
    is_unreleased,
    may_go,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def release(name: str, stage: Stage = Stage.CREATED, **fields: Any) -> Release:
    given: dict[str, Any] = {"agent": "shop", "entry": name, "parts": (), "created_at": NOW, "created_by": "Ines"}
    return Release(id=name, version=1, stage=stage, since=NOW, **{**given, **fields})


def test_every_stage_has_a_row_in_the_table() -> None:
    assert set(TRANSITIONS) == set(Stage)
    assert all(may_go(before, to) for before, to in NEXT.items())


def test_nothing_comes_to_customers_but_through_a_gate_or_as_the_first() -> None:
    """From *created*, every way to a canary passes *gated*."""
    ways = {Stage.CREATED: {Stage.CREATED}}
    reached = {Stage.CREATED}
    while True:
        more = {to for before in reached for to in TRANSITIONS[before] if to not in (Stage.GATED, Stage.FULL)} - reached
        if not more:
            break
        reached |= more
    assert not reached & (CANDIDATE | {Stage.FULL})
    assert ways


def test_what_was_rolled_back_begins_again_at_the_gate() -> None:
    assert TRANSITIONS[Stage.ROLLED_BACK] == {Stage.GATED}


@given(st.lists(st.tuples(st.text(max_size=8), st.text(max_size=8)), max_size=5))
def test_an_id_follows_the_content_and_not_its_order_or_words(parts: list[tuple[str, str]]) -> None:
    made = [Part(name=name, digest=digest, words="") for name, digest in parts]
    said = [Part(name=name, digest=digest, words="other words") for name, digest in reversed(parts)]
    assert content_id("shop", made) == content_id("shop", said)
    assert content_id("shop", made) != content_id("other", made)
    changed = [*made, Part(name="more", digest="x", words="")]
    assert content_id("shop", made) != content_id("shop", changed)


@given(st.text(max_size=40), st.text(max_size=20))
def test_a_conversations_draw_is_always_the_same_and_below_one(conversation: str, name: str) -> None:
    assert draw(conversation, name) == draw(conversation, name)
    assert 0.0 <= draw(conversation, name) < 1.0


def test_draws_are_uniform_and_unrelated_between_releases() -> None:
    names = [f"c-{number}" for number in range(4000)]
    first = [draw(name, "rel-1") for name in names]
    second = [draw(name, "rel-2") for name in names]
    for share in (0.05, 0.5, 0.9):
        assert abs(sum(one < share for one in first) / 4000 - share) < 0.03
    both = sum(one < 0.5 and other < 0.5 for one, other in zip(first, second, strict=True))
    assert abs(both / 4000 - 0.25) < 0.03


@pytest.mark.parametrize(
    ("fields", "said", "recorded"),
    [
        ({"is_first": True, "agent_version": "v1"}, "v1", "v1"),
        ({"is_first": True, "agent_version": "v1"}, None, None),
        ({"agent_version": "v2"}, "v2", "rel-1"),
        ({"agent_version": "v2"}, None, "rel-1"),
        ({"agent_version": None}, "anything", "rel-1"),
        ({"agent_version": "v2"}, "v3", "rel-1~v3"),
    ],
)
def test_how_a_draft_is_recorded(fields: dict[str, Any], said: str | None, recorded: str | None) -> None:
    made = release("rel-1", **fields)
    assert made.names(said) == recorded
    assert Chosen(agent="shop", id="rel-1", release=made).names(said) == recorded


@pytest.mark.parametrize(
    ("fields", "name", "is_its"),
    [
        ({"is_first": True, "agent_version": "v1"}, "v1", True),
        ({"is_first": True, "agent_version": "v1"}, "v2", False),
        ({"is_first": True}, None, True),
        ({"is_first": True}, "anything", True),
        ({"is_first": True}, "rel-2", False),
        ({"is_first": True}, "unreleased:rel-1", False),
        ({}, "rel-1", True),
        ({}, "rel-1~v9", False),
        ({}, None, False),
    ],
)
def test_whose_draft_it_is(fields: dict[str, Any], name: str | None, is_its: bool) -> None:
    assert release("rel-1", **fields).made(name) is is_its


def test_what_was_never_released_is_recorded_as_such() -> None:
    name = Chosen(agent="shop", id="rel-9").names("v1")
    assert name == "unreleased:rel-9"
    assert is_unreleased(name)
    assert is_unreleased("rel-1~v3")
    assert not is_unreleased("rel-1")
    assert not is_unreleased("v1~beta")


def test_a_roster_finds_releases_by_what_their_drafts_are_recorded_as() -> None:
    first = release("rel-1", Stage.FULL, is_first=True, agent_version="v1")
    other = release("rel-2", Stage.CANARY, agent_version="v2")
    roster = Roster(releases=(first, other))
    assert roster.recorded_as("v1") is first
    assert roster.recorded_as("rel-2") is other
    assert roster.recorded_as("rel-2~v9") is other
    assert roster.recorded_as("v2") is None
    assert (roster.full("shop"), roster.candidate("shop"), roster.full("none")) == (first, other, None)
    assert load(Roster, dump(roster)) == roster


def test_a_share_is_a_share() -> None:
    with pytest.raises(ValueError, match="share"):
        release("rel-1", share=1.5)
