"""What `understudy doctor` says of channels: whether each can be built, is let in by its provider, and what it cannot promise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from understudy.doctor.result import Result
from understudy.errors import UnderstudyError
from understudy.ports.channel import Capabilities, Channel, Checked
from understudy.settings.channels import Remote
from understudy.settings.mail import Email
from understudy.settings.matrix import Matrix
from understudy.settings.model import ChannelSettings, Settings, WebChat, Webhook

CHANNEL_WITHIN_S = 10.0
CLOCK_OFF_S_MAX = 60.0
"""Signatures are refused from 300 s on; who is off by this much already will be by more."""
_SEE = "see docs/how-to/connect-a-channel.md"


def channels(settings: Settings) -> Iterator[Result]:
    """Look at every channel in the configuration."""
    from understudy.app import system_clock
    from understudy.connections import build_channel

    for name, channel in settings.channels.items():
        what = f"channels.{name}"
        try:
            built = build_channel(name, channel, system_clock(), settings)
        except UnderstudyError as error:
            yield Result(what=what, state="error", says=error.message, mend=_SEE)
            continue
        yield _standing(what, channel, built)
        if isinstance(built, Checked):
            yield asyncio.run(_reached(what, built, built))


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
    if isinstance(channel, WebChat) and not channel.disclosure.strip():
        says = "customers are not told that they talk to an AI"
        return Result(what=what, state="warning", says=says, mend="set disclosure")
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
    if not channel.disclosure.strip():
        return "customers are not told that they talk to an AI", "set disclosure"
    return None


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


async def _reached(what: str, channel: Channel, asks: Checked) -> Result:
    """Ask the provider whether it lets us in, and what time it has."""
    what = f"{what} provider"
    try:
        reached = await asyncio.wait_for(asks.check(), CHANNEL_WITHIN_S)
    except UnderstudyError as error:
        return Result(what=what, state="error", says=error.message, mend=_SEE)
    except TimeoutError:
        says = f"no answer within {CHANNEL_WITHIN_S:g} s"
        return Result(what=what, state="error", says=says, mend="see whether this machine reaches it")
    finally:
        await channel.close()
    ahead_s = reached.clock_ahead_s or 0.0
    if abs(ahead_s) > CLOCK_OFF_S_MAX:
        says = (
            f"{reached.says}, but this machine's clock is {abs(ahead_s):.0f} s {'ahead' if ahead_s > 0 else 'behind'}"
        )
        return Result(what=what, state="warning", says=says, mend="set the clock; signatures 300 s off are refused")
    return Result(what=what, state="ok", says=reached.says)
