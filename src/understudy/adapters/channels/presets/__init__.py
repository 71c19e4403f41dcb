"""The shapes of services that many use, a TOML file each; what a file says is described in docs/reference/settings.md."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Final

from understudy.records.rest_notes import DeskShape

PRESETS: Final = (
    "chatwoot", "intercom", "kannel", "sinch_conversation", "sinch_sms", "slack", "twilio", "whatsapp_cloud", "zendesk",
)  # fmt: skip
"""Their names, which are the `kind` of a channel too."""


EXAMPLES: Final = ("email", "matrix")
"""Kinds of channels that no shape describes; their files show how one is configured."""


def text_of(name: str) -> str:
    """The file of a preset as it stands."""
    return files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")


def example_of(kind: str) -> str:
    """How a channel of a kind is configured, to copy."""
    return text_of(kind)


def shape_of(name: str) -> DeskShape:
    """The shape that a preset describes."""
    return DeskShape.model_validate(tomllib.loads(text_of(name)))
