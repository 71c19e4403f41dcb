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
    topic_tags_min: int = Field(200, ge=50, description="tags of topics before a topic model is trained at all")
    topic_wrong_max: float = Field(
        0.02, gt=0, le=0.2, description="share of a topic model's sure answers that may be wrong; else it says unknown"
    )
    topic_unknown_share: float = Field(
        0.1, ge=0, le=0.9, description="share of all messages that are about no topic of yours, as far as you know"
    )
    level: float = Field(
        0.01, gt=0, le=0.1, description="probability of taking one that is no better, in each trial, at most"
    )
