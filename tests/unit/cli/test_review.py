"""One reviewer's sitting, key by key, against a server in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from rich.console import Console

from understudy.cli.review import run_review
from understudy.client.errors import ApiError, ServerUnreachable
from understudy.client.models import Disclosure, HoldDetail, Message, ProposedAction, WinBack

Make = Callable[..., HoldDetail]
DRAFT = "Refunds reach your account within 5 days. We have already refunded £89.00 to your card."


class Review:
    """One sitting: a server, a script of keys, what the editor gives back, and what was printed."""

    def __init__(self, desk: Any, keys_kind: Any, console: Console, now: datetime) -> None:
        self.desk = desk
        self.keys_kind = keys_kind
        self.console = console
        self.now = now
        self.edits: list[str | None] = []
        self.heartbeat_s = 60.0

    def run(self, *script: str | Callable[[], Any]) -> str:
        self.tally = run_review(
            self.desk,
            self.console,
            self.keys_kind(*script),
            edit_text=lambda text: self.edits.pop(0),
            now=lambda: self.now,
            heartbeat_s=self.heartbeat_s,
        )
        return self.console.export_text()


@pytest.fixture
def review(fake_desk: Any, fake_keys: Any, detail: Make, console: Console, now: datetime) -> Review:
    return Review(fake_desk(detail("h-1"), detail("h-2")), fake_keys, console, now)


def test_approving_sends_the_draft_and_shows_the_next(review: Review) -> None:
    text = review.run("a", "q")
    assert review.desk.done() == [("approve", "h-1"), ("release", "h-2")]
    assert "1 of 2" in text
    assert "1 of 1" in text
    assert "✓ approve: the turn is now delivering." in text
    assert review.tally == {"approve": 1}


def test_reviewer_sees_what_the_draft_will_tell_of_the_ai(review: Review) -> None:
    first = next(iter(review.desk.details.values()))
    review.desk.details[first.hold.id] = replace(first, disclosure=Disclosure(text="An AI writes here."))
    assert "[said with it] An AI writes here." in review.run("q")


def test_an_edit_is_sent_after_its_difference_was_seen(review: Review) -> None:
    review.edits = [DRAFT.replace("5", "10")]
    text = review.run("e", "y", "q")
    assert "[-5-]{+10+}" in text
    assert review.desk.done()[0] == ("edit", "h-1", DRAFT.replace("5", "10"))


def test_a_topic_goes_along_with_the_verdict_that_follows(review: Review) -> None:
    text = review.run("o", "refunds", "a", "a", "q")
    assert "Topic: refunds." in text
    assert review.desk.done() == [("approve", "h-1", "topic refunds"), ("approve", "h-2")]


@pytest.mark.parametrize("said", ["", "x" * 201])
def test_no_topic_or_an_overlong_one_is_left(review: Review, said: str) -> None:
    review.run("o", said, "a", "q")
    assert review.desk.done()[0] == ("approve", "h-1")


def proposing(review: Review) -> None:
    actions = (
        ProposedAction(id="t-a0", name="refund", arguments={"order": "A17"}),
        ProposedAction(id="t-a1", name="cancel"),
    )
    before = review.desk.details["h-1"]
    review.desk.details["h-1"] = replace(before, turn=replace(before.turn, actions=actions))


@pytest.mark.parametrize(
    ("said", "let_through"), [("2", [False, True]), ("1, 2", [True, True]), ("0", [False, False]), ("", []), ("3", [])]
)
def test_what_is_said_of_proposed_actions_goes_along_with_the_verdict_that_follows(
    review: Review, said: str, let_through: list[bool]
) -> None:
    proposing(review)
    review.edits = [DRAFT.replace("5", "10")]
    text = review.run("x", said, "e", "y", "q")
    assert " x  actions" in text
    assert '1 refund {"order": "A17"}' in text
    assert [one.let_through for one in review.desk.chosen] == let_through
    assert [one.id for one in review.desk.chosen] == ["t-a0", "t-a1"][: len(let_through)]


def test_where_nothing_is_proposed_nothing_is_asked(review: Review) -> None:
    text = review.run("x", "q")
    assert "No action waits for a word of yours." in text
    assert " x  actions " not in text


@pytest.mark.parametrize("changed", [None, "", "  \n", DRAFT])
def test_an_edit_that_changes_nothing_sends_nothing(review: Review, changed: str | None) -> None:
    review.edits = [changed]
    review.run("e", "q")
    assert review.desk.done() == [("release", "h-1")]


def test_an_edit_can_be_taken_up_again_and_left(review: Review) -> None:
    review.edits = ["One.", "Two."]
    text = review.run("e", "e", "n", "q")
    assert "Two." in text
    assert review.desk.done() == [("release", "h-1")]


def test_a_rejection_carries_the_chosen_reasons_and_the_remark(review: Review) -> None:
    text = review.run("r", "9", "x", "4, 1", "see order 1042", "q")
    assert text.count("Only numbers from 1 to 7") == 2
    assert review.desk.done()[0] == ("reject", "h-1", ["wrong_information", "unbacked_promise"], "see order 1042")


def test_a_rejection_without_a_reason_is_left(review: Review) -> None:
    review.run("r", "", "q")
    assert review.desk.done() == [("release", "h-1")]


def test_an_answer_in_own_words_is_sent(review: Review) -> None:
    review.edits = ["Hello Dana, it is on its way."]
    review.run("p", "y", "q")
    assert review.desk.done()[0] == ("respond", "h-1", "Hello Dana, it is on its way.")


def test_skipped_holds_come_again_only_when_asked_for(review: Review) -> None:
    text = review.run("s", "s", "x", "q")
    assert "Only what you skipped is left (2)" in text
    assert [call[1] for call in review.desk.calls if call[0] == "claim"] == ["h-1", "h-2", "h-1"]


def test_a_colleagues_hold_is_passed_over(review: Review) -> None:
    review.desk.refuse["claim", "h-1"] = ApiError(status=409, code="claimed-by-other", detail="Tom has it")
    text = review.run("a", "q")
    assert review.desk.done() == [("approve", "h-2")]
    assert "2 of 2" in text


def test_a_verdict_on_an_older_version_is_told_and_the_hold_shown_again(review: Review) -> None:
    text = review.run(lambda: review.desk.change("h-1", version=4), "a", "a", "q")
    assert "This one changed since it was read" in text
    assert [call[:2] for call in review.desk.done()] == [("approve", "h-1"), ("approve", "h-1"), ("release", "h-2")]


def test_a_text_for_a_superseded_hold_is_kept_on_the_screen(review: Review) -> None:
    review.edits = ["My careful words."]
    text = review.run("e", lambda: review.desk.change("h-1", state="superseded"), "y", "q")
    assert "The customer wrote again" in text
    assert "Your text, which was not sent" in text
    assert "My careful words." in text.partition("which was not sent")[2]


def test_a_reviewer_who_reads_is_told_at_once_that_the_customer_wrote_again(review: Review) -> None:
    review.heartbeat_s = 0.01
    noticed = threading.Event()

    def on_claim(hold_id: str) -> None:
        if review.desk.details["h-1"].hold.state == "superseded":
            noticed.set()

    review.desk.on_claim = on_claim

    def customer_writes() -> None:
        review.desk.change("h-1", state="superseded")
        noticed.wait(60)
        for thread in threading.enumerate():
            if thread.name == "claim h-1":
                thread.join(60)

    text = review.run(customer_writes, "q")
    assert "The customer wrote again, so this draft is void" in text
    assert ("release", "h-1") not in review.desk.calls
    assert review.tally["gone"] == 1


def test_the_claim_is_kept_alive_while_the_reviewer_looks(review: Review) -> None:
    review.heartbeat_s = 0.01
    beats = threading.Semaphore(0)
    review.desk.on_claim = lambda hold_id: beats.release()
    review.run(lambda: [beats.acquire(timeout=60) for _ in range(4)], "q")
    assert [call[0] for call in review.desk.calls].count("claim") >= 4


def test_a_refused_verdict_leaves_the_hold_on_the_screen(review: Review) -> None:
    review.desk.refuse["approve", "h-1"] = ApiError(status=403, code="forbidden", detail="this key may only read")
    text = review.run("a", "q")
    assert "Not taken: this key may only read" in text
    assert review.desk.done() == [("approve", "h-1"), ("release", "h-1")]


def test_a_lost_connection_says_that_the_outcome_is_not_known(review: Review) -> None:
    review.desk.refuse["approve", "h-1"] = ServerUnreachable("http://x: broke")
    assert "It is not known whether this was taken" in review.run("a", "q")


def test_a_server_that_is_away_is_waited_for(review: Review) -> None:
    answers = [ServerUnreachable("http://x: no connection")]
    holds = review.desk.holds

    def once_away() -> Any:
        if answers:
            raise answers.pop()
        return holds()

    review.desk.holds = once_away
    text = review.run("x", "a", "q")
    assert "no connection" in text
    assert ("approve", "h-1") in review.desk.calls


def test_a_key_that_may_not_review_ends_the_sitting(review: Review) -> None:
    review.desk.refuse["claim", "h-1"] = ApiError(status=403, code="forbidden", detail="no")
    with pytest.raises(ApiError):
        review.run("a")


def test_an_empty_queue_says_so_once(review: Review) -> None:
    review.desk.details.clear()
    text = review.run(lambda: None, lambda: None, "q")
    assert text.count("Nothing waits for you") == 1


def test_the_end_of_input_releases_the_claim(review: Review) -> None:
    assert "nothing decided" in review.run()
    assert review.desk.done() == [("release", "h-1")]


def test_a_hand_off_cannot_be_approved(review: Review, detail: Make, fake_desk: Any) -> None:
    review.desk = fake_desk(detail("h-1", kind="hand_off", draft=None))
    review.run("a", "e", "r", "q")
    assert review.desk.done() == [("release", "h-1")]


def test_what_a_new_version_drafts_for_a_past_turn_is_judged_and_not_sent(
    review: Review, detail: Make, fake_desk: Any
) -> None:
    review.desk = fake_desk(detail("h-1", kind="redraft"))
    text = review.run("p", "t", "a", "q")
    assert "new version, past turn" in text
    assert "Draft that will not be sent" in text
    assert "approve: counted for the new version; nothing is sent" in text
    assert review.desk.done() == [("approve", "h-1")]


@pytest.mark.parametrize(("key", "sent"), [("a", ("approve", "h-1")), ("r", ("reject", "h-1", [], None))])
def test_a_message_to_who_was_let_down_is_sent_or_left(
    review: Review, detail: Make, fake_desk: Any, key: str, sent: tuple[Any, ...]
) -> None:
    proposed = WinBack(text="I am sorry. Rosa", explanation="They complained of an automatic reply.")
    review.desk = fake_desk(replace(detail("h-1", kind="win_back"), win_back=proposed))
    text = review.run("p", key, "q")
    assert "make it good?" in text
    assert "To be written to the customer, in your name" in text
    assert "I am sorry. Rosa" in text
    assert "They complained of an automatic reply." in text
    assert review.desk.done() == [sent]


@pytest.mark.parametrize(("key", "sent"), [("a", ("approve", "h-1")), ("r", ("reject", "h-1", [], None))])
def test_an_unsure_send_is_settled_only_after_a_second_key(
    review: Review, detail: Make, fake_desk: Any, key: str, sent: tuple[Any, ...]
) -> None:
    review.desk = fake_desk(detail("h-1", kind="unsure_send"))
    review.run(key, "n", key, "y", "q")
    assert review.desk.done() == [sent]


def test_help_explains_every_key_and_more_shows_everything(review: Review) -> None:
    text = review.run("?", "m", "q")
    assert "approve: the draft goes to the customer as it is" in text
    assert text.count("1 of 2 · draft") == 2


def test_taking_over_opens_a_chat_whose_commands_never_reach_the_customer(review: Review) -> None:
    def customer_writes() -> None:
        message = Message(seq=500, author="customer", author_name="Dana", text="are you \x1b[5mreal?")
        review.desk.talk = replace(review.desk.talk, messages=(*review.desk.talk.messages, message))

    text = review.run("t", "Hello, this is Priya.", customer_writes, "/oops", "/back", "q")
    assert review.desk.done() == [
        ("take_over", "h-1"),
        ("say", "c-1", "Hello, this is Priya."),
        ("hand_back", "c-1"),
        ("release", "h-2"),
    ]
    assert "are you ␛[5mreal?" in text
    assert text.count("Hello, this is Priya.") == 0
    assert "There is no /oops" in text


def test_leaving_a_chat_says_that_the_conversation_stays_with_the_reviewer(review: Review) -> None:
    assert "The conversation stays with you" in review.run("t", "/quit", "q")
    assert ("hand_back", "c-1") not in review.desk.calls


def test_a_chat_that_a_colleague_handed_back_ends(review: Review) -> None:
    review.desk.talk = replace(review.desk.talk, mode="agent")
    assert "with the agent again" in review.run("t", lambda: None, "q")
