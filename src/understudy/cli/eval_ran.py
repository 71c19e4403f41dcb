"""What a run of the command line came to, for all that show it; it shows nothing itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from understudy.evaluation.gate import GateFound
    from understudy.evaluation.runner import RunOutcome
    from understudy.evaluation.summary import SelfTest, Summary
    from understudy.records.suite import Suite
    from understudy.stats.agreement import Agreement


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A run: of which suite and release, where its results are, what they say; the rest where it was asked for.

    `judges`: how far each judge agrees with people on recorded replies.
    """

    suite: Suite
    release: str
    file: Path
    run: str
    outcome: RunOutcome
    summary: Summary
    gate: GateFound | None = None
    aa: SelfTest | None = None
    baseline: str = ""
    judges: Mapping[str, Agreement] = field(default_factory=dict)
