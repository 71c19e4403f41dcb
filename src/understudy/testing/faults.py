"""Faults of a dependency as values: which request meets which one, and what a body becomes; it opens no connection.

Everything is drawn from a seed: the same seed, rules and order of requests give the same faults.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any, Final


class Fault(StrEnum):
    """What can go wrong on the way to a dependency and back."""

    TIMEOUT = "timeout"
    ERROR = "error"
    RATE_LIMIT = "rate_limit"
    DRIP = "drip"
    MALFORMED = "malformed"
    DRIFT = "drift"
    RESET = "reset"
    PARTIAL = "partial"
    EMPTY = "empty"
    DNS = "dns"


WORDS: Final = {
    Fault.TIMEOUT: "no answer comes",
    Fault.ERROR: "the answer is a 500",
    Fault.RATE_LIMIT: "the answer is a 429 with Retry-After",
    Fault.DRIP: "the answer comes a byte at a time",
    Fault.MALFORMED: "the answer is no JSON",
    Fault.DRIFT: "fields of the answer are gone, renamed or of another type",
    Fault.RESET: "the connection is reset",
    Fault.PARTIAL: "the answer breaks off in the middle",
    Fault.EMPTY: "the answer is a 200 without a body",
    Fault.DNS: "the name cannot be resolved",
}
NEVER_REACH: Final = frozenset({Fault.RATE_LIMIT, Fault.DNS})
"""Faults after which the dependency certainly has not seen the request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Where a fault strikes: at which share of the requests whose path fits `path` (`*` and `?` as in file names).

    It strikes from `from_s` until before `until_s`, in seconds since the rules are in force; None: to the end.
    `reaches`: the share of the struck requests that the dependency sees all the same, so that only its answer is lost.
    `retry_after_s` is what a 429 asks for.
    """

    fault: Fault
    path: str = "*"
    share: float = 1.0
    from_s: float = 0.0
    until_s: float | None = None
    reaches: float = 0.5
    retry_after_s: float = 1.0

    def __post_init__(self) -> None:
        if not (0 < self.share <= 1 and 0 <= self.reaches <= 1):
            raise ValueError(f"share must be in (0, 1] and reaches in [0, 1], got {self.share} and {self.reaches}")
        if self.from_s < 0 or (self.until_s is not None and self.until_s <= self.from_s) or self.retry_after_s < 0:
            raise ValueError("from_s must not be negative, until_s must be later, and retry_after_s not negative")

    def is_on(self, path: str, at_s: float) -> bool:
        """Whether it may strike a request to this path at this time."""
        return fnmatchcase(path, self.path) and self.from_s <= at_s and (self.until_s is None or at_s < self.until_s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Struck:
    """What happens to one request; `reaches`: the dependency sees it all the same. `dice` is for what the body becomes."""

    rule: Rule
    reaches: bool
    dice: random.Random

    @property
    def fault(self) -> Fault:
        """Which fault it is."""
        return self.rule.fault


class Plan:
    """Rules in order, of which the first that strikes counts; the n-th request a rule looks at always draws the same.

    `struck` counts what happened, by fault.
    """

    def __init__(self, rules: Sequence[Rule] = (), *, seed: int = 0) -> None:
        self.rules = tuple(rules)
        self.seed = seed
        self.struck: Counter[Fault] = Counter()
        self._looked_at: Counter[int] = Counter()

    def strike(self, path: str, *, at_s: float) -> Struck | None:
        """Say what happens to the next request; None: nothing."""
        for number, rule in enumerate(self.rules):
            if rule.is_on(path, at_s):
                self._looked_at[number] += 1
                dice = random.Random(f"{self.seed}/{number}/{self._looked_at[number]}")
                if dice.random() < rule.share:
                    self.struck[rule.fault] += 1
                    reaches = rule.fault not in NEVER_REACH and dice.random() < rule.reaches
                    return Struck(rule=rule, reaches=reaches, dice=dice)
        return None

    def names_fail(self, at_s: float) -> bool:
        """Whether a look-up of the dependency's name fails at this time; that knows no path, and is for the whole time."""
        return any(rule.fault is Fault.DNS and rule.is_on(rule.path, at_s) for rule in self.rules)


def malformed(body: bytes) -> bytes:
    """A body that looks like the one that was meant and is no JSON."""
    return b"{" + body[:-1] + b",,"


def drifted(body: bytes, dice: random.Random) -> bytes:
    """The JSON body of another version of the interface: fields are renamed, gone, or of another type.

    At least one field of an object is changed; what is no JSON, or has no field, comes back as it was.
    """
    try:
        document = json.loads(body)
    except ValueError:
        return body
    changed = _drifted(document, dice, share=0.5)
    if changed == document:
        changed = _drifted(document, dice, share=1.0)
    return json.dumps(changed).encode()


def _drifted(node: Any, dice: random.Random, *, share: float) -> Any:
    if isinstance(node, list):
        return [_drifted(inner, dice, share=share) for inner in node]
    if not isinstance(node, dict):
        return node
    changed: dict[str, Any] = {}
    for name, inner in node.items():
        if dice.random() >= share:
            changed[name] = _drifted(inner, dice, share=share)
            continue
        match dice.choice(("renamed", "gone", "retyped")):
            case "renamed":
                changed[f"{name}V2"] = inner
            case "retyped":
                changed[name] = [inner] if isinstance(inner, dict | list) else {"value": inner}
            case _:
                pass
    return changed
