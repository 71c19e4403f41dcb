"""What a reviewer's judgement of a draft counts as, as a loss; who judged and whether it was fair is not asked here."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, Literal


class Grade(StrEnum):
    """How much was wrong with a draft, mildest first."""

    APPROVED = "approved"
    COSMETIC = "cosmetic"
    """Edited, and nothing that was said changed: typography, greeting, layout."""
    MINOR = "minor"
    """Edited for a small fact or the tone."""
    MAJOR = "major"
    """Edited so that it says something else."""
    REJECTED = "rejected"
    """Thrown away: rejected, answered in the reviewer's own words, or the conversation taken over."""
    HARM = "harm"
    """Against policy, or harmful had it been sent."""


LOSSES: Final[Mapping[Grade, float]] = MappingProxyType(
    {
        Grade.APPROVED: 0.0,
        Grade.COSMETIC: 0.0,
        Grade.MINOR: 0.2,
        Grade.MAJOR: 0.5,
        Grade.REJECTED: 1.0,
        Grade.HARM: 1.0,
    }
)
"""The default loss of each grade, in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Severity:
    """A judgement as numbers for two streams that must both be certified: `loss` in [0, 1] against the target of mean
    loss, and whether it `is_severe`, a loss of 1 against the much smaller target of severe ones. A severe judgement is
    an incident as well, which people look into whatever the statistics say."""

    loss: float
    is_severe: bool


def severity(grade: Grade, *, losses: Mapping[Grade, float] = LOSSES) -> Severity:
    """Grade a judgement. Raises `ValueError` if its loss is outside [0, 1] or an approval costs anything."""
    if losses[Grade.APPROVED] != 0.0 or not all(0.0 <= loss <= 1.0 for loss in losses.values()):
        raise ValueError(f"losses must be in [0, 1] and 0 for an approval, got {dict(losses)}")
    return Severity(loss=losses[grade], is_severe=grade is Grade.HARM)


def conversation_loss(losses: Sequence[float], *, by: Literal["max", "mean"] = "max") -> float:
    """One loss for a conversation with several drafts, which are not independent of each other.

    Raises `ValueError` for a conversation without drafts.
    """
    if not losses:
        raise ValueError("a conversation without drafts has no loss")
    return max(losses) if by == "max" else math.fsum(losses) / len(losses)
