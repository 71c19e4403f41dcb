"""Simulated customers: a script, or a model that plays a persona. They talk to an agent under trial and judge nothing.

A scripted customer is a state machine that answers the same reply with the same words; a played one is an agent of the
configuration that is told a goal, a persona and the facts it may give away when asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from understudy.assessment.patterns import matches, problem
from understudy.ports.agent import Agent, DraftRequest
from understudy.records.evidence import NO_FACTS, ChatMessage
from understudy.records.suite import Case, Customer, ScriptState

SATISFIED: Final = "[SATISFIED]"
UNSATISFIED: Final = "[GIVING UP]"
PROMPT: Final = """You play a customer who writes to a business. Stay in the role; never say that you play.
Your goal: {goal}
Your manner: {persona}
What you know; say each only when it is asked for or needed:
{facts}
Write one short message a time, and nothing but the message. Answer {satisfied} as soon as your goal is reached, and \
{unsatisfied} when you see that it will not be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The customer says nothing more, and why: satisfied, unsatisfied, handed_off, turns_max."""

    why: str


class Player(Protocol):
    """Who plays the customer in one attempt."""

    async def next(self, messages: tuple[ChatMessage, ...]) -> str | Ended:
        """What the customer says now; raises `AgentError` where the player cannot be reached."""
        ...

    def hear(self, reply: str) -> None:
        """Take in the agent's reply."""
        ...


class ScriptedPlayer:
    """Plays the script of a customer."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer
        self._state = "start"
        self._heard: str | None = None

    async def next(self, messages: tuple[ChatMessage, ...]) -> str | Ended:  # noqa: ARG002 - a player's shape
        if self._heard is not None:
            self._state = follow(self._customer.script, self._state, self._heard)
        state = self._customer.script[self._state]
        if state.ends is not None:
            return Ended(why=state.ends)
        return spoken(state.say or "", self._customer.facts)

    def hear(self, reply: str) -> None:
        self._heard = reply


class PlayedPlayer:
    """Lets an agent play a customer."""

    def __init__(self, case: Case, trial: int, agent: Agent, *, deadline_s: float) -> None:
        assert case.customer is not None, "a conversation has a customer"
        self._case, self._trial, self._agent = case, trial, agent
        self._customer = case.customer
        self._deadline_s = deadline_s
        self._said: list[ChatMessage] = [ChatMessage(role="user", content="Hello! How can I help you?")]

    async def next(self, messages: tuple[ChatMessage, ...]) -> str | Ended:  # noqa: ARG002 - a player's shape
        name = f"player-{self._case.id}-{self._trial}"
        request = DraftRequest(
            turn_id=name,
            conversation_id=name,
            channel=self._case.channel,
            topic=None,
            messages=(ChatMessage(role="system", content=instruction(self._customer)), *self._said),
            contact=NO_FACTS,
            deadline_s=self._deadline_s,
        )
        said = (await self._agent.draft(request)).text.strip()
        if SATISFIED in said or UNSATISFIED in said:
            return Ended(why="satisfied" if SATISFIED in said else "unsatisfied")
        self._said.append(ChatMessage(role="assistant", content=said))
        return said

    def hear(self, reply: str) -> None:
        self._said.append(ChatMessage(role="user", content=reply))


def follow(script: Mapping[str, ScriptState], state: str, reply: str) -> str:
    """Where a script goes after a reply: the first step that fits; where none does it says the same once more."""
    for step in script[state].then:
        if step.when is None or matches(step.when, reply):
            return step.go
    return state


def spoken(say: str, facts: Mapping[str, str]) -> str:
    """What is said, with the facts that it names in braces."""
    for name, fact in facts.items():
        say = say.replace("{" + name + "}", fact)
    return say


def say_through(customer: Customer, reply: str) -> tuple[tuple[str, ...], str]:
    """What a scripted customer says where every reply is this one, and how the conversation ends then."""
    state, said = "start", list[str]()
    while len(said) < customer.turns_max:
        now = customer.script[state]
        if now.ends is not None:
            return tuple(said), now.ends
        said.append(spoken(now.say or "", customer.facts))
        state = follow(customer.script, state, reply)
    return tuple(said), "turns_max"


def instruction(customer: Customer) -> str:
    """What a model is told that plays the customer."""
    facts = "\n".join(f"- {name}: {fact}" for name, fact in customer.facts.items()) or "- nothing more"
    return PROMPT.format(
        goal=customer.goal, persona=customer.persona, facts=facts, satisfied=SATISFIED, unsatisfied=UNSATISFIED
    )


def faults_of(customer: Customer) -> Sequence[str]:
    """What is wrong with the patterns of a script."""
    patterns = [step.when for state in customer.script.values() for step in state.then if step.when is not None]
    return [f"{pattern!r} is no RE2 expression ({wrong})" for pattern in patterns if (wrong := problem(pattern))]
