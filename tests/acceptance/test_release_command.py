"""`understudy release` and `/v1/releases` beside a running server: a change of the documents goes out, and comes back."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

SECOND = """
[agents.faq-2]
kind = "faq"
knowledge = "knowledge-2"
release_of = "faq"
"""
NEW_HOURS = "Our shop is open from Monday to Sunday, 8:00 to 20:00."


@pytest.fixture
def product(serve: Callable[..., Any], write_folder: Callable[..., Path], tmp_path: Path) -> Any:
    """A server whose agent has a second version with other documents. The folder is made twice: a server needs its files
    when it starts."""
    folder = tmp_path / "second"
    write_folder(folder)
    hours = folder / "knowledge" / "opening-hours.md"
    hours.write_text(f"---\ntitle: Opening hours\ntopic: stores\n---\n{NEW_HOURS}\n", encoding="utf-8")
    more = SECOND.replace("knowledge-2", str(folder / "knowledge"))
    return serve(more=more)


class Releaser:
    """Whoever stands at the command line, beside a server."""

    def __init__(self, product: Any, run: Callable[..., Any]) -> None:
        self.folder: Path = product.database.parents[1]
        self._run = run

    def __call__(self, *words: str, code: int = 0) -> str:
        ended = self._run("release", *words, cwd=self.folder)
        assert ended.code == code, ended
        return str(ended.out + ended.err)

    def json(self, *words: str, code: int = 0) -> Any:
        ended = self._run("release", *words, "--json", cwd=self.folder)
        assert ended.code == code, ended
        return ended.json()


@pytest.fixture
def releaser(product: Any, understudy_here: Callable[..., Any]) -> Releaser:
    return Releaser(product, understudy_here)


def ask(http: Any, conversation: str) -> tuple[str, str]:
    """What the customer of a conversation gets, and what was decided."""
    body = {"messages": [{"role": "user", "content": "What are your opening hours?"}], "user": conversation}
    answer = http.post("/v1/chat/completions", json=body)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    return told["choices"][0]["message"]["content"], told["understudy"]["decision"]


def draft_of(product: Any, conversation: str) -> str:
    """What the agent proposed last in a conversation."""

    def look(tx: Any) -> str:
        found = [one for one in tx.turns.listed(after=0, limit=1000) if name_of(tx, one).endswith(conversation)]
        return str(json.loads(tx.artifacts.get(found[-1].id, "draft"))["text"])

    def name_of(tx: Any, turn: Any) -> str:
        return str(tx.conversations.get(turn.conversation_id).external_id)

    return product.app.store.read_now(look)


def test_a_change_of_the_documents_goes_out_step_by_step_and_comes_back(product: Any, releaser: Releaser) -> None:
    http = product.http(product.key())
    assert "no release yet" in releaser("status")
    assert "18:00" in ask(http, "before")[0]

    assert "is the first release of faq, and answers as before" in releaser("create", "faq", "--by", "Ines")
    assert ask(http, "adopted")[1] == "deliver"
    said = releaser("create", "faq-2", "--why", "longer hours", code=2)
    assert "No gate has compared it" in said
    assert "passed no gate" in releaser("promote", "faq-2", code=1)
    assert "say why" in releaser("create", "faq-2", "--waive-gate", code=1)
    waived = releaser.json("create", "faq-2", "--waive-gate", "--why", "only the hours", "--by", "Ines")
    assert (waived["stage"], waived["waived"]) == ("gated", "only the hours")
    assert "it drafts beside what answers" in releaser("promote", "faq-2")
    assert "100% of the conversations" in releaser("promote", "faq-2", "--share", "1")

    text, decision = ask(http, "canary")
    assert decision == "hold", "it has earned nothing yet"
    assert "20:00" in draft_of(product, "canary")
    assert "20:00" not in text
    assert ask(http, "adopted")[1] == "deliver"
    assert "18:00" in draft_of(product, "adopted")
    status = releaser("status")
    assert "faq-2) is canary for 100% of new conversations" in status
    assert "inconclusive" in status

    said = releaser("rollback", "--why", "a mistake in it", "--by", "Lena")
    assert "Verified: a probe was answered by the old release" in said
    assert ask(http, "canary")[1] == "deliver"
    assert "18:00" in draft_of(product, "canary")
    assert "rolled_back by Lena: a mistake in it" in releaser("show", "faq-2")
    assert "nothing to take back" in releaser("rollback", code=1)
    (agent,) = releaser.json("list")
    assert [one["release"]["stage"] for one in agent["releases"]] == ["rolled_back", "full"]


def test_the_same_by_http(product: Any) -> None:
    http = product.http(product.key(name="Ines"))
    first = http.post("/v1/releases", json={"entry": "faq"})
    assert (first.status_code, first.json()["stage"]) == (201, "full")
    second = http.post("/v1/releases", json={"entry": "faq-2"}).json()
    name = second["id"]

    def post(what: str, version: int | None, **body: Any) -> Any:
        headers = {} if version is None else {"If-Match": f'"{version}"'}
        return http.post(f"/v1/releases/{name}/{what}", json=body, headers=headers)

    assert post("promote", None).status_code == 428
    assert post("promote", 1).status_code == 409
    assert post("waive", 1, why="").status_code == 409
    assert post("waive", 1, why="only the hours").json()["stage"] == "gated"
    stale = post("promote", 1)
    assert stale.status_code == 412
    assert "Ines did this (gated)" in stale.json()["detail"]
    assert post("promote", 2, to="canary", share=0.5).json()["share"] == 0.5
    assert post("hold", None, why="a fair").json()["hold"]["by"] == "Ines"
    assert post("promote", 4).status_code == 409
    assert post("resume", None).status_code == 200
    found = http.get(f"/v1/releases/{name}")
    assert found.headers["ETag"] == '"5"'
    assert found.json()["advice"]["step"] == "inconclusive"
    back = post("rollback", None, why="odd").json()
    assert (back["release"]["stage"], back["answers"]["id"]) == ("rolled_back", first.json()["id"])
    assert [one["agent"] for one in http.get("/v1/releases").json()] == ["faq"]
    assert http.get("/v1/releases/rel-nothing").status_code == 404
    assert http.post("/v1/releases", json={"entry": "none"}).status_code == 404
    assert http.post("/v1/releases", json={"name": "faq"}).status_code == 422
    assert post("promote", 9, to="nowhere").status_code == 422


def test_who_may_only_read_moves_nothing(product: Any) -> None:
    from understudy.records.access import Scope

    reader = product.http(product.key(Scope.RELEASES_READ))
    assert reader.get("/v1/releases").status_code == 200
    assert reader.post("/v1/releases", json={"entry": "faq"}).status_code == 403
    assert product.http(product.key(Scope.TURNS_READ)).get("/v1/releases").status_code == 403


def test_wrong_words_are_told(releaser: Releaser) -> None:
    assert "there is no agents.nothing; there is: faq, faq-2" in releaser("create", "nothing", code=3)
    assert "there is no release 'nothing'" in releaser("show", "nothing", code=3)
    assert "release create faq` does" in releaser("show", "faq", code=3)
    assert "--share must be above 0" in releaser("promote", "faq", "--share", "0", code=3)
    assert "cannot be compared" in releaser("create", "faq-2", code=1)


def test_without_a_server_a_rollback_says_that_nobody_has_seen_it(
    write_folder: Callable[..., Path], understudy_here: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "alone"
    write_folder(folder, more=SECOND)
    shutil.copytree(folder / "knowledge", folder / "knowledge-2")
    (folder / "knowledge-2" / "returns.md").write_text("# Returns\n\nWithin 60 days.\n", encoding="utf-8")

    def run(*words: str) -> Any:
        return understudy_here("release", *words, cwd=folder)

    assert run("create", "faq").code == 0
    assert run("create", "faq-2", "--waive-gate", "--why", "a test").code == 0
    assert run("promote", "faq-2", "--to", "canary").code == 0
    ended = run("rollback", "--wait-s", "0.2")
    assert (ended.code, "no server said so" in ended.out) == (2, True)


@pytest.mark.slow
def test_no_draft_is_asked_of_a_release_once_it_was_taken_back_under_load(
    product: Any, releaser: Releaser, until: Callable[..., Any]
) -> None:
    """Customers write on while the command runs; how quick it is, says the page on releases."""
    http = product.http(product.key())
    releaser("create", "faq")
    releaser("create", "faq-2", "--waive-gate", "--why", "a test")
    release = releaser.json("promote", "faq-2", "--to", "canary", "--share", "1")
    is_over = threading.Event()
    errors: list[BaseException] = []
    answered: list[str] = []

    def customer(number: int) -> None:
        client = product.http(product.key(name=f"c-{number}"))
        while not is_over.is_set():
            try:
                name = f"load-{number}-{len(answered)}"
                ask(client, name)
                answered.append(name)
            except BaseException as error:  # noqa: BLE001 - told by the test
                errors.append(error)
                return

    customers = [threading.Thread(target=customer, args=(number,), daemon=True) for number in range(8)]
    for one in customers:
        one.start()
    until(lambda: errors or len(answered) > 20)
    assert "Verified" in releaser("rollback", "--why", "a drill")
    so_far = len(answered)
    until(lambda: errors or len(answered) > so_far + 20)
    is_over.set()
    for one in customers:
        one.join(60)
    assert errors == []
    before, after = asked_of(product, release["id"])
    assert before > 0
    assert after == 0
    assert ask(http, "after")[1] == "deliver"


def asked_of(product: Any, release_id: str) -> tuple[int, int]:
    """How often a release was asked for a draft until it was taken back, and after that."""

    def look(tx: Any) -> tuple[int, int]:
        entries = tx.ledger.entries(after=0, limit=1_000_000)
        of_release = {
            entry.turn_id
            for entry in entries
            if entry.event == "turn.drafted" and json.loads(entry.body)["agent_version"] == release_id
        }
        (back,) = (entry.seq for entry in entries if entry.event == "release.rolled_back")
        asked = [entry.seq for entry in entries if entry.event == "agent.asked" and entry.turn_id in of_release]
        return sum(seq < back for seq in asked), sum(seq > back for seq in asked)

    return product.app.store.read_now(look)


def test_doctor_says_who_answers_and_what_was_changed_in_place(
    write_folder: Callable[..., Path], understudy_here: Callable[..., Any], tmp_path: Path
) -> None:
    folder = tmp_path / "doctored"
    write_folder(folder, more=SECOND)
    shutil.copytree(folder / "knowledge", folder / "knowledge-2")

    def doctor() -> dict[str, dict[str, Any]]:
        results = understudy_here("doctor", "--json", cwd=folder).json()["results"]
        return {one["what"]: one for one in results}

    assert "is the same as agents.faq" in doctor()["agents.faq-2"]["says"]
    (folder / "knowledge-2" / "returns.md").write_text("# Returns\n\nWithin 60 days.\n", encoding="utf-8")
    assert "no release, so it drafts for nobody" in doctor()["agents.faq-2"]["says"]
    assert "releases of faq" not in doctor()
    assert understudy_here("release", "create", "faq", cwd=folder).code == 0
    assert doctor()["releases of faq"]["state"] == "ok"
    (folder / "knowledge" / "returns.md").write_text("# Returns\n\nWithin 90 days.\n", encoding="utf-8")
    changed = doctor()["releases of faq"]
    assert (changed["state"], "every draft waits for a person" in changed["says"]) == ("error", True)
