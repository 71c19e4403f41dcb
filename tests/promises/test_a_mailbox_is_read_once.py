"""A mailbox that two processes may read: killed at any moment, no mail is lost, taken twice or answered twice."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import psycopg
import pytest
from pytest_httpserver import HTTPServer

sys.path.insert(0, str(Path(__file__).parents[1]))  # test files are no package
from mail_servers import PASSWORD, Dovecot, dovecot_running, smtp_running

MAILS = 24
CONFIGURED = """
[channels.mail]
kind = "email"
address = "help@shop.example"
imap = {{ host = "localhost", port = {imap}, security = "tls" }}
smtp = {{ host = "localhost", port = {smtp}, security = "starttls" }}
password = "{password}"
certificates = "{certificates}"
from_the_start = true
unproven = "answer"
sent_folder = "Sent"
"""


@pytest.fixture
def dovecot() -> Iterator[Dovecot]:
    with dovecot_running() as one:
        yield one


def mail(number: int) -> bytes:
    head = f"From: c{number}@home.example\r\nMessage-ID: <m-{number}@home.example>\r\n\r\n"
    return f"{head}mail {number} in 0 seconds\r\n".encode()


@pytest.mark.slow
@pytest.mark.postgres
def test_no_mail_is_lost_or_taken_twice_when_its_reader_is_killed(
    tmp_path: Path, dovecot: Dovecot, houses: ModuleType, new_postgres: Callable[[], str], httpserver: HTTPServer
) -> None:
    url = new_postgres()
    with ExitStack() as stack:
        smtp = stack.enter_context(smtp_running(dovecot.folder, security="starttls"))
        smtp.files = lambda content, to: dovecot.deliver(content, "Sent")
        more = CONFIGURED.format(imap=dovecot.tls, smtp=smtp.port, password=PASSWORD, certificates=dovecot.certificates)
        house: Any = stack.enter_context(houses.housed(tmp_path, url, httpserver, more=more))
        workers = [house.start("work"), house.start("work")]
        for number in range(MAILS):
            dovecot.deliver(mail(number))
            if number % 8 == 3:  # the older one, which reads or waits; another comes in its place
                workers.pop(0).kill()
                workers.append(house.start("work"))
            time.sleep(0.05)

        def taken() -> Counter[str]:
            with psycopg.connect(url) as connection:
                rows = connection.execute("SELECT provider_id FROM messages WHERE author = 'customer'").fetchall()
            return Counter(name for (name,) in rows)

        house.until(lambda: len(taken()) == MAILS)
        assert set(taken()) == {f"m-{number}@home.example" for number in range(MAILS)}

        def settled() -> bool:
            with psycopg.connect(url) as connection:
                row = connection.execute("SELECT count(*) FROM outbox WHERE state IN ('sent', 'unknown')").fetchone()
            return row is not None and row[0] >= MAILS

        house.until(settled)
        assert max(taken().values()) == 1
        sent = Counter(str(one.mail["Message-ID"]) for one in smtp.taken)
        assert max(sent.values()) == 1
        assert len(sent) == MAILS
