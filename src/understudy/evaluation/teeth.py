"""Whether a suite can fail anything: its graders are tried on replies that people judged. It asks no agent for a draft.

A case from history holds the reply that was bad. If its graders pass that reply, they agree with everything, and the
case would wave the same mistake through again. The same replies measure how far a judge agrees with people.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass

from understudy.assessment.check import Check
from understudy.evaluation.attempts import assessing
from understudy.evaluation.conversation import say_through
from understudy.evaluation.graders.contract import Attempted, Grader
from understudy.records.evidence import ChatMessage, Draft, ToolCall
from understudy.records.rulebook import Rulebook
from understudy.records.suite import Case, Grade
from understudy.stats.agreement import Agreement, agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What the graders of a case say of its recorded reply: `refused` None where one of them could not tell."""

    case: str
    is_good: bool
    refused: bool | None
    grades: tuple[Grade, ...]


async def graded(graders: Sequence[Grader], attempted: Attempted) -> tuple[Grade, ...]:
    """Ask every grader, in order."""
    grades = []
    for grader in graders:
        given = grader(attempted)
        grades.append(await given if isinstance(given, Awaitable) else given)
    return tuple(grades)


async def tried(case: Case, graders: Sequence[Grader], rulebook: Rulebook, checks: tuple[Check, ...]) -> Tried | None:
    """Try the graders of a case on its recorded reply; None where there is none that people judged.

    In a conversation with a script it is tried as what an agent says to everything; one that a model plays is not tried.
    """
    recorded = case.recorded
    if recorded is None or recorded.is_good is None or (case.customer is not None and not case.customer.script):
        return None
    calls = tuple(
        ToolCall(id=f"call-{number}", name=one.name, result=one.result, error=one.error)
        for number, one in enumerate(case.tools)
    )
    draft = Draft(text=recorded.text, sources=case.sources, tool_calls=calls, handoff=recorded.handoff)
    messages, replies, ended = _played(case, recorded.text)
    attempted = Attempted(
        case=case,
        draft=draft,
        messages=messages,
        assess=assessing(rulebook, checks, case, messages, draft),
        replies=replies,
        ended="handed_off" if ended is not None and recorded.handoff else ended,
    )
    grades = await graded(graders, attempted)
    losses = [grade.loss for grade in grades if grade.loss is not None]
    refused: bool | None = any(loss > 0 for loss in losses)
    if not refused and len(losses) < len(grades):
        refused = None
    return Tried(case=case.id, is_good=recorded.is_good, refused=refused, grades=grades)


def _played(case: Case, reply: str) -> tuple[tuple[ChatMessage, ...], tuple[str, ...], str | None]:
    """The messages before the last of such replies, all of them, and how the conversation ended, if it is one."""
    if case.customer is None:
        return case.messages, (reply,), None
    said, ended = say_through(case.customer, reply)
    again = ChatMessage(role="assistant", content=reply)
    messages = [message for text in said for message in (ChatMessage(role="user", content=text), again)]
    return (*case.messages, *messages[:-1]), (reply,) * len(said), ended


def judges_beside_people(tries: Sequence[Tried]) -> dict[str, Agreement]:
    """How far each judge agrees with people on recorded replies, by the judge's name."""
    said: dict[str, tuple[list[bool], list[bool]]] = {}
    for one in tries:
        for grade in one.grades:
            if grade.grader.startswith("judge:") and grade.loss is not None:
                judge, people = said.setdefault(grade.grader, ([], []))
                judge.append(grade.loss == 0.0)
                people.append(one.is_good)
    return {name: agreement(judge, people) for name, (judge, people) in said.items()}
