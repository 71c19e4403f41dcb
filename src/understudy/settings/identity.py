"""How customers prove who they are; what follows from it stands in no setting."""

from __future__ import annotations

from pydantic import Field

from understudy.settings.section import Section


class Identity(Section):
    """How customers prove who they are."""

    code_reply: str | None = Field(
        None, description="safe reply with {code} in its text, by which one-time codes are sent; without one none are"
    )
    code_minutes: float = Field(10.0, ge=1, le=60, description="for so long a code is good, in minutes")
    code_by_rule: bool = Field(
        True,
        description="a code is sent to a known address when who names it asks for what stands in an account; false: only when a person asks for it",
    )
