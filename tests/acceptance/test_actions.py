"""Actions over the API and on the command line: what a hold says of them, what a verdict does, what is told afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.client.models import ActionChoice
from understudy.records.access import SCOPES_OF, Role

DECLARED = """
[actions.refund]
amount = "$.amount"
unit = "GBP"
reversibility = "compensable"
limits = {{ amount_max = 100 }}
arguments = {{ required = ["order"], properties = {{ order = {{ type = "string" }}, amount = {{ type = "number" }} }} }}
credentials = {{ token = "s3cret" }}

[actions.refund.call]
url = "{books}/refunds"
headers = {{ authorization = "Bearer {{token}}" }}
key_header = "Idempotency-Key"
template = {{ order = "{{order}}", amount = "{{amount}}" }}
"""


@pytest.fixture
def refused(httpserver: HTTPServer) -> list[Response]:
    """What the system of record answers to the next requests, before it takes all."""
    left: list[Response] = []

    def answer(request: Request) -> Response:
        if request.headers["Authorization"] != "Bearer s3cret":
            return Response(status=401)
        return left.pop(0) if left else Response("{}", status=201)

    httpserver.expect_request(re.compile("/.*")).respond_with_handler(answer)
    return left


@pytest.fixture
def desk(serve: Callable[..., Any], httpserver: HTTPServer, refused: list[Response]) -> Any:
    return serve(more=DECLARED.format(books=httpserver.url_for("").rstrip("/")))


def propose(desk: Any, name: str, amount: float = 40) -> dict[str, Any]:
    """Hand a draft over that proposes a refund; returns the hold's detail."""
    http = desk.http(desk.key())
    actions = [{"name": "refund", "arguments": {"order": "A17", "amount": amount}}]
    record = {
        "id": name,
        "conversation_id": name,
        "topic": "returns",
        "messages": [{"role": "user", "content": f"Please refund A17, {amount}."}],
        "draft": {"text": "You get your money back.", "actions": actions},
    }
    turn = http.post("/v1/turns", json=record).json()
    found: dict[str, Any] = http.get(f"/v1/holds/{turn['hold_id']}").json()
    return found


def decide(http: Any, detail: dict[str, Any], **body: Any) -> Any:
    hold = detail["hold"]
    return http.post(f"/v1/holds/{hold['id']}/verdict", json=body, headers={"If-Match": f'"{hold["version"]}"'})


def settled(http: Any, action_id: str, until: Any, *states: str) -> dict[str, Any]:
    def look() -> Any:
        found = http.get(f"/v1/actions/{action_id}").json()
        return found if found["action"]["state"] in states else None

    found: dict[str, Any] = until(look)
    return found


def test_a_hold_shows_its_actions_and_a_verdict_has_them_done(desk: Any, httpserver: HTTPServer, until: Any) -> None:
    detail = propose(desk, "shown")
    (action,) = detail["turn"]["actions"]
    assert (action["name"], action["amount"], action["unit"], action["state"]) == ("refund", 40.0, "GBP", "proposed")
    assert (action["reversibility"], action["limits"], action["against"]) == (
        "compensable",
        ["at most 100 GBP at a time"],
        [],
    )
    http = desk.http(desk.key(*SCOPES_OF[Role.REVIEWER], name="Rosa"))
    changed = {"id": action["id"], "let_through": True, "arguments": {"order": "A17", "amount": 30}}
    assert decide(http, detail, action="approve", actions=[changed]).status_code == 422
    assert decide(http, detail, action="edit", text="You get 30 GBP.", actions=[changed]).status_code == 200
    found = settled(http, action["id"], until, "done")["action"]
    assert (found["approved_by"], found["is_edited"], found["amount"], found["tries"]) == ("Rosa", True, 30.0, 1)
    (request,) = [request for request, _ in httpserver.log]
    assert (request.headers["Idempotency-Key"], request.get_json()) == (action["id"], {"order": "A17", "amount": 30})


def test_beyond_its_limits_it_takes_the_scope_of_a_lead(desk: Any, until: Any) -> None:
    detail = propose(desk, "beyond", amount=500)
    (action,) = detail["turn"]["actions"]
    assert action["against"] == ["at most 100 GBP at a time"]
    refused = decide(desk.http(desk.key(*SCOPES_OF[Role.REVIEWER], name="Rosa")), detail, action="approve")
    assert (refused.status_code, refused.json()["type"].rpartition(":")[2]) == (403, "forbidden")
    lead = desk.http(desk.key(*SCOPES_OF[Role.LEAD], name="Lena"))
    assert decide(lead, detail, action="approve").status_code == 200
    settled(lead, action["id"], until, "done")


def test_what_failed_is_listed_and_put_on(desk: Any, refused: list[Response], until: Any, understudy: Any) -> None:
    refused.append(Response('{"error": "closed"}', status=400))
    detail = propose(desk, "failing")
    (action,) = detail["turn"]["actions"]
    lead = desk.http(desk.key(*SCOPES_OF[Role.LEAD], name="Lena"))
    assert decide(lead, detail, action="approve").status_code == 200
    settled(lead, action["id"], until, "failed")
    listed = lead.get("/v1/actions", params={"state": "failed"}).json()
    assert action["id"] in {row["id"] for row in listed["items"]}
    assert "arguments" not in listed["items"][0], "what it was given is told only with the action itself"
    assert lead.post(f"/v1/actions/{action['id']}/settle").status_code == 409
    assert lead.post(f"/v1/actions/{action['id']}/retry", json={}).status_code == 200
    settled(lead, action["id"], until, "done")
    assert lead.post(f"/v1/actions/{action['id']}/drop", json={"reason": "late"}).status_code == 409


def test_nobody_knows_and_a_person_says_so_on_the_command_line(
    desk: Any, refused: list[Response], until: Any, understudy: Any
) -> None:
    refused.append(Response("", status=500))  # it honours no key and cannot be read back
    detail = propose(desk, "unsure")
    (action,) = detail["turn"]["actions"]
    http = desk.http(desk.key())
    assert decide(http, detail, action="approve").status_code == 200
    assert settled(http, action["id"], until, "unknown")["hold_id"] is not None
    (kind,) = {row["kind"] for row in http.get("/v1/queue").json()["rows"] if row["id"]} & {"unsure_action"}
    folder = desk.database.parent.parent
    listed = understudy("actions", "list", "--json", cwd=folder).json()
    assert action["id"] in {one["id"] for one in listed["actions"]}
    shown = understudy("actions", "show", action["id"], "--json", cwd=folder).json()
    assert (kind, shown["arguments"]) == ("unsure_action", {"amount": 40, "order": "A17"})
    assert "may or may not" in understudy("actions", "retry", action["id"], cwd=folder).err
    assert understudy("actions", "retry", action["id"], "--it-was-done", cwd=folder).code == 0
    until(lambda: http.get(f"/v1/turns/{detail['turn']['id']}").json()["state"] == "answered")


def test_the_client_says_which_of_the_proposed_actions_is_done(desk: Any, until: Any) -> None:
    detail = propose(desk, "by-client")
    with desk.client(desk.key(*SCOPES_OF[Role.REVIEWER], name="Rosa")) as client:
        hold = client.hold(detail["hold"]["id"])
        (action,) = hold.turn.actions
        assert (action.name, action.amount, action.unit, action.state) == ("refund", 40.0, "GBP", "proposed")
        assert action.limits == ("at most 100 GBP at a time",)
        choice = ActionChoice(id=action.id, let_through=True, arguments={"order": "A17", "amount": 25})
        client.edit(hold.hold.id, "You get 25 GBP.", version=hold.hold.version, actions=[choice])
    http = desk.http(desk.key())
    assert settled(http, action.id, until, "done")["action"]["amount"] == 25.0
    detail = propose(desk, "by-client-2")
    with desk.client(desk.key(*SCOPES_OF[Role.REVIEWER], name="Rosa")) as client:
        hold = client.hold(detail["hold"]["id"])
        dropped = ActionChoice(id=hold.turn.actions[0].id, let_through=False)
        client.edit(hold.hold.id, "I will look into it.", version=hold.hold.version, actions=[dropped])
    settled(http, dropped.id, until, "dropped")
