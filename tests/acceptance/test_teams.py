"""Who takes hand-offs, over HTTP and on the command line: who is here, what waits and whose it is; and who may say so."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from understudy.client.client import Client
from understudy.records.access import Scope

numbers = itertools.count(1)
REVIEWS = (Scope.HOLDS_READ, Scope.HOLDS_WRITE)
TEAMS = """
[teams.returns]
members = ["Ana", "Ben"]
capacity = 2

[teams.others]
members = ["Eve"]
channels = ["webchat"]

[sla]
answer_within_s = { 0 = 3600 }
"""


@pytest.fixture(scope="module")
def teams(serve: Callable[..., Any]) -> Any:
    return serve(more=TEAMS)


@pytest.fixture(scope="module")
def ana(teams: Any) -> httpx2.Client:
    return teams.http(teams.key(*REVIEWS, name="Ana"))


@pytest.fixture(scope="module")
def lead(teams: Any) -> httpx2.Client:
    return teams.http(teams.key(*REVIEWS, Scope.AUTONOMY_WRITE, name="Lea"))


@pytest.fixture(scope="module")
def caller(teams: Any) -> Any:
    return teams.client()


def hand_off(caller: Any, client: httpx2.Client) -> Any:
    """Have a customer ask for a person; returns the row of the queue."""
    name = f"teams-{next(numbers)}"
    asked = [{"role": "user", "content": "I want to talk to a human being, please."}]
    turn = caller.submit_turn({"id": name, "messages": asked, "draft": {"text": "I will get somebody."}})
    (row,) = (row for row in client.get("/v1/queue").json()["rows"] if row["conversation_id"] == turn.conversation_id)
    assert row["kind"] == "hand_off"
    return row


def row_of(client: httpx2.Client, hold: str) -> Any:
    return client.get("/v1/queue", params={"hold": hold}).json()["rows"][0]


def test_who_has_the_console_open_is_given_what_waits(
    teams: Any, ana: httpx2.Client, caller: Any, until: Callable[..., Any]
) -> None:
    row = hand_off(caller, ana)
    until(lambda: "waits_since" in row_of(ana, row["id"]))
    assert "assigned_to" not in row_of(ana, row["id"])
    assert ana.post("/v1/desk/here", json={}).status_code == 200
    until(lambda: row_of(ana, row["id"]).get("assigned_to") == "Ana")
    found = row_of(ana, row["id"])
    assert found["waits_since"] == row["created_at"]
    promised = datetime.fromisoformat(found["answer_by"]) - datetime.fromisoformat(found["waits_since"])
    assert promised.total_seconds() == 3600
    (wait,) = (one for one in ana.get("/v1/teams/waiting").json()["items"] if one["hold_id"] == row["id"])
    assert (wait["team"], wait["person"], wait["why"], wait["is_broken"]) == ("returns", "Ana", "least_loaded", False)
    assert "Ana is here with 0 of 2." in wait["words"]
    shown = ana.get("/v1/teams").json()
    assert shown["is_on"]
    people = {one["name"]: one for team in shown["items"] for one in team["people"]}
    assert (people["Ana"]["is_here"], people["Ana"]["open_hand_offs"]) == (True, 1)
    assert not people["Ben"]["is_here"]


def test_who_is_away_gets_nothing_until_they_are_back(
    ana: httpx2.Client, caller: Any, until: Callable[..., Any]
) -> None:
    ana.post("/v1/desk/here", json={})
    said = ana.put("/v1/desk/presence", json={"is_away": True})
    assert (said.status_code, said.json()["is_here"], said.json()["is_away"]) == (200, False, True)
    assert ana.get("/v1/desk/presence").json() == said.json()
    row = hand_off(caller, ana)
    until(lambda: "waits_since" in row_of(ana, row["id"]))
    assert "assigned_to" not in row_of(ana, row["id"])
    assert ana.put("/v1/desk/presence", json={"is_away": False}).json()["is_here"]
    until(lambda: row_of(ana, row["id"]).get("assigned_to") == "Ana")


def test_a_lead_gives_one_to_somebody_and_a_reviewer_does_not(
    ana: httpx2.Client, lead: httpx2.Client, caller: Any
) -> None:
    row = hand_off(caller, ana)
    path = f"/v1/teams/waiting/{row['id']}/assign"
    assert ana.post(path, json={"person": "Eve"}).status_code == 403
    given = lead.post(path, json={"person": "Eve"})
    assert (given.status_code, given.json()["person"], given.json()["words"]) == (200, "Eve", "Lea gave it to Eve.")
    assert row_of(ana, row["id"])["assigned_to"] == "Eve"
    wrong = lead.post(path, json={"person": "Nemo"})
    assert wrong.status_code == 422
    assert "'Nemo' is in no team; there is: Ana, Ben, Eve" in wrong.json()["detail"]
    assert lead.post("/v1/teams/waiting/nothing/assign", json={"person": None}).status_code == 404


@pytest.mark.parametrize("body", [{}, {"is_away": "no"}, {"is_away": True, "for_s": 0}, {"is_away": True, "x": 1}])
def test_what_is_no_presence_is_refused(ana: httpx2.Client, body: Any) -> None:
    assert ana.put("/v1/desk/presence", json=body).status_code == 422


def test_the_command_line_shows_and_says_the_same(
    teams: Any, ana: httpx2.Client, caller: Any, understudy_here: Any, until: Callable[..., Any]
) -> None:
    folder: Path = teams.database.parent.parent
    row = hand_off(caller, ana)
    until(lambda: "waits_since" in row_of(ana, row["id"]))
    waiting = understudy_here("teams", "waiting", "--json", cwd=folder).json()["waiting"]
    assert row["id"] in {one["hold_id"] for one in waiting}
    assert row["id"] in understudy_here("teams", "waiting", cwd=folder).out
    given = understudy_here("teams", "assign", row["id"], "--to", "Ben", "--by", "Lea", cwd=folder)
    assert (given.code, given.out.strip()) == (0, f"{row['id']} is Ben's.")
    assert row_of(ana, row["id"])["assigned_to"] == "Ben"
    refused = understudy_here("teams", "assign", row["id"], "--to", "Nemo", cwd=folder)
    assert refused.code == 3
    assert "is in no team" in refused.err
    assert understudy_here("teams", "away", "Ben", cwd=folder).out.strip() == "Ben is away."
    assert "here until" in understudy_here("teams", "here", "Ben", "--hours", "1", cwd=folder).out
    listed = understudy_here("teams", "list", "--json", cwd=folder).json()["teams"]
    assert [team["name"] for team in listed] == ["returns", "others"]
    assert {one["name"]: one["is_here"] for one in listed[0]["people"]}["Ben"]
    assert "others" in understudy_here("teams", "list", cwd=folder).out


def test_without_teams_the_commands_say_so(tmp_path: Path, write_folder: Any, understudy_here: Any) -> None:
    folder = write_folder(tmp_path).parent
    assert "No team is configured" in understudy_here("teams", "list", cwd=folder).out
    assert "Nobody waits" in understudy_here("teams", "waiting", cwd=folder).out


def test_wrong_teams_are_named_before_anything_is_opened(
    tmp_path: Path, write_folder: Any, understudy_here: Any
) -> None:
    more = '[teams.a]\nmembers = ["Ana"]\noverflow = "b"\n[teams.b]\nmembers = ["Ben"]\noverflow = "a"\n'
    folder = write_folder(tmp_path, more=more).parent
    ended = understudy_here("doctor", cwd=folder)
    assert ended.code != 0
    assert "a -> b -> a goes round in a circle" in ended.out + ended.err


def test_each_step_of_the_sla_is_done_once_whenever_the_server_is_killed(
    tmp_path: Path, write_folder: Any, key_in: Any, start_server: Any, until: Callable[..., Any]
) -> None:
    folder = write_folder(tmp_path, more="[sla]\nanswer_within_s = { 0 = 6 }\n").parent
    key = key_in(folder)

    def done(url: str) -> list[str]:
        with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client:
            entries = client.get("/v1/ledger", params={"limit": 500}).json()["items"]
        own = [one for one in entries if one["event"].startswith("staffing.")]
        return [one["body"].get("do") or one["event"] for one in sorted(own, key=lambda one: one["seq"])]

    server = start_server(folder)
    asked = [{"role": "user", "content": "I want to talk to a human being, please."}]
    with Client(server.url, key) as client:
        client.submit_turn({"id": "killed", "messages": asked, "draft": {"text": "I will get somebody."}})
    for known in (["staffing.waits"], ["staffing.waits", "raise"]):
        until(lambda known=known, url=server.url: done(url)[: len(known)] == known)
        server.process.kill()
        server.process.wait()
        server = start_server(folder)
    whole = ["staffing.waits", "raise", "overflow", "tell", "staffing.broken"]
    until(lambda: len(done(server.url)) >= len(whole))
    assert done(server.url) == whole
