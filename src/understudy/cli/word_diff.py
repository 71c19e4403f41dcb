"""What a reviewer changed, word by word; it compares and marks, and knows nothing of drafts.

The marks are signs as well as colours, so that the difference can be read without colour: [-gone-] {+new+}.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from rich.text import Text

from understudy.cli.plain_text import shown

WORDS_MAX = 4_000
"""Texts with more words than this are compared line by line: comparing words takes quadratic time."""

_WORDS = re.compile(r"\s+|\S+")
_LINES = re.compile(r".*\n|.+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A stretch of text that both have, that only the first has, or that only the second has."""

    kind: Literal["same", "gone", "new"]
    text: str


def changes(before: str, after: str) -> tuple[Change, ...]:
    """Compare two texts. All but the new stretches spell `before`, all but the gone ones spell `after`."""
    first, second = _WORDS.findall(before), _WORDS.findall(after)
    if max(len(first), len(second)) > WORDS_MAX:
        first, second = _LINES.findall(before), _LINES.findall(after)
    found: list[tuple[str, str]] = []  # what is gone, what is new; equal stretches have the same on both sides
    for tag, i, j, k, m in SequenceMatcher(None, first, second, autojunk=False).get_opcodes():
        gone, new = "".join(first[i:j]), "".join(second[k:m])
        if tag == "equal" and not gone.isspace():
            found.append((gone, new))
        elif found and found[-1][0] != found[-1][1]:
            found[-1] = (found[-1][0] + gone, found[-1][1] + new)  # a lone space between two changes joins them
        else:
            found.append((gone, new))
    return tuple(change for gone, new in found for change in _changes(gone, new))


def word_diff(before: str, after: str) -> Text:
    """Compare two texts and mark the difference for a terminal."""
    text = Text()
    for change in changes(before, after):
        match change.kind:
            case "same":
                text.append_text(shown(change.text))
            case "gone":
                text.append_text(Text("[-", style="bold red")).append_text(shown(change.text, "red strike"))
                text.append("-]", style="bold red")
            case "new":
                text.append_text(Text("{+", style="bold green")).append_text(shown(change.text, "green underline"))
                text.append("+}", style="bold green")
    return text


def _changes(gone: str, new: str) -> tuple[Change, ...]:
    if gone == new:
        return (Change(kind="same", text=gone),)
    pair = (Change(kind="gone", text=gone), Change(kind="new", text=new))
    return tuple(change for change in pair if change.text)
