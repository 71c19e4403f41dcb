"""The form of a case in a YAML file, to be read, edited and reviewed by people; it opens no file.

docs/reference/suite.md describes it. Every key that is not known is an error that names the nearest one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from rapidfuzz import process

from understudy.errors import MalformedInput
from understudy.records.codec import explain, plain
from understudy.records.evidence import ChatMessage, ContactFacts, Passage
from understudy.records.suite import (
    Case,
    CaseKind,
    CaseRule,
    Customer,
    GraderTerms,
    Recorded,
    ScriptState,
    Step,
    ToolAnswer,
)
from understudy.records.wire import ContactIn, MessageIn, SourceIn

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")

_SPOKEN = ("user", "assistant", "system")


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToolForm(_Form):
    """What a tool answers; a result that is no text is written as JSON."""

    name: str
    arguments: dict[str, Any] | None = None
    result: Any = None
    error: str | None = None
    call: int | None = None

    def record(self) -> ToolAnswer:
        """The same as a record."""
        result = self.result
        if result is not None and not isinstance(result, str):
            result = json.dumps(result, ensure_ascii=False, sort_keys=True)
        if result is None and self.error is None:
            result = ""
        return ToolAnswer(name=self.name, arguments=self.arguments, result=result, error=self.error, call=self.call)


class RecordedForm(_Form):
    """What was answered then, and what people said of it."""

    text: str
    release: str | None = None
    is_good: bool | None = Field(None, alias="good")
    action: str | None = None
    reasons: list[str] = []
    handoff: bool = False


class StepForm(_Form):
    """Where a script goes on."""

    go: str
    when: str | None = None


class StateForm(_Form):
    """What a script says, and where it goes."""

    say: str | None = None
    then: list[StepForm] = []
    ends: Literal["satisfied", "unsatisfied"] | None = None


class CustomerForm(_Form):
    """A simulated customer."""

    goal: str
    persona: str = "polite"
    facts: dict[str, str] = {}
    script: dict[str, StateForm] = {}
    played_by: str | None = None
    turns_max: int = 8

    def record(self) -> Customer:
        """The same as a record; raises `ValueError`."""
        states = {
            name: ScriptState(
                say=state.say, then=tuple(Step(go=one.go, when=one.when) for one in state.then), ends=state.ends
            )
            for name, state in self.script.items()
        }
        known = {"start", *states}
        unknown = [step.go for state in states.values() for step in state.then if step.go not in known]
        if states and ("start" not in states or unknown):
            missing = unknown[0] if unknown else "start"
            raise ValueError(f"script has no state {missing!r}; it has {', '.join(sorted(states))}")
        return Customer(
            goal=self.goal,
            persona=self.persona,
            facts=self.facts,
            script=states,
            played_by=self.played_by,
            turns_max=self.turns_max,
        )


class CaseForm(_Form):
    """One case as it stands in a file."""

    id: str = Field(min_length=1, max_length=200)
    kind: CaseKind = CaseKind.TURN
    rule: CaseRule = CaseRule.ORDINARY
    channel: str = Field("api", max_length=100)
    topic: str | None = None
    failure_mode: str | None = None
    tags: list[str] = []
    what_was_wrong: str | None = None
    source: str | None = None
    messages: list[dict[str, Any]] = []
    contact: ContactIn | None = None
    sources: list[SourceIn] = []
    tools: list[ToolForm] = []
    recorded: RecordedForm | None = None
    customer: CustomerForm | None = None
    graders: list[Any] = []

    @field_validator("id", mode="before")
    @classmethod
    def _id_as_text(cls, value: Any) -> Any:
        return str(value) if isinstance(value, int) and not isinstance(value, bool) else value

    def record(self, graders: tuple[GraderTerms, ...] = ()) -> Case:
        """The same as a record, with the graders of the whole suite behind its own; raises `ValueError`."""
        contact = self.contact
        return Case(
            id=self.id,
            kind=self.kind,
            rule=self.rule,
            channel=self.channel,
            topic=self.topic,
            failure_mode=self.failure_mode,
            tags=tuple(self.tags),
            what_was_wrong=self.what_was_wrong,
            source=self.source,
            messages=tuple(_message(one) for one in self.messages),
            contact=ContactFacts()
            if contact is None
            else ContactFacts(
                id=contact.id,
                name=contact.name,
                emails=tuple(contact.emails),
                phones=tuple(contact.phones),
                tags=tuple(contact.tags),
            ),
            sources=tuple(Passage(**source.model_dump()) for source in self.sources),
            tools=tuple(tool.record() for tool in self.tools),
            recorded=None
            if self.recorded is None
            else Recorded(**{**self.recorded.model_dump(), "reasons": tuple(self.recorded.reasons)}),
            customer=None if self.customer is None else self.customer.record(),
            graders=(*(grader_terms(one) for one in self.graders), *graders),
        )


def read_case(data: Any, place: str, graders: tuple[GraderTerms, ...] = ()) -> Case:
    """Make a case of plain data; raises `MalformedInput` that names the place, the key and the value."""
    return read_form(CaseForm, data, place, "case", lambda form: form.record(graders))


def read_form(model: type[M], data: Any, place: str, what: str, make: Callable[[M], T]) -> T:
    """Read plain data by a model and make something of it, every refusal with its place."""
    if not isinstance(data, Mapping):
        raise MalformedInput(f"{place}: a {what} is a mapping of keys, got {type(data).__name__}")
    try:
        return make(model.model_validate(data))
    except ValidationError as error:
        raise MalformedInput(f"{place}: {_explained(error, model)}") from error
    except ValueError as error:
        raise MalformedInput(f"{place}: {error}") from error


def grader_terms(written: Any) -> GraderTerms:
    """Read `{kind: terms}`; raises `ValueError`."""
    if not isinstance(written, Mapping) or len(written) != 1:
        raise ValueError(f"a grader is one `kind: terms`, got {written!r:.80}")
    ((kind, terms),) = written.items()
    return GraderTerms(kind=str(kind), terms=terms if isinstance(terms, Mapping) else {"": terms})


def written_case(case: Case) -> dict[str, Any]:
    """A case as plain data in the order people read it, without what says nothing."""
    found: dict[str, Any] = {"id": case.id}
    if case.kind is not CaseKind.TURN:
        found["kind"] = case.kind.value
    if case.rule is not CaseRule.ORDINARY:
        found["rule"] = case.rule.value
    for name in ("topic", "failure_mode", "what_was_wrong", "source"):
        found[name] = getattr(case, name)
    found["channel"] = case.channel
    found["tags"] = list(case.tags)
    found["messages"] = [_written_message(message) for message in case.messages]
    found["contact"] = _without_nothing(plain(case.contact))
    found["sources"] = [_without_nothing(plain(source)) for source in case.sources]
    found["tools"] = [_without_nothing(plain(tool)) for tool in case.tools]
    if case.customer is not None:
        found["customer"] = _written_customer(case.customer)
    if case.recorded is not None:
        recorded = _without_nothing(plain(case.recorded))
        if case.recorded.is_good is not None:
            recorded["good"] = case.recorded.is_good
        recorded.pop("is_good", None)
        found["recorded"] = recorded
    found["graders"] = [
        {one.kind: one.terms[""] if set(one.terms) == {""} else dict(one.terms)} for one in case.graders
    ]
    return {key: value for key, value in found.items() if value not in (None, [], {}, "")}


def _written_customer(customer: Customer) -> dict[str, Any]:
    written = _without_nothing(plain(customer))
    if customer.script:
        written["script"] = {
            name: _without_nothing({**plain(state), "then": [_without_nothing(plain(step)) for step in state.then]})
            for name, state in customer.script.items()
        }
    return written


def _message(written: dict[str, Any]) -> ChatMessage:
    if len(written) == 1 and next(iter(written)) in _SPOKEN:
        ((role, content),) = written.items()
        written = {"role": role, "content": content}
    try:
        return MessageIn.model_validate(written).record()
    except ValidationError as error:
        raise ValueError(f"messages: {explain(error)}") from error


def _written_message(message: ChatMessage) -> dict[str, Any]:
    if message.role in _SPOKEN and not message.tool_calls and message.content is not None and message.name is None:
        return {message.role: message.content}
    form: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        form["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.tool_calls
        ]
    return _without_nothing(form | {"tool_call_id": message.tool_call_id, "name": message.name})


def _without_nothing(data: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in data.items() if value not in (None, [], {}, (), False)}


def _explained(error: ValidationError, model: type[BaseModel]) -> str:
    first = error.errors(include_url=False)[0]
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        unknown = str(first["loc"][0])
        names = [field.alias or name for name, field in model.model_fields.items()]
        near = process.extractOne(unknown, names)
        hint = f"; did you mean {near[0]!r}?" if near and near[1] >= 60 else f"; there is {', '.join(names)}"
        return f"unknown key {unknown!r}{hint}"
    return explain(error)
