"""Check that no data tries to give the agent orders: customer text, passages and tool results are looked at apart.

Fixed forms (`assessment/smuggling.py`) block; what reads like an order by a learned model (`assessment/orders.py`) in a
passage, a tool result or a text the customer passes on lowers the score. Customers may ask for anything, so the model
does not look at what they say themselves. An order worded like the document around it passes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from understudy.assessment.carriers import Source, passages, tool_results
from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.orders import MODEL, suspicion
from understudy.assessment.remembered import Remembered
from understudy.assessment.smuggling import gives_orders, plainly
from understudy.assessment.support import Grounds
from understudy.assessment.wording import FILLER, sentences, words
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules

IN_CUSTOMER_TEXT = Code(
    check="injection",
    code="in_customer_text",
    severity=Severity.MAJOR,
    explanation="The customer's message contains words addressed to the agent's own instructions.",
)
IN_FORWARDED_TEXT = Code(
    check="injection",
    code="in_forwarded_text",
    severity=Severity.MAJOR,
    explanation="A text that the customer pasted or forwarded reads as if it gave the agent orders.",
)
IN_SOURCE = Code(
    check="injection",
    code="in_source",
    severity=Severity.BLOCKING,
    explanation="A passage or tool result contains instructions addressed to the agent.",
)
SUSPECTED_IN_SOURCE = Code(
    check="injection",
    code="suspected_in_source",
    severity=Severity.MAJOR,
    explanation="A sentence in a passage or tool result reads like an order to an assistant, not like its surroundings.",
)
RESTS_ON_IT = Code(
    check="injection",
    code="rests_on_it",
    severity=Severity.MAJOR,
    explanation="This sentence of the draft rests on a source that contains instructions addressed to the agent.",
)
TOO_MUCH_TO_READ = Code(
    check="injection",
    code="too_much_to_read",
    severity=Severity.UNKNOWN,
    explanation="The sources or the customer's messages are longer than this check reads; what stands behind the limit was not looked at.",
)
IMAGE_IN_DRAFT = Code(
    check="injection",
    code="image_in_draft",
    severity=Severity.BLOCKING,
    explanation="The draft embeds an image from a foreign address, which can carry data of the conversation away.",
)
CODES = (
    IN_CUSTOMER_TEXT,
    IN_FORWARDED_TEXT,
    IN_SOURCE,
    SUSPECTED_IN_SOURCE,
    RESTS_ON_IT,
    TOO_MUCH_TO_READ,
    IMAGE_IN_DRAFT,
)

DOUBT_MAX: Final = 0.95
"""What the learned suspicion can take from the score, by its square, so that a little of it takes little."""
CHARS_MAX: Final = 60_000
"""So many characters of all passages and tool results together are read, and of all that the customer wrote as well."""
REMEMBERED_MAX: Final = 8_000
"""Of so many texts it is remembered what was found in them; some 150 bytes each."""
RESTING_MAX: Final = 3
"""So many sentences of the draft that rest on an injected source are pointed at."""
_RESTING_SHARE_MIN: Final = 0.6
_HEADERS = re.compile(
    r"^[ \t]*(?:subject|from|to|sent|date|content|email_from|received date)\s*:", re.IGNORECASE | re.MULTILINE
)
_QUOTED = re.compile(r"^[ \t]*(?:>|-{3,}\s*(?:original|forwarded))", re.IGNORECASE | re.MULTILINE)
_ROW = re.compile(r"^[^\n|]{0,200}\|[^\n|]{0,400}\|", re.MULTILINE)
_HEADING = re.compile(
    r"[#* ]{0,6}(?:what|who|when|where|why|which|how|can|could|do|does|is|are|may|must|should|will)\b[^.!?\n]{3,120}\?[* ]{0,3}",
    re.IGNORECASE,
)
_IMAGE = re.compile(
    r"!\[(?:[^\[\]\n]|\[[^\[\]\n]{0,80}\]){0,200}\]\(\s*(?:https?:)?//([^/)\s?#:]{1,255})|<img\b[^<>]{0,400}src=[\"']?https?://([^/\"'\s?#:>]{1,255})",
    re.IGNORECASE,
)


class InjectionCheck:
    """Is all data only data?"""

    name = "injection"
    words = "something the agent read tries to give it orders"
    needs_draft = False

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Look at the customer's words, then at each source, then at what the draft embeds."""
        written = list(_within((Source(id="", text=text) for text in reversed(evidence.customer_texts)), CHARS_MAX))
        findings = [IN_CUSTOMER_TEXT.found()] if any(_GIVES_ORDERS.of(text.text) for text in written) else []
        passed_on = max((suspicion(plainly(text.text))[0] for text in written if _is_document(text.text)), default=0.0)
        if passed_on >= MODEL.threshold and not findings:
            findings.append(IN_FORWARDED_TEXT.found())
        given = {source.id: source for source in (*passages(draft), *reversed(tool_results(evidence, draft)))}
        sources = list(_within(given.values(), CHARS_MAX))
        doubts = {source.id: _DOUBT.of(source.text) for source in sources}
        findings += _in_sources(doubts)
        findings += _resting(draft.text, [source for source in sources if doubts[source.id] >= MODEL.threshold])
        if _is_cut(given.values()) or _is_cut(Source(id="", text=text) for text in evidence.customer_texts):
            findings.append(TOO_MUCH_TO_READ.found())
        findings += _foreign_images(draft.text, rules.profile.domains)
        doubt = max((passed_on, *doubts.values()))
        return examination(findings, at_most=1.0 - DOUBT_MAX * doubt**2)


def _within(sources: Iterable[Source], limit: int) -> Iterator[Source]:
    """The sources as far as `limit` characters reach, the last one cut."""
    for source in sources:
        if limit <= 0:
            return
        yield source if len(source.text) <= limit else Source(id=source.id, text=source.text[:limit])
        limit -= len(source.text)


def _is_cut(sources: Iterable[Source]) -> bool:
    return sum(len(source.text) for source in sources) > CHARS_MAX


def _is_document(text: str) -> bool:
    """Whether a customer's message holds a text of somebody else: a quoted or forwarded mail, a table, or data."""
    if len(_HEADERS.findall(text)) >= 2 or _QUOTED.search(text) or text.lstrip()[:1] in ("{", "["):
        return True
    return len(_ROW.findall(text)) >= 3


def _in_sources(doubts: dict[str, float]) -> Iterator[Finding]:
    for name, doubt in doubts.items():
        if doubt >= 1.0:
            yield IN_SOURCE.found(passage_id=name)
        elif doubt >= MODEL.threshold:
            yield SUSPECTED_IN_SOURCE.found(passage_id=name)


def _resting(text: str, injected: list[Source]) -> Iterator[Finding]:
    """Point at the sentences of the draft that share most of their words with a sentence of an injected source."""
    if not injected or not text:
        return
    grounds = Grounds(injected)
    near = ((sentence, grounds.nearest(words(sentence.text))) for sentence in islice(sentences(text), 200))
    found = ((s, nearest) for s, nearest in near if nearest is not None and nearest.share >= _RESTING_SHARE_MIN)
    for sentence, nearest in islice(found, RESTING_MAX):
        span = Span(start=sentence.start, end=sentence.start + len(sentence.text))
        yield RESTS_ON_IT.found(span, passage_id=nearest.source_id)


def _foreign_images(text: str, own_domains: tuple[str, ...]) -> Iterator[Finding]:
    for match in _IMAGE.finditer(text):
        host = (match[1] or match[2]).lower()
        if not any(host == own or host.endswith("." + own) for own in own_domains):
            yield IMAGE_IN_DRAFT.found(Span(start=match.start(), end=match.end()))


def _doubt(source: str) -> float:
    """How likely a source holds an order to an assistant; 1 where it shows one by its form."""
    return 1.0 if _GIVES_ORDERS.of(source) else suspicion(_below_heading(plainly(source)))[0]


def _below_heading(text: str) -> str:
    """A text without the question that heads it, as on pages of questions and answers; a question about something else
    than what follows is no heading."""
    first, _, rest = text.partition("\n")
    if not _HEADING.fullmatch(first.strip()):
        return text
    asked = {word for word in words(first) if len(word) > 2 and word not in FILLER}
    return rest if 2 * len(asked & set(words(rest))) >= len(asked) > 0 else text


_GIVES_ORDERS: Final = Remembered(gives_orders, most=REMEMBERED_MAX)
_DOUBT: Final = Remembered(_doubt, most=REMEMBERED_MAX)
