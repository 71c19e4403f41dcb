"""What a reviewer can do with the hold on the screen, one function per key; the server judges whether it still counts.

A verdict names the version that was on the screen. Where the server says that the hold moved on, the reviewer is told
and a text they wrote is printed, so that it is not lost with it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Literal

from rich.panel import Panel

from understudy.cli.plain_text import shown
from understudy.cli.review_chat import chat
from understudy.cli.review_claim import GONE_STATUS, why_gone
from understudy.cli.review_desk import Desk, Look
from understudy.cli.word_diff import word_diff
from understudy.client.errors import ApiError, ClientError
from understudy.client.models import ActionChoice, Decided

REJECT_REASONS = (
    ("wrong_information", "says something wrong"),
    ("not_answered", "does not answer the question"),
    ("incomplete", "leaves out something important"),
    ("unbacked_promise", "promises what we may not do"),
    ("wrong_tone", "wrong tone"),
    ("exposes_data", "shows data it must not show"),
    ("needs_person", "a person must handle this"),
)
"""The reasons a draft is refused for: the code that is stored, and the words on the chip."""

TOPIC_CHARS_MAX = 200

Outcome = Literal["next", "stay", "quit"]
"""Whether the next hold comes, or this one stays on the screen, or the reviewer leaves."""


def _approve(desk: Desk, look: Look) -> Outcome:
    return _settle(
        desk,
        look,
        "approve",
        lambda: desk.client.approve(look.id, version=look.version, topic=look.topic, actions=look.choices),
    )


def _edit(desk: Desk, look: Look) -> Outcome:
    draft, win_back = look.detail.turn.draft, look.detail.win_back
    before = (win_back.text or "") if win_back is not None else draft.text if draft else ""
    return _compose(
        desk,
        look,
        "edit",
        before,
        lambda text: desk.client.edit(look.id, text, version=look.version, topic=look.topic, actions=look.choices),
    )


def _respond(desk: Desk, look: Look) -> Outcome:
    return _compose(
        desk,
        look,
        "respond",
        "",
        lambda text: desk.client.respond(look.id, text, version=look.version, topic=look.topic, actions=look.choices),
    )


def _reject(desk: Desk, look: Look) -> Outcome:
    for number, (_, chip) in enumerate(REJECT_REASONS, start=1):
        desk.say(f"  {number} {chip}")
    chosen: list[int] = []
    while not chosen:
        line = desk.ask_line("Why? Numbers such as 1 3; Enter alone leaves it: ")
        if not line:
            desk.say("Left as it is; nothing was decided.")
            return "stay"
        words = line.replace(",", " ").split()
        if all(word.isdecimal() and 1 <= int(word) <= len(REJECT_REASONS) for word in words):
            chosen = sorted({int(word) for word in words})
        else:
            desk.say(f"Only numbers from 1 to {len(REJECT_REASONS)}, with spaces between them.", "bold yellow")
    remark = desk.ask_line("Anything to add for your colleagues? Enter alone: nothing. ") or None
    reasons = [REJECT_REASONS[number - 1][0] for number in chosen]
    return _settle(
        desk,
        look,
        "reject",
        lambda: desk.client.reject(look.id, version=look.version, reasons=reasons, text=remark, topic=look.topic),
    )


def _dismiss(desk: Desk, look: Look) -> Outcome:
    return _settle(desk, look, "dismissed", lambda: desk.client.reject(look.id, version=look.version))


def _take_over(desk: Desk, look: Look) -> Outcome:
    outcome = _settle(
        desk, look, "take_over", lambda: desk.client.take_over(look.id, version=look.version, topic=look.topic)
    )
    if look.claim.is_decided and not look.claim.was_planted:
        chat(desk.client, desk.console, desk.keys, look.detail.conversation)
    return outcome


def _name_topic(desk: Desk, look: Look) -> Outcome:
    """Note what the turn is about; it goes along with the verdict."""
    said = desk.ask_line("What is it about? One topic, or unknown; Enter alone leaves it: ")
    if len(said) > TOPIC_CHARS_MAX:
        desk.say(f"At most {TOPIC_CHARS_MAX} characters; left as it was.", "bold yellow")
    elif said:
        look.topic = said
        desk.say(f"Topic: {said}. It goes along with your verdict.")
    return "stay"


def _choose_actions(desk: Desk, look: Look) -> Outcome:
    """Note which of the proposed actions are to be done; it goes along with the verdict."""
    proposed = [one for one in look.detail.turn.actions if one.state == "proposed"]
    if not proposed:
        desk.say("No action waits for a word of yours.")
        return "stay"
    for number, one in enumerate(proposed, start=1):
        desk.say(f"  {number} {one.name} {json.dumps(dict(one.arguments), ensure_ascii=False, sort_keys=True)}")
    line = desk.ask_line("Which shall be done? Numbers such as 1 3, 0 for none; Enter alone leaves it: ")
    words = line.replace(",", " ").split()
    if not all(word.isdecimal() and int(word) <= len(proposed) for word in words):
        desk.say(f"Only numbers from 0 to {len(proposed)}, with spaces between them; left as it was.", "bold yellow")
    elif words:
        chosen = {int(word) for word in words}
        look.choices = tuple(
            ActionChoice(id=one.id, let_through=number in chosen) for number, one in enumerate(proposed, start=1)
        )
        done = ", ".join(one.name for number, one in enumerate(proposed, start=1) if number in chosen)
        desk.say(f"To be done: {done or 'none'}. It goes along with e (edit) or p (own words).")
    return "stay"


def _send_again(desk: Desk, look: Look) -> Outcome:
    if desk.choose(look.claim, _SEND_AGAIN, "yn") != "y":
        return "stay"
    return _settle(desk, look, "sent_again", lambda: desk.client.approve(look.id, version=look.version))


def _did_arrive(desk: Desk, look: Look) -> Outcome:
    if desk.choose(look.claim, _DID_ARRIVE, "yn") != "y":
        return "stay"
    return _settle(desk, look, "found_arrived", lambda: desk.client.reject(look.id, version=look.version))


def _do_it(desk: Desk, look: Look) -> Outcome:
    if desk.choose(look.claim, _DO_IT, "yn") != "y":
        return "stay"
    return _settle(desk, look, "done_again", lambda: desk.client.approve(look.id, version=look.version))


def _was_done(desk: Desk, look: Look) -> Outcome:
    if desk.choose(look.claim, _WAS_DONE, "yn") != "y":
        return "stay"
    return _settle(desk, look, "found_done", lambda: desk.client.reject(look.id, version=look.version))


_DO_IT = "Do it now? It is done twice if it was done already. y / n "
_WAS_DONE = "Was it done? The reply that rests on it leaves then. y / n "
_SEND_AGAIN = "Send it again? The customer may get it twice if it did arrive. y / n "
_DID_ARRIVE = "Did it reach the customer? It is then never sent again. y / n "

Action = Callable[[Desk, Look], Outcome]
_OWN_WORDS: dict[str, tuple[str, Action]] = {
    "p": ("own words", _respond),
    "t": ("take over", _take_over),
    "o": ("topic", _name_topic),
}
_ON_DRAFTS: dict[str, tuple[str, Action]] = {
    "a": ("approve", _approve),
    "e": ("edit", _edit),
    "r": ("reject", _reject),
}
ACTIONS: dict[str, dict[str, tuple[str, Action]]] = {
    "draft": {**_ON_DRAFTS, **_OWN_WORDS, "x": ("actions", _choose_actions)},
    "win_back": {
        "a": ("send", _approve),
        "e": ("edit", _edit),
        "r": ("not needed", _dismiss),
        "t": ("take over", _take_over),
    },
    "audit": _ON_DRAFTS,
    "second": _ON_DRAFTS,
    "redraft": _ON_DRAFTS,
    "hand_off": _OWN_WORDS,
    "unsure_send": {"a": ("did not arrive: send again", _send_again), "r": ("did arrive", _did_arrive)},
    "unsure_action": {"a": ("was not done: do it", _do_it), "r": ("was done", _was_done)},
}


def _compose(desk: Desk, look: Look, what: str, before: str, send: Callable[[str], Decided]) -> Outcome:
    """Let the reviewer write a text, starting from `before`; show it, ask, and send it."""
    text = before
    while True:
        changed = desk.edit_text(text)
        if changed is None or not changed.strip():
            desk.say("Left as it is; nothing was sent.")
            return "stay"
        if changed == before:
            desk.say("You changed nothing; a sends the draft as it is.")
            return "stay"
        text = changed
        body, title = (word_diff(before, text), "Your changes") if before else (shown(text), "Your answer")
        desk.console.print(Panel(body, title=title, title_align="left"))
        key = desk.choose(look.claim, "Send this? y / n / e (edit again) ", "yne")
        if key is None:
            return gone(desk, look, text)
        if key == "n":
            desk.say("Nothing was sent.")
            return "stay"
        if key == "y":
            return _settle(desk, look, what, partial(send, text), text)


def _settle(desk: Desk, look: Look, what: str, call: Callable[[], Decided], text: str | None = None) -> Outcome:
    """Pass the verdict on; say what came of it."""
    try:
        decided = call()
    except ApiError as error:
        if error.status in GONE_STATUS:
            look.claim.lost = why_gone(desk.client, look.id, error)
            return gone(desk, look, text)
        desk.say(f"Not taken: {error.detail}", "bold red")
        _keep(desk, text)
        return "stay"
    except ClientError as error:
        desk.say(f"{error}\nIt is not known whether this was taken; deciding again is safe.", "bold red")
        _keep(desk, text)
        return "stay"
    look.claim.decided()
    desk.tally[what] += 1
    if decided.turn.state == "spent":
        look.claim.was_planted = True
        desk.say(
            "✓ This draft was known to be bad and planted, to see whether it is noticed; nothing is sent.", "green"
        )
    elif decided.turn.state == "redrafted":
        desk.say(f"✓ {what}: counted for the new version; nothing is sent.", "green")
    else:
        desk.say(f"✓ {what.replace('_', ' ')}: the turn is now {decided.turn.state.replace('_', ' ')}.", "green")
    return "next"


def gone(desk: Desk, look: Look, text: str | None = None) -> Outcome:
    """Tell the reviewer that the hold moved on, and keep their text."""
    desk.say(f"! {look.claim.lost} Nothing was sent.", "bold yellow")
    desk.tally["gone"] += 1
    _keep(desk, text)
    return "next"


def _keep(desk: Desk, text: str | None) -> None:
    if text is not None:
        desk.console.print(Panel(shown(text), title="Your text, which was not sent", title_align="left"))
