"""The shapes of systems that many use, a TOML file each; what a file says is described in docs/reference/settings.md."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Final

from understudy.records.systems import SystemShape

PRESETS: Final = ("chatwoot", "hubspot", "request_tracker", "salesforce", "zendesk")
"""Their names, as `preset` of a system gives them."""


def text_of(name: str) -> str:
    """The file of a preset as it stands."""
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def shape_of(name: str) -> SystemShape:
    """The shape that a preset describes."""
    return SystemShape.model_validate(tomllib.loads(text_of(name)))
