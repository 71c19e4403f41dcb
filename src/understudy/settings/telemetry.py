"""What the product tells of itself: the section `[telemetry]`; it tells nothing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.settings.section import Section


class TelemetrySettings(Section):
    """What the product tells of itself."""

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level written")
    log_form: Literal["json", "console"] = Field("json", description="one JSON object a line, or for people")
    otlp_endpoint: str | None = Field(None, description="OTLP/HTTP base URL; needs understudy[otel]")
