"""What is learned of documents, and what is noticed of others."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.codec import dump, load
from understudy.records.json_paths import checked_path, found
from understudy.records.shape import (
    CODES_MAX,
    DEPTH_MAX,
    MEMBERS_MAX,
    NOTHING,
    Change,
    Shape,
    changes,
    learned,
    merged,
    places,
)

TICKET = {"id": 7, "state": "open", "owner": {"name": "Ada Lovelace"}, "notes": [{"by": "Ada", "private": True}]}

NAMES = st.sampled_from(["id", "state", "total", "first name", "42", "a@b.example", "x", "", "'", "\ud800"])
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from(["open", "closed", "OPEN", "Ada Lovelace", "", "é\ud800"])
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5), max_leaves=12
)


def only(old: Shape, document: Any, **more: Any) -> Change:
    (change,) = changes(old, document, **more)
    return change


# --- what is noticed


def test_a_field_that_was_always_there_is_missed() -> None:
    change = only(learned([TICKET] * 3), {**TICKET, "owner": {}})
    assert change == Change(path="$.owner.name", kind="missing", was="string", now="nothing")
    assert str(change) == "$.owner.name is missing; it was string"


def test_a_field_that_was_sometimes_absent_is_not_missed() -> None:
    assert changes(learned([TICKET, {**TICKET, "owner": {}}]), {**TICKET, "owner": {}}) == ()


def test_an_object_that_goes_is_named_once_without_what_was_in_it() -> None:
    assert only(learned([TICKET]), {key: value for key, value in TICKET.items() if key != "owner"}).path == "$.owner"


def test_a_new_field_is_named_with_its_type() -> None:
    change = only(learned([TICKET]), {**TICKET, "owner": {"name": "Bea", "mail": None}})
    assert change == Change(path="$.owner.mail", kind="new", was="nothing", now="null")


def test_another_type_is_noticed_also_within_lists_and_each_once() -> None:
    notes = [{"by": "Ada", "private": "yes"}, {"by": "Bea", "private": "no"}]
    change = only(learned([TICKET]), {**TICKET, "notes": notes})
    assert (change.path, change.kind, change.was, change.now) == ("$.notes[*].private", "type", "boolean", "string")


def test_a_number_is_one_type_and_a_truth_value_is_another() -> None:
    assert changes(learned([{"total": 10}]), {"total": 10.5}) == ()
    assert only(learned([{"total": 10}]), {"total": True}).kind == "type"


def test_a_code_outside_a_well_known_enumeration_is_noticed() -> None:
    old = learned([{"state": state} for state in ("open", "pending", "closed") * 10])
    change = only(old, {"state": "snoozed"})
    assert (change.kind, change.was, change.now) == ("enumeration", "closed, open, pending", "snoozed")
    assert changes(old, {"state": "open"}) == ()


def test_few_texts_are_no_enumeration_yet() -> None:
    assert changes(learned([{"state": "open"}] * 5), {"state": "closed"}) == ()
    assert changes(learned([{"state": f"state-{number}"} for number in range(CODES_MAX)] * 2), {"state": "x"}) == ()


def test_texts_of_people_are_never_kept() -> None:
    said = dump(learned([{"name": "Ada Lovelace", "mail": "ada@example.com", "phone": "+4930", "by": "Zoë"}] * 40))
    for word in ("Ada", "ada", "+4930", "Zoë"):
        assert word not in said
    by_address = learned([{"ada@example.com": {"open": 2}, "4711": {"open": 3}}] * 3)
    assert "ada" not in dump(by_address)
    assert changes(by_address, {"bea@example.com": {"open": 1}}) == ()
    assert only(by_address, {"bea@example.com": {"open": "1"}}).path == "$.*.open"


def test_a_text_that_is_no_code_is_not_quoted() -> None:
    old = learned([{"state": "open"}] * 40)
    assert only(old, {"state": "Ada Lovelace"}).now == "text that is no code"


def test_an_object_with_very_many_names_is_a_map_of_values() -> None:
    old = learned([{f"name{number}": number} for number in range(MEMBERS_MAX + 1)])
    assert old.is_map
    assert not old.members
    assert changes(old, {"another": 1}) == ()
    assert only(old, {"another": "1"}).kind == "type"


def test_an_empty_list_and_no_document_say_nothing_of_what_comes() -> None:
    assert changes(learned([{"orders": []}]), {"orders": [{"id": 1}]}) == ()
    assert changes(NOTHING, TICKET) == ()
    assert learned([]) == NOTHING


def test_how_much_must_have_been_seen_can_be_asked_for() -> None:
    assert changes(learned([TICKET] * 4), {**TICKET, "id": "7"}, seen_min=5) == ()
    assert only(learned([TICKET] * 5), {**TICKET, "id": "7"}, seen_min=5).kind == "type"
    assert changes(learned([{"a": 1}] * 4), {}, seen_min=5) == ()


def test_places_tell_people_what_is_known() -> None:
    shape = learned([{"id": 1, "tags": ["x"]}, {"id": None}])
    assert [(one.path, one.types, one.is_optional) for one in places(shape)] == [
        ("$", ("object",), False),
        ("$.id", ("null", "number"), False),
        ("$.tags", ("array",), True),
        ("$.tags[*]", ("string",), True),
    ]


def test_what_json_does_not_have_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="JSON has no set"):
        learned([{"a": {1}}])


def test_what_lies_very_deep_is_not_looked_at() -> None:
    deep: Any = "x"
    for _ in range(DEPTH_MAX * 20):
        deep = [deep]
    assert len(places(learned([deep]))) == DEPTH_MAX + 1
    assert changes(learned([deep]), deep) == ()


# --- what always holds


@given(st.lists(DOCUMENTS, max_size=6))
def test_nothing_differs_from_what_was_learned_from_it(documents: list[Any]) -> None:
    shape = learned(documents)
    assert [changes(shape, document) for document in documents] == [()] * len(documents)


@given(st.lists(DOCUMENTS, max_size=6), st.randoms(use_true_random=False), st.integers(0, 6))
def test_shapes_are_merged_in_any_order_and_grouping(documents: list[Any], dice: Any, cut: int) -> None:
    whole = learned(documents)
    assert merged(learned(documents[:cut]), learned(documents[cut:])) == whole
    assert merged(learned(documents[cut:]), learned(documents[:cut])) == whole
    dice.shuffle(documents)
    assert learned(documents) == whole


@given(st.lists(DOCUMENTS, max_size=6))
def test_a_shape_is_the_same_after_json(documents: list[Any]) -> None:
    shape = learned(documents)
    assert load(Shape, dump(shape)) == shape
    dump(shape).encode()


@given(st.lists(DOCUMENTS, min_size=1, max_size=5), DOCUMENTS)
def test_what_is_noticed_is_true_and_is_gone_once_it_is_learned(documents: list[Any], another: Any) -> None:
    shape = learned(documents)
    noticed = changes(shape, another)
    assert list(noticed) == sorted(set(noticed))
    for change in noticed:
        path = change.path if ".*" not in change.path else "$"
        there = found(checked_path(path), another)
        assert (change.kind == "missing") or there, change
    assert changes(merged(shape, learned([another])), another) == ()


@given(st.dictionaries(st.sampled_from("abcdef"), SCALARS, min_size=1), st.data())
def test_one_planted_change_is_found_where_it_was_planted(document: dict[str, Any], data: Any) -> None:
    old = learned([document] * 3)
    name = data.draw(st.sampled_from(sorted(document)))
    assert only(old, {key: value for key, value in document.items() if key != name}).path == f"$.{name}"
    assert only(old, {**document, "planted": 1}).path == "$.planted"
    assert only(old, {**document, name: [1]}).kind == "type"
    assert json.loads(dump(only(old, {**document, "planted": 1})))["kind"] == "new"
