"""How far a turn has come between two commits, and what its next step needs; it does none of it."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.effects.vouching import Who
from understudy.ports.agent import DraftRequest
from understudy.records.evidence import ChatMessage, Draft
from understudy.records.rulebook import Rulebook
from understudy.records.turn import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A turn whose agent is to be asked, leased. `who` None: systems of record are not asked first."""

    turn: Turn
    request: DraftRequest
    who: Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Drafted:
    """A turn with a draft on which second opinions are to be asked, leased."""

    turn: Turn
    draft: Draft
    messages: tuple[ChatMessage, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """A turn to be decided: its evidence as it was stored, and the rulebook."""

    turn: Turn
    evidence: str
    rulebook: Rulebook
