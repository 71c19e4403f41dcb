"""The demo, as it was played: every kind of decision occurs, it settles, and what it leaves behind can be proven."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from understudy.adapters.stores.sql_store import SqlStore
from understudy.assessment.assess import assess
from understudy.assessment.checks import CHECKS
from understudy.demo.earning import VERSION as SECOND_ACT
from understudy.demo.other_agent import load_drafts
from understudy.demo.people import ADDRESS, ANGRY, EASY, EVENING, MORNING, MOVING, OFFICE, PARCEL
from understudy.demo.story import load_story
from understudy.demo.versions import AGENT, HASTY, LATER_CUSTOMER, MENDED, MISTAKEN_CUSTOMERS
from understudy.learning.rebuild import faults_of
from understudy.records.assessment import Assessment
from understudy.records.codec import dump, load
from understudy.records.evidence import Evidence
from understudy.records.identity import HandleKind
from understudy.records.pledges import PledgeKind, PledgeState
from understudy.records.turn import OPEN, TurnState
from understudy.turn.replay import replay

CHECKS_PACKAGE = "understudy.assessment.checks"
ELSEWHERE = {
    "actions.not_all_read",
    "exposure.not_all_read",
    "grounding.too_long",
    "injection.too_much_to_read",
    "quality.too_long",
    "quality.markup",
    *(f"actions.{code}" for code in ("undeclared", "wrong_arguments", "amount_unknown", "over_limit", "too_many")),
    "grounding.unknown_fact",
    "quality.pledge_contradicted",
    "quality.pledged_again",
    "escalation.accepts_person",
    "escalation.person_announced",
}
"""Findings that need a text of many pages, another channel (these drafts come over the API, whose caller vouches for who
writes), a declared action, a system of record, a promise that is still owed or an agent that brings a person in of its own accord; tests/unit/assessment has an example of each."""
LATER_ACTS = (*MISTAKEN_CUSTOMERS, LATER_CUSTOMER, ANGRY, EVENING, MOVING)
CARD = re.compile(rb"4111[ -]?1111[ -]?1111[ -]?1111")


@dataclass(frozen=True)
class Played:
    """What a demo printed and left behind."""

    code: int
    summary: dict[str, Any]
    out: str
    err: str
    folder: Path


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, demo_once: Any) -> Played:
    folder = Path(shutil.copytree(demo_once.folder, tmp_path_factory.mktemp("demo") / "played"))
    summary = json.loads(demo_once.out.strip().splitlines()[-1])
    return Played(demo_once.code, summary, demo_once.out, demo_once.err, folder)


@pytest.fixture(scope="module")
def store(played: Played) -> Iterator[SqlStore]:
    opened = SqlStore(f"sqlite:///{played.folder / 'demo.db'}")
    yield opened
    opened.close_now()


def test_demo_settles_and_says_so_in_one_line_of_json(played: Played) -> None:
    assert played.code == 0
    assert len(played.out.strip().splitlines()) == 1
    counted = sum(played.summary[kind] for kind in ("delivered", "held", "handed_off", "degraded", "superseded"))
    assert counted == played.summary["turns"]


def test_it_says_how_long_each_act_took_and_that_it_can_serve_on(played: Played) -> None:
    acts = played.summary["acts"]
    assert [(act["act"], act["ended"]) for act in acts] == [(1, None), (2, None), (3, None), (4, None)]
    assert all(act["cpu_seconds"] > 0 and act["seconds"] > 0 for act in acts)
    assert sum(act["seconds"] for act in acts) == pytest.approx(played.summary["seconds"], abs=0.1)


@pytest.mark.parametrize("kind", ["delivered", "held", "handed_off", "degraded", "superseded"])
def test_every_kind_of_decision_occurs(kind: str, played: Played) -> None:
    assert played.summary[kind] >= 1


def test_summary_for_people_names_reasons_and_verdicts(played: Played) -> None:
    assert "most frequent reasons" in played.err
    assert "Reviewers decided" in played.err
    assert "approve" in played.err


def test_nothing_is_left_open(store: SqlStore) -> None:
    turns = store.read_now(lambda tx: tx.turns.listed(after=0, limit=1_000))
    assert [turn.id for turn in turns if turn.state in OPEN] == []
    assert store.read_now(lambda tx: tx.holds.count_open()) == 0


def test_every_line_of_the_story_reached_its_conversation_once(store: SqlStore) -> None:
    def texts(tx: Any) -> Counter[str]:
        turns = tx.turns.listed(after=0, limit=1_000)
        conversations = {turn.conversation_id for turn in turns if turn.agent_version != SECOND_ACT}
        messages = [one for name in conversations for one in tx.messages.of_conversation(name)]
        customers = [one for one in messages if one.author == "customer"]
        return Counter(one.text for one in customers if not (one.author_name or "").startswith(LATER_ACTS))

    stored = store.read_now(texts)
    told = Counter(line.text for line in load_story())
    told += Counter(draft["messages"][-1]["content"] for draft in load_drafts())
    assert sum(stored.values()) == sum(told.values())
    assert sum((told - stored).values()) <= 2, "only a masked card number may make a stored text another one"


def test_every_past_decision_replays_bit_for_bit(store: SqlStore) -> None:
    turns = store.read_now(lambda tx: tx.turns.listed(after=0, limit=1_000))
    decided = [turn for turn in turns if turn.decision is not None]
    assert len(decided) > 40
    for turn in decided:
        recorded, again = store.read_now(lambda tx, turn_id=turn.id: replay(tx, turn_id))
        assert dump(again) == dump(recorded), turn.id
        text = store.read_now(lambda tx, turn_id=turn.id: tx.artifacts.get(turn_id, "assessment"))
        assert text == dump(again), turn.id


def test_replay_under_a_stricter_rulebook_gives_other_decisions(store: SqlStore) -> None:
    """The replay above could not fail if assessments did not depend on what is replayed."""
    turns = store.read_now(lambda tx: tx.turns.listed(after=0, limit=1_000))
    delivered = next(turn for turn in turns if turn.decision == "deliver")
    evidence, rulebook = store.read_now(
        lambda tx: (
            load(Evidence, tx.artifacts.get(delivered.id, "evidence")),
            tx.rulebooks.get(delivered.rulebook_id),
        )
    )
    stricter = replace(rulebook, rules=replace(rulebook.rules, grants=()))
    assert assess(evidence, stricter).decision.kind == "hold"


def test_every_kind_of_finding_occurs_and_each_check_points_at_words(store: SqlStore) -> None:
    turns = store.read_now(lambda tx: tx.turns.listed(after=0, limit=1_000))
    stored = [store.read_now(lambda tx, name=turn.id: tx.artifacts.get(name, "assessment")) for turn in turns]
    findings = [one for text in stored if text is not None for one in load(Assessment, text).findings]
    codes = {code.name for check in CHECKS for code in importlib.import_module(f"{CHECKS_PACKAGE}.{check.name}").CODES}
    assert {finding.name for finding in findings} == codes - ELSEWHERE
    assert {finding.check for finding in findings if finding.span is not None} == {check.name for check in CHECKS}


def test_table_for_people_shows_findings_with_the_words_they_point_at(played: Played) -> None:
    assert "What the checks found" in played.err
    for name, words in {
        "grounding.unsupported_money": "£4.90",
        "actions.unbacked_action": "I've refunded",
        "exposure.foreign_email": "robin@mail.example",
        "injection.image_in_draft": "![](https://pictures",
        "policy.forbidden_phrase": "We guarantee",
        "quality.placeholder": "{{first_name}}",
    }.items():
        assert re.search(rf"{re.escape(name)}\W.*{re.escape(words)}", played.err), name


def test_a_topic_earns_the_right_to_answer_alone_and_loses_it_to_its_audits(played: Played) -> None:
    moments = played.summary["autonomy"]
    assert [moment["level"] for moment in moments] == ["assist", "probation", "probation", "demoted"]
    assert moments[1]["threshold"] is not None
    assert moments[2]["delivered"] > 0


def test_a_mistake_stops_one_release_and_another_that_gives_way_is_taken_back(played: Played, store: SqlStore) -> None:
    moments = played.summary["releases"]
    assert [(one["release"], one["stage"]) for one in moments] == [
        (AGENT, "–"),
        (AGENT, "full"),
        (HASTY, "created"),
        (MENDED, "gated"),
        (MENDED, "canary"),
        (MENDED, "rolled_back"),
        (AGENT, "full"),
    ]
    (case,) = set(re.findall(r"returns-wrong-price-\w+", moments[0]["what"]))
    stopped, back = (store.read_now(lambda tx, name=name: release_of(tx, name)) for name in (HASTY, MENDED))
    assert stopped.gate.verdict == "fail"
    assert case in stopped.gate.blocked_by
    assert back.gate.verdict == "pass"
    assert [move.by for move in back.moves if move.what in ("rolled_back", "verified")] == ["system", "system"]
    assert moments[2]["what"] == f"its gate says fail: blocked by {case}"
    assert moments[5]["what"].startswith("taken back by the system: checks: worse by")
    shown = " ".join(played.err.split())
    for words in ("Releases, by the API", HASTY, case, "taken back by the system"):
        assert words in shown, words


def said_to(tx: Any, customer: str) -> list[tuple[str, str, str]]:
    """Channel, author and text of all that is said with a customer, in order."""
    conversations = [
        tx.conversations.get(name)
        for name in dict.fromkeys(turn.conversation_id for turn in tx.turns.listed(after=0, limit=1_000))
    ]
    found = [one for one in conversations if tx.contacts.get(one.contact_id).name == customer]
    said = [(message, one.channel) for one in found for message in tx.messages.of_conversation(one.id)]
    return [(channel, message.author.value, message.text) for message, channel in sorted(said, key=lambda x: x[0].at)]


def moments_of(played: Played, customer: str) -> list[dict[str, Any]]:
    return [one for one in played.summary["people"] if one["customer"] == customer]


def test_who_is_angry_gets_a_person_who_knows_and_no_machine_after_that(played: Played, store: SqlStore) -> None:
    moments = moments_of(played, ANGRY)
    assert "How they feel:" in moments[1]["words"]
    assert "is here with 0 of 3" in moments[2]["words"]
    assert moments[4]["words"].startswith("This customer complained of the last automatic reply")
    said = store.read_now(lambda tx: said_to(tx, ANGRY))
    asked = [text for _, _, text in said].index(EASY)
    assert [author for _, author, _ in said[: asked + 2]] == [
        "customer", "agent", "customer", "safe_reply", "reviewer", "customer", "agent",
    ]  # fmt: skip
    (turn,) = store.read_now(
        lambda tx: [one for one in tx.turns.listed(after=0, limit=1_000) if "trust_complaint" in one.reasons]
    )
    assert [one.kind.value for one in store.read_now(lambda tx: tx.verdicts.of_turn(turn.id))] == ["approve"]


def test_who_writes_while_nobody_is_there_is_told_when_somebody_writes_and_they_do(
    played: Played, store: SqlStore
) -> None:
    said = store.read_now(lambda tx: said_to(tx, EVENING))
    assert [author for _, author, _ in said] == ["customer", "safe_reply", "reviewer"]
    assert re.search(r"by 10:00 UTC on \d{4}-\d\d-\d\d", said[1][2])
    assert said[2][2] == MORNING
    pledges = store.read_now(lambda tx: tx.pledges.listed((PledgeState.KEPT,), limit=100))
    (kept,) = [one for one in pledges if one.words == said[1][2]]
    assert (kept.kind, kept.due_at.hour) == (PledgeKind.WRITE, 10)
    assert kept.ended_at < kept.due_at


def test_nothing_of_an_account_is_told_before_a_code_proves_whose_it_is(played: Played, store: SqlStore) -> None:
    said = store.read_now(lambda tx: said_to(tx, MOVING))
    in_app = [(author, text) for channel, author, text in said if channel == "app"]
    told = next(number for number, (_, text) in enumerate(in_app) if PARCEL in text)
    assert [author for author, _ in in_app[: told + 1]] == ["customer", "safe_reply", "customer", "agent"]
    assert not re.search(r"\b\d{6}\b", in_app[2][1]), "the code is not stored"
    linked = store.read_now(lambda tx: {one.contact_id for one in tx.identities.holders(HandleKind.EMAIL, ADDRESS)})
    assert len(linked) == 2


def test_who_goes_on_by_e_mail_is_answered_there(played: Played, store: SqlStore) -> None:
    said = store.read_now(lambda tx: said_to(tx, MOVING))
    assert [(channel, author) for channel, author, text in said if text == OFFICE] == [("mail", "reviewer")]
    ledger = store.read_now(lambda tx: tx.ledger.entries(limit=20_000))
    assert [one.event for one in ledger].count("outbox.readdressed") == 1
    assert played.summary["people"][-1]["what"].startswith("goes on by e-mail")


def release_of(tx: Any, entry: str) -> Any:
    (found,) = [one for one in tx.releases.roster().releases if one.entry == entry]
    return found


def test_what_nobody_had_a_case_for_was_answered_by_a_safe_reply(store: SqlStore) -> None:
    """The release that lost two pages does not know, and says so; nothing of it was made up."""
    turns = store.read_now(lambda tx: tx.turns.listed(after=0, limit=1_000))
    back = store.read_now(lambda tx: release_of(tx, MENDED))
    assert Counter(turn.decision for turn in turns if turn.agent_version == back.id).keys() == {"degrade"}


def test_every_certificate_follows_from_the_ledger(store: SqlStore) -> None:
    epochs, faults = store.read_now(faults_of)
    assert epochs > 0
    assert faults == []


def test_superseded_draft_was_never_sent(store: SqlStore) -> None:
    turns = store.read_now(lambda tx: tx.turns.listed(after=0, limit=1_000))
    superseded = [turn for turn in turns if turn.state is TurnState.SUPERSEDED]
    assert superseded
    for turn in superseded:
        assert store.read_now(lambda tx, turn_id=turn.id: tx.outbox.of_turn(turn_id)) == []
        assert turn.superseded_by in {other.id for other in turns}


def test_ledger_is_intact(played: Played, store: SqlStore, understudy_here: Any) -> None:
    (played.folder / "understudy.toml").write_text('[store]\nurl = "sqlite:///demo.db"\n')
    ended = understudy_here("audit", "verify", "--json", cwd=played.folder)
    assert (ended.code, ended.json()["intact"]) == (0, True)
    assert ended.json()["entries"] > 200


def test_card_number_stands_nowhere_on_disk(played: Played) -> None:
    told = [line.text for line in load_story() if CARD.search(line.text.encode())]
    assert told, "the story has a customer who writes a card number, else this test says nothing"
    files = [path for path in played.folder.iterdir() if path.name.startswith("demo.db")]
    assert files
    assert [path.name for path in files if CARD.search(path.read_bytes())] == []


def test_log_at_info_repeats_no_message(played: Played, store: SqlStore) -> None:
    assert "turn_decided" in played.err
    logged = "\n".join(line for line in played.err.splitlines() if re.match(r"\d{4}-\d\d-\d\dT", line))
    assert len(logged.splitlines()) > 200
    for line in load_story():
        if len(line.text) > 12:
            assert line.text not in logged
    turns = store.read_now(lambda tx: tx.turns.listed(after=0, limit=1_000))
    replies = {entry.text for turn in turns for entry in store.read_now(lambda tx, t=turn.id: tx.outbox.of_turn(t))}
    assert [reply for reply in replies if reply[:40] in logged] == []


def test_demo_that_is_interrupted_ends_without_a_word_of_alarm(tmp_path: Path, until: Any) -> None:
    command = [sys.executable, "-m", "understudy", "demo", "--headless", "--folder", str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            until(lambda: any(path.stat().st_size > 200_000 for path in tmp_path.glob("demo.db-wal")))
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out) == (130, "")
    assert "Traceback" not in err
