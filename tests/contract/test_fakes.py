"""What the public fakes tell a test: the scripted agent's turns, and what a recording channel really delivered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from understudy.errors import AgentTimedOut, MalformedInput
from understudy.ports.agent import DraftRequest
from understudy.records.conversation import Author, Inbound
from understudy.records.evidence import ChatMessage, ContactFacts
from understudy.records.outbox import Accepted, OutboxEntry, OutboxState, Rejected, Retry, Unknown
from understudy.testing.scripted import FROZEN_START, DeliversThen, RecordingChannel, ScriptedAgent


def request(text: str = "Hi") -> DraftRequest:
    return DraftRequest(
        turn_id="t-1", conversation_id="c-1", channel="webchat", topic=None,
        messages=(ChatMessage(role="user", content=text),), contact=ContactFacts(), deadline_s=1.0,
    )  # fmt: skip


def entry(key: str = "o-1") -> OutboxEntry:
    return OutboxEntry(
        id=key, seq=1, turn_id="t-1", conversation_id="c-1", channel="recording", address="a", external_id="x",
        text="Hello", author=Author.AGENT, author_name=None, ai_generated=True, state=OutboxState.SENDING, attempts=1,
        due_at=None, last_error=None, created_at=FROZEN_START,
    )  # fmt: skip


def test_scripted_agent_gives_each_answer_once_and_then_complains() -> None:
    async def scene() -> None:
        agent = ScriptedAgent([AgentTimedOut(), "Hello"])
        with pytest.raises(AgentTimedOut):
            await agent.draft(request())
        assert (await agent.draft(request())).text == "Hello"
        with pytest.raises(AssertionError, match="once more"):
            await agent.draft(request())
        assert len(agent.requests) == 3

    asyncio.run(scene())


def test_scripted_agent_may_be_a_function_of_the_request() -> None:
    agent = ScriptedAgent(lambda asked: f"You said {asked.messages[-1].content}")
    assert asyncio.run(agent.draft(request("abc"))).text == "You said abc"


def test_scripted_agent_waits_at_its_gate() -> None:
    async def scene() -> None:
        agent = ScriptedAgent("Hello", gate=asyncio.Event())
        drafting = asyncio.create_task(agent.draft(request()))
        await asyncio.sleep(0.01)
        assert not drafting.done()
        assert agent.gate is not None
        agent.gate.set()
        assert (await drafting).text == "Hello"

    asyncio.run(scene())


def sends(channel: RecordingChannel, times: int) -> list[Any]:
    async def scene() -> list[Any]:
        return await asyncio.gather(*(channel.send(entry()) for _ in range(times)), return_exceptions=True)

    return asyncio.run(scene())


@pytest.mark.parametrize(("honours_keys", "delivered"), [(True, 1), (False, 3)])
def test_repeated_key_is_delivered_once_only_where_keys_are_honoured(honours_keys: bool, delivered: int) -> None:
    channel = RecordingChannel(honours_keys=honours_keys)
    sends(channel, 3)
    assert channel.times_delivered("o-1") == delivered


def test_answers_are_given_in_order_and_only_accepted_delivers() -> None:
    script = [Retry(reason="busy"), Rejected(reason="no"), Unknown(reason="?"), OSError("cut")]
    channel = RecordingChannel(answers=script)
    assert sends(channel, 4) == script
    assert channel.delivered == []
    assert isinstance(sends(channel, 1)[0], Accepted)
    assert channel.texts == ["Hello"]


@pytest.mark.parametrize("answer", [Unknown(reason="timed out"), OSError("cut")])
def test_lost_receipt_is_a_delivery_all_the_same(answer: Any) -> None:
    channel = RecordingChannel(answers=[DeliversThen(answer=answer)])
    assert sends(channel, 1) == [answer]
    assert channel.times_delivered("o-1") == 1


def test_look_up_tells_the_truth_where_the_channel_can() -> None:
    able, unable = RecordingChannel(can_look_up=True), RecordingChannel()
    assert isinstance(asyncio.run(able.look_up(entry())), Retry)
    sends(able, 1)
    assert isinstance(asyncio.run(able.look_up(entry())), Accepted)
    assert isinstance(asyncio.run(unable.look_up(entry())), Unknown)


def test_channel_reads_the_request_it_writes() -> None:
    channel = RecordingChannel()
    inbound = Inbound(provider_id="m-1", external_id="x", address="a", text="Hi 👋", sent_at=FROZEN_START)
    written = channel.request(inbound)
    assert channel.parse(written) == (inbound,)


@pytest.mark.parametrize("body", [b"{", b"\xff", b'{"text": "no id"}', b"[7]"])
def test_channel_refuses_what_it_cannot_read(body: bytes) -> None:
    written = RecordingChannel().request(Inbound(provider_id="m", external_id="x", address="a", text="Hi"))
    broken = type(written)(method="POST", url="/", headers={}, body=body, received_at=FROZEN_START)
    with pytest.raises(MalformedInput):
        RecordingChannel().parse(broken)
