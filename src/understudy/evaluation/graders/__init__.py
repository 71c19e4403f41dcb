"""The graders, by the name that cases call them; a new one is a module here and a line below."""

from __future__ import annotations

from typing import Final

from understudy.errors import MalformedInput
from understudy.evaluation.graders import assessed, facts, judged, python_function, texts, tools
from understudy.evaluation.graders.contract import Grader, Maker, Means
from understudy.records.suite import Case

GRADERS: Final[dict[str, Maker]] = {
    "exact": texts.exact,
    "regex": texts.regex,
    "differs": texts.differs,
    "facts": facts.facts,
    "tools": tools.tools,
    "checks": assessed.checks,
    "decision": assessed.decision,
    "ended": assessed.ended,
    "judge": judged.judge,
    "python": python_function.python,
}


def graders_of(case: Case, means: Means) -> tuple[Grader, ...]:
    """Make the graders of a case; raises `MalformedInput` that names the case, the grader and what is wrong."""
    made = []
    for wanted in case.graders:
        maker = GRADERS.get(wanted.kind)
        if maker is None:
            raise MalformedInput(f"case {case.id!r}: there is no grader {wanted.kind!r}; there is {', '.join(GRADERS)}")
        try:
            made.append(maker(wanted.terms, means))
        except ValueError as error:
            raise MalformedInput(f"case {case.id!r}, grader {wanted.kind}: {error}") from error
    return tuple(made)
