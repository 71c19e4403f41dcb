"""Records to canonical JSON and back: nothing is lost, equal records give equal bytes, errors name the field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.errors import MalformedInput
from understudy.records.assessment import (
    Assessment,
    Confidence,
    Contribution,
    Decision,
    DecisionKind,
    Finding,
    Reason,
    Severity,
    Signal,
    Span,
)
from understudy.records.codec import build, canonical, digest, dump, fitted, load, plain
from understudy.records.conversation import Mode
from understudy.records.evidence import (
    Action,
    ChatMessage,
    ContactFacts,
    Draft,
    Evidence,
    Passage,
    PipelineStep,
    ToolCall,
)
from understudy.records.rulebook import (
    CheckPolicy,
    ForbiddenPhrase,
    Grant,
    Level,
    Profile,
    Rules,
    SafeReply,
    TopicRule,
)
from understudy.records.text import storable_record

TEXT = st.text(max_size=20)
MAYBE_TEXT = st.none() | TEXT
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
UNIT = st.floats(0, 1)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
MOMENTS = st.datetimes(timezones=st.just(UTC))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | FLOATS | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def some(records: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(records, max_size=2).map(tuple)


TOOL_CALLS = st.builds(ToolCall, id=TEXT, name=TEXT, arguments=TEXT, result=MAYBE_TEXT, error=MAYBE_TEXT)
MESSAGES = st.builds(
    ChatMessage,
    role=st.sampled_from(["system", "developer", "user", "assistant", "tool"]),
    content=MAYBE_TEXT,
    tool_calls=some(TOOL_CALLS),
    tool_call_id=MAYBE_TEXT,
    name=MAYBE_TEXT,
    person=st.booleans(),
)
DRAFTS = st.builds(
    Draft,
    text=TEXT,
    sources=some(st.builds(Passage, id=TEXT, text=TEXT, title=MAYBE_TEXT, url=MAYBE_TEXT, score=st.none() | FLOATS)),
    tool_calls=some(TOOL_CALLS),
    actions=some(st.builds(Action, name=TEXT, arguments=st.dictionaries(TEXT, JSON, max_size=2))),
    confidence=st.none() | UNIT,
    topic=MAYBE_TEXT,
    handoff=st.booleans(),
    does_not_know=st.booleans(),
    finish_reason=MAYBE_TEXT,
    agent=TEXT,
    agent_version=MAYBE_TEXT,
    pipeline=some(st.builds(PipelineStep, name=TEXT, took_ms=st.none() | FLOATS, from_steps=TEXTS)),
)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    messages = draw(st.lists(MESSAGES, max_size=3).map(tuple))
    draft = draw(st.none() | DRAFTS)
    return Evidence(
        turn_id=draw(TEXT),
        conversation_id=draw(TEXT),
        channel=draw(TEXT),
        topic=draw(TEXT),
        at=draw(MOMENTS),
        messages=messages,
        burst=draw(st.integers(0, len(messages))),
        mode=draw(st.sampled_from(Mode)),
        draft=draft,
        agent_error=draw(TEXT) if draft is None else None,
        contact=draw(st.builds(ContactFacts, id=MAYBE_TEXT, name=MAYBE_TEXT, emails=TEXTS, phones=TEXTS)),
        safe_replies_sent=draw(TEXTS),
        automatic_last_hour=draw(st.integers(0, 10**9)),
        audit_draw=draw(st.floats(0, 1, exclude_max=True)),
        masked=draw(TEXTS),
    )


@st.composite
def all_rules(draw: st.DrawFn) -> Rules:
    replies = draw(some(st.builds(SafeReply, id=TEXT, version=st.integers(1), text=TEXT, then_hand_off=st.booleans())))
    ids = [reply.id for reply in replies]
    named = st.tuples(TEXT, st.sampled_from(ids)) if ids else st.nothing()
    return Rules(
        profile=draw(st.builds(Profile, name=TEXT, domains=TEXTS, emails=TEXTS, phones=TEXTS, facts=TEXTS)),
        checks=draw(some(st.builds(CheckPolicy, check=TEXT, enabled=st.booleans(), weight=st.floats(0, 100)))),
        grants=draw(some(st.builds(Grant, topic=TEXT, channel=TEXT, level=st.sampled_from(Level), threshold=UNIT))),
        never_auto=draw(TEXTS),
        topics=draw(some(st.builds(TopicRule, topic=TEXT, phrases=TEXTS))),
        safe_replies=replies,
        degrade_on=draw(some(named)) if ids else (),
        hand_off_codes=draw(TEXTS),
        hand_off_notice=draw(st.none() | st.sampled_from(ids)) if ids else None,
        forbidden=draw(some(st.builds(ForbiddenPhrase, phrase=TEXT, why=TEXT))),
        base_log_odds=draw(FLOATS),
        audit_rate=draw(UNIT),
        automatic_per_hour_max=draw(st.integers(0)),
    )


SPANS = st.lists(st.integers(0, 10**6), min_size=2, max_size=2).map(sorted).map(lambda s: Span(start=s[0], end=s[1]))
FINDINGS = st.builds(
    Finding,
    check=TEXT,
    code=TEXT,
    severity=st.sampled_from(Severity),
    explanation=TEXT,
    span=st.none() | SPANS,
    passage_id=MAYBE_TEXT,
)


@st.composite
def assessments(draw: st.DrawFn) -> Assessment:
    kind = draw(st.sampled_from(DecisionKind))
    contributions = some(st.builds(Contribution, signal=TEXT, log_odds=FLOATS, words=TEXT))
    return Assessment(
        rulebook_id=draw(TEXT),
        signals=draw(some(st.builds(Signal, check=TEXT, score=UNIT))),
        findings=draw(some(FINDINGS)),
        confidence=draw(st.none() | st.builds(Confidence, value=UNIT, contributions=contributions)),
        decision=Decision(
            kind=kind,
            reasons=(Reason(code=draw(TEXT), explanation=draw(TEXT)),),
            safe_reply=draw(TEXT) if kind is DecisionKind.DEGRADE else None,
            is_audited=draw(st.booleans()),
            priority=draw(st.integers(0, 9)),
        ),
    )


RECORDS = evidences() | all_rules() | assessments()


@given(record=RECORDS)
def test_a_record_read_back_is_the_record(record: Any) -> None:
    assert load(type(record), dump(record)) == record


@given(record=RECORDS)
def test_a_record_written_again_gives_the_same_bytes(record: Any) -> None:
    text = dump(record)
    assert dump(load(type(record), text)) == text


@given(record=RECORDS)
def test_a_record_goes_through_plain_data_and_back(record: Any) -> None:
    assert build(type(record), plain(record)) == record
    assert json.loads(dump(record)) == plain(record)


@given(data=st.dictionaries(TEXT, JSON, max_size=4))
def test_canonical_text_does_not_depend_on_the_order_of_keys(data: dict[str, Any]) -> None:
    assert canonical(dict(reversed(data.items()))) == canonical(data)


@given(data=JSON)
def test_canonical_text_is_what_the_standard_library_writes(data: Any) -> None:
    assert canonical(data) == json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


@given(record=DRAFTS)
def test_a_draft_that_can_be_stored_is_fit_as_it_is(record: Draft) -> None:
    assert fitted(Draft, record) == load(Draft, dump(storable_record(record)))


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_a_number_that_json_lacks_is_not_made_nothing(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        fitted(Draft, Draft(text="x", actions=(Action(name="refund", arguments={"amount": number}),)))


def test_canonical_text_is_sorted_without_spaces_and_readable() -> None:
    assert canonical({"b": [1, 2.5, None], "a": "grüße 🎉"}) == '{"a":"grüße 🎉","b":[1,2.5,null]}'


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_canonical_text_has_no_numbers_that_json_lacks(number: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical({"x": number})


def test_a_moment_is_written_in_utc_with_its_microseconds() -> None:
    evidence = Evidence(
        turn_id="t",
        conversation_id="c",
        channel="w",
        topic="x",
        at=datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC),
        messages=(),
        burst=0,
        agent_error="e",
    )
    assert '"at":"2026-01-01T12:00:00.123456Z"' in dump(evidence)


def test_a_digest_is_the_first_128_bits_of_sha_256() -> None:
    assert digest("abc") == "ba7816bf8f01cfea414140de5dae2223"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"check":"a","score":2}', "Signal"),
        ('{"check":"a"}', "score: Field required"),
        ('{"check":1,"score":0.5}', "check: "),
        ("[]", "Signal"),
        ("{", "the whole"),
        ('{"check":"a","score":"' + "x" * 500 + '"}', "…"),
    ],
)
def test_an_error_names_the_field_and_shows_little_of_the_value(text: str, says: str) -> None:
    with pytest.raises(MalformedInput) as problem:
        load(Signal, text)
    assert says in problem.value.message
    assert len(problem.value.message) < 300


def test_an_error_counts_what_else_is_wrong() -> None:
    with pytest.raises(MalformedInput, match=r"\(and 1 more\)"):
        build(Signal, {})
