"""How bad a draft was, by what a person did with it."""

from __future__ import annotations

import pytest

from understudy.assessment.grading import grade, is_severe
from understudy.records.review import VerdictKind

DRAFT = "Your parcel arrives on Monday. It costs £4.90 and you can not return it."


def test_a_reviewers_own_grade_of_an_edit_comes_first() -> None:
    given_ = grade(VerdictKind.EDIT, draft=DRAFT, text="Something else.", severity=0.1, reasons=())
    assert (given_.loss, given_.is_severe) == (0.1, False)


@pytest.mark.parametrize("kind", [VerdictKind.REJECT, VerdictKind.RESPOND, VerdictKind.TAKE_OVER])
def test_a_draft_that_is_not_used_is_bad(kind: VerdictKind) -> None:
    assert grade(kind, draft=DRAFT, text="x", severity=0.1, reasons=()).loss == 1.0


@pytest.mark.parametrize("kind", list(VerdictKind))
def test_harm_is_severe_whatever_the_verdict(kind: VerdictKind) -> None:
    found = grade(kind, draft=DRAFT, text="x", severity=0.0, reasons=("other", "Harm"))
    assert (found.loss, found.is_severe) == (1.0, True)


@pytest.mark.parametrize("reason", ["harm", "Policy", "policy_broken", "legal-threat", "exposure"])
def test_a_reason_names_harm_by_its_first_word(reason: str) -> None:
    assert is_severe([reason])
    assert not is_severe(["tone", f"no_{reason}"])
