"""Access tokens for mailboxes: fetched once and kept, fetched anew when they end or are refused; on a real Dovecot that asks for them."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import tempfile
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from mail_servers import USER, Dovecot, free_port, make_certificate
from understudy.adapters.channels.mail_sending import Submission
from understudy.adapters.channels.mail_tokens import OAuthTokens
from understudy.adapters.channels.mail_writing import Written
from understudy.adapters.channels.mailbox import Account, Mailbox
from understudy.errors import ChannelUnreachable
from understudy.records.outbox import Accepted, Retry
from understudy.settings.mail import MailOAuth

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Issuer:
    """A token endpoint, and what says whose a token is."""

    def __init__(self) -> None:
        self.forms: list[dict[str, str]] = []
        self.says: dict[str, Any] | None = None
        self.status = 200
        self.good: set[str] = set()

    def give(self, request: Request) -> Response:
        self.forms.append(request.form.to_dict())
        token = f"token-{len(self.forms)}"
        self.good.add(token)
        said = {"access_token": token, "expires_in": 3600} if self.says is None else self.says
        return Response(json.dumps(said), self.status, content_type="application/json")

    def whose(self, request: Request) -> Response:
        token = request.full_path.rpartition("=")[2]
        return Response(f'{{"username": "{USER}"}}' if token in self.good else "{}", 200 if token in self.good else 401, content_type="application/json")  # fmt: skip


@pytest.fixture
def issuer(httpserver: HTTPServer) -> Issuer:
    one = Issuer()
    httpserver.expect_request("/token").respond_with_handler(one.give)
    httpserver.expect_request("/whose").respond_with_handler(one.whose)
    one.url = httpserver.url_for("/token")  # type: ignore[attr-defined]
    return one


def tokens(issuer: Issuer, *, now: Any = lambda: NOW, **more: Any) -> OAuthTokens:
    given = {
        "client_id": "app",
        "client_secret": "s3cret",
        "refresh_token": None,
        "scope": "mail",
        "timeout_s": 5.0,
        **more,
    }
    return OAuthTokens(url=issuer.url, now=now, **given)  # type: ignore[attr-defined]


def test_token_is_fetched_once_and_anew_before_it_ends(issuer: Issuer) -> None:
    moment = [NOW]
    source = tokens(issuer, now=lambda: moment[0])
    together = [threading.Thread(target=source.token) for _ in range(8)]
    for one in together:
        one.start()
    for one in together:
        one.join()
    assert source.token() == "token-1"
    assert issuer.forms == [
        {"grant_type": "client_credentials", "client_id": "app", "client_secret": "s3cret", "scope": "mail"}
    ]
    moment[0] += timedelta(seconds=3541)
    assert source.token() == "token-2"
    source.forget()
    assert source.token() == "token-3"


def test_refresh_token_that_is_replaced_is_used_from_then_on(issuer: Issuer) -> None:
    source = tokens(issuer, client_secret=None, refresh_token="r-1")
    issuer.says = {"access_token": "a", "expires_in": 0, "refresh_token": "r-2"}
    source.token()
    source.forget()
    source.token()
    assert [(form["grant_type"], form["refresh_token"]) for form in issuer.forms] == [("refresh_token", "r-1"), ("refresh_token", "r-2")]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (400, {"error": "invalid_grant"}),
        (200, {}),
        (200, {"access_token": 7}),
        (200, {"access_token": "a\r\nb"}),
        (500, {}),
    ],
)
def test_answer_without_a_token_is_named_without_secrets(issuer: Issuer, status: int, says: dict[str, Any]) -> None:
    issuer.status, issuer.says = status, says
    with pytest.raises(ChannelUnreachable, match="gives no access token") as told:
        tokens(issuer).token()
    assert "s3cret" not in str(told.value)


def test_secrets_do_not_cross_the_network_in_the_open() -> None:
    with pytest.raises(ValueError, match="in the open"):
        MailOAuth(token_url="http://login.example/token", client_id="a", client_secret="b")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="client_secret, or a refresh_token"):
        MailOAuth(token_url="https://login.example/token", client_id="a")


OAUTH = """
auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {folder}/oauth.conf
}}
"""
INTROSPECTION = """
tokeninfo_url = {url}?access_token=
introspection_mode = auth
username_attribute = username
"""


@pytest.fixture
def dovecot(httpserver: HTTPServer) -> Iterator[Dovecot]:
    if shutil.which("dovecot") is None:
        pytest.skip("Dovecot is not installed: apt-get install dovecot-imapd")
    folder = Path(
        tempfile.mkdtemp(prefix="understudy-")
    )  # its mailbox is read by nobody, who gets into no folder of pytest's
    folder.chmod(0o755)
    make_certificate(folder)
    (folder / "oauth.conf").write_text(INTROSPECTION.format(url=httpserver.url_for("/whose")), encoding="utf-8")
    one = Dovecot(folder=folder, plain=free_port(), tls=free_port(), more=OAUTH.format(folder=folder))
    try:
        one.start()
        yield one
    finally:
        one.stop()
        shutil.rmtree(folder, ignore_errors=True)


def test_mailbox_is_read_by_an_access_token(dovecot: Dovecot, issuer: Issuer) -> None:
    source = tokens(issuer)
    account = Account(
        host="localhost", port=dovecot.tls, user=USER, password="", security="tls", timeout_s=10.0,
        certificates=dovecot.certificates, tokens=source,
    )  # fmt: skip
    box = Mailbox(account, "INBOX", bytes_max=10_000)
    assert f"lets {USER} read 'INBOX'" in box.check()
    box.close()
    issuer.good.clear()  # taken back, though its time is not over
    with pytest.raises(ChannelUnreachable, match="cannot be read"):
        box.check()
    assert f"lets {USER} read 'INBOX'" in box.check()
    assert len(issuer.forms) == 2
    box.close()


class TakesTokens:
    """A mail server that wants XOAUTH2."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.taken: list[bytes] = []

    async def auth_XOAUTH2(self, server: Any, args: list[str]) -> Any:  # noqa: N802
        from aiosmtpd.smtp import AuthResult

        user, bearer, *_ = base64.b64decode(args[1]).decode().split("\x01")
        is_good = user == f"user={USER}" and bearer.removeprefix("auth=Bearer ") in self.issuer.good
        return AuthResult(success=is_good, handled=False)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.taken.append(envelope.content)
        return "250 OK"


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
def test_reply_is_sent_by_an_access_token_and_one_that_is_refused_is_replaced(issuer: Issuer) -> None:
    from aiosmtpd.controller import Controller

    handler, port = TakesTokens(issuer), free_port()
    controller = Controller(handler, hostname="127.0.0.1", port=port, auth_require_tls=False, auth_required=True)
    controller.start()
    try:
        account = Account(host="127.0.0.1", port=port, user=USER, password="", security="none", timeout_s=10.0, tokens=tokens(issuer))  # fmt: skip
        mail = Written(
            sender=USER, recipients=("ada@home.example",), content=b"Subject: x\r\n\r\nHello\r\n", message_id="m@x", needs_utf8=False,
        )  # fmt: skip
        assert isinstance(asyncio.run(Submission(account).send(mail)), Accepted)
        issuer.good.clear()
        assert isinstance(asyncio.run(Submission(account).send(mail)), Retry)
        assert isinstance(asyncio.run(Submission(account).send(mail)), Accepted)
        assert (len(handler.taken), len(issuer.forms)) == (2, 2)
    finally:
        controller.stop()
