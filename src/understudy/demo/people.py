"""The demo's fourth act, three scenes of people: an angry customer, an evening on which nobody is there, and one customer who goes
from a chat to e-mail in mid-case.

Everybody acts over HTTP: customers by the web chat and by the shop's own services, two colleagues by the API. Nothing of it
is staged: who is asked, what is told, what is owed, who is proven to be whom and where an answer goes is the product's own.
No hour passes: the team that reads letters is one that comes tomorrow, and somebody of it looks in before that.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx2

from understudy.client.client import AsyncClient
from understudy.client.errors import ApiError
from understudy.client.models import HoldDetail
from understudy.demo.customers import wait_until
from understudy.demo.desk import NOT_LET
from understudy.demo.outside import AppChat, MailGateway
from understudy.demo.story import OffScript
from understudy.demo.visitor import Look, looking, never

SEEN_WITHIN_S: Final = 20.0
GIVEN_WITHIN_S: Final = 5.0
HERE_S: Final = 600.0
LINES_EXPECTED: Final = 8
"""What customers write in this act."""
ANGRY: Final = "Rosa Lindqvist"
FIRST: Final = "How many days does standard delivery take, and is it free?"
FURIOUS: Final = (
    "That is no help! My jacket came ripped, and this is the third time I write. I am furious, I want to make a complaint, "
    "and my lawyer will hear of this!!!"
)
SORRY: Final = "I am sorry. A new jacket leaves our warehouse today, and you keep the old one until it is there. I look after this myself."
EASY: Final = "How much is express delivery, and does it come on the next working day?"
EVENING, LETTERS = "Piet Vermeer", "piet.vermeer@mail.example"
CALL_ME: Final = "Can I talk to a real person about the tent that I want to order for our club?"
MORNING: Final = (
    "Good morning, a person here. For a club we take ten per cent off from five tents on. How many do you need?"
)
MOVING, ADDRESS = "Maren Holt", "maren.holt@mail.example"
SENT_IN: Final = "I have sent you my boots for repair R-2041 today."
WHERE: Final = "Where is my repair R-2041?"
PARCEL: Final = "FX-77120"
"""What stands in her account alone."""
CODE: Final = re.compile(r"\b\d{6}\b")
INSTEAD: Final = "Could it come to my office instead?"
AWAY_NOW: Final = "I have to catch my train now. Please write to me here."
OFFICE: Final = "Yes. Give the parcel's number to the courier's own page until six, and it comes to your office."


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleMoment:
    """What happened in a scene, to which customer, and in which words: the product's, the customer's or a colleague's."""

    scene: str
    customer: str
    what: str
    words: str


class People:
    """Plays the act against a running server; `said` is called after each message of a customer, `told` where whoever watches
    was quicker than the story. `look` waits for them; `goes_on`: a scene that cannot go on ends with a sentence and the next
    begins, else it raises `OffScript`."""

    def __init__(
        self, http: httpx2.AsyncClient, colleagues: Mapping[str, AsyncClient], keys: Mapping[str, str], *, mail: MailGateway,
        app: AppChat, said: Callable[[int], None], look: Look | None = None, goes_on: bool = False,
        told: Callable[[str], None] = lambda words: None,
    ) -> None:  # fmt: skip
        self._http = http
        self._colleagues = colleagues
        self._keys = {name: {"Authorization": f"Bearer {key}"} for name, key in keys.items()}
        self._mail = mail
        self._app = app
        self._said = said
        self._told = told
        self._look = look or looking(0.0)
        self._goes_on = goes_on
        self._written = 0
        self._scene = ""
        self.moments: list[PeopleMoment] = []

    async def play(self) -> None:
        """Play the three scenes, each to its end; raises what broke the last that did not come to it, where `goes_on`."""
        broken: OffScript | None = None
        scenes = {"angry": self._angry, "evening": self._evening, "another way": self._another_way}
        for self._scene, scene in scenes.items():
            try:
                await scene()
            except OffScript as error:
                if not self._goes_on:
                    raise
                self._told(f"the scene of {self._scene} ends here: {error}")
                broken = error
        if broken is not None:
            raise broken

    async def _angry(self) -> None:
        """Who is angry gets a person, who knows what it is about; afterwards the agent's next draft waits for one, too."""
        for name in self._colleagues:
            body = {"is_away": False, "for_s": HERE_S}
            (await self._http.put("/v1/desk/presence", json=body, headers=self._keys[name])).raise_for_status()
        chat = await self._chat()
        await self._write_in_chat(chat, ANGRY, FIRST)
        answer = await self._chat_reads(chat)
        self._note(ANGRY, "asks about delivery, which the agent answers alone", answer)
        await self._write_in_chat(chat, ANGRY, FURIOUS)
        hold = await self._hold("hand_off", ANGRY)
        self._note(ANGRY, "is handed off, with a summary", await self._summary(hold.hold.id))
        colleague, words = await self._given(hold.hold.id)
        self._note(ANGRY, f"is given to {colleague}", words)
        await self._look("handed_off", never)
        await self._decide(hold, lambda: self._colleagues[colleague].take_over(hold.hold.id, version=hold.hold.version))
        conversation = hold.hold.conversation_id
        await self._decide(hold, lambda: self._colleagues[colleague].say(conversation, SORRY))
        await self._decide(hold, lambda: self._colleagues[colleague].hand_back(conversation))
        self._note(ANGRY, f"{colleague} took over, answered and handed back", SORRY)
        await self._write_in_chat(chat, ANGRY, EASY)
        draft = await self._hold("draft", ANGRY)
        why = next((one.explanation for one in draft.turn.reasons if one.code.startswith("trust_")), None)
        if why is None:
            raise OffScript(f"{ANGRY}'s draft waits for {', '.join(one.code for one in draft.turn.reasons)}")
        self._note(ANGRY, "asks what the agent may answer alone; it waits for a person", why.partition(" Since ")[0])
        await self._decide(
            draft, lambda: self._colleagues[colleague].approve(draft.hold.id, version=draft.hold.version)
        )

    async def _evening(self) -> None:
        """Nobody is there who reads letters: the customer is told by when somebody writes, that is owed, and it is kept."""
        await self._write(self._mail, LETTERS, EVENING, CALL_ME)
        hold = await self._hold("hand_off", EVENING)
        told = await self._reads(self._mail, LETTERS, lambda text: bool(re.search(r"\d\d:\d\d", text)))
        self._note(EVENING, "writes while nobody is there", told)
        owed = await self._pledge(hold.hold.conversation_id, "open")
        self._note(EVENING, "is owed an answer", f"by {owed['due_at'][:16].replace('T', ' ')} UTC")
        await self._look("owed", never)
        colleague = list(self._colleagues)[-1]
        await self._decide(
            hold, lambda: self._colleagues[colleague].respond(hold.hold.id, MORNING, version=hold.hold.version)
        )
        await self._reads(self._mail, LETTERS, lambda text: MORNING in text)
        kept = await self._pledge(hold.hold.conversation_id, "kept")
        self._note(EVENING, f"{colleague} looks in and writes: kept at {kept['ended_at'][11:16]} UTC", MORNING)

    async def _another_way(self) -> None:
        """Nothing of an account is told in a chat that vouches for nobody, until a code proves whose it is; then what was said
        by mail is known there, and an answer goes where she wrote last."""
        visit = f"app-{self._app.new_id()}"
        await self._write(self._mail, ADDRESS, MOVING, SENT_IN)
        await self._reads(self._mail, ADDRESS, bool)
        self._app.claimed[visit] = ADDRESS
        await self._write(self._app, visit, MOVING, WHERE)
        asked = await self._reads(self._app, visit, lambda text: "code" in text)
        self._note(MOVING, "asks in the app for what stands in her account, and is told nothing of it", asked)
        letter = await self._reads(self._mail, ADDRESS, lambda text: "code is" in text)
        self._note(MOVING, "a code goes to the address that is known", CODE.sub("••••••", letter))
        if any(PARCEL in text for text in self._app.seen(visit)):
            raise OffScript(f"{MOVING}'s account was told before anything was proven")
        await self._look("changed", never)
        code = CODE.search(letter)
        if code is None:
            raise OffScript("the letter with the code has none in it")
        await self._write(self._app, visit, MOVING, f"The code is {code[0]}")
        answer = await self._reads(self._app, visit, lambda text: PARCEL in text)
        self._note(MOVING, "enters it, and both are one customer", answer)
        await self._write(self._app, visit, MOVING, INSTEAD)
        hold = await self._hold("hand_off", MOVING)
        await self._write(self._mail, ADDRESS, MOVING, AWAY_NOW)
        await self._reads(self._mail, ADDRESS, lambda text: "noted" in text, at_least=2)
        colleague = next(iter(self._colleagues))
        await self._decide(
            hold, lambda: self._colleagues[colleague].respond(hold.hold.id, OFFICE, version=hold.hold.version)
        )
        await self._reads(self._mail, ADDRESS, lambda text: OFFICE in text)
        self._note(MOVING, f"goes on by e-mail, where {colleague} answers what she asked in the app", OFFICE)

    async def _chat(self) -> dict[str, str]:
        begun = await self._http.post("/chat/sessions", json={})
        begun.raise_for_status()
        return {"Authorization": f"Bearer {begun.json()['token']}"}

    async def _write_in_chat(self, chat: dict[str, str], name: str, text: str) -> None:
        self._written += 1
        body = {"id": f"people-{self._written}", "text": text, "name": name}
        (await self._http.post("/chat/messages", json=body, headers=chat)).raise_for_status()
        self._said(self._written)

    async def _chat_reads(self, chat: dict[str, str]) -> str:
        """The last that came into the web chat, once something did that was not the customer's."""
        found: list[str] = []

        async def is_there() -> bool:
            answer = await self._http.get("/chat/messages", headers=chat)
            answer.raise_for_status()
            found[:] = [one["text"] for one in answer.json()["messages"] if one["author"] != "customer"]
            return bool(found)

        if not await wait_until(is_there, limit_s=SEEN_WITHIN_S):
            raise OffScript(f"{ANGRY} read nothing within {SEEN_WITHIN_S:g} s")
        return found[-1]

    async def _write(self, service: MailGateway | AppChat, conversation: str, name: str, text: str) -> None:
        wrote = await service.customer_writes(text, conversation=conversation, name=name)
        if not wrote.is_acknowledged:
            raise OffScript(f"what {name} wrote was not taken")
        self._written += 1
        self._said(self._written)

    async def _reads(
        self, service: MailGateway | AppChat, conversation: str, is_it: Callable[[str], bool], *, at_least: int = 1
    ) -> str:
        """The last that a customer read of this kind, once there are so many."""

        def found() -> list[str]:
            return [text for text in service.seen(conversation) if is_it(text)]

        async def is_there() -> bool:
            return len(found()) >= at_least

        if not await wait_until(is_there, limit_s=SEEN_WITHIN_S):
            raise OffScript(f"{conversation} read nothing of the kind within {SEEN_WITHIN_S:g} s")
        return found()[-1]

    async def _hold(self, kind: str, customer: str) -> HoldDetail:
        """What waits for a person because of a customer; raises `OffScript` where whoever watches was quicker."""
        found: list[HoldDetail] = []
        client = next(iter(self._colleagues.values()))

        async def is_there() -> bool:
            holds = [one async for one in client.holds() if one.kind == kind]
            details = [await client.hold(one.id) for one in holds]
            found.extend(
                one for one in details if one.conversation.contact and one.conversation.contact.name == customer
            )
            return bool(found)

        if not await wait_until(is_there, limit_s=SEEN_WITHIN_S):
            raise OffScript(f"nothing of {customer} waits for a colleague")
        return found[0]

    async def _decide(self, detail: HoldDetail, decide: Callable[[], Awaitable[object]]) -> None:
        """Decide as a colleague; raises `OffScript` where that was refused because somebody else is at it."""
        try:
            await decide()
        except ApiError as error:
            if error.status in NOT_LET:
                raise
            contact = detail.conversation.contact
            raise OffScript(f"{contact.name if contact else 'the customer'} is with somebody else") from error

    async def _summary(self, hold_id: str) -> str:
        """What a person is told of a hand-off, the first line of each part."""
        detail = await self._get(f"/v1/holds/{hold_id}")
        return "; ".join(f"{part['title']}: {part['lines'][0]['text']}" for part in detail["summary"][:3])

    async def _given(self, hold_id: str) -> tuple[str, str]:
        """To whom a hand-off was given, and why; whoever comes first where it was given to nobody of the story."""
        found: list[dict[str, Any]] = []

        async def is_given() -> bool:
            waits = (await self._get("/v1/teams/waiting"))["items"]
            found[:] = [one for one in waits if one["hold_id"] == hold_id and one["person"] in self._colleagues]
            return bool(found)

        if not await wait_until(is_given, limit_s=GIVEN_WITHIN_S):
            return next(iter(self._colleagues)), "Nobody was asked in time; whoever comes first takes it."
        return found[0]["person"], found[0]["words"]

    async def _pledge(self, conversation_id: str, state: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        async def is_there() -> bool:
            owed = (await self._get(f"/v1/pledges?state={state}&limit=500"))["items"]
            found.extend(one for one in owed if one["conversation_id"] == conversation_id)
            return bool(found)

        if not await wait_until(is_there, limit_s=SEEN_WITHIN_S):
            raise OffScript(f"no promise to this customer is {state}")
        return found[0]

    async def _get(self, path: str) -> Any:
        answer = await self._http.get(path, headers=next(iter(self._keys.values())))
        answer.raise_for_status()
        return answer.json()

    def _note(self, customer: str, what: str, words: str) -> None:
        self.moments.append(
            PeopleMoment(scene=self._scene, customer=customer, what=what, words=" ".join(words.split()))
        )
