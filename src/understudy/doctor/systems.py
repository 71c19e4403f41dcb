"""What `understudy doctor` says of systems of record: whether each can be built, is reached, lets us in, and what it cannot promise."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from understudy.doctor.channels import CLOCK_OFF_S_MAX
from understudy.doctor.result import Result
from understudy.errors import UnderstudyError
from understudy.ports.system import System
from understudy.records.facts import ABOUT
from understudy.settings.model import Settings
from understudy.settings.systems import System as SystemSettings

SYSTEM_WITHIN_S = 10.0
_SEE = "see docs/how-to/connect-a-system.md"


def systems(settings: Settings) -> Iterator[Result]:
    """Look at every system in the configuration."""
    from understudy.app import system_clock
    from understudy.turning import systems_of

    try:
        built = systems_of(settings, system_clock())
    except UnderstudyError as error:
        yield Result(what="systems", state="error", says=error.message, mend=_SEE)
        return
    for name, system in settings.systems.items():
        what = f"systems.{name}"
        yield _standing(what, system, built[name])
        yield asyncio.run(_reached(f"{what} server", built[name]))


def _standing(what: str, system: SystemSettings, built: System) -> Result:
    """What the configuration alone says of a system."""
    can = [about for about in ABOUT if about in system.reads and built.can_look_up(about)]
    if system.hand_offs and not built.can_write("create"):
        return Result(what=what, state="error", says="cannot open tickets for hand-offs", mend="describe `create`")
    untold = [one for one in system.tells or () if not built.can_write(one)] if system.hand_offs else []
    if untold:
        says = f"its tickets cannot be told {untold[0]!r}"
        return Result(what=what, state="error", says=says, mend=f"describe `{untold[0]}`, or leave it out of `tells`")
    if system.hand_offs and not (built.honours_keys("create") or built.can_find("create")):
        says = "a ticket of unknown outcome can neither be repeated nor looked up, so it waits for a person"
        return Result(what=what, state="warning", says=says, mend="describe `create.find`, if it can be asked")
    if not can and not system.hand_offs:
        return Result(what=what, state="warning", says="nothing is read and no ticket is opened", mend=_SEE)
    told = [f"reads {', '.join(can)}"] if can else []
    told += ["opens a ticket for each hand-off"] if system.hand_offs else []
    return Result(what=what, state="ok", says="; ".join(told))


async def _reached(what: str, system: System) -> Result:
    """Ask whether it lets us in, and what time it has."""
    try:
        reached = await asyncio.wait_for(system.check(), SYSTEM_WITHIN_S)
    except UnderstudyError as error:
        return Result(what=what, state="error", says=error.message, mend=_SEE)
    except TimeoutError:
        says = f"no answer within {SYSTEM_WITHIN_S:g} s"
        return Result(what=what, state="error", says=says, mend="see whether this machine reaches it")
    finally:
        await system.close()
    ahead_s = reached.clock_ahead_s or 0.0
    if abs(ahead_s) > CLOCK_OFF_S_MAX:
        way = "ahead" if ahead_s > 0 else "behind"
        says = f"{reached.says}, but this machine's clock is {abs(ahead_s):.0f} s {way}"
        return Result(what=what, state="warning", says=says, mend="set the clock: facts are fresh or stale by it")
    return Result(what=what, state="ok", says=reached.says)
