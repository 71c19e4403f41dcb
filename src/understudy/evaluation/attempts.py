"""One attempt at a case: ask the agent, let frozen tools answer, keep what it did. It grades nothing and sends nothing.

Nothing outside is touched: the conversation, the sources and what tools answer come from the case. An agent that calls
its own tools is told so (`ports.agent.Rehearsal`); one that proposes calls, as chat models do, gets the case's answers.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

from understudy.assessment.assess import assess
from understudy.assessment.cards import mask_cards
from understudy.assessment.check import Check
from understudy.assessment.topic import topic_of
from understudy.errors import AgentAnsweredNonsense, AgentError, AgentTimedOut, BudgetSpent, StepSuperseded
from understudy.evaluation.conversation import Ended, Player
from understudy.evaluation.graders.contract import Attempted
from understudy.evaluation.tool_desk import ToolDesk, exchange
from understudy.ports.agent import Agent, DraftRequest, Rehearsal
from understudy.records.action_rules import unused
from understudy.records.assessment import Assessment
from understudy.records.codec import fitted
from understudy.records.evidence import NO_MOMENT, Action, ChatMessage, Draft, Evidence, ToolCall
from understudy.records.rulebook import Rulebook
from understudy.records.suite import Case
from understudy.records.wire import burst_length

ROUNDS_MAX: Final = 12
"""So often an agent may call tools before it has to say something."""
MESSAGES_MAX: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """What is tried: an agent under a rulebook. `name` names the release in results; `key` names all its content that
    is known here, so that answers can be kept under it; None where it is not known."""

    name: str
    agent: Agent
    rulebook: Rulebook
    checks: tuple[Check, ...]
    deadline_s: float = 60.0
    key: str | None = None
    room: Callable[[], AbstractAsyncContextManager[None]] = nullcontext
    """Is waited for before each request, which its deadline does not count, and had while the request lasts."""


@dataclass(slots=True, kw_only=True)
class _Scene:
    """What has been said and done in an attempt."""

    case: Case
    trial: int
    desk: ToolDesk
    messages: list[ChatMessage]
    replies: list[str]
    actions: list[Action]


async def attempt(release: Release, case: Case, trial: int, player: Callable[[Case, int], Player]) -> Attempted:
    """Try a case once; raises `AgentError` where the agent, or who plays the customer, could not be reached."""
    scene = _Scene(
        case=case, trial=trial, desk=ToolDesk(case.tools), messages=list(case.messages), replies=[], actions=[]
    )
    ended: Ended | None = None
    draft: Draft | None = None
    if case.customer is None:
        draft = await _reply(release, scene)
        return _attempted(release, scene, draft, None)
    playing = player(case, trial)
    while ended is None and len(scene.replies) < case.customer.turns_max:
        said = await playing.next(tuple(scene.messages))
        if isinstance(said, Ended):
            ended = said
            break
        if draft is not None:
            scene.messages.append(ChatMessage(role="assistant", content=draft.text))
        scene.messages.append(ChatMessage(role="user", content=said))
        draft = await _reply(release, scene)
        playing.hear(draft.text)
        if draft.handoff:
            ended = Ended(why="handed_off")
    if draft is None:
        raise AgentAnsweredNonsense(f"case {case.id!r}: the customer ended before saying anything")
    return _attempted(release, scene, draft, ended or Ended(why="turns_max"))


async def _reply(release: Release, scene: _Scene) -> Draft:
    """One reply of the agent, tool calls in between answered by the case."""
    calls: list[ToolCall] = []
    for _ in range(ROUNDS_MAX):
        draft = await _ask(release, scene)
        asked = [action for action in draft.actions if scene.desk.knows(action.name)]
        proposed = tuple(action for action in draft.actions if not scene.desk.knows(action.name))
        if not asked:
            break
        answered = [scene.desk.answer(action) for action in asked]
        calls += answered
        scene.messages += exchange(answered, said=draft.text)
    else:
        raise AgentAnsweredNonsense(f"the agent called tools {ROUNDS_MAX} times without saying anything")
    scene.actions += proposed
    scene.replies.append(draft.text)
    scene.desk.calls += draft.tool_calls
    sources = draft.sources or scene.case.sources
    return replace(draft, actions=proposed, sources=sources, tool_calls=(*calls, *draft.tool_calls))


async def _ask(release: Release, scene: _Scene) -> Draft:
    case = scene.case
    request = DraftRequest(
        turn_id=f"case-{case.id}-{scene.trial}",
        conversation_id=f"case-{case.id}-{scene.trial}",
        channel=case.channel,
        topic=case.topic,
        messages=tuple(scene.messages[-MESSAGES_MAX:]),
        contact=case.contact,
        deadline_s=release.deadline_s,
        rehearsal=Rehearsal(case=case.id, trial=scene.trial, sources=case.sources, tools=case.tools),
    )
    try:
        async with release.room(), asyncio.timeout(release.deadline_s):
            draft = await release.agent.draft(request)
    except (AgentError, BudgetSpent, StepSuperseded):
        raise
    except TimeoutError as error:
        raise AgentTimedOut(f"agent {release.agent.name!r} did not answer within {release.deadline_s:g} s") from error
    except Exception as error:
        raise AgentAnsweredNonsense(f"agent {release.agent.name!r} failed: {type(error).__name__}") from error
    return _fit(draft, release)


def _fit(draft: Draft, release: Release) -> Draft:
    """Make a draft what it would be in a live turn: storable, its card numbers masked and counted."""
    try:
        plain = fitted(Draft, draft)
    except (TypeError, ValueError) as error:
        raise AgentAnsweredNonsense(f"agent {release.agent.name!r}: not a draft: {error}") from error
    text, cards = mask_cards(plain.text)
    return plain if not cards else replace(plain, text=text, cards_masked=cards)


def _attempted(release: Release, scene: _Scene, draft: Draft, ended: Ended | None) -> Attempted:
    messages = tuple(scene.messages)
    return Attempted(
        case=scene.case,
        draft=draft,
        messages=messages,
        assess=assessing(release.rulebook, release.checks, scene.case, messages, draft),
        replies=tuple(scene.replies),
        calls=tuple(scene.desk.calls),
        actions=tuple(scene.actions),
        ended=None if ended is None else ended.why,
    )


def assessing(
    rulebook: Rulebook, checks: tuple[Check, ...], case: Case, messages: tuple[ChatMessage, ...], draft: Draft
) -> Callable[[], Assessment]:
    """Gives the assessment of a reply as a live turn would get it; made when it is asked for, and once."""

    @cache
    def assessed() -> Assessment:
        evidence = Evidence(
            turn_id=f"case-{case.id}",
            conversation_id=f"case-{case.id}",
            channel=case.channel,
            topic=topic_of(case.topic, draft, messages, rulebook.rules),
            at=NO_MOMENT,
            messages=messages,
            burst=burst_length(messages),
            draft=draft,
            contact=case.contact,
            uses=unused(rulebook.rules.actions),
        )
        return assess(evidence, rulebook, checks=checks)

    return assessed
