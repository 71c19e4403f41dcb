"""A suite is a folder of files that people read and write; whatever is wrong in one is named."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from understudy.errors import ConfigurationError, Conflict, MalformedInput
from understudy.evaluation.case_file import read_case
from understudy.evaluation.suites import case_text, file_name, read_suite, write_case
from understudy.records.evidence import ChatMessage, ContactFacts, Passage, ToolCall
from understudy.records.suite import (
    Case,
    CaseKind,
    CaseRule,
    Customer,
    GraderTerms,
    Recorded,
    ScriptState,
    Step,
    ToolAnswer,
)

SMALL = "id: a\nmessages: [{user: hello}]\ngraders: [{exact: hi}]\n"

LOST = """
id: a
kind: conversation
customer: {goal: x, script: {start: {say: x, then: [{go: nowhere}]}}}
graders: [{ended: satisfied}]
"""

FULL = Case(
    id="refund-50",
    rule=CaseRule.MUST_PASS,
    channel="webchat",
    topic="refunds",
    failure_mode="wrong_amount",
    tags=("edited", "vip"),
    what_was_wrong="It promised 50 EUR,\nthe policy says 30.",
    source="turn:t-1",
    messages=(
        ChatMessage(role="system", content="Be brief."),
        ChatMessage(role="user", content="My refund: yes or no?\n\nPlease."),
        ChatMessage(role="assistant", content=None, tool_calls=(ToolCall(id="1", name="get_order", arguments="{}"),)),
        ChatMessage(role="tool", content="null", tool_call_id="1"),
    ),
    contact=ContactFacts(name="Alex", emails=("a@example.com",)),
    sources=(Passage(id="kb-4", text="We refund 30 EUR.", title="Refunds", score=0.5),),
    tools=(
        ToolAnswer(name="get_order", arguments={"id": 1}, result="{}"),
        ToolAnswer(name="refund", error="timeout", call=1),
    ),
    recorded=Recorded(text="You get 50 EUR.", release="v7", is_good=False, action="reject", reasons=("wrong_amount",)),
    graders=(GraderTerms(kind="facts", terms={"must": ["30 EUR"]}), GraderTerms(kind="exact", terms={"": "No: never"})),
)

TALK = Case(
    id="talk",
    kind=CaseKind.CONVERSATION,
    customer=Customer(
        goal="find it",
        facts={"order": "A-1"},
        script={
            "start": ScriptState(say="Where is {order}?", then=(Step(go="glad", when="tomorrow"),)),
            "glad": ScriptState(ends="satisfied"),
        },
        turns_max=3,
    ),
    graders=(GraderTerms(kind="ended", terms={"": "satisfied"}),),
)


def suite(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return folder


@pytest.mark.parametrize("case", [FULL, TALK], ids=["turn", "conversation"])
def test_case_is_read_as_it_was_written(case: Case, tmp_path: Path) -> None:
    write_case(tmp_path, case)
    assert read_suite(tmp_path).cases == (case,)


def test_written_case_reads_like_a_page() -> None:
    text = case_text(FULL)
    assert "- user: |" in text
    assert "what_was_wrong: |-" in text
    assert list(yaml.safe_load(text))[:3] == ["id", "rule", "topic"]


def test_suite_holds_several_cases_of_one_file_and_shared_graders(tmp_path: Path) -> None:
    found = read_suite(
        suite(
            tmp_path,
            suite="description: mine\ntrials: 3\nmargin: 0.1\ngraders: [{checks: {at_most: major}}]",
            more="cases:\n- id: b\n  messages: [{user: x}]\n- id: 7\n  messages: [{user: y}]\n",
            one=SMALL,
        )
    )
    assert {case.id: len(case.graders) for case in found.cases} == {"a": 2, "b": 1, "7": 1}
    assert (found.trials, found.margin, found.description) == (3, 0.1, "mine")


def test_checksum_tells_of_every_change_and_not_of_the_order(tmp_path: Path) -> None:
    first = read_suite(suite(tmp_path, one=SMALL, two=SMALL.replace("id: a", "id: b"))).checksum
    (tmp_path / "one.yaml").rename(tmp_path / "zzz.yaml")
    assert read_suite(tmp_path).checksum == first
    suite(tmp_path, two=SMALL.replace("id: a", "id: b").replace("hi", "ho"))
    assert read_suite(tmp_path).checksum != first


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SMALL + "ruel: must_pass\n", "unknown key 'ruel'; did you mean 'rule'"),
        (SMALL + "rule: sometimes\n", "rule: .*'must_pass'.*got 'sometimes'"),
        ("id: a\ngraders: [{exact: hi}]\n", "at least one message"),
        ("id: a\nmessages: [{user: hello}]\n", "at least one grader"),
        ("id: a\nmessages: [{usr: hello}]\ngraders: [{exact: hi}]\n", "messages: role"),
        ("id: a\nmessages: [{user: hello}]\ngraders: [exact]\n", "a grader is one `kind: terms`"),
        ("- 1\n", "a case is a mapping"),
        ("id: [\n", "line 2: not YAML"),
        ("id: !!python/object/apply:os.system ['true']\n", "not YAML"),
        ("id: a\nkind: conversation\ngraders: [{ended: satisfied}]\n", "exactly when it is a conversation"),
        (
            LOST,
            "no state 'nowhere'",
        ),
        (SMALL + "tools: [{name: x, result: a, error: b}]\n", "either a result or an error"),
    ],
)
def test_whatever_is_wrong_in_a_file_is_named(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match=f"bad.yaml.*{said}"):
        read_suite(suite(tmp_path, bad=text))


def test_two_cases_of_one_id_are_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedInput, match=r"the id 'a' is that of .*one.yaml too"):
        read_suite(suite(tmp_path, one=SMALL, two=SMALL))


def test_missing_and_empty_suites_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="a suite is a folder"):
        read_suite(tmp_path / "none")
    with pytest.raises(ConfigurationError, match="eval case add"):
        read_suite(tmp_path)


def test_file_of_a_case_is_not_overwritten(tmp_path: Path) -> None:
    write_case(tmp_path, FULL)
    with pytest.raises(Conflict, match="is there already"):
        write_case(tmp_path, FULL)


@pytest.mark.parametrize(
    ("name", "file"), [("turn:t-1", "turn-t-1"), ("../../etc/passwd", "etc-passwd"), ("…", "case")]
)
def test_file_name_is_safe_everywhere(name: str, file: str) -> None:
    assert file_name(name) == file


def test_result_that_is_no_text_is_written_as_json() -> None:
    form = {
        "id": "a",
        "messages": [{"user": "x"}],
        "graders": [{"exact": "x"}],
        "tools": [{"name": "t", "result": {"b": 1}}],
    }
    assert read_case(form, "here").tools[0].result == '{"b": 1}'
