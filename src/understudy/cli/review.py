"""The review terminal: one hold after another, decided by single keys; it shows and asks, the server judges.

The hold on the screen is anchored by its id and its version. Where it moves on meanwhile, the reviewer is told at
once and nothing is sent.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice

from rich.console import Console
from rich.text import Text

from understudy.cli.editor import edit_in_editor, editor_command
from understudy.cli.keyboard import Keyboard, TerminalKeyboard
from understudy.cli.review_claim import GONE_STATUS, HEARTBEAT_S, Claim
from understudy.cli.review_desk import Desk, Look, ReviewClient
from understudy.cli.review_screen import screen
from understudy.cli.review_verdicts import ACTIONS, Outcome, gone
from understudy.client.errors import ApiError, ServerUnreachable
from understudy.client.models import Hold

QUEUE_SHOWN_MAX = 200
"""How far the queue is read to say where a hold stands in it."""
QUEUE_POLL_S = 2.0
"""How soon something new in an empty queue is shown."""

_EVERYWHERE = {"s": "skip", "m": "more", "q": "quit", "?": "help"}
_HELP = """\
a  approve: the draft goes to the customer as it is
e  edit: change the draft in your editor, see the difference, then send it
r  reject: say why; the draft is not sent and a person answers
p  own words: write the answer yourself
t  take over: write with the customer directly, until you hand back
x  actions: say which of the proposed actions shall be done; it goes along with your own or edited text
o  topic: say what it is about, where the agent or the system does not know or is wrong
s  skip: leave it to others, or until the end of the queue     m  more: everything uncut
q  quit: what is on the screen is released                     ?  this help
Where a customer waits for a person there is no draft to send: p or t.
Where nobody knows whether a message arrived: a sends it again, r says that it did arrive.
Where a new version drafted for a past turn, nothing is sent: a, e and r say how good that draft is."""


def run_review(
    client: ReviewClient,
    console: Console,
    keys: Keyboard,
    *,
    edit_text: Callable[[str], str | None] | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),  # noqa: TID251 - a terminal has no Clock port
    heartbeat_s: float = HEARTBEAT_S,
) -> Counter[str]:
    """Work through the queue until q, Ctrl-C or the end of input; returns how often each thing was done.

    `edit_text` takes a text and returns what it was changed to, None where it was left; without it `$VISUAL` or
    `$EDITOR` is opened at a terminal, and elsewhere a line is asked for. Raises `ApiError` where the key may not
    review.
    """
    edit_text = edit_text or _editing(console, keys)
    desk = Desk(client=client, console=console, keys=keys, edit_text=edit_text, now=now, heartbeat_s=heartbeat_s)
    try:
        while _one_round(desk):
            pass
    except (EOFError, KeyboardInterrupt):
        pass
    done = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in sorted(desk.tally.items()))
    desk.say(f"\nDone: {done or 'nothing decided'}.", "bold")
    return desk.tally


def _one_round(desk: Desk) -> bool:
    """Show the next hold and let the reviewer decide; False where they quit."""
    try:
        found = _next_hold(desk)
        if found is None:
            return _wait_for_more(desk)
        desk.idle_note = ""
        hold, place = found
        detail = desk.client.hold(hold.id)
        with Claim(desk.client, detail.hold, heartbeat_s=desk.heartbeat_s) as claim:
            return _decide(desk, Look(detail=detail, claim=claim, place=place)) != "quit"
    except ServerUnreachable as error:
        return _idle(desk, f"{error}\nAny key tries again, q ends.") != "q"
    except ApiError as error:
        if error.status not in GONE_STATUS and not error.is_retryable:
            raise
        return _idle(desk, f"{error}\nAny key tries again, q ends.") != "q"


def _next_hold(desk: Desk) -> tuple[Hold, str] | None:
    """Claim the first hold that is neither skipped nor a colleague's, and say where in the queue it is."""
    queue = list(islice(desk.client.holds(), QUEUE_SHOWN_MAX))
    total = f"{len(queue)}+" if len(queue) == QUEUE_SHOWN_MAX else str(len(queue))
    desk.skipped &= {hold.id for hold in queue}
    for position, hold in enumerate(queue, start=1):
        if hold.id in desk.skipped:
            continue
        try:
            claimed = desk.client.claim(hold.id)
        except ApiError as error:
            if error.status in GONE_STATUS:
                continue
            raise
        if claimed.state == "open":
            return claimed, f"{position} of {total}"
    return None


def _wait_for_more(desk: Desk) -> bool:
    if not desk.skipped:
        return _idle(desk, "Nothing waits for you. New holds appear here by themselves; q ends.") != "q"
    key = _idle(desk, f"Only what you skipped is left ({len(desk.skipped)}). Any key shows it again, q ends.")
    if key is not None:
        desk.skipped.clear()
    return key != "q"


def _idle(desk: Desk, note: str) -> str | None:
    """Say why nothing is on the screen, once, and wait a little for a key."""
    if note != desk.idle_note:
        desk.say(note, "bold")
        desk.idle_note = note
    key = desk.keys.key(QUEUE_POLL_S)
    if key is not None:
        desk.idle_note = ""
    return key


def _decide(desk: Desk, look: Look) -> Outcome:
    actions = ACTIONS.get(look.detail.hold.kind, ACTIONS["draft"])
    _show(desk, look)
    desk.keys.discard_typed()
    while True:
        key = desk.key(look.claim)
        outcome: Outcome = "stay"
        if key is None:
            return gone(desk, look)
        elif key in actions:
            outcome = actions[key][1](desk, look)
        elif key == "s":
            desk.skipped.add(look.id)
            desk.tally["skipped"] += 1
            return "next"
        elif key == "m":
            _show(desk, look, everything=True)
            continue
        elif key == "q":
            return "quit"
        elif key == "?":
            desk.say(_HELP)
        else:
            continue  # a key without a meaning here
        if outcome != "stay":
            return outcome
        _prompt(desk, look)


def _show(desk: Desk, look: Look, *, everything: bool = False) -> None:
    desk.console.print(screen(look.detail, place=look.place, now=desk.now(), everything=everything))
    _prompt(desk, look)


def _prompt(desk: Desk, look: Look) -> None:
    actions = ACTIONS.get(look.detail.hold.kind, ACTIONS["draft"])
    if not look.detail.turn.actions:
        actions = {key: one for key, one in actions.items() if key != "x"}
    line = Text()
    for key, words in {**{key: words for key, (words, _) in actions.items()}, **_EVERYWHERE}.items():
        line.append(f" {key} ", style="reverse").append(f" {words} ")
    desk.console.print(line)


def _editing(console: Console, keys: Keyboard) -> Callable[[str], str | None]:
    command = editor_command(os.environ)
    if command is not None and isinstance(keys, TerminalKeyboard):
        return lambda text: edit_in_editor(text, command)

    def ask(_text: str) -> str | None:
        console.print(Text("Write the whole text in one line (set EDITOR to use an editor); Enter alone leaves it."))
        return keys.line() or None

    return ask
