"""Untrusted text made safe to look at: nothing in it reaches the terminal as a command, and nothing hides.

Customers, documents and agents write what they like: escape sequences that move the cursor, letters that turn the
reading direction, invisible letters that carry instructions. A reviewer must see that they are there.
"""

from __future__ import annotations

import unicodedata

from rich.text import Text

_HARMLESS_INVISIBLE = frozenset("\u200c\u200d")  # joiners, which several scripts and emoji need
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})
_CONTROL_PICTURES = 0x2400


def visible(text: str) -> str:
    """Return `text` with line breaks kept, tabs as spaces, and every other control or invisible character shown.

    C0 controls become their control pictures (escape is ␛), all else the code point: «U+202E».
    """
    return "".join(map(_visible_character, text.replace("\r\n", "\n")))


def shown(text: str, style: str = "") -> Text:
    """Return `text` as rich text in which no markup, emoji code or control character is interpreted."""
    return Text(visible(text), style=style)


def shortened(text: str, chars_max: int) -> Text:
    """Return `text` safe to look at, cut at `chars_max` with a note of how much is missing."""
    if len(text) <= chars_max:
        return shown(text)
    cut = shown(text[:chars_max].rstrip())
    return cut.append(f" … ({len(text) - chars_max} more characters, m shows all)", style="dim")


def _visible_character(character: str) -> str:
    if character == "\n" or character in _HARMLESS_INVISIBLE:
        return character
    if character == "\t":
        return "    "
    code = ord(character)
    if code < 0x20:
        return chr(_CONTROL_PICTURES + code)
    if code == 0x7F:
        return "␡"
    if unicodedata.category(character) in _HIDDEN_CATEGORIES:
        return f"«U+{code:04X}»"
    return character
