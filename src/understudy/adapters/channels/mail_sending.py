"""One mail to an SMTP server, and what became of it; it writes none.

no connection, no login, a recipient refused for now (4xx)      Retry: nothing was taken
the sender, the recipient or the content refused (5xx)          Rejected
an answer to the whole mail: 250, 4xx, 5xx                      Accepted, Retry, Rejected
silence or a broken connection once the content was begun      Unknown: the server may have taken it
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress

import aiosmtplib

from understudy.adapters.channels.mail_tokens import TokenSource
from understudy.adapters.channels.mail_writing import Written
from understudy.adapters.channels.mailbox import Account, tls_context
from understudy.errors import ChannelUnreachable
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown

RETRY_S = 60.0
"""Where a server that refuses for now says not for how long: greylists want a few minutes in all."""
RETRY_S_MAX = 3_600.0
SAID_CHARS_MAX = 300
QUIT_S_MAX = 2.0
_HINT = re.compile(r"\b(\d{1,5})\s*(seconds?|secs?|s|minutes?|mins?|m|hours?|h)\b", re.IGNORECASE)
_UNIT_S = {"s": 1.0, "m": 60.0, "h": 3_600.0}


class NotSent(Exception):
    """It did not come to the content; holds what that means."""

    def __init__(self, result: SendResult) -> None:
        super().__init__(str(result))
        self.result = result


class Submission:
    """Sends each mail over a connection of its own, within the account's `timeout_s` as a whole."""

    def __init__(self, account: Account) -> None:
        self._account = account

    async def send(self, mail: Written) -> SendResult:
        """Send one and say what became of it; raises nothing for what the server or the network does."""
        has_begun = False
        client: aiosmtplib.SMTP | None = None
        try:
            async with asyncio.timeout(self._account.timeout_s):
                client = await self._opened()
                await self._addressed(client, mail)
                has_begun = True
                await client.data(mail.content)
        except NotSent as unsent:
            return unsent.result
        except aiosmtplib.SMTPDataError as error:
            return _refused(error.code, error.message, what="the mail")
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            reason = f"{self._account.host} broke off or fell silent: {_say(error)}"
            return Unknown(reason=f"{reason}; it may have taken the mail") if has_begun else Retry(reason=reason)
        finally:
            await _left(client)
        return Accepted(provider_id=mail.message_id)

    async def check(self) -> str:
        """See that the server lets us in; raises `ChannelUnreachable` with what it said."""
        client: aiosmtplib.SMTP | None = None
        try:
            async with asyncio.timeout(self._account.timeout_s):
                client = await self._opened()
                await client.noop()
        except NotSent as unsent:
            raise ChannelUnreachable(getattr(unsent.result, "reason", "")) from unsent
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            raise ChannelUnreachable(
                f"the mail server {self._account.host}:{self._account.port} cannot be asked: {_say(error)}"
            ) from error
        finally:
            await _left(client)
        return f"{self._account.host} takes mails of {self._account.user}"

    async def _opened(self) -> aiosmtplib.SMTP:
        account = self._account
        context = tls_context(account.certificates) if account.security != "none" else None
        client = aiosmtplib.SMTP(
            hostname=account.host,
            port=account.port,
            use_tls=account.security == "tls",
            start_tls=account.security == "starttls",
            tls_context=context,
            timeout=account.timeout_s,
        )
        where = f"{account.host}:{account.port}"
        try:
            await client.connect()
            if account.tokens is not None:
                await self._signed_in(client, account.user, account.tokens)
            elif account.password:
                await client.login(account.user, account.password)
        except ChannelUnreachable as error:
            await _left(client)
            raise NotSent(Retry(reason=error.message)) from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ssl.SSLError, ValueError) as error:
            await _left(client)
            raise NotSent(Retry(reason=f"the mail server {where} does not let us in: {_say(error)}")) from error
        return client

    async def _signed_in(self, client: aiosmtplib.SMTP, user: str, tokens: TokenSource) -> None:
        """Sign in by an access token; one that is refused is forgotten."""
        token = await asyncio.to_thread(tokens.token)
        try:
            await client.auth_xoauth2(user, token)
        except aiosmtplib.SMTPAuthenticationError:
            tokens.forget()
            raise

    async def _addressed(self, client: aiosmtplib.SMTP, mail: Written) -> None:
        """Say from whom to whom; every recipient has to be taken, so that the copy says what became of the mail."""
        if mail.needs_utf8 and not client.supports_extension("smtputf8"):
            reason = f"{self._account.host} sends to no address with letters other than ASCII"
            raise NotSent(Rejected(reason=reason))
        options = ["SMTPUTF8"] if mail.needs_utf8 else []
        if client.supports_extension("dsn"):
            options += ["RET=HDRS"]
        encoding = "utf-8" if mail.needs_utf8 else "ascii"
        try:
            await client.mail(mail.sender, options=options, encoding=encoding)
            for place, recipient in enumerate(mail.recipients):
                notify = (
                    ["NOTIFY=FAILURE" if place == 0 else "NOTIFY=NEVER"] if client.supports_extension("dsn") else []
                )
                await client.rcpt(recipient, options=notify, encoding=encoding)
        except (aiosmtplib.SMTPSenderRefused, aiosmtplib.SMTPRecipientRefused) as error:
            is_sender = isinstance(error, aiosmtplib.SMTPSenderRefused)
            what = "the sender" if is_sender else "the recipient"
            raise NotSent(_refused(error.code, error.message, what=what)) from error


async def _left(client: aiosmtplib.SMTP | None) -> None:
    """End a connection, politely where that is quick."""
    if client is None:
        return
    with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
        async with asyncio.timeout(QUIT_S_MAX):
            await client.quit()
    client.close()


def _refused(code: int, message: str, *, what: str) -> SendResult:
    said = f"{what} was refused with {code}: {' '.join(message.split())[:SAID_CHARS_MAX]}"
    if code >= 500:
        return Rejected(reason=said)
    return Retry(reason=said, after_s=hinted_s(message))


def hinted_s(message: str) -> float:
    """After how many seconds a refusal says that it is worth trying again; `RETRY_S` where it does not say."""
    found = _HINT.search(message)
    if found is None:
        return RETRY_S
    return min(max(float(found[1]) * _UNIT_S[found[2][0].lower()], 1.0), RETRY_S_MAX)


def _say(error: BaseException) -> str:
    return " ".join(str(error).split())[:SAID_CHARS_MAX] or type(error).__name__
