"""What can go wrong between a client and the server; what the server itself refuses keeps the server's codes.

ClientError
├── ApiError             the server refused
├── ServerUnreachable    nothing answered
└── AnswerUnreadable     something answered that is not this API
"""

from __future__ import annotations

from understudy.errors import UnderstudyError

RETRYABLE = frozenset({429, 502, 503, 504})
"""Statuses after which the same call may succeed later."""


class ClientError(UnderstudyError):
    """A call to the server failed."""

    code = "client-error"


class ApiError(ClientError):
    """The server refused the call; `code` and `detail` say why.

    `status` is the HTTP status, `retry_after_s` how long the server asks to wait (None: it did not say).
    """

    def __init__(self, *, status: int, code: str, detail: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{detail} ({code}, status {status})")
        self.status = status
        self.code = code
        self.detail = detail
        self.retry_after_s = retry_after_s
        self.is_retryable = status in RETRYABLE


class ServerUnreachable(ClientError):
    """The server gave no answer; check the URL and that `understudy serve` runs."""

    code = "server-unreachable"
    status = 503
    is_retryable = True


class AnswerUnreadable(ClientError):
    """Something answered, but not in this API's form; check that the URL is that of an Understudy server."""

    code = "answer-unreadable"
    status = 502
