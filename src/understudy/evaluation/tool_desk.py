"""The tools of a case: recorded or scripted answers in place of the real ones, faults included. It calls nothing."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from understudy.evaluation.graders.tools import arguments_of, is_call
from understudy.records.evidence import Action, ChatMessage, ToolCall
from understudy.records.suite import ToolAnswer


class ToolDesk:
    """Answers the calls of one attempt, and counts them."""

    def __init__(self, answers: Sequence[ToolAnswer]) -> None:
        self._answers = answers
        self._known = {answer.name for answer in answers}
        self._made: Counter[str] = Counter()
        self.calls: list[ToolCall] = []

    def knows(self, name: str) -> bool:
        """Whether this tool is played here; a call of another one stays a proposal."""
        return name in self._known

    def answer(self, action: Action) -> ToolCall:
        """Answer a call by the first answer that fits; where none does, the call fails as an unknown one would."""
        self._made[action.name] += 1
        number = self._made[action.name]
        fits = next((one for one in self._answers if _fits(one, action, number)), None)
        call = ToolCall(
            id=f"call-{len(self.calls)}",
            name=action.name,
            arguments=json.dumps(action.arguments, ensure_ascii=False, sort_keys=True),
            result=None if fits is None else fits.result,
            error="no answer is recorded for these arguments" if fits is None else fits.error,
        )
        self.calls.append(call)
        return call


def exchange(calls: Sequence[ToolCall], *, said: str | None) -> tuple[ChatMessage, ...]:
    """The calls and what came back as messages, as the agent would have them in its conversation."""
    asked = tuple(ToolCall(id=call.id, name=call.name, arguments=call.arguments) for call in calls)
    results = (
        ChatMessage(
            role="tool",
            tool_call_id=call.id,
            content=call.result if call.error is None else json.dumps({"error": call.error}, ensure_ascii=False),
        )
        for call in calls
    )
    return (ChatMessage(role="assistant", content=said or None, tool_calls=asked), *results)


def _fits(answer: ToolAnswer, action: Action, number: int) -> bool:
    if answer.name != action.name or (answer.call is not None and answer.call != number):
        return False
    return answer.arguments is None or is_call((action.name, action.arguments), answer.name, answer.arguments)


def recorded_answers(messages: Sequence[ChatMessage], calls: Sequence[ToolCall]) -> tuple[ToolAnswer, ...]:
    """What tools answered in a recorded conversation and draft, so that they can answer the same again: the last answer
    where a call was made twice."""
    found: dict[tuple[str, str], ToolAnswer] = {}
    for call, answer in _made(messages, calls):
        found[call.name, call.arguments] = answer
    return tuple(found.values())


def answers_in_order(turns: Sequence[tuple[Sequence[ChatMessage], Sequence[ToolCall]]]) -> tuple[ToolAnswer, ...]:
    """What tools answered in the turns of a conversation, each its messages and the calls for its draft.

    Where the same call was answered differently later, each answer but the last is that of the n-th call of the tool.
    """
    found: list[tuple[ToolCall, ToolAnswer]] = []
    seen: set[ToolCall] = set()
    for messages, calls in turns:
        for call, answer in _made(messages, calls):
            again = replace(
                call, id="", result=answer.result, error=answer.error
            )  # messages repeat those of turns before
            if again not in seen:
                seen.add(again)
                found.append((again, answer))
    last = {(call.name, call.arguments): place for place, (call, _) in enumerate(found)}
    numbers: Counter[str] = Counter()
    answers = []
    for place, (call, answer) in enumerate(found):
        numbers[call.name] += 1
        is_last = last[call.name, call.arguments] == place
        answers.append(answer if is_last else replace(answer, call=numbers[call.name]))
    return tuple(answers)


def _made(messages: Sequence[ChatMessage], calls: Sequence[ToolCall]) -> Iterator[tuple[ToolCall, ToolAnswer]]:
    """The calls of a conversation and a draft that were answered, and what they were answered."""
    results = {message.tool_call_id: message.content for message in messages if message.role == "tool"}
    asked = [
        (call, results.get(call.id, call.result), call.error) for message in messages for call in message.tool_calls
    ]
    for call, result, error in (*asked, *((call, call.result, call.error) for call in calls)):
        if result is None and error is None:
            continue
        yield (
            call,
            ToolAnswer(
                name=call.name,
                arguments=arguments_of(call.arguments) or None,
                result=result if error is None else None,
                error=error,
            ),
        )
