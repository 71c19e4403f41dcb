"""Which reader takes a file: the one the user names, else the one its name and first value call for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any, Final

from understudy.backtest.histories import chatwoot, langfuse, openai_logs, tables, turn_records
from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.ratings import PLAIN, Meaning
from understudy.backtest.histories.source import Source
from understudy.errors import ConfigurationError, MalformedInput


class Format(StrEnum):
    """The forms of history that are read."""

    TURNS = "turns"
    OPENAI = "openai"
    LANGFUSE = "langfuse"
    CHATWOOT = "chatwoot"
    CSV = "csv"


TABLE_ENDINGS: Final = frozenset({".csv", ".tsv"})


def read(
    source: Source, kind: Format, *, meaning: Meaning = PLAIN, columns: Mapping[str, str] | None = None
) -> Iterator[Labelled]:
    """Read the file in the given form; may be called again. Raises `MalformedInput` at what is not of that form."""
    if columns and kind is not Format.CSV:
        raise ConfigurationError(f"--columns is for CSV, and {source.name} is read as {kind.value}")
    match kind:
        case Format.TURNS:
            return turn_records.read(source)
        case Format.OPENAI:
            return openai_logs.read(source, meaning)
        case Format.LANGFUSE:
            return langfuse.read(source, meaning)
        case Format.CHATWOOT:
            return chatwoot.read(source, meaning)
        case Format.CSV:
            return tables.read(source, meaning, columns or {})


def recognised(source: Source) -> Format:
    """The form of a file; raises `MalformedInput` that lists the forms where it is none of them."""
    if TABLE_ENDINGS & set(source.suffixes):
        return Format.CSV
    try:
        first = next((value for _, value in source.values()), None)
    except MalformedInput:
        return _of_text(source)
    if first is None:
        raise MalformedInput(f"{source.name} holds nothing; see `understudy backtest --help` for what it may hold")
    found = _of_value(first)
    if found is None:
        keys = ", ".join(sorted(map(str, first))[:12]) if isinstance(first, dict) else type(first).__name__
        raise MalformedInput(
            f"{source.name}: none of {', '.join(Format)} looks like this ({keys}); name the form with --format"
        )
    return found


def _of_text(source: Source) -> Format:
    """A text that begins with no JSON: CSV where its first line has the separators, else turn records, for their error."""
    with source.text() as text:
        head = text.readline(64_000)
    is_json = head.lstrip()[:1] in ("{", "[")
    return Format.CSV if not is_json and any(separator in head for separator in ",;\t") else Format.TURNS


def _of_value(value: Any) -> Format | None:
    if not isinstance(value, dict):
        return None
    if "draft" in value:
        return Format.TURNS
    text = {key for key in value if isinstance(key, str)}
    if text & {"observations", "traceId", "trace_id", "trace"} or {"input", "output", "timestamp"} <= text:
        return Format.LANGFUSE
    inner = value.get("data", value)
    messages = inner.get("payload", inner.get("messages")) if isinstance(inner, dict) else inner
    first = messages[0] if isinstance(messages, list) and messages else None
    if isinstance(first, dict):
        if "message_type" in first or ("messages" in first and "role" not in first) or "conversation_id" in first:
            return Format.CHATWOOT
        if "role" in first:
            return Format.OPENAI
    if "rating" in text and "conversation_id" in text and "messages" not in text:
        return Format.CHATWOOT
    return Format.OPENAI if text & {"messages", "choices", "request"} else None
