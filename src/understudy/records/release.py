"""Releases: versions of agents by their content, the stages between them and all customers, and who moved them why.

The table below is the whole life of a release. Which conversation gets which is decided by what stands here; nothing
here reads a configuration, a store or a clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from understudy.records.autonomy import UNVERSIONED
from understudy.records.codec import canonical, digest
from understudy.records.gate import GateResult, GateVerdict

ID_PREFIX: Final = "rel-"
ID_DIGITS: Final = 12
UNRELEASED: Final = "unreleased:"
"""Before the id of a content that an agent with releases drafts with and that was never released."""
OTHER_VERSION: Final = "~"
"""Between a release and the version its agent named where that is another than the one it was released with."""


class Stage(StrEnum):
    """How far a release is. *shadow*: its drafts are compared and never sent; *canary*: it drafts for a share of the
    conversations; *full*: for all. *retired*: another took its place, or it was given up before it was let out."""

    CREATED = "created"
    GATED = "gated"
    SHADOW = "shadow"
    CANARY = "canary"
    FULL = "full"
    ROLLED_BACK = "rolled_back"
    RETIRED = "retired"


_S = Stage
TRANSITIONS: Final[Mapping[Stage, frozenset[Stage]]] = {
    _S.CREATED: frozenset({_S.GATED, _S.FULL, _S.RETIRED}),
    _S.GATED: frozenset({_S.SHADOW, _S.CANARY, _S.RETIRED}),
    _S.SHADOW: frozenset({_S.CANARY, _S.ROLLED_BACK}),
    _S.CANARY: frozenset({_S.CANARY, _S.FULL, _S.ROLLED_BACK}),
    _S.FULL: frozenset({_S.RETIRED, _S.ROLLED_BACK}),
    _S.ROLLED_BACK: frozenset({_S.GATED}),
    _S.RETIRED: frozenset({_S.GATED, _S.FULL}),
}
"""From each stage, the stages a release may go to.

*created* goes to *full* only as an agent's first release, which has nothing to be compared with; *retired* only where the
release that took its place is rolled back. *canary* goes to *canary* with another share. What was rolled back or retired begins again at *gated*, by a person's word.
"""

NEXT: Final[Mapping[Stage, Stage]] = {_S.GATED: _S.SHADOW, _S.SHADOW: _S.CANARY, _S.CANARY: _S.FULL}
"""What a promotion without a named stage means."""

CANDIDATE: Final = frozenset({_S.SHADOW, _S.CANARY})
"""Stages of a release that is being tried; an agent has at most one at a time."""
ANSWERS: Final = frozenset({_S.CANARY, _S.FULL, _S.RETIRED})
"""Stages whose drafts may reach customers; a retired one still ends the conversations it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One part of what an agent is made of (model, prompt, tools, knowledge, settings): the digest of its content, and
    words that show it to people without a secret."""

    name: str
    digest: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """An agent version as a configuration states it now. `agent` is what it is a version of, `entry` where it stands in
    `[agents]`.

    `may_act`: the agent may do things when it is asked, so it is asked for drafts that are never sent only if it promised
    to do nothing then (`honours_rehearsal`).
    """

    id: str
    agent: str
    entry: str
    parts: tuple[Part, ...]
    may_act: bool = False
    honours_rehearsal: bool = False

    @property
    def can_rehearse(self) -> bool:
        """Whether asking for a draft that is never sent can do no harm."""
        return not self.may_act or self.honours_rehearsal


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One thing that was done to a release. `what`: the stage it went to, or held, resumed, verified, unverified."""

    what: str
    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """A person's word that a release stays where it is: nothing but a person moves it."""

    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One agent version and how far it is.

    `is_first`: an agent's first release, adopted as it was. Its drafts are recorded as before, by the version that the
    agent says, so that what they earned goes on; those of later ones are recorded by the release's id. `agent_version`
    is what the agent called itself, where it said. `replaces` is the release that was *full* when this one became it. `share` in [0, 1] of
    the conversations are its own while it is *canary*. `since`: when it came to its stage. `waived`: why a person let it
    pass without a gate. `taken_back_at`: when it was rolled back last; what conversations were given before that is void.
    `verified_at` None after a rollback: nobody has seen yet that the old release answers.
    """

    id: str
    version: int
    agent: str
    entry: str
    parts: tuple[Part, ...]
    stage: Stage
    created_at: datetime
    created_by: str
    since: datetime
    agent_version: str | None = None
    is_first: bool = False
    why: str = ""
    gate: GateResult | None = None
    waived: str | None = None
    share: float = 0.0
    replaces: str | None = None
    hold: Hold | None = None
    taken_back_at: datetime | None = None
    verified_at: datetime | None = None
    unverified: str | None = None
    moves: tuple[Move, ...] = ()

    def __post_init__(self) -> None:
        if not 0.0 <= self.share <= 1.0:
            raise ValueError(f"Release.share must be in [0, 1], got {self.share!r}")

    @property
    def key(self) -> str:
        """The name under which its drafts, and what they earn, are kept."""
        return (self.agent_version or UNVERSIONED) if self.is_first else self.id

    @property
    def has_passed(self) -> bool:
        """Whether a gate compared it with its baseline and found it no worse."""
        return self.gate is not None and self.gate.verdict is GateVerdict.PASS

    def made(self, name: str | None) -> bool:
        """Whether a draft recorded under this name is one of this release as it was released."""
        if self.is_first and self.agent_version is None:  # it never said what it calls itself
            return name is None or not name.startswith((ID_PREFIX, UNRELEASED))
        return (name or UNVERSIONED) == self.key

    def names(self, said: str | None) -> str | None:
        """How a draft of this release is recorded whose agent calls itself `said`.

        A first release is recorded as ever. A later one by its id; where the agent names another version than it was
        released with, by both, since that version was never released.
        """
        if self.is_first:
            return said
        if self.agent_version is None or said is None or said == self.agent_version:
            return self.id
        return f"{self.id}{OTHER_VERSION}{said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """Who drafts for a conversation. `release` None: the content as configured, which no release has; `id` names it."""

    agent: str
    id: str
    release: Release | None = None

    def names(self, said: str | None) -> str | None:
        """How its draft is recorded."""
        return f"{UNRELEASED}{self.id}" if self.release is None else self.release.names(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Which release a conversation got, once and for all; only a rollback, or a release that no configuration states
    any more, makes another."""

    conversation_id: str
    agent: str
    release_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What live signals have shown of a release so far: made of all ledger entries up to `consumed`, as canonical JSON."""

    release_id: str
    consumed: int
    progress: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsed:
    """One side of a rehearsal: the decision on its draft and the findings that held it up, or why there was no draft.

    `confidence` in [0, 1]; `took_ms` for the draft.
    """

    decision: str
    findings: tuple[str, ...]
    confidence: float | None = None
    error: str | None = None
    took_ms: float | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A draft that a release made beside the one that counted, assessed under the same rulebook; nothing of it was sent.

    `seq` is the number of the turn's decision in the ledger. `is_same`: the texts say the same, letter for letter but
    for spaces and case.
    """

    release_id: str
    turn_id: str
    seq: int
    at: datetime
    baseline: Rehearsed
    candidate: Rehearsed
    is_same: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """All releases of all agents as they stand, in the order they were created."""

    releases: tuple[Release, ...] = ()
    _by_id: dict[str, Release] = field(init=False, repr=False, compare=False)
    _by_key: dict[str, Release] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_id", {one.id: one for one in self.releases})
        object.__setattr__(self, "_by_key", {one.key: one for one in self.releases})

    def get(self, release_id: str) -> Release | None:
        """A release by its id."""
        return self._by_id.get(release_id)

    def recorded_as(self, name: str) -> Release | None:
        """The release whose drafts are recorded under this name."""
        return self._by_key.get(name.partition(OTHER_VERSION)[0])

    def has(self, agent: str) -> bool:
        """Whether an agent has a release that drafts."""
        return self.full(agent) is not None

    def of(self, agent: str) -> tuple[Release, ...]:
        """The releases of an agent."""
        return tuple(one for one in self.releases if one.agent == agent)

    def full(self, agent: str) -> Release | None:
        """The release that drafts for an agent's conversations."""
        return next((one for one in self.releases if one.agent == agent and one.stage is Stage.FULL), None)

    def candidate(self, agent: str) -> Release | None:
        """The release that is being tried."""
        return next((one for one in self.releases if one.agent == agent and one.stage in CANDIDATE), None)

    def candidates(self) -> tuple[Release, ...]:
        """The releases that are being tried, of all agents."""
        return tuple(one for one in self.releases if one.stage in CANDIDATE)

    def share_of(self, release: Release) -> float:
        """The share in [0, 1] of an agent's new conversations that a release drafts for."""
        if release.stage is Stage.CANARY:
            return release.share
        if release.stage is not Stage.FULL:
            return 0.0
        candidate = self.candidate(release.agent)
        return 1.0 - (candidate.share if candidate is not None and candidate.stage is Stage.CANARY else 0.0)

    def unverified(self) -> tuple[Release, ...]:
        """Those rolled back of which nobody has seen yet that another answers."""
        return tuple(one for one in self.releases if one.stage is Stage.ROLLED_BACK and one.verified_at is None)


NO_RELEASES: Final = Roster()


def is_unreleased(name: str) -> bool:
    """Whether drafts recorded under this name come from a content that was never released."""
    return name.startswith(UNRELEASED) or (name.startswith(ID_PREFIX) and OTHER_VERSION in name)


def content_id(agent: str, parts: Iterable[Part]) -> str:
    """The id of a content: the agent it is a version of, and the digest of each of its parts."""
    content = [agent, sorted([part.name, part.digest] for part in parts)]
    return ID_PREFIX + digest(canonical(content))[:ID_DIGITS]


def draw(conversation_id: str, release_id: str) -> float:
    """A number in [0, 1) that a conversation has for a release, always the same, and unrelated for another release."""
    hashed = hashlib.sha256(f"{release_id}\n{conversation_id}".encode()).digest()
    return int.from_bytes(hashed[:7], "big") / 2**56


def may_go(before: Stage, to: Stage) -> bool:
    """Whether a release may go from one stage to another."""
    return to in TRANSITIONS[before]


def is_unverified(release: Release) -> bool:
    """Whether a rollback is known not to have worked."""
    return release.stage is Stage.ROLLED_BACK and release.unverified is not None and release.verified_at is None
