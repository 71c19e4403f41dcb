"""What is said of one thing that was looked at; it looks at nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One thing looked at. `mend` says what to do; empty where all is well."""

    what: str
    state: Literal["ok", "warning", "error"]
    says: str
    mend: str = ""
