"""The cases of the connector kit for mailboxes, by name: what a mail is taken for, and what mail servers' answers mean."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from understudy.connector_kit.mail_trial import BREAKS, HANGS, SENDER, MailTrial, parsed
from understudy.connector_kit.trial import demand
from understudy.records.conversation import Author
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.records.pulls import Envelope

MailCase = Callable[[MailTrial], None]
QUOTED = (
    "Thanks!\n\nOn Mon, 5 Jan 2026 at 10:00, Shop <shop@shop.example> wrote:\n> It left on Monday.\n> Bye",
    "Thanks!\n\n-----Original Message-----\nFrom: Shop\nSent: Monday\nTo: Ada\nSubject: RE: My order\n\nIt left.",
)


def mail_is_read(trial: MailTrial) -> None:
    message = trial.message(trial.mail())
    demand(message.needs_person is None and "kettle" in message.text, f"is read as {message.text!r}")
    demand(message.address.startswith(SENDER), f"replies would go to {message.address}")


def same_mail_twice_has_the_same_id(trial: MailTrial) -> None:
    first, second = trial.message(trial.mail()), trial.message(trial.mail())
    demand(first.provider_id == second.provider_id, "two readings give two ids")


def mail_without_an_id_has_one_of_what_was_written(trial: MailTrial) -> None:
    one, again, other = (trial.message(trial.mail(text, Message_ID="")) for text in ("a", "a", "b"))
    demand(one.provider_id == again.provider_id != other.provider_id, "a mail without an id is not known again")


def own_mail_that_comes_back_is_passed_over(trial: MailTrial) -> None:
    trial.passed_over(trial.mail(From=trial.configured.address))


def own_reply_that_comes_back_is_passed_over(trial: MailTrial) -> None:
    _, server = trial.sent()
    number = parsed(server.content[0])["Message-ID"]
    trial.passed_over(trial.mail(Message_ID=str(number)))


def automatic_mail_is_passed_over(trial: MailTrial) -> None:
    for headers in ({"Auto_Submitted": "auto-replied"}, {"Precedence": "bulk"}, {"X_Auto_Response_Suppress": "All"}):
        trial.passed_over(trial.mail(**headers))


def mail_of_a_list_is_passed_over(trial: MailTrial) -> None:
    trial.passed_over(trial.mail(List_Id="<news.shop.example>"))


def bounce_of_a_reply_is_a_report(trial: MailTrial) -> None:
    _, server = trial.sent()
    number = parsed(server.content[0])["Message-ID"]
    events = trial.read(_bounce(str(number)))
    demand(len(events.reports) == 1 and not events.reports[0].has_arrived, f"is taken for {events}")


def quoted_history_is_set_apart_and_kept(trial: MailTrial) -> None:
    for text in QUOTED:
        message = trial.message(trial.mail(text, In_Reply_To="<x@y>"))
        demand(message.text.strip() == "Thanks!", f"the new words are {message.text!r}")
        whole = None if message.envelope is None else message.envelope.whole
        demand(whole is not None and "left" in whole, "what was cut is lost")


def other_charsets_arrive_intact(trial: MailTrial) -> None:
    for charset, text in (
        ("iso-8859-1", "Größe für Ärger"),
        ("utf-8", "在哪里 👋🏽"),
        ("windows-1251", "Где мой чайник"),
    ):
        one = trial.mail()
        one.set_content(text, charset=charset)
        demand(text in trial.message(one).text, f"{text!r} in {charset} arrives as {trial.message(one).text!r}")


def wrong_charset_is_accounted_for(trial: MailTrial) -> None:
    for charset in ("utf-8", "klingon", "utf-16", "x" * 500, ""):
        head = f"From: {SENDER}\r\nMessage-ID: <c@h>\r\nContent-Type: text/plain; charset={charset}\r\n\r\n"
        trial.read(head.encode() + b"\xff\xfe\x00 Gr\xf6\xdfe")


def html_alone_is_read_as_text(trial: MailTrial) -> None:
    one = trial.mail()
    one.set_content("<p>Where is <b>it</b>?</p><script>alert(1)</script><style>p {}</style>", subtype="html")
    text = trial.message(one).text
    demand("Where is it?" in text and "alert" not in text and "<" not in text, f"is read as {text!r}")


def truncated_mail_is_accounted_for(trial: MailTrial) -> None:
    raw = trial.mail("x" * 500, html="<p>y</p>").as_bytes()
    for part in range(1, 20):
        trial.read(raw[: len(raw) * part // 20])


def nonsense_is_accounted_for(trial: MailTrial) -> None:
    for raw in (b"", b"\x00\x01", b"nonsense", b"\r\n\r\n", b"From: \r\n\r\n", b"{}", b"From: <<<>>>,;\r\n\r\nx"):
        trial.read(raw)


def hostile_headers_are_accounted_for(trial: MailTrial) -> None:
    head = f"From: {SENDER}\r\nMessage-ID: <h@h>\r\n"
    for line in (
        "Subject: =?utf-8?b?" + "/" * 5_000 + "?=",
        "References: " + "<a@b> " * 20_000,
        "Subject: \x00\x1b[2J",
        "Date: " + "9" * 500,
    ):
        trial.read(f"{head}{line}\r\n\r\nHello".encode())


def deep_parts_are_accounted_for(trial: MailTrial) -> None:
    head = f"From: {SENDER}\r\nMessage-ID: <d@h>\r\n"
    parts = "".join(f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(300))
    trial.read(f"{head}{parts}Content-Type: text/plain\r\n\r\nHello".encode())


def attachment_is_noted_and_not_opened(trial: MailTrial) -> None:
    one = trial.mail()
    one.add_attachment(b"%PDF secret", maintype="application", subtype="pdf", filename="bill.pdf")
    text = trial.message(one).text
    demand("application/pdf" in text and "%PDF" not in text, f"is read as {text!r}")


def picture_alone_goes_to_a_person(trial: MailTrial) -> None:
    one = trial.mail("", Subject="")
    one.add_attachment(b"x", maintype="image", subtype="png", filename="dent.png")
    message = trial.message(one)
    demand(message.needs_person is not None and message.text != "", "a mail without words asks an agent")


def overlong_mail_is_cut_and_goes_to_a_person(trial: MailTrial) -> None:
    limit = trial.settings.limits.message_chars_max
    message = trial.message(trial.mail("word " * limit))
    demand(len(message.text) <= limit and message.needs_person is not None, "goes on as if it were whole")


def megabyte_is_accounted_for(trial: MailTrial) -> None:
    trial.read(trial.mail("y" * 1_000_000))


def reply_to_does_not_say_where_replies_go(trial: MailTrial) -> None:
    if SENDER not in trial.configured.forms:
        message = trial.message(trial.mail(Reply_To="mallory@evil.example"))
        demand("mallory" not in message.address, f"replies would go to {message.address}")


def forged_sender_is_a_contact_apart(trial: MailTrial) -> None:
    if trial.configured.trusted_host is not None and trial.configured.unproven == "review":
        proven, forged = trial.message(trial.mail()), trial.message(trial.mail(Authentication_Results=""))
        demand(proven.address != forged.address, "who nobody vouches for shares the history of who they say they are")


def taken_reply_is_accepted_and_threaded(trial: MailTrial) -> None:
    asked = trial.message(trial.mail())
    result, server = trial.sent(answered=asked.envelope)
    demand(isinstance(result, Accepted), f"came to {result}")
    mail = parsed(server.content[0])
    demand(mail["In-Reply-To"] == "<m-1@home.example>", f"In-Reply-To is {mail['In-Reply-To']}")
    demand("<m-1@home.example>" in str(mail["References"]), "References do not name the mail")
    demand(str(mail["Subject"]).lower().startswith("re:"), f"the subject is {mail['Subject']!r}")


def reply_of_nobody_says_so_to_programs(trial: MailTrial) -> None:
    for author, wanted in ((Author.AGENT, True), (Author.REVIEWER, False)):
        _, server = trial.sent(entry=trial.entry(author=author))
        demand(("Auto-Submitted" in parsed(server.content[0])) is wanted, f"a reply of {author.value} has it wrong")


def repeated_send_has_the_same_id(trial: MailTrial) -> None:
    ids = {str(parsed(trial.sent()[1].content[0])["Message-ID"]) for _ in range(2)}
    demand(len(ids) == 1, "the second try is another mail")


def text_of_a_reply_is_data(trial: MailTrial) -> None:
    hostile = "From here\n.\n..dots\nBcc: mallory@evil.example\r\n👋"
    _, server = trial.sent(entry=trial.entry(hostile))
    mail = parsed(server.content[0].replace(b"\r\n..", b"\r\n."))
    body = mail.get_payload(decode=True)
    said = body.decode("utf-8") if isinstance(body, bytes) else ""
    demand(mail["Bcc"] is None and "👋" in said and "From here" in said, f"arrives as {said[:80]!r}")


def address_and_subject_are_data(trial: MailTrial) -> None:
    evil = Envelope(chain=("m-1@home.example",), subject="Hi\r\nBcc: mallory@evil.example\r\n\r\nx")
    for address in ("a@b\r\nRCPT TO:<mallory@evil.example>", "a@b, mallory@evil.example", SENDER):
        _, server = trial.sent(entry=trial.entry(address=address), answered=evil)
        demand(not any("mallory" in one for one in server.recipients), f"{address!r} reaches somebody else")
        demand(all(parsed(one)["Bcc"] is None for one in server.content), "a subject writes a header")


def overlong_reply_is_rejected_unsent(trial: MailTrial) -> None:
    limit = trial.built.capabilities.chars_max
    if limit is not None:
        result, server = trial.sent(entry=trial.entry("x" * (limit + 1)))
        demand(isinstance(result, Rejected) and not server.content, f"came to {result}")


def refusal_is_final(trial: MailTrial) -> None:
    for verb in ("MAIL", "RCPT", "DATA", "END"):
        _came_to(trial, {verb: "550 no such user"}, Rejected)


def refusal_for_now_is_tried_again_when_it_says(trial: MailTrial) -> None:
    for verb in ("MAIL", "RCPT", "END"):
        result = _came_to(trial, {verb: "451 greylisted, try again in 5 minutes"}, Retry)
        demand(result.after_s == 300.0, f"5 minutes are read as {result.after_s} s")


def login_that_is_refused_sends_nothing(trial: MailTrial) -> None:
    _came_to(trial, {"AUTH": "535 who are you"}, Retry)


def connection_broken_before_the_content_is_tried_again(trial: MailTrial) -> None:
    for verb in ("EHLO", "MAIL", "RCPT"):
        _came_to(trial, {verb: BREAKS}, Retry)


def connection_broken_after_the_content_is_unknown(trial: MailTrial) -> None:
    _came_to(trial, {"END": BREAKS}, Unknown)


def silence_after_the_content_is_unknown(trial: MailTrial) -> None:
    _came_to(trial, {"END": HANGS}, Unknown)


def nonsense_after_the_content_is_unknown(trial: MailTrial) -> None:
    _came_to(trial, {"END": "hello there"}, Unknown)


def _came_to(trial: MailTrial, says: Mapping[str, str], kind: type[Any]) -> Any:
    result, _ = trial.sent(says)
    demand(isinstance(result, kind), f"{says} came to {result}; expected {kind.__name__}")
    return result


def _bounce(number: str) -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nAuto-Submitted: auto-replied\r\nReturn-Path: <>\r\nMessage-ID: <b-1@mx.example>\r\n"
        "Content-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSorry.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; {SENDER}\r\nAction: failed\r\nStatus: 5.1.1\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {number}\r\n\r\n--b--\r\n"
    ).encode()


_CASES = (
    mail_is_read, same_mail_twice_has_the_same_id, mail_without_an_id_has_one_of_what_was_written,
    own_mail_that_comes_back_is_passed_over, own_reply_that_comes_back_is_passed_over, automatic_mail_is_passed_over,
    mail_of_a_list_is_passed_over, bounce_of_a_reply_is_a_report, quoted_history_is_set_apart_and_kept,
    other_charsets_arrive_intact, wrong_charset_is_accounted_for, html_alone_is_read_as_text, truncated_mail_is_accounted_for,
    nonsense_is_accounted_for, hostile_headers_are_accounted_for, deep_parts_are_accounted_for, attachment_is_noted_and_not_opened,
    picture_alone_goes_to_a_person, overlong_mail_is_cut_and_goes_to_a_person, megabyte_is_accounted_for,
    reply_to_does_not_say_where_replies_go, forged_sender_is_a_contact_apart, taken_reply_is_accepted_and_threaded,
    reply_of_nobody_says_so_to_programs, repeated_send_has_the_same_id, text_of_a_reply_is_data, address_and_subject_are_data,
    overlong_reply_is_rejected_unsent, refusal_is_final, refusal_for_now_is_tried_again_when_it_says,
    login_that_is_refused_sends_nothing, connection_broken_before_the_content_is_tried_again,
    connection_broken_after_the_content_is_unknown, silence_after_the_content_is_unknown, nonsense_after_the_content_is_unknown,
)  # fmt: skip
MAIL_CASES: Mapping[str, MailCase] = {case.__name__: case for case in _CASES}
"""By name; each raises `CaseFailed` with what the channel did instead."""
