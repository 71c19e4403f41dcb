"""A reply as a mail: the same bytes at every try, referring to what it answers; nothing in it can become a header. It sends nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from email.utils import format_datetime

from understudy.adapters.channels.mail_kinds import own_id
from understudy.adapters.channels.mail_reading import UNPROVEN, is_made_up
from understudy.records.conversation import Author
from understudy.records.outbox import OutboxEntry, origin_of
from understudy.records.pulls import Envelope

NEW_SUBJECT = "Your message"
SUBJECT_CHARS_MAX = 300
REFERENCES_MAX = 20


_ENCODED = "=?"
"""Begins an encoded word, which may hold line ends; the library reads those in values that are given to it."""
_OURS = frozenset(
    "From To Reply-To Subject Date Message-ID In-Reply-To References Auto-Submitted X-Auto-Response-Suppress "
    "X-AI-Generated X-AI-Origin MIME-Version Content-Type Content-Transfer-Encoding".split()
)


class CannotStand(Exception):
    """Something of a reply cannot stand in a mail; says what."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letterhead:
    """What all replies of a mailbox have in common. `footer` stands below each that nobody but the agent wrote."""

    address: str
    name: str
    domain: str
    reply_to: str | None = None
    footer: str = ""
    copy_to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A mail ready to be sent: from whom to whom, and its bytes."""

    sender: str
    recipients: tuple[str, ...]
    message_id: str
    content: bytes
    needs_utf8: bool


def address_of(entry: OutboxEntry) -> str:
    """Where a reply goes."""
    return entry.address.removesuffix(UNPROVEN)


def written(head: Letterhead, entry: OutboxEntry, answered: Envelope | None) -> Written:
    """Write a reply. Raises `CannotStand` where its address or text cannot be part of a mail."""
    to = address_of(entry)
    needs_utf8 = not to.isascii() or not head.address.isascii()
    policy = (SMTPUTF8 if needs_utf8 else SMTP).clone(max_line_length=998, refold_source="none")
    mail = EmailMessage(policy=policy)
    own = own_id(entry.id, head.domain)
    try:
        if _ENCODED in to:
            raise ValueError("no address is an encoded word")
        mail["From"] = Address(display_name=_plain(head.name), addr_spec=head.address)
        mail["To"] = Address(addr_spec=to)
        if head.reply_to is not None:
            mail["Reply-To"] = Address(addr_spec=head.reply_to)
        mail["Subject"] = _subject(answered)
        mail["Date"] = format_datetime(entry.created_at.astimezone(UTC))
        mail["Message-ID"] = f"<{own}>"
        chain = [] if answered is None else [one for one in answered.chain if not is_made_up(one) and _is_name(one)]
        if answered is not None and chain and answered.chain[-1] == chain[-1]:
            mail["In-Reply-To"] = f"<{chain[-1]}>"
        if chain:
            mail["References"] = _references(chain)
        if entry.author is not Author.REVIEWER:
            mail["Auto-Submitted"] = "auto-replied"
            mail["X-Auto-Response-Suppress"] = "OOF, AutoReply"
        if entry.ai_generated:
            mail["X-AI-Generated"] = "yes"
        mail["X-AI-Origin"] = origin_of(entry)
        mail.set_content(_text(entry, head.footer), charset="utf-8", cte="quoted-printable")
        content = mail.as_bytes(policy=policy)
        if not _is_sound(content):
            raise ValueError("it would not be the mail that was meant")
    except Exception as error:
        raise CannotStand(f"{to[:100]!r} or the text cannot be part of a mail: {error}") from error
    recipients = (to,) if head.copy_to is None else (to, head.copy_to)
    return Written(sender=head.address, recipients=recipients, message_id=own, content=content, needs_utf8=needs_utf8)


def _is_name(one: str) -> bool:
    return one.isascii() and one.isprintable() and _ENCODED not in one and not any(mark in one for mark in "<> ")


def _subject(answered: Envelope | None) -> str:
    subject = _plain("" if answered is None else answered.subject)[:SUBJECT_CHARS_MAX]
    if not subject:
        return NEW_SUBJECT
    return subject if subject.lower().startswith(("re:", "aw:")) else f"Re: {subject}"


def _references(chain: Sequence[str]) -> str:
    """The first, which names the thread, and the latest ones."""
    kept = chain if len(chain) <= REFERENCES_MAX else [chain[0], *chain[-(REFERENCES_MAX - 1) :]]
    return " ".join(f"<{one}>" for one in kept)


def _text(entry: OutboxEntry, footer: str) -> str:
    text = "".join(
        mark for mark in entry.text.replace("\r\n", "\n").replace("\r", "\n") if mark in "\n\t" or mark >= " "
    )
    is_alone = entry.author is not Author.REVIEWER
    return f"{text}\n\n-- \n{footer}\n" if footer.strip() and is_alone else f"{text}\n"


def _plain(text: str) -> str:
    """One line that can stand in a header, whatever was in it."""
    printable = "".join(mark if mark.isprintable() else " " for mark in text)
    return " ".join(printable.encode("utf-8", "replace").decode("utf-8").replace(_ENCODED, "= ?").split())


def _is_sound(content: bytes) -> bool:
    """Whether the head holds our headers, each once, and nothing else, whatever the library made of their values."""
    head = content.partition(b"\r\n\r\n")[0]
    lines = head.split(b"\r\n")
    names = [line.partition(b":")[0].decode("latin-1") for line in lines if line[:1] not in (b" ", b"\t")]
    is_whole = not any(mark in line for line in lines for mark in (b"\r", b"\n", b"\x00"))
    return is_whole and len(names) == len(set(names)) and _OURS.issuperset(names)
