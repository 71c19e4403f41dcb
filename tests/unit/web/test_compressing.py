"""Which answers are sent compressed, and to whom."""

from __future__ import annotations

import pytest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from understudy.web.compressing import BYTES_MIN, Compressing

LONG = "where is my kettle? " * BYTES_MIN


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(LONG)(scope, receive, send)


@pytest.mark.parametrize(
    ("path", "takes", "encoding"),
    [
        ("/v1/queue", "gzip, br", "gzip"),
        ("/console/assets/index.js", "gzip", "gzip"),
        ("/v1/queue", "identity", None),
        ("/v1/queue/", "gzip", None),
        ("/v1/events", "gzip", None),
        ("/v1/holds/hold-1", "gzip", None),
    ],
)
def test_only_what_browsers_load_whole_is_compressed(path: str, takes: str, encoding: str | None) -> None:
    answer = TestClient(Compressing(plain)).get(path, headers={"Accept-Encoding": takes})
    assert (answer.headers.get("content-encoding"), answer.text) == (encoding, LONG)
