"""The built-in checks, in the order of their findings; a new one is a module here and a line below."""

from __future__ import annotations

from understudy.assessment.check import Check
from understudy.assessment.checks.actions import ActionsCheck
from understudy.assessment.checks.escalation import EscalationCheck
from understudy.assessment.checks.exposure import ExposureCheck
from understudy.assessment.checks.grounding import GroundingCheck
from understudy.assessment.checks.injection import InjectionCheck
from understudy.assessment.checks.opinions import OpinionsCheck
from understudy.assessment.checks.policy import PolicyCheck
from understudy.assessment.checks.quality import QualityCheck

CHECKS: tuple[Check, ...] = (
    GroundingCheck(),
    ActionsCheck(),
    ExposureCheck(),
    InjectionCheck(),
    EscalationCheck(),
    PolicyCheck(),
    QualityCheck(),
)
"""Those that always run."""

OPINIONS: Check = OpinionsCheck()
"""Runs behind them where the rulebook wants second opinions."""
