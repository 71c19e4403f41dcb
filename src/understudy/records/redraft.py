"""Redrafts: what a new release drafts for turns of the past whose drafts were labelled. How they are made stands in `learning/`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class RedraftTerms:
    """How many turns of a slice are redrafted for a release at most (0: none), and how old their drafts may be.

    `per_hour_max` redrafts an hour, each within `draft_s_max` seconds, which is what a draft for a customer has. One that nobody judged within `judged_within`
    counts as bad, like every draft.
    """

    per_slice_max: int = 0
    age: timedelta = timedelta(days=30)
    judged_within: timedelta = timedelta(hours=72)
    draft_s_max: float = 30.0
    per_hour_max: int = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class RedraftPlan:
    """Which turns of a slice a release redrafts, in which order, and how far it is.

    `drawn` are the numbers (`Candidate.seq`) of the old drafts in the order in which the redrafts are evidence; it follows
    from `seed` and was fixed before any was made. They are a uniformly random part of `pool` drafts, all that counted in
    `epoch` of the release `baseline`. `tuned_on`: those whose turns are cases of a suite that the release had to pass.

    The first `done` of them are made: `same` said what the old draft said and carry its label, `asked` were put before
    people, `kept` differ on a turn the release was tuned on and keep the old label, which is bad; `apart` would be left to people by a rule
    and are no evidence, `failed` could not be made and count as bad. `tries` of the next one failed so far, and it is
    not tried before `again_at`.
    """

    release_id: str
    topic: str
    channel: str
    version: int
    baseline: str
    epoch: str
    seed: str
    pool: int
    drawn: tuple[int, ...]
    tuned_on: tuple[int, ...]
    drawn_at: datetime
    done: int = 0
    same: int = 0
    asked: int = 0
    kept: int = 0
    apart: int = 0
    failed: int = 0
    tries: int = 0
    again_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Redrafted:
    """How far the redrafts of a release are in a slice: the counts of `RedraftPlan`, and how many people still have to
    judge (`awaited`)."""

    topic: str
    channel: str
    drawn: int
    done: int
    same: int
    asked: int
    kept: int
    apart: int
    failed: int
    awaited: int


def shuffled(seqs: Iterable[int], seed: str) -> tuple[int, ...]:
    """Put numbers in an order that is uniformly random over seeds and always the same for one.

    Whoever has the seed can draw again: they stand in the order of the SHA-256 of seed and number, so every beginning of
    it is a uniformly random part of them.
    """
    return tuple(sorted(set(seqs), key=lambda seq: (hashlib.sha256(f"{seed}\n{seq}".encode()).digest(), seq)))
