"""Who is one person, as a lead sees and says it: over the API, and by `understudy contacts` beside a running server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.main import main
from understudy.records.access import Scope

LEAD = (Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.AUTONOMY_WRITE, Scope.TURNS_WRITE, Scope.TURNS_READ)


class Desk:
    """A server and the command line beside it."""

    def __init__(self, served: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.served, self._capsys = served, capsys
        self.http = served.http(served.key(*LEAD, name="lena"))
        self.folder: Path = served.database.parents[1]

    def contact(self, name: str, email: str | None = None) -> str:
        body: dict[str, Any] = {
            "id": name,
            "conversation_id": f"conv-{name}",
            "messages": [{"role": "user", "content": "When are you open?"}],
            "draft": {"text": "We are open from 9:00 to 18:00.", "sources": []},
            "topic": "stores",
        }
        if email is not None:
            body["contact"] = {"emails": [email], "id": name}
        answer = self.http.post("/v1/turns", json=body)
        assert answer.status_code < 300, answer.text
        conversation = self.http.get(f"/v1/conversations/{answer.json()['conversation_id']}").json()
        found: str = conversation["contact"]["id"]
        return found

    def __call__(self, *words: str, code: int = 0) -> str:
        config = ["--config", str(self.folder / "understudy.toml")]
        self._capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["understudy", "contacts", *words, *config])
            patch.setenv("COLUMNS", "300")
            with pytest.raises(SystemExit) as ended:
                main()
        said = self._capsys.readouterr()
        assert ended.value.code == code, said
        return said.out if code == 0 else said.err

    def group(self, contact_id: str) -> set[str]:
        return {one["id"] for one in self.http.get(f"/v1/contacts/{contact_id}").json()["group"]}


@pytest.fixture
def desk(served: Any, capsys: pytest.CaptureFixture[str]) -> Desk:
    return Desk(served, capsys)


def test_a_lead_links_and_unlinks_over_the_api(desk: Desk) -> None:
    one, other = desk.contact("api-1"), desk.contact("api-2")
    linked = desk.http.post(f"/v1/contacts/{one}/link", json={"contact_id": other})
    assert (linked.status_code, desk.group(other)) == (200, {one, other})
    assert [member["is_proven"] for member in linked.json()["group"]] == [True, False]
    assert desk.http.post(f"/v1/contacts/{other}/link", json={"contact_id": one}).status_code == 409
    assert desk.http.post(f"/v1/contacts/{other}/unlink", json={"contact_id": one}).status_code == 200
    assert desk.group(one) == {one}
    assert desk.http.post(f"/v1/contacts/{other}/unlink", json={"contact_id": one}).status_code == 409


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("contacts/none/link", {"contact_id": "none"}, 404),
        ("contacts/none/link", {}, 422),
        ("contacts/none/vouch", {"kind": "email", "value": "kim@mail.example"}, 404),
        ("contacts/none/vouch", {"kind": "email", "value": "no address"}, 422),
        ("conversations/none/code", {"kind": "email", "value": "kim@mail.example"}, 409),
    ],
)
def test_what_cannot_be_is_refused_in_words(desk: Desk, path: str, body: dict[str, Any], status: int) -> None:
    answer = desk.http.post(f"/v1/{path}", json=body)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_a_lead_vouches_for_a_handle(desk: Desk) -> None:
    one = desk.contact("vouched")
    answer = desk.http.post(f"/v1/contacts/{one}/vouch", json={"kind": "phone", "value": "+44 7700 900123"})
    (handle,) = answer.json()["group"][0]["handles"]
    assert (handle["value"], handle["how"], handle["verified_by"]) == ("+447700900123", "person", "lena")


def test_a_lead_links_and_unlinks_by_command(desk: Desk) -> None:
    one, other = desk.contact("cli-1"), desk.contact("cli-2")
    assert "no reply follows it" in desk("link", one, other, "--by", "lena")
    assert {one, other} <= set(desk("show", one).split())
    shown = json.loads(desk("show", one, "--json"))
    assert [link["said_by"] for link in shown["links"]] == ["lena"]
    assert "two people" in desk("unlink", one, other)
    assert "are not linked" in desk("unlink", one, other, code=3)
    assert "No pair" in desk("proposed")
    assert json.loads(desk("proposed", "--json")) == {"proposed": []}


def test_a_person_is_erased_beside_a_running_server(desk: Desk) -> None:
    one, other = desk.contact("erased", "qzerased@mail.example"), desk.contact("kept", "qzkept@mail.example")
    desk("link", one, other)
    said = json.loads(desk("erase", one, "--yes", "--json"))
    assert (said["contacts"], said["left"]) == ([one], [other])
    shown = desk.http.get(f"/v1/contacts/{one}").json()
    assert (shown["name"], shown["email"], shown["group"][0]["handles"]) == (None, None, [])
    stored = b"".join(path.read_bytes() for path in desk.folder.rglob("*.db*"))
    assert b"qzerased" not in stored
    assert b"qzkept" in stored
