"""A business in full swing, to be looked at: the demo's story to its end, then a morning's queue, all through public APIs.

It is served from a thread of its own. Nothing here judges.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2

from understudy.demo.other_agent import load_drafts
from understudy.demo.run import Running, play, serving
from understudy.records.access import Role
from understudy.web.users import add_user, change_user, make_user, make_user_of

ADMIN, PASSWORD = "Lena Brandt", "correct horse battery"
PEOPLE = {ADMIN: Role.ADMIN, "Ines Duarte": Role.REVIEWER, "Rob Marsh": Role.REVIEWER, "Olga Petrova": Role.AUDITOR}
BY_PROVIDER = {"Tom Ashby": Role.REVIEWER, "Priya Nair": Role.LEAD, "Jan Visser": Role.RELEASER}
ISSUER = "https://login.fernway.example"
WITHIN_S = 600.0
QUESTIONS = (
    ("Jonas Weber", "Can I return boots that I wore once on a walk?"),
    ("Aisha Rahman", "Do you repair the zip of a jacket, and what does it cost?"),
    ("Tomasz Nowak", "Which size of backpack fits somebody who is 1.90 m tall?"),
    ("Chloé Martin", "My parcel came damaged. What should I do now?"),
    ("Peter Lindqvist", "How long is the warranty on tents?"),
    ("Sofia Ricci", "I lost my receipt. Can I still exchange the jacket for a smaller size?"),
    ("Noah Adeyemi", "Please change the address of my order, I moved last week."),
    ("Greta Sund", "How do I make my rain jacket waterproof again?"),
)
"""What customers ask in the web chat, on topics where a person looks at every draft."""
PERSON_WANTED = ("Elin Berg", "I want to talk to a person about the tent you sent me, please.")
SHOWN = {
    "id": "pictures-shown",
    "conversation_id": "pictures-shown",
    "topic": "returns",
    "contact": {"id": "k-104", "name": "Maren Holt", "emails": ["maren@mail.example"]},
    "messages": [
        {
            "role": "user",
            "content": "I sent my boots back nine days ago (order FW-20391). Where is my refund, and who pays for the label?",
        },
    ],
    "draft": {
        "text": "Your refund of £129.90 for order FW-20391 is on its way. I have also credited the label of £4.90. "
        "A refund usually takes five working days from the day your parcel reaches us.",
        "sources": [
            {
                "id": "refund-times",
                "title": "When refunds arrive",
                "text": "A refund usually takes five working days from the day your parcel reaches us.",
            },
            {
                "id": "how-to-return",
                "title": "How to return",
                "text": "You can send goods back within 30 days. The return label costs £3.50 and is taken off the refund.",
            },
        ],
        "tool_calls": [
            {
                "id": "1",
                "name": "get_order",
                "arguments": '{"order": "FW-20391"}',
                "result": '{"order": "FW-20391", "total": 129.90, "parcel": "received", "refund": "started"}',
            }
        ],
    },
}
"""The draft that the picture of a review is of: right in part, with an amount that no passage carries and a deed nobody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What there is to look at: the server, and the ids of a hold and of a conversation that a person has taken over."""

    url: str
    hold: str
    conversation: str


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """Play it, and serve it while the block runs."""
    ready, over = threading.Event(), threading.Event()
    made: list[Scene] = []
    failed: list[BaseException] = []

    async def work() -> None:
        async with serving(folder, port=0) as running:
            await play(running, pace=0.1, said=lambda number: None)
            made.append(await _fill(running))
            ready.set()
            await asyncio.to_thread(over.wait)

    def run() -> None:
        try:
            asyncio.run(work())
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="scene", daemon=True)
    thread.start()
    assert ready.wait(WITHIN_S), "the story does not end"
    assert made, failed
    try:
        yield made[0]
    finally:
        over.set()
        thread.join(60)


async def _fill(running: Running) -> Scene:
    """Let a morning's questions come in, give some people something to do, and let an admin in."""
    now = datetime.now(UTC)
    people = [make_user(name, role, PASSWORD, now=now) for name, role in PEOPLE.items()]
    people += [make_user_of(f"{ISSUER} {name}", name, role, now=now) for name, role in BY_PROVIDER.items()]
    await running.app.store.write(lambda tx: [add_user(tx, one, actor=ADMIN) for one in people])
    await running.app.store.write(lambda tx: change_user(tx, "Rob Marsh", now=now, actor=ADMIN, is_disabled=True))
    mia, other = list(running.reviewer_keys.values())[:2]
    async with (
        httpx2.AsyncClient(base_url=running.url, timeout=60, headers=_by(running.agent_key)) as agent,
        httpx2.AsyncClient(base_url=running.url, timeout=60, headers=_by(mia)) as reviewer,
        httpx2.AsyncClient(base_url=running.url, timeout=60, headers=_by(other)) as colleague,
        httpx2.AsyncClient(base_url=running.url, timeout=60) as visitors,
    ):
        conversation = await _talk(visitors, reviewer)
        for number, record in enumerate(load_drafts()[:6]):
            again = {"id": f"pictures-{number}", "conversation_id": f"pictures-{number}"}
            whole = {field: value for field, value in record.items() if field != "note"} | again
            await _ok(agent.post("/v1/turns", json=whole))
        shown = (await _ok(agent.post("/v1/turns", json=SHOWN)))["id"]
        rows = (await _ok(reviewer.get("/v1/queue")))["rows"]
        holds = (await _ok(reviewer.get("/v1/holds", params={"limit": 200})))["items"]
        hold = next(one["id"] for one in holds if one["turn_id"] == shown)
        for row, at_work in zip([row for row in rows if row["id"] != hold][2:8:3], (reviewer, colleague), strict=False):
            await _ok(at_work.post(f"/v1/holds/{row['id']}/claim"))
    return Scene(url=running.url, hold=hold, conversation=conversation)


async def _talk(visitors: httpx2.AsyncClient, reviewer: httpx2.AsyncClient) -> str:
    """Customers write in the web chat; one of them is answered by a person, whose conversation it is."""
    token = ""
    for name, question in (*QUESTIONS, PERSON_WANTED):
        token = (await _ok(visitors.post("/chat/sessions", json={})))["token"]
        await _ok(visitors.post("/chat/messages", json={"id": "1", "text": question, "name": name}, headers=_by(token)))
        await asyncio.sleep(0.5)

    async def row() -> Any:
        rows = (await _ok(reviewer.get("/v1/queue")))["rows"]
        return next((row for row in rows if row["customer"] == PERSON_WANTED[0]), None)

    hold = await _ok(reviewer.get(f"/v1/holds/{(await _there(row))['id']}"))
    conversation = str(hold["conversation"]["id"])
    await _ok(reviewer.post(f"/v1/conversations/{conversation}/take_over"))
    words = {"text": "Hello, this is Ines from Fernway. I am sorry about the tent: what is wrong with it?"}
    await _ok(reviewer.post(f"/v1/conversations/{conversation}/messages", json=words))

    async def answered() -> bool:
        said = (await _ok(visitors.get("/chat/messages", headers=_by(token))))["messages"]
        return any(one["author"] == "reviewer" for one in said)

    await _there(answered)
    reply = {"id": "2", "text": "Thank you! One of the poles is broken, and we leave on Saturday."}
    await _ok(visitors.post("/chat/messages", json=reply, headers=_by(token)))
    return conversation


async def _there(look: Callable[[], Awaitable[Any]]) -> Any:
    """Look again and again until something is there."""
    for _ in range(600):
        if found := await look():
            return found
        await asyncio.sleep(0.1)
    raise AssertionError("waited a minute in vain")


def _by(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


async def _ok(asked: Any) -> Any:
    answer = await asked
    assert answer.is_success, answer.text
    return answer.json()
