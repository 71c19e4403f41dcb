"""The OpenAPI description tells the truth: which problems an endpoint answers with, in which form."""

from __future__ import annotations

from typing import Any

import pytest

PROBLEM = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
OBSERVED = ("/healthz", "/readyz", "/metrics", "/v1/schemas")


OPEN = {
    *("post /v1/session", "delete /v1/session"),
    *(f"get /v1/session/{page}" for page in ("ways", "oidc", "oidc/callback")),
}
"""Signing in and out need nothing beforehand."""


@pytest.fixture(scope="module")
def description(served: Any) -> Any:
    return served.http().get("/openapi.json").json()


def operations(description: Any, prefix: str) -> dict[str, Any]:
    return {
        f"{method} {path}": operation
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if path.startswith(prefix) and not path.startswith(OBSERVED)
    }


def test_description_is_openapi_3_1(description: Any) -> None:
    assert description["openapi"].startswith("3.1")


def test_every_problem_is_described_as_one(description: Any) -> None:
    described = [
        (name, status)
        for name, operation in operations(description, "/").items()
        for status, answer in operation["responses"].items()
        if status >= "400" and answer["content"] != PROBLEM
    ]
    assert described == []
    assert set(description["components"]["schemas"]["Problem"]["properties"]) == {
        "type",
        "title",
        "status",
        "detail",
        "taken_by",
    }


def test_every_operation_tells_what_any_request_may_get(description: Any) -> None:
    for name, operation in operations(description, "/").items():
        assert {"400", "413", "422", "503"} <= set(operation["responses"]), name


def test_every_operation_with_a_key_tells_how_it_is_refused(description: Any) -> None:
    for name, operation in operations(description, "/v1/").items():
        assert {"401", "403"} <= set(operation["responses"]) or "/v1/session" in name, name
        assert operation.get("security", []) == ([] if name in OPEN else [{"HTTPBearer": []}, {"APIKeyCookie": []}]), (
            name
        )


def test_every_operation_on_a_thing_tells_that_it_may_not_exist(description: Any) -> None:
    for name, operation in operations(description, "/").items():
        if "{" in name:
            assert "404" in operation["responses"], name


def test_every_reference_leads_somewhere(description: Any) -> None:
    known = {f"#/components/schemas/{name}" for name in description["components"]["schemas"]}
    waiting, references = [description], set()
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            references |= {part["$ref"]} if "$ref" in part else set()
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    assert references - known == set()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/v1/events", "text/event-stream"),
        ("/chat/events", "text/event-stream"),
        ("/metrics", "text/plain"),
        ("/v1/turns", "application/json"),
    ],
)
def test_media_type_is_described(path: str, kind: str, description: Any) -> None:
    assert list(description["paths"][path]["get"]["responses"]["200"]["content"]) == [kind]
