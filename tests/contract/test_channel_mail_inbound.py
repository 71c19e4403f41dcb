"""What a mailbox's mails are read as: messages, reports, or nothing to answer; and that no bytes at all break it."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from mails import PROVEN, READING, bounce, ignored, mail, message, raw, read
from understudy.adapters.channels.mail_reading import Reading


def test_a_mail_is_a_message_of_its_sender() -> None:
    found = message(mail())
    assert (found.provider_id, found.external_id) == ("m-1@home.example", "m-1@home.example")
    assert (found.address, found.contact_email, found.contact_name) == ("ada@home.example", "ada@home.example", "Ada Byron")  # fmt: skip
    assert found.text == "My order\n\nWhere is my kettle?"
    assert found.sent_at is not None
    assert found.sent_at.isoformat() == "2026-01-01T11:00:00+00:00"
    assert found.needs_person is None
    assert found.envelope is not None
    assert (found.envelope.chain, found.envelope.subject, found.envelope.whole) == (("m-1@home.example",), "My order", None)  # fmt: skip


def test_an_answer_names_what_it_follows_oldest_first() -> None:
    found = message(mail(References="<a@x> <b@x>", In_Reply_To="<c@x>"))
    assert found.envelope is not None
    assert found.envelope.chain == ("a@x", "b@x", "c@x", "m-1@home.example")
    assert found.text == "Where is my kettle?"  # the subject is known by then
    many = message(mail(References=" ".join(f"<{n}@x>" for n in range(500))))
    assert many.envelope is not None
    assert (len(many.envelope.chain), many.envelope.chain[0], many.envelope.chain[-2]) == (51, "0@x", "499@x")


def test_a_mail_without_an_id_gets_one_of_what_was_written() -> None:
    one, again, other = mail(Message_ID=""), mail(Message_ID=""), mail("Something else", Message_ID="")
    again["Received"] = "from elsewhere; Thu, 01 Jan 2026 12:00:01 +0100"
    assert message(one).provider_id == message(again).provider_id != message(other).provider_id
    assert message(one).provider_id.startswith("no-id-")


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("<a@x>", "a@x"),
        ("< a@x >", "a@x"),
        ("a@x", "a@x"),
        ("junk <a@x> junk", "a@x"),
        ("<" + "a" * 900 + "@x>", "no-id-"),
        ("<>", "no-id-"),
    ],
)
def test_ids_of_every_kind_become_names(said: str, expected: str) -> None:
    found = message(f"From: ada@home.example\r\nMessage-ID: {said}\r\n\r\nHello".encode())
    assert found.provider_id.startswith(expected)
    assert len(found.provider_id) <= 500


# --- what else


def test_attachments_are_noted_and_not_opened() -> None:
    one = mail()
    one.add_attachment(b"%PDF" * 30_000, maintype="application", subtype="pdf", filename="Rechnung\r\n März.pdf")
    one.add_attachment(b"x", maintype="image", subtype="png")
    one.add_attachment(EmailMessage())
    text = message(one).text
    assert "[attachment: Rechnung März.pdf, application/pdf, 120 kB]" in text
    assert "[attachment: without a name, image/png, 1 bytes]" in text
    assert "message/rfc822" in text
    for _ in range(30):
        one.add_attachment(b"x", maintype="image", subtype="png", filename="x.png")
    assert "[and 23 more]" in message(one).text


def test_a_picture_alone_goes_to_a_person_and_a_subject_alone_does_not() -> None:
    one = mail("", Subject="")
    one.add_attachment(b"x", maintype="image", subtype="png", filename="dent.png")
    assert message(one).needs_person == "message_without_text"
    assert message(mail("", Subject="")).text == "[a mail without text]"
    assert message(mail("", Subject="Where is my order 1234?")).needs_person is None


def test_an_overlong_mail_is_cut_and_goes_to_a_person() -> None:
    found = message(mail("word " * 10_000))
    assert (len(found.text), found.needs_person) == (20_000, "message_too_long")
    assert "[cut here: the mail has" in found.text


def test_a_mail_of_which_only_the_beginning_was_read_says_so() -> None:
    one = mail()
    one.add_attachment(b"x" * 50_000, maintype="image", subtype="png", filename="x.png")
    whole = one.as_bytes()
    text = message(whole[:10_000], size=len(whole)).text
    assert "Where is my kettle?" in text
    assert "[only the first 10 kB of this mail's 68 kB were read]" in text


# --- nobody to answer


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Auto_Submitted": "auto-replied"}, "Auto-Submitted"),
        ({"Auto_Submitted": "auto-generated; owner=x"}, "Auto-Submitted"),
        ({"Auto_Submitted": "AUTO-NOTIFIED"}, "Auto-Submitted"),
        ({"Precedence": "bulk"}, "Precedence"),
        ({"Precedence": "auto_reply"}, "automatic"),
        ({"X_Auto_Response_Suppress": "DR, OOF, AutoReply"}, "X-Auto-Response-Suppress"),
        ({"X_Autoreply": "yes"}, "automatic"),
        ({"List_Id": "<news.shop.example>"}, "list"),
        ({"List_Unsubscribe": "<mailto:x@y>"}, "list"),
        ({"Return_Path": "<>"}, "return path"),
        ({"From": "MAILER-DAEMON@mx.example"}, "no replies"),
        ({"From": "no-reply@bank.example"}, "no replies"),
        ({"From": "help@shop.example"}, "own address"),
        ({"From": ""}, "no sender"),
        ({"From": "undisclosed"}, "no sender"),
        ({"Message_ID": "<understudy.out-1@shop.example>"}, "own reply"),
    ],
)
def test_what_no_person_wrote_gets_no_answer(headers: dict[str, str], why: str) -> None:
    assert why in ignored(mail(**headers))


@pytest.mark.parametrize(
    "headers", [{"Auto_Submitted": "no"}, {"Precedence": "normal"}, {"X_Auto_Response_Suppress": "RN"}]
)
def test_marks_that_mean_nothing_keep_nobody_from_being_answered(headers: dict[str, str]) -> None:
    assert message(mail(**headers))


@pytest.mark.parametrize("carries", ["message", "headers"])
def test_a_bounce_of_our_reply_is_a_report_that_it_did_not_arrive(carries: str) -> None:
    (report,) = read(bounce("failed", carries=carries)).reports
    assert (report.key, report.has_arrived, report.why) == ("out-1", False, "smtp; 550 no such user")


def test_a_success_notice_is_a_report_that_it_arrived() -> None:
    (report,) = read(bounce("delivered")).reports
    assert (report.key, report.has_arrived) == ("out-1", True)


def test_bounces_that_say_nothing_of_our_replies_are_passed_over() -> None:
    assert "delayed" in ignored(bounce("delayed"))
    assert "not sent from here" in ignored(bounce("failed", of="x@elsewhere.example"))
    assert "not sent from here" in ignored(mail(X_Failed_Recipients="x@y.example"))
    assert "receipt" in ignored(
        raw('Content-Type: multipart/report; report-type=disposition-notification; boundary="b"')
    )


# --- who vouches


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        (PROVEN, True),
        ("mx.shop.example; dkim=pass header.d=home.example header.s=1; spf=none", True),
        ("mx.shop.example; spf=pass smtp.mailfrom=bounce@home.example", True),
        ("mx.shop.example 1; dkim=pass (2048-bit; ok) header.i=@home.example", True),
        ("mx.shop.example; dkim=pass header.d=evil.example", False),
        ("mx.shop.example; dkim=pass header.d=example", False),
        ("mx.shop.example; spf=pass smtp.mailfrom=x@evil.example", False),
        ("mx.shop.example; dmarc=fail header.from=home.example; dkim=pass header.d=home.example", False),
        ("mx.shop.example; dmarc=pass header.from=evil.example", False),
        ("mx.evil.example; dmarc=pass header.from=home.example", False),
        ("mx.shop.example; dmarc=none", False),
        ("mx.shop.example", False),
        ("", False),
    ],
)
def test_a_sender_is_proven_by_the_trusted_host_alone(results: str, expected: bool) -> None:
    found = message(mail(Authentication_Results=results))
    assert found.envelope is not None
    assert found.envelope.is_proven is expected
    assert found.address == ("ada@home.example" if expected else "ada@home.example (unproven)")


def test_results_below_the_hop_that_the_trusted_host_wrote_came_from_outside() -> None:
    head = (
        "Authentication-Results: mx.shop.example; dmarc=none\r\nReceived: from evil\r\n"
        f"Authentication-Results: {PROVEN}\r\nFrom: ada@home.example\r\nMessage-ID: <m@x>\r\n\r\nHello"
    )
    assert message(head.encode()).address.endswith("(unproven)")


def test_two_senders_prove_nothing() -> None:
    head = f"Authentication-Results: {PROVEN}\r\nFrom: ada@home.example\r\nFrom: eve@evil.example\r\nMessage-ID: <m@x>\r\n\r\nHello"
    assert message(head.encode()).address == "ada@home.example (unproven)"


def test_a_form_names_the_customer_who_is_then_unproven() -> None:
    reading = Reading(
        own=READING.own, domain="shop.example", text_chars_max=900, forms=frozenset({"form@shop.example"})
    )
    found = message(mail(From="form@shop.example", Reply_To="Bob <bob@home.example>", Auto_Submitted="auto-generated"), reading)  # fmt: skip
    assert (found.address, found.contact_name) == ("bob@home.example (unproven)", "Bob")
