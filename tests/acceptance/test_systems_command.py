"""`understudy systems` and what doctor says of systems, against a server of the test."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from understudy.cli.main import main

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
