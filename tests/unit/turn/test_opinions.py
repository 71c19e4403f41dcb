"""Second opinions are asked within a deadline and a budget, and nothing that goes wrong is lost or raised."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from understudy.errors import AgentUnavailable
from understudy.ports.opinion import OpinionRequest, Said
from understudy.records.evidence import Draft, Opinion
from understudy.testing.scripted import FrozenClock
from understudy.turn.opinions import WORD_CHARS_MAX, Asked, SecondOpinions

REQUEST = OpinionRequest(
    turn_id="t", conversation_id="c", channel="webchat", messages=(), draft=Draft(text="Hello!"), deadline_s=1
)


class Scripted:
    """A second opinion that says, or raises, what a test gives it; None never answers."""

    def __init__(self, says: Any, name: str = "judge") -> None:
        self.name = name
        self._says = says

    async def ask(self, request: OpinionRequest) -> Said:
        if isinstance(self._says, BaseException):
            raise self._says
        if self._says is None:
            await asyncio.Event().wait()
        return self._says  # type: ignore[no-any-return]

    async def check(self) -> str:
        return "scripted"

    async def close(self) -> None: ...


def asked(*opinions: Scripted, clock: FrozenClock | None = None, **bounds: Any) -> SecondOpinions:
    return SecondOpinions(clock or FrozenClock(), [Asked(opinion=one, **bounds) for one in opinions])


def told(opinions: SecondOpinions) -> list[tuple[str | None, float | None, str | None]]:
    return [(one.word, one.score, one.error) for one in asyncio.run(opinions.ask(REQUEST))]


def test_what_is_said_is_kept_as_it_was_said() -> None:
    assert told(asked(Scripted(Said(word="Pass!")), Scripted(Said(score=0.25), name="near"))) == [
        ("Pass!", None, None),
        (None, 0.25, None),
    ]


def test_no_answer_within_the_deadline_is_told_apart() -> None:
    assert told(asked(Scripted(None), deadline_s=0.01)) == [(None, None, "timed_out")]


def test_slow_opinion_does_not_cost_the_quick_one_its_answer() -> None:
    both = asked(Scripted(None), Scripted(Said(word="pass"), name="quick"), deadline_s=0.05)
    assert told(both) == [(None, None, "timed_out"), ("pass", None, None)]


@pytest.mark.parametrize(
    ("says", "error"),
    [
        (AgentUnavailable("gone"), "agent-unavailable"),
        (RuntimeError("customer's words"), "failed: RuntimeError"),
        ("pass", "failed: AttributeError"),
        (Said(), "nonsense"),
        (Said(word=" "), "nonsense"),
        (Said(score=1.2), "nonsense"),
        (Said(score=float("nan")), "nonsense"),
        (Said(score=True), "nonsense"),
        (Said(word=7), "nonsense"),  # type: ignore[arg-type]
        (Said(word="pass", score=-1.0), "nonsense"),
    ],
)
def test_failure_and_nonsense_are_errors_without_a_verdict(says: Any, error: str) -> None:
    assert told(asked(Scripted(says))) == [(None, None, error)]


def test_budget_is_spent_by_the_hour() -> None:
    clock = FrozenClock()
    opinions = asked(Scripted(Said(word="pass")), clock=clock, per_hour_max=2)
    assert [told(opinions)[0][2] for _ in range(3)] == [None, None, "over_budget"]
    clock.advance(3_601)
    assert told(opinions)[0][2] is None


def test_long_answer_is_cut_and_made_fit_to_be_stored() -> None:
    ((word, _, _),) = told(asked(Scripted(Said(word="\x00" + "p" * 1_000))))
    assert word is not None
    assert (len(word), word[0]) == (WORD_CHARS_MAX, "\ufffd")


@pytest.mark.parametrize("bounds", [{"deadline_s": 0}, {"per_hour_max": 0}])
def test_bounds_must_be_some(bounds: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="second opinion"):
        asked(Scripted(Said(word="pass")), **bounds)


def test_score_of_an_opinion_is_a_share() -> None:
    with pytest.raises(ValueError, match=r"Opinion\.score"):
        Opinion(name="judge", score=2.0)
