"""`understudy systems` and what doctor says of systems, against a server of the test."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.cli.main import main
from understudy.databases import open_store
from understudy.records.systems import Order
from understudy.records.tickets import StepState, Ticket, TicketState, TicketStep
from understudy.settings.load import load

SETTINGS = """
[agents.faq]
kind = "faq"
knowledge = "knowledge"

[channels.webchat]
kind = "webchat"

[systems.desk]
preset = "chatwoot"
values = {{ base_url = "{url}", account_id = "1", inbox_id = "3" }}
credentials = {{ api_token = "t0p-secret" }}
hand_offs = true
"""


OWN = """
[systems.own]
hand_offs = true
tells = ["close"]

[systems.own.create]
url = "https://x.example/tickets"
"""


@pytest.fixture
def desk(httpserver: HTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A desk that knows Ada; `status` is what it answers with."""
    state: dict[str, Any] = {"status": 200}

    def answer(request: Request) -> Response:
        if request.path.endswith("/contacts/search"):
            person = {"id": 14, "name": "Ada", "email": "ada@example.com"}
            hits = [person] if "ada@example.com" in request.args["q"] else []
            body: Any = {"meta": {"count": len(hits)}, "payload": hits}
        elif request.path.endswith("/conversations"):
            body = {"payload": [{"id": 21, "status": "open"}]}
        else:
            body = {"id": 1}
        return Response(json.dumps(body), state["status"])

    httpserver.expect_request(re.compile(".*")).respond_with_handler(answer)
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "a.md").write_text("# Hours\n\nFrom nine to five.\n")
    (tmp_path / "understudy.toml").write_text(SETTINGS.format(url=httpserver.url_for("").rstrip("/")))
    monkeypatch.chdir(tmp_path)
    return state


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["understudy", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out + said.err


def test_what_is_connected_is_listed(desk: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "systems", "list", "--json")
    assert code == 0
    (row,) = json.loads(said)["systems"]
    assert row == {
        "name": "desk", "preset": "chatwoot", "reads": ["contact", "tickets"],
        "writes": ["create", "note", "assign", "close"], "hand_offs": True,
    }  # fmt: skip
    assert "chatwoot" in run(capsys, "systems", "list")[1]


def test_a_customer_is_looked_up_as_before_a_draft(desk: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "systems", "look-up", "desk", "--email", "ada@example.com", "--json")
    told = json.loads(said)
    assert code == 0
    assert told["contact"]["items"][0]["values"]["name"] == "Ada"
    assert told["tickets"]["items"][0]["id"] == "21"
    code, said = run(capsys, "systems", "look-up", "desk", "--email", "bob@example.com")
    assert code == 2
    assert "contact: none" in said
    assert "tickets: unknown, the system knows nobody" in said
    desk["status"] = 500
    code, said = run(capsys, "systems", "look-up", "desk", "--email", "ada@example.com", "--about", "contact")
    assert code == 2
    assert "unknown, the system could not be reached, or failed" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("look-up", "none", "--email", "a@b.c"), "there is no system 'none'; configured: desk"),
        (("look-up", "desk"), "say whom to look up"),
        (("look-up", "desk", "--email", "a@b.c", "--about", "orders"), "desk can be asked for contact, tickets"),
        (("show", "none"), "there are chatwoot, hubspot"),
        (("settle", "tk-1"), "say one of --retry"),
        (("tickets", "--state", "lost"), "known: pending"),
    ],
)
def test_what_cannot_be_is_said(
    desk: dict[str, Any], capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str
) -> None:
    code, told = run(capsys, "systems", *arguments)
    assert code == 3
    assert said in told


def test_a_shipped_description_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    code, said = run(capsys, "systems", "show", "request_tracker")
    assert code == 0
    assert "[tickets]" in said


def test_there_are_no_tickets_yet_and_none_to_settle(desk: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "migrate")[0] == 0
    assert run(capsys, "systems", "tickets") == (0, "0 tickets.\n")
    code, said = run(capsys, "systems", "settle", "tk-1", "--drop")
    assert code != 0
    assert "there is no ticket 'tk-1'" in said


def _kept(tx: Any, step: TicketStep) -> None:
    """A step, and once the ticket it is of."""
    if step.place == 1:
        names = (
            "system",
            "turn_id",
            "conversation_id",
            "attempts",
            "due_at",
            "tried_at",
            "last_error",
            "ordered",
            "created_at",
        )
        given = {name: getattr(step, name) for name in names}
        tx.tickets.add(Ticket(id="tk-1", hold_id="h", state=TicketState.OPENED, number="22", **given))
    tx.ticket_steps.add(step)
    tx.ledger.append("ticket_step.ordered", at=step.created_at)


def test_a_step_that_nobody_knows_of_is_listed_and_settled(
    desk: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert run(capsys, "migrate")[0] == 0
    now = datetime(2026, 1, 1, tzinfo=UTC)
    for place, state in enumerate((StepState.UNKNOWN, StepState.DEAD, StepState.DONE), 1):
        step = TicketStep(
            id=f"tk-1-{place}", ticket_id="tk-1", place=place, system="desk", turn_id="t", conversation_id="c",
            state=state, attempts=8, due_at=None, tried_at=now, last_error="no answer",
            ordered=Order(what="note", key=f"tk-1-{place}", ticket="22", text="secret words"), created_at=now,
        )  # fmt: skip
        store = open_store(load(tmp_path / "understudy.toml", {}), tmp_path)
        store.write_now(lambda tx, step=step: _kept(tx, step))
        store.close_now()
    code, said = run(capsys, "systems", "tickets")
    assert code == 1
    assert "0 tickets, and 2 steps that need a word." in said
    assert "tk-1-3" not in said
    said = run(capsys, "systems", "tickets", "--json", "--state", "opened")[1]
    assert "secret words" not in said
    told = json.loads(said)
    assert [(one["id"], one["number"]) for one in told["tickets"]] == [("tk-1", "22")]
    assert [(one["id"], one["what"], one["state"]) for one in told["steps"]] == [
        ("tk-1-1", "note", "unknown"), ("tk-1-2", "note", "dead"),
    ]  # fmt: skip
    assert run(capsys, "systems", "settle", "tk-1-1", "--done") == (0, "tk-1-1 is done.\n")
    assert run(capsys, "systems", "settle", "tk-1-2", "--retry") == (0, "tk-1-2 is pending.\n")
    assert "nothing has to be said" in run(capsys, "systems", "settle", "tk-1-3", "--drop")[1]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('tells = ["assign"]', "say in people whom the system calls what"),
        ('tells = ["write"]', "note"),
        (OWN, "cannot be told 'close'"),
    ],
)
def test_what_tickets_are_told_is_looked_at_before_anything_is_served(
    desk: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path, more: str, says: str
) -> None:
    file = tmp_path / "understudy.toml"
    file.write_text(file.read_text() + more)
    code, said = run(capsys, "doctor")
    assert code == 1
    assert says in said


def examined(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    _, said = run(capsys, "doctor", "--json")
    return {one["what"]: one for one in json.loads(said)["results"]}


def test_doctor_says_whether_a_system_lets_us_in(desk: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    found = examined(capsys)
    assert found["systems.desk"]["state"] == "ok"
    assert found["systems.desk server"]["says"] == "localhost lets us in"
    desk["status"] = 401
    found = examined(capsys)
    assert found["systems.desk server"]["state"] == "error"
    assert "answered 401" in found["systems.desk server"]["says"]
    assert "t0p-secret" not in str(found)


def test_doctor_names_a_channel_that_is_none(
    desk: dict[str, Any], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with (tmp_path / "understudy.toml").open("a") as file:
        file.write('believes = ["sms"]\n')
    assert "there is no channel 'sms'" in examined(capsys)["systems"]["says"]
