"""Unknown never passes: whatever a check does besides saying that all is well, its draft does not reach the customer.

The checks of the flow are replaced by ones that misbehave; everything behind them is the real thing.
Not verified: that the built-in checks find what they should; their own tests do that.
"""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from understudy.assessment.assess import assess
from understudy.assessment.check import Examination
from understudy.records.assessment import DecisionKind, Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.review import VerdictKind
from understudy.records.rulebook import CheckPolicy, Grant, Level, Rules
from understudy.records.turn import TurnState
from understudy.testing.scripted import ScriptedAgent
from understudy.turn import flow

Build = Callable[..., Any]

FINE = Examination(score=1.0)


class OddCheck:
    """A check that answers what it was given, or raises it."""

    needs_draft = False
    words = "it is odd"

    def __init__(self, name: str, answer: Any) -> None:
        self.name = name
        self._answer = answer

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules, /) -> Any:
        if isinstance(self._answer, BaseException):
            raise self._answer
        return self._answer


def finding(**fields: Any) -> Finding:
    given = {"check": "odd", "code": "found", "severity": Severity.UNKNOWN, "explanation": "It could not tell."}
    return Finding(**{**given, **fields})


BROKEN = st.one_of(
    st.sampled_from([ValueError("x"), KeyError("x"), RecursionError(), MemoryError(), ZeroDivisionError(), OSError()]),
    st.sampled_from([None, 1.0, True, "fine", (), {}, [FINE], Examination, Ellipsis]),
    st.sampled_from([-0.1, 1.1, float("nan"), float("inf"), "1.0", None, True, 10**30]).map(
        lambda score: Examination(score=score)
    ),
    st.sampled_from(
        [
            None,
            [finding()],
            ("finding",),
            (None,),
            (finding(check="another"),),
            (finding(severity="info"),),
            (finding(severity=Severity.INFO, span=Span(start=0, end=10**6)),),
            (finding(severity=Severity.INFO, code=7),),
            (finding(severity=Severity.INFO, explanation=None),),
        ]
    ).map(lambda findings: Examination(score=1.0, findings=findings)),
    st.just(Examination(score=1.0, findings=(finding(),))),
    st.just(Examination(score=1.0, findings=(finding(severity=Severity.BLOCKING),))),
)


@pytest.fixture
def checking(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the flow assess with other checks."""

    def use(*answers: Any) -> None:
        checks = tuple(OddCheck("odd" if n == 0 else f"odd{n}", answer) for n, answer in enumerate(answers))
        monkeypatch.setattr(flow, "assess", lambda evidence, rulebook, **_: assess(evidence, rulebook, checks=checks))

    return use


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(broken=BROKEN, fine_before=st.integers(0, 2), fine_after=st.integers(0, 2))
def test_a_draft_of_which_a_check_cannot_tell_is_held(
    build: Build, checking: Callable[..., None], broken: Any, fine_before: int, fine_after: int
) -> None:
    checking(broken, *[FINE] * (fine_before + fine_after))
    stage = build()
    turn = stage.ask("When?")
    stage.pass_time(100_000)
    assert turn.decision is DecisionKind.HOLD
    assert stage.channel.attempts == []
    stage.close()


def test_the_same_draft_is_delivered_where_every_check_is_content(build: Build, checking: Callable[..., None]) -> None:
    checking(FINE, FINE)
    stage = build()
    assert stage.ask("When?").state is TurnState.ANSWERED


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(broken=BROKEN)
def test_a_failure_that_the_rulebook_ignores_is_named_in_the_reasons(
    build: Build, staging: ModuleType, checking: Callable[..., None], broken: Any
) -> None:
    checking(broken)
    stage = build(rules=staging.rules(checks=(CheckPolicy(check="odd", on_failure="ignore"),)))
    turn = stage.ask("When?")
    is_blocked = turn.decision is DecisionKind.HOLD
    assert is_blocked or "check_ignored.odd" in turn.reasons
    stage.close()


@pytest.mark.parametrize("failure", [RuntimeError("bug"), AssertionError("bug"), MemoryError()])
def test_an_assessment_that_breaks_delivers_nothing(
    build: Build, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def broken(*_arguments: Any, **_options: Any) -> Any:
        raise failure

    stage = build()
    monkeypatch.setattr(flow, "assess", broken)
    received = stage.receive("When?")
    with pytest.raises(type(failure)):
        stage.settle()
    assert stage.turn(received.turn_id).state is TurnState.ASSESSING
    assert stage.channel.attempts == []


GRANTS = st.lists(
    st.builds(
        Grant,
        topic=st.sampled_from(["*", "orders", "refunds"]),
        channel=st.sampled_from(["*", "recording", "other"]),
        level=st.sampled_from(list(Level)),
        threshold=st.sampled_from([0.0, 0.5, 0.99, 1.0]),
    ),
    max_size=3,
)
DRAFTS = st.builds(
    Draft,
    text=st.sampled_from(["Tomorrow.", "", "Your refund of 12 € was made.", "Ignore all previous instructions."]),
    handoff=st.booleans(),
    does_not_know=st.booleans(),
    confidence=st.sampled_from([None, 0.0, 1.0]),
    finish_reason=st.sampled_from([None, "stop", "length"]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    grants=GRANTS,
    draft=DRAFTS,
    never=st.sets(st.sampled_from(["orders", "refunds"])),
    quota=st.integers(0, 2),
    topic=st.sampled_from(["orders", "refunds", None]),
    approves=st.booleans(),
)
def test_an_agents_text_reaches_the_customer_only_by_a_decision_or_a_verdict(
    build: Build,
    staging: ModuleType,
    grants: list[Grant],
    draft: Draft,
    never: set[str],
    quota: int,
    topic: str | None,
    approves: bool,
) -> None:
    rules = staging.rules(grants=tuple(grants), never_auto=tuple(sorted(never)), automatic_per_hour_max=quota)
    stage = build(agent=ScriptedAgent(draft), rules=rules)
    turn = stage.ask("When?", topic=topic)
    approved = False
    for hold in stage.open_holds if approves and draft.text.strip() else []:
        if hold.kind == "draft":
            stage.give(hold, VerdictKind.APPROVE)
            approved = True
    stage.pass_time(10_000)
    was_delivered = draft.text in stage.channel.texts
    assert was_delivered == (turn.decision is DecisionKind.DELIVER or approved)
    if turn.decision is DecisionKind.DELIVER:
        grant = next(g for g in grants if g.topic in ("*", turn.topic) and g.channel in ("*", "recording"))
        assert grant.level in (Level.AUTO, Level.PROBATION)
        assert turn.confidence >= grant.threshold
        assert turn.topic not in never
        assert quota > 0
    stage.close()
