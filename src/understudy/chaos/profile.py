"""What a trial under faults is made of, read from TOML: how long, how many customers, and which fault strikes what; it plays nothing."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from importlib.resources import files
from pathlib import Path

from pydantic import Field, ValidationError

from understudy.errors import ConfigurationError
from understudy.records.codec import explain
from understudy.settings.section import Section
from understudy.testing.faults import Fault, Rule

SHIPPED = ("provider-outage", "flaky-provider", "rate-limited", "drifting", "slow-agent", "everything")


class ProfileRule(Section):
    """One fault on some dependencies."""

    on: str = Field(
        description="dependencies as agents.NAME, opinions.NAME, channels.NAME, systems.NAME, records.NAME; * and ? fit"
    )
    fault: Fault = Field(description="what goes wrong")
    path: str = Field("*", description="on these paths of it only; * and ? fit")
    share: float = Field(1.0, gt=0, le=1, description="of the requests")
    from_s: float = Field(0.0, ge=0, description="from this second on")
    until_s: float | None = Field(None, gt=0, description="until this second; default: to the end")
    reaches: float = Field(
        0.5, ge=0, le=1, description="share of the struck requests that it sees all the same, its answer being lost"
    )
    retry_after_s: float = Field(1.0, ge=0, description="what a 429 asks for")

    def as_rule(self) -> Rule:
        """The rule as a proxy plays it; raises `ValueError`."""
        return Rule(**self.model_dump(exclude={"on"}))


class Profile(Section):
    """A trial. A customer must have a reply, or a person the customer, `deadline_s` after they wrote."""

    description: str = Field("", max_length=200, description="what it is, for people")
    seconds: float = Field(30.0, gt=0, le=3_600, description="so long customers write")
    messages_per_s: float = Field(2.0, gt=0, le=100, description="of all customers together")
    deadline_s: float = Field(30.0, gt=0, le=600, description="for a reply, or for a person to have it")
    rules: list[ProfileRule] = Field(min_length=1, description="the first that strikes counts")

    def rules_on(self, dependency: str) -> list[Rule]:
        """The rules for one dependency, in their order."""
        return [rule.as_rule() for rule in self.rules if fnmatchcase(dependency, rule.on)]

    def within(self, seconds: float) -> Profile:
        """The same in another time: all of its moments are stretched or shortened with it."""
        share = seconds / self.seconds
        moved = [
            rule.model_copy(
                update={
                    "from_s": rule.from_s * share,
                    "until_s": None if rule.until_s is None else rule.until_s * share,
                }
            )
            for rule in self.rules
        ]
        return self.model_copy(update={"seconds": seconds, "rules": moved})

    def strikes(self, dependencies: Sequence[str]) -> bool:
        """Whether any of them is meant."""
        return any(self.rules_on(name) for name in dependencies)


def read_profile(name: str) -> Profile:
    """A shipped profile by its name, or one of yours by its file; raises `ConfigurationError`."""
    if name in SHIPPED:
        return parsed(files(__package__).joinpath("profiles", f"{name}.toml").read_text(encoding="utf-8"), name)
    file = Path(name)
    if file.suffix != ".toml":
        raise ConfigurationError(f"there is no profile {name!r}: give a .toml file, or one of {', '.join(SHIPPED)}")
    try:
        return parsed(file.read_text(encoding="utf-8"), name)
    except OSError as error:
        raise ConfigurationError(f"the profile {name} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"the profile {name} is not UTF-8 text") from error


def parsed(text: str, name: str) -> Profile:
    """Read a profile; raises `ConfigurationError` naming what does not fit."""
    try:
        profile = Profile.model_validate(tomllib.loads(text))
        for rule in profile.rules:
            rule.as_rule()
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the profile {name} is not TOML: {error}") from error
    except ValidationError as error:
        raise ConfigurationError(f"the profile {name}: {explain(error)}") from error
    except ValueError as error:
        raise ConfigurationError(f"the profile {name}: {error}") from error
    return profile
