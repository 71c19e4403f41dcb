"""What is seen of a release on its way, what follows from it, and under which terms; the arithmetic stands in `release/`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from understudy.records.redraft import Redrafted
from understudy.records.release import Release
from understudy.records.spread import GateProgress


class LiveSignal(StrEnum):
    """What candidate and baseline are compared by: *quality* what reviewers said of sampled drafts, *checks* what the
    checks found and drafts that did not come, *complaints* of customers, *latency* of drafts, *cost* where the agent says it."""

    QUALITY = "quality"
    CHECKS = "checks"
    COMPLAINTS = "complaints"
    LATENCY = "latency"
    COST = "cost"


class Trend(StrEnum):
    """What a signal says: *missing* is too little to say anything, *open* is not decided yet; neither is good news."""

    WORSE = "worse"
    NO_WORSE = "no_worse"
    OPEN = "open"
    MISSING = "missing"


class NextStep(StrEnum):
    """What follows: take the next step, stay where a person put it, go back, or wait for more."""

    GO_ON = "go_on"
    HOLD = "hold"
    ROLL_BACK = "roll_back"
    INCONCLUSIVE = "inconclusive"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalSeen:
    """A signal after `pairs` comparisons: the mean difference of losses in [−1, 1], above 0 where the candidate is worse
    (None without any), and how far the evidence for either is, of 100."""

    signal: LiveSignal
    trend: Trend
    pairs: int
    difference: float | None
    worse: int
    no_worse: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """What follows from all that was seen, and why, in words. `signal` is the one that decided, if one did."""

    step: NextStep
    why: str
    signal: LiveSignal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseTerms:
    """How releases come to the customers.

    `share` in (0, 1] of new conversations is a canary's. `margin` in (0, 1): the mean loss by which a candidate may seem
    worse and still go on; `delta` in (0, ½): the probability of ever taking back one that is no worse. `pairs_min`
    comparisons before anything follows from a signal, `days_min` days before the next stage is proposed. A draft that
    takes `draft_s_max` is as slow as can be, one that costs `draft_cost_max` as expensive (None: costs are not compared). `takes_back`: a regression takes it back, and is not only told of.
    `goes_on`: the next step is taken, and not only proposed. `shadow_per_hour_max` rehearsals an hour, at most,
    which are kept `rehearsals_kept_days` (0: until somebody deletes them).
    """

    share: float = 0.1
    margin: float = 0.03
    delta: float = 0.05
    pairs_min: int = 30
    days_min: float = 1.0
    draft_s_max: float = 10.0
    draft_cost_max: float | None = None
    takes_back: bool = True
    goes_on: bool = False
    shadow_per_hour_max: int = 600
    rehearsals_kept_days: float = 30.0
    probe: str = "Hello, what can you help me with?"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseStatus:
    """How a release is doing: what was seen of it, what follows, in which conversations, and whether a configuration
    states it in this process. `harms` counts its automatic replies that a reviewer called harmful, `rehearsals` those that
    are still kept; `redrafts` say how far the labels of past drafts were carried over, by slice. `gate`: how far the gate is
    that servers were asked for last, if one was."""

    release: Release
    is_stated: bool
    conversations: int
    signals: tuple[SignalSeen, ...] = ()
    harms: int = 0
    rehearsals: int = 0
    redrafts: tuple[Redrafted, ...] = ()
    advice: Advice | None = None
    gate: GateProgress | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReleases:
    """The releases of one agent, and what its own entry in the configuration is: an id, and whether it was released.
    `unreleased` are the entries of `[agents]` whose content, as it stands, is no release yet."""

    agent: str
    configured: str
    is_released: bool
    full: str | None
    releases: tuple[ReleaseStatus, ...]
    unreleased: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RolledBack:
    """A rollback, and what answers in its place from its commit on (None: nothing that was ever released)."""

    release: Release
    answers: Release | None
    at: datetime
