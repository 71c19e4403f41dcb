"""How an action is asked of a system of record, as data: the call, what answers mean, the read-back, the compensation.

Requests and answers have the shapes of REST channels (`rest.py`). A text of a body that is one placeholder and nothing
else becomes the argument as it is, a number or a table; where the action has no such argument, it is left out.
Conditions are asked of a table:

    answer       {"status", "headers", "body"}
    read_back    {"arguments", "key", "answer", "status", "headers", "body"}
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import Field

from understudy.records.json_paths import Condition, Path
from understudy.records.rest import AnswerShape, Part, RequestShape

OF_THE_ACTION: Final = frozenset({"key", "contact", "conversation", "turn", "approved_by"})
"""Placeholders that every action has, besides those for its arguments by their names, its `values` and credentials."""


class CallShape(RequestShape):
    """The request that carries the action out, or makes up for it. Its key stands where a template says {key}, or in `key_header`."""

    key_header: str | None = Field(None, description="a header that carries the action's key, the same on each try")
    honours_keys: bool = Field(False, description="true: asked twice under one key, the system does it once")
    answer: AnswerShape = Field(AnswerShape(), description="what its answers mean")


class ReadBackShape(RequestShape):
    """The request that sees what became of an action; it changes nothing."""

    method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"] = Field("GET", description="of the request")
    is_done: Condition = Field(description="condition for: it was done, and as it should be")
    not_done: Condition | None = Field(
        None, description="condition for: it certainly was not done; without one nobody can tell"
    )


class ActionCalls(Part):
    """All requests of one action."""

    call: CallShape = Field(description="the request that carries it out")
    read_back: ReadBackShape | None = Field(
        None, description="the request that sees what became of it; without one the answer to the call has to do"
    )
    compensation: CallShape | None = Field(None, description="the request that makes up for it")
    values_of: dict[str, Path] = Field(
        {}, description="further placeholders, each with the path of its value in the arguments"
    )

    def unknown_placeholders(self, known: Any) -> frozenset[str]:
        """Placeholders of its requests that nobody gives a value."""
        requests = [one for one in (self.call, self.read_back, self.compensation) if one is not None]
        wanted = frozenset(name for request in requests for name in request.wanted())
        return wanted - OF_THE_ACTION - self.values_of.keys() - frozenset(known)
