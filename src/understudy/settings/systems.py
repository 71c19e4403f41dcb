"""Systems of record: what the business knows of its customers, and its tickets, described here or by a preset; it opens none."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, SecretStr, model_validator

from understudy.records.facts import ABOUT, About
from understudy.records.systems import SystemShape
from understudy.settings.section import Section

Preset = Literal["chatwoot", "hubspot", "request_tracker", "salesforce", "zendesk"]


class System(SystemShape, Section):
    """A system of record over a REST interface: a vendor's by its preset, whose parts may be written anew, or any other."""

    preset: Preset | None = Field(None, description="whose description is shipped; default: all of it stands here")
    credentials: dict[str, SecretStr] = Field({}, description="the same as `values` for what nobody may read")
    reads: list[About] = Field(
        list(ABOUT), description="what is looked up before the agent drafts, as far as the system can be asked for it"
    )
    channels: list[str] = Field([], description="customers of these channels alone are looked up; empty = of all")
    believes: list[str] = Field(
        [],
        description="channels whose provider has verified the e-mail address and phone number that it tells of a customer",
    )
    fresh_s: float = Field(300.0, gt=0, description="so long after it was read a fact may be relied on")
    timeout_s: float = Field(4.0, gt=0, le=30, description="for one look-up; all of them are made at once")
    per_minute_max: int | None = Field(None, ge=1, description="look-ups a minute from one process; more are unknown")
    hand_offs: bool = Field(False, description="true: a ticket is opened for every hand-off")
    assignee: str = Field("", description="who is given that ticket, as the system names them; empty = nobody")
    tells: list[Literal["note", "assign", "close"]] | None = Field(
        None,
        description="what such a ticket is told once its hand-off is over: a note of what was answered, that it is given to "
        "whoever took the conversation (see `people`), that it is closed; default: a note, where the system takes one",
    )
    people: dict[str, str] = Field({}, description="your users' names = as the system names them, to give them tickets")
    over: Literal["answered", "handed_back"] = Field(
        "answered",
        description="when a hand-off is over: as soon as a person answered and nobody waits, or when the agent answers again; "
        "until then what the customer writes opens no further ticket",
    )

    @model_validator(mode="after")
    def _is_something(self) -> System:
        if self.preset is None and not self.given():
            raise ValueError("give a preset, or describe how the system is asked")
        if "assign" in (self.tells or ()) and not self.people:
            raise ValueError("tells names assign, so say in people whom the system calls what")
        return self

    def given(self) -> dict[str, Any]:
        """The parts of the shape that are written here."""
        names = SystemShape.model_fields.keys() & self.model_fields_set - {"values"}
        return {name: getattr(self, name) for name in names}
