"""The fake agent that every measured system asks in its own process; it knows one answer and calls no model.

It answers after `BENCH_AGENT_MS` milliseconds (default 0) with a draft that rests on a passage, so that checks which
read it have something to read.
"""

from __future__ import annotations

import asyncio
import os
import re
from typing import Any

AGENT_S = float(os.environ.get("BENCH_AGENT_MS", "0")) / 1000
_ORDER = re.compile(r"\b[0-9]{7,10}\b")


async def draft(request: dict[str, Any]) -> dict[str, Any]:
    """Answer the last message; the form of request and answer is that of `POST /draft`."""
    if AGENT_S:
        await asyncio.sleep(AGENT_S)
    return answer(request["messages"][-1]["content"])


def answer(question: str) -> dict[str, Any]:
    """The one answer, about the order that the question names."""
    found = _ORDER.search(question)
    order = found[0] if found else "unknown"
    return {
        "text": f"Order {order} left our warehouse on Monday and should reach you within three working days. "
        "You can follow the parcel in your account under Orders.",
        "sources": [
            {
                "id": "kb-shipping",
                "title": "Shipping",
                "text": f"Order {order} left the warehouse on Monday. Parcels should reach customers within three "
                "working days. Customers can follow a parcel in their account under Orders.",
                "score": 0.82,
            }
        ],
    }
