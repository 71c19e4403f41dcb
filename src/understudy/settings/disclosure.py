"""How customers are told that an AI writes to them, as sections of the configuration; the words that are shipped stand in `disclosed`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from understudy.settings.section import Section


class DisclosureTextSettings(Section):
    """What is said in one language; a person approves it by writing it here."""

    text: str = Field(min_length=1, max_length=1_000, description="what customers read; {business} is its name")
    short: str | None = Field(
        None,
        min_length=1,
        max_length=100,
        description="said where the whole leaves no room for the reply on this channel; default: the text",
    )
    version: int = Field(1, ge=1, description="raise it with every change; the ledger has it beside the words")


class ChannelDisclosureSettings(Section):
    """What is otherwise on one channel."""

    shown: Literal["message", "elsewhere", "off"] = Field(
        "message",
        description="message: before the first reply of the agent; elsewhere: something of yours shows `elsewhere`; off: nobody is told",
    )
    elsewhere: str | None = Field(
        None, min_length=1, max_length=1_000, description="what stands there, for the ledger; with shown = elsewhere"
    )
    texts: dict[str, DisclosureTextSettings] = Field({}, description="words by language, before those of all channels")
    again_after_h: float | None = Field(None, ge=0, description="default: disclosure.again_after_h")


class DisclosureSettings(Section):
    """Customers are told that an AI writes to them: with its first reply, after somebody else wrote, and after a pause."""

    shown: Literal["message", "off"] = Field("message", description="off: nobody is told, unless a channel says it")
    again_after_h: float = Field(
        24.0, ge=0, description="said again once nothing was written to the customer for so long; 0 = not for that"
    )
    language: str = Field(
        "en", description="ISO 639-1 code, for customers whose language cannot be told or has no text"
    )
    texts: dict[str, DisclosureTextSettings] = Field(
        {}, description="words by language (ISO 639-1), in place of those that are shipped for it"
    )
    channels: dict[str, ChannelDisclosureSettings] = Field({}, description="what is otherwise, by channel")
