"""The section `[summaries]`: whether a language model puts hand-offs in a few lines for the people who get them."""

from __future__ import annotations

from pydantic import Field, SecretStr

from understudy.settings.section import Section


class SummarySettings(Section):
    """A language model behind an OpenAI-compatible endpoint. It is shown the customer's words and what systems said of them."""

    base_url: str = Field(description="up to and including /v1")
    model: str = Field(description="the model's name")
    api_key: SecretStr | None = Field(None, description="better set by environment or *_FILE")
    prompt: str | None = Field(None, description="what it is told to write, in place of the built-in words")
    language: str = Field("English", min_length=1, description="what it writes in")
    headers: dict[str, str] = Field({}, description="sent with each request")
    deadline_s: float = Field(15.0, gt=0, le=120, description="for one answer; it is asked twice at most")
    per_hour_max: int = Field(500, ge=1, description="questions per hour and process; beyond it nothing is asked")
