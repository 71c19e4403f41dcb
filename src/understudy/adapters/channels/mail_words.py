"""What somebody wrote in a mail: HTML as text, and the new words apart from quoted history and signature; pure, linear in the text.

Libraries for this were tried and left: what they look for is written as patterns that run for more than ten seconds
over sixty thousand characters of a hostile mail. Here each line is looked at a fixed number of times, and never more
than `LINE_CHARS_MAX` of it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html.parser import HTMLParser

HTML_CHARS_MAX = 400_000
LINE_CHARS_MAX = 400
OPEN_TAGS_MAX = 500
ATTRIBUTION_LINES_MAX = 3
HEADER_LINES_LOOKED_AT = 8
SIGNATURE_LINES_MAX = 40

_WROTE = re.compile(
    r"(wrote|schrieb|a écrit|ecrit|escribió|ha scritto|schreef|skrev|napisał|napisała|escreveu|kirjoitti|írta|napsal|"
    r"пишет|написал|написала|のメール|写道)[^:\uff1a]{0,80}[:\uff1a]\s*$",
    re.IGNORECASE,
)
_WROTE_BEGINS = re.compile(
    r"^\s*(on|am|le|el|il|op|den|em|w dniu|dnia|vào|dne|на|в|pe|\d{1,4}[./-]\d{1,2}[./-]\d{1,4})\b", re.IGNORECASE
)
_SENDER_LINE = re.compile(
    r"^\s*\*?(from|von|de|da|van|från|fra|od|от|lähettäjä|feladó|差出人|发件人)\*?\s*[:\uff1a]", re.IGNORECASE
)
_OTHER_LINE = re.compile(
    r"^\s*\*?(sent|gesendet|date|datum|envoyé|enviado|enviada|inviato|verzonden|skickat|sendt|wysłano|to|an|à|para|a|aan|"
    r"till|til|do|subject|betreff|objet|asunto|assunto|oggetto|onderwerp|ämne|emne|temat|cc|кому|тема|дата)\*?\s*[:\uff1a]",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"^\s*[-_]{2,}\s*(original message|ursprüngliche nachricht|originalnachricht|message d'origine|message original|"
    r"mensaje original|mensagem original|messaggio originale|oorspronkelijk bericht|ursprungligt meddelande|"
    r"forwarded message|weitergeleitete nachricht|reply above this line)",
    re.IGNORECASE,
)
_FORWARDED = re.compile(r"^\s*(begin forwarded message|anfang der weitergeleiteten nachricht|début du message réexpédié)\s*:", re.IGNORECASE)  # fmt: skip
_RULE = re.compile(r"^\s*_{20,}\s*$")
_SENT_FROM = re.compile(
    r"^\s*(sent from (my|mail)\b|von meine[mr] .{1,40} gesendet|gesendet mit der|envoyé de(puis)? mon|enviado desde mi|"
    r"inviato da(l mio)?|verstuurd vanaf|skickat från min|get outlook for|outlook für|sent with proton)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What was written, and the `whole` of it with what is quoted and signed below; None where that is the same."""

    new: str
    whole: str | None


def words_of(text: str) -> Words:
    """Take quoted history and signature away; where nothing would be left, nothing is."""
    whole = _tidy(text.splitlines())
    lines = whole.split("\n")
    own = _without_quotes(lines)
    if not any(line.strip() for line in own):
        own = [line.lstrip("> ") for line in lines]
    signed = _without_signature(own)
    new = _tidy(signed if any(line.strip() for line in signed) else own)
    return Words(new=new, whole=None if new == whole else whole)


def _tidy(lines: list[str]) -> str:
    """Lines without white space at their ends, and no two blank ones beside each other."""
    kept: list[str] = []
    for line in lines:
        stripped = line.rstrip()
        if stripped or (kept and kept[-1]):
            kept.append(stripped)
    return "\n".join(kept).strip("\n")


def _without_quotes(lines: list[str]) -> list[str]:
    own: list[str] = []
    place = 0
    while place < len(lines):
        line = lines[place][:LINE_CHARS_MAX]
        if _is_quoted(line):
            place += 1
        elif _begins_history(lines, place):
            break
        elif (skipped := _attribution(lines, place)) and _is_followed_by_quote(lines, place + skipped):
            place += skipped
        elif skipped and _WROTE_BEGINS.match(line):
            break
        else:
            own.append(lines[place])
            place += 1
    return own


def _is_quoted(line: str) -> bool:
    return line.lstrip()[:1] == ">"


def _is_followed_by_quote(lines: list[str], place: int) -> bool:
    following = next((line for line in lines[place : place + 3] if line.strip()), "")
    return _is_quoted(following)


def _attribution(lines: list[str], place: int) -> int:
    """How many lines from here say who wrote what is quoted next; 0 = none. They are broken in the middle at times."""
    said = ""
    for count in range(1, ATTRIBUTION_LINES_MAX + 1):
        if place + count > len(lines) or not lines[place + count - 1].strip():
            return 0
        said = f"{said} {lines[place + count - 1][:LINE_CHARS_MAX]}"
        if _WROTE.search(said[-LINE_CHARS_MAX:]) and any(mark.isdigit() or mark == "@" for mark in said):
            return count
    return 0


def _begins_history(lines: list[str], place: int) -> bool:
    """Whether an older mail stands below from here on, as Outlook and others put it there."""
    line = lines[place][:LINE_CHARS_MAX]
    if _ORIGINAL.match(line) or _FORWARDED.match(line):
        return True
    looked_at = lines[place : place + HEADER_LINES_LOOKED_AT]
    if _RULE.match(line):
        return any(_SENDER_LINE.match(below[:LINE_CHARS_MAX]) for below in looked_at[1:4])
    if _SENDER_LINE.match(line):
        return sum(bool(_OTHER_LINE.match(below[:LINE_CHARS_MAX])) for below in looked_at[1:]) >= 2
    return False


def _without_signature(lines: list[str]) -> list[str]:
    for place in range(max(len(lines) - SIGNATURE_LINES_MAX, 0), len(lines)):
        if lines[place].strip() == "--" or _SENT_FROM.match(lines[place][:LINE_CHARS_MAX]):
            return lines[:place]
    return lines


def text_of_html(page: str) -> str:
    """The words of an HTML mail, at most `HTML_CHARS_MAX` of it; what is quoted begins with `> `, as in plain mails."""
    reader = _Reader()
    reader.feed(_without_unsaid(page[:HTML_CHARS_MAX]))
    reader.close()
    return reader.text()


def _without_unsaid(page: str) -> str:
    """A page without comments and declarations; the parser's time grows with the square of those that nobody closed."""
    kept: list[str] = []
    place = 0
    while (begin := _DECLARED.search(page, place)) is not None:
        ends = "-->" if page.startswith("<!--", begin.start()) else ">"
        end = page.find(ends, begin.end())
        if end < 0:
            break
        kept.append(page[place : begin.start()])
        place = end + len(ends)
    kept.append(_DECLARED.sub("&lt;", page[place:]))
    whole = "".join(kept)
    # A tag that nobody closed is no tag, and all after it would be looked at again and again.
    last = whole.rfind(">") + 1
    return whole[:last] + whole[last:].replace("<", "&lt;")


_DECLARED = re.compile(r"<[!?]")
_BREAKS = frozenset(
    "address article aside blockquote body br center div dl dt dd fieldset footer form h1 h2 h3 h4 h5 h6 header hr li "
    "main ol p pre section table tr ul".split()
)
_UNSAID = frozenset({"script", "style", "head", "title", "template", "noscript", "svg", "math"})
_EMPTY = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "wbr", "area", "base", "col", "embed", "source", "track"}
)
_QUOTING = ("gmail_quote", "yahoo_quoted", "protonmail_quote", "moz-cite-prefix", "zmail_extra", "gmail_extra")


class _Reader(HTMLParser):
    """The words of a page, line by line, with how deep each is quoted."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._open: list[tuple[str, bool, bool]] = []
        self._quotes = 0
        self._unsaid = 0

    def text(self) -> str:
        self._break()
        return "\n".join(self._lines)

    def _break(self) -> None:
        words = " ".join("".join(self._line).split())
        self._line = []
        if words or (self._lines and self._lines[-1].strip("> ")):
            self._lines.append("> " * min(self._quotes, 5) + words if words else "")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "body":  # a head that nobody closed does not swallow the page
            self._open, self._quotes, self._unsaid = [], 0, 0
        if tag in _BREAKS:
            self._break()
        if tag == "li":
            self._line.append("- ")
        elif tag in ("td", "th"):
            self._line.append(" ")
        elif tag == "img" and not self._unsaid:
            alternative = dict(attrs).get("alt")
            self._line.append(f" [image: {alternative}] " if alternative and alternative.strip() else "")
        if tag not in _EMPTY and len(self._open) < OPEN_TAGS_MAX:
            named = " ".join(value or "" for name, value in attrs if name in ("class", "id"))
            is_quote = tag == "blockquote" or any(one in named for one in _QUOTING)
            self._open.append((tag, is_quote, tag in _UNSAID))
            self._quotes += is_quote
            self._unsaid += tag in _UNSAID

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self._break()
        if not any(tag == name for name, _, _ in self._open):
            return
        while self._open:
            name, is_quote, is_unsaid = self._open.pop()
            self._quotes -= is_quote
            self._unsaid -= is_unsaid
            if name == tag:
                return

    def handle_data(self, data: str) -> None:
        if self._unsaid:
            return
        self._line.append(data)
