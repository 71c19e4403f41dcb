"""Which release of an agent drafts for a conversation, and under whose name its draft is kept; it moves no release.

A conversation is given a release when its first draft is due, by a draw that is its own, and keeps it: a later canary, a
larger share or a promotion does not switch it. Only a rollback does, for every conversation's next draft, and a release
that no configuration states any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from understudy.errors import AgentAnsweredNonsense
from understudy.ports.agent import Agent, DraftRequest
from understudy.ports.clock import Clock
from understudy.ports.store import Transaction
from understudy.records.evidence import Draft
from understudy.records.release import ANSWERS, Choice, Chosen, Release, Roster, Stage, Stated, draw

Route = Callable[[Transaction, str, str], tuple[Chosen, ...]]
"""Of a transaction, a conversation and its channel: who drafts for it. May write what is decided now."""


def nowhere(_tx: Transaction, _conversation_id: str, _channel: str) -> tuple[Chosen, ...]:
    """The route where no agent can have releases."""
    return ()


class Routes:
    """Finds the release of a conversation. `agents_of` names the agents that are asked on a channel, `stated` the
    versions of each agent that the configuration states now, its own entry first."""

    def __init__(
        self, clock: Clock, agents_of: Callable[[str], tuple[str, ...]], stated: Mapping[str, tuple[Stated, ...]]
    ) -> None:
        self._clock = clock
        self._agents_of = agents_of
        self._stated = {agent: {one.id: one for one in reversed(found)} for agent, found in stated.items()}
        self._own = {agent: found[0] for agent, found in stated.items()}

    def __call__(self, tx: Transaction, conversation_id: str, channel: str) -> tuple[Chosen, ...]:
        """Say who drafts, and keep what was decided just now. Costs a remembered look-up where there are no releases."""
        roster = tx.releases.roster()
        if not roster.releases:
            return ()
        chosen = (self._of(tx, roster, conversation_id, agent) for agent in self._agents_of(channel))
        return tuple(one for one in chosen if one is not None)

    def would_draft(self, tx: Transaction, conversation_id: str, agent: str) -> Chosen | None:
        """Say who would draft for a conversation, and keep nothing."""
        return self._look(tx, tx.releases.roster(), conversation_id, agent)[0]

    def _of(self, tx: Transaction, roster: Roster, conversation_id: str, agent: str) -> Chosen | None:
        chosen, before = self._look(tx, roster, conversation_id, agent)
        if chosen is not None and chosen.release is not None and (before is None or before.release_id != chosen.id):
            tx.releases.choose(
                Choice(conversation_id=conversation_id, agent=agent, release_id=chosen.id, at=self._clock.now())
            )
            tx.ledger.append(
                "release.chosen",
                at=self._clock.now(),
                conversation_id=conversation_id,
                release=chosen.id,
                was=None if before is None else before.release_id,
            )
        return chosen

    def _look(
        self, tx: Transaction, roster: Roster, conversation_id: str, agent: str
    ) -> tuple[Chosen | None, Choice | None]:
        full = roster.full(agent)
        if full is None:
            return None, None  # nothing of this agent was released yet
        before = tx.releases.choice(conversation_id, agent)
        kept = None if before is None else _still(roster.get(before.release_id), before)
        release = kept if self._may_draft(kept) else self._decided(tx, roster, conversation_id, full, before)
        if not self._may_draft(release):
            return Chosen(agent=agent, id=self._own[agent].id), before
        assert release is not None
        return Chosen(agent=agent, id=release.id, release=release), before

    def _decided(
        self, tx: Transaction, roster: Roster, conversation_id: str, full: Release, before: Choice | None
    ) -> Release:
        """The canary for its share of the conversations that begin while it is one, and for no other."""
        canary = roster.candidate(full.agent)
        if canary is None or canary.stage is not Stage.CANARY or before is not None or not self._may_draft(canary):
            return full
        if tx.conversations.get(conversation_id).created_at < canary.since:
            return full
        return canary if draw(conversation_id, canary.id) < canary.share else full

    def _may_draft(self, release: Release | None) -> bool:
        return release is not None and release.stage in ANSWERS and release.id in self._stated.get(release.agent, {})


def _still(release: Release | None, choice: Choice) -> Release | None:
    """The release of a choice, if it was not taken back since: then nothing that was chosen before holds any more."""
    is_void = release is None or (release.taken_back_at is not None and choice.at <= release.taken_back_at)
    return None if is_void else release


class Picks:
    """The agents to ask for a request: on a channel the configured ones, each in the release that was chosen.

    `asked` names the agents of each channel ("" for all others), `agents` holds one for each entry, `stated` says which
    entry holds which version.
    """

    def __init__(
        self,
        asked: Mapping[str, tuple[str, ...]],
        agents: Mapping[str, Agent],
        stated: Mapping[str, tuple[Stated, ...]],
    ) -> None:
        self._asked = asked
        self._agents = agents
        self._entry = {one.id: one.entry for found in stated.values() for one in reversed(found)}

    def names(self, channel: str) -> tuple[str, ...]:
        """The agents that are asked on a channel, the first preferred."""
        return self._asked.get(channel, self._asked[""])

    def __call__(self, request: DraftRequest) -> tuple[Agent, ...]:
        """Pick them, the first preferred."""
        names = self.names(request.channel)
        if not request.chosen:
            return tuple(self._agents[name] for name in names)
        chosen = {one.agent: one for one in request.chosen}
        return tuple(self._released(chosen[name]) if name in chosen else self._agents[name] for name in names)

    def only(self, chosen: Chosen) -> Agent:
        """The agent that drafts for this release."""
        return self._released(chosen)

    def _released(self, chosen: Chosen) -> Agent:
        return ReleasedAgent(self._agents[self._entry[chosen.id]], chosen)


class ReleasedAgent:
    """An agent whose drafts are kept under the name of the release that was chosen; keeps `ports.agent.Agent`."""

    def __init__(self, agent: Agent, chosen: Chosen) -> None:
        self._agent = agent
        self._chosen = chosen
        self.name = agent.name
        self.version = chosen.names(agent.version)

    async def draft(self, request: DraftRequest) -> Draft:
        """Have it draft."""
        draft: object = await self._agent.draft(request)
        if not isinstance(draft, Draft):
            raise AgentAnsweredNonsense(f"agent {self.name!r} answered a {type(draft).__name__}, not a draft")
        return replace(draft, agent_version=self._chosen.names(draft.agent_version))

    async def check(self) -> str:
        """Have it checked."""
        return await self._agent.check()

    async def close(self) -> None:
        """Whoever made it closes it."""
