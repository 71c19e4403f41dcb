"""What auditors ask of a store that a few customers filled: search, stories, proofs after somebody tampered, exports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import text

from stage_plan import ON_EACH_STORE
from understudy.adapters.telemetry.recent import Recent
from understudy.audit.flow import Audit
from understudy.ports.telemetry import AgentAsked, BreakerChanged
from understudy.records.health import Schema
from understudy.records.outbox import Rejected
from understudy.records.review import VerdictKind, VerdictRequest
from understudy.records.rulebook import Level, Profile
from understudy.records.trail import EntriesAsked, ExportAsked, Form, TurnsAsked, What
from understudy.testing.scripted import RecordingChannel
from understudy.turn.replay import replay
from understudy.upkeep.health import AgentLimit, HealthDesk, HealthLimits, OwnProcess

pytestmark = ON_EACH_STORE
Build = Callable[..., Any]
ASKED = "Call me on +49 30 1234567 or write to zoe@mueller.example, says Zoë Müller."
REPLY = "=Dear Zoë, we call +49 30 1234567 tomorrow."


def audit_of(stage: Any) -> Audit:
    return Audit(stage.store, stage.clock, Profile(name="Fernhill"), replay)


@pytest.fixture
def stage(build: Build, staging: Any) -> Any:
    """Three customers asked; the last one's draft was edited and sent."""
    stage = build(rules=staging.rules(Level.ASSIST))
    for number in range(2):
        stage.ask(f"Where is order {number}?", to=f"e-{number}", contact_name=f"Nobody {number}")
        stage.pass_time(1800)
    stage.ask(ASKED, to="e-9", contact_name="Zoë Müller", contact_phone="+49 30 1234567")
    hold = stage.open_holds[-1]
    request = VerdictRequest(
        hold_id=hold.id, version=hold.version, kind=VerdictKind.EDIT, reviewer="rosa", text=REPLY, reasons=("tone",)
    )
    stage.run(stage.verdicts.give(request))
    stage.settle()
    return stage


def found(stage: Any, **asked: Any) -> list[str]:
    turns = stage.run(audit_of(stage).turns(TurnsAsked(**asked), limit=9)).turns
    return [one.turn.id for one in turns]


def test_a_turn_is_found_by_whatever_one_knows_of_it(stage: Any) -> None:
    first, second, third = (turn.id for turn in stage.turns)
    assert found(stage) == [third, second, first]
    assert found(stage, customer="muller") == [third]
    assert found(stage, customer="1234567") == [third]
    assert found(stage, customer="nobody") == [second, first]
    assert found(stage, words="TOMORROW we") == [third]
    assert found(stage, words="order where") == [second, first]
    assert found(stage, words="never said") == []
    assert found(stage, turn_id=second) == [second]
    assert found(stage, conversation_id=stage.turns[0].conversation_id) == [first]
    assert found(stage, since=stage.turns[1].created_at, until=stage.turns[2].created_at) == [second]
    assert found(stage, until=stage.turns[0].created_at) == []


def test_pages_go_on_where_the_one_before_ended(stage: Any) -> None:
    audit = audit_of(stage)
    page = stage.run(audit.turns(TurnsAsked(), limit=2))
    rest = stage.run(audit.turns(TurnsAsked(), before=page.next, limit=2))
    assert [one.turn.id for one in (*page.turns, *rest.turns)] == [turn.id for turn in reversed(stage.turns)]
    assert rest.next is None


def test_entries_are_found_the_latest_first(stage: Any) -> None:
    audit, third = audit_of(stage), stage.turns[2]
    everything = stage.run(audit.entries(EntriesAsked(), limit=3))
    assert [one.seq for one in everything.entries] == [len(stage.ledger), len(stage.ledger) - 1, len(stage.ledger) - 2]
    then = stage.run(audit.entries(EntriesAsked(), before=everything.next, limit=200))
    assert [one.seq for one in then.entries] == list(range(len(stage.ledger) - 3, 0, -1))
    assert then.next is None
    by = stage.run(audit.entries(EntriesAsked(actor="rosa"), limit=9)).entries
    assert "verdict.given" in {one.event for one in by}
    of_turn = stage.run(audit.entries(EntriesAsked(turn_id=third.id, event="turn.decided"), limit=9)).entries
    assert [one.turn_id for one in of_turn] == [third.id]
    late = stage.run(audit.entries(EntriesAsked(since=third.created_at), limit=200)).entries
    assert late
    assert min(one.at for one in late) >= third.created_at


def test_a_story_has_everything_in_it(stage: Any) -> None:
    story = stage.run(audit_of(stage).story(stage.turns[2].id))
    assert story.contact.name == "Zoë Müller"
    assert story.said[0].text == ASKED
    assert story.spoke[0] in ("level_asks_for_review", "topic_is_unknown")
    assert story.grant.level is Level.ASSIST
    assert [one.kind for one in story.verdicts] == [VerdictKind.EDIT]
    assert story.sent[0].entry.text == REPLY
    assert [one.outcome for one in story.sent[0].receipts] == ["accepted"]
    assert {"message.received", "turn.decided", "verdict.given", "outbox.accepted"} <= {
        one.event for one in story.entries
    }


def proofs(stage: Any) -> dict[str, tuple[str, str]]:
    proved = stage.run(audit_of(stage).prove_turn(stage.turns[2].id))
    assert proved.is_intact == all(one.state != "broken" for one in proved.proofs)
    broken = {one.what: (one.state, one.says) for one in proved.proofs if one.state == "broken"}
    return broken or {one.what: (one.state, one.says) for one in proved.proofs}


def test_an_untouched_turn_is_proved(stage: Any) -> None:
    proved = proofs(stage)
    assert set(proved) == {
        "ledger entries",
        "evidence",
        "assessment",
        "draft",
        "reply",
        "verdict",
        "rulebook",
        "replay",
    }
    assert {state for state, _ in proved.values()} == {"holds"}
    assert "bit for bit" in proved["replay"][1]


@pytest.mark.parametrize(
    ("what", "sql", "says"),
    [
        ("reply", "UPDATE outbox SET text = 'Never.' WHERE turn_id = :turn", "words of the reply"),
        ("reply", "DELETE FROM outbox WHERE turn_id = :turn", "is gone"),
        ("verdict", "UPDATE verdicts SET kind = 'approve' WHERE turn_id = :turn", "not the one"),
        ("verdict", "UPDATE verdicts SET text = 'Never.' WHERE turn_id = :turn", "words of the verdict"),
        (
            "evidence",
            "UPDATE artifacts SET body = REPLACE(body, 'Call me', 'Kill me') WHERE turn_id = :turn AND kind = 'evidence'",
            "evidence was changed",
        ),
        (
            "assessment",
            "UPDATE artifacts SET body = REPLACE(body, 'hold', 'deliver') WHERE turn_id = :turn AND kind = 'assessment'",
            "assessment was changed",
        ),
        ("draft", "DELETE FROM artifacts WHERE turn_id = :turn AND kind = 'draft'", "is gone"),
        (
            "ledger entries",
            "UPDATE ledger SET actor = 'nobody' WHERE turn_id = :turn AND event = 'verdict.given'",
            "was changed",
        ),
        ("ledger entries", "DELETE FROM ledger WHERE turn_id = :turn AND event = 'turn.gathered'", "missing"),
    ],
)
def test_whoever_tampers_with_a_turn_is_found_out(what: str, sql: str, says: str, stage: Any) -> None:
    with stage.store.engine.connect() as connection, connection.begin():
        assert connection.execute(text(sql), {"turn": stage.turns[2].id}).rowcount
    broken = proofs(stage)
    assert what in broken
    assert broken[what][0] == "broken"
    assert says in broken[what][1]


def test_a_changed_assessment_is_decided_otherwise(stage: Any) -> None:
    sql = "UPDATE artifacts SET body = REPLACE(body, '\"hold\"', '\"deliver\"') WHERE kind = 'assessment'"
    with stage.store.engine.connect() as connection, connection.begin():
        connection.execute(text(sql))
    assert "hold instead of deliver" in proofs(stage)["replay"][1]


def test_the_chain_is_proved_a_stretch_at_a_time(stage: Any) -> None:
    audit, after, stretches = audit_of(stage), 0, []
    while not stretches or not stretches[-1].is_whole:
        stretches.append(stage.run(audit.prove_chain(after=after, limit=7)))
        after = stretches[-1].until
    assert [one.fault for one in stretches] == [None] * len(stretches)
    assert stretches[-1].hash == stage.ledger[-1].hash
    with stage.store.engine.connect() as connection, connection.begin():
        connection.execute(text("UPDATE ledger SET body = '{}' WHERE seq = 9"))
    broken = stage.run(audit.prove_chain(after=0, limit=100))
    assert (broken.until, broken.is_whole) == (8, False)
    assert broken.fault is not None
    assert "entry 9" in broken.fault


def export(stage: Any, **asked: Any) -> str:
    async def gather() -> str:
        pieces = await audit_of(stage).export(ExportAsked(**asked), actor="Ada")
        return "".join([piece async for piece in pieces])

    found: str = stage.run(gather())
    return found


def test_an_export_has_no_data_of_customers_in_it(stage: Any) -> None:
    for form in Form:
        whole = export(stage, form=form)
        for secret in ("1234567", "mueller.example", "Müller", "Zoë"):
            assert secret not in whole
        assert "Customer 1" in whole
        assert "rosa" in whole
    lines = [json.loads(line) for line in export(stage).splitlines()]
    assert [line["turn"]["id"] for line in lines] == [turn.id for turn in stage.turns]
    assert lines[2]["sent"][0]["address"] is None
    assert lines[2]["verdicts"][0]["kind"] == "edit"
    assert lines[2]["entries"][-1]["hash"]


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE artifacts SET body = 'nonsense' WHERE turn_id = :turn AND kind = 'evidence'",
        "UPDATE artifacts SET body = '{}' WHERE turn_id = :turn AND kind = 'assessment'",
        "UPDATE rulebooks SET rules = 'nonsense'",
    ],
)
def test_a_turn_that_somebody_tampered_with_is_told_and_taken_out_like_the_others(sql: str, stage: Any) -> None:
    turn = stage.turns[1]
    with stage.store.engine.connect() as connection, connection.begin():
        connection.execute(text(sql), {"turn": turn.id} if ":turn" in sql else {})
    story = stage.run(audit_of(stage).story(turn.id))
    assert story.turn.id == turn.id
    assert None in (story.evidence, story.assessment, story.rules)
    assert not stage.run(audit_of(stage).prove_turn(turn.id)).is_intact
    assert stage.run(desk(stage).look(minutes=120)).went.received == 3
    lines = [json.loads(line) for line in export(stage).splitlines()]
    assert [line["turn"]["id"] for line in lines] == [turn.id for turn in stage.turns]


def test_an_unmasked_export_is_whole_and_noted(stage: Any) -> None:
    whole = export(stage, is_masked=False, reason="a court asked", form=Form.CSV)
    assert "Zoë Müller" in whole
    rows = list(csv.DictReader(io.StringIO(whole)))
    assert rows[2]["verdicts"] == "edit"
    assert rows[2]["reply"] == f"'{REPLY}"  # else a spreadsheet would compute it
    noted = stage.ledger[-1]
    assert (noted.event, noted.actor) == ("ledger.exported", "Ada")
    assert json.loads(noted.body)["masked"] is False
    assert json.loads(noted.body)["why"] == "a court asked"


def test_exported_entries_are_the_chain(stage: Any) -> None:
    last = stage.ledger[-1].seq
    lines = [json.loads(line) for line in export(stage, what=What.ENTRIES).splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, last + 1))
    assert all(one["previous"] == before["hash"] for before, one in pairwise(lines))
    rows = list(csv.DictReader(io.StringIO(export(stage, what=What.ENTRIES, form=Form.CSV))))
    assert json.loads(rows[0]["body"]) == lines[0]["body"]


def test_an_export_keeps_to_its_moments(stage: Any) -> None:
    since, until = stage.turns[1].created_at, stage.turns[2].created_at
    lines = [json.loads(line) for line in export(stage, since=since, until=until).splitlines()]
    assert [line["turn"]["id"] for line in lines] == [stage.turns[1].id]


def desk(stage: Any, **limits: Any) -> HealthDesk:
    recent = Recent(stage.clock)
    recent.emit(BreakerChanged(agent="main", state="open"))
    for outcome in ("draft", "agent-unavailable"):
        recent.emit(
            AgentAsked(
                turn_id="t",
                conversation_id="c",
                agent="main",
                agent_version=None,
                outcome=outcome,
                started_at=stage.clock.now(),
                took_ms=40.0,
                attempt=1,
                trace=None,
            )
        )
    process = OwnProcess(stage.store, stage.clock, recent.known, works=True, is_alone=False)
    given = {"backlog_max": 10, "automatic_per_hour_max": 5, **limits}
    schema = Schema(at="1", wanted="1")
    return HealthDesk(
        stage.store, stage.clock, process, limits=HealthLimits(**given), kind="a store", schema=lambda: schema
    )


def test_health_says_how_everything_goes(stage: Any) -> None:
    agents = (AgentLimit(agent="main", at_once_max=2, per_minute_max=None),)
    seen = stage.run(desk(stage, agents=agents).look(minutes=120))
    assert seen.backlog == 0
    assert sum(one.count for one in seen.holds) == 2
    assert seen.went.decided == {"hold": 3}
    assert seen.went.received == 3
    assert [(one.asked, one.failed) for one in seen.went.agents] == [(3, 0)]
    assert [(one.tries, one.outcomes) for one in seen.went.channels] == [(1, {"accepted": 1})]
    assert {one.what for one in seen.limits} == {
        "limits.backlog_max",
        "agents.main.at_once_max",
        "autonomy.automatic_per_hour_max",
    }
    assert seen.checks_of_turns == 3
    assert {"grounding", "exposure"} <= {one.check for one in seen.checks}
    assert [(one.is_me, one.does) for one in seen.processes] == [(True, "works")]
    known = seen.processes[0].knows.agents[0]
    assert (known.breaker, known.tries, known.failed, known.took.p50_ms) == ("open", 2, 1, 40.0)


def test_processes_see_each_other_and_who_fell_silent(stage: Any) -> None:
    other = OwnProcess(stage.store, stage.clock, Recent(stage.clock).known, works=True, is_alone=False, serves=True)
    assert stage.run(other.tell()) == 1
    assert stage.run(other.tell()) == 0
    health = desk(stage)
    seen = stage.run(health.look(minutes=15))
    assert [(one.is_me, one.does, one.is_silent) for one in seen.processes] == [
        (True, "works", False),
        (False, "serves and works", False),
    ]
    stage.pass_time(30)
    seen = stage.run(health.look(minutes=15))
    assert [one.is_silent for one in seen.processes] == [False, True]
    stage.pass_time(5)
    of_another_version = replace(other.now(), knows='{"of_another_version": 1}')
    stage.store.write_now(lambda tx: tx.processes.put(of_another_version, forget_before=stage.clock.now()))
    assert len(stage.run(health.look(minutes=15)).processes) == 2
    stage.run(other.end())
    stage.pass_time(5)
    assert len(stage.run(health.look(minutes=15)).processes) == 1


def test_what_was_given_up_is_counted(build: Build) -> None:
    stage = build(channel=RecordingChannel(answers=[Rejected(reason="closed")]))
    stage.ask("When?")
    seen = stage.run(desk(stage).look(minutes=15))
    assert seen.dead == 1
    assert seen.went.channels[0].outcomes == {"rejected": 1}
