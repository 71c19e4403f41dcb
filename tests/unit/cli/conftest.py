"""What the review terminal is tested with: a server in memory, scripted keys, one hold to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from understudy.client.errors import ApiError
from understudy.client.models import (
    Contact,
    Contribution,
    Conversation,
    Decided,
    Draft,
    Finding,
    Hold,
    HoldDetail,
    Message,
    Reason,
    Source,
    Span,
    Turn,
    Verdict,
)

NOW = datetime(2026, 5, 2, 10, 0, tzinfo=UTC)
DRAFT = "Refunds reach your account within 5 days. We have already refunded £89.00 to your card."


FINDINGS = (
    Finding(
        check="grounding",
        code="number_not_in_source",
        severity="major",
        explanation="“5 days” is in no passage; passage kb-1 says 10 days",
        span=Span(start=34, end=40),
        passage_id="kb-1",
    ),
    Finding(
        check="actions",
        code="unbacked",
        severity="blocking",
        explanation="says a refund was made, and no tool call made one",
        span=Span(start=42, end=len(DRAFT)),
    ),
    Finding(check="quality", code="no_greeting", severity="info", explanation="no greeting"),
)
SOURCE = Source(
    id="kb-1",
    title="When refunds arrive",
    url="https://fernway.example/help/refunds",
    text="Refunds go back to the card you paid with and arrive within 10 days.",
)
TALK = Conversation(
    id="c-1",
    contact=Contact(id="p-1", name="Dana"),
    messages=(
        Message(seq=1, author="customer", author_name="Dana", text="hi, where is my refund?"),
        Message(seq=2, author="customer", author_name="Dana", text="[bold]order 1042[/bold] \x1b[31mplease"),
    ),
)


def make_turn(draft: str | None) -> Turn:
    return Turn(
        id="t-1",
        state="held",
        topic="refunds",
        decision="hold",
        reasons=(
            Reason(code="actions.unbacked", explanation="The draft says something was done that no action backs."),
            Reason(code="level.assist", explanation="Replies about refunds on webchat are always reviewed."),
        ),
        confidence=0.31,
        contributions=(
            Contribution(signal="base", log_odds=3.0, words="most drafts are sent unedited"),
            Contribution(signal="grounding", log_odds=-1.4, words="part of it rests on no passage"),
            Contribution(signal="actions", log_odds=-2.4, words="it claims an action that did not happen"),
        ),
        signals={"grounding": 0.53, "actions": 0.2, "exposure": 1.0},
        findings=FINDINGS if draft == DRAFT else (),
        draft=None
        if draft is None
        else Draft(text=draft, agent="fernway-agent", agent_version="v7", sources=(SOURCE,)),
        agent_error=None if draft is not None else "agent-timed-out",
    )


def make_detail(hold_id: str = "h-1", *, kind: str = "draft", draft: str | None = DRAFT) -> HoldDetail:
    hold = Hold(
        id=hold_id,
        version=3,
        kind=kind,
        state="open",
        topic="refunds",
        channel="webchat",
        reasons=("actions.unbacked",),
        conversation_id="c-1",
        created_at=NOW - timedelta(minutes=4),
        expires_at=NOW + timedelta(minutes=8),
    )
    return HoldDetail(hold=hold, turn=make_turn(draft), conversation=TALK)


class FakeDesk:
    """A server as the review terminal sees it: holds in a queue, verdicts that close them, one conversation."""

    def __init__(self, *details: HoldDetail) -> None:
        self.details = {detail.hold.id: detail for detail in details}
        self.calls: list[tuple[Any, ...]] = []
        self.chosen: Any = None
        self.refuse: dict[tuple[str, str], ApiError] = {}
        self.talk = Conversation(id="c-1", mode="person")
        self.on_claim: Callable[[str], None] = lambda hold_id: None

    def holds(self) -> Iterator[Hold]:
        return iter([detail.hold for detail in self.details.values() if detail.hold.state == "open"])

    def hold(self, hold_id: str) -> HoldDetail:
        return self.details[hold_id]

    def claim(self, hold_id: str) -> Hold:
        self.on_claim(hold_id)
        return self._take("claim", hold_id)

    def release(self, hold_id: str) -> Hold:
        return self._take("release", hold_id)

    def approve(self, hold_id: str, *, version: int, topic: str | None = None, actions: Any = ()) -> Decided:
        self.chosen = actions
        return self._decide("approve", hold_id, version, topic=topic)

    def edit(self, hold_id: str, text: str, *, version: int, topic: str | None = None, actions: Any = ()) -> Decided:
        self.chosen = actions
        return self._decide("edit", hold_id, version, text, topic=topic)

    def reject(
        self,
        hold_id: str,
        *,
        version: int,
        reasons: Sequence[str] = (),
        text: str | None = None,
        topic: str | None = None,
    ) -> Decided:
        return self._decide("reject", hold_id, version, list(reasons), text, topic=topic)

    def respond(self, hold_id: str, text: str, *, version: int, topic: str | None = None, actions: Any = ()) -> Decided:
        self.chosen = actions
        return self._decide("respond", hold_id, version, text, topic=topic)

    def take_over(self, hold_id: str, *, version: int, topic: str | None = None) -> Decided:
        return self._decide("take_over", hold_id, version, topic=topic)

    def conversation(self, conversation_id: str) -> Conversation:
        return self.talk

    def say(self, conversation_id: str, text: str) -> None:
        self.calls.append(("say", conversation_id, text))
        message = Message(seq=100 + len(self.calls), author="reviewer", text=text)
        self.talk = replace(self.talk, messages=(*self.talk.messages, message))

    def hand_back(self, conversation_id: str) -> None:
        self.calls.append(("hand_back", conversation_id))

    def change(self, hold_id: str, **fields: Any) -> None:
        detail = self.details[hold_id]
        self.details[hold_id] = replace(detail, hold=replace(detail.hold, **fields))

    def done(self) -> list[tuple[Any, ...]]:
        """What was asked of the server besides claims."""
        return [call for call in self.calls if call[0] != "claim"]

    def _take(self, what: str, hold_id: str, *more: Any) -> Hold:
        self.calls.append((what, hold_id, *more))
        if (what, hold_id) in self.refuse:
            raise self.refuse[what, hold_id]
        return self.details[hold_id].hold

    def _decide(self, action: str, hold_id: str, version: int, *more: Any, topic: str | None) -> Decided:
        hold = self._take(action, hold_id, *more, *(() if topic is None else (f"topic {topic}",)))
        if hold.state != "open":
            raise ApiError(status=409, code="hold-closed", detail="closed")
        if hold.version != version:
            raise ApiError(status=412, code="stale-version", detail="stale")
        self.change(hold_id, state="decided")
        state = "redrafted" if hold.kind == "redraft" else "delivering"
        return Decided(verdict=Verdict(action=action), turn=Turn(id="t", state=state))


class FakeKeys:
    """Keys and lines from a list; a callable in it is run in passing, as something that happens meanwhile."""

    def __init__(self, *script: str | Callable[[], Any]) -> None:
        self.script = list(script)

    def key(self, timeout_s: float) -> str | None:
        return self._next()

    def line(self, timeout_s: float | None = None) -> str | None:
        return self._next()

    def discard_typed(self) -> None:
        pass

    def _next(self) -> str | None:
        if not self.script:
            raise EOFError
        step = self.script.pop(0)
        if isinstance(step, str):
            return step
        step()
        return None


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def detail() -> Callable[..., HoldDetail]:
    return make_detail


@pytest.fixture
def fake_desk() -> type[FakeDesk]:
    return FakeDesk


@pytest.fixture
def fake_keys() -> type[FakeKeys]:
    return FakeKeys


@pytest.fixture
def console() -> Console:
    return Console(record=True, width=100, file=StringIO(), force_terminal=True, color_system="truecolor")
