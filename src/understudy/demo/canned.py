"""The demo's canned replies: its lead writes them over the HTTP API, as in any business. Nobody sends them by themselves."""

from __future__ import annotations

from typing import Final

import httpx2

CONFLICT: Final = 409
CANNED: Final = {
    "Ask for the order number": (
        "Hello {first_name},\n\nso that I can look into it: what is your order number? It stands in the e-mail that "
        "confirmed your order.\n\n{reviewer}, {business}"
    ),
    "Sorry for the wait": (
        "Hello {first_name},\n\nI am sorry that you had to wait. I am looking into it myself now and will write to you "
        "here today.\n\n{reviewer}"
    ),
    "How to send something back": (
        "Hello {first_name},\n\nyou can send it back within 60 days of delivery, unworn and with its labels on. The "
        "return label is in your account, under Orders.\n\n{reviewer}, {business}"
    ),
    "Passed on to the repair workshop": (
        "Hello {first_name},\n\nI have passed your message to our repair workshop. They will write to you with an estimate, "
        "which is not binding.\n\n{reviewer}"
    ),
    "Call us": (
        "Hello {first_name},\n\nthis is quicker by telephone: you reach us free of charge on 0808 157 0142.\n\n"
        "{reviewer}, {business}"
    ),
}
"""By name; the words in braces are filled in where a reply is used."""


async def write_canned(url: str, lead_key: str) -> None:
    """Write them; in a kept database those that are there already stay as they are."""
    async with httpx2.AsyncClient(base_url=url, timeout=30, headers={"Authorization": f"Bearer {lead_key}"}) as http:
        for name, text in CANNED.items():
            answer = await http.post("/v1/desk/canned", json={"name": name, "text": text})
            if answer.status_code != CONFLICT:
                answer.raise_for_status()
