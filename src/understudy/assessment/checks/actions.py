"""Check that what the draft says was done was done: each claimed action needs a successful tool call behind it.

It knows the common verbs of customer service and the tool names that go with them, in English. Questions, plans,
conditions and denials are no claims. A proposed action counts: it is carried out before the draft is sent.
"""

from __future__ import annotations

import re
from typing import Final

from understudy.assessment.carriers import tool_calls
from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.wording import Sentence, sentences
from understudy.records.assessment import Severity, Span
from understudy.records.evidence import Draft, Evidence, ToolCall
from understudy.records.rulebook import Rules

UNBACKED_ACTION = Code(
    check="actions",
    code="unbacked_action",
    severity=Severity.BLOCKING,
    explanation="The draft says that something was done, but no successful tool call of the conversation did it.",
)
CODES = (UNBACKED_ACTION,)

VERBS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("cancell?ed|called off", ("cancel", "terminate", "void")),
    ("refunded|reimbursed", ("refund", "reimburs", "return", "cancel", "credit", "exchang", "modify")),
    (
        "issued|credited|granted",
        (
            "issu",
            "refund",
            "credit",
            "certificate",
            "send",
            "creat",
            "compensat",
            "cancel",
            "return",
            "exchang",
            "modify",
        ),
    ),
    (
        "updated|changed|modified|amended|adjusted|edited|corrected",
        ("update", "change", "modify", "edit", "set", "put"),
    ),
    ("upgraded|downgraded|switched", ("update", "change", "modify", "upgrade", "downgrade", "switch", "set")),
    ("booked|rebooked|reserved|scheduled|rescheduled", ("book", "reserv", "schedul", "create", "update", "change")),
    ("sent|e-?mailed|resent|forwarded|texted", ("send", "mail", "notif", "sms", "message", "forward", "issue")),
    ("exchanged|replaced", ("exchang", "replac", "order", "modify")),
    ("transferred|escalated", ("transfer", "escalat", "handoff", "hand_off", "assign", "ticket")),
    ("added|removed|deleted", ("add", "remov", "delet", "update", "modify", "refuel", "book")),
    ("activated|enabled|reactivated|resumed", ("activat", "enabl", "resum", "toggle", "set")),
    (
        "deactivated|disabled|suspended|blocked|frozen|locked",
        ("activat", "disabl", "suspend", "block", "freez", "lock"),
    ),
    ("reset|unlocked", ("reset", "unlock", "password")),
    ("opened|created|filed|logged|raised", ("open", "creat", "file", "log", "rais", "ticket", "case")),
    ("ordered|purchased", ("order", "purchas", "buy", "creat")),
    ("charged|billed", ("charge", "bill", "pay", "book", "update", "modify", "exchange")),
    ("processed|submitted|initiated|applied|arranged|placed", ()),
)
"""Participles that claim an action, and the parts of tool names that can have done it; none = any tool that acts."""

READING_TOOLS: Final = ("get", "find", "list", "search", "look", "check", "fetch", "read", "calculat", "think", "query")
"""How the names of tools begin that only read; they back no claim by themselves."""

_ANY = "|".join(verbs for verbs, _ in VERBS)
_ADVERBS = r"(?:(?:also|now|just|already|successfully|gone ahead and|been able to get|both|all|officially|since) ){0,3}"
_FIRST_PERSON = re.compile(
    rf"\b(?:i|we)(?:['\u2019]ve| have| had)? {_ADVERBS}({_ANY})\b(?! by\b)",
    re.IGNORECASE,
)
_PASSIVE = re.compile(
    rf"\b(?:ha(?:s|ve) {_ADVERBS}been|(?:is|are) now|(?:was|were) successfully) {_ADVERBS}({_ANY})\b(?! (?:by you|on your end)\b)",
    re.IGNORECASE,
)
_NO_CLAIM = re.compile(
    r"\b(?:if|when|while|once|after|until|unless|before|whether|as soon as|in case|would|could|should|may|might|will|shall"
    r"|not|never|no|cannot|can['\u2019]t|\w+n['\u2019]t|status|please confirm|make sure|ensure|check that|let me know)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[;:,.!?\u2014\u2013\n]| and | but ")
_FAILED = re.compile(
    r"\A\s*(?:error|exception|fail|not found|invalid|denied|unable|traceback)"
    r"|\"errors?\"\s*:\s*+(?!\"\"|null|false|\[\]|\{\})"
    r"|\"(?:success|ok)\"\s*:\s*false|\"status\"\s*:\s*\"(?:error|failed|failure)\"",
    re.IGNORECASE,
)


class ActionsCheck:
    """Was everything the draft says was done really done?"""

    name = "actions"
    words = "the draft claims something was done that no tool did"
    needs_draft = True

    def examine(self, evidence: Evidence, draft: Draft, _rules: Rules) -> Examination:
        """Find claims of action without a matching successful call or proposed action."""
        claims = [claim for sentence in sentences(draft.text) for claim in _claims(sentence)]
        if not claims:
            return Examination(score=1.0)
        calls = [call for call in tool_calls(evidence, draft) if _succeeded(call)]
        acting = [call.name.lower() for call in calls if not call.name.lower().startswith(READING_TOOLS)]
        acting += [action.name.lower() for action in draft.actions]
        results = "\n".join(call.result.lower() for call in calls if call.result)
        return examination(
            UNBACKED_ACTION.found(span)
            for verb, span, is_own in claims
            if not _is_backed(verb, acting) and (is_own or verb[:6] not in results)
        )


def _claims(sentence: Sentence) -> list[tuple[str, Span, bool]]:
    """List the actions a sentence claims: the verb, where, and whether the speaker claims it as their own deed."""
    if sentence.is_question:
        return []
    found = []
    for pattern, is_own in ((_FIRST_PERSON, True), (_PASSIVE, False)):
        for match in pattern.finditer(sentence.text):
            clause = _CLAUSE_END.split(sentence.text[: match.start()])[-1]
            if _NO_CLAIM.search(clause) or _NO_CLAIM.match(sentence.text):
                continue
            span = Span(start=sentence.start + match.start(), end=sentence.start + match.end())
            found.append((match[1].lower(), span, is_own))
    return sorted(found, key=lambda claim: (claim[1].start, claim[1].end))


def _is_backed(verb: str, acting: list[str]) -> bool:
    """Whether the name of a tool that acted goes with the verb."""
    parts = next((tools for verbs, tools in VERBS if re.fullmatch(verbs, verb)), ())
    return any(not parts or any(part in name for part in parts) for name in acting)


def _succeeded(call: ToolCall) -> bool:
    """A call without a recorded result did not provably succeed."""
    return call.error is None and call.result is not None and not _FAILED.search(call.result)
