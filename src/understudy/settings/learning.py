"""The section `[learning]`: when the confidence is learned anew from verdicts, and when what was learned is used."""

from __future__ import annotations

from pydantic import Field

from understudy.settings.section import Section


class LearningSettings(Section):
    """What is learned from reviewers in the background. Nothing learned is used before it has done better on verdicts
    it has not seen."""

    every_h: float = Field(24.0, gt=0, description="hours between two trials of something newly learned")
    new_verdicts: int = Field(200, ge=1, description="or so many new verdicts, whichever comes first")
    verdicts_min: int = Field(200, ge=50, description="verdicts before a calibrator is learned at all")
    unseen_share: float = Field(
        0.3, ge=0.1, le=0.5, description="share of the verdicts, the latest, that is kept for the trial"
    )
    gain_min: float = Field(
        0.02, ge=0, lt=1, description="the mean log loss must fall by this share, since slices then begin anew"
    )
    level: float = Field(
        0.01, gt=0, le=0.1, description="probability of taking one that is no better, in each trial, at most"
    )
