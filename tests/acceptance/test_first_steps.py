"""From an empty folder to the first approved reply, each step a command of its own, as the tutorial tells it."""

from __future__ import annotations

import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shop")


@pytest.fixture(scope="module")
def begun(place: Path, understudy: Any) -> Any:
    return understudy("init", str(place / "new"), "--json", cwd=place, afresh=True).json()


def test_init_then_doctor_then_serve_then_chat_then_review(
    place: Path, begun: Any, understudy: Any, start_server: Any, until: Any
) -> None:
    folder = place / "new"
    healthy = understudy("doctor", "--json", cwd=folder, afresh=True)
    assert (healthy.code, healthy.json()["healthy"]) == (0, True)

    server = start_server(folder, afresh=True)
    with httpx2.Client(base_url=server.url) as visitor:
        token = visitor.post("/chat/sessions", json={"name": "Ann"}).json()["token"]
        visitor.headers["Authorization"] = f"Bearer {token}"
        visitor.post("/chat/messages", json={"id": "m-1", "text": "When is your shop open?", "name": "Ann"})
        reviewer = {"UNDERSTUDY_URL": server.url, "UNDERSTUDY_API_KEY": begun["key"]}
        with httpx2.Client(base_url=server.url, headers={"Authorization": f"Bearer {begun['key']}"}) as api:
            until(lambda: api.get("/v1/holds").json()["items"])
        reviewed = understudy("review", cwd=place, env=reviewer, stdin="a\nq\n", afresh=True)
        assert reviewed.code == 0
        assert "When is your shop open?" in reviewed.out
        assert "Done: 1 approve" in reviewed.out
        until(lambda: len(visitor.get("/chat/messages").json()["messages"]) == 2)
        reply = visitor.get("/chat/messages").json()["messages"][1]
    assert "9:00 to 18:00" in reply["text"]
    assert server.stop().code == 0

    proven = understudy("audit", "verify", "--json", cwd=folder, afresh=True)
    assert (proven.code, proven.json()["intact"]) == (0, True)


def test_init_keeps_what_is_there(place: Path, begun: Any, understudy_here: Any) -> None:
    before = Path(begun["config"]).read_bytes()
    again = understudy_here("init", str(place / "new"), cwd=place)
    assert again.code == 3
    assert "exists already" in again.err
    assert Path(begun["config"]).read_bytes() == before


def test_init_says_what_to_do_next(tmp_path: Path, understudy_here: Any) -> None:
    ended = understudy_here("init", cwd=tmp_path)
    assert ended.code == 0
    for words in ("understudy doctor", "understudy serve", "understudy review", "us_"):
        assert words in ended.out


@pytest.mark.skipif(os.name != "posix" or os.getuid() == 0, reason="root may write anywhere")
def test_init_where_nothing_can_be_written_says_so(tmp_path: Path, understudy_here: Any) -> None:
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    ended = understudy_here("init", "new", cwd=tmp_path)
    assert ended.code == 3
    assert "cannot be written" in ended.err


def test_init_onto_a_file_says_so(tmp_path: Path, understudy_here: Any) -> None:
    (tmp_path / "file").write_text("")
    ended = understudy_here("init", "file", cwd=tmp_path)
    assert ended.code == 3
    assert "cannot be written" in ended.err


def test_doctor_names_every_trouble_and_how_to_mend_it(tmp_path: Path, write_folder: Any, understudy_here: Any) -> None:
    write_folder(
        tmp_path,
        more='[checks.grounding]\nenabled = false\n[checks.grammar]\n[agents.other]\nkind = "faq"\nknowledge = "gone"',
    )
    ended = understudy_here("doctor", "--json", cwd=tmp_path)
    assert ended.code == 1
    results = {result["what"]: result for result in ended.json()["results"]}
    assert results["checks.grammar"]["state"] == "error"
    assert results["checks.grounding"]["state"] == "warning"
    assert results["agents.other"]["state"] == "error"
    assert results["keys"]["state"] == "warning"
    assert all(result["mend"] for result in results.values() if result["state"] != "ok")


def test_doctor_tries_the_examples_of_every_rule_on_wording(
    tmp_path: Path, write_folder: Any, understudy_here: Any
) -> None:
    rules = """
[[policy.rules]]
name = "right"
phrases = ["promise"]
fails = ["We promise."]
passes = ["We hope."]
[[policy.rules]]
name = "wrong"
phrases = ["promise"]
fails = ["We assure you."]
passes = ["We hope."]
[[policy.rules]]
name = "bare"
phrases = ["promise"]
"""
    write_folder(tmp_path, more=rules)
    ended = understudy_here("doctor", "--json", cwd=tmp_path)
    assert ended.code == 1
    states = {result["what"]: result["state"] for result in ended.json()["results"]}
    assert states["policy.rules right"] == "ok"
    assert states["policy.rules wrong"] == "error"
    assert states["policy.rules bare"] == "warning"


def test_doctor_without_a_configuration_says_what_to_do(tmp_path: Path, understudy_here: Any) -> None:
    ended = understudy_here("doctor", cwd=tmp_path)
    assert ended.code == 1
    assert "understudy init" in ended.out


def test_review_with_a_key_that_is_not_known_says_so(
    place: Path, begun: Any, understudy: Any, start_server: Any
) -> None:
    server = start_server(place / "new")
    wrong = {"UNDERSTUDY_URL": server.url, "UNDERSTUDY_API_KEY": begun["key"][:-43] + "x" * 43}
    ended = understudy("review", cwd=place, env=wrong)
    assert ended.code == 3
    assert "not known" in ended.err


def test_review_without_a_key_says_how_to_make_one(tmp_path: Path, understudy_here: Any) -> None:
    ended = understudy_here("review", cwd=tmp_path)
    assert ended.code == 3
    assert "understudy keys create" in ended.err


def test_review_without_a_server_waits_and_says_so(tmp_path: Path, understudy: Any) -> None:
    nowhere = {"UNDERSTUDY_URL": "http://127.0.0.1:9", "UNDERSTUDY_API_KEY": "us_x"}
    ended = understudy("review", cwd=tmp_path, env=nowhere, stdin="q\n")
    assert ended.code == 0
    assert "http://127.0.0.1:9" in ended.out


def test_keys_are_made_listed_and_revoked(place: Path, begun: Any, understudy_here: Any) -> None:
    folder = place / "new"
    made = understudy_here(
        "keys", "create", "Tom", "--scope", "holds:read", "--days", "30", "--json", cwd=folder
    ).json()
    listed = {key["id"]: key for key in understudy_here("keys", "list", "--json", cwd=folder).json()}
    assert listed[made["id"]]["name"] == "Tom"
    assert listed[made["id"]]["scopes"] == ["holds:read"]
    assert listed[made["id"]]["revoked_at"] is None
    assert made["key"] not in understudy_here("keys", "list", cwd=folder).out
    assert understudy_here("keys", "revoke", made["id"], cwd=folder).code == 0
    listed = {key["id"]: key for key in understudy_here("keys", "list", "--json", cwd=folder).json()}
    assert listed[made["id"]]["revoked_at"] is not None


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["revoke", "000000000000"], "000000000000"),
        (["create", "Tom", "--scope", "everything"], "everything"),
        (["create", "Tom", "--days", "0"], "--days"),
        (["create", "Tom", "--days", "999999999"], "--days"),
        (["create", " "], "NAME"),
    ],
)
def test_keys_refuse(words: list[str], named: str, place: Path, begun: Any, understudy_here: Any) -> None:
    ended = understudy_here("keys", *words, cwd=place / "new")
    assert ended.code == 3
    assert named in ended.err


def test_audit_finds_a_flipped_byte(tmp_path: Path, write_folder: Any, key_in: Any, understudy_here: Any) -> None:
    write_folder(tmp_path)
    for name in ("Ines", "Tom", "Ann"):
        key_in(tmp_path, name=name)
    assert understudy_here("audit", "verify", cwd=tmp_path).code == 0
    with closing(sqlite3.connect(tmp_path / "understudy-data" / "understudy.db")) as database, database:
        (body,) = database.execute("SELECT body FROM ledger WHERE seq = 2").fetchone()
        assert "Tom" in body
        database.execute("UPDATE ledger SET body = ? WHERE seq = 2", (body.replace("Tom", "Tim"),))
    ended = understudy_here("audit", "verify", "--json", cwd=tmp_path)
    assert ended.code == 1
    verdict = ended.json()
    assert (verdict["intact"], verdict["entries"]) == (False, 1)
    assert "entry 2" in verdict["fault"]


def test_audit_finds_a_missing_entry(tmp_path: Path, write_folder: Any, key_in: Any, understudy_here: Any) -> None:
    write_folder(tmp_path)
    for name in ("Ines", "Tom", "Ann"):
        key_in(tmp_path, name=name)
    with closing(sqlite3.connect(tmp_path / "understudy-data" / "understudy.db")) as database, database:
        database.execute("DELETE FROM ledger WHERE seq = 2")
    ended = understudy_here("audit", "verify", cwd=tmp_path)
    assert ended.code == 1
    assert "entry 2 is missing" in ended.out
