"""The section `[evaluation]`: where suites are, how they are run, and what the gate asks for."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from understudy.settings.section import Section


class EvaluationSettings(Section):
    """How a release is tried before it goes out."""

    suites: Path = Field(Path("suites"), description="folder that holds a folder for each suite")
    at_once_max: int = Field(
        8,
        ge=1,
        le=1_000,
        description="trials at once in `eval run`, and in each process that serves or works where a server was asked for them",
    )
    attempts_max: int = Field(3, ge=1, le=20, description="tries of one trial where the agent cannot be reached")
    deadline_s: float = Field(60.0, gt=0, description="longest wait for one reply of the agent under trial")
    cases_min: int = Field(20, ge=1, description="with fewer cases in both runs the gate never passes")
    error_share_max: float = Field(
        0.2, ge=0, le=1, description="with more of the candidate's trials in error the gate never passes"
    )
    must_pass_unacceptable: float = Field(
        0.10, gt=0, lt=1, description="share of failures at which a must-pass case blocks"
    )
    must_pass_acceptable: float = Field(
        0.01, gt=0, lt=1, description="share of failures at which a must-pass case passes; less than the above"
    )
