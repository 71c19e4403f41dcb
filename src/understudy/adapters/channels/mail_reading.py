"""A mail as bytes, read into what a channel gives: a customer's message, a report on a reply, or why it is neither; pure.

Whatever the bytes are, something comes back and nothing is raised. A mail that cannot be understood goes to a person
where it can be said from whom it is, and is passed over for a reason where not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from understudy.adapters.channels.fitting import NO_TEXT, UNREADABLE, fitted
from understudy.adapters.channels.mail_kinds import ids_in, key_of, report_of, why_nobody
from understudy.adapters.channels.mail_parts import Attachment, Body, body_of, header, headers, taken_apart
from understudy.adapters.channels.mail_proof import is_proven
from understudy.adapters.channels.mail_words import words_of
from understudy.ports.channel import Events
from understudy.records.conversation import Inbound
from understudy.records.outbox import Report
from understudy.records.pulls import Envelope, theme_of

UNPROVEN = " (unproven)"
"""What stands behind an address that nobody vouches for, so that it never is the address of somebody known."""
IDS_MAX = 50
ID_CHARS_MAX = 400
SUBJECT_CHARS_MAX = 300
ADDRESS_CHARS_MAX = 254
NAME_CHARS_MAX = 200
ATTACHMENTS_MAX = 10
WHOLE_CHARS_MAX = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How one mailbox's mails are read.

    `own` are its addresses and `domain` that of its Message-IDs. `trusted` vouches for senders; where `is_proof_needed`
    is False nobody has to. `forms` are senders whose Reply-To names the customer.
    """

    own: frozenset[str]
    domain: str
    text_chars_max: int
    trusted: str | None = None
    is_proof_needed: bool = True
    forms: frozenset[str] = field(default_factory=frozenset)

    def events(self, raw: bytes, *, size: int | None = None) -> Events:
        """What a mail is. `size`: how many bytes it has, where `raw` is only the beginning."""
        mail = taken_apart(raw)
        try:
            return self._events(mail, raw, size)
        except Exception as error:  # noqa: BLE001 - a mail that nobody foresaw keeps no other waiting
            return self._unreadable(mail, raw, error)

    def _events(self, mail: Message, raw: bytes, size: int | None) -> Events:
        own_key = key_of(next(iter(ids_in(header(mail, "Message-ID"))), ""), self.domain)
        if own_key is not None:
            return Events(ignored=("our own reply came back",))
        report = report_of(mail, self.domain)
        if isinstance(report, Report):
            return Events(reports=(report,))
        if report is not None:
            return Events(ignored=(report,))
        name, sender = _address(headers(mail, "From"))
        is_form = sender in self.forms
        if is_form:
            name, sender = _address(headers(mail, "Reply-To"))
        if not sender:
            return Events(ignored=("names no sender who could be answered",))
        if sender in self.own:
            return Events(ignored=("from this mailbox's own address",))
        why = None if is_form else why_nobody(mail, sender)
        if why is not None:
            return Events(ignored=(why,))
        return Events(messages=(self._message(mail, raw, size, name, sender, is_form=is_form),))

    def _message(
        self, mail: Message, raw: bytes, size: int | None, name: str, sender: str, *, is_form: bool
    ) -> Inbound:
        own = message_id(mail, raw)
        chain = chain_of(mail, own)
        subject = header(mail, "Subject")[:SUBJECT_CHARS_MAX]
        body = body_of(mail)
        words = words_of(body.text)
        text, needs_person = self._text(words.new, subject, body, is_first=len(chain) == 1, cut=_cut(raw, size))
        proven = self._is_proven(mail, sender, is_form=is_form)
        whole = words.whole if words.whole is None else words.whole[:WHOLE_CHARS_MAX]
        return Inbound(
            provider_id=own,
            external_id=own,
            address=sender if proven else sender + UNPROVEN,
            text=text,
            sent_at=_moment(header(mail, "Date")),
            contact_name=name[:NAME_CHARS_MAX] or None,
            contact_email=sender,
            needs_person=needs_person,
            envelope=Envelope(chain=chain, subject=subject, whole=whole, is_proven=proven),
        )

    def _is_proven(self, mail: Message, sender: str, *, is_form: bool) -> bool:
        if not self.is_proof_needed:
            return True
        if is_form or len(headers(mail, "From")) != 1:
            return False
        return is_proven(mail, domain=sender.rpartition("@")[2], trusted=self.trusted)

    def _text(self, words: str, subject: str, body: Body, *, is_first: bool, cut: str | None) -> tuple[str, str | None]:
        """What the agent and reviewers read, and why no agent can answer it."""
        lines = [subject, ""] if subject and is_first else []
        notes = [*_notes(body.attachments), *filter(None, [cut])]
        says_something = bool(words.strip()) or bool(theme_of(subject) and is_first)
        text = "\n".join([*lines, *filter(None, [words]), *([""] if words and notes else []), *notes]).strip("\n")
        if not says_something:
            return text or "[a mail without text]", NO_TEXT
        return fitted(text, self.text_chars_max, what="mail")

    def _unreadable(self, mail: Message, raw: bytes, error: Exception) -> Events:
        try:
            name, sender = _address(headers(mail, "From"))
        except Exception:  # noqa: BLE001 - not even that
            return Events(ignored=(f"cannot be read ({type(error).__name__})",))
        if not sender or sender in self.own:
            return Events(ignored=(f"cannot be read ({type(error).__name__})",))
        own = _hashed("unread", raw)
        message = Inbound(
            provider_id=own,
            external_id=own,
            address=sender + UNPROVEN,
            text="[a mail that cannot be read here; look into the mailbox]",
            contact_name=name[:NAME_CHARS_MAX] or None,
            needs_person=UNREADABLE,
            envelope=Envelope(chain=(own,), is_proven=False),
        )
        return Events(messages=(message,))


def message_id(mail: Message, raw: bytes) -> str:
    """The mail's own name for itself; where it has none, or one that is no name, one made of what was written."""
    found = ids_in(header(mail, "Message-ID"))
    if found:
        return found[0]
    bare = header(mail, "Message-ID").strip("<> ")
    if bare and " " not in bare and len(bare) <= ID_CHARS_MAX:
        return bare
    _, _, body = raw.replace(b"\r\n", b"\n").partition(b"\n\n")
    written = "\n".join(header(mail, name) for name in ("From", "To", "Date", "Subject", "Message-ID"))
    return _hashed("no-id", written.encode("utf-8", "replace") + b"\n\n" + body)


def is_made_up(name: str) -> bool:
    """Whether a name is one of ours for a mail that had none; no reply refers to it."""
    return name.startswith(("no-id-", "unread-"))


def _hashed(what: str, raw: bytes) -> str:
    return f"{what}-{hashlib.sha256(raw).hexdigest()[:40]}"


def chain_of(mail: Message, own: str) -> tuple[str, ...]:
    """The mails it follows, oldest first, and itself; of a long history the first and the latest."""
    named = [one for name in ("References", "In-Reply-To") for one in ids_in(header(mail, name))]
    before = [one for one in dict.fromkeys(named) if one != own]
    if len(before) > IDS_MAX:
        before = [before[0], *before[-(IDS_MAX - 1) :]]
    return (*before, own)


def _address(values: Sequence[str]) -> tuple[str, str]:
    """The name and the address, in lower case, of the first sender who has one; empty where nobody has."""
    for name, address in getaddresses([value[:2_000] for value in values[:3]]):
        local, at, domain = address.strip().rpartition("@")
        is_one = at and local and domain and len(address) <= ADDRESS_CHARS_MAX
        if is_one and not any(mark.isspace() or not mark.isprintable() or mark in '<>,;:"()[]\\' for mark in address):
            return " ".join(name.split()), f"{local}@{domain}".lower()
    return "", ""


def _notes(attachments: Sequence[Attachment]) -> list[str]:
    notes = []
    for one in attachments[:ATTACHMENTS_MAX]:
        size = None if one.bytes is None else _size(one.bytes)
        notes.append(f"[attachment: {', '.join(filter(None, [one.name or 'without a name', one.kind, size]))}]")
    if len(attachments) > ATTACHMENTS_MAX:
        notes.append(f"[and {len(attachments) - ATTACHMENTS_MAX} more]")
    return notes


def _size(count: int) -> str:
    return (
        f"{count} bytes" if count < 1_000 else f"{count / 1_000:.0f} kB" if count < 999_500 else f"{count / 1e6:.1f} MB"
    )


def _cut(raw: bytes, size: int | None) -> str | None:
    if size is None or size <= len(raw):
        return None
    return f"[only the first {_size(len(raw))} of this mail's {_size(size)} were read]"


def _moment(text: str) -> datetime | None:
    """When it was written, in UTC; None where it does not say it readably."""
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
