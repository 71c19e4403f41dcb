"""Erasing a person leaves no word and no address of theirs in any byte of the store, facts and actions included, and the ledger whole."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from refunds import NAME, acting_rules, of_amount, proposes
from stage_plan import ON_EACH_STORE
from systems import ScriptedSystem as Shop
from systems import found, item
from understudy.adapters.stores.mark_tables import metadata
from understudy.adapters.stores.scrubbing import scrub, scrubber_of
from understudy.audit.proving import prove_turn
from understudy.contacts.erasing import Erased, Erasing
from understudy.effects.identity import link_contacts
from understudy.errors import Conflict, NotFound
from understudy.records.conversation import Inbound
from understudy.records.evidence import Draft
from understudy.records.pulls import Envelope
from understudy.records.review import HoldKind, VerdictKind
from understudy.testing.acting import ScriptedSystem
from understudy.testing.scripted import RecordingChannel, ScriptedAgent
from understudy.turn.facts import Consulted
from understudy.turn.replay import replay

Build = Callable[..., Any]
pytestmark = ON_EACH_STORE

MARKS = [f"qzmark{number:02}" for number in range(12)]
"""Words that stand nowhere but in what is of the person who is erased."""
WORDS, MORE, NAME_MARK, ADDRESS, THREAD, PROVIDER, FACT, REASON, EDITED, SUBJECT, PHONE_NAME, ORDER = MARKS
OTHERS = "zzothers"


PROPOSES = proposes(of_amount(40, reason=REASON))


def answers(request: Any) -> Draft:
    """A refund for the person who is erased, nothing for others."""
    if request.channel != "recording":
        return Draft(text=f"Noted, {OTHERS}.", agent="echo", agent_version="v1")
    made: Draft = PROPOSES._answer(request)  # type: ignore[assignment]
    return made


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """An agent that proposes a refund, a shop that knows the customer, a mailbox beside the first channel."""
    shop = Shop(contact=found(item("c-7", name=FACT)), orders=found(item("o-1", order=ORDER)), tickets=found())
    return build(
        agent=ScriptedAgent(answers, name="echo"),
        rules=acting_rules(staging),
        executors={NAME: ScriptedSystem()},
        systems=[Consulted(system=shop, channels=frozenset({"recording"}), deadline_s=0.2)],
        more_channels=[RecordingChannel(name="mail")],
    )


def lives(stage: Any) -> Any:
    """Let the person be written of in every table that a customer reaches; returns their first turn."""
    envelope = Envelope(subject=SUBJECT, chain=(PROVIDER,))
    address = f"{ADDRESS}@mail.example"
    turn = stage.ask(
        f"I am {WORDS}", to=THREAD, provider_id=PROVIDER, address=address, contact_name=NAME_MARK, envelope=envelope
    )
    (hold,) = (hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT)
    stage.give(hold, VerdictKind.EDIT, f"Dear {EDITED}")
    stage.settle()
    stage.ask(MORE, to=THREAD, address=address, contact_name=PHONE_NAME)
    inbound = stage.inbound(f"I am {OTHERS}", to="other", address="other@mail.example")
    stage.run(stage.intake.receive("mail", inbound))
    stage.settle()
    return turn


def other(stage: Any) -> Any:
    """The conversation of somebody else."""
    return stage.read(lambda tx: tx.conversations.find("mail", "other"))


def everything(stage: Any) -> str:
    """All that the store holds, as text, and every byte of its file."""
    with stage.kept.engine.connect() as connection:
        rows = [
            repr(tuple(row))
            for name in metadata.tables
            for row in connection.exec_driver_sql(f"SELECT * FROM {name}").fetchall()
        ]
    if stage.plan.url is None:
        assert scrub(stage.kept.engine)
        rows.append(stage.plan.path.read_bytes().decode("latin-1"))
    return "\n".join(rows)


def erase(stage: Any, contact_id: str, *, with_linked: bool = False) -> Erased:
    found: Erased = stage.run(Erasing(stage.store, stage.clock).erase(contact_id, with_linked=with_linked, by="lena"))
    return found


def test_no_byte_of_a_person_is_left(stage: Any) -> None:
    turn = lives(stage)
    before = everything(stage)
    assert [mark for mark in MARKS if mark not in before] == []
    erase(stage, stage.conversation(THREAD).contact_id)
    after = everything(stage)
    assert [mark for mark in MARKS if mark in after] == []
    assert OTHERS in after
    assert [entry.event for entry in stage.ledger][-1] == "contact.erased"
    proofs = stage.read(lambda tx: prove_turn(tx, turn.id, replay=replay))
    assert proofs.is_intact
    assert "was erased" in " ".join(proof.says for proof in proofs.proofs)


def bytes_of(stage: Any) -> str:
    """Every byte of a file of the store, as it lies there; nothing where it is none."""
    if stage.plan.url is not None:
        return ""
    return "".join(
        file.read_bytes().decode("latin-1") for file in stage.plan.path.parent.glob(f"{stage.plan.path.name}*")
    )


def erasing_of(stage: Any, scrub: Any = None) -> Erasing:
    return Erasing(stage.store, stage.clock, scrub=scrub or scrubber_of(stage.kept.engine))


def left_to_do(stage: Any) -> list[str]:
    found: list[str] = stage.read(lambda tx: tx.erasures.rewrites(limit=9))
    return found


def test_the_file_is_written_anew_by_whoever_comes_after_a_crash(stage: Any, staging: ModuleType) -> None:
    lives(stage)
    contact, has_file = stage.conversation(THREAD).contact_id, stage.plan.url is None
    stage.run(erasing_of(stage).erase(contact, with_linked=False, by="lena"))
    assert left_to_do(stage) == ([contact] if has_file else [])
    again = stage.restarted()
    assert again.run(erasing_of(again).sweep()) == (1 if has_file else 0)
    assert [mark for mark in MARKS if mark in bytes_of(again)] == []
    assert left_to_do(again) == []
    assert again.ledger_events.count("contact.rewritten") == (1 if has_file else 0)
    assert again.run(erasing_of(again).sweep()) == 0
    assert staging.is_chained(again.ledger)


def test_a_busy_file_is_written_anew_later(stage: Any) -> None:
    def busy() -> None:
        raise Conflict("the file is busy")

    lives(stage)
    contact = stage.conversation(THREAD).contact_id
    erasing = erasing_of(stage, busy)
    stage.run(erasing.erase(contact, with_linked=False, by="lena"))
    assert stage.run(erasing.sweep()) == 0
    assert left_to_do(stage) == [contact]
    assert "contact.rewritten" not in stage.ledger_events
    stage.run(erasing_of(stage, lambda: True).sweep())
    assert left_to_do(stage) == []


def test_a_file_that_somebody_still_reads_is_not_taken_for_written_anew(stage: Any) -> None:
    if stage.plan.url is not None:
        return
    lives(stage)
    reading = sqlite3.connect(stage.plan.path, isolation_level=None)
    reading.execute("BEGIN")
    reading.execute("SELECT count(*) FROM messages").fetchall()
    stage.run(erasing_of(stage).erase(stage.conversation(THREAD).contact_id, with_linked=False, by="lena"))
    with pytest.raises(Conflict, match="busy"):
        scrub(stage.kept.engine)
    reading.execute("COMMIT")
    reading.close()
    assert scrub(stage.kept.engine)


def test_the_ledger_is_whole_after_it(stage: Any, staging: ModuleType) -> None:
    lives(stage)
    erase(stage, stage.conversation(THREAD).contact_id)
    assert staging.is_chained(stage.ledger)


def test_who_writes_again_is_somebody_new(stage: Any) -> None:
    lives(stage)
    erased = stage.conversation(THREAD).contact_id
    erase(stage, erased)
    stage.ask("hello", to=THREAD, address=f"{ADDRESS}@mail.example")
    assert stage.conversation(THREAD).contact_id != erased


def test_nothing_is_decided_or_sent_for_them_any_more(stage: Any) -> None:
    lives(stage)
    erase(stage, stage.conversation(THREAD).contact_id)
    before = len(stage.channel.delivered)
    assert all(hold.conversation_id == other(stage).id for hold in stage.open_holds)
    stage.pass_time(4_000)
    assert len(stage.channel.delivered) == before


def test_linked_contacts_are_reached_as_asked(stage: Any) -> None:
    lives(stage)
    one, another = stage.conversation(THREAD).contact_id, other(stage).contact_id
    stage.kept.write_now(lambda tx: link_contacts(tx, stage.clock, one, another, by="lena"))
    erased = erase(stage, one)
    assert (erased.contacts, erased.left) == ((one,), (another,))
    assert OTHERS in everything(stage)


def test_with_all_who_are_linked_nothing_of_any_is_left(stage: Any) -> None:
    lives(stage)
    one, another = stage.conversation(THREAD).contact_id, other(stage).contact_id
    stage.kept.write_now(lambda tx: link_contacts(tx, stage.clock, one, another, by="lena"))
    assert set(erase(stage, one, with_linked=True).contacts) == {one, another}
    after = everything(stage)
    assert [mark for mark in (*MARKS, OTHERS) if mark in after] == []


def test_what_the_agent_was_told_of_them_on_another_channel_goes_too(build: Build, staging: ModuleType) -> None:
    stage = build(
        proofs={"mail": "address", "app": "contact"}, more_channels=[RecordingChannel(name=n) for n in ("mail", "app")]
    )
    kim = "kim@mail.example"

    def writes(channel: str, text: str, **more: Any) -> Any:
        address = {"mail": kim, "app": "user-1"}[channel]
        inbound = Inbound(
            provider_id=stage.clock.new_id("p"), external_id=address, address=address, text=text, topic="orders", **more
        )
        received = stage.run(stage.intake.receive(channel, inbound))
        stage.settle()
        return stage.read(lambda tx: tx.conversations.get(received.message.conversation_id))

    mail = writes("mail", f"I am {WORDS}")
    writes("app", "and now here", contact_email=kim)
    assert everything(stage).count(WORDS) > 1
    erase(stage, mail.contact_id)
    assert WORDS not in everything(stage)
    assert staging.is_chained(stage.ledger)


def test_nobody_is_erased_while_an_action_is_under_way(stage: Any) -> None:
    stage.ask(f"I am {WORDS}", to=THREAD)
    (hold,) = (hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT)
    stage.give(hold, VerdictKind.APPROVE)
    with pytest.raises(Conflict, match="under way"):
        erase(stage, stage.conversation(THREAD).contact_id)
    assert WORDS in everything(stage)


def test_nobody_is_found_who_never_was(stage: Any) -> None:
    with pytest.raises(NotFound):
        erase(stage, "none")
