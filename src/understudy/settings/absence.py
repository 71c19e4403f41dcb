"""What is said while nobody is there, from the settings; to whom it is said stands in `effects/handing_off.py`."""

from __future__ import annotations

from understudy.effects.absence import NobodyHome
from understudy.errors import ConfigurationError
from understudy.records.rulebook import Rulebook
from understudy.settings.model import Settings
from understudy.settings.staffed import staffing_of


def nobody_home_of(settings: Settings, rulebook: Rulebook) -> NobodyHome | None:
    """What is said while nobody is there; raises `ConfigurationError` that names the setting."""
    wanted, rules = settings.routing.nobody_home, rulebook.rules
    if wanted is None:
        return None
    reply = next((one for one in rules.safe_replies if one.id == wanted), None)
    if reply is None:
        known = ", ".join(sorted(settings.safe_replies)) or "none"
        raise ConfigurationError(f"routing.nobody_home: {wanted!r} is no safe reply; there is: {known}")
    if rules.hours is None:
        raise ConfigurationError(
            "routing.nobody_home needs business.hours: without them nobody knows when somebody is there"
        )
    try:
        return NobodyHome(
            reply=reply,
            hours=rules.hours,
            holidays=tuple(settings.business.holidays),
            within_h=settings.routing.nobody_home_within_h,
            pledges=settings.pledges.terms(settings.business.timezone),
            staffing=staffing_of(settings),
        )
    except ValueError as error:
        raise ConfigurationError(f"routing.nobody_home: {error}") from error
