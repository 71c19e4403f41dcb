"""Which request meets which fault, and what a body becomes."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.testing.faults import NEVER_REACH, WORDS, Fault, Plan, Rule, drifted, malformed

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def drawn(plan: Plan, paths: list[str]) -> list[Any]:
    return [None if (struck := plan.strike(path, at_s=1)) is None else (struck.fault, struck.reaches) for path in paths]


@given(st.integers(0, 99), st.floats(0.05, 1), st.lists(st.sampled_from(["/a", "/b"]), max_size=30))
def test_the_same_seed_draws_the_same_faults(seed: int, share: float, paths: list[str]) -> None:
    rules = [Rule(fault=Fault.RESET, path="/a", share=share), Rule(fault=Fault.DRIP, share=share)]
    assert drawn(Plan(rules, seed=seed), paths) == drawn(Plan(rules, seed=seed), paths)


def test_about_the_share_of_requests_is_struck_and_all_where_it_is_one() -> None:
    plan = Plan([Rule(fault=Fault.ERROR, share=0.3)], seed=5)
    drawn(plan, ["/"] * 2_000)
    assert 520 <= plan.struck[Fault.ERROR] <= 680
    assert None not in drawn(Plan([Rule(fault=Fault.ERROR)]), ["/"] * 50)


def test_a_rule_strikes_its_path_and_time_alone() -> None:
    plan = Plan([Rule(fault=Fault.ERROR, path="/v1/*", from_s=2, until_s=4)])
    at = [(path, at_s) for path in ("/v1/x", "/v2/x") for at_s in (1.9, 2.0, 3.9, 4.0) if plan.strike(path, at_s=at_s)]
    assert at == [("/v1/x", 2.0), ("/v1/x", 3.9)]


def test_the_first_rule_that_strikes_counts() -> None:
    plan = Plan([Rule(fault=Fault.RESET, path="/a"), Rule(fault=Fault.DRIP)])
    assert [struck.fault for path in ("/a", "/b") if (struck := plan.strike(path, at_s=0))] == [Fault.RESET, Fault.DRIP]


@pytest.mark.parametrize("fault", sorted(NEVER_REACH))
def test_what_is_refused_at_the_door_never_reaches_the_dependency(fault: Fault) -> None:
    plan = Plan([Rule(fault=fault, reaches=1.0)])
    assert not any(reaches for _, reaches in drawn(plan, ["/"] * 20))


def test_a_name_fails_while_a_rule_says_so() -> None:
    plan = Plan([Rule(fault=Fault.DNS, from_s=1, until_s=2)])
    assert [plan.names_fail(at_s) for at_s in (0.5, 1.0, 2.0)] == [False, True, False]


@pytest.mark.parametrize("wrong", [{"share": 0}, {"share": 1.1}, {"reaches": 2}, {"from_s": -1}, {"from_s": 2, "until_s": 2}])  # fmt: skip
def test_a_rule_that_says_nothing_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"share|from_s"):
        Rule(fault=Fault.DRIP, **wrong)


def test_every_fault_has_words() -> None:
    assert set(WORDS) == set(Fault)


@given(VALUES, st.integers(0, 50))
def test_a_drifted_document_is_json_and_differs_wherever_it_has_fields(document: Any, seed: int) -> None:
    body = json.dumps(document).encode()
    changed = json.loads(drifted(body, random.Random(seed)))
    has_fields = "{" in json.dumps(document).replace("{}", "") and any(_fields(document))
    assert (changed != document) == has_fields
    assert drifted(body, random.Random(seed)) == drifted(body, random.Random(seed))


def _fields(node: Any) -> list[str]:
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [*(node if isinstance(node, dict) else ()), *(name for one in inner for name in _fields(one))]


@given(VALUES)
def test_a_malformed_body_is_no_json(document: Any) -> None:
    with pytest.raises(ValueError, match=r"char"):
        json.loads(malformed(json.dumps(document).encode()))


def test_what_is_no_json_does_not_drift() -> None:
    assert drifted(b"<html>", random.Random(1)) == b"<html>"
