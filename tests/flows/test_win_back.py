"""A customer whom a reply let down is written to once, by a person, in approved words; or it is written down why not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from types import ModuleType
from typing import Any

import pytest

from understudy.errors import Conflict, InputError
from understudy.records.conversation import Author, Mode, Origin
from understudy.records.feedback import FeedbackKind
from understudy.records.opt_out import OptOut
from understudy.records.review import HoldKind, HoldState, VerdictKind, VerdictRequest
from understudy.records.rulebook import Level
from understudy.records.trust import CapCause, TrustRules
from understudy.records.win_back import WhyNone, WinBackState, WinBackTerms, WinBackText
from understudy.review.winning_back import WinBacks
from understudy.testing.scripted import RecordingChannel

Build = Callable[..., Any]
HOUR, DAY = 3_600.0, 86_400.0
ALL = frozenset({CapCause.REJECTED, CapCause.COMPLAINT, CapCause.THUMBS_DOWN, CapCause.RECONTACT})
SORRY = WinBackText(
    id="sorry",
    version=2,
    language="en",
    causes=ALL,
    text="What we wrote on {day} was not good enough. I am {reviewer} of {business}; write to me here.",
)
SHUT = 24 * HOUR


def terms(*texts: WinBackText, window: float | None = None, channel: str = "webchat", **more: Any) -> WinBackTerms:
    given: dict[str, Any] = {
        "language": "en", "within": timedelta(hours=72), "again_after": timedelta(days=30), "windows": {channel: window},
    }  # fmt: skip
    return WinBackTerms(texts=texts or (SORRY,), **{**given, **more})


@pytest.fixture
def stage(build: Build, staging: ModuleType) -> Any:
    """Every draft leaves by itself and is audited afterwards."""
    return build(
        rules=staging.rules(Level.PROBATION, trust=TrustRules(days=30, good_contacts=2)),
        channel=RecordingChannel(name="webchat"),
    )


def swept(stage: Any, of: WinBackTerms | None = None) -> int:
    found: int = stage.run(
        WinBacks(
            stage.store, stage.clock, stage, business="Acme", terms=of or terms(channel=stage.channel.name)
        ).sweep()
    )
    return found


def thumbs_down(stage: Any, to: str = "e-1", text: str = "When does it come?") -> Any:
    turn = stage.ask(text, to=to)
    stage.run(stage.feedback.give(turn.id, FeedbackKind.THUMBS_DOWN, by="customer"))
    stage.settle()
    return turn


def rejected(stage: Any, to: str = "e-1") -> Any:
    turn = stage.ask("When does it come?", to=to)
    (audit,) = (hold for hold in stage.open_holds if hold.turn_id == turn.id and hold.kind is HoldKind.AUDIT)
    stage.give(audit, VerdictKind.REJECT)
    stage.settle()
    return turn


def proposed(stage: Any) -> list[Any]:
    return [hold for hold in stage.open_holds if hold.kind is HoldKind.WIN_BACK]


def rows(stage: Any, to: str = "e-1") -> list[Any]:
    contact = stage.conversation(to).contact_id
    return stage.read(lambda tx: tx.win_backs.of_contacts([contact], limit=10))


def row(stage: Any, to: str = "e-1") -> Any:
    (found,) = rows(stage, to)
    return found


def why(stage: Any, to: str = "e-1") -> tuple[WinBackState, WhyNone | None]:
    return row(stage, to).state, row(stage, to).why


@pytest.mark.parametrize("goes_badly", [thumbs_down, rejected], ids=["thumbs down", "rejected after it left"])
def test_a_message_is_proposed_and_sent_by_who_lets_it_out(stage: Any, goes_badly: Any) -> None:
    turn = goes_badly(stage)
    before = len(stage.channel.delivered)
    swept(stage)
    (hold,) = proposed(stage)
    assert (hold.turn_id, hold.reasons[0][:9]) == (turn.id, "win_back_")
    assert len(stage.channel.delivered) == before, "nothing leaves before a person says so"
    stage.give(hold, VerdictKind.APPROVE, reviewer="rosa")
    stage.settle()
    sent = stage.channel.delivered[-1]
    day = f"{stage.messages()[1].at:%Y-%m-%d}"
    assert sent.text == f"What we wrote on {day} was not good enough. I am rosa of Acme; write to me here."
    assert (sent.author, sent.author_name, sent.origin) == (Author.REVIEWER, "rosa", Origin.PERSON)
    assert (row(stage).state, row(stage).by) == (WinBackState.SENT, "rosa")
    assert stage.conversation().mode is Mode.AGENT
    assert stage.turn(turn.id).state.value == "answered"
    assert swept(stage) == 0
    assert proposed(stage) == []


def test_a_reviewer_writes_it_otherwise(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    stage.give(proposed(stage)[0], VerdictKind.EDIT, text="It comes on Friday. I am sorry, Rosa.")
    stage.settle()
    assert stage.channel.delivered[-1].text == "It comes on Friday. I am sorry, Rosa."


def test_a_reviewer_leaves_it(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    before = len(stage.channel.delivered)
    stage.give(proposed(stage)[0], VerdictKind.REJECT)
    stage.settle()
    assert len(stage.channel.delivered) == before
    assert (row(stage).state, row(stage).by) == (WinBackState.DISMISSED, "rosa")
    assert swept(stage) == 0


def test_a_reviewer_talks_to_them_instead(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    stage.give(proposed(stage)[0], VerdictKind.TAKE_OVER)
    assert (stage.conversation().mode, stage.conversation().taken_by) == (Mode.PERSON, "rosa")
    assert why(stage) == (WinBackState.DISMISSED, WhyNone.TAKEN_OVER)


def test_own_words_are_an_edit(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    with pytest.raises(InputError, match="win_back hold does not take 'respond'"):
        stage.give(proposed(stage)[0], VerdictKind.RESPOND, text="Hello")


def test_one_bad_outcome_is_made_good_once(stage: Any) -> None:
    turn = thumbs_down(stage)
    swept(stage)
    stage.run(stage.feedback.give(turn.id, FeedbackKind.COMPLAINT, by="customer"))
    swept(stage)
    assert len(rows(stage)) == len(proposed(stage)) == 1


def test_nobody_is_written_to_twice_in_the_time_that_is_set(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    stage.give(proposed(stage)[0], VerdictKind.APPROVE)
    stage.settle()
    stage.run(stage.trust.lift(stage.conversation().contact_id, by="lena"))
    stage.clock.advance(60)
    thumbs_down(stage)
    swept(stage)
    assert [(one.state, one.why) for one in rows(stage)] == [
        (WinBackState.SKIPPED, WhyNone.SENT_LATELY),
        (WinBackState.SENT, None),
    ]


def test_one_waits_at_a_time(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    stage.run(stage.trust.lift(stage.conversation().contact_id, by="lena"))
    stage.clock.advance(60)
    thumbs_down(stage)
    swept(stage)
    assert len(proposed(stage)) == 1
    assert rows(stage)[0].why is WhyNone.ONE_WAITS


def test_who_has_a_person_already_is_written_to_by_that_person(stage: Any) -> None:
    thumbs_down(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="rosa"))
    swept(stage)
    assert proposed(stage) == []
    assert rows(stage) == [] or why(stage) == (WinBackState.SKIPPED, WhyNone.WITH_PERSON)


def test_a_proposal_is_taken_back_once_a_person_has_the_conversation(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    (hold,) = proposed(stage)
    stage.run(stage.conversations.take_over(stage.conversation().id, reviewer="rosa"))
    with pytest.raises(Conflict, match="a person has this conversation"):
        stage.give(hold, VerdictKind.APPROVE)
    assert swept(stage) == 1
    assert why(stage) == (WinBackState.VOID, WhyNone.WITH_PERSON)
    (closed,) = (one for one in stage.all_holds if one.kind is HoldKind.WIN_BACK)
    assert closed.state is HoldState.EXPIRED


def test_who_wants_no_messages_gets_none(stage: Any) -> None:
    def opts_out(tx: Any) -> None:
        conversation = tx.conversations.find(stage.channel.name, "e-1")
        tx.opt_outs.put(
            OptOut(
                contact_id=conversation.contact_id,
                channel=conversation.channel,
                conversation_id=conversation.id,
                said="stop",
                at=stage.clock.now(),
                confirmation=None,
            )
        )
        tx.ledger.append("test.opted_out", at=stage.clock.now())

    thumbs_down(stage)
    swept(stage)
    (hold,) = proposed(stage)
    stage.store.write_now(opts_out)
    with pytest.raises(Conflict, match="wants no messages"):
        stage.give(hold, VerdictKind.APPROVE)
    swept(stage)
    assert why(stage) == (WinBackState.VOID, WhyNone.OPTED_OUT)


def test_nothing_is_proposed_where_the_channel_takes_nothing_any_more(stage: Any) -> None:
    thumbs_down(stage)
    stage.pass_time(SHUT + 1)
    swept(stage, terms(window=SHUT))
    assert why(stage) == (WinBackState.SKIPPED, WhyNone.WINDOW_CLOSED)


def test_a_proposal_ends_with_the_window_of_its_channel(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage, terms(window=SHUT))
    (hold,) = proposed(stage)
    stage.clock.advance(SHUT + 1)
    with pytest.raises(Conflict, match="takes no message since"):
        stage.give(hold, VerdictKind.APPROVE)
    assert hold.id in {one.id for one in proposed(stage)}, "nothing of the verdict was stored"
    swept(stage, terms(window=SHUT))
    assert why(stage) == (WinBackState.VOID, WhyNone.WINDOW_CLOSED)


def test_a_channel_that_goes_nowhere_is_said(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage, terms(windows={}))
    assert why(stage) == (WinBackState.SKIPPED, WhyNone.NO_WAY)


def test_what_happened_too_long_ago_is_not_stirred_up(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    stage.pass_time(73 * HOUR)
    swept(stage)
    assert why(stage) == (WinBackState.VOID, WhyNone.TOO_LATE)


def test_who_writes_on_is_answered_and_not_written_to_beside(stage: Any) -> None:
    thumbs_down(stage)
    stage.ask("And when does it come now?")  # held: they get people
    swept(stage)
    assert row(stage).state is WinBackState.NOTICED, "somebody is about to answer them"
    (draft,) = (hold for hold in stage.open_holds if hold.kind is HoldKind.DRAFT)
    stage.give(draft, VerdictKind.APPROVE)
    stage.settle()
    swept(stage)
    assert why(stage) == (WinBackState.SKIPPED, WhyNone.ANSWERED)


def test_a_text_whose_facts_are_not_known_is_not_proposed(stage: Any) -> None:
    named = WinBackText(id="named", version=1, language="en", causes=ALL, text="Dear {customer}, {reviewer} here.")
    thumbs_down(stage)
    swept(stage, terms(named, SORRY))
    assert row(stage).text_id == "sorry@2"
    thumbs_down(stage, to="e-2")
    swept(stage, terms(named))
    assert why(stage, "e-2") == (WinBackState.SKIPPED, WhyNone.NO_TEXT)


def test_a_text_is_in_the_language_of_the_customer(stage: Any) -> None:
    german = WinBackText(id="de", version=1, language="de", causes=ALL, text="Das war nicht gut. {reviewer}")
    thumbs_down(stage, text="Wann kommt denn endlich meine Bestellung, ich warte schon seit drei Wochen darauf?")
    swept(stage, terms(SORRY, german))
    assert row(stage).text_id == "de@1"


def test_other_causes_are_other_texts(stage: Any) -> None:
    other = WinBackText(id="x", version=1, language="en", causes=frozenset({CapCause.REJECTED}), text="{reviewer}")
    thumbs_down(stage)
    assert swept(stage, terms(other)) == 0
    assert rows(stage) == []


def test_without_a_text_nothing_is_noticed(stage: Any) -> None:
    thumbs_down(stage)
    assert stage.run(WinBacks(stage.store, stage.clock, stage, business="Acme", terms=None).sweep()) == 0
    assert rows(stage) == []


def test_a_verdict_that_waits_is_carried_out_or_comes_back(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    (hold,) = proposed(stage)
    request = VerdictRequest(hold_id=hold.id, version=hold.version, kind=VerdictKind.APPROVE, reviewer="rosa")
    stage.run(stage.verdicts.give_later(request, undo_s=5))
    assert swept(stage) == 0
    stage.pass_time(6)
    assert row(stage).state is WinBackState.SENT


def test_the_ledger_says_what_became_of_it(stage: Any) -> None:
    thumbs_down(stage)
    swept(stage)
    stage.give(proposed(stage)[0], VerdictKind.APPROVE)
    told = [entry for entry in stage.ledger if entry.event.startswith("win_back.")]
    assert [entry.event for entry in told] == ["win_back.noticed", "win_back.proposed", "win_back.sent"]
    assert told[-1].actor == "rosa"
