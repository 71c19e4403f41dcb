"""The demo's agent for letters and the shop's app: it looks repairs up in the workshop's book. It knows nothing else, and who may
be told is not its business.

It keeps `POST /draft` as a Python function (docs/reference/draft.md), as an agent of your own may.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

NUMBER: Final = re.compile(r"\bR-\d{4}\b")
BOOK: Final = {
    "R-2041": {"number": "R-2041", "state": "finished", "parcel": "FX-77120", "email": "maren.holt@mail.example"},
}
"""What the workshop knows of each repair, by its number."""
BY_A_PERSON: Final = re.compile(r"\binstead\b|\bperson\b", re.IGNORECASE)


async def draft(request: dict[str, Any]) -> dict[str, Any]:
    """Answer what the customer wrote last; a repair they named before counts as named, on whatever channel that was."""
    said = [one["content"] for one in request["messages"] if one["role"] == "user"]
    elsewhere = [one["content"] for one in request.get("elsewhere", []) if one["role"] == "user"]
    last = said[-1] if said else ""
    if BY_A_PERSON.search(last):
        return {"text": "I cannot change that myself; a colleague can.", "topic": "order_changes", "handoff": True}
    number = next((found[-1] for text in reversed([*elsewhere, *said]) if (found := NUMBER.findall(text))), None)
    is_asked = "?" in " ".join(said)
    if number is None or number not in BOOK or not is_asked:
        return {"text": "Thank you for writing to us. We have noted it.", "topic": "contact"}
    repair = BOOK[number]
    call = {"id": f"call-{number}", "name": "get_repair", "arguments": json.dumps({"number": number})}
    text = f"Your repair {number} is {repair['state']} and left our workshop as parcel {repair['parcel']}."
    return {"text": text, "topic": "repairs", "tool_calls": [call | {"result": json.dumps(repair)}]}
