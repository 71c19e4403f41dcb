"""Find bank account numbers (IBAN) and the numbers that states give people; whose they are it does not know.

A number counts where its check digits are right (python-stdnum) and where its form is its own, or words beside it say
what it is: a bare row of nine to eleven digits is more often an order number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from stdnum import iban
from stdnum.au import tfn
from stdnum.be import nn
from stdnum.br import cpf
from stdnum.ca import sin
from stdnum.ch import ssn as ch_ssn
from stdnum.de import idnr
from stdnum.dk import cpr
from stdnum.es import dni, nie
from stdnum.fi import hetu
from stdnum.fr import nir
from stdnum.gb import nhs
from stdnum.ie import pps
from stdnum.in_ import aadhaar, pan
from stdnum.it import codicefiscale
from stdnum.nl import bsn
from stdnum.no import fodselsnummer
from stdnum.pl import pesel
from stdnum.pt import nif
from stdnum.se import personnummer
from stdnum.us import ssn

from understudy.assessment.cards import plain_digits

_IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ \u00a0-]?[A-Za-z0-9]){11,30}+")
_IBAN_GROUP = re.compile("[ \u00a0-]")
_GAP: Final = re.compile(r"[^0-9\n]{0,24}")
_REACH_CHARS: Final = 60
FOUND_MAX: Final = 50
"""No more of one kind are listed; the first few say enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NationalId:
    """A kind of number: its form, its check digits, and the words that must stand before it (None = the form says it)."""

    name: str
    form: re.Pattern[str]
    is_valid: Callable[[str], bool]
    words: str | None = None


def _form(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w.+-])(?:{pattern})(?![\w-]|\.[0-9])")


_NI_NUMBER = re.compile(r"(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]", re.IGNORECASE)


def _is_ni_number(number: str) -> bool:
    """The British National Insurance number has no check digits, only letters that never stand in it (HMRC NIM39110)."""
    return _NI_NUMBER.fullmatch(number.replace(" ", "")) is not None


NATIONAL_IDS: Final = (
    NationalId(
        name="us_ssn", form=_form("[0-9]{3}-[0-9]{2}-[0-9]{4}|[0-9]{3} [0-9]{2} [0-9]{4}"), is_valid=ssn.is_valid
    ),
    NationalId(
        name="us_ssn", form=_form("[0-9]{9}"), is_valid=ssn.is_valid, words=r"ssn|social security(?: number| no\.?)?"
    ),
    NationalId(
        name="gb_nino", form=_form("[A-Za-z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-Da-d]"), is_valid=_is_ni_number
    ),
    NationalId(
        name="gb_nhs", form=_form("[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}"), is_valid=nhs.is_valid, words="nhs(?: number)?"
    ),
    NationalId(
        name="ca_sin",
        form=_form("[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{3}"),
        is_valid=sin.is_valid,
        words="sin|social insurance(?: number)?",
    ),
    NationalId(name="fr_nir", form=_form("[12][0-9 .]{12,20}[0-9]"), is_valid=nir.is_valid),
    NationalId(
        name="de_idnr",
        form=_form("[0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}"),
        is_valid=idnr.is_valid,
        words=r"steuer-?id\w*|idnr|tax id\w*|identifikationsnummer",
    ),
    NationalId(name="es_dni", form=_form("[0-9]{8}-?[A-Z]"), is_valid=dni.is_valid),
    NationalId(name="es_nie", form=_form("[XYZ]-?[0-9]{7}-?[A-Z]"), is_valid=nie.is_valid),
    NationalId(
        name="it_codice_fiscale",
        form=_form("[A-Za-z]{6}[0-9]{2}[A-Za-z][0-9]{2}[A-Za-z][0-9]{3}[A-Za-z]"),
        is_valid=codicefiscale.is_valid,
    ),
    NationalId(name="nl_bsn", form=_form("[0-9]{9}"), is_valid=bsn.is_valid, words="bsn|burgerservicenummer|sofi"),
    NationalId(name="be_nn", form=_form(r"[0-9]{2}\.[0-9]{2}\.[0-9]{2}-[0-9]{3}\.[0-9]{2}"), is_valid=nn.is_valid),
    NationalId(name="se_personnummer", form=_form("(?:[0-9]{2})?[0-9]{6}[-+][0-9]{4}"), is_valid=personnummer.is_valid),
    NationalId(
        name="no_fodselsnummer",
        form=_form("[0-9]{6} ?[0-9]{5}"),
        is_valid=fodselsnummer.is_valid,
        words="f\u00f8dselsnummer|personnummer|national id\\w*",
    ),
    NationalId(name="dk_cpr", form=_form("[0-9]{6}-[0-9]{4}"), is_valid=cpr.is_valid, words="cpr\\w*(?: number)?"),
    NationalId(name="fi_hetu", form=_form("[0-9]{6}[-+A][0-9]{3}[0-9A-Z]"), is_valid=hetu.is_valid),
    NationalId(name="pl_pesel", form=_form("[0-9]{11}"), is_valid=pesel.is_valid, words="pesel"),
    NationalId(name="pt_nif", form=_form("[0-9]{9}"), is_valid=nif.is_valid, words="nif|contribuinte"),
    NationalId(name="br_cpf", form=_form(r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}"), is_valid=cpf.is_valid),
    NationalId(
        name="in_pan", form=_form("[A-Z]{5}[0-9]{4}[A-Z]"), is_valid=pan.is_valid, words="pan(?: card| number)*"
    ),
    NationalId(
        name="in_aadhaar",
        form=_form("[2-9][0-9]{3} ?[0-9]{4} ?[0-9]{4}"),
        is_valid=aadhaar.is_valid,
        words="aa?dhaa?r\\w*(?: number| card)*",
    ),
    NationalId(
        name="au_tfn",
        form=_form("[0-9]{3} ?[0-9]{3} ?[0-9]{3}"),
        is_valid=tfn.is_valid,
        words="tfn|tax file(?: number)?",
    ),
    NationalId(name="ch_ahv", form=_form(r"756\.[0-9]{4}\.[0-9]{4}\.[0-9]{2}"), is_valid=ch_ssn.is_valid),
    NationalId(name="ie_pps", form=_form("[0-9]{7}[A-Wa-w][ABWTXZabwtxz]?"), is_valid=pps.is_valid, words="ppsn?"),
)
"""The kinds that are known. A form without words is one that hardly anything else has."""


_BY_FORM = tuple(kind for kind in NATIONAL_IDS if kind.words is None)
_BY_WORDS = {f"kind{number}": kind for number, kind in enumerate(NATIONAL_IDS) if kind.words is not None}
_WORDS = re.compile(
    rf"\b(?:{'|'.join(f'(?P<{name}>{kind.words})' for name, kind in _BY_WORDS.items())})\b", re.IGNORECASE
)
_NOT_ALPHANUMERIC = re.compile(r"[\W_]")
_VALUES: Final = {ord("A") + place: str(10 + place) for place in range(26)}
_LONG_ROW = re.compile(r"[0-9](?:[ .+-]?[0-9A-Za-z]){6}")


def iban_spans(text: str) -> tuple[tuple[int, int], ...]:
    """List where bank account numbers stand, in one piece or in groups; letters in either case."""
    plain = plain_digits(text)
    spans = (_iban_in(plain, match.start(), match.end()) for match in _IBAN.finditer(plain))
    return tuple(span for span in spans if span is not None)


def national_id_spans(text: str) -> tuple[tuple[int, int], ...]:
    """List where numbers stand that states give people, in order and without overlap."""
    plain = plain_digits(text)
    if not _LONG_ROW.search(plain):
        return ()
    spans: list[tuple[int, int]] = []
    for start, end in sorted((*_by_form(plain), *_by_words(plain))):
        if not spans or start >= spans[-1][1]:
            spans.append((start, end))
    return tuple(spans)


def _by_form(text: str) -> Iterator[tuple[int, int]]:
    for kind in _BY_FORM:
        valid = (match.span() for match in kind.form.finditer(text) if kind.is_valid(match[0]))
        yield from islice(valid, FOUND_MAX)


def _by_words(text: str) -> Iterator[tuple[int, int]]:
    """Look behind each word that names a kind for a number of that kind."""
    for word in _WORDS.finditer(text):
        kind = _BY_WORDS[word.lastgroup or ""]
        gap = _GAP.match(text, word.end())
        match = kind.form.search(text, word.end(), word.end() + _REACH_CHARS)
        if match and gap and match.start() <= gap.end() and kind.is_valid(match[0]):
            yield match.span()


def _iban_in(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Find the number that begins at `start`: the words after it may have been taken for groups of it."""
    while end - start >= 15:
        if _passes_97(text[start:end]) and iban.is_valid(text[start:end], check_country=False):
            return start, end
        gaps = [gap.start() for gap in _IBAN_GROUP.finditer(text, start, end)]
        if not gaps:
            return None
        end = gaps[-1]
    return None


def _passes_97(text: str) -> bool:
    """Whether the check digits of a bank account number are right (ISO 13616: the number moved round, letters as 10 to
    35, leaves 1 when divided by 97); quicker than the whole test, of which it is a part."""
    written = _NOT_ALPHANUMERIC.sub("", text).upper()
    return written.isascii() and int((written[4:] + written[:4]).translate(_VALUES) or 0) % 97 == 1
