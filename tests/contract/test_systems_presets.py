"""Each shipped system against a strict server that answers as its vendor documents: what is asked, and what is read."""

from __future__ import annotations

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from systems import ADA, ask, rehosted, sample, tell
from understudy.adapters.systems.presets import PRESETS, shape_of, text_of
from understudy.ports.system import Found
from understudy.records.facts import ABOUT, About
from understudy.records.outbox import Accepted, Retry, Unknown
from understudy.records.systems import WRITES, Known, Order, Write

LOOK_UPS = [(name, about) for name in PRESETS for about in ABOUT if shape_of(name).consults(about) is not None]
WRITTEN = [(name, what) for name in PRESETS for what in WRITES]
EXPECTED: dict[tuple[str, About], dict[str, str]] = {
    ("chatwoot", "contact"): {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+491511234567"},
    ("chatwoot", "tickets"): {"status": "open", "labels": "delivery"},
    ("hubspot", "contact"): {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.com", "phone": "+491511234567", "stage": "customer"},
    ("hubspot", "orders"): {"order": "#1042", "fulfilment": "shipped", "status": "paid", "total": "49.90", "currency": "EUR", "created": "2026-04-28T09:00:00Z"},
    ("hubspot", "tickets"): {"subject": "Parcel is late", "stage": "1", "priority": "MEDIUM", "created": "2026-05-01T10:00:00Z"},
    ("request_tracker", "contact"): {"name": "Ada Lovelace", "email": "ada@example.com"},
    ("request_tracker", "tickets"): {"subject": "Parcel is late", "status": "open", "queue": "General", "owner": "Nobody", "created": "2026-05-01T10:00:00Z", "updated": "2026-05-02T10:00:00Z"},
    ("salesforce", "contact"): {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+49 151 1234567", "account": "Engines Ltd", "created": "2025-03-01T09:00:00.000+0000"},
    ("salesforce", "orders"): {"order": "00001042", "status": "Activated", "total": "49.9", "date": "2026-04-28"},
    ("salesforce", "tickets"): {"number": "00001026", "subject": "Parcel is late", "status": "Working", "priority": "Medium", "created": "2026-05-01T10:00:00.000+0000"},
    ("zendesk", "contact"): {"name": "Ada Lovelace", "email": "ada@example.com", "phone": "+49 151 1234567", "tags": "vip", "created": "2025-03-01T09:00:00Z", "suspended": "false"},
    ("zendesk", "tickets"): {"subject": "Parcel is late", "status": "open", "priority": "normal", "created": "2026-05-01T10:00:00Z", "updated": "2026-05-02T10:00:00Z"},
}  # fmt: skip
"""What is read of each sample: the first thing that counts."""
ORDER = Order(
    what="create",
    key="order-1",
    ticket="8",
    subject="Hand-off: it's late [order-1]",
    text='She said: "where is it?"\nIt\'s <b>late</b>.',
    assignee="grace",
    name="Ada",
    known=Known(emails=("ada@example.com",), contact_id="14"),
)


class Vendor:
    """Answers what it is told to, once it has seen that the request is one the vendor would take."""

    def __init__(self, preset: str, answer: Any, *, status: int = 200) -> None:
        self.preset, self.answer, self.status = preset, answer, status
        self.read_back: Any = None
        self.requests: list[Request] = []
        self.bodies: list[Any] = []

    def take(self, request: Request) -> Response:
        if request.path == "/services/oauth2/token":
            assert parse_qs(request.get_data().decode()) == {
                "grant_type": ["client_credentials"], "client_id": ["app"], "client_secret": ["t0p-secret"],
            }  # fmt: skip
            return Response(json.dumps({"access_token": "fresh", "token_type": "Bearer"}))
        wanted = {
            "chatwoot": ("api-access-token", "t0p-secret"),
            "hubspot": ("authorization", "Bearer t0p-secret"),
            "request_tracker": ("authorization", "token t0p-secret"),
            "salesforce": ("authorization", "Bearer fresh"),
            "zendesk": ("authorization", "Basic " + base64.b64encode(b"bot@acme.example/token:t0p-secret").decode()),
        }[self.preset]
        if request.headers.get(wanted[0]) != wanted[1]:
            return Response("{}", 401)
        body = request.get_data()
        if request.method == "GET":
            assert not body, "a GET has no body"
            if self.read_back is not None:
                return Response(json.dumps(self.read_back), content_type="application/json")
        else:
            assert request.headers["content-type"].startswith("application/json")
            self.bodies.append(json.loads(body))
        self.requests.append(request)
        return Response(json.dumps(self.answer), self.status, content_type="application/json")


def serving(httpserver: HTTPServer, vendor: Vendor) -> str:
    httpserver.expect_request(re.compile(".*")).respond_with_handler(vendor.take)
    return httpserver.url_for("").rstrip("/")


@pytest.mark.parametrize(("preset", "about"), LOOK_UPS)
def test_a_vendors_answer_is_read_as_it_documents_it(preset: str, about: About, httpserver: HTTPServer) -> None:
    shape = shape_of(preset).consults(about)
    assert shape is not None
    vendor = Vendor(preset, sample(shape.sample))
    known = Known(emails=ADA.emails, phones=ADA.phones, contact_id="14")
    told = ask(rehosted(preset, serving(httpserver, vendor)), about, known)
    assert isinstance(told, Found), told
    assert [one.values for one in told.items] == [EXPECTED[preset, about]]
    assert told.items[0].link is not None
    assert told.items[0].link.startswith("http")
    assert not told.has_more
    asked = unquote_plus(vendor.requests[0].full_path) + json.dumps(vendor.bodies)
    assert ("ada@example.com" if about == "contact" else "14") in asked or "ada@example.com" in asked


@pytest.mark.parametrize("preset", PRESETS)
def test_somebody_with_another_address_is_not_the_customer(preset: str, httpserver: HTTPServer) -> None:
    """Searches find more than they were asked for: prefixes, notes, other fields."""
    about: About = "contact"
    shape = shape_of(preset).consults(about)
    assert shape is not None
    text = (shape.sample or "").replace("ada@example.com", "ada@example.com.evil.test").replace("151", "152")
    told = ask(rehosted(preset, serving(httpserver, Vendor(preset, sample(text)))), about)
    assert told == Found(), "nobody that carries the customer's address"


@pytest.mark.parametrize(("preset", "about"), LOOK_UPS)
def test_a_field_that_is_gone_makes_all_unknown_and_is_named(preset: str, about: About, httpserver: HTTPServer) -> None:
    shape = shape_of(preset).consults(about)
    assert shape is not None
    for gone in ({}, {"error": "x"}, [], "text"):
        told = ask(
            rehosted(preset, serving(httpserver, Vendor(preset, gone))),
            about,
            Known(emails=ADA.emails, contact_id="14"),
        )
        assert getattr(told, "why", None) == "changed", f"{gone} is no empty answer"
        assert shape.answered in told.says  # type: ignore[union-attr]
        httpserver.clear()


def test_no_query_can_be_ended_by_an_address(httpserver: HTTPServer) -> None:
    hostile = "a'or'1'='1@example.com"
    for preset in ("salesforce", "request_tracker"):
        vendor = Vendor(preset, {"records": [], "done": True, "items": [], "total": 0})
        about: About = "contact" if preset == "salesforce" else "tickets"
        ask(rehosted(preset, serving(httpserver, vendor)), about, Known(emails=(hostile,)))
        query = unquote_plus(vendor.requests[-1].full_path)
        assert r"'a\'or\'1\'=\'1@example.com'" in query
        httpserver.clear()


@pytest.mark.parametrize(("preset", "what"), WRITTEN)
def test_a_write_says_what_it_is_told_and_reads_the_answer(preset: str, what: Write, httpserver: HTTPServer) -> None:
    shape = shape_of(preset).writes(what)
    assert shape is not None
    vendor = Vendor(preset, sample(shape.answer.sample), status=201 if shape.answer.sample else 204)
    vendor.read_back = {"id": "8", "Owner": {"id": "grace"}, "Status": "resolved"} if shape.confirm else None
    order = Order(**{name: getattr(ORDER, name) for name in ORDER.__slots__} | {"what": what})
    result = tell(rehosted(preset, serving(httpserver, vendor)), order)
    assert isinstance(result, Accepted), result
    assert (result.provider_id is not None) == bool(shape.answer.provider_id or shape.confirm)
    said = json.dumps(vendor.bodies)
    wanted = {"create": "late", "note": "late", "assign": "grace", "close": ""}[what]
    assert wanted in said
    assert "8" in vendor.requests[0].path or what == "create" or '"8"' in said
    if what == "note":
        body = vendor.bodies[0]
        is_inner = {
            "chatwoot": lambda: body["private"] is True,
            "hubspot": lambda: "&lt;b&gt;" in body["properties"]["hs_note_body"],
            "request_tracker": lambda: vendor.requests[0].path.endswith("/comment"),
            "salesforce": lambda: body["IsPublished"] is False,
            "zendesk": lambda: body["ticket"]["comment"]["public"] is False,
        }[preset]
        assert is_inner(), "what is noted is not for the customer's eyes"
    if what == "create" and preset == "zendesk":
        assert vendor.requests[0].headers["idempotency-key"] == "order-1"
        assert vendor.bodies[0]["ticket"]["external_id"] == "order-1"
        assert vendor.bodies[0]["ticket"]["comment"]["public"] is False
    if what == "create" and preset == "salesforce":
        assert vendor.requests[0].method == "PATCH"
        assert vendor.requests[0].path.endswith("/sobjects/Case/Understudy_Key__c/order-1")


FOUND: dict[tuple[str, Write], Any] = {
    ("chatwoot", "create"): {"payload": [{"id": 21, "custom_attributes": {}}, {"id": 22, "custom_attributes": {"understudy_key": "order-1"}}]},
    ("chatwoot", "note"): {"payload": [{"id": 22, "private": True, "content": ORDER.text}]},
    ("hubspot", "create"): {"total": 1, "results": [{"id": "22", "properties": {"subject": ORDER.subject}}]},
    ("request_tracker", "create"): {"items": [{"id": "22", "Subject": ORDER.subject}], "total": 1},
    ("request_tracker", "note"): {"items": [{"id": "21", "Subject": ""}, {"id": "22", "Subject": ORDER.subject}], "total": 2},
    ("request_tracker", "assign"): {"id": "22", "Owner": {"id": "grace"}, "Status": "open"},
    ("request_tracker", "close"): {"id": "22", "Owner": {"id": "grace"}, "Status": "resolved"},
    ("salesforce", "note"): {"records": [{"Id": "22", "CommentBody": ORDER.text}], "done": True},
    ("zendesk", "create"): {"tickets": [{"id": 22, "external_id": "order-1"}]},
    ("zendesk", "note"): {"audits": [{"id": 22, "metadata": {"custom": {"understudy_key": "order-1"}}}]},
}  # fmt: skip


@pytest.mark.parametrize(("preset", "what"), WRITTEN)
def test_a_write_of_unknown_outcome_can_be_found_or_repeated_or_nobody_repeats_it(
    preset: str, what: Write, httpserver: HTTPServer
) -> None:
    shape = shape_of(preset).writes(what)
    assert shape is not None
    order = Order(**{name: getattr(ORDER, name) for name in ORDER.__slots__} | {"what": what})
    assert (shape.find is not None) == ((preset, what) in FOUND)
    system = rehosted(preset, server := serving(httpserver, Vendor(preset, {}, status=500)))
    broken = tell(system, order)
    assert isinstance(broken, Retry if shape.honours_keys else Unknown), "a 500 may have done it"
    if shape.find is None:
        return
    httpserver.clear()
    serving(httpserver, Vendor(preset, FOUND[preset, what]))
    assert tell(rehosted(preset, server), order, find=True) == Accepted(provider_id="22")
    httpserver.clear()
    none = {
        "payload": [],
        "results": [],
        "total": 0,
        "items": [],
        "records": [],
        "done": True,
        "tickets": [],
        "audits": [],
        "id": "8",
        "Owner": {"id": "Nobody"},
        "Status": "open",
    }
    serving(httpserver, Vendor(preset, none))
    assert isinstance(tell(rehosted(preset, server), order, find=True), Retry), "certainly not there"
    httpserver.clear()
    serving(httpserver, Vendor(preset, {}))
    assert isinstance(tell(rehosted(preset, server), order, find=True), Unknown), "an empty answer tells nothing"


@pytest.mark.parametrize("preset", PRESETS)
def test_what_is_refused_names_no_secret(preset: str, httpserver: HTTPServer) -> None:
    server = serving(httpserver, Vendor(preset, {}, status=403))
    system = rehosted(preset, server)
    said = repr([ask(system, "contact"), system, tell(rehosted(preset, server), ORDER)])
    assert "t0p-secret" not in said
    assert "ada@example.com" not in said
    assert "#" in text_of(preset)
