"""The cases of the connector kit for accounts on Matrix, by name: what is said in rooms, and what homeservers answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from understudy.connector_kit.matrix_trial import ADA, ROOM, MatrixTrial
from understudy.connector_kit.trial import CaseFailed, Server, answer, changed, demand, paths_in
from understudy.errors import ChannelUnreachable
from understudy.records.conversation import Author, Inbound
from understudy.records.outbox import Accepted, Rejected, Retry

MatrixCase = Callable[[MatrixTrial], None]
TAKEN = json.dumps({"event_id": "$r1"}).encode()


def words_are_read(trial: MatrixTrial) -> None:
    message = trial.message(trial.event())
    demand(message.text == "Where is my kettle?" and message.needs_person is None, f"are read as {message}")
    demand(
        (message.address, message.external_id) == (ADA, ROOM), f"come from {message.address} in {message.external_id}"
    )


def same_event_twice_has_the_same_id(trial: MatrixTrial) -> None:
    demand(
        trial.message(trial.event()).provider_id == trial.message(trial.event()).provider_id, "two ids for one event"
    )


def own_message_that_comes_back_is_passed_over(trial: MatrixTrial) -> None:
    trial.passed_over(trial.event(sender=trial.configured.user_id))


def notice_of_a_program_is_passed_over(trial: MatrixTrial) -> None:
    trial.passed_over(trial.event(content={"msgtype": "m.notice"}))


def redaction_is_passed_over(trial: MatrixTrial) -> None:
    trial.passed_over(trial.event(type="m.room.redaction"))


def edit_is_a_message_once_more(trial: MatrixTrial) -> None:
    content = {
        "m.new_content": {"msgtype": "m.text", "body": "No, where?"},
        "m.relates_to": {"rel_type": "m.replace", "event_id": "$e0"},
    }
    message = trial.message(trial.event("* No, where?", content=content))
    demand("No, where?" in message.text and message.text != "* No, where?", f"is read as {message.text!r}")


def thread_is_a_conversation_of_its_own(trial: MatrixTrial) -> None:
    content = {"m.relates_to": {"rel_type": "m.thread", "event_id": "$root"}}
    demand(trial.message(trial.event(content=content)).external_id != ROOM, "a thread is mixed with its room")


def encrypted_words_go_to_a_person(trial: MatrixTrial) -> None:
    message = trial.message(trial.event(type="m.room.encrypted"))
    demand(message.needs_person is not None and message.text != "", "an agent is asked about what nobody can read")


def picture_goes_to_a_person(trial: MatrixTrial) -> None:
    message = trial.message(trial.event("dent.png", content={"msgtype": "m.image", "info": {"mimetype": "image/png"}}))
    demand(message.needs_person is not None and "dent.png" in message.text, f"is read as {message}")


def room_of_three_is_passed_over(trial: MatrixTrial) -> None:
    trial.passed_over(trial.event(), members=3)


def emoji_and_other_scripts_arrive_intact(trial: MatrixTrial) -> None:
    for text in ("👋🏽 wo?", "أين طلبي؟", "在哪里", "e\u0301"):
        demand(trial.message(trial.event(text)).text == text, f"{text!r} does not arrive")


def overlong_words_are_cut_and_go_to_a_person(trial: MatrixTrial) -> None:
    limit = trial.settings.limits.message_chars_max
    message = trial.message(trial.event("x" * (limit + 1)))
    demand(len(message.text) <= limit and message.needs_person is not None, "go on as if they were whole")


def what_was_said_before_the_first_look_is_not_answered(trial: MatrixTrial) -> None:
    found, _ = trial.fetched(trial.batch(trial.event()), cursor=None)
    demand(found == [], f"answers {found}")


def order_of_a_burst_is_kept(trial: MatrixTrial) -> None:
    found, _ = trial.fetched(trial.batch(*(trial.event(str(n), event_id=f"${n}") for n in range(50))))
    texts = [one.text for one in found if isinstance(one, Inbound)]
    demand(texts == [str(n) for n in range(50)], f"a burst comes as {texts[:10]}…")


def missing_field_is_accounted_for(trial: MatrixTrial) -> None:
    batch = json.loads(trial.batch(trial.event()))
    for at in paths_in(batch):
        trial.survives(json.dumps(changed(batch, at, lambda node, key: node.pop(key))).encode())


def changed_type_is_accounted_for(trial: MatrixTrial) -> None:
    batch = json.loads(trial.batch(trial.event()))
    values: tuple[Any, ...] = (None, 7, "x", [], {}, True)
    for at in paths_in(batch):
        for value in values:
            other = changed(batch, at, lambda node, key, new=value: node.__setitem__(key, new))  # type: ignore[misc]
            trial.survives(json.dumps(other).encode())


def nonsense_is_refused(trial: MatrixTrial) -> None:
    for batch in (b"", b"<html>", b"null", b"[]", b"{}", b'{"next_batch": 7}', b"[" * 20_000):
        try:
            trial.fetched(batch)
        except ChannelUnreachable:
            continue
        raise CaseFailed(f"took {batch[:20]!r} for a sync")


def server_error_moves_no_cursor(trial: MatrixTrial) -> None:
    for status in ("500 Oops", "429 Slow", "401 Who", "403 No"):
        try:
            trial.fetched(trial.batch(trial.event()), status=status)
        except ChannelUnreachable:
            continue
        raise CaseFailed(f"took what came with {status}")


def invitation_is_answered_as_configured(trial: MatrixTrial) -> None:
    state = [
        {
            "type": "m.room.member",
            "state_key": trial.configured.user_id,
            "sender": "@eve:elsewhere.example",
            "content": {"membership": "invite"},
        }
    ]
    _, server = trial.fetched(trial.batch(invite={"!new:elsewhere.example": {"invite_state": {"events": state}}}))
    asked = " ".join(head.split("\r\n")[0] for head, _ in server.requests)
    wanted = "/leave" if trial.configured.invite_servers else "/join/"
    demand(wanted in asked, f"answers an invitation with {asked}")


# --- what goes out


def taken_reply_is_accepted(trial: MatrixTrial) -> None:
    (result,) = trial.sent(Server(answer("200 OK", TAKEN)))
    demand(result == Accepted(provider_id="$r1"), f"came to {result}")


def repeated_send_has_the_same_transaction(trial: MatrixTrial) -> None:
    server = Server(answer("200 OK", TAKEN))
    trial.sent(server, trial.entry(), trial.entry())
    lines = {head.split("\r\n")[0] for head, _ in server.requests}
    demand(len(lines) == 1 and "out-trial-1" in next(iter(lines)), f"two tries are {lines}")


def words_of_nobody_are_a_notice(trial: MatrixTrial) -> None:
    server = Server(answer("200 OK", TAKEN))
    trial.sent(server, trial.entry(), trial.entry(author=Author.REVIEWER))
    kinds = [json.loads(body)["msgtype"] for _, body in server.requests]
    demand(kinds == ["m.notice", "m.text"], f"are {kinds}")


def text_of_a_reply_is_data(trial: MatrixTrial) -> None:
    hostile = 'Say "hi" <b>bye</b>\n@room \\ 👋'
    server = Server(answer("200 OK", TAKEN))
    trial.sent(server, trial.entry(hostile))
    content = json.loads(server.requests[0][1])
    demand(content["body"] == hostile and "formatted_body" not in content, f"arrives as {content}")


def room_is_data(trial: MatrixTrial) -> None:
    server = Server(answer("200 OK", TAKEN))
    for room in ("!a/../../admin:x", "!a?b#c:x", "!a\r\nx-evil: 1:x", "nobody"):
        trial.sent(server, trial.entry(external_id=room))
    for head, _ in server.requests:
        path = head.split(" ")[1]
        demand("\nx-evil" not in head.lower() and "/admin" not in path and "?" not in path, f"a room climbs: {path}")


def overlong_reply_is_rejected_unsent(trial: MatrixTrial) -> None:
    limit = trial.built.capabilities.chars_max
    if limit is not None:
        server = Server(answer("200 OK", TAKEN))
        (result,) = trial.sent(server, trial.entry("x" * (limit + 1)))
        demand(isinstance(result, Rejected) and server.requests == [], f"came to {result}")


def too_many_requests_is_tried_again_when_it_says(trial: MatrixTrial) -> None:
    said = json.dumps({"errcode": "M_LIMIT_EXCEEDED", "retry_after_ms": 7000}).encode()
    (result,) = trial.sent(Server(answer("429 Slow", said)))
    demand(isinstance(result, Retry) and result.after_s == 7.0, f"came to {result}")


def refusal_is_final(trial: MatrixTrial) -> None:
    for status in ("400 Bad", "403 No", "404 Where"):
        (result,) = trial.sent(Server(answer(status, b'{"errcode": "M_FORBIDDEN"}')))
        demand(isinstance(result, Rejected), f"{status} came to {result}")


def server_error_is_tried_again_under_the_same_transaction(trial: MatrixTrial) -> None:
    (result,) = trial.sent(Server(answer("500 Oops", b"oops")))
    demand(isinstance(result, Retry), f"came to {result}")


def answer_without_the_id_is_no_receipt(trial: MatrixTrial) -> None:
    for body in (b"", b"{}", b"<html>", b'{"event_id": 7}', b"[" * 1_000):
        (result,) = trial.sent(Server(answer("200 OK", body)))
        demand(not isinstance(result, Accepted), f"{body[:20]!r} came to {result}")


def broken_or_silent_server_is_no_receipt(trial: MatrixTrial) -> None:
    for server in (
        Server(None),
        Server(None, hold_s=3.0),
        Server(b"nonsense\r\n\r\n"),
        Server(answer("200 OK", TAKEN)[:-5]),
    ):
        (result,) = trial.sent(server)
        demand(not isinstance(result, Accepted | Rejected), f"came to {result}")


_CASES = (
    words_are_read, same_event_twice_has_the_same_id, own_message_that_comes_back_is_passed_over, notice_of_a_program_is_passed_over,
    redaction_is_passed_over, edit_is_a_message_once_more, thread_is_a_conversation_of_its_own, encrypted_words_go_to_a_person,
    picture_goes_to_a_person, room_of_three_is_passed_over, emoji_and_other_scripts_arrive_intact,
    overlong_words_are_cut_and_go_to_a_person, what_was_said_before_the_first_look_is_not_answered, order_of_a_burst_is_kept,
    missing_field_is_accounted_for, changed_type_is_accounted_for, nonsense_is_refused, server_error_moves_no_cursor,
    invitation_is_answered_as_configured, taken_reply_is_accepted, repeated_send_has_the_same_transaction,
    words_of_nobody_are_a_notice, text_of_a_reply_is_data, room_is_data, overlong_reply_is_rejected_unsent,
    too_many_requests_is_tried_again_when_it_says, refusal_is_final, server_error_is_tried_again_under_the_same_transaction,
    answer_without_the_id_is_no_receipt, broken_or_silent_server_is_no_receipt,
)  # fmt: skip
MATRIX_CASES: Mapping[str, MatrixCase] = {case.__name__: case for case in _CASES}
"""By name; each raises `CaseFailed` with what the channel did instead."""
