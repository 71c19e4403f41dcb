"""What `understudy doctor` says of channels: whether each can be built, is let in by its provider, and what it cannot promise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Literal

from understudy.doctor.result import Result
from understudy.errors import UnderstudyError
from understudy.ports.channel import Capabilities, Channel, Checked, Inspected, KeepsNotes
from understudy.records.disclosure import ChannelDisclosure, Shown
from understudy.settings.channels import Desk, Remote
from understudy.settings.disclosed import disclosures_of
from understudy.settings.mail import Email
from understudy.settings.matrix import Matrix
from understudy.settings.model import ChannelSettings, Settings, Webhook

CHANNEL_WITHIN_S = 20.0
CLOCK_OFF_S_MAX = 60.0
"""Signatures are refused from 300 s on; who is off by this much already will be by more."""
_TELL = "docs/how-to/tell-customers-it-is-ai.md"
_SEE = "see docs/how-to/connect-a-channel.md"


def channels(settings: Settings) -> Iterator[Result]:
    """Look at every channel in the configuration."""
    from understudy.app import system_clock
    from understudy.connections import build_channel

    try:
        disclosed = disclosures_of(settings)
    except ValueError as error:
        yield Result(what="disclosure", state="error", says=str(error), mend="correct it in understudy.toml")
        return
    for name, channel in settings.channels.items():
        what = f"channels.{name}"
        try:
            built = build_channel(name, channel, system_clock(), settings)
        except UnderstudyError as error:
            yield Result(what=what, state="error", says=error.message, mend=_SEE)
            continue
        yield _standing(what, channel, built)
        yield from _disclosed(what, disclosed.get(name))
        yield from _notes(what, channel, built)
        if isinstance(built, Checked):
            yield from asyncio.run(_reached(what, built, built))


def _standing(what: str, channel: ChannelSettings, built: Channel) -> Result:
    """What the configuration alone says of a channel."""
    if isinstance(channel, Webhook | Remote) and channel.insecure:
        says = "accepts unsigned requests: anybody can write as a customer"
        return Result(what=what, state="error", says=says, mend="set secrets")
    if isinstance(channel, Webhook) and not channel.honours_keys:
        return Result(
            what=what,
            state="warning",
            says="does not honour keys: a send whose outcome is unknown waits for a person",
            mend="let the receiver ignore a repeated webhook-id and set honours_keys = true",
        )
    if isinstance(channel, Email) and (doubt := _doubt(channel)) is not None:
        says, mend = doubt
        return Result(what=what, state="warning", says=says, mend=mend)
    says = channel.kind
    if isinstance(channel, Remote | Email | Matrix):
        says = f"{channel.kind}: {'; '.join(_promises(built.capabilities))}"
    return Result(what=what, state="ok", says=says)


def _doubt(channel: Email) -> tuple[str, str] | None:
    """What a mailbox's configuration leaves open, and what to do."""
    if channel.unproven == "answer":
        return "anybody can write in a customer's name: senders nobody vouches for are answered", (
            'set trusted_host and unproven = "review"'
        )
    if channel.trusted_host is None:
        return "no sender is proven, so a person reviews every draft", "set trusted_host to your mail server's name"
    return None


def _disclosed(what: str, how: ChannelDisclosure | None) -> Iterator[Result]:
    """Whether customers of a channel are told that an AI writes to them."""
    what = f"{what} disclosure"
    if how is None:
        says = "customers are not told that they talk to an AI"
        yield Result(what=what, state="warning", says=says, mend='set disclosure.shown = "message"; see ' + _TELL)
    elif how.shown is Shown.CHANNEL:
        words = how.texts[how.language].text
        yield Result(what=what, state="ok", says=f"what the channel itself shows: {words!r}")
    else:
        yield Result(what=what, state="ok", says=f"before the agent's first reply, in {', '.join(sorted(how.texts))}")


def _promises(can: Capabilities) -> Iterator[str]:
    if can.honours_keys:
        yield "a send of unknown outcome is repeated under its key"
    elif can.can_look_up:
        yield "a send of unknown outcome is looked up"
    else:
        yield "a send of unknown outcome waits for the provider's report or a person"
    if can.window_s is not None:
        yield f"replies for {can.window_s / 3600:g} h after the customer's last message"
    if not can.keeps_order:
        yield "the provider may deliver a later reply first"


def _notes(what: str, channel: ChannelSettings, built: Channel) -> Iterator[Result]:
    """What a help desk's notes lack."""
    if not isinstance(channel, Desk) or channel.review == "console" or not isinstance(built, KeepsNotes):
        return
    what, mend = f"{what} notes", "see docs/how-to/review-in-your-help-desk.md"
    if not built.knows_authors and not channel.colleagues:
        yield Result(what=what, state="error", says="nobody over there can be known, so no command counts", mend=mend)
    elif not built.knows_authors:
        says = "authors are known by configured ids alone, and a note of unknown outcome is not looked for"
        yield Result(what=what, state="warning", says=says, mend="set notes_token")
    else:
        yield Result(what=what, state="ok", says=f"drafts are shown in them ({channel.review})")


async def _reached(place: str, channel: Channel, asks: Checked) -> list[Result]:
    """Ask the provider whether it lets us in, how the channel is set up there, and what time it has."""
    what = f"{place} provider"
    try:
        reached = await asyncio.wait_for(asks.check(), CHANNEL_WITHIN_S)
    except UnderstudyError as error:
        return [Result(what=what, state="error", says=error.message, mend=_SEE)]
    except TimeoutError:
        says = f"no answer within {CHANNEL_WITHIN_S:g} s"
        return [Result(what=what, state="error", says=says, mend="see whether this machine reaches it")]
    finally:
        await channel.close()
    further = [_inspected(place, one) for one in reached.inspected]
    ahead_s = reached.clock_ahead_s or 0.0
    if abs(ahead_s) > CLOCK_OFF_S_MAX:
        says = (
            f"{reached.says}, but this machine's clock is {abs(ahead_s):.0f} s {'ahead' if ahead_s > 0 else 'behind'}"
        )
        mend = "set the clock; signatures 300 s off are refused"
        return [Result(what=what, state="warning", says=says, mend=mend), *further]
    return [Result(what=what, state="ok", says=reached.says), *further]


def _inspected(what: str, seen: Inspected) -> Result:
    """One thing as the provider has it; what is not as it should be may have a reason that nobody can see from here."""
    state: Literal["ok", "warning"] = "ok" if seen.is_well else "warning"
    return Result(what=f"{what} {seen.what}", state=state, says=seen.says, mend="" if seen.is_well else seen.mend)
