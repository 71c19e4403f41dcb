"""The web chat: its page, its messages and its live stream, for visitors with a token of their own and no account.

The token is random and never stored: the conversation is found by the token's hash, so neither a reviewer who sees
the conversation's name nor a reader of the database can write as the customer.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from datetime import datetime
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from fastapi.responses import Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from understudy.app import App
from understudy.errors import NotFound, Unauthenticated
from understudy.ports.store import Transaction
from understudy.records.conversation import Author, Conversation, Inbound, Message, Mode, Origin
from understudy.records.disclosure import as_read
from understudy.records.survey import Scale, asked_by
from understudy.records.turn import OPEN
from understudy.settings.model import WebChat
from understudy.web.auth import Bearer, TheApp, TheFeed
from understudy.web.bodies import SEQ_MAX, CustomersJsonRoute
from understudy.web.feed import Silence
from understudy.web.problems import answers

router = APIRouter(prefix="/chat", tags=["web chat"], route_class=CustomersJsonRoute)

MESSAGES_SHOWN = 200
HISTORY_MAX = 10_000
"""How far back a conversation can be read; nobody writes as much in a chat."""
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_PAGES = files("understudy.web").joinpath("chat_page")
_TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}


class Session(BaseModel):
    """A visitor's conversation, and the token that speaks for them; the token is shown this once."""

    conversation_id: str
    token: str


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be blank")
    return text


class ChatMessageIn(BaseModel):
    """What a visitor writes; the same `id` again is the same message."""

    model_config = ConfigDict(strict=True, extra="ignore")

    id: str = Field(min_length=1, max_length=100)
    text: Annotated[str, AfterValidator(_not_blank)]
    name: str | None = Field(None, max_length=200)


class ChatMessageAccepted(BaseModel):
    """The message is safely stored."""

    seq: int
    id: str


class ChatMessageOut(BaseModel):
    """A message as the chat shows it; `asks`: it is the question how it was, on this scale, and a number or a thumb answers it."""

    seq: int
    author: Author
    author_name: str | None
    text: str
    at: datetime
    ai_generated: bool
    origin: Origin | None = None
    asks: Scale | None = None
    client_id: str | None


class ChatState(BaseModel):
    """Messages after a point, and whether somebody is at work on an answer."""

    messages: list[ChatMessageOut]
    status: str
    conversation_id: str | None = Field(None, exclude=True)


class ChatConfig(BaseModel):
    """How the chat looks and what it says first."""

    title: str
    greeting: str
    disclosure: str
    colour: str


class Visitor(BaseModel):
    """Who holds the token: the channel, and the conversation's name on it."""

    channel: str
    external_id: str


async def web_chat(app: TheApp) -> tuple[str, WebChat]:
    """The configured web chat; raises `NotFound` where there is none."""
    for name, channel in app.settings.channels.items():
        if isinstance(channel, WebChat):
            return name, channel
    raise NotFound('no web chat is configured; add [channels.webchat] with kind = "webchat"')


Configured = Annotated[tuple[str, WebChat], Depends(web_chat)]


async def visitor(configured: Configured, bearer: Bearer) -> Visitor:
    """Whom the token speaks for; raises `Unauthenticated`."""
    if bearer is None or not _TOKEN.fullmatch(bearer.credentials):
        raise Unauthenticated("no valid chat token; begin with POST /chat/sessions")
    return Visitor(channel=configured[0], external_id=_external_id(bearer.credentials))


TheVisitor = Annotated[Visitor, Depends(visitor)]


@router.get("/config", responses=answers(404))
async def get_config(configured: Configured) -> ChatConfig:
    """Read how the chat looks."""
    _, chat = configured
    return ChatConfig(title=chat.title, greeting=chat.greeting, disclosure=chat.disclosure, colour=chat.colour)


@router.post("/sessions", status_code=201, responses=answers(404))
async def begin(configured: Configured) -> Session:  # noqa: ARG001 - its dependency refuses where there is no chat
    """Begin a conversation; nothing is stored before the first message."""
    token = secrets.token_urlsafe(32)
    return Session(conversation_id=_external_id(token), token=token)


@router.post("/messages", status_code=202, responses=answers(401, 404))
async def write(body: ChatMessageIn, who: TheVisitor, app: TheApp, feed: TheFeed) -> ChatMessageAccepted:
    """Take a visitor's message in; the answer means that it is on disk."""
    inbound = Inbound(
        provider_id=f"{who.external_id}:{body.id}",
        external_id=who.external_id,
        address=who.external_id,
        text=body.text,
        contact_name=body.name,
    )
    received = await app.intake.receive(who.channel, inbound)
    feed.tell(who.external_id)
    return ChatMessageAccepted(seq=received.message.seq, id=body.id)


@router.get("/messages", responses=answers(401, 404))
async def read(who: TheVisitor, app: TheApp, after: Annotated[int, Query(ge=0, le=SEQ_MAX)] = 0) -> ChatState:
    """Read the conversation's messages after a `seq`."""
    return await _state(app, who, after)


@router.get("/events", response_class=EventSourceResponse, responses=answers(401, 404))
async def stream(
    who: TheVisitor, app: TheApp, feed: TheFeed, last_event_id: Annotated[int, Header(ge=0, le=SEQ_MAX)] = 0
) -> AsyncIterator[ServerSentEvent]:
    """Stream messages and status; resumes after `Last-Event-ID`."""
    seen, status = last_event_id, ""
    yield ServerSentEvent(comment="connected")
    silence = Silence()
    # Nothing is stored before the first message; until then `write` tells of it under the conversation's public name.
    key: str | None = who.external_id
    while key is not None:
        with feed.watch(key) as watch:
            followed, key = key, None
            while not watch.is_over and key is None:
                state = await _state(app, who, seen)
                for message in state.messages:
                    yield ServerSentEvent(event="message", id=str(message.seq), data=message)
                    seen = message.seq
                    silence.is_broken()
                if state.status != status:
                    status = state.status
                    yield ServerSentEvent(event="status", data={"status": status})
                if len(state.messages) == MESSAGES_SHOWN:
                    continue  # There is more.
                if state.conversation_id not in (None, followed):
                    key = state.conversation_id
                    continue
                if silence.is_too_long():
                    yield ServerSentEvent(comment="still here")
                await watch.next()


@router.get("", include_in_schema=False)
async def page(configured: Configured) -> Response:
    """The chat as a page of its own, and inside the widget's frame."""
    _, chat = configured
    return _file("index.html", embedders=chat.allowed_origins)


@router.get("/{name}", include_in_schema=False)
async def page_file(name: str, configured: Configured) -> Response:
    """The page's scripts and styles, the widget, and an example page that embeds it."""
    _, chat = configured
    return _file("example.html" if name == "example" else name, embedders=chat.allowed_origins)


def _file(name: str, *, embedders: list[str]) -> Response:
    ending = name.rpartition(".")[2]
    known = {entry.name for entry in _PAGES.iterdir()}
    if name not in known or ending not in _TYPES:
        raise NotFound(f"the chat has no file {name!r}")
    ancestors = " ".join(["'self'", *embedders])
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
        f"frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors {ancestors}"
    )
    headers = {
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cache-Control": "no-cache",
    }
    if name == "widget.js":
        headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return Response(_PAGES.joinpath(name).read_bytes(), media_type=f"{_TYPES[ending]}; charset=utf-8", headers=headers)


async def _state(app: App, who: Visitor, after: int) -> ChatState:
    def query(tx: Transaction) -> ChatState:
        conversation = tx.conversations.find(who.channel, who.external_id)
        if conversation is None:
            return ChatState(messages=[], status="idle")
        # The store lists the last ones; the first of them are due, or whoever was away for long would miss the rest.
        messages = tx.messages.of_conversation(conversation.id, after=after, limit=HISTORY_MAX)[:MESSAGES_SHOWN]
        return ChatState(
            messages=[_shown(message) for message in messages],
            status=_status(tx, conversation),
            conversation_id=conversation.id,
        )

    return await app.store.read(query)


def _status(tx: Transaction, conversation: Conversation) -> str:
    if conversation.mode is Mode.PERSON:
        return "person"
    return "working" if any(turn.state in OPEN for turn in tx.turns.open_of(conversation.id)) else "idle"


def _shown(message: Message) -> ChatMessageOut:
    own = message.author is Author.CUSTOMER
    return ChatMessageOut(
        seq=message.seq,
        author=message.author,
        author_name=None if message.author is Author.SAFE_REPLY else message.author_name,
        text=as_read(message.text, message.disclosure),
        at=message.at,
        ai_generated=message.author is Author.AGENT,
        origin=message.origin,
        asks=asked_by(message.author_name) if message.author is Author.SAFE_REPLY else None,
        client_id=(message.provider_id or "").partition(":")[2] or None if own else None,
    )


def _external_id(token: str) -> str:
    return "chat-" + hashlib.sha256(token.encode()).hexdigest()[:32]
