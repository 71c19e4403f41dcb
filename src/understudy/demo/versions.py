"""The demo's third act: a mistake becomes a case, stops one release, lets another one out, and that one is taken back.

Everybody acts over the HTTP API: customers in the web chat, a reviewer, a releaser. The agent is the one of the first act
in three versions, each its folder of documents: what answers now, a change made in haste that keeps the mistake, and one
that mends it but has lost a page. Nothing of it is staged: the gate, the canary and the rollback are the product's own.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx2

from understudy.client.client import AsyncClient
from understudy.client.errors import ApiError
from understudy.client.models import Hold, Turn
from understudy.demo.customers import CHANNEL, wait_until
from understudy.demo.desk import NOT_LET
from understudy.demo.story import OffScript
from understudy.demo.visitor import Look, looking, never, told_name

AGENT, HASTY, MENDED = "faq", "faq_hasty", "faq_mended"
SUITE = "fernway"
MARGIN: Final = 0.5
"""So much worse a version may seem and still pass; with the few cases of a demo less could not be told."""
WITHIN_S: Final = 60.0
SEEN_WITHIN_S: Final = 20.0
CONFLICT: Final = 409
MOVED_ON: Final = (CONFLICT, 412)
"""Statuses of an order that came too late, because a release went another way first."""
AT_ONCE: Final = 12
AT_ONCE_WATCHED: Final = 4
PAUSE_S: Final = 1.0
"""Between so many customers and the next ones, so that what they found out is seen before."""
SHARE: Final = 0.5
LET_OUT: Final = ("canary", "full", "rolled_back")
"""Stages in which a release meets customers, or has; whoever watches may have taken it back already."""
CUSTOMERS_MAX: Final = 120
CUSTOMERS_EXPECTED: Final = 37
"""About how many customers it takes until the release is taken back."""

PAGE = "how-to-return.md"
MISTAKE = "we take £6.00 for the label off the refund"
IN_HASTE = "the label costs £6.00, which we take off the refund"
MENDED_WORDS = "we take £7.50 for the label off the refund"
LOST_PAGE = "delivery-abroad.md"
"""What nobody had a case for, because the agent answers about delivery alone and people seldom look."""

MISTAKEN_CUSTOMERS: Final = ("Saoirse Nolan", "Niamh Byrne", "Cian Doyle")
"""The first is told what is wrong, and each next one where whoever watches took the one before upon themselves."""
ASKED = "What do you take for the return label from abroad, from other countries?"
RIGHT = "From other countries we take £7.50 for the label off the refund; the price went up in May."
LATER_CUSTOMER = "Customer"
LATER = (
    "How much is delivery to Germany?",
    "How much is delivery to Spain?",
    "Do you deliver to France?",
    "What does delivery to Ireland cost?",
    "Do you deliver to the Netherlands?",
    "How long does delivery to France take?",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseMoment:
    """What happened, to which release (its entry in the configuration), and how far that was then."""

    what: str
    release: str
    stage: str


def write_versions(knowledge: Path, folder: Path) -> dict[str, Path]:
    """Write the documents of the two changed versions into a folder; returns each by its entry."""
    found = {}
    for entry, words in ((HASTY, IN_HASTE), (MENDED, MENDED_WORDS)):
        found[entry] = folder / entry
        shutil.copytree(knowledge, found[entry], dirs_exist_ok=True)
        page = (knowledge / PAGE).read_text(encoding="utf-8")
        assert MISTAKE in page, f"{PAGE} says so"
        (found[entry] / PAGE).write_text(page.replace(MISTAKE, words), encoding="utf-8")
    (found[MENDED] / LOST_PAGE).unlink()
    return found


class Versions:
    """Plays the act against a running server, whose suites are in `suites`; `said` is called after each customer, `told`
    where whoever watches was quicker than the story. `look` waits for them at each turn of events; `is_watched`: customers
    come few at once. What they do first counts as done; raises `OffScript` where the story cannot go on from there."""

    def __init__(
        self,
        http: httpx2.AsyncClient,
        reviewer: AsyncClient,
        releaser_key: str,
        suites: Path,
        *,
        said: Callable[[int], None],
        look: Look | None = None,
        is_watched: bool = False,
        told: Callable[[str], None] = lambda words: None,
    ) -> None:
        self._http = http
        self._reviewer = reviewer
        self._releaser = {"Authorization": f"Bearer {releaser_key}"}
        self._suite = suites / SUITE
        self._said = said
        self._told = told
        self._look = look or looking(0.0)
        self._at_once = AT_ONCE_WATCHED if is_watched else AT_ONCE
        self._asked = 0
        self.moments: list[ReleaseMoment] = []

    async def learn_from_a_mistake(self) -> None:
        """A reviewer rejects a reply; that becomes a case, and so does what people found right. Nobody else may review yet."""
        await self._mistake_becomes_a_case()
        await self._everyday_becomes_cases()

    async def let_out(self) -> None:
        """Create the releases, let out the one that passes, and let customers find out what is wrong with it."""
        await self._create(AGENT)
        await self._create(HASTY)
        mended = await self._create(MENDED)
        await self._look("gated", never)
        await self._promote(mended)
        await self._look("out", never)
        await self._until_taken_back(mended)

    async def _mistake_becomes_a_case(self) -> None:
        """A customer reads a price that is not true any more, or would have: a reviewer rejects the draft and answers."""
        for customer in MISTAKEN_CUSTOMERS:
            await self._ask(customer, ASKED)
            hold = await self._hold("draft", of=customer)
            await self._look("mistaken", never)
            if hold is not None and await self._is_rejected(hold):
                case = str((await self._case(hold.turn_id))["case"])
                self._note(f"a reviewer rejected a reply of it; that became {case}", AGENT, "–")
                return
            self._told(f"you took {customer}'s draft upon yourself; another customer asks the same")
        raise OffScript("no draft with the mistake was left to the reviewers")

    async def _is_rejected(self, hold: Hold) -> bool:
        """Reject it and answer; False where somebody else was at it."""
        try:
            await self._reviewer.reject(hold.id, version=hold.version, severity=1.0, reasons=("wrong_price",))
        except ApiError as error:
            if error.status in NOT_LET:
                raise
            return False
        waits = await self._hold("hand_off", turn=hold.turn_id)
        try:
            if waits is not None:
                await self._reviewer.respond(waits.id, RIGHT, version=waits.version)
                await self._reviewer.hand_back(hold.conversation_id)
        except ApiError as error:
            if error.status in NOT_LET:  # anything else: somebody else answers
                raise
        return True

    async def _everyday_becomes_cases(self) -> None:
        """What the agent drafted and people sent as it was has to stay right."""
        self._suite.mkdir(parents=True, exist_ok=True)
        head = f"description: What our customers ask, and what once went wrong.\nmargin: {MARGIN}\n"
        (self._suite / "suite.yaml").write_text(head, encoding="utf-8")
        turns = [turn async for turn in self._reviewer.turns()]
        for turn in turns:
            if _was_sent_as_it_was(turn):
                await self._case(turn.id, is_made=True)

    async def _create(self, entry: str) -> dict[str, Any]:
        """Have a release created, unless whoever watches did; where its gate takes its time, wait for what it says."""
        answer = await self._post("/v1/releases", {"entry": entry})
        if answer.status_code == CONFLICT:
            made = await self._known(entry)
        else:
            answer.raise_for_status()
            made = answer.json().get("release", answer.json())  # beside how far its gate is, where one was begun
        found = dict(made)

        async def is_decided() -> bool:
            found.update((await self._release(made["id"]))["release"])
            return found["stage"] != "created" or found["gate"] is not None

        if not await wait_until(is_decided, limit_s=WITHIN_S):
            raise OffScript(f"after {WITHIN_S} s the gate of {entry} has not decided")
        moves = found["moves"]  # whoever watches may have moved it on since
        left = next((move for move in moves if move["what"] == "gated"), moves[-1])
        self._note(_said_of(found["gate"]) + _by_whom(left), entry, left["what"])
        return found

    async def _known(self, entry: str) -> dict[str, Any]:
        answer = await self._http.get("/v1/releases", headers=self._releaser)
        answer.raise_for_status()
        known: list[dict[str, Any]] = [one["release"] for agent in answer.json() for one in agent["releases"]]
        found = next((release for release in known if release["entry"] == entry), None)
        if found is None:
            raise OffScript(f"{entry} cannot be made a release")
        return found

    async def _promote(self, release: dict[str, Any]) -> None:
        """Let it out to some customers, unless whoever watches did."""
        now = (await self._release(release["id"]))["release"]
        if now["stage"] == "gated" and now["hold"] is None:
            body = {"to": "canary", "share": SHARE}
            answer = await self._post(f"/v1/releases/{release['id']}/promote", body, version=now["version"])
            if answer.status_code not in MOVED_ON:
                answer.raise_for_status()
            now = (await self._release(release["id"]))["release"]
        if now["stage"] not in LET_OUT or now["hold"] is not None:
            raise OffScript(f"{release['entry']} is {_stands(now)}, so it meets no customers")
        share = "all" if now["stage"] == "full" else f"{now['share'] or SHARE:.0%}"
        let_out = next(move for move in reversed(now["moves"]) if move["what"] in ("canary", "full"))
        self._note(
            f"{share} of the new conversations are its own{_by_whom(let_out)}", release["entry"], let_out["what"]
        )

    async def _until_taken_back(self, release: dict[str, Any]) -> None:
        """Customers ask what nobody had a case for, until the release is taken back and the old one was seen to answer."""
        now = release

        async def is_back() -> bool:
            now.update((await self._release(release["id"]))["release"])
            return bool(now["stage"] == "rolled_back" and now["verified_at"] is not None)

        while not await is_back() and now["stage"] != "rolled_back":
            if now["stage"] not in ("canary", "full") or now["hold"] is not None:
                raise OffScript(f"{release['entry']} is {_stands(now)}, so no machine takes it back")
            if self._asked >= CUSTOMERS_MAX:
                raise OffScript(f"after {CUSTOMERS_MAX} customers {release['entry']} is still {now['stage']}")
            numbers = range(self._asked, self._asked + self._at_once)
            await asyncio.gather(*(self._ask(f"{LATER_CUSTOMER} {one}", LATER[one % len(LATER)]) for one in numbers))
            await asyncio.sleep(PAUSE_S)
        if not await wait_until(is_back, limit_s=WITHIN_S):
            raise OffScript(f"after {WITHIN_S} s nobody has seen who answers in place of {release['entry']}")
        moves = {move["what"]: move for move in now["moves"]}
        self._note(f"taken back by {_move(moves['rolled_back'])}", release["entry"], now["stage"])
        self._note(f"asked by a probe; {_move(moves['verified'])}", AGENT, "full")

    async def _ask(self, name: str, text: str) -> None:
        """A customer of their own begins a chat and asks."""
        begun = await self._http.post("/chat/sessions", json={})
        begun.raise_for_status()
        token = {"Authorization": f"Bearer {begun.json()['token']}"}
        self._asked += 1
        body = {"id": f"versions-{self._asked}", "text": text, "name": name}
        (await self._http.post("/chat/messages", json=body, headers=token)).raise_for_status()
        self._said(self._asked)

    async def _hold(self, kind: str, *, turn: str | None = None, of: str | None = None) -> Hold | None:
        """What waits for a person: of a turn, or for a customer by name. None where it was gone before it was seen."""
        found: list[Hold] = []

        async def is_there() -> bool:
            holds = [one async for one in self._reviewer.holds() if one.kind == kind and turn in (None, one.turn_id)]
            found.extend([one for one in holds if of is None or await self._is_of(one, of)])
            return bool(found)

        return found[0] if await wait_until(is_there, limit_s=SEEN_WITHIN_S) else None

    async def _is_of(self, hold: Hold, customer: str) -> bool:
        contact = (await self._reviewer.hold(hold.id)).conversation.contact
        return contact is not None and contact.name == customer

    async def _case(self, turn: str, *, is_made: bool = False) -> dict[str, Any]:
        """Make a case of a turn; `is_made`: whoever watches may have made it, and then nothing is to do."""
        answer = await self._post(f"/v1/turns/{turn}/case", {"suite": SUITE})
        if not (is_made and answer.status_code == CONFLICT):
            answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    async def _post(self, path: str, body: dict[str, Any], *, version: int | None = None) -> httpx2.Response:
        seen = {} if version is None else {"If-Match": f'"{version}"'}
        return await self._http.post(path, json=body, headers=self._releaser | seen)

    async def _release(self, release_id: str) -> dict[str, Any]:
        answer = await self._http.get(f"/v1/releases/{release_id}", headers=self._releaser)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _note(self, what: str, entry: str, stage: str) -> None:
        self.moments.append(ReleaseMoment(what=what, release=entry, stage=stage))


def _said_of(gate: dict[str, Any] | None) -> str:
    """What a gate said of a release; None for the first, which has nothing to be compared with."""
    if gate is None:
        return "adopted as it is: it answers as before"
    if gate["blocked_by"]:
        return f"its gate says {gate['verdict']}: blocked by {', '.join(gate['blocked_by'])}"
    return f"its gate says {gate['verdict']}: {gate['reason']}"


def _move(move: dict[str, Any]) -> str:
    by = "the system" if move["by"] == "system" else told_name(move["by"])
    return f"{by}: {move['why']}" if move["why"] else by


def _by_whom(move: dict[str, Any]) -> str:
    """Says so where a move is that of whoever watches."""
    return ", by you" if told_name(move["by"]) == "you" else ""


def _stands(release: dict[str, Any]) -> str:
    if release["hold"] is not None:
        return f"on hold by {told_name(release['hold']['by'])}"
    return str(release["stage"]).replace("_", " ") + _by_whom(release["moves"][-1])


def _was_sent_as_it_was(turn: Turn) -> bool:
    """Whether a person let the agent's draft go out word for word."""
    if turn.channel != CHANNEL or turn.decision != "hold" or turn.draft is None or turn.reply is None:
        return False
    return turn.draft.agent == AGENT and turn.reply.text == turn.draft.text
