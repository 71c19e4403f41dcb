"""What somebody wrote in a mail, apart from what they quote and sign, in whatever form and charset it comes."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from mails import QUOTED, mail, message, raw
from understudy.adapters.channels.mail_words import text_of_html, words_of
from understudy.records.pulls import theme_of


@pytest.mark.parametrize("text", QUOTED)
def test_quoted_history_and_signature_are_not_what_was_said(text: str) -> None:
    words = words_of(text)
    assert words.new == "Thanks!"
    assert words.whole == text.replace("-- \n", "--\n")


@pytest.mark.parametrize(
    "text",
    [
        "On Monday I wrote: nothing came of it.\nSo where is it?",
        "From: Berlin\nI want to know when it ships.",
        "The price was > 20 and I paid.\nOn the bill it says 30.",
        "Options -- many of them -- are missing.",
        "I wrote:\n1. a kettle\n2. a lid",
    ],
)
def test_what_only_looks_like_history_stays(text: str) -> None:
    assert words_of(text).new == text
    assert words_of(text).whole is None


def test_answers_between_quoted_lines_stay() -> None:
    text = "Am 05.01.2026 schrieb Shop:\n> Which one?\nThe red one.\n> How many?\nTwo."
    assert words_of(text).new == "The red one.\nTwo."


def test_a_mail_that_only_quotes_keeps_what_it_quotes() -> None:
    assert words_of("> Where is it?\n> It is late.").new == "Where is it?\nIt is late."
    forwarded = "-----Original Message-----\nFrom: x\nTo: y\n\nWhere is it?"
    assert words_of(forwarded).new == forwarded


def test_the_whole_of_a_mail_is_kept_beside_what_is_new() -> None:
    found = message(mail(QUOTED[0]))
    assert found.text.endswith("Thanks!")
    assert found.envelope is not None
    assert found.envelope.whole is not None
    assert "> It left on Monday." in found.envelope.whole


def test_html_alone_becomes_text_with_its_quotes_marked() -> None:
    page = (
        "<html><head><style>p {color: red}</style><title>x</title></head><body><p>Where is&nbsp;my <b>kettle</b>?</p>"
        "<ul><li>red<li>two</ul><script>alert(1)</script>Bye &amp; thanks<br>Ada"
        '<div class="gmail_quote"><div>On 5 Jan 2026, Shop wrote:</div><blockquote>It left</blockquote></div></body></html>'
    )
    text = text_of_html(page)
    assert "alert" not in text
    assert "color" not in text
    assert words_of(text).new == "Where is my kettle?\n\n- red\n- two\nBye & thanks\nAda"
    one = EmailMessage()
    for name, value in {"From": "ada@home.example", "Message-ID": "<h@x>", "Subject": "Kettle"}.items():
        one[name] = value
    one.set_content(page, subtype="html")
    assert message(one).text.startswith("Kettle\n\nWhere is my kettle?")


def test_a_head_that_nobody_closed_does_not_swallow_the_page() -> None:
    assert text_of_html("<head><style>p{}<body><p>Hello") in ("Hello", "")
    assert text_of_html("<head><title>x</title><body><p>Hello</p>").strip() == "Hello"


def test_plain_words_come_before_html_ones_unless_they_say_nothing() -> None:
    assert message(mail("plain words", html="<p>html words</p>")).text.endswith("plain words")
    assert message(mail(" \n", html="<p>html words</p>")).text.endswith("html words")


@pytest.mark.parametrize(
    ("charset", "body", "expected"),
    [
        ("iso-8859-1", "Grüße".encode("latin-1"), "Grüße"),
        ("windows-1252", "„Grüße“".encode("cp1252"), "„Grüße“"),
        ("utf-8", "Grüße".encode("latin-1"), "Grüße"),
        ("us-ascii", "Grüße".encode(), "Grüße"),
        ("x-unknown", "Grüße".encode(), "Grüße"),
        ("", "Grüße".encode(), "Grüße"),
        ("koi8-r", "Привет".encode("koi8-r"), "Привет"),
        ("gb2312", "你好".encode("gb2312"), "你好"),
        ("iso-2022-jp", "こんにちは".encode("iso-2022-jp"), "こんにちは"),
        ("ks_c_5601-1987", "안녕".encode("cp949"), "안녕"),
        ("rot13", b"Hello", "Hello"),
        ("unicode_escape", b"\\q Hello", "\\q Hello"),
        ("zip", b"Hello", "Hello"),
        ("utf-7", b"Hello", "Hello"),
        ("punycode", b"Hello", "Hello"),
        ('iso-8859-1" http-equiv="x', "Grüße".encode("latin-1"), "Grüße"),
    ],
)
def test_words_are_read_in_whatever_charset(charset: str, body: bytes, expected: str) -> None:
    line = f'Content-Type: text/plain; charset="{charset}"' if charset else "Content-Type: text/plain"
    assert message(raw(line, body=body)).text == expected


def test_encoded_and_raw_headers_are_read() -> None:
    assert message(raw("Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?= =?utf-8?b?IHZvbiBBZGE=?=")).text == "Grüße von Ada\n\nHello there"  # fmt: skip
    latin = b"From: ada@home.example\r\nSubject: Gr\xfc\xdfe\r\n\r\nHello"
    assert message(latin).text == "Grüße\n\nHello"
    utf8 = "From: Ädä <ada@home.example>\r\nSubject: Grüße\r\n\r\nHello".encode()
    assert (message(utf8).contact_name, message(utf8).text) == ("Ädä", "Grüße\n\nHello")
    assert message(raw("Subject: =?nonsense?q?x?= =?utf-8?q?=ZZ?= =?utf-8?b?%%%?=")).text.endswith("Hello there")


def test_control_characters_are_taken_away() -> None:
    assert message(raw("Subject: a\x00b\x07c", body=b"x\x00y\x1b[31mz")).text == "abc\n\nxy[31mz"


@pytest.mark.parametrize(
    "subject", ["Re: My order", "AW: RE: my  order", "[shop] Fwd: My Order", "Re[2]: My order", "SV: My order"]
)
def test_replying_and_forwarding_change_no_theme(subject: str) -> None:
    assert theme_of(subject) == "my order"


def test_a_theme_of_marks_alone_stays() -> None:
    assert theme_of("Re:") == "re:"
    assert theme_of("[ticket 12]") == "[ticket 12]"
    assert theme_of("") == ""
