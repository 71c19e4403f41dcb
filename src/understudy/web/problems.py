"""Errors as RFC 9457 problem documents; every error that reaches a caller names the thing, the value and what to do."""

from __future__ import annotations

import json
import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from understudy.errors import Overloaded, TakenByOther, UnderstudyError

_log = logging.getLogger(__name__)

PREFIX = "urn:understudy:problem:"
MEDIA_TYPE = "application/problem+json"
_CODES = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it; `type` ends with a stable code."""

    type: str
    title: str
    status: int
    detail: str
    taken_by: str | None = Field(None, description="with taken-by-other: who has it")


def problem(
    code: str, status: int, detail: str, *, headers: dict[str, str] | None = None, taken_by: str | None = None
) -> JSONResponse:
    """Write one problem document."""
    title = code.replace("-", " ").capitalize()
    detail = detail.encode("utf-8", "backslashreplace").decode()  # it may quote what no UTF-8 can carry
    body = Problem(type=PREFIX + code, title=title, status=status, detail=detail, taken_by=taken_by)
    return JSONResponse(body.model_dump(exclude_none=True), status_code=status, media_type=MEDIA_TYPE, headers=headers)


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems of an endpoint for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"content": content, "description": "a problem document"} for status in statuses}


ANYWHERE = (400, 413, 422, 503)
"""What any request may get: it holds what cannot be read, is too large or out of range, or the database is away."""


def install(api: FastAPI) -> None:
    """Answer every error as a problem, those nobody foresaw included."""
    _describe(api)

    @api.exception_handler(UnderstudyError)
    async def expected(request: Request, error: UnderstudyError) -> JSONResponse:
        return problem_of(request, error)

    @api.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        if first["type"] == "json_invalid":
            return problem("malformed", 400, f"the body is not JSON: {first.get('ctx', {}).get('error', first['msg'])}")
        if isinstance(first.get("input"), bytes):
            sent = request.headers.get("content-type", "none")
            return problem("input", 422, f"the body must be JSON with Content-Type: application/json, got {sent}")
        where = ".".join(str(part) for part in first["loc"])
        more = f" (and {len(error.errors()) - 1} more)" if len(error.errors()) > 1 else ""
        return problem("input", 422, f"{where}: {first['msg']}, got {_short(first.get('input'))}{more}")

    @api.exception_handler(HTTPException)
    async def http(request: Request, error: HTTPException) -> JSONResponse:
        return problem_of(request, error)

    @api.exception_handler(Exception)
    async def unexpected(request: Request, error: Exception) -> JSONResponse:
        return problem_of_unexpected(request, error)


def _describe(api: FastAPI) -> None:
    """Put the problem document's own schema into the OpenAPI description, where `answers` points at it."""
    describe = api.openapi

    def openapi() -> dict[str, Any]:
        description = describe()
        description["components"]["schemas"]["Problem"] = Problem.model_json_schema()
        return description

    api.openapi = openapi  # type: ignore[method-assign] # FastAPI's own way to change its description


def problem_of(request: Request, error: UnderstudyError | HTTPException) -> JSONResponse:
    """Answer an error that was foreseen."""
    if isinstance(error, UnderstudyError):
        return _expected(error)
    if isinstance(error.__cause__, UnderstudyError):  # FastAPI wraps what reading the body raises
        return _expected(error.__cause__)
    code, detail = _CODES.get(error.status_code, "http"), str(error.detail)
    if error.status_code in (404, 405):
        detail = f"there is no {request.method} {request.url.path}; /openapi.json lists what there is"
    return problem(code, error.status_code, detail, headers=dict(error.headers or {}))


def problem_of_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Answer an error that nobody foresaw, and log it."""
    _log.error("unexpected error at %s %s", request.method, request.url.path, exc_info=error)
    return problem("error", 500, "something broke on this side; nothing is known to have been stored, see the log")


def _expected(error: UnderstudyError) -> JSONResponse:
    headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, Overloaded) else None
    if error.status == 401:
        headers = {"WWW-Authenticate": "Bearer"}
    taken_by = error.taken_by if isinstance(error, TakenByOther) else None
    return problem(error.code, error.status, error.message, headers=headers, taken_by=taken_by)


def _short(value: Any, *, chars_max: int = 80) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except ValueError:
        text = repr(value)
    return text if len(text) <= chars_max else text[: chars_max - 1] + "…"
