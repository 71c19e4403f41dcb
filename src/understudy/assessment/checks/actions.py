"""Check that what the draft says was done was done, that the agent's tools were given nothing made up, and that what it
proposes to do is declared and within its limits.

Each claimed action needs a successful tool call behind it. The check knows the common verbs of customer service in
English and the tool names that go with them; a business adds its own in the rulebook. Questions, plans, conditions and
denials are no claims. A proposed action counts: it is carried out before the draft is sent. Of what tools were given
only references are looked up (ids, addresses, long numbers): amounts may be worked out and dates reckoned.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any, Final

from understudy.assessment.carriers import business_texts, passages, profile_text, tool_calls, tool_results
from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.proposals import PROPOSAL_CODES, objections_found
from understudy.assessment.wording import Sentence, sentences
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence, ToolCall
from understudy.records.policy import ActionVerb
from understudy.records.rulebook import Rules

UNBACKED_ACTION = Code(
    check="actions",
    code="unbacked_action",
    severity=Severity.BLOCKING,
    explanation="The draft says that something was done, but no successful tool call of the conversation did it.",
)
CONTRADICTED_ACTION = Code(
    check="actions",
    code="contradicted_action",
    severity=Severity.BLOCKING,
    explanation="The draft says that something was done, and the tool that should have done it failed or says otherwise.",
)
INVENTED_ARGUMENT = Code(
    check="actions",
    code="invented_argument",
    severity=Severity.MAJOR,
    explanation="The agent gave a tool an id, address or number that neither the customer nor any source gave.",
)
NOT_ALL_READ = Code(
    check="actions",
    code="not_all_read",
    severity=Severity.UNKNOWN,
    explanation="The draft is longer than this check reads; nobody looked at its end.",
)
CODES = (UNBACKED_ACTION, CONTRADICTED_ACTION, INVENTED_ARGUMENT, NOT_ALL_READ, *PROPOSAL_CODES)

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

_ADVERBS = r"(?:(?:also|now|just|already|successfully|gone ahead and|been able to get|both|all|officially|since) ){0,3}"
_NO_CLAIM = re.compile(
    r"\b(?:if|when|while|once|after|until|unless|before|whether|as soon as|in case|would|could|should|may|might|will|shall"
    r"|not|never|no|cannot|can['\u2019]t|\w+n['\u2019]t|status|please confirm|make sure|ensure|check that|let me know)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(r"[;:,.!?\u2014\u2013\n]| and | but ")
_CLAUSE_CHARS_MAX: Final = 300
CLAIMS_MAX: Final = 40
"""No more claims of one draft are looked at; the first few say enough."""
READ_CHARS_MAX: Final = 30_000
"""So much of a draft is read."""
_FAILED = re.compile(
    r"\A\s*(?:error|exception|fail|not found|invalid|denied|unable|traceback)"
    r"|\"errors?\"\s*:\s*+(?!\"\"|null|false|\[\]|\{\})"
    r"|\"(?:success|ok)\"\s*:\s*false|\"status\"\s*:\s*\"(?:error|failed|failure)\"",
    re.IGNORECASE,
)


_OTHER_STATUS: Final = {
    "cancel": ("active", "confirmed", "processed", "shipped", "delivered", "not cancel", "cannot be cancel"),
    "refund": ("denied", "rejected", "declined", "not eligible", "ineligible", "no refund"),
    "book": ("unavailable", "sold out", "waitlist"),
    "sent": ("bounced", "undelivered", "not sent"),
    "process": ("rejected", "declined", "on hold"),
}
"""What a tool says where the deed was not done, by the beginning of the verb."""
_STATUS = re.compile(r'"(?:status|state|outcome|result)"\s*:\s*"([^"]{1,60})"', re.IGNORECASE)

INVENTED_MAX: Final = 20
_NUMBER_DIGITS_MIN: Final = 5
_ARGUMENT_CHARS_MAX: Final = 20_000
_REFERENCE = re.compile(r"(?=[^\s]{0,80}[0-9])[\w#@.+-]{5,80}|[^\s@]{1,64}@[^\s@]{1,64}")
_RECKONED = re.compile(
    r"[0-9]{1,5}(?:[.,][0-9]{1,4})?|[0-9]{4}-[0-9]{2}(?:-[0-9]{2})?(?:T.*)?|[0-9:.+-]{4,10}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4}"
)
_SPACES = re.compile(r"[\s#()-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deeds:
    """The verbs that claim a deed, each with the parts of tool names that can have done it, and how drafts claim it."""

    verbs: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]
    first_person: re.Pattern[str]
    passive: re.Pattern[str]

    def tools_for(self, verb: str) -> tuple[str, ...]:
        """Which parts of tool names go with a verb; none = any tool that acts."""
        return next((tools for words, tools in self.verbs if words.fullmatch(verb)), ())


class ActionsCheck:
    """Was everything the draft says was done really done?"""

    name = "actions"
    words = "the draft claims something was done that no tool did"
    needs_draft = True

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Find claims of action without a matching successful call or proposed action, then arguments nobody gave."""
        deeds = _deeds(rules.verbs)
        text = draft.text[:READ_CHARS_MAX]
        says_so = deeds.first_person.search(text) or deeds.passive.search(text)
        found = (claim for sentence in sentences(text) for claim in _claims(sentence, deeds))
        claims = list(islice(found, CLAIMS_MAX)) if says_so else []
        unread = [NOT_ALL_READ.found()] if len(draft.text) > READ_CHARS_MAX else []
        objected = objections_found(evidence, draft, rules)
        unbacked = _unbacked(claims, deeds, evidence, draft)
        return examination([*unbacked, *_invented(evidence, draft, rules), *objected, *unread])


def _unbacked(
    claims: list[tuple[str, Span, bool]], deeds: Deeds, evidence: Evidence, draft: Draft
) -> Iterator[Finding]:
    if not claims:
        return
    calls = [call for call in tool_calls(evidence, draft) if not call.name.lower().startswith(READING_TOOLS)]
    done = [call.name.lower() for call in calls if _succeeded(call)]
    done += [action.name.lower() for action in draft.actions]
    failed = [call.name.lower() for call in calls if call.error is not None or (call.result and not _succeeded(call))]
    results = "\n".join(
        result.text.lower() for result in tool_results(evidence, draft) if not _FAILED.search(result.text)
    )
    for verb, span, is_own in claims:
        tools = deeds.tools_for(verb)
        if _is_among(tools, done) or not (is_own or verb[:6] not in results):
            continue
        is_contradicted = (tools and _is_among(tools, failed)) or _says_otherwise(verb, results)
        yield (CONTRADICTED_ACTION if is_contradicted else UNBACKED_ACTION).found(span)


def _is_among(tools: tuple[str, ...], names: list[str]) -> bool:
    """Whether one of the names is that of a tool that goes with the verb."""
    return any(not tools or any(part in name for part in tools) for name in names)


def _says_otherwise(verb: str, results: str) -> bool:
    """Whether the last status a tool gave is one in which the deed is not done."""
    others = next((words for start, words in _OTHER_STATUS.items() if verb.startswith(start)), ())
    statuses = _STATUS.findall(results) if others else []
    return bool(statuses) and any(word in statuses[-1] for word in others)


@lru_cache(maxsize=16)
def _deeds(own: tuple[ActionVerb, ...]) -> Deeds:
    """Put a business's own verbs before the built-in ones."""
    given = [("|".join(re.escape(word.lower()) for word in verb.words), verb.tools) for verb in own]
    verbs = [*given, *VERBS]
    any_verb = "|".join(words for words, _ in verbs)
    return Deeds(
        verbs=tuple((re.compile(words), tuple(tool.lower() for tool in tools)) for words, tools in verbs),
        first_person=re.compile(
            rf"\b(?:i|we)(?:['\u2019]ve| have| had)? {_ADVERBS}({any_verb})\b(?! by\b)", re.IGNORECASE
        ),
        passive=re.compile(
            rf"\b(?:ha(?:s|ve) {_ADVERBS}been|(?:is|are) now|(?:was|were) successfully) {_ADVERBS}({any_verb})\b"
            r"(?! (?:by you|on your end)\b)",
            re.IGNORECASE,
        ),
    )


def _claims(sentence: Sentence, deeds: Deeds) -> list[tuple[str, Span, bool]]:
    """List the actions a sentence claims: the verb, where, and whether the speaker claims it as their own deed."""
    if sentence.is_question:
        return []
    found = []
    for pattern, is_own in ((deeds.first_person, True), (deeds.passive, False)):
        for match in islice(pattern.finditer(sentence.text), CLAIMS_MAX):
            clause = _CLAUSE_END.split(sentence.text[max(0, match.start() - _CLAUSE_CHARS_MAX) : match.start()])[-1]
            if _NO_CLAIM.search(clause) or _NO_CLAIM.match(sentence.text):
                continue
            span = Span(start=sentence.start + match.start(), end=sentence.start + match.end())
            found.append((match[1].lower(), span, is_own))
    return sorted(found, key=lambda claim: (claim[1].start, claim[1].end))


def _succeeded(call: ToolCall) -> bool:
    """A call without a recorded result did not provably succeed."""
    return call.error is None and call.result is not None and not _FAILED.search(call.result)


# --- what tools were given ---


def _invented(evidence: Evidence, draft: Draft, rules: Rules) -> Iterator[Finding]:
    """Find calls of this turn, and proposed actions, that were given a reference that stands nowhere."""
    burst = evidence.messages[len(evidence.messages) - evidence.burst :]
    calls = [*(call for message in burst for call in message.tool_calls), *draft.tool_calls]
    given: list[tuple[str, Any]] = [(call.name, _read(call.arguments)) for call in calls]
    given += [(action.name, action.arguments) for action in draft.actions]
    references = [(name, value) for name, arguments in given for value in _references(arguments, 0)]
    if not references:
        return
    known = _squeezed("\n".join(_given_texts(evidence, draft, rules)))
    missing = dict.fromkeys(name for name, value in references if not _is_given(value, known))
    for name in list(missing)[:INVENTED_MAX]:
        is_reading = name.lower().startswith(READING_TOOLS)
        yield INVENTED_ARGUMENT.found(severity=Severity.MINOR if is_reading else None)


def _given_texts(evidence: Evidence, draft: Draft, rules: Rules) -> Iterator[str]:
    yield from evidence.customer_texts
    yield from business_texts(evidence)
    yield profile_text(rules.profile)
    yield from (source.text for source in (*passages(draft), *tool_results(evidence, draft)))
    yield from (
        evidence.contact.id or "",
        evidence.contact.name or "",
        *evidence.contact.emails,
        *evidence.contact.phones,
    )


def _squeezed(text: str) -> str:
    return _SPACES.sub("", text.lower())


def _is_given(reference: str, known: str) -> bool:
    """Whether a reference, or the number in it that the customer may have named alone, stands in what is known."""
    number = max(re.findall("[0-9]+", reference), key=len, default="")
    return _squeezed(reference) in known or (len(number) >= _NUMBER_DIGITS_MIN and number in known)


def _read(arguments: str) -> Any:
    try:
        return json.loads(arguments) if len(arguments) <= _ARGUMENT_CHARS_MAX else None
    except (ValueError, RecursionError):
        return None  # no JSON: nothing says which part is a reference


def _references(value: Any, depth: int) -> Iterator[str]:
    """Give the texts within arguments that refer to something: no prose, no amounts, no dates."""
    if depth > 8:
        return
    if isinstance(value, dict):
        for item in value.values():
            yield from _references(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from _references(item, depth + 1)
    elif isinstance(value, str) and _REFERENCE.fullmatch(value) and not _RECKONED.fullmatch(value):
        yield value
