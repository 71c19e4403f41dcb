"""The patterns that people write into the configuration, matched in time that grows with the text and not faster.

They are RE2 expressions: no pattern, however it is written, can hold a check up, and no clock has to stop one, so the
same draft gives the same findings on every machine. The price is that RE2 has no look-around and no back-references.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import re2

_MEMORY_MAX = 2**20


def problem(pattern: str) -> str | None:
    """Say what is wrong with a pattern; None where it can be used."""
    try:
        _compiled(pattern)
    except re2.error as error:
        reason = error.args[0] if error.args else error
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return None


def matches(pattern: str, text: str) -> list[tuple[int, int]]:
    """List where a pattern matches, without regard to case; empty matches do not count. Raises `re2.error`."""
    return [match.span() for match in _compiled(pattern).finditer(text) if match.end() > match.start()]


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY_MAX
    return re2.compile(pattern, options)
