"""A mail taken apart: its headers as text, its words, what is attached; it opens no attachment and raises for nothing in it."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.header import decode_header
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import collapse_rfc2231_value

from understudy.adapters.channels.mail_words import text_of_html

PARTS_MAX = 200
DEPTH_MAX = 20
HEADER_CHARS_MAX = 20_000
HEADERS_MAX = 100
TEXT_CHARS_MAX = 400_000
_CHARSETS = re.compile(
    r"(utf_?(8|16|32)(_?[lb]e)?|u8|ascii|us_?ascii|646|(iso_?)?8859_?\d{1,2}|latin_?\d{1,2}|l\d|(cp|windows_?)?_?(125\d|437|850|852|855|858|860|"
    r"861|862|863|864|865|866|869|874|932|949|950)|koi8_?[rut]|mac_?(roman|latin2|cyrillic|greek)|gb_?2312|gbk|gb_?18030|hz|big5(_?hkscs)?|"
    r"(shift_?|s)jis|euc_?(jp|kr)|iso_?2022_?(jp|kr)(_\d)?|johab|tis_?620)"
)
"""Codecs that mails are written in. Others that Python has (unicode_escape, punycode, idna, utf_7) run code of a kind
nobody needs on strangers' bytes."""
_ALIASES = {"x_sjis": "cp932", "ks_c_5601_1987": "cp949", "x_gbk": "gbk", "iso_8859_8_i": "iso8859_8", "ansi": "cp1252", "macintosh": "mac_roman"}  # fmt: skip
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufeff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """Something besides words; `bytes` is None where nobody counted."""

    name: str
    kind: str
    bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """The words of a mail and what is attached."""

    text: str
    attachments: tuple[Attachment, ...]


def taken_apart(raw: bytes) -> Message:
    """Read the structure of a mail; broken ones give what can be read of them."""
    try:
        return message_from_bytes(raw, policy=policy.compat32)
    except Exception:  # noqa: BLE001 - the library's parser meets mails that nobody foresaw: then only headers count
        return BytesHeaderParser(policy=policy.compat32).parsebytes(raw)


def header(mail: Message, name: str) -> str:
    """The first header of a name, decoded, on one line; empty where there is none."""
    return next(iter(headers(mail, name)), "")


def headers(mail: Message, name: str) -> list[str]:
    """All headers of a name, as `header` gives them."""
    wanted = name.lower()
    found = [value for named, value in mail.raw_items() if named.lower() == wanted]
    return [decoded(" ".join(str(value)[:HEADER_CHARS_MAX].split())) for value in found[:HEADERS_MAX]]


def decoded(value: str) -> str:
    """A header's value with its encoded words read, on one line and without control characters."""
    text = value
    try:
        if "=?" in value:
            text = "".join(
                piece if isinstance(piece, str) else text_of(piece, charset) for piece, charset in decode_header(value)
            )
        elif any("\udc80" <= mark <= "\udcff" for mark in value):  # bytes that nobody encoded
            text = text_of(value.encode("utf-8", "surrogateescape"), None)
    except Exception:  # noqa: BLE001 - an encoded word that is none stands as it is
        text = value
    return " ".join(clean(text).split())


def clean(text: str) -> str:
    """Text without control characters and halves of characters; tabs and line ends stay."""
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", whole).encode("utf-8", "replace").decode("utf-8")


def text_of(raw: bytes, charset: str | None) -> str:
    """Bytes as text, in the charset they are said to be in, or the likeliest other; never raises."""
    for name in (_codec(charset), "utf-8", "cp1252"):
        if name is not None:
            try:
                return raw.decode(name)
            except (UnicodeError, LookupError, ValueError):
                continue
    return raw.decode("latin-1")


def _codec(charset: str | None) -> str | None:
    """A codec by the name that a mail gives it, if it is one that mails are written in."""
    if not charset:
        return None
    name = charset.strip("\"' ").lower().replace("-", "_").split("http")[0][:40]
    name = _ALIASES.get(name, name)
    if not _CHARSETS.fullmatch(name):
        return None
    try:
        return codecs.lookup(name).name
    except LookupError:
        return None


def body_of(mail: Message) -> Body:
    """Find the words, plain ones before HTML, and list all else."""
    texts: list[str] = []
    attachments: list[Attachment] = []
    for part in _chosen(mail, 0):
        words = _words(part)
        if words is None:
            attachments.append(_attachment(part))
        else:
            texts.append(words)
        if len(attachments) + len(texts) >= PARTS_MAX:
            break
    text = "\n\n".join(filter(None, (text.strip() for text in texts)))
    return Body(text=text[:TEXT_CHARS_MAX], attachments=tuple(attachments))


def _chosen(part: Message, depth: int) -> Iterator[Message]:
    """The leaves of a mail that count: of alternatives one."""
    inner = part.get_payload()
    if not isinstance(inner, list) or kind_of(part).startswith("message/"):
        yield part
        return
    if depth >= DEPTH_MAX:
        return
    if kind_of(part) == "multipart/alternative":
        yield from _of_alternatives([one for one in inner if isinstance(one, Message)][:PARTS_MAX], depth + 1)
        return
    for one in inner[:PARTS_MAX]:
        if isinstance(one, Message):
            yield from _chosen(one, depth + 1)


def _of_alternatives(parts: list[Message], depth: int) -> Iterator[Message]:
    """The plain one, if it says anything; else the last that has words; and what is attached to any of them."""
    leaves = [list(_chosen(part, depth)) for part in parts]
    worded = [place for place, found in enumerate(leaves) if any((_words(leaf) or "").strip() for leaf in found)]
    plain = [place for place in worded if any(kind_of(leaf) == "text/plain" for leaf in leaves[place])]
    best = plain[0] if plain else worded[-1] if worded else None
    for place, found in enumerate(leaves):
        yield from (leaf for leaf in found if place == best or _words(leaf) is None)


def kind_of(part: Message) -> str:
    """The content type in lower case."""
    try:
        return part.get_content_type().lower()
    except Exception:  # noqa: BLE001 - a type that cannot be read is the default's
        return "text/plain"


def _words(part: Message) -> str | None:
    """The words of a part; None where it is an attachment."""
    kind = kind_of(part)
    if kind not in ("text/plain", "text/html") or _disposition(part) == "attachment":
        return None
    raw = bytes_of(part)
    text = clean(text_of(raw[: 4 * TEXT_CHARS_MAX], _parameter(part, "charset")))
    return text_of_html(text) if kind == "text/html" else text


def bytes_of(part: Message) -> bytes:
    """What a part holds, its transfer encoding undone as far as it can be."""
    try:
        raw = part.get_payload(decode=True)
    except Exception:  # noqa: BLE001 - an encoding that cannot be undone: as it stands
        raw = None
    if isinstance(raw, bytes):
        return raw
    inner = part.get_payload()
    return inner.encode("utf-8", "replace") if isinstance(inner, str) else b""


def _attachment(part: Message) -> Attachment:
    name = _parameter(part, "filename", "content-disposition") or _parameter(part, "name") or ""
    counted = None
    if not isinstance(part.get_payload(), list):
        counted = len(bytes_of(part))
    return Attachment(name=" ".join(clean(name).split())[:100], kind=clean(kind_of(part))[:80], bytes=counted)


def _disposition(part: Message) -> str:
    try:
        return (part.get_content_disposition() or "").lower()
    except Exception:  # noqa: BLE001 - the same
        return ""


def _parameter(part: Message, name: str, of: str = "content-type") -> str | None:
    try:
        value = part.get_param(name, None, header=of)
        return None if value is None else decoded(collapse_rfc2231_value(value))
    except Exception:  # noqa: BLE001 - the same
        return None
