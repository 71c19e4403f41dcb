"""The demo's other agent: it hands over finished drafts by the API, with the mistakes that agents make; it reads no reply.

The drafts are turn records (`business/drafts.jsonl`), each with a `note` of what is wrong with it.
"""

from __future__ import annotations

import asyncio
import json
from functools import cache
from importlib.resources import files
from typing import Any

from understudy.client.client import AsyncClient

PAUSE_S = 0.4


@cache
def load_drafts() -> tuple[dict[str, Any], ...]:
    """Read the bundled turn records."""
    text = files(__package__).joinpath("business", "drafts.jsonl").read_text(encoding="utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


async def hand_over(client: AsyncClient, *, pace: float) -> None:
    """Hand over every draft, one after the other; `pace` stretches the pauses."""
    for record in load_drafts():
        await client.submit_turn({name: value for name, value in record.items() if name != "note"})
        await asyncio.sleep(PAUSE_S * pace)
