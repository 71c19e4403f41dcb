"""The cases that a gate's verdict turned on, both answers side by side, as people read them; how they are found stands in
`evaluation/flips.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from understudy.records.gate import GateResult
from understudy.records.suite import CaseRule


@dataclass(frozen=True, slots=True, kw_only=True)
class FlipSide:
    """One release on one case: `failed` of the `made` trials, `errors` that tell nothing, and the trial that shows it
    best: what it replied, what was decided and what the graders said. All empty where no trial is kept."""

    made: int
    failed: int
    errors: int
    trial: int | None
    loss: float | None
    reply: str | None
    decision: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """One case. `asked` is the customer's last message and `was_wrong` what people once found, where the suite can be read
    on this server with the same content; `blocks`: it blocked the gate by itself."""

    case: str
    rule: CaseRule
    asked: str | None
    was_wrong: str | None
    baseline: FlipSide
    candidate: FlipSide
    blocks: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GateDetail:
    """What a gate said of a release and the cases behind it, those that got worse first. `baseline_run` and
    `candidate_run` hold the trials, None where they were not kept here; the margin is the mean loss by which a candidate
    may seem worse, None where its terms were not kept. `is_cut`: more cases flipped than are shown."""

    result: GateResult
    baseline_run: str | None
    candidate_run: str | None
    margin: float | None
    cases: tuple[Flip, ...]
    is_cut: bool
