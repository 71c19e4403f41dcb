"""Second opinions are read strictly: only a known word passes, and silence is unknown."""

from __future__ import annotations

import gzip
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from understudy.assessment.assess import assess
from understudy.assessment.checks import CHECKS, OPINIONS
from understudy.assessment.checks.opinions import BAD_WORDS, GOOD_WORDS, verdict_of
from understudy.records.assessment import DecisionKind
from understudy.records.evidence import Opinion
from understudy.records.rulebook import Grant, Level, OpinionRule, Rulebook, Rules

VERDICTS = Path(__file__).parents[5] / "shared" / "data" / "judge_verdicts.jsonl.gz"


def rules(**judge: Any) -> Rules:
    grants = (Grant(topic="*", channel="*", level=Level.AUTO, threshold=0.5),)
    return Rules(grants=grants, opinions=(OpinionRule(name="judge", **judge),), audit_rate=0.0)


def found(turn: Any, *opinions: Opinion, **judge: Any) -> list[str]:
    evidence = replace(turn("hello", "Hello!"), opinions=opinions)
    return [finding.code for finding in OPINIONS.examine(evidence, evidence.draft, rules(**judge)).findings]


@pytest.mark.parametrize("word", ["pass", "Pass.", ' "PASS" ', "**satisfied**", "Compliant"])
def test_known_good_word_passes(turn: Any, word: str) -> None:
    assert found(turn, Opinion(name="judge", word=word)) == []


@pytest.mark.parametrize("word", ["fail", "Failure", "unsatisfied", "NON-COMPLIANT"])
def test_known_bad_word_is_a_finding(turn: Any, word: str) -> None:
    assert found(turn, Opinion(name="judge", word=word)) == ["rejected"]


@pytest.mark.parametrize(
    "word", ["unknown", "maybe", "pass or fail", "not pass", "passes, mostly", "", "I would say: pass", "p\u0430ss"]
)
def test_every_other_word_is_unknown(turn: Any, word: str) -> None:
    assert found(turn, Opinion(name="judge", word=word)) == ["untold"]


@given(st.text(max_size=30))
def test_no_text_passes_that_is_not_a_known_word(word: str) -> None:
    trimmed = word.strip(" \t\n\r\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\"'`*_.:!").casefold()
    assert verdict_of(word) == "unknown" or trimmed in GOOD_WORDS | BAD_WORDS


@pytest.mark.skipif(not VERDICTS.is_file(), reason=f"there is no {VERDICTS}")
def test_spellings_of_a_real_judge_are_read_as_people_read_them() -> None:
    with gzip.open(VERDICTS, "rt") as lines:
        rows = [json.loads(line) for line in lines]
    known = {"pass": "good", "fail": "bad"}
    wrong = {row["verdict"] for row in rows if verdict_of(row["verdict"]) != known[row["verdict_norm"]]}
    assert wrong <= {"unknown"}


@pytest.mark.parametrize(
    "opinions",
    [(), (Opinion(name="other", word="pass"),), (Opinion(name="judge", error="timed_out"),), (Opinion(name="judge"),)],
)
def test_silence_is_unknown_unless_the_rulebook_lets_it_pass(turn: Any, opinions: tuple[Opinion, ...]) -> None:
    assert found(turn, *opinions) == ["untold"]
    assert found(turn, *opinions, on_failure="ignore") == ["untold_ignored"]


def test_score_below_what_is_asked_is_a_finding_and_the_signal(turn: Any) -> None:
    evidence = replace(turn("hello", "Hello!"), opinions=(Opinion(name="judge", score=0.4),))
    examined = OPINIONS.examine(evidence, evidence.draft, rules(score_min=0.5))
    assert [finding.code for finding in examined.findings] == ["low_score"]
    assert examined.score < 0.4


@pytest.mark.parametrize(
    ("opinion", "kind"),
    [
        (Opinion(name="judge", word="pass"), DecisionKind.DELIVER),
        (Opinion(name="judge", word="well, pass"), DecisionKind.HOLD),
        (Opinion(name="judge", error="timed_out"), DecisionKind.HOLD),
        (Opinion(name="judge", error="agent-answered-nonsense"), DecisionKind.HOLD),
        (Opinion(name="judge", error="over_budget"), DecisionKind.HOLD),
    ],
)
def test_draft_leaves_only_with_a_good_word(turn: Any, opinion: Opinion, kind: DecisionKind) -> None:
    evidence = replace(turn("hello", "Hello!"), opinions=(opinion,))
    assessment = assess(evidence, Rulebook(id="r", rules=rules()), checks=(*CHECKS, OPINIONS))
    assert assessment.decision.kind is kind
