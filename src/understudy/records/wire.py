"""The public form of drafts and turn records (JSON), and its translation to records; it reads no file and no socket.

One shape serves `POST /draft`, `POST /v1/turns`, `understudy check` and exports. Messages follow the OpenAI chat
format. Unknown fields are accepted, so that exports of other systems can be read; fields we know must fit their type.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AliasChoices, BaseModel, ConfigDict, Field, ValidationError

from understudy.errors import MalformedInput
from understudy.records.codec import explain
from understudy.records.evidence import Action, ChatMessage, ContactFacts, Draft, Passage, PipelineStep, Role, ToolCall
from understudy.records.review import VerdictKind

M = TypeVar("M", bound=BaseModel)

TEXT_CHARS_MAX = 100_000
MESSAGES_MAX = 2_000
NAME_CHARS_MAX = 2_000
CONTACT_ITEMS_MAX = 50


def _in_utc(moment: datetime) -> datetime:
    """Read a time without zone as UTC, and show any other in UTC."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("must lie within the years 1 to 9999 in UTC") from error


Moment = Annotated[datetime, Field(strict=False), AfterValidator(_in_utc)]


class _Wire(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", populate_by_name=True)


class SourceIn(_Wire):
    """A passage the draft rests on; `quote` is accepted for `text`."""

    id: str = Field(max_length=500)
    text: str = Field(default="", validation_alias=AliasChoices("text", "quote"), max_length=TEXT_CHARS_MAX)
    title: str | None = None
    url: str | None = None
    score: float | None = Field(default=None, allow_inf_nan=False)


class ToolUseIn(_Wire):
    """A tool call the agent made for this draft, with what came back; `args` is accepted for `arguments`."""

    id: str = ""
    name: str
    arguments: Any = Field(default_factory=dict, validation_alias=AliasChoices("arguments", "args"))
    result: Any = None
    error: str | None = None


class ActionIn(_Wire):
    """A side effect the agent proposes; it is held with the draft."""

    name: str
    arguments: dict[str, Any] = Field(default_factory=dict, validation_alias=AliasChoices("arguments", "args"))


class PipelineStepIn(_Wire):
    """One step of the agent's pipeline log."""

    name: str
    model: str | None = None
    version: str | None = None
    took_ms: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    input: str | None = None
    output: str | None = None
    from_steps: list[str] = []


class DraftIn(_Wire):
    """What the agent proposes to send."""

    text: str = Field(max_length=TEXT_CHARS_MAX)
    sources: list[SourceIn] = []
    tool_calls: list[ToolUseIn] = []
    actions: list[ActionIn] = []
    confidence: float | None = Field(default=None, ge=0, le=1, allow_inf_nan=False)
    topic: str | None = None
    handoff: bool = False
    does_not_know: bool = False
    finish_reason: str | None = None
    agent: str | None = None
    agent_version: str | None = None
    pipeline: list[PipelineStepIn] = []
    cost: float | None = Field(default=None, ge=0, allow_inf_nan=False)

    def record(self, *, agent: str, agent_version: str | None = None) -> Draft:
        """Translate to a record; `agent` and `agent_version` fill in where the draft does not say."""
        return Draft(
            text=self.text,
            sources=tuple(Passage(**source.model_dump()) for source in self.sources),
            tool_calls=tuple(_tool_use(call, number) for number, call in enumerate(self.tool_calls)),
            actions=tuple(Action(**action.model_dump()) for action in self.actions),
            confidence=self.confidence,
            topic=self.topic,
            handoff=self.handoff,
            does_not_know=self.does_not_know,
            finish_reason=self.finish_reason,
            cost=self.cost,
            agent=self.agent or agent,
            agent_version=self.agent_version or agent_version,
            pipeline=tuple(
                PipelineStep(**{**step.model_dump(), "from_steps": tuple(step.from_steps)}) for step in self.pipeline
            ),
        )


class FunctionIn(_Wire):
    """The function part of an OpenAI tool call."""

    name: str
    arguments: Any = "{}"


class ToolCallIn(_Wire):
    """A tool call inside an assistant message."""

    id: str = ""
    function: FunctionIn


class ContentPartIn(_Wire):
    """One part of a message whose content is a list; only text parts are read."""

    type: str
    text: str | None = None


class MessageIn(_Wire):
    """One message in the OpenAI chat format."""

    role: Role
    content: str | list[ContentPartIn] | None = None
    tool_calls: list[ToolCallIn] | None = None
    tool_call_id: str | None = None
    name: str | None = None

    def record(self) -> ChatMessage:
        """Translate to a record; parts of a list content are joined by line breaks."""
        content = self.content
        if isinstance(content, list):
            content = "\n".join(part.text for part in content if part.text)
        calls = tuple(
            ToolCall(id=call.id, name=call.function.name, arguments=_as_text(call.function.arguments))
            for call in self.tool_calls or []
        )
        return ChatMessage(
            role=self.role, content=content, tool_calls=calls, tool_call_id=self.tool_call_id, name=self.name
        )


class ContactIn(_Wire):
    """Who the customer is, as the caller or its system of record knows them."""

    id: str | None = Field(default=None, max_length=NAME_CHARS_MAX)
    name: str | None = Field(default=None, max_length=NAME_CHARS_MAX)
    emails: list[str] = Field(default=[], max_length=CONTACT_ITEMS_MAX)
    phones: list[str] = Field(default=[], max_length=CONTACT_ITEMS_MAX)
    tags: list[str] = Field(default=[], max_length=CONTACT_ITEMS_MAX)


class VerdictIn(_Wire):
    """What a person decided on the draft, in a labelled history."""

    action: VerdictKind = Field(strict=False)
    text: str | None = None
    severity: float | None = Field(default=None, ge=0, le=1)
    reasons: list[str] = []
    reviewer: str | None = None
    at: Moment | None = None


class TurnRecord(_Wire):
    """One turn as a line of a file or the body of `POST /v1/turns`; `messages` end before the draft."""

    id: str = Field(min_length=1, max_length=NAME_CHARS_MAX)
    messages: list[MessageIn] = Field(min_length=1, max_length=MESSAGES_MAX)
    draft: DraftIn
    conversation_id: str | None = Field(default=None, max_length=NAME_CHARS_MAX)
    channel: str = Field(default="api", max_length=100)
    topic: str | None = Field(default=None, max_length=200)
    agent_version: str | None = None
    at: Moment | None = None
    contact: ContactIn | None = None
    verdict: VerdictIn | None = None

    def chat(self) -> tuple[ChatMessage, ...]:
        """The messages as records."""
        return tuple(message.record() for message in self.messages)

    def draft_record(self) -> Draft:
        """The draft as a record."""
        return self.draft.record(agent=self.draft.agent or "unnamed", agent_version=self.agent_version)

    def contact_facts(self) -> ContactFacts:
        """What is known of the customer, as a record."""
        if self.contact is None:
            return ContactFacts()
        given = self.contact
        return ContactFacts(
            id=given.id,
            name=given.name,
            emails=tuple(given.emails),
            phones=tuple(given.phones),
            tags=tuple(given.tags),
        )

    def moment(self) -> datetime | None:
        """When the turn took place, in UTC; a time without zone is read as UTC."""
        return self.at


def parse_turn_record(line: str | bytes) -> TurnRecord:
    """Read one turn record from JSON; raises `MalformedInput` that names the field, the value and what to do."""
    return _parse(TurnRecord, line, "turn record")


def parse_draft(body: str | bytes, *, agent: str, agent_version: str | None = None) -> Draft:
    """Read a draft from JSON; raises `MalformedInput` that names the field, the value and what to do."""
    return _parse(DraftIn, body, "draft").record(agent=agent, agent_version=agent_version)


def burst_length(messages: tuple[ChatMessage, ...]) -> int:
    """Count the messages from the first that the draft answers to the end: the customer's last, and the agent's tool
    traffic after them."""
    length = 0
    for place, message in enumerate(reversed(messages), start=1):
        if message.role == "user":
            length = place
        elif length or not (message.role == "tool" or (message.role == "assistant" and message.tool_calls)):
            break
    return length


def _parse(model: type[M], text: str | bytes, name: str) -> M:
    try:
        return model.model_validate_json(text)
    except ValidationError as error:
        raise MalformedInput(f"not a {name}: {explain(error)}") from error
    except UnicodeDecodeError as error:
        raise MalformedInput(f"not a {name}: not UTF-8 at byte {error.start}") from error


def _tool_use(call: ToolUseIn, number: int) -> ToolCall:
    return ToolCall(
        id=call.id or f"call-{number}",
        name=call.name,
        arguments=_as_text(call.arguments),
        result=None if call.result is None else _as_text(call.result),
        error=call.error,
    )


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
