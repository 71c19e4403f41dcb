"""Actions over REST, against a system of record that is strict: what is asked, what its answers mean, what the read-back sees."""

from __future__ import annotations

import asyncio
import json
import tomllib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.adapters.channels.rest_actions import RestExecutor
from understudy.errors import ConfigurationError
from understudy.records.acting import (
    ActionEntry,
    ActionState,
    ActionStep,
    Confirmed,
    Differs,
    NotDone,
    Unanswered,
)
from understudy.records.outbox import Accepted, Rejected, Retry, Unknown
from understudy.settings.actions import DeclaredAction
from understudy.testing.scripted import FrozenClock

REFUND = """
amount = "$.amount"
unit = "GBP"
values = { base_url = "BASE" }
credentials = { token = "s3cret" }

[arguments]
type = "object"
required = ["order", "amount"]
properties = { order = { type = "string" }, amount = { type = "number" }, lines = { type = "array" }, note = { type = "string" } }

[call]
url = "{base_url}/orders/{order}/refunds"
headers = { authorization = "Bearer {token}" }
key_header = "Idempotency-Key"
honours_keys = true
template = { amount = "{amount}", lines = "{lines}", note = "for {contact}: {order}", whole = { reason = "{note}" } }
answer = { provider_id = "$.body.id" }

[read_back]
url = "{base_url}/refunds/{key}"
headers = { authorization = "Bearer {token}" }
is_done = "@.status == 200 && @.body.amount == @.arguments.amount && @.body.id == @.answer"
not_done = "@.status == 404"

[compensation]
url = "{base_url}/refunds/{key}/void"
method = "DELETE"
body = "none"
"""


def declared(base: str, **changes: str) -> DeclaredAction:
    text = REFUND.replace("BASE", base)
    for old, new in changes.items():
        text = text.replace(old, new)
    return DeclaredAction.model_validate(tomllib.loads(text))


def entry(arguments: dict[str, Any] | None = None, **fields: Any) -> ActionEntry:
    given: dict[str, Any] = {
        "id": "turn-1-a0",
        "seq": 1,
        "turn_id": "turn-1",
        "conversation_id": "conv-1",
        "contact_id": "k-104",
        "place": 0,
        "name": "refund",
        "arguments": json.dumps(arguments or {"order": "FW 1/2", "amount": 12.5}),
        "amount": 12_500_000,
        "state": ActionState.EXECUTING,
        "step": ActionStep.CALL,
        "attempts": 1,
        "tries": 1,
        "is_unsure": False,
        "is_edited": False,
        "created_at": datetime(2026, 5, 2, tzinfo=UTC),
    }
    nothing = ("due_at", "called_at", "approved_by", "approved_at", "provider_id", "answer", "last_error", "settled_at")
    return ActionEntry(**{**dict.fromkeys(nothing), **given, **fields})


Make = Callable[..., RestExecutor]


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.fixture
def make(httpserver: HTTPServer, runner: asyncio.Runner) -> Iterator[Make]:
    made: list[RestExecutor] = []

    def executor(**changes: str) -> RestExecutor:
        one = declared(httpserver.url_for("").rstrip("/"), **changes)
        credentials = {name: secret.get_secret_value() for name, secret in one.credentials.items()}
        more = {"values": one.values, "credentials": credentials, "argument_names": one.argument_names}
        made.append(RestExecutor("refund", one, clock=FrozenClock(), timeout_s=60.0, **more))
        return made[-1]

    yield executor
    for one in made:
        runner.run(one.close())


def answering(httpserver: HTTPServer, *answers: Response) -> list[Request]:
    """Answer every request with the next of these, and keep what was asked."""
    asked: list[Request] = []
    left = list(answers)

    def answer(request: Request) -> Response:
        request.get_data()
        asked.append(request)
        return left.pop(0) if len(left) > 1 else left[0]

    httpserver.expect_request("").respond_with_handler(answer)
    import re

    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    return asked


def said(status: int, body: Any = None, **headers: str) -> Response:
    return Response(json.dumps(body), status=status, content_type="application/json", headers=headers)


def test_call_carries_the_arguments_as_they_are_and_its_key(make: Make, httpserver: HTTPServer, runner: Any) -> None:
    asked = answering(httpserver, said(201, {"id": "re_1"}))
    given = {"order": "FW 1/2", "amount": 12.5, "lines": [1, {"sku": "x"}]}
    assert runner.run(make().call(entry(given))) == Accepted(provider_id="re_1")
    (request,) = asked
    assert request.environ["RAW_URI"] == "/orders/FW%201%2F2/refunds"
    assert request.headers["Idempotency-Key"] == "turn-1-a0"
    assert request.headers["Authorization"] == "Bearer s3cret"
    assert request.get_json() == {
        "amount": 12.5,
        "lines": [1, {"sku": "x"}],
        "note": "for k-104: FW 1/2",
        "whole": {},
    }


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (said(201, {"id": "re_1"}), Accepted),
        (said(200, {}), Unknown),
        (said(200), Unknown),
        (said(302, None, location="/elsewhere"), Unknown),
        (said(400, {"error": "closed"}), Rejected),
        (said(404), Rejected),
        (said(429, None, **{"retry-after": "7"}), Retry),
        (said(503), Retry),
        (said(500), Retry),
    ],
)
def test_what_answers_to_the_call_mean(
    make: Make, httpserver: HTTPServer, runner: Any, answer: Response, kind: type[Any]
) -> None:
    answering(httpserver, answer)
    assert isinstance(runner.run(make().call(entry())), kind)


def test_a_failure_of_a_system_without_keys_is_unknown(make: Make, httpserver: HTTPServer, runner: Any) -> None:
    answering(httpserver, said(500))
    executor = make(**{"honours_keys = true\ntemplate": "honours_keys = false\ntemplate"})
    assert not executor.honours_keys
    assert isinstance(runner.run(executor.call(entry())), Unknown)


def test_a_system_that_is_not_there_did_nothing(make: Make, httpserver: HTTPServer, runner: Any) -> None:
    httpserver.stop()
    try:
        assert isinstance(runner.run(make().call(entry())), Retry)
    finally:
        httpserver.start()


@pytest.mark.parametrize(
    ("answer", "seen"),
    [
        (said(200, {"id": "re_1", "amount": 12.5}), Confirmed),
        (said(200, {"id": "re_1", "amount": 125}), Differs),
        (said(200, {"id": "re_2", "amount": 12.5}), Differs),
        (said(404), NotDone),
        (said(500), Unanswered),
        (Response("<html>", status=200), Unanswered),
    ],
)
def test_what_the_read_back_sees(
    make: Make, httpserver: HTTPServer, runner: Any, answer: Response, seen: type[Any]
) -> None:
    asked = answering(httpserver, answer)
    result = runner.run(make().read_back(entry(provider_id="re_1")))
    assert isinstance(result, seen), result
    assert (asked[0].method, asked[0].path) == ("GET", "/refunds/turn-1-a0")


def test_compensation_has_a_key_of_its_own(make: Make, httpserver: HTTPServer, runner: Any) -> None:
    asked = answering(httpserver, said(204))
    assert runner.run(make().compensate(entry())) == Accepted()
    assert (asked[0].method, asked[0].path) == ("DELETE", "/refunds/turn-1-a0-undo/void")


def test_an_argument_that_the_address_needs_and_was_not_given_is_refused(make: Make, runner: Any) -> None:
    result = runner.run(make().call(entry({"amount": 1})))
    assert isinstance(result, Rejected)
    assert "order" in result.reason


def test_the_server_is_never_chosen_by_an_argument(make: Make) -> None:
    with pytest.raises(ConfigurationError, match="chosen by what the action is given"):
        make(**{'url = "{base_url}/orders/{order}/refunds"': 'url = "https://{order}.shop.example/refunds"'})


def test_nothing_secret_is_shown(make: Make) -> None:
    assert "s3cret" not in repr(make())
