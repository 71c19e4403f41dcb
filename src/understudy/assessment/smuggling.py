"""Forms that give smuggled instructions away: fixed phrases, role markers, hidden, encoded and look-alike characters.

It knows forms and no meanings; what only reads like an order is the business of `assessment/orders.py`. Every pattern
is bounded and is tried only where its hint occurs, so the time grows with the length of the text and not faster.
"""

from __future__ import annotations

import binascii
import re
import unicodedata
from collections.abc import Iterator
from itertools import islice
from typing import Final

from understudy.assessment.orders import MODEL, suspicion

_GIVEN = r"(?:(?:of|the|my|these|those) ){0,2}(?:all|any|your|previous|prior|above|earlier|preceding|initial|original|system) "
_ORDERS = rf"{_GIVEN}(?:\w+ ){{0,3}}(?:instruction|prompt|rule|guideline|direction|guardrail|restriction|programming)"
_MACHINE = r"(?:ai|llm|assistant|chat ?bot|bot|language model|model|agent)"
_SYSTEM_LINE = (
    r"^[\W_]{0,6}system(?: prompt| message)?[\])>*]{0,3}\s{0,3}:[\s*]{0,4}"
    r"(?:you|ignore|disregard|override|always|never|do|respond|reply|reveal|send|forget|new|important|instruct\w*|approve|"
    r"grant|issue|refund|the (?:user|customer|agent))\b"
)
ORDERS: Final[tuple[tuple[str, str], ...]] = (
    ("ignor", rf"\bignor(?:e|ing) {_ORDERS}"),
    ("disregard", rf"\bdisregard {_ORDERS}"),
    ("forget", rf"\bforget (?:{_ORDERS}|everything (?:above|before|you (?:were|have been) told))"),
    ("overrid", rf"\boverrid(?:e|ing) {_ORDERS}"),
    ("bypass", rf"\bbypass {_ORDERS}"),
    ("do not follow", rf"\bdo not follow {_ORDERS}"),
    ("new instructions", rf"\bnew instructions? for (?:the |an? )?{_MACHINE}|^[\W_]{{0,6}}new instructions?\s*:"),
    ("you are now", r"\byou are now (?:acting|dan\b|unrestricted|free (?:from|of|to)|in (?:developer|debug|admin|god) mode)"),
    ("you are now", rf"\byou are now (?:an? |the )(?:\w+ ){{0,3}}(?:{_MACHINE}|hacker|administrator|persona)\b"),
    ("from now on", r"\bfrom now on,? you (?:are (?:an? |the |no longer )|(?:must|will|should) (?:only|obey|answer|respond|act))"),
    ("act as", r"\bact as (?:an? )?(?:unrestricted|evil|dan\b|jailbroken|uncensored)"),
    ("system prompt", r"\b(?:reveal|print|show|repeat|output|tell|give|what (?:is|are)) (?:me )?(?:your|the) system prompt"),
    ("system", _SYSTEM_LINE),
    ("ai", r"\b(?:attention|note|message|instructions?) (?:to|for) (?:the |any |all )?(?:ai|llm|chatbot)\b"),
    ("<|", r"<\|(?:im_start|im_end|system|user|assistant|endoftext|start_header_id|eot_id)"),
    ("[inst]", r"\[/?inst\]"),
    ("<<sys>>", r"<<sys>>"),
    ("</", r"</(?:system|instructions?|context|user_message|tool_result)>"),
    ("![", r"!\[[^\]\n]{0,200}\]\(\s*(?:https?:)?//[^)\s]{0,400}[?&=]"),
)  # fmt: skip
"""What gives an order away: a substring to look for first, in lower case, and the pattern that must then fit."""
_PATTERNS = tuple((hint, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for hint, pattern in ORDERS)

_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007f]{1,16}")
_HIDDEN = re.compile("[\U000e0000-\U000e007f]|[\u202a-\u202e\u2066-\u2069]|[\u200b\u2060-\u2064\ufeff\u00ad]{3}")
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]"
)
_LONG = re.compile("[\u3300-\u33ff\ufdf0-\ufdff]")
"""Characters that stand for whole words; compatibility would make a text of them many times as long."""
_CYRILLIC = ("\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0456\u0458\u04bb\u0455\u0501\u051b", "aeopcyxijhsdq")
_CYRILLIC_CAPITALS = (
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0406\u0408\u0405",
    "ABEKMHOPCTXIJS",
)
_GREEK = ("\u03bf\u03b1\u03b9\u03ba\u03bd\u03c1\u03c5", "oaiknpu")
_GREEK_CAPITALS = (
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "ABEZHIKMNOPTYX",
)
_LATIN = ("\u0131\u0261\u0251", "iga")
_LOOK_ALIKES = str.maketrans(
    *("".join(part) for part in zip(_CYRILLIC, _CYRILLIC_CAPITALS, _GREEK, _GREEK_CAPITALS, _LATIN, strict=True))
)
"""Letters that look like plain Latin ones."""
_SPACED = re.compile(r"\b[A-Za-z](?:[ .*_-][A-Za-z]\b){5,120}")
_BASE64 = re.compile(r"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{24,6000}")
_HEX = re.compile(r"(?<![0-9A-Za-z])[0-9a-fA-F]{32,6000}(?![0-9A-Za-z])")
_STRETCHES_MAX: Final = 12
"""So many encoded or spaced stretches of one text are read."""
_READABLE_SHARE: Final = 0.95
_FLAT_CHARS_MAX: Final = 200


def gives_orders(text: str) -> bool:
    """Whether a text contains words, markers or hidden characters meant for the agent rather than for a person."""
    if _matches(text):
        return True
    if not text.isascii():
        if _HIDDEN.search(_FLAG.sub("", text)) is not None:
            return True
        plain = plainly(text)
        if plain != text and _matches(plain):
            return True
    if any(_matches_closed_up(match[0]) for match in islice(_SPACED.finditer(text), _STRETCHES_MAX)):
        return True
    return any(_matches(decoded) or suspicion(decoded)[0] >= MODEL.threshold for decoded in decodings(text))


def plainly(text: str) -> str:
    """The text as it looks: compatibility forms and look-alikes as plain letters, invisible characters left out."""
    if text.isascii():
        return text
    return unicodedata.normalize("NFKC", _LONG.sub(" ", _INVISIBLE.sub("", text))).translate(_LOOK_ALIKES)


def decodings(text: str) -> Iterator[str]:
    """What the first few stretches of base64 or hexadecimal say, where that is readable text."""
    for match in islice(_HEX.finditer(text), _STRETCHES_MAX):
        if len(match[0]) % 2 == 0:
            yield from _readable(binascii.unhexlify(match[0]))
    for match in islice(_BASE64.finditer(text), _STRETCHES_MAX):
        stretch = match[0].replace("-", "+").replace("_", "/")
        if len(stretch) % 4 != 1:
            yield from _readable(binascii.a2b_base64(stretch + "=" * (-len(stretch) % 4)))


def _readable(raw: bytes) -> Iterator[str]:
    """The text of these bytes, if they are words: printable, with a space here and there."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return
    printable = sum(character.isprintable() or character.isspace() for character in text)
    if " " in text and printable >= _READABLE_SHARE * len(text):
        yield text


def _matches(text: str) -> bool:
    lowered = text.lower()
    return any(hint in lowered and pattern.search(text) for hint, pattern in _PATTERNS)


def _matches_closed_up(spaced: str) -> bool:
    """Whether letters set apart ("i g n o r e  a l l …") say one of the phrases, spaces aside."""
    closed = re.sub(r"[ .*_-]", "", spaced).lower()[:_FLAT_CHARS_MAX]
    return any(
        word in closed
        for word in ("ignoreall", "ignoreprevious", "ignoreyour", "disregard", "systemprompt", "override")
    )
