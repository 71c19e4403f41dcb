"""Reviewers are tested without knowing when; leads see how they do; customers who were let down get people."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.records.access import Scope
from understudy.records.wire import parse_turn_record
from understudy.review.seed_bank import SeedBank

REVIEWER = (Scope.HOLDS_READ, Scope.HOLDS_WRITE, Scope.TURNS_READ)
RECORD = {
    "id": "bad-1",
    "channel": "webchat",
    "topic": "returns",
    "messages": [{"role": "user", "content": "Do you pay the return postage for kettles?"}],
    "draft": {"text": "Yes, and you may keep the kettle as well."},
}


def ask(served: Any, name: str, text: str, draft: str = "We pay the return postage.", topic: str = "returns") -> Any:
    """Hand a draft over; returns the turn as its caller sees it."""
    record = {
        "id": name,
        "topic": topic,
        "messages": [{"role": "user", "content": text}],
        "draft": {"text": draft, "sources": [{"id": "k", "text": draft}]},
    }
    return served.http(served.key(name="shop")).post("/v1/turns", json=record).json()


def plant(served: Any, record: dict[str, Any]) -> str:
    """Plant a seed now; returns its hold."""
    app = served.app
    bank = SeedBank(app.store, app.clock, app.rulebook, ())
    before = {hold["id"] for hold in queue(served)}

    async def planted() -> None:
        await bank.add([("here", parse_turn_record(json.dumps(record)))], by="lena")
        await app.seeds.look("now")

    asyncio.run(planted())
    (hold,) = {hold["id"] for hold in queue(served)} - before
    return str(hold)


def queue(served: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = served.http(served.key(*REVIEWER)).get("/v1/holds").json()["items"]
    return found


def shape(value: Any) -> Any:
    """What kinds of values stand where; of a list the first one's."""
    if isinstance(value, dict):
        return {name: shape(one) for name, one in sorted(value.items())}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


def test_a_planted_draft_looks_like_any_other_to_a_reviewer(served: Any) -> None:
    turn = ask(served, "real-1", "Do you pay the return postage for pots?")
    planted = plant(served, RECORD)
    http = served.http(served.key(*REVIEWER))
    real, seed = (http.get(f"/v1/holds/{name}").json() for name in (turn["hold_id"], planted))
    assert real["hold"].keys() == seed["hold"].keys()
    for part in ("kind", "state", "version", "priority", "claimed_by", "raised_at", "superseded_by"):
        assert seed["hold"][part] == real["hold"][part], part
    for part in ("state", "decision", "is_audited", "superseded_by", "reply", "agent_error", "finished_at"):
        assert seed["turn"][part] == real["turn"][part], part
    assert seed["turn"]["hold_id"] == planted
    for part in ("mode", "taken_by"):
        assert seed["conversation"][part] == real["conversation"][part], part
    assert shape(seed["conversation"]["messages"]) == shape(real["conversation"]["messages"])
    written = json.dumps(seed)
    assert not [word for word in ("seed", "plant", "rehearsal", "bad-1") if word in written.replace(RECORD["id"], "")]


def test_the_story_of_a_planted_draft_looks_like_any_other_to_a_reviewer(served: Any) -> None:
    turn = ask(served, "real-6", "Do you pay the return postage for mugs?")
    planted = plant(served, {**RECORD, "id": "bad-6"})
    http = served.http(served.key(*REVIEWER))
    seed_turn = http.get(f"/v1/holds/{planted}").json()["turn"]["id"]
    real, seed = (http.get(f"/v1/turns/{name}/story").json() for name in (turn["id"], seed_turn))
    assert [hold["id"] for hold in seed["holds"]] == [planted]
    for part in ("is_whole", "holds", "verdicts", "sent", "feedback", "counted", "seed", "entries"):
        assert shape(seed[part]) == shape(real[part]), part


def test_the_stream_does_not_tell_a_reviewer_which_draft_was_planted(served: Any) -> None:
    head = served.http(served.key()).get("/v1/ledger", params={"limit": 1000}).json()["items"][-1]["seq"]
    turn = ask(served, "real-2", "Do you pay the return postage for pans?")
    planted = plant(served, {**RECORD, "id": "bad-2"})
    names = {}
    for who, key in (("reviewer", served.key(*REVIEWER)), ("auditor", served.key(Scope.HOLDS_READ, Scope.LEDGER_READ))):
        told: dict[str, list[str]] = {}
        for event in served.client(key).events(after=head):
            told.setdefault(event.turn_id or "", []).append(event.event)
            if event.event == "hold.opened" and event.body["hold"] == planted:
                names[who] = told | {"planted": told[event.turn_id or ""]}
                break
    assert names["reviewer"]["planted"] == names["reviewer"][turn["id"]] == ["turn.decided", "hold.opened"]
    assert "seed.planted" in names["auditor"]["planted"]
    assert "message.received" in names["auditor"][turn["id"]]


def test_after_the_verdict_the_reviewer_is_told(served: Any) -> None:
    planted = plant(served, {**RECORD, "id": "bad-3"})
    decided = served.client(served.key(*REVIEWER)).reject(planted, version=1)
    assert decided.turn.state == "spent"


def test_a_lead_sees_reviewers_and_a_reviewer_does_not(served: Any) -> None:
    turn = ask(served, "real-3", "Do you pay the return postage for lids?")
    served.client(served.key(*REVIEWER, name="Rosa")).approve(turn["hold_id"], version=1)
    assert served.http(served.key(*REVIEWER)).get("/v1/reviewers").status_code == 403
    answer = served.http(served.key(Scope.AUTONOMY_READ)).get("/v1/reviewers").json()
    (rosa,) = (one for one in answer["items"] if one["reviewer"] == "Rosa")
    assert (rosa["verdicts"], rosa["approval_rate"], rosa["discounted"]) == (1, 1.0, None)
    assert answer["agreement"] is None


def test_feedback_counts_once_and_caps_the_customer_until_a_lead_lifts_it(served: Any) -> None:
    turn = ask(served, "auto-1", "When are you open?", "We are open from 9:00 to 18:00.", "stores")
    assert turn["decision"] == "deliver"
    client = served.client(served.key(Scope.TURNS_WRITE, name="help desk"))
    first = client.feedback(turn["id"], "thumbs_down")
    assert client.feedback(turn["id"], "thumbs_down") == first
    assert (first.kind, first.by) == ("thumbs_down", "help desk")
    lead = served.http(served.key(Scope.HOLDS_READ, Scope.AUTONOMY_WRITE))
    contact = lead.get(f"/v1/conversations/{turn['conversation_id']}").json()["contact"]["id"]
    cap = lead.get(f"/v1/contacts/{contact}").json()["cap"]
    assert (cap["cause"], cap["turn_id"], cap["good_contacts_needed"]) == ("thumbs_down", turn["id"], 3)
    assert "person reviews every draft" in cap["explanation"]
    lifted = lead.post(f"/v1/contacts/{contact}/lift_cap")
    assert (lifted.status_code, lifted.json()["cap"]) == (200, None)
    assert lead.post(f"/v1/contacts/{contact}/lift_cap").status_code == 409


@pytest.mark.parametrize("body", [{}, {"kind": "shrug"}, {"kind": "complaint", "more": 1}])
def test_feedback_that_says_nothing_is_refused(served: Any, body: dict[str, Any]) -> None:
    assert served.http(served.key()).post("/v1/turns/none/feedback", json=body).status_code == 422


def test_feedback_on_what_was_not_sent_is_refused(served: Any) -> None:
    turn = ask(served, "real-4", "Do you pay the return postage for cups?")
    answer = served.http(served.key()).post(f"/v1/turns/{turn['id']}/feedback", json={"kind": "complaint"})
    assert answer.status_code == 409


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "understudy.toml").write_text("", encoding="utf-8")
    (tmp_path / "bad.jsonl").write_text(json.dumps(RECORD) + "\n", encoding="utf-8")
    return tmp_path


def test_seeds_are_added_from_a_file(folder: Path, understudy_here: Callable[..., Any]) -> None:
    added = understudy_here("autonomy", "seeds", "add", "bad.jsonl", "--json", cwd=folder)
    assert added.json() == {"added": 1, "known": 0}
    again = understudy_here("autonomy", "seeds", "add", "bad.jsonl", cwd=folder)
    assert "0 seeds added; 1 were there already" in again.out
    found = understudy_here("autonomy", "seeds", "status", "--json", cwd=folder).json()
    assert found == {"left": 1, "judged": 0, "caught": 0, "sensitivity": 0.7, "is_measured": False}
    assert "assumed to notice 70%" in understudy_here("autonomy", "seeds", "status", cwd=folder).out


def test_a_file_with_a_wrong_line_adds_nothing(folder: Path, understudy_here: Callable[..., Any]) -> None:
    approved = {**RECORD, "id": "good", "verdict": {"action": "approve"}}
    (folder / "mixed.jsonl").write_text(f"{json.dumps(RECORD)}\n{json.dumps(approved)}\n", encoding="utf-8")
    ended = understudy_here("autonomy", "seeds", "add", "mixed.jsonl", cwd=folder)
    assert ended.code == 3
    assert "mixed.jsonl, line 2" in ended.err
    assert understudy_here("autonomy", "seeds", "status", "--json", cwd=folder).json()["left"] == 0


def test_reviewers_are_shown_by_the_command_line(folder: Path, understudy_here: Callable[..., Any]) -> None:
    assert "Nobody has judged" in understudy_here("autonomy", "reviewers", cwd=folder).out
    found = understudy_here("autonomy", "reviewers", "--json", cwd=folder).json()
    assert found == {"reviewers": [], "agreement": None}
