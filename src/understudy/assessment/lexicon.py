"""What customers and agents say, by language, as data: files of patterns read once; it judges no conversation.

A lexicon is a file `lexicons/LANGUAGE.toml`. The patterns of all languages that have one are tried on every text: a
customer who writes half a sentence in a second language is heard too.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from rapidfuzz.distance import OSA

LANGUAGES_FILE: Final = "languages.toml"
LOOKED_AT_CHARS: Final = 20_000
"""Of a longer text the beginning and the end, half of this each, are looked at."""
_FRAGMENT = re.compile(r"%(\w+)%")
_LETTERS = re.compile(r"[^\W\d_]+")
_WORD = re.compile(r"[^\W\d_]{5,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """One language's patterns by kind, for text that `plain` gave; a kind that a language lacks is never found in it.

    `hints` are first letters, at most three, of which a word has one in every wish; none = they are not known.
    `spelled` are the words of a wish that are also known with a slip of the pen, unless that makes one of `not_misspelled`.
    """

    language: str
    kinds: Mapping[str, re.Pattern[str]]
    wish_alone: re.Pattern[str]
    wish_unless_before: re.Pattern[str]
    hints: frozenset[str] = frozenset()
    spelled: tuple[str, ...] = ()
    not_misspelled: frozenset[str] = frozenset()

    def corrected(self, text: str) -> str | None:
        """The text with each slip of the pen in a word of a wish mended; None where there is none."""
        if not self.spelled:
            return None
        mended = _WORD.sub(self._mended, text)
        return None if mended == text else mended

    def _mended(self, match: re.Match[str]) -> str:
        word = match[0]
        if word in self.not_misspelled or word in self.spelled:
            return word
        alike = (
            right
            for right in self.spelled
            if right[0] == word[0]
            and abs(len(right) - len(word)) <= 1
            and OSA.distance(right, word, score_cutoff=1) == 1
        )
        return next(alike, word)


def plain(text: str) -> str:
    """Make a text fit for the patterns: lower case, straight apostrophes, no invisible letters, not too long."""
    if len(text) > LOOKED_AT_CHARS:
        text = f"{text[: LOOKED_AT_CHARS // 2]}\n{text[-LOOKED_AT_CHARS // 2 :]}"
    text = text.lower()
    if text.isascii():
        return text
    text = text.replace("\u2019", "'")  # the usual one, and quicker by itself
    return text.translate(_PLAIN) if _ODD.search(text) else text


def beginnings(text: str) -> frozenset[str]:
    """The first letters of each word of a text that `plain` gave, at most three."""
    return frozenset(word[:3] for word in _LETTERS.findall(text))


_PLAIN: Final = {
    **dict.fromkeys(map(ord, "\u2018\u2019\u02bc\u00b4"), "'"),
    **dict.fromkeys(map(ord, "\u00a0\u2007\u2009\u202f\u3000"), " "),
    **dict.fromkeys([0xAD, 0x2060, 0xFEFF, *range(0x200B, 0x2010)], None),
    **{0xFF01 + place: chr(0x21 + place) for place in range(94)},
    **{
        wide: narrow
        for alphabet in (
            "\u0430a\u0435e\u043eo\u0440p\u0441c\u0443y\u0445x\u0456i\u0455s",
            "\u03bfo\u03b1a\u03b9i\u03c1p",
        )
        for wide, narrow in zip(map(ord, alphabet[::2]), alphabet[1::2], strict=True)
    },
}
"""Letters that only look like others: full width, and the Cyrillic and Greek ones that pass for Latin."""
_ODD = re.compile("[" + "".join(re.escape(chr(code)) for code in _PLAIN) + "]")


def read(language: str, text: str) -> Lexicon:
    """Read a lexicon from TOML; raises `ValueError` that names the kind and the pattern that is no regular expression."""
    given = tomllib.loads(text)
    fragments: dict[str, str] = given.pop("fragments", {})
    kinds = {kind: _compiled(language, kind, part.get("patterns", ""), fragments) for kind, part in given.items()}
    wish = given.get("wish", {})
    return Lexicon(
        language=language,
        kinds=kinds,
        wish_alone=_compiled(language, "wish.bare", wish.get("bare", ""), fragments),
        wish_unless_before=_compiled(language, "wish.unless_before", wish.get("unless_before", ""), fragments),
        hints=frozenset(wish.get("hints", "").split()),
        spelled=tuple(wish.get("spelled", "").split()),
        not_misspelled=frozenset(wish.get("not_misspelled", "").split()),
    )


def _compiled(language: str, kind: str, lines: str, fragments: Mapping[str, str]) -> re.Pattern[str]:
    patterns = [_filled(line, fragments) for line in lines.split("\n") if line]
    for pattern in patterns:
        try:
            re.compile(pattern)
        except re.error as error:
            raise ValueError(f"lexicon {language}, {kind}: {pattern!r} is no regular expression: {error}") from error
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns) or r"(?!)")


def _filled(line: str, fragments: Mapping[str, str]) -> str:
    """Put fragments in the place of their names, and fragments of fragments."""
    for _ in fragments:
        line = _FRAGMENT.sub(lambda match: fragments.get(match[1], match[0]), line)
    return line


def _shipped() -> Iterator[Lexicon]:
    for file in sorted(files("understudy.assessment").joinpath("lexicons").iterdir(), key=lambda file: file.name):
        if file.name.endswith(".toml") and file.name != LANGUAGES_FILE:
            yield read(file.name.removesuffix(".toml"), file.read_text(encoding="utf-8"))


LEXICONS: Final = tuple(_shipped())
WISH_LANGUAGES: Final = frozenset(lexicon.language for lexicon in LEXICONS if "wish" in lexicon.kinds)
"""The languages in which the wish for a person is heard."""
SIGNS: Final = ("wish", "self_harm", "threat", "vulnerable", "fraud", "legal_threat", "complaint", "anger")
LANGUAGES: Final = frozenset(lexicon.language for lexicon in LEXICONS if lexicon.kinds.keys() >= {*SIGNS})
"""The languages in which customers are understood: every sign that they need a person is."""


def says(kind: str, text: str) -> bool:
    """Whether a text that `plain` gave says something of a kind in any language."""
    return any(kind in lexicon.kinds and lexicon.kinds[kind].search(text) for lexicon in LEXICONS)


def how_many_say(kind: str, texts: Iterable[str]) -> int:
    """Count the texts that say something of a kind."""
    return sum(says(kind, text) for text in texts)
