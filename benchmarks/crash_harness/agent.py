"""The fake agent of the crash harness: it repeats the numbers of the customer's messages that wait for an answer.

It takes up to 30 ms, so that processes are also killed while it is being asked. It calls no model.
"""

from __future__ import annotations

import asyncio
import random
import re
from typing import Any

THINKS_S_MAX = 0.03
NUMBER = re.compile(r"\b[0-9]{7,10}\b")


async def draft(request: dict[str, Any]) -> dict[str, Any]:
    """Answer the messages since the last reply; the form of request and answer is that of `POST /draft`."""
    await asyncio.sleep(random.random() * THINKS_S_MAX)
    waiting: list[str] = []
    for message in reversed(request["messages"]):
        if message["role"] != "user":
            break
        waiting.extend(NUMBER.findall(message["content"]))
    # Numbers side by side could be taken for those of a card, and would be masked.
    return {"text": f"Your parcels {' and '.join(reversed(waiting))} are on their way."}
