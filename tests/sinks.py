"""The business's own system, which takes the replies that a webhook channel sends to it, as each test tells it to.

`QuickServer` serves whatever a test has answered over HTTP, and is gone at once.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

GONE, BROKEN, TAKEN, LATER = 410, 500, 200, 429


class QuickServer(HTTPServer):
    """Looks fifty times a second whether it shall end, not twice: a test of its own for each would wait longer than it runs."""

    def thread_target(self) -> None:
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.02)


class Taking(Protocol):
    url: str

    def take(self, request: Request) -> Response: ...


class Sink:
    """Answers each reply with the status it is told, and keeps what it took."""

    def __init__(self) -> None:
        self.status = TAKEN
        self.taken: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.url = ""
        self._one_at_a_time = threading.Lock()

    def take(self, request: Request) -> Response:
        with self._one_at_a_time:
            self.keys.append(request.headers["webhook-id"])
            if self.status == TAKEN:
                self.taken.append(json.loads(request.get_data())["data"])
            return Response("{}", self.status, headers={"Retry-After": "3600"}, content_type="application/json")


@contextmanager
def listening(sink: Taking) -> Iterator[None]:
    """Serve a sink; its `url` says where."""
    with QuickServer() as http:
        http.expect_request("/replies", method="POST").respond_with_handler(sink.take)
        sink.url = http.url_for("/replies")
        yield
