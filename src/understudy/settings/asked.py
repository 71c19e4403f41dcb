"""Which agents are asked on which channel, as the settings say; it builds none and asks none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from understudy.errors import ConfigurationError
from understudy.settings.model import Settings

A = TypeVar("A")


def agents_asked(settings: Settings, agents: Mapping[str, A]) -> dict[str, tuple[A, ...]]:
    """The agents to ask, the first preferred, by channel; "" is every channel that names none.

    Entries that are versions of another agent are asked by their releases and named by nobody. Raises
    `ConfigurationError` where a name is not that of an agent, or where none is chosen among several.
    """
    own = [name for name in agents if settings.agents[name].release_of is None]
    first = settings.drafting.agent or (own[0] if len(own) == 1 else None)
    if first is None and own:
        raise ConfigurationError(f"drafting.agent: say which of the agents drafts: {', '.join(sorted(own))}")
    fallback = settings.drafting.fallback
    wanted = {"": first} | {
        name: channel.agent for name, channel in settings.channels.items() if channel.agent is not None
    }
    for where, name in [*wanted.items(), ("drafting.fallback", fallback)]:
        if name is not None and name not in own:
            raise ConfigurationError(f"{where or 'drafting.agent'}: there is no agent {name!r}; {sorted(own)} exist")
    return {
        channel: tuple(agents[name] for name in dict.fromkeys((preferred, fallback)) if name is not None)
        for channel, preferred in wanted.items()
    }
