"""The contract of a grader: it looks at what was attempted and gives a loss, or an error where it could not tell.

A grader that could not grade never passes: its error makes the trial an error, which counts for nobody.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from understudy.ports.opinion import SecondOpinion
from understudy.records.assessment import Assessment
from understudy.records.codec import explain
from understudy.records.evidence import Action, ChatMessage, Draft, ToolCall
from understudy.records.suite import Case, Grade

T = TypeVar("T", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempted:
    """What an agent did with a case. `messages` end before `draft`, the last reply; `replies` are all its replies.

    `calls` and `actions` are those of all replies, in order. `assess` gives the assessment of the last one.
    `ended`: how a conversation ended, None for a single turn.
    """

    case: Case
    draft: Draft
    messages: tuple[ChatMessage, ...]
    assess: Callable[[], Assessment]
    replies: tuple[str, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    actions: tuple[Action, ...] = ()
    ended: str | None = None

    @property
    def text(self) -> str:
        """All that the customer would have read, one reply a paragraph."""
        return "\n\n".join(self.replies) if self.replies else self.draft.text


Grader = Callable[[Attempted], Grade | Awaitable[Grade]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """What graders may need besides the attempt. `judge` gives the opinion by a name (None: the only one), with another
    prompt where one is given; raises `ValueError`. `folder` is put on the import path for Python functions."""

    judge: Callable[[str | None, str | None], SecondOpinion]
    folder: Path | None = None
    judge_deadline_s: float = 60.0


def no_judge(name: str | None, prompt: str | None) -> SecondOpinion:  # noqa: ARG001 - the shape of Means.judge
    """Stand for judges where none is configured."""
    raise ValueError("no judge is configured; name one in [opinions.NAME] of understudy.toml")


NO_MEANS = Means(judge=no_judge)

Maker = Callable[[Mapping[str, Any], Means], Grader]


class Terms(BaseModel):
    """The terms of a grader; a term that is not known is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


def read_terms(model: type[T], terms: Mapping[str, Any], *, short: str | None = None) -> T:
    """Read terms; `short` names the term that is meant where only a value is given. Raises `ValueError`."""
    data: dict[str, Any] = dict(terms)
    if set(data) == {""}:
        if short is None or data[""] is None:
            if data[""] is not None:
                raise ValueError(f"terms are a mapping of keys, got {data['']!r:.80}")
            data = {}
        else:
            data = {short: data[""]}
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise ValueError(explain(error)) from error


@dataclass(slots=True, kw_only=True)
class Complaints:
    """Gathers what is wrong: nothing is a loss of 0, anything a loss of 1."""

    grader: str
    found: list[str] = field(default_factory=list)

    def grade(self) -> Grade:
        """The grade, with the first few complaints."""
        why = "; ".join(self.found[:4]) + (f" (and {len(self.found) - 4} more)" if len(self.found) > 4 else "")
        return Grade(grader=self.grader, loss=1.0 if self.found else 0.0, why=why)
