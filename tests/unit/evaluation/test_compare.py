"""Two releases side by side: what got worse comes first, and no text of an agent becomes markup."""

from __future__ import annotations

import re

from understudy.cli.eval_compare import html_page, markdown
from understudy.evaluation.compare import beside
from understudy.records.suite import CaseRule, Grade, Trial


def trial(case: str, loss: float | None, reply: str = "yes", **fields: object) -> Trial:
    error = None if loss is not None else "down"
    return Trial(case=case, trial=0, loss=loss, error=error, reply=reply, **fields)  # type: ignore[arg-type]


BEFORE = [
    trial("same", 0.0),
    trial("worded", 0.0, "It takes two weeks."),
    trial("worse", 0.0),
    trial("must", 0.0, rule=CaseRule.MUST_PASS),
    trial("better", 1.0, grades=(Grade(grader="facts", loss=1.0, why="'30' is missing"),)),
    trial("gone", 0.0),
    trial("broken", 0.0),
    trial("decided", 0.0, decision="hold"),
]
AFTER = [
    trial("same", 0.0),
    trial("worded", 0.0, "It takes 14 days."),
    trial("worse", 1.0, "no", grades=(Grade(grader="exact", loss=1.0, why="not yes"),)),
    trial("must", 1.0, "no", rule=CaseRule.MUST_PASS),
    trial("better", 0.0),
    trial("broken", None),
    trial("decided", 0.0, decision="deliver"),
]


def test_what_got_worse_comes_first_most_of_all_where_it_must_not() -> None:
    found = beside(BEFORE, AFTER)
    assert [(one.case, one.change) for one in found] == [
        ("must", "worse"),
        ("worse", "worse"),
        ("better", "better"),
        ("decided", "decided otherwise"),
        ("broken", "in error"),
        ("gone", "only in the first"),
        ("worded", "worded otherwise"),
        ("same", "same"),
    ]


def test_graders_that_changed_their_mind_are_named() -> None:
    found = {one.case: one for one in beside(BEFORE, AFTER)}
    assert (found["worse"].gone, found["worse"].new) == ((), ("exact: not yes",))
    assert found["better"].gone == ("facts: '30' is missing",)


def test_words_that_changed_are_marked() -> None:
    found = [one for one in beside(BEFORE, AFTER) if one.case == "worded"]
    assert "It takes ~~two weeks.~~**14 days.**" in markdown(found, found, ("v1", "v2"))
    page = html_page(found, found, ("v1", "v2"))
    assert "It takes <del>two weeks.</del>" in page
    assert "It takes <ins>14 days.</ins>" in page


def test_no_text_of_an_agent_becomes_markup() -> None:
    bad = "<script>alert(1)</script> | [x](javascript:y) \x1b[31m\u202e"
    found = beside([trial("<b>a</b>", 0.0, bad)], [trial("<b>a</b>", 1.0, bad + " more", why=bad)])
    page, text = html_page(found, found, (bad, "v2")), markdown(found, found, (bad, "v2"))
    assert not re.search(r"<(script|b)>", page)
    assert "\x1b" not in page + text
    assert not re.search(r"(?<!\\)<script|(?<!\\)\[x", text)
