"""One turn as a line of an export, customers' data masked unless that is asked not to be; it opens no file and sends nothing.

Masked are the customer's name and every address, phone, card, account and state-given number in any text, by the masks that
test cases are made with; how to reach a customer on a channel is left out. What reviewers are called stays, since an audit
asks who decided. A name that stands only in running text is not recognised.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from understudy.assessment.masking import Mask
from understudy.records.codec import canonical, digest, dump, plain
from understudy.records.conversation import Author
from understudy.records.evidence import NO_FACTS, ContactFacts, Evidence
from understudy.records.ledger import LedgerEntry
from understudy.records.rulebook import Profile
from understudy.records.story import Sent, Story

TURN_COLUMNS = (
    *(
        "turn",
        "at",
        "conversation",
        "channel",
        "topic",
        "state",
        "customer",
        "asked",
        "draft",
        "agent",
        "agent_version",
    ),
    *("confidence", "signals", "findings", "decision", "reasons", "rulebook", "evidence_digest", "assessment_digest"),
    *(
        "reviewers",
        "verdicts",
        "verdict_reasons",
        "verdict_texts",
        "reply",
        "author",
        "outbox_state",
        "tries",
        "receipt",
    ),
    *("feedback", "label", "loss", "first_entry", "last_entry", "last_hash"),
)
ENTRY_COLUMNS = ("seq", "at", "event", "turn_id", "conversation_id", "actor", "body", "previous", "hash")
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell that begins with one of these, or with its full-width form, is a formula to a spreadsheet, and customers may write what they like."""

WRITTEN = frozenset({"reasons", "topic", "why"})
"""Fields of a ledger entry that hold words of people and no names of ours."""


class _Open:
    """Masks nothing."""

    def text(self, text: str) -> str:
        return text

    def all(self, value: Any) -> Any:
        return value


def turn_line(story: Story, *, business: Profile, is_masked: bool) -> dict[str, Any]:
    """Everything of a turn as plain data. Two lines of one turn are the same; stand-ins are the same within a line alone."""
    mask = _mask(story, business) if is_masked else _Open()
    turn, facts = story.turn, _facts(story)
    return {
        "turn": {**plain(turn), "trace": None},
        "masked": is_masked,
        "customer": mask.all({"name": facts.name, "emails": list(facts.emails), "phones": list(facts.phones)}),
        "said": [
            {
                "seq": one.seq,
                "at": _at(one.at),
                "author": one.author.value,
                "by": mask.all(one.author_name) if one.author is Author.CUSTOMER else one.author_name,
                "text": mask.text(one.text),
            }
            for one in story.said
        ],
        "evidence": None if story.evidence is None else _evidence(story.evidence, mask),
        "evidence_digest": None if story.evidence is None else digest(dump(story.evidence)),
        "rulebook": turn.rulebook_id,
        "assessment": None if story.assessment is None else _with_texts(plain(story.assessment), mask, "explanation"),
        "assessment_digest": None if story.assessment is None else digest(dump(story.assessment)),
        "agent_error": None if story.agent_error is None else mask.text(story.agent_error),
        "holds": [plain(hold) for hold in story.holds],
        "verdicts": [
            {
                **plain(one),
                **{
                    name: None if text is None else mask.text(text)
                    for name, text in (("text", one.text), ("topic", one.topic))
                },
                "reasons": mask.all(list(one.reasons)),
            }
            for one in story.verdicts
        ],
        "sent": [_sent(one, mask, is_masked=is_masked) for one in story.sent],
        "feedback": [plain(one) for one in story.feedback],
        "candidate": None if story.candidate is None else plain(story.candidate),
        "second_reviews": [plain(one) for one in story.seconds],
        "seed": None if story.seed is None else {**plain(story.seed), "body": None},
        "entries": [_entry(entry, mask) for entry in story.entries],
    }


def entry_line(entry: LedgerEntry) -> dict[str, Any]:
    """A ledger entry as the API gives it; it holds no message text, and masking anything in it would break its hash."""
    return {**plain(entry), "at": _at(entry.at), "body": json.loads(entry.body)}


def turn_row(line: Mapping[str, Any]) -> list[Any]:
    """The same for a spreadsheet: one row a turn, lists joined; the whole is in the other form."""
    turn, assessment, evidence = line["turn"], line["assessment"] or {}, line["evidence"] or {}
    draft, decision, sent = evidence.get("draft") or {}, assessment.get("decision") or {}, line["sent"]
    last, label, entries = (sent[-1] if sent else {}), (line["candidate"] or {}).get("label") or {}, line["entries"]
    values = {
        "turn": turn["id"],
        "at": turn["created_at"],
        "conversation": turn["conversation_id"],
        **{name: turn[name] for name in ("channel", "topic", "state", "agent_version", "confidence", "decision")},
        "customer": line["customer"]["name"],
        "asked": "\n".join(one["text"] for one in line["said"] if one["author"] == "customer"),
        "draft": draft.get("text"),
        "agent": draft.get("agent"),
        "signals": _joined(f"{one['check']}={one['score']}" for one in assessment.get("signals", ())),
        "findings": _joined(
            f"{one['check']}.{one['code']} ({one['severity']})" for one in assessment.get("findings", ())
        ),
        "reasons": _joined(one["code"] for one in decision.get("reasons", ())),
        "rulebook": line["rulebook"],
        **{name: line[name] for name in ("evidence_digest", "assessment_digest")},
        "reviewers": _joined(one["reviewer"] for one in line["verdicts"]),
        "verdicts": _joined(one["kind"] for one in line["verdicts"]),
        "verdict_reasons": _joined(reason for one in line["verdicts"] for reason in one["reasons"]),
        "verdict_texts": "\n".join(one["text"] for one in line["verdicts"] if one["text"]),
        "reply": last.get("text"),
        "author": last.get("author"),
        "outbox_state": last.get("state"),
        "tries": last.get("attempts"),
        "receipt": last["receipts"][-1]["outcome"] if last.get("receipts") else None,
        "feedback": _joined(one["kind"] for one in line["feedback"]),
        "label": label.get("outcome"),
        "loss": label.get("loss"),
        "first_entry": entries[0]["seq"] if entries else None,
        "last_entry": entries[-1]["seq"] if entries else None,
        "last_hash": entries[-1]["hash"] if entries else None,
    }
    return [values[name] for name in TURN_COLUMNS]


def entry_row(line: Mapping[str, Any]) -> list[Any]:
    """An entry for a spreadsheet; its body is canonical JSON, as its hash has it."""
    return [canonical(line[name]) if name == "body" else line[name] for name in ENTRY_COLUMNS]


def csv_text(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as CSV. No cell is a formula: what a spreadsheet would compute gets an apostrophe before it."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerows([_cell(value) for value in row] for row in rows)
    return written.getvalue()


def json_text(lines: Iterable[Mapping[str, Any]]) -> str:
    """Lines of canonical JSON."""
    return "".join(canonical(line) + "\n" for line in lines)


def _cell(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA_SIGNS) else value


def _mask(story: Story, business: Profile) -> Mask:
    draft = None if story.evidence is None else story.evidence.draft
    results = () if draft is None else tuple(call.result for call in draft.tool_calls if call.result is not None)
    facts = () if story.evidence is None else story.evidence.facts
    told = (json.dumps([item.values for item in one.items], ensure_ascii=False) for one in facts)
    return Mask(business, _facts(story), (*results, *told))


def _facts(story: Story) -> ContactFacts:
    """What is known of the customer: by the channel, and by whoever handed the draft over."""
    told = NO_FACTS if story.evidence is None else story.evidence.contact
    known = story.contact
    return ContactFacts(
        name=known.name or told.name,
        emails=tuple(dict.fromkeys(one for one in (known.email, *told.emails) if one)),
        phones=tuple(dict.fromkeys(one for one in (known.phone, *told.phones) if one)),
    )


def _evidence(evidence: Evidence, mask: Mask | _Open) -> dict[str, Any]:
    found = plain(evidence)
    draft = found["draft"]
    named = ("agent", "agent_version", "topic", "finish_reason")
    return {
        **found,
        "messages": [
            {**mask.all(one), "role": one["role"], "tool_call_id": one["tool_call_id"]} for one in found["messages"]
        ],
        "draft": None if draft is None else {**mask.all(draft), **{name: draft[name] for name in named}},
        "agent_error": None if found["agent_error"] is None else mask.text(found["agent_error"]),
        "contact": mask.all(found["contact"]),
        "safe_replies_sent": mask.all(found["safe_replies_sent"]),
        "opinions": [{**mask.all(one), "name": one["name"]} for one in found["opinions"]],
        "facts": [{**one, "items": mask.all(one["items"]), "says": mask.text(one["says"])} for one in found["facts"]],
    }


def _with_texts(value: Any, mask: Mask | _Open, name: str) -> Any:
    """Plain data with every text under a name masked."""
    if isinstance(value, dict):
        return {
            key: mask.text(item) if key == name and isinstance(item, str) else _with_texts(item, mask, name)
            for key, item in value.items()
        }
    return [_with_texts(item, mask, name) for item in value] if isinstance(value, list) else value


def _sent(sent: Sent, mask: Mask | _Open, *, is_masked: bool) -> dict[str, Any]:
    entry = plain(sent.entry)
    reached = {name: None if is_masked else entry[name] for name in ("address", "external_id")}
    error = None if entry["last_error"] is None else mask.text(entry["last_error"])
    receipts = [_with_texts(plain(one), mask, "detail") for one in sent.receipts]
    return {**entry, **reached, "text": mask.text(entry["text"]), "last_error": error, "receipts": receipts}


def _entry(entry: LedgerEntry, mask: Mask | _Open) -> dict[str, Any]:
    """An entry in which what a reviewer wrote is masked; where nothing was, its hash still follows from it."""
    line = entry_line(entry)
    written = {name: mask.all(said) for name, said in line["body"].items() if name in WRITTEN}
    return {**line, "body": {**line["body"], **written}}


def _joined(parts: Iterable[str]) -> str:
    return "; ".join(parts)


def _at(moment: Any) -> str:
    return str(moment.isoformat())
