"""Which cases a channel of a configuration is tried with; it plays none."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from understudy.errors import ConfigurationError
from understudy.settings.channels import Remote
from understudy.settings.mail import Email
from understudy.settings.matrix import Matrix
from understudy.settings.model import Settings

Play = Callable[[], None]
"""Plays one case; raises `CaseFailed` with what the channel did instead."""


def cases_for(settings: Settings, name: str) -> Mapping[str, Play]:
    """The cases for a channel, by name; raises `ConfigurationError` where it cannot be tried."""
    channel = settings.channels.get(name)
    trial: Any
    cases: Mapping[str, Callable[[Any], None]]
    match channel:
        case Email():
            from understudy.connector_kit.mail_cases import MAIL_CASES
            from understudy.connector_kit.mail_trial import MailTrial

            trial, cases = MailTrial(settings, name, channel), MAIL_CASES
        case Matrix():
            from understudy.connector_kit.matrix_cases import MATRIX_CASES
            from understudy.connector_kit.matrix_trial import MatrixTrial

            trial, cases = MatrixTrial(settings, name, channel), MATRIX_CASES
        case Remote():
            from understudy.connector_kit.cases import CASES
            from understudy.connector_kit.trial import Trial

            trial, cases = Trial(settings, name), CASES
        case _:
            can = [one for one, known in settings.channels.items() if isinstance(known, Remote | Email | Matrix)]
            raise ConfigurationError(
                f"{name!r} is no channel that can be tried; those of kind rest and of vendors, e-mail and matrix can: "
                f"{', '.join(can) or 'none'}"
            )
    return {called: partial(case, trial) for called, case in cases.items()}
