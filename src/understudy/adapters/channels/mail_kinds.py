"""Which mails no person wrote to be answered: bounces, automatic replies, lists, our own; pure. Answering those makes loops.

What RFC 3834 and 3464 say, and what programs that never read them write. Every reason is a fixed sentence, since it is
shown and counted.
"""

from __future__ import annotations

import re
from email.message import Message

from understudy.adapters.channels.mail_parts import bytes_of, header, headers, kind_of, taken_apart
from understudy.records.outbox import Report

OURS = "understudy."
"""What our own Message-IDs begin with; see `own_id`."""
_ID = re.compile(r"<\s*([^<>\s]{1,400})\s*>")
_NO_PERSON = re.compile(
    r"^(mailer-?daemon|postmaster|no-?reply|do-?not-?reply|noreply.*|bounces?([+-].*)?|.*-bounces?|root|nobody|daemon)$"
)
_MARKS = ("X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Reply-From", "X-Mail-Autoreply")
_LISTS = ("List-Id", "List-Post", "List-Unsubscribe", "Mailing-List", "X-Mailing-List", "Feedback-ID")
WHY_CHARS_MAX = 300
REPORT_PARTS_MAX = 20


def ids_in(value: str) -> list[str]:
    """The Message-IDs in a header, without their brackets."""
    return _ID.findall(value)


def own_id(key: str, domain: str) -> str:
    """The Message-ID of a reply, the same at every try, without brackets."""
    return f"{OURS}{key}@{domain}"


def key_of(message_id: str, domain: str) -> str | None:
    """The key of the reply that a Message-ID of ours names."""
    begins, ends = message_id.startswith(OURS), message_id.lower().endswith(f"@{domain.lower()}")
    return message_id[len(OURS) : -len(domain) - 1] or None if begins and ends else None


def report_of(mail: Message, domain: str) -> Report | str | None:
    """What a bounce says of a reply of ours; why it says nothing, where it is a bounce; None where it is none."""
    kind = kind_of(mail)
    parameters = str(mail.get("Content-Type", "")).lower()
    is_report = kind == "multipart/report" and "delivery-status" in parameters
    if kind == "multipart/report" and not is_report:
        return "a receipt or a report, which nobody answers"
    if not is_report and not header(mail, "X-Failed-Recipients"):
        return None
    parts = list(mail.walk())[:REPORT_PARTS_MAX] if is_report else [mail]
    key = next(iter(_keys_in(mail, parts, domain)), None)
    if key is None:
        return "a report on something that was not sent from here"
    said = _said_of(parts) if is_report else {"action": "failed", "diagnostic-code": "the mail bounced"}
    match said.get("action", ""):
        case "failed":
            why = said.get("diagnostic-code") or said.get("status") or "the mail bounced"
            return Report(key=key, provider_id=own_id(key, domain), has_arrived=False, why=why[:WHY_CHARS_MAX])
        case "delivered":
            return Report(key=key, provider_id=own_id(key, domain), has_arrived=True)
        case _:
            return "reports that a reply of ours is delayed or was passed on"


def _keys_in(mail: Message, parts: list[Message], domain: str) -> list[str]:
    """The replies of ours that a bounce is about, wherever it names them."""
    named = [value for name in ("In-Reply-To", "References") for value in headers(mail, name)]
    for part in parts:
        named += [value for name in ("Message-ID", "X-Original-Message-ID") for value in headers(part, name)]
        if kind_of(part) in ("text/rfc822-headers", "message/rfc822-headers", "text/plain"):
            named.append("".join(headers(taken_apart(bytes_of(part)[:20_000]), "Message-ID")))
    envelope = [f"<{own_id(value, domain)}>" for value in _all(parts, "original-envelope-id")]
    ids = [one for value in (*named, *envelope) for one in ids_in(value)]
    return [key for one in ids if (key := key_of(one, domain)) is not None]


def _all(parts: list[Message], name: str) -> list[str]:
    return [value for part in parts for value in headers(part, name)]


def _said_of(parts: list[Message]) -> dict[str, str]:
    """The fields of the recipient in a delivery report; the worst action counts."""
    said: dict[str, str] = {}
    for part in parts:
        action = header(part, "Action").lower()
        if action and (not said or action == "failed"):
            said = {name: header(part, name) for name in ("diagnostic-code", "status")} | {"action": action}
    return said


def why_nobody(mail: Message, sender: str) -> str | None:
    """Why a mail is no person's who waits for an answer; None where it may be."""
    local = sender.partition("@")[0]
    submitted = header(mail, "Auto-Submitted").partition(";")[0].strip().lower()
    if submitted and submitted != "no":
        return "an automatic reply or notice (Auto-Submitted)"
    if any(header(mail, name) for name in _MARKS) or header(mail, "Precedence").lower() == "auto_reply":
        return "an automatic reply"
    suppressed = {word.strip().lower() for word in header(mail, "X-Auto-Response-Suppress").split(",")}
    if suppressed & {"all", "autoreply", "oof", "dr"}:
        return "asks for no automatic reply (X-Auto-Response-Suppress)"
    if header(mail, "Precedence").lower() in ("bulk", "junk", "list"):
        return "bulk mail (Precedence)"
    if any(header(mail, name) for name in _LISTS):
        return "from a mailing list"
    if header(mail, "Return-Path").replace(" ", "") == "<>":
        return "sent with an empty return path, so nothing may be answered"
    if _NO_PERSON.match(local):
        return "from an address that takes no replies"
    if kind_of(mail) == "text/calendar":
        return "an answer to an invitation"
    return None
