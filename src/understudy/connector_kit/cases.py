"""The cases of the connector kit, by name: what a channel must do with what comes in, and with what providers answer."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from understudy.adapters.channels.rest_heard import heard
from understudy.connector_kit.trial import CaseFailed, Server, Trial, answer, changed, demand, paths_in
from understudy.errors import InputError, MalformedInput, SignatureInvalid
from understudy.ports.channel import Events
from understudy.records.notes import RemarkKind
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.testing.scripted import FROZEN_START

Case = Callable[[Trial], None]
HOSTILE = 'Say "hi" & <b>bye</b>\n{text} {{x}} \\ </script> 👋'


def accounted(events: Events) -> bool:
    """Whether something is said of what came in."""
    return bool(events.messages or events.reports or events.ignored or events.refused or events.say is not None)


def readable(trial: Trial, body: bytes) -> Events | None:
    """What is read in a signed request; None where it is refused as what it is, and anything else fails the case."""
    try:
        events = trial.read(body)
    except InputError:
        return None
    except Exception as error:
        raise CaseFailed(f"broke with {type(error).__name__}: {error}") from error
    demand(accounted(events), "took the request and says nothing of it")
    return events


def refused(trial: Trial, request: Any, kind: type[InputError]) -> None:
    """Fail unless a request is refused in this way, with words that show no secret."""
    try:
        trial.built.read(request)
    except kind as error:
        demand(not trial.secret or trial.secret not in error.message, "the refusal shows the secret")
        return
    raise CaseFailed(f"was taken; expected {kind.__name__}")


# --- what comes in


def message_is_read(trial: Trial) -> None:
    message = trial.message()
    demand(message.text.strip() != "", "the sample's text is empty")
    demand(message.needs_person is None, f"the sample goes to a person: {message.needs_person}")


def same_message_twice_has_the_same_id(trial: Trial) -> None:
    demand(trial.message().provider_id == trial.message().provider_id, "two readings give two ids")


def unsigned_is_refused(trial: Trial) -> None:
    refused(trial, replace(trial.request(trial.sample.encode()), headers={}, url="http://x/webhooks"), SignatureInvalid)


def wrong_secret_is_refused(trial: Trial) -> None:
    secret = "whsec_" + "A" * 43 + "=" if trial.secret.startswith("whsec_") else f"{trial.secret}x"
    refused(trial, trial.request(trial.sample.encode(), secret=secret), SignatureInvalid)


def tampered_body_is_refused(trial: Trial) -> None:
    shape = trial.shape.signature
    if shape is not None and shape.token is None:
        request = trial.request(trial.sample.encode())
        refused(trial, replace(request, body=trial.saying("something else")), SignatureInvalid)


def replayed_after_an_hour_is_refused_where_the_scheme_has_a_time(trial: Trial) -> None:
    request = trial.request(trial.sample.encode())
    stamped = [name for name in request.headers if "time" in name or "timestamp" in name]
    if stamped and trial.shape.signature is not None and trial.shape.signature.scheme != "zendesk":
        refused(trial, replace(request, received_at=FROZEN_START + timedelta(hours=1)), SignatureInvalid)


def each_header_of_the_signature_is_needed(trial: Trial) -> None:
    request = trial.request(trial.sample.encode())
    for name in request.headers:
        rest = {other: value for other, value in request.headers.items() if other != name}
        refused(trial, replace(request, headers=rest), SignatureInvalid)


def empty_body_is_accounted_for(trial: Trial) -> None:
    readable(trial, b"")


def nonsense_is_accounted_for(trial: Trial) -> None:
    for body in (b"nonsense", b"<html>", b"{", b'{"a":', b"[[[", b"=&=&&", b"\x00\x01"):
        readable(trial, body)


def other_json_is_accounted_for(trial: Trial) -> None:
    for body in (b"null", b"1", b"[]", b"{}", b'"text"', b"[1, 2]", b'{"events": 1}', b"1e400"):
        readable(trial, body)


def body_that_is_not_utf8_is_refused(trial: Trial) -> None:
    refused(trial, trial.request(b"\xff\xfe" + trial.sample.encode()), MalformedInput)


def other_charset_is_refused(trial: Trial) -> None:
    if trial.shape.inbound.form == "query":
        return  # nothing is read of the body, whatever it is said to be in
    request = trial.request(trial.sample.encode())
    headers = {**request.headers, "content-type": "text/plain; charset=iso-8859-1"}
    refused(trial, replace(request, headers=headers), MalformedInput)


def truncated_body_is_accounted_for(trial: Trial) -> None:
    body = trial.sample.encode()
    for part in range(1, 20):
        readable(trial, body[: len(body) * part // 20])


def deep_nesting_is_accounted_for(trial: Trial) -> None:
    readable(trial, b"[" * 50_000)
    readable(trial, b'{"a":' * 5_000 + b"1" + b"}" * 5_000)


def huge_number_is_accounted_for(trial: Trial) -> None:
    readable(trial, b"9" * 20_000)


def unknown_field_is_harmless(trial: Trial) -> None:
    payload = trial.payload
    if isinstance(payload, dict):
        events = readable(trial, trial.body({**payload, "brand_new_field": "x"}))
        demand(events is not None and len(events.messages) == 1, "an unknown field loses the message")


def missing_field_is_accounted_for(trial: Trial) -> None:
    payload = trial.payload
    for at in paths_in(payload):
        readable(trial, trial.body(changed(payload, at, lambda node, key: node.pop(key))))


def changed_type_is_accounted_for(trial: Trial) -> None:
    payload = trial.payload
    for at in paths_in(payload):
        values: tuple[Any, ...] = (None, 7, "x", [], {}, True)
        for value in values:
            readable(trial, trial.body(changed(payload, at, lambda node, key, new=value: node.__setitem__(key, new))))  # type: ignore[misc]


def emoji_and_other_scripts_arrive_intact(trial: Trial) -> None:
    for text in ("👋🏽 wo?", "أين طلبي؟", "在哪里", "e\u0301"):
        message = readable(trial, trial.saying(text))
        found = None if message is None or not message.messages else message.messages[0].text
        demand(found == text, f"{text!r} arrives as {found!r}")


def overlong_message_is_cut_and_goes_to_a_person(trial: Trial) -> None:
    limit = trial.settings.limits.message_chars_max
    events = readable(trial, trial.saying("x" * (limit + 500)))
    demand(events is not None and len(events.messages) == 1, "an overlong message is lost")
    assert events is not None, "just demanded"
    message = events.messages[0]
    demand(
        len(message.text) <= limit and message.needs_person is not None,
        "an overlong message goes on as if it were whole",
    )


def megabyte_is_accounted_for(trial: Trial) -> None:
    readable(trial, trial.saying("y" * 1_000_000))


def message_without_text_is_noted_for_a_person(trial: Trial) -> None:
    events = readable(trial, trial.saying(""))
    if events is not None:
        for message in events.messages:
            demand(message.needs_person is not None and message.text != "", "a message without text asks an agent")


def names_that_are_too_long_are_refused_or_cut(trial: Trial) -> None:
    message = trial.message()
    for name in (message.provider_id, message.external_id, message.address):
        body = trial.sample.replace(name, name * 600).encode() if len(name) > 2 else None
        events = None if body is None else readable(trial, body)
        for one in () if events is None else events.messages:
            demand(
                max(len(one.provider_id), len(one.external_id), len(one.address)) <= 500, "an overlong name is taken"
            )


def get_brings_nothing_in(trial: Trial) -> None:
    request = replace(trial.request(b""), method="GET")
    try:
        events = trial.built.read(request)
    except InputError:
        return
    demand(not events.messages and not events.reports, "a GET brings messages in")


def handshake_needs_its_token(trial: Trial) -> None:
    for handshake in trial.shape.handshakes:
        if handshake.method == "GET":
            request = replace(
                trial.request(b""),
                method="GET",
                url="http://x/webhooks?hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong",
            )
            events = readable_get(trial, request)
            demand(events is None or events.say is None, "a handshake is answered without its token")


def readable_get(trial: Trial, request: Any) -> Events | None:
    """What is read in a GET; None where it is refused."""
    try:
        return trial.built.read(request)
    except InputError:
        return None


def command_in_a_note_is_heard_once_and_nothing_else_is(trial: Trial) -> None:
    notes = trial.shape.notes
    if notes is None or notes.sample is None:
        return
    twice = [heard(notes.heard, trial.scope(notes.sample)) for _ in range(2)]
    demand([one.kind for one in twice[0]] == [RemarkKind.COMMAND], f"the sample of a command is heard as {twice[0]}")
    demand(twice[0] == twice[1], "two readings give two remarks")
    plain = heard(notes.heard, trial.scope(notes.sample.replace(twice[0][0].text, f"not {twice[0][0].text}")))
    demand(all(one.kind is not RemarkKind.COMMAND for one in plain), "a note that begins with no slash is a command")


# --- what goes out


def one(results: list[SendResult], *kinds: type[Any]) -> SendResult:
    """Fail unless the only result is of one of these kinds."""
    (result,) = results
    names = " or ".join(kind.__name__ for kind in kinds)
    demand(isinstance(result, kinds), f"came to {result}; expected {names}")
    return result


def taken_reply_is_accepted(trial: Trial) -> None:
    one(trial.sent(Server(answer(trial.fine, trial.taken))), Accepted)


def text_of_a_reply_is_data(trial: Trial) -> None:
    server = Server(answer(trial.fine, trial.taken))
    one(trial.sent(server, trial.entry(HOSTILE)), Accepted)
    head, body = server.requests[0]
    if not body:
        texts = [value for _, value in parse_qsl(urlsplit(head.split(" ")[1]).query)]
    elif "urlencoded" in head:
        texts = [value for _, value in parse_qsl(body.decode())]
    else:
        texts = list(_leaves(json.loads(body)))
    seen = [html.unescape(text.replace("<br>", "\n")) for text in texts]
    demand(any(HOSTILE in text for text in (*texts, *seen)), "the text does not arrive as it was written")


def address_of_a_customer_is_data(trial: Trial) -> None:
    server = Server(answer(trial.fine, trial.taken))
    for hostile in ("../../admin", "x?y=z#", "a\r\nx-evil: 1", "..", "%2e%2e", 'a","b":"c'):
        trial.sent(server, trial.entry(address=hostile, external_id=hostile))
    for head, _ in server.requests:
        demand("\nx-evil" not in head.lower(), "an address writes a header")
        path = head.split(" ")[1].partition("?")[0]
        demand("/admin" not in path and "/../" not in path, f"an address climbs: {path}")


def repeated_send_is_the_same_request(trial: Trial) -> None:
    server = Server(answer(trial.fine, trial.taken))
    trial.sent(server, trial.entry())
    trial.sent(server, trial.entry())
    demand(len(server.requests) == 2 and server.requests[0][1] == server.requests[1][1], "the second try differs")


def overlong_reply_is_rejected_unsent(trial: Trial) -> None:
    limit = trial.built.capabilities.chars_max
    if limit is not None:
        server = Server(answer(trial.fine, trial.taken))
        one(trial.sent(server, trial.entry("x" * (limit + 1))), Rejected)
        demand(server.requests == [], "an overlong reply was sent")


def answer_without_the_id_is_no_receipt(trial: Trial) -> None:
    if trial.shape.answer.provider_id:
        for body in (b"", b"{}", b"<html>", b'{"unexpected": 1}', b"[" * 1_000, trial.taken[: len(trial.taken) // 2]):
            one(trial.sent(Server(answer("200 OK", body))), Unknown, Retry, Rejected)


def too_many_requests_is_tried_again_when_it_says(trial: Trial) -> None:
    result = one(trial.sent(Server(answer("429 Too Many", b"{}", "retry-after: 7"))), Retry)
    demand(getattr(result, "after_s", None) == 7.0, f"Retry-After 7 is read as {getattr(result, 'after_s', None)}")


def server_error_is_never_a_blind_repeat(trial: Trial) -> None:
    expected = Retry if trial.built.capabilities.honours_keys else Unknown
    one(trial.sent(Server(answer("500 Oops", b"oops"))), expected)


def unavailable_is_tried_again(trial: Trial) -> None:
    one(trial.sent(Server(answer("503 Later"))), Retry)


def refusal_is_final(trial: Trial) -> None:
    for status in ("400 Bad", "401 Who", "403 No", "404 Where"):
        one(trial.sent(Server(answer(status))), Rejected)


def redirect_is_not_followed(trial: Trial) -> None:
    server = Server(answer("302 Found", b"", "location: http://127.0.0.1:9/elsewhere"))
    one(trial.sent(server), Rejected)


def broken_connection_is_unknown(trial: Trial) -> None:
    one(trial.sent(Server(None)), Unknown)


def silence_is_unknown(trial: Trial) -> None:
    one(trial.sent(Server(None, hold_s=5.0)), Unknown)


def nonsense_instead_of_http_is_unknown(trial: Trial) -> None:
    one(trial.sent(Server(b"nonsense\r\n\r\n")), Unknown)


def half_an_answer_is_no_receipt(trial: Trial) -> None:
    if trial.shape.answer.provider_id:
        whole = answer(trial.fine, trial.taken)
        one(trial.sent(Server(whole[:-5])), Unknown)


def dripping_answer_holds_nobody(trial: Trial) -> None:
    if trial.shape.answer.provider_id:
        one(trial.sent(Server(answer(trial.fine, trial.taken), drip_s=0.05)), Unknown)


def endless_answer_is_no_receipt(trial: Trial) -> None:
    if trial.shape.answer.provider_id:
        one(trial.sent(Server(answer("200 OK", b"x" * 200_000))), Unknown, Retry, Rejected)


def look_up_that_says_nothing_is_not_a_no(trial: Trial) -> None:
    if trial.shape.look_up is not None:
        for said in (b"", b"{}", b"<html>", b"null", b'{"renamed": []}'):
            (result,) = trial.sent(Server(answer("200 OK", said)), how="look_up")
            demand(isinstance(result, Unknown), f"a look-up answered with {said!r} came to {result}")


def look_up_that_fails_is_unknown(trial: Trial) -> None:
    if trial.shape.look_up is not None:
        for said in (answer("500 Oops"), answer("429 Slow"), None):
            one(trial.sent(Server(said), how="look_up"), Unknown)


def _leaves(node: Any) -> list[str]:
    if isinstance(node, str):
        return [node]
    inner = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return [leaf for one_of in inner for leaf in _leaves(one_of)]


_CASES = (
    message_is_read, same_message_twice_has_the_same_id, unsigned_is_refused, wrong_secret_is_refused,
    tampered_body_is_refused, replayed_after_an_hour_is_refused_where_the_scheme_has_a_time,
    each_header_of_the_signature_is_needed, empty_body_is_accounted_for, nonsense_is_accounted_for,
    other_json_is_accounted_for, body_that_is_not_utf8_is_refused, other_charset_is_refused,
    truncated_body_is_accounted_for, deep_nesting_is_accounted_for, huge_number_is_accounted_for,
    unknown_field_is_harmless, missing_field_is_accounted_for, changed_type_is_accounted_for,
    emoji_and_other_scripts_arrive_intact, overlong_message_is_cut_and_goes_to_a_person, megabyte_is_accounted_for,
    message_without_text_is_noted_for_a_person, names_that_are_too_long_are_refused_or_cut, get_brings_nothing_in,
    handshake_needs_its_token, command_in_a_note_is_heard_once_and_nothing_else_is, taken_reply_is_accepted, text_of_a_reply_is_data, address_of_a_customer_is_data,
    repeated_send_is_the_same_request, overlong_reply_is_rejected_unsent, answer_without_the_id_is_no_receipt,
    too_many_requests_is_tried_again_when_it_says, server_error_is_never_a_blind_repeat, unavailable_is_tried_again,
    refusal_is_final, redirect_is_not_followed, broken_connection_is_unknown, silence_is_unknown,
    nonsense_instead_of_http_is_unknown, half_an_answer_is_no_receipt, dripping_answer_holds_nobody,
    endless_answer_is_no_receipt, look_up_that_says_nothing_is_not_a_no, look_up_that_fails_is_unknown,
)  # fmt: skip
CASES: Mapping[str, Case] = {case.__name__: case for case in _CASES}
"""By name; each raises `CaseFailed` with what the channel did instead."""
