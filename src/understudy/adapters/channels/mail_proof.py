"""Whether anybody vouches that a mail's sender is who it says: what a trusted host wrote into `Authentication-Results`; pure.

The host's own mail server has to take away results that strangers wrote under its name (RFC 8601, section 5). Results
are only read until the next `Received` below the first of them: what stands below came from outside.
"""

from __future__ import annotations

import re
from email.message import Message

from understudy.adapters.channels.mail_parts import HEADER_CHARS_MAX

_COMMENT = re.compile(r"\([^()]*\)")
_COMMENTS_DEEP_MAX = 5
_RESULT = re.compile(r"\b(dmarc|dkim|spf)\s*=\s*([a-z]+)", re.IGNORECASE)
_PROPERTY = re.compile(r"\b((?:header|smtp)\.[a-z]+)\s*=\s*\"?([^\s\";]+)", re.IGNORECASE)


def is_proven(mail: Message, *, domain: str, trusted: str | None) -> bool:
    """Whether the `trusted` host found that a mail comes from the `domain` that its sender claims.

    DMARC decides where it was looked at; else a signature, or the envelope's sender, of this domain or one above it.
    """
    if trusted is None or "." not in domain:
        return False
    results = [result for value in _trusted(mail, trusted.lower()) for result in _results(value)]
    dmarc = {found for method, found, _ in results if method == "dmarc"}
    if dmarc & {"fail", "quarantine", "reject", "permerror", "temperror"}:
        return False
    return any(
        found == "pass" and (method == "dmarc" or _is_aligned(method, said, domain.lower()))
        for method, found, said in results
        if method != "dmarc" or said.get("header.from", domain).lower().rpartition("@")[2] == domain.lower()
    )


def _trusted(mail: Message, host: str) -> list[str]:
    found: list[str] = []
    for name, value in mail.items():
        if name.lower() == "received" and found:
            break
        if name.lower() == "authentication-results":
            said = " ".join(str(value)[:HEADER_CHARS_MAX].split())
            for _ in range(_COMMENTS_DEEP_MAX):
                said = _COMMENT.sub(" ", said)
            by, _, results = said.partition(";")
            if by.split()[:1] and by.split()[0].lower() == host:
                found.append(results)
    return found


def _results(said: str) -> list[tuple[str, str, dict[str, str]]]:
    results: list[tuple[str, str, dict[str, str]]] = []
    for piece in said.split(";"):
        found = _RESULT.match(piece.strip())
        if found is not None:
            said_of = {name.lower(): value for name, value in _PROPERTY.findall(piece)}
            results.append((found[1].lower(), found[2].lower(), said_of))
    return results


def _is_aligned(method: str, said: dict[str, str], domain: str) -> bool:
    named = said.get("header.d") or said.get("header.i") if method == "dkim" else said.get("smtp.mailfrom")
    theirs = (named or "").lower().rpartition("@")[2].strip(".")
    return "." in theirs and (domain == theirs or domain.endswith(f".{theirs}"))
