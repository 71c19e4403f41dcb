"""Whether a draft promises again what is owed to the customer already, or says otherwise; pure, English and German.

Promises are compared by what kind of thing they are of: two different refunds are one to it, and then a person looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from understudy.assessment.pledges import pledges_in
from understudy.records.assessment import Span
from understudy.records.evidence import Owed
from understudy.records.pledges import PledgeKind

CHARS_MAX: Final = 20_000
SAME_TIME: Final = timedelta(minutes=1)

_NO_EN: Final = (
    r"\b(?:will not|won['’]t|cannot|can not|can['’]t|could not|couldn['’]t|(?:am|are|is) (?:not able|unable) to|(?:are|is)n['’]t able to"
    r"|(?:am|are|is) not going to|['’](?:re|m|s) (?:not (?:able|going)|unable) to|do not|don['’]t|no longer|never|nobody (?:will|can)"
    r"|no one (?:will|can))\b[^.!?\n]{0,40}?\b"
)
_ENGLISH: Final = {
    PledgeKind.CALL: (r"(?:call|ring|phone)\b", r"\bno (?:call|callback)\b"),
    PledgeKind.WRITE: (
        r"(?:write|e-?mail|get back|reply|contact|update|let you know|be in touch)\b",
        r"\bno (?:answer|reply|update)\b",
    ),
    PledgeKind.SEND: (
        r"(?:send|sent|ship|shipped|deliver|delivered|replace|replaced)\b",
        r"\bno (?:replacement|parcel|delivery|voucher|label)\b",
    ),
    PledgeKind.MONEY: (
        r"(?:refund|refunded|reimburse|reimbursed|pay (?:it|you|this) back|credit|credited)\b",
        r"\b(?:no|not eligible for an?|not entitled to an?) (?:refund|reimbursement|credit)\b",
    ),
}
_GERMAN: Final = {
    PledgeKind.CALL: (r"(?:an|zurück)(?:ge|zu)?rufen", r"(?:anruf|rückruf)"),
    PledgeKind.WRITE: (r"(?:ge)?(?:schreib|schrieb|meld|antwort|informier)\w*", r"(?:antwort|nachricht|rückmeldung)"),
    PledgeKind.SEND: (r"(?:zu|ver|aus|nach)?(?:ge)?(?:schick|send|liefer|ersetz)\w*", r"(?:ersatz|lieferung|sendung)"),
    PledgeKind.MONEY: (
        r"(?:zurück)?(?:erstatt|überweis|überwies|gutschreib|gutgeschrieb|zurückzahl|zurückgezahl)\w*",
        r"(?:(?:rück)?erstattung|gutschrift|rückzahlung)",
    ),
}
_DENIED: Final = {
    kind: re.compile(
        "|".join(
            (
                _NO_EN + _ENGLISH[kind][0],
                _ENGLISH[kind][1],
                rf"\b(?:nicht|nie|nicht mehr)\b[^.!?\n]{{0,40}}?\b{_GERMAN[kind][0]}\b",
                rf"\bkeine[nrsm]?\s+(?:[a-zäöüß]+\s+)?{_GERMAN[kind][1]}\b|\bkein\s+(?:[a-zäöüß]+\s+)?{_GERMAN[kind][1]}\b",
            )
        ),
        re.IGNORECASE,
    )
    for kind in _ENGLISH
}
"""By what kind of promise is taken back; of what is only to be *done* nobody can tell by its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clash:
    """Where a draft touches what is owed; `is_otherwise`: it names another time for it or takes it back, else it only says it
    again."""

    span: Span
    is_otherwise: bool


def clashes(owed: Sequence[Owed], text: str, at: datetime) -> Iterator[Clash]:
    """Find where a draft said at `at` promises what is owed already, or denies it; nothing where nothing is owed."""
    if not owed:
        return
    text = text[:CHARS_MAX]
    for said in pledges_in(text, at, owed[0].timezone):
        same = [one for one in owed if one.kind is said.kind]
        if same:
            yield Clash(span=said.span, is_otherwise=_is_otherwise(same, said.due_at, at))
    for kind in dict.fromkeys(one.kind for one in owed):
        pattern = _DENIED.get(kind)
        for match in pattern.finditer(text) if pattern else ():
            yield Clash(span=Span(start=match.start(), end=match.end()), is_otherwise=True)


def _is_otherwise(owed: Sequence[Owed], due_at: datetime | None, at: datetime) -> bool:
    """Whether a promise is of another time than each that is owed, or of something that is late already; one without a time
    says nothing else."""
    if all(one.due_at <= at for one in owed):
        return True
    return due_at is not None and all(abs(one.due_at - due_at) > SAME_TIME for one in owed)
