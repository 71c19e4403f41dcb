"""Tell in which language a text is written, by its small words and its script; it translates nothing.

It knows the languages of `lexicons/languages.toml` and the scripts below. A short text, or one of names and numbers,
is in no language that could be told, and then nothing follows from it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Final

UNKNOWN: Final = "und"
"""A text with enough words to tell, of which none is known (the ISO 639-2 code for undetermined)."""

WORDS_MIN: Final = 4
"""A text of fewer words is in no language that could be told."""
LOOKED_AT_CHARS: Final = 2_000
_SHARE_MIN: Final = 0.12
_UNKNOWN_WORDS_MIN: Final = 8
_SCRIPT_SHARE_MIN: Final = 0.5

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)?")
_NOT_WORDS = re.compile(r"https?://\S+|(?<!\S)(?=\S*[\d@])\S+")
_SCRIPTS: Final = (
    ("el", re.compile("[\u0370-\u03ff]")),
    ("ru", re.compile("[\u0400-\u04ff]")),
    ("he", re.compile("[\u0590-\u05ff]")),
    ("ar", re.compile("[\u0600-\u06ff]")),
    ("hi", re.compile("[\u0900-\u097f]")),
    ("th", re.compile("[\u0e00-\u0e7f]")),
    ("ja", re.compile("[\u3040-\u30ff]")),
    ("ko", re.compile("[\uac00-\ud7af]")),
    ("zh", re.compile("[\u4e00-\u9fff]")),
)
"""Scripts that are one language's, or stand for the languages that share them."""
_NOT_LATIN = re.compile("[" + "".join(script.pattern[1:-1] for _, script in _SCRIPTS) + "]")
_LETTER = re.compile(r"[^\W\d_]")


def _read() -> Mapping[str, frozenset[str]]:
    text = files("understudy.assessment").joinpath("lexicons", "languages.toml").read_text(encoding="utf-8")
    return {language: frozenset(words.split()) for language, words in tomllib.loads(text).items()}


def _languages_by_word() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for language, small_words in SMALL_WORDS.items():
        for word in small_words:
            found[word] = (*found.get(word, ()), language)
    return found


SMALL_WORDS: Final = _read()
_LANGUAGES_OF: Final = _languages_by_word()


def language_of(text: str) -> str | None:
    """Name the language by its ISO 639-1 code, `UNKNOWN` where no word of enough is known, None where that is too few."""
    looked_at = text[:LOOKED_AT_CHARS]
    if not looked_at.isascii():
        script = _script_of(looked_at)
        if script is not None:
            return script
    words = [word.replace("\u2019", "'") for word in _WORD.findall(_NOT_WORDS.sub(" ", looked_at).lower())]
    if len(words) < WORDS_MIN:
        return None
    counts = dict.fromkeys(SMALL_WORDS, 0)
    for word in words:
        for language in _LANGUAGES_OF.get(word, ()):
            counts[language] += 1
    (best, hits), (_, next_hits) = sorted(counts.items(), key=lambda item: -item[1])[:2]
    if hits >= max(2, _SHARE_MIN * len(words)):
        return best if hits > next_hits else None
    return UNKNOWN if hits == 0 and len(words) >= _UNKNOWN_WORDS_MIN else None


def _script_of(text: str) -> str | None:
    """Name the language whose script most letters are in, if one is not Latin."""
    if not _NOT_LATIN.search(text):
        return None
    letters = len(_LETTER.findall(text))
    for language, script in _SCRIPTS:
        found = len(script.findall(text))
        if found >= 2 and found >= _SCRIPT_SHARE_MIN * letters:
            return language
    return "ja" if _SCRIPTS[6][1].search(text) and _SCRIPTS[8][1].search(text) else None
