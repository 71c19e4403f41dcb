"""The business's own system, which takes the replies that a webhook channel sends to it, as each test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

GONE, BROKEN, TAKEN, LATER = 410, 500, 200, 429


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
    with HTTPServer() as http:
        http.expect_request("/replies", method="POST").respond_with_handler(sink.take)
        sink.url = http.url_for("/replies")
        yield
