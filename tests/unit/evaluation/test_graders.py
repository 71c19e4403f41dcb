"""What each grader passes, fails, and cannot tell."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from understudy.assessment.checks import CHECKS
from understudy.errors import MalformedInput
from understudy.evaluation.attempts import assessing
from understudy.evaluation.case_file import read_case
from understudy.evaluation.graders import GRADERS, graders_of
from understudy.evaluation.graders.contract import NO_MEANS, Attempted, Means, no_judge
from understudy.evaluation.teeth import graded, judges_beside_people, tried
from understudy.ports.opinion import OpinionRequest, Said
from understudy.records.evidence import Action, Draft, Passage, ToolCall
from understudy.records.suite import Case, Grade
from understudy.settings.model import Settings
from understudy.settings.rules import rulebook_of

RULEBOOK = rulebook_of(Settings())


def case(kind: str, terms: Any, **data: Any) -> Case:
    return read_case({"id": "it", "messages": [{"user": "My refund?"}], "graders": [{kind: terms}]} | data, "here")


def grade(
    kind: str, terms: Any, reply: str = "", *, means: Means = NO_MEANS, ended: str | None = None, **draft: Any
) -> Grade:
    one = case(kind, terms)
    made = Draft(text=reply, **draft)
    attempted = Attempted(
        case=one,
        draft=made,
        messages=one.messages,
        assess=assessing(RULEBOOK, CHECKS, one, one.messages, made),
        replies=(reply,),
        calls=made.tool_calls,
        actions=made.actions,
        ended=ended,
    )
    return asyncio.run(graded(graders_of(one, means), attempted))[0]


@pytest.mark.parametrize(
    ("terms", "reply", "loss"),
    [
        ("You get it.", "you  GET it.\n", 0),
        ("You get it.", "You get it!", 1),
        ({"texts": ["a", "b"]}, "B", 0),
        ({"texts": ["a"], "case": True}, "A", 1),
    ],
)
def test_exact(terms: Any, reply: str, loss: float) -> None:
    assert grade("exact", terms, reply).loss == loss


@pytest.mark.parametrize(
    ("terms", "reply", "loss"),
    [
        ("refund(ed)?", "It is REFUNDED.", 0),
        ({"must": ["a+", "b+"]}, "aaa", 1),
        ({"must_not": "guarantee"}, "We guarantee it.", 1),
        ({"must": ["ok"], "must_not": ["no"]}, "ok", 0),
    ],
)
def test_regex(terms: Any, reply: str, loss: float) -> None:
    assert grade("regex", terms, reply).loss == loss


@pytest.mark.parametrize(
    ("terms", "reply", "loss"),
    [
        ({"must": ["30 EUR"]}, "You get €30.00 back.", 0),
        ({"must": ["30 EUR"]}, "You get 30 euros back.", 0),
        ({"must": ["30 EUR"]}, "You get $30 back.", 1),
        ({"must": ["14 days"]}, "It takes 2 weeks.", 0),
        ({"must": ["2026-05-03"]}, "It comes on 3 May 2026.", 0),
        ({"must": ["2026-05-03"]}, "It comes on 4 May 2026.", 1),
        ({"must_not": ["50 EUR"]}, "You get € 50.", 1),
        ({"must_not": ["50 EUR"]}, "We have 50 shops.", 0),
        ({"must": ["original packaging"]}, "Keep the Original Packaging, please.", 0),
        ({"must": ["original packaging"]}, "Keep the packaging.", 1),
        ({"any_of": ["30 EUR", "30 USD"]}, "You get $30.", 0),
        ({"any_of": ["30 EUR", "30 USD"]}, "You get £30.", 1),
        ("30 EUR", "30 EUR", 0),
    ],
)
def test_facts(terms: Any, reply: str, loss: float) -> None:
    terms = [terms] if isinstance(terms, str) else terms
    assert grade("facts", terms, reply).loss == loss


CALLS = (
    ToolCall(id="1", name="get_order", arguments='{"id": "A-1", "deep": {"x": 1, "y": 2}}'),
    ToolCall(id="2", name="note", arguments="{}"),
)
REFUND = Action(name="refund", arguments={"amount": 30})


@pytest.mark.parametrize(
    ("terms", "loss"),
    [
        ({"expected": [{"name": "get_order", "arguments": {"id": "a-1"}}, {"name": "refund"}]}, 0),
        ({"expected": [{"name": "get_order", "arguments": {"deep": {"x": "1"}}}]}, 0),
        ({"expected": [{"name": "refund", "arguments": {"amount": 31}}]}, 1),
        ({"expected": [{"name": "refund"}, {"name": "refund"}]}, 1),
        ({"expected": [{"name": "refund"}, {"name": "get_order"}]}, 0),
        ({"expected": [{"name": "refund"}, {"name": "get_order"}], "in_order": True}, 1),
        ({"expected": [{"name": "get_order"}, {"name": "refund"}], "in_order": True}, 0),
        ({"expected": [{"name": "get_order"}], "only": True}, 1),
        ({"forbidden": ["refund"]}, 1),
        ({"forbidden": ["cancel"]}, 0),
    ],
)
def test_tools(terms: Any, loss: float) -> None:
    assert grade("tools", terms, "done", tool_calls=CALLS, actions=(REFUND,)).loss == loss


def test_checks_refuse_what_rests_on_nothing() -> None:
    bad = grade("checks", {}, "You get 50 EUR back.", sources=(Passage(id="kb", text="We refund 30 EUR."),))
    assert (bad.loss, "grounding." in bad.why) == (1.0, True)
    assert grade("checks", {"only": ["policy"]}, "You get 50 EUR back.").loss == 0


def test_check_that_could_not_tell_is_an_error() -> None:
    assert grade("checks", {"only": ["grounding"]}, "well, " * 5_000).error


def test_decision() -> None:
    assert grade("decision", "hand_off", "x", handoff=True).loss == 0
    wrong = grade("decision", ["deliver"], "Hello there, your order is on its way.")
    assert (wrong.loss, "not deliver" in wrong.why) == (1.0, True)


def test_end_of_a_conversation() -> None:
    assert grade("ended", ["satisfied", "handed_off"], ended="handed_off").loss == 0
    assert grade("ended", "satisfied", ended="turns_max").loss == 1
    assert grade("ended", "satisfied").error


def test_known_bad_reply_again_fails_and_another_passes() -> None:
    bad = "You can return it any time, no questions asked."
    assert grade("differs", bad, "You can return it at any time, no questions asked!").loss == 1
    assert grade("differs", bad, "You can return it within 30 days of the purchase.").loss == 0


@pytest.fixture
def functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Means:
    (tmp_path / "my_graders.py").write_text(
        "def good(form): return form['reply'] == 'yes' and form['case']['id'] == 'it'\n"
        "async def half(form): return {'score': 0.5, 'why': 'so so'}\n"
        "def odd(form): return 'yes'\n"
        "def beyond(form): return 2\n"
        "def broken(form): raise RuntimeError('oh')\n"
        "word = 1\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    return Means(judge=no_judge, folder=tmp_path)


def test_python_function(functions: Means) -> None:
    assert grade("python", "my_graders:good", "yes", means=functions).loss == 0
    assert grade("python", "my_graders:good", "no", means=functions).loss == 1
    half = grade("python", "my_graders:half", means=functions)
    assert (half.loss, half.why) == (0.5, "so so")


@pytest.mark.parametrize("name", ["odd", "beyond", "broken"])
def test_python_function_that_does_not_grade_is_an_error(name: str, functions: Means) -> None:
    assert grade("python", f"my_graders:{name}", means=functions).error


@pytest.mark.parametrize(
    ("kind", "terms", "said"),
    [
        ("exat", "x", "there is no grader 'exat'; there is exact"),
        ("regex", "a(", "no RE2 expression"),
        ("regex", {}, "at least one pattern"),
        ("facts", {"must": []}, "at least one fact"),
        ("facts", {"must": ["…"]}, "neither a value nor a word"),
        ("facts", {"musst": ["a"]}, "musst"),
        ("tools", {}, "expected calls"),
        ("decision", "sometimes", "one_of"),
        ("checks", {"at_most": "blocking"}, "at_most"),
        ("judge", "Is it good?", "no judge is configured"),
        ("python", "nothing", "module:function"),
        ("python", "my_graders:word", "not a function"),
        ("python", "my_graders:none", "cannot import"),
    ],
)
def test_terms_that_make_no_sense_are_refused_before_the_run(
    kind: str, terms: Any, said: str, functions: Means
) -> None:
    with pytest.raises(MalformedInput, match=f"(?s)case 'it'.*{said}"):
        graders_of(case(kind, terms), functions)


def test_every_grader_is_tried_here() -> None:
    source = Path(__file__).read_text()
    assert all(f'"{name}"' in source for name in GRADERS)


# --- teeth ---


def teeth(kind: str, terms: Any, *, good: bool = False) -> bool | None:
    one = case(kind, terms, recorded={"text": "You get 50 EUR.", "good": good})
    found = asyncio.run(tried(one, graders_of(one, NO_MEANS), RULEBOOK, CHECKS))
    assert found is not None
    return found.refused


def test_graders_bite_where_they_refuse_the_reply_that_was_bad() -> None:
    assert teeth("facts", {"must_not": ["50 EUR"]}) is True
    assert teeth("regex", ".") is False
    one = case("regex", ".")
    assert asyncio.run(tried(one, graders_of(one, NO_MEANS), RULEBOOK, CHECKS)) is None


class SettledJudge:
    """A judge that always says the same."""

    name = "settled"

    def __init__(self, word: str) -> None:
        self.word = word

    async def ask(self, request: OpinionRequest) -> Said:
        return Said(word=self.word)

    async def check(self) -> str:
        return "here"

    async def close(self) -> None:
        pass


def test_judge_is_held_against_people_and_one_that_agrees_with_everything_shows() -> None:
    means = Means(judge=lambda name, prompt: SettledJudge("pass"))
    tries = []
    for number, good in enumerate([True, False, True, False, False]):
        one = case("judge", "Is it right?", id=f"c{number}", recorded={"text": "You get 50 EUR.", "good": good})
        found = asyncio.run(tried(one, graders_of(one, means), RULEBOOK, CHECKS))
        assert found is not None
        assert found.refused is False
        tries.append(found)
    agreed = judges_beside_people(tries)["judge:settled"]
    assert (agreed.drafts, agreed.raw, agreed.kappa) == (5, 0.4, 0.0)


@pytest.mark.parametrize(("word", "loss"), [("pass", 0.0), ("FAIL", 1.0), ('"pass".', 0.0)])
def test_judge_is_read_strictly(word: str, loss: float) -> None:
    means = Means(judge=lambda name, prompt: SettledJudge(word))
    assert grade("judge", "Is it right?", "yes", means=means).loss == loss


def test_judge_is_asked_the_question_of_the_case() -> None:
    asked: list[tuple[str | None, str | None]] = []

    def judge(name: str | None, prompt: str | None) -> SettledJudge:
        asked.append((name, prompt))
        return SettledJudge("pass")

    grade("judge", {"question": "Is it polite?", "opinion": "mine"}, "yes", means=Means(judge=judge))
    ((name, prompt),) = asked
    assert name == "mine"
    assert "Question: Is it polite?" in (prompt or "")
