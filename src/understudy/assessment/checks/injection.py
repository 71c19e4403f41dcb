"""Check that no data tries to give the agent orders: customer text, passages and tool results are looked at apart.

It recognises the plain forms (orders to ignore instructions, role markers, hidden characters, images that carry
data away). An attack worded like an ordinary request passes here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from understudy.assessment.carriers import Source, passages, tool_results
from understudy.assessment.check import Code, Examination, examination
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules

IN_CUSTOMER_TEXT = Code(
    check="injection",
    code="in_customer_text",
    severity=Severity.MAJOR,
    explanation="The customer's message contains words addressed to the agent's own instructions.",
)
IN_SOURCE = Code(
    check="injection",
    code="in_source",
    severity=Severity.BLOCKING,
    explanation="A passage or tool result contains instructions addressed to the agent.",
)
IMAGE_IN_DRAFT = Code(
    check="injection",
    code="image_in_draft",
    severity=Severity.BLOCKING,
    explanation="The draft embeds an image from a foreign address, which can carry data of the conversation away.",
)
CODES = (IN_CUSTOMER_TEXT, IN_SOURCE, IMAGE_IN_DRAFT)

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
_IMAGE = re.compile(
    r"!\[[^\]\n]{0,200}\]\(\s*(?:https?:)?//([^/)\s?#:]{1,255})|<img\b[^>]{0,400}src=[\"']?https?://([^/\"'\s?#:>]{1,255})",
    re.IGNORECASE,
)


class InjectionCheck:
    """Is all data only data?"""

    name = "injection"
    words = "something the agent read tries to give it orders"
    needs_draft = False

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Look at the customer's words, then at each source, then at what the draft embeds."""
        findings = [IN_CUSTOMER_TEXT.found()] if any(gives_orders(text) for text in evidence.customer_texts) else []
        sources = {source.id: source for source in _suspicious((*passages(draft), *tool_results(evidence, draft)))}
        findings += [IN_SOURCE.found(passage_id=name) for name in sources]
        findings += _foreign_images(draft.text, rules.profile.domains)
        return examination(findings)


def gives_orders(text: str) -> bool:
    """Whether a text contains words, markers or hidden characters meant for the agent rather than for a person."""
    lowered = text.lower()
    if any(hint in lowered and pattern.search(text) for hint, pattern in _PATTERNS):
        return True
    return not text.isascii() and _HIDDEN.search(_FLAG.sub("", text)) is not None


def _suspicious(sources: tuple[Source, ...]) -> Iterator[Source]:
    return (source for source in sources if gives_orders(source.text))


def _foreign_images(text: str, own_domains: tuple[str, ...]) -> Iterator[Finding]:
    for match in _IMAGE.finditer(text):
        host = (match[1] or match[2]).lower()
        if not any(host == own or host.endswith("." + own) for own in own_domains):
            yield IMAGE_IN_DRAFT.found(Span(start=match.start(), end=match.end()))
