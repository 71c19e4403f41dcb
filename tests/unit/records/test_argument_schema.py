"""Schemas of arguments: what they allow, and that nothing they say is passed over."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.records.argument_schema import FAULTS_MAX, checked_schema, faults

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def of(**properties: Any) -> str:
    return json.dumps(checked_schema({"type": "object", "properties": properties}))


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"type": "string", "pattern": "^A[0-9]+$"}, "A1"),
        ({"type": ["string", "null"]}, None),
        ({"type": "integer"}, 3.0),
        ({"type": "number", "minimum": 0, "maximum": 1, "multipleOf": 0.01}, 0.07),
        ({"enum": ["a", 1]}, 1),
        ({"const": True}, True),
        ({"type": "array", "items": {"type": "number"}, "minItems": 1, "maxItems": 2, "uniqueItems": True}, [1, 2]),
        ({"type": "object", "properties": {"x": {"type": "null"}}, "required": ["x"]}, {"x": None}),
        ({"type": "object", "additionalProperties": True}, {"x": 1}),
        ({"type": "string", "minLength": 2, "maxLength": 3, "description": "words"}, "ab"),
    ],
)
def test_what_a_schema_allows_has_no_faults(schema: Any, value: Any) -> None:
    assert faults(of(it=schema), {"it": value}) == ()


@pytest.mark.parametrize(
    ("schema", "value", "fault"),
    [
        ({"type": "string"}, 1, "it: must be string"),
        ({"type": "integer"}, True, "it: must be integer"),
        ({"type": "integer"}, 1.5, "it: must be integer"),
        ({"enum": [1]}, True, "it: must be one of [1]"),
        ({"const": 1}, 2, "it: must be 1"),
        ({"type": "string", "pattern": "^A$"}, "B", "it: must match ^A$"),
        ({"type": "string", "maxLength": 1}, "ab", "it: must have at most 1 characters"),
        ({"type": "string", "minLength": 1}, "", "it: must have at least 1 characters"),
        ({"minimum": 1}, 0, "it: must be at least 1"),
        ({"maximum": 1}, 2, "it: must be at most 1"),
        ({"exclusiveMinimum": 0}, 0, "it: must be more than 0"),
        ({"exclusiveMaximum": 1}, 1, "it: must be less than 1"),
        ({"multipleOf": 0.01}, 0.005, "it: must be a multiple of 0.01"),
        ({"type": "array", "minItems": 1}, [], "it: must have at least 1 items"),
        ({"type": "array", "maxItems": 1}, [1, 2], "it: must have at most 1 items"),
        ({"type": "array", "uniqueItems": True}, [{"a": 1}, {"a": 1}], "it: has an item twice"),
        ({"type": "array", "items": {"type": "null"}}, [1], "it[0]: must be null"),
        ({"type": "object", "required": ["x"]}, {}, "it.x: is missing"),
        ({"type": "object"}, {"y": 1}, "it.y: is not declared"),
    ],
)
def test_what_a_schema_forbids_is_named(schema: Any, value: Any, fault: str) -> None:
    assert faults(of(it=schema), {"it": value}) == (fault,)


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "#/x"},
        {"properties": {"a": {"oneOf": []}}},
        {"properties": {"a": {"patern": "x"}}},
        {"properties": {"a": {"pattern": "("}}},
        {"properties": {"a": {"pattern": "(?=x)"}}},
        {"properties": {"a": {"type": "text"}}},
        {"properties": {"a": {"minLength": -1}}},
        {"properties": {"a": {"multipleOf": 0}}},
        {"type": "array"},
        {"properties": {"a": 1}},
    ],
)
def test_what_would_be_passed_over_is_an_error(schema: Any) -> None:
    with pytest.raises(ValueError, match=r"."):
        checked_schema(schema)


@given(VALUES)
def test_whatever_is_given_is_answered(value: Any) -> None:
    found = faults(of(order={"type": "string"}), value)
    assert len(found) <= FAULTS_MAX
    assert all(isinstance(one, str) for one in found)
    if not isinstance(value, dict):
        assert found
