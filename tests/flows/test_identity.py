"""Who writes, over many channels: what proves it, what a code does, what is kept from whom nobody vouches for."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

from understudy.effects.identity import group_of
from understudy.effects.trust import cap_contact
from understudy.errors import Conflict, InputError
from understudy.records.assessment import DecisionKind
from understudy.records.conversation import Author, Inbound
from understudy.records.evidence import Draft, ToolCall
from understudy.records.identity import CODE_MASK, HandleKind, LinkState, Vouched
from understudy.records.review import HoldKind
from understudy.records.rulebook import IdentityRules, Level, SafeReply
from understudy.records.trust import CapCause
from understudy.testing.scripted import RecordingChannel, ScriptedAgent

Build = Callable[..., Any]

KIM = "kim@mail.example"
CODE = SafeReply(id="code", version=1, text="Your code is {code}. Nobody else needs it.")
PROVE = SafeReply(id="prove", version=1, text="If we know that address, a code is on its way. Please enter it here.")
ACCOUNT = Draft(
    text="Your parcel A-4711 has left.",
    tool_calls=(ToolCall(id="1", name="get_order", result='{"parcel": "A-4711", "email": "kim@mail.example"}'),),
    agent="echo",
    agent_version="v1",
)
PLAIN = Draft(text="Thank you for writing.", agent="echo", agent_version="v1")


def answers(request: Any) -> Draft:
    asked = next(message.content for message in reversed(request.messages) if message.role == "user")
    return ACCOUNT if "parcel" in asked or CODE_MASK in asked else PLAIN


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """A web chat that vouches for nobody, and a mailbox whose senders are proven."""
    rules = staging.rules(
        Level.AUTO,
        safe_replies=(CODE, PROVE),
        degrade_on=(("exposure.unverified_account", "prove"),),
        identity=IdentityRules(code_reply="code"),
    )
    return build(
        agent=ScriptedAgent(answers, name="echo"),
        rules=rules,
        channel=RecordingChannel(name="webchat"),
        more_channels=[RecordingChannel(name="mail")],
        proofs={"webchat": "none", "mail": "address"},
    )


def mail(stage: Any) -> RecordingChannel:
    found: RecordingChannel = stage.plan.more_channels[0]
    return found


def by_mail(stage: Any, text: str, address: str = KIM) -> Any:
    inbound = Inbound(
        provider_id=stage.clock.new_id("p"), external_id=f"t-{address}", address=address, text=text, topic="orders"
    )
    received = stage.run(stage.intake.receive("mail", inbound))
    stage.settle()
    return stage.read(lambda tx: tx.conversations.get(received.message.conversation_id))


def code_sent(stage: Any) -> str:
    (text,) = [entry.text for entry in mail(stage).delivered if "code is" in entry.text][-1:]
    found = re.search(r"\d{6}", text)
    assert found is not None
    return found[0]


def ask_for_account(stage: Any, to: str = "visit", email: str = KIM) -> Any:
    return stage.ask("Where is my parcel?", to=to, contact_email=email)


def group(stage: Any, conversation: Any) -> set[str]:
    return set(stage.read(lambda tx: group_of(tx, conversation.contact_id)))


def test_account_data_goes_to_nobody_for_whom_nobody_vouches(stage: Any) -> None:
    turn = stage.ask("Where is my parcel?", to="visit")
    assert (turn.decision, turn.reasons) == (DecisionKind.DEGRADE, ("exposure.unverified_account",))
    assert stage.channel.texts == [PROVE.text]


def test_account_data_is_held_where_no_safe_reply_asks_for_proof(build: Build, staging: ModuleType) -> None:
    stage = build(agent=ScriptedAgent(answers, name="echo"), rules=staging.rules(Level.AUTO), proof="none")
    turn = stage.ask("Where is my parcel?")
    assert (turn.decision, turn.reasons) == (DecisionKind.HOLD, ("exposure.unverified_account",))
    assert [hold.kind for hold in stage.open_holds] == [HoldKind.DRAFT]


def test_what_everybody_may_know_goes_to_everybody(stage: Any) -> None:
    assert stage.ask("Hello", to="visit").decision is DecisionKind.DELIVER


def test_account_data_goes_to_whom_a_channel_vouches_for(stage: Any) -> None:
    by_mail(stage, "Where is my parcel?")
    assert mail(stage).texts == [ACCOUNT.text]


def test_a_code_to_the_known_address_proves_who_writes_in_the_web_chat(stage: Any) -> None:
    known = by_mail(stage, "hello")
    ask_for_account(stage)
    assert group(stage, known) == {known.contact_id}
    turn = stage.ask(f"it is {code_sent(stage)}", to="visit")
    assert turn.decision is DecisionKind.DELIVER
    assert stage.channel.texts[-1] == ACCOUNT.text
    assert group(stage, known) == {known.contact_id, stage.conversation("visit").contact_id}
    (handle,) = stage.read(lambda tx: tx.identities.handles_of([stage.conversation("visit").contact_id]))
    assert (handle.value, handle.how) == (KIM, Vouched.CODE)


def test_a_wrong_code_changes_nothing(stage: Any) -> None:
    known = by_mail(stage, "hello")
    ask_for_account(stage)
    right = code_sent(stage)
    wrong = f"{(int(right) + 1) % 10**6:06}"
    assert stage.ask(wrong, to="visit").decision is not DecisionKind.DELIVER
    assert group(stage, known) == {known.contact_id}
    assert stage.ask(right, to="visit").decision is DecisionKind.DELIVER


def test_a_late_code_changes_nothing(stage: Any) -> None:
    known = by_mail(stage, "hello")
    ask_for_account(stage)
    stage.clock.advance(601)
    stage.ask(code_sent(stage), to="visit")
    assert group(stage, known) == {known.contact_id}


def test_a_code_is_worth_nothing_after_five_wrong_ones(stage: Any) -> None:
    known = by_mail(stage, "hello")
    ask_for_account(stage)
    right = code_sent(stage)
    for number in range(1, 6):
        stage.receive(f"{(int(right) + number) % 10**6:06}", to="visit")
    stage.receive(right, to="visit")
    assert group(stage, known) == {known.contact_id}


def test_a_code_entered_elsewhere_is_worth_nothing(stage: Any) -> None:
    known = by_mail(stage, "hello")
    ask_for_account(stage)
    stage.receive(code_sent(stage), to="another visit")
    assert group(stage, known) == {known.contact_id}


def test_no_more_than_three_codes_an_hour_are_sent_to_an_address(stage: Any) -> None:
    by_mail(stage, "hello")
    for number in range(5):
        ask_for_account(stage, to=f"visit-{number}")
    assert sum("code is" in text for text in mail(stage).texts) == 3
    stage.clock.advance(3601)
    ask_for_account(stage, to="later")
    assert sum("code is" in text for text in mail(stage).texts) == 4


def test_who_names_an_unknown_address_reads_the_same_as_who_names_a_known_one(stage: Any) -> None:
    by_mail(stage, "hello")
    ask_for_account(stage, to="known")
    ask_for_account(stage, to="unknown", email="nobody@mail.example")
    assert stage.channel.texts == [PROVE.text, PROVE.text]


def test_a_code_stands_nowhere(stage: Any) -> None:
    """Neither in the transcript it was sent in, nor in that where it was entered, nor in any other byte of the store."""
    known = by_mail(stage, "hello")
    ask_for_account(stage)
    code = code_sent(stage)
    stage.ask(f"my code: {code}", to="visit")
    assert group(stage, known) != {known.contact_id}
    assert [one.text for one in stage.messages("visit") if one.author is Author.CUSTOMER][-1] == f"my code: {CODE_MASK}"
    with sqlite3.connect(stage.plan.path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        dump = "\n".join(connection.iterdump())
    assert code not in dump
    assert code.encode() not in stage.plan.path.read_bytes()
    assert all(code not in repr(event) for event in stage.telemetry)


def test_a_reviewer_has_a_code_sent(stage: Any) -> None:
    known = by_mail(stage, "hello")
    stage.ask("Hello", to="visit")
    visit = stage.conversation("visit")
    stage.run(stage.contacts.ask_code(visit.id, HandleKind.EMAIL, KIM.upper(), by="rosa"))
    stage.settle()
    stage.receive(code_sent(stage), to="visit")
    assert group(stage, known) == {known.contact_id, visit.contact_id}


@pytest.mark.parametrize(("text", "error"), [("nobody@mail.example", Conflict), ("not an address", InputError)])
def test_no_code_is_sent_where_nobody_is_known(stage: Any, text: str, error: type[Exception]) -> None:
    stage.ask("Hello", to="visit")
    with pytest.raises(error):
        stage.run(stage.contacts.ask_code(stage.conversation("visit").id, HandleKind.EMAIL, text, by="rosa"))


def test_a_claimed_address_is_only_proposed(stage: Any) -> None:
    known = by_mail(stage, "hello")
    stage.ask("Hello", to="visit", contact_email=KIM, contact_name="Kim")
    (link,) = stage.run(stage.contacts.proposed())
    assert link.state is LinkState.PROPOSED
    assert group(stage, known) == {known.contact_id}


def test_a_person_vouches_and_that_links_nobody_by_rule(stage: Any) -> None:
    known = by_mail(stage, "hello")
    stage.ask("Hello", to="visit")
    contact_id = stage.conversation("visit").contact_id
    stage.run(stage.contacts.vouch(contact_id, HandleKind.EMAIL, KIM, by="lena"))
    assert group(stage, known) == {known.contact_id}
    assert stage.ask("Where is my parcel?", to="visit").decision is DecisionKind.DELIVER


def test_the_agent_is_told_what_the_same_person_wrote_elsewhere(stage: Any) -> None:
    by_mail(stage, "my parcel is green")
    ask_for_account(stage)
    stage.ask(code_sent(stage), to="visit")
    told = stage.agent.requests[-1].elsewhere
    assert next((one.channel, one.role, one.text) for one in told) == ("mail", "user", "my parcel is green")


def test_a_cap_holds_on_every_channel_of_the_same_person(stage: Any) -> None:
    known = by_mail(stage, "hello")
    stage.ask("Hello", to="visit")
    visit = stage.conversation("visit")
    stage.kept.write_now(lambda tx: cap_contact(tx, stage.clock, known.id, CapCause.COMPLAINT, turn_id=None))
    assert stage.ask("Hello again", to="visit").decision is DecisionKind.DELIVER
    stage.run(stage.contacts.link(known.contact_id, visit.contact_id, by="lena"))
    assert stage.ask("Hello again", to="visit").reasons[0] == "trust_complaint"
    stage.run(stage.contacts.unlink(known.contact_id, visit.contact_id, by="lena"))
    assert stage.ask("Hello once more", to="visit").decision is DecisionKind.DELIVER
