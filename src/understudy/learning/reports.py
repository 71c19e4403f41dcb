"""Read what was learned, for people: which calibrator is in force and how honest its confidences have been."""

from __future__ import annotations

from understudy.assessment.confidence import calibrator_under
from understudy.learning.calibrating import Reliability, reliability_of
from understudy.ports.store import Transaction
from understudy.records.rulebook import Rules, calibrator_in

VERDICTS_MAX = 20_000


def calibration_in_force(tx: Transaction, rules: Rules) -> Reliability:
    """The calibrator that new epochs get, with its weights, and its reliability on the latest verdicts that it had no
    part of. Slices that answer alone may still have an older one: `reliability_of_calibrator` says how that does."""
    calibrator = calibrator_under(rules, tx.calibrators.latest())
    return reliability_of(tx.candidates.latest_judged(limit=VERDICTS_MAX), calibrator)


def reliability_of_calibrator(tx: Transaction, calibrator_id: str, rules: Rules) -> Reliability:
    """The same for any calibrator; a name that none has is read as the shipped one's."""
    calibrator = calibrator_under(rules, tx.calibrators.get(calibrator_in(calibrator_id)))
    return reliability_of(tx.candidates.latest_judged(limit=VERDICTS_MAX), calibrator)
