"""The API of ledger, health and outbox beside a running server, and `understudy audit export`."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from pydantic import SecretStr

from understudy.doctor.examination import BLOT, without_secrets
from understudy.doctor.result import Result
from understudy.records.access import Scope
from understudy.settings.model import Settings, Webhook


@pytest.fixture(scope="module")
def turns(served: Any, words: Any) -> list[str]:
    """Three turns that wait for a person; returns their ids, the first first."""
    client = served.client()
    contact = {"name": "Zoë Müller", "emails": ["zoe@mueller.example"]}
    given = [words.record(f"audited-{number}", text=f"Reply {number}.", contact=contact) for number in range(3)]
    return [client.submit_turn(record).id for record in given]


def test_turns_are_listed_the_latest_first(turns: list[str], served: Any) -> None:
    client = served.http(served.key(Scope.TURNS_READ))
    first = client.get("/v1/turns", params={"newest_first": True, "limit": 2}).json()
    rest = client.get("/v1/turns", params={"newest_first": True, "limit": 2, "cursor": first["next"]}).json()
    assert [one["id"] for one in (*first["items"], *rest["items"])] == [*reversed(turns)]
    oldest = client.get("/v1/turns", params={"limit": 9}).json()
    assert [one["id"] for one in oldest["items"]] == turns


def test_turns_and_entries_are_searched(turns: list[str], served: Any) -> None:
    client = served.http(served.key(Scope.LEDGER_READ))

    def found(**asked: Any) -> list[str]:
        return [one["id"] for one in client.get("/v1/ledger/turns", params=asked).json()["items"]]

    assert found() == [*reversed(turns)]
    assert found(turn=turns[1]) == [turns[1]]
    assert found(decision="deliver") == []
    assert found(channel="api", until="2020-01-01T00:00:00Z") == []
    assert client.get("/v1/ledger/turns", params={"turn": "turn-none"}).status_code == 404
    assert client.get("/v1/ledger/turns", params={"since": "yesterday"}).status_code == 422
    decided = client.get("/v1/ledger/entries", params={"event": "turn.decided"}).json()
    assert [one["turn_id"] for one in decided["items"]] == [*reversed(turns)]


def test_a_story_is_whole_for_auditors_alone(turns: list[str], served: Any) -> None:
    whole = served.http(served.key(Scope.TURNS_READ, Scope.LEDGER_READ)).get(f"/v1/turns/{turns[0]}/story").json()
    part = served.http(served.key(Scope.TURNS_READ)).get(f"/v1/turns/{turns[0]}/story").json()
    assert whole["is_whole"] is True
    assert whole["customer"]["name"] == "Zoë Müller"
    assert {"turn.decided", "hold.opened"} <= {one["event"] for one in whole["entries"]}
    assert whole["spoke"][0] == "topic_is_unknown"
    assert part["is_whole"] is False
    assert (part["entries"], part["evidence"], part["rules"], part["customer"]) == ([], None, None, None)
    assert part["turn"]["draft"]["text"] == "Reply 0."


def test_a_turn_and_the_chain_are_proved(turns: list[str], served: Any) -> None:
    client = served.http(served.key(Scope.LEDGER_READ))
    proved = client.get(f"/v1/turns/{turns[0]}/verification").json()
    assert proved["is_intact"] is True
    assert "replay" in {one["what"] for one in proved["proofs"]}
    first = client.get("/v1/ledger/verification", params={"limit": 5}).json()
    assert (first["after"], first["until"], first["is_whole"], first["fault"]) == (0, 5, False, None)
    rest = client.get("/v1/ledger/verification", params={"after": 5}).json()
    assert rest["is_whole"] is True
    assert rest["until"] == rest["head"]


def test_who_exports_unmasked_needs_a_scope_and_a_reason(turns: list[str], served: Any) -> None:
    masked = served.http(served.key(Scope.LEDGER_READ))
    asked = {"unmasked": True, "reason": "a court asked"}
    refused = masked.get("/v1/ledger/export", params=asked)
    assert refused.status_code == 403
    assert "ledger:unmasked" in refused.json()["detail"]
    both = served.http(served.key(Scope.LEDGER_READ, Scope.LEDGER_UNMASKED, name="Root"))
    assert both.get("/v1/ledger/export", params={"unmasked": True}).status_code == 422
    whole = both.get("/v1/ledger/export", params=asked)
    assert whole.headers["content-disposition"].endswith('-unmasked.jsonl"')
    assert "zoe@mueller.example" in whole.text
    plain = masked.get("/v1/ledger/export")
    assert "mueller" not in plain.text
    assert [json.loads(line)["turn"]["id"] for line in plain.text.splitlines()] == turns


def test_export_is_a_command_too(turns: list[str], served: Any, understudy_here: Any) -> None:
    folder = served.database.parents[1]
    ended = understudy_here("audit", "export", "turns", "--form", "csv", "--by", "Ada", cwd=folder)
    assert ended.code == 0, ended.err
    assert [row["turn"] for row in csv.DictReader(io.StringIO(ended.out))] == turns
    assert "mueller" not in ended.out
    refused = understudy_here("audit", "export", "turns", "--unmasked", cwd=folder)
    assert refused.code == 3
    assert "--reason" in refused.err
    assert understudy_here("audit", "export", "turns", "--since", "yesterday", cwd=folder).code == 3
    written = understudy_here("audit", "export", "entries", "--out", "ledger.jsonl", cwd=folder)
    assert written.code == 0, written.err
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert ("ledger.exported", "Ada") in {(line["event"], line["actor"]) for line in lines}


def test_health_is_read_by_whoever_may_see_metrics(turns: list[str], served: Any) -> None:
    seen = served.http(served.key(Scope.METRICS_READ)).get("/v1/health").json()
    assert seen["went"]["decided"]["hold"] == len(turns)
    assert sum(one["count"] for one in seen["holds"]) == len(turns)
    assert [one["does"] for one in seen["processes"]] == ["serves and works"]
    assert seen["schema"]["at"] == seen["schema"]["wanted"]
    assert seen["store"] == "SQLite"


def test_outbox_is_listed_without_texts(turns: list[str], served: Any) -> None:
    listed = served.http(served.key(Scope.METRICS_READ)).get("/v1/outbox").json()
    assert listed == {"items": [], "counts": {"pending": 0, "sending": 0, "unknown": 0, "dead": 0}}
    writer = served.http(served.key(Scope.UPKEEP_WRITE))
    assert writer.post("/v1/outbox/out-none/retry", json={}).status_code == 404
    assert writer.post("/v1/outbox/out-none/drop", json={"reason": ""}).status_code == 422
    assert writer.post("/v1/outbox/retry-dead", json={}).json() == {"retried": [], "skipped": []}


def test_doctor_says_what_the_command_says(served: Any, words: Any) -> None:
    answer = served.http(served.key(Scope.UPKEEP_WRITE)).post("/v1/health/doctor")
    found = answer.json()
    assert found["healthy"] is True
    assert {"configuration", "store", "agents.faq", "channels.desk"} <= {one["what"] for one in found["results"]}
    assert words.secret not in answer.text


def test_no_secret_of_the_settings_is_told() -> None:
    hook = Webhook(kind="webhook", url="https://a.example/x", secrets=[SecretStr("whsec_abcdef")])
    settings = Settings(channels={"desk": hook})
    said = Result(
        what="x", state="error", says="401 for whsec_abcdef at postgresql://ann:pw@host/db", mend="not whsec_abcdef"
    )
    clean = without_secrets(said, settings)
    assert clean.says == f"401 for {BLOT} at postgresql://{BLOT}@host/db"
    assert clean.mend == f"not {BLOT}"
