"""The picture and the report of a backtest: well-formed, complete, and safe whatever a slice is called."""

from __future__ import annotations

from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from understudy.backtest.answer import backtest
from understudy.backtest.replies import Reply, Survey
from understudy.cli import backtest_plot, backtest_report
from understudy.records.backtest import Backtest, Goal, ScoreOrigin

NAMES = ["refunds", "<b>&\"'x", "a|b\nc", "\x1b[2J", "長い名前" * 20, "`](javascript:x)"]


def found(*names: str, count: int = 120, bad: float = 0.03, threshold: float | None = 0.3) -> Backtest:
    dice = np.random.default_rng(2)
    replies = [
        Reply(
            conversation=f"{name}-{n}",
            topic=name,
            parts=(name,),
            order=n,
            score=float(dice.random()),
            signals=(),
            loss=float(dice.random() < bad),
            is_severe=False,
        )
        for name in names
        for n in range(count)
    ]
    seen = Survey(records=len(replies), judged=len(replies), sure=len(replies), timed=0)
    goal = Goal(risk_max=0.05, confidence=0.95, threshold=threshold)
    return backtest(replies, (), seen, ScoreOrigin.GIVEN, ("topic",), goal)


@given(
    st.lists(st.sampled_from(NAMES), unique=True, max_size=6),
    st.sampled_from([0.0, 0.03, 0.5, 1.0]),
    st.integers(1, 90),
)
@settings(max_examples=15, deadline=None)
def test_any_backtest_can_be_drawn_and_told(names: list[str], bad: float, count: int) -> None:
    one = found(*names, bad=bad, count=count)
    ElementTree.fromstring(backtest_plot.svg(one))
    report = backtest_report.markdown(one, history="h", plot=None)
    assert backtest_report.answer(one) in report
    assert "\x1b" not in report


def test_each_slice_has_a_panel_of_its_own() -> None:
    many = backtest_plot.svg(found(*(f"topic-{n}" for n in range(14))))
    assert sum(f"topic-{n}<" in many for n in range(14)) == backtest_plot.PANELS_MAX
    assert "2 smaller ones are left out" in many
    assert "Each slice by itself" not in backtest_plot.svg(found("refunds"))


def test_picture_says_where_nothing_is_certified() -> None:
    assert "Nothing could be certified yet" in backtest_plot.svg(found("refunds", count=20))


def test_names_are_text_and_never_markup() -> None:
    report = backtest_report.markdown(found(*NAMES), history="h", plot="p q.svg")
    assert "<b>" not in report
    assert r"\`\](javascript:x)" in report
    assert "](<p q.svg>)" in report
    table = [line for line in report.splitlines() if line.startswith("|")]
    assert len({line.replace(r"\|", "").count("|") for line in table}) == 1


@pytest.mark.parametrize(
    ("share", "words"),
    [(0.62, "62 %"), (0.049, "4.9 %"), (0.0013, "0.13 %"), (1.0, "100 %"), (0.05, "5 %"), (0.0, "0 %")],
)
def test_shares_are_read_as_percentages(share: float, words: str) -> None:
    assert backtest_report.percent(share) == words


def test_advice_tells_those_that_need_labels_from_those_that_need_a_better_agent() -> None:
    few, poor = found("few", count=40, bad=0.0), found("poor", count=400, bad=0.2)
    assert "judge about" in backtest_report.advice(few.slices[0], few)
    assert "Mend the agent" in backtest_report.advice(poor.slices[0], poor)
