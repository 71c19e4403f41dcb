"""What the demo's customers say and when, read from the bundled `business/story.jsonl`; it plays nothing.

The lines are one timeline: each comes `after_s` seconds after the line before it, whatever conversation that was in.
A line with `wait_for` comes only once its conversation got so far.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from pydantic import TypeAdapter, ValidationError

Kind = Literal["easy", "unanswerable", "angry", "wants_person", "hostile", "burst", "card", "followup", "sensitive"]
"""*easy*: one passage answers it. *unanswerable*: no document covers it. *burst*: a part of several messages that make
one question. *card*: contains a payment card number. *followup*: a second question after an answer."""

KINDS: tuple[Kind, ...] = get_args(Kind)
TOPICS = (
    "delivery", "returns", "refunds", "payments", "sizing", "warranty", "repairs", "account", "stores", "gift_cards",
    "order_changes", "contact",
)  # fmt: skip
"""The topics of the bundled documents."""
WAIT_S_MAX = 5.0


class OffScript(AssertionError):
    """The story did not come to pass: somebody changed it, which whoever watches may, or the machine is too slow."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message of one customer.

    `after_s` in [0, 5] counts from the line before. `wait_for` "answered" waits until the customer's last turn got
    its reply, "held" until its draft waits for a reviewer. `note` says what should happen, and why. `expect_topic`
    is the topic of the documents that answer it (with a burst: on its last message).
    """

    conversation: str
    name: str
    after_s: float
    text: str
    kind: Kind
    note: str
    expect_topic: str | None = None
    wait_for: Literal["answered", "held"] | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.after_s <= WAIT_S_MAX:
            raise ValueError(f"after_s must be in [0, {WAIT_S_MAX}], got {self.after_s}")
        if not (self.conversation and self.name and self.text.strip() and self.note):
            raise ValueError("conversation, name, text and note must not be empty")
        if self.expect_topic is not None and self.expect_topic not in TOPICS:
            raise ValueError(f"expect_topic must be one of {', '.join(TOPICS)}, got {self.expect_topic!r}")


@cache
def load_story() -> tuple[Line, ...]:
    """Read the bundled story; see `parse_story`."""
    return parse_story(files(__package__).joinpath("business", "story.jsonl").read_text(encoding="utf-8"))


def parse_story(text: str) -> tuple[Line, ...]:
    """Read a story, one JSON object a line; raises `ValueError` that names the line which does not fit.

    Every conversation keeps its customer's name, and begins with a line that waits for nothing.
    """
    adapter = TypeAdapter(Line)
    lines: list[Line] = []
    names: dict[str, str] = {}
    for number, row in enumerate(text.splitlines(), start=1):
        try:
            data = json.loads(row)
            if unknown := set(data) - set(Line.__dataclass_fields__):
                raise ValueError(f"unknown fields {sorted(unknown)}")
            line = adapter.validate_python(data)
            if names.setdefault(line.conversation, line.name) != line.name:
                raise ValueError(f"conversation {line.conversation} is {names[line.conversation]}'s, got {line.name}")
            if line.wait_for and all(line.conversation != earlier.conversation for earlier in lines):
                raise ValueError(f"the first line of {line.conversation} cannot wait for {line.wait_for!r}")
        except (ValueError, TypeError, ValidationError) as error:
            raise ValueError(f"story line {number}: {error}") from error
        lines.append(line)
    return tuple(lines)
