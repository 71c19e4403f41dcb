"""Checks of other packages, found by entry point: only those that the configuration names run; it judges nothing.

A package offers a check in its `pyproject.toml`:

    [project.entry-points."understudy.checks"]
    tone = "their_package.tone:ToneCheck"

and whoever installs it names it in `understudy.toml`: `[checks.tone]`. Installing alone changes no decision.
"""

from __future__ import annotations

import difflib
from importlib.metadata import EntryPoint, entry_points
from typing import Final

from understudy.assessment.check import Check
from understudy.assessment.checks import CHECKS, OPINIONS
from understudy.assessment.confidence import AGENT_SIGNAL
from understudy.errors import ConfigurationError
from understudy.settings.model import Settings

GROUP: Final = "understudy.checks"


def installed_checks() -> dict[str, EntryPoint]:
    """The checks that installed packages offer, by name; none of them is loaded."""
    return {point.name: point for point in entry_points(group=GROUP)}


def known_checks() -> frozenset[str]:
    """Every name that `[checks.NAME]` may have."""
    return frozenset({check.name for check in (*CHECKS, OPINIONS)} | {AGENT_SIGNAL} | set(installed_checks()))


def checks_of(settings: Settings) -> tuple[Check, ...]:
    """The built-in checks and, behind them by name, those of other packages that the settings name and do not switch off.

    Raises `ConfigurationError` for a name that nobody offers, and for a check that cannot be loaded or is none.
    """
    ours = (*CHECKS, OPINIONS) if settings.opinions else CHECKS
    built_in = {check.name for check in (*CHECKS, OPINIONS)} | {AGENT_SIGNAL}
    named = {name: check for name, check in sorted(settings.checks.items()) if name not in built_in}
    if not named:
        return ours
    offered = installed_checks()
    for name in named:
        if name not in offered:
            raise _unknown(name)
    return (*ours, *(_loaded(name, offered[name]) for name, check in named.items() if check.enabled))


def _unknown(name: str) -> ConfigurationError:
    near = difflib.get_close_matches(name, sorted(known_checks()), n=1)
    hint = f"did you mean {near[0]!r}?" if near else "install the package that brings it"
    return ConfigurationError(f"checks.{name}: there is no such check; {hint}")


def _loaded(name: str, offered: EntryPoint) -> Check:
    try:
        found = offered.load()
        check: Check = found() if isinstance(found, type) else found
    except Exception as error:
        raise ConfigurationError(f"checks.{name}: {offered.value} cannot be loaded: {error!r}") from error
    missing = [part for part in ("name", "words", "needs_draft", "examine") if not hasattr(check, part)]
    if missing:
        raise ConfigurationError(f"checks.{name}: {offered.value} is no check, it has no {', '.join(missing)}")
    if check.name != name:
        raise ConfigurationError(f"checks.{name}: {offered.value} calls itself {check.name!r}; the names must agree")
    return check
