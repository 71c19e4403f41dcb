"""Check that the draft gives away nothing that is not this customer's to see: cards, foreign e-mails, secrets.

It knows what has a form; names, addresses and what only a person recognises as private are out of its reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from understudy.assessment.cards import card_spans
from understudy.assessment.carriers import passages, profile_text, tool_results
from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.entities import find_emails
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules

CARD_NUMBER = Code(
    check="exposure",
    code="card_number",
    severity=Severity.BLOCKING,
    explanation="The draft contains a whole payment card number.",
)
FOREIGN_EMAIL = Code(
    check="exposure",
    code="foreign_email",
    severity=Severity.BLOCKING,
    explanation="The draft contains an e-mail address that is neither the customer's nor the business's.",
)
UNVERIFIED_EMAIL = Code(
    check="exposure",
    code="unverified_email",
    severity=Severity.MAJOR,
    explanation="The draft repeats an e-mail address from a tool result, and nothing says it is this customer's.",
)
SECRET = Code(
    check="exposure",
    code="secret",
    severity=Severity.BLOCKING,
    explanation="The draft contains what looks like a password, key or access token.",
)
CARD_MASKED = Code(
    check="exposure",
    code="card_masked",
    severity=Severity.INFO,
    explanation="The customer wrote a payment card number; all but its last four digits were masked before storing.",
)
CODES = (CARD_NUMBER, FOREIGN_EMAIL, UNVERIFIED_EMAIL, SECRET, CARD_MASKED)

SECRETS: Final = (
    r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----",
    r"\bAKIA[0-9A-Z]{16}\b",
    r"\bAIza[0-9A-Za-z_-]{35}",
    r"\b(?:sk|pk|rk)[-_](?:live|test|proj|ant|or)?[-_]?[0-9A-Za-z_-]{16,200}",
    r"\bgh[pousr]_[0-9A-Za-z]{30,255}",
    r"\bgithub_pat_[0-9A-Za-z_]{20,255}",
    r"\bxox[abeoprs]-[0-9A-Za-z-]{10,255}",
    r"\bglpat-[0-9A-Za-z_-]{20,255}",
    r"\bSG\.[0-9A-Za-z_-]{16,64}\.[0-9A-Za-z_-]{16,64}",
    r"\bus_[0-9A-Za-z]{4,40}_[0-9A-Za-z_-]{16,200}",
    r"\beyJ[0-9A-Za-z_-]{10,4000}\.eyJ[0-9A-Za-z_-]{10,4000}",
    r"\b[a-z][a-z0-9+]{2,20}://[^\s/:@]{1,100}:[^\s/:@]{1,100}@",
    (
        r"(?i:\b(?:password|passcode|passphrase|api[ _-]?key|access[ _-]?token|secret[ _-]?key|client[ _-]?secret)"
        r"(?: is| was|:|=){1,2}\s{0,3}[\"'`*]{0,3}(?=[^\s]{0,100}[0-9])(?=[^\s]{0,100}[A-Za-z])[^\s\"'`]{6,200})"
    ),
)
"""Forms of keys, tokens and passwords."""
_SECRET = re.compile("|".join(SECRETS))


class ExposureCheck:
    """Does the draft keep to itself what is not the customer's to see?"""

    name = "exposure"
    words = "the draft may give away private data"
    needs_draft = True

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Find card numbers, foreign e-mail addresses and secrets, in that order."""
        findings = [CARD_NUMBER.found(Span(start=start, end=end)) for start, end in card_spans(draft.text)]
        if draft.cards_masked and not findings:
            findings.append(CARD_NUMBER.found())  # it was masked before it was stored, so no span can show it
        findings += _foreign_emails(evidence, draft, rules)
        findings += [SECRET.found(Span(start=m.start(), end=m.end())) for m in _SECRET.finditer(draft.text)]
        if "customer" in evidence.masked:
            findings.append(CARD_MASKED.found())
        return examination(findings)


def _foreign_emails(evidence: Evidence, draft: Draft, rules: Rules) -> Iterator[Finding]:
    """Judge each address; one from a tool result may be the customer's own only where no other is known to be."""
    addresses = find_emails(draft.text)
    if not addresses:
        return
    profile = rules.profile
    domains = tuple(domain.lower().removeprefix("www.") for domain in profile.domains)
    open_texts = [*evidence.customer_texts, profile_text(profile), *(passage.text for passage in passages(draft))]
    allowed = {email.lower() for email in evidence.contact.emails} | _emails_in(open_texts)
    unverified = set() if evidence.contact.emails else _emails_in([r.text for r in tool_results(evidence, draft)])
    for address in addresses:
        email = address.readings[0]
        domain = email.rpartition("@")[2]
        if email in allowed or any(domain == own or domain.endswith("." + own) for own in domains):
            continue
        yield (UNVERIFIED_EMAIL if email in unverified else FOREIGN_EMAIL).found(address.span)


def _emails_in(texts: list[str]) -> set[str]:
    return {email.readings[0] for text in texts for email in find_emails(text)}
