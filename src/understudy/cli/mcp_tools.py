"""`understudy mcp`: offer the declared actions as MCP tools on standard input and output; calls of them only propose."""

from __future__ import annotations

import asyncio

from understudy.cli.output import ConfigOption, read_settings
from understudy.errors import ConfigurationError


def mcp(config: ConfigOption = None) -> None:
    """Offer the declared actions to an agent as MCP tools on standard input and output, until the input ends."""
    from understudy.web.mcp_face import over_standard_streams

    settings, _ = read_settings(config)
    if not settings.actions.declared:
        raise ConfigurationError("there is no action to offer: declare one as [actions.NAME]")
    asyncio.run(over_standard_streams(settings))
