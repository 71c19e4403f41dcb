"""The patterns that people write into the configuration, matched in time that grows with the text and not faster.

They are RE2 expressions: no pattern, however it is written, can hold a check up, and no clock has to stop one, so the
same draft gives the same findings on every machine. The price is that RE2 has no look-around and no back-references.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import islice
from typing import Any, Final

import re2

MATCHES_MAX: Final = 25
"""No more matches of one pattern are looked for: each search may read the whole text again."""
_MEMORY_MAX: Final = 2**20


def problem(pattern: str) -> str | None:
    """Say what is wrong with a pattern; None where it can be used."""
    try:
        if _compiled(pattern).search("") is not None:
            return "it matches a text of nothing, so it would match everywhere"
    except re2.error as error:
        reason = error.args[0] if error.args else error
        return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)
    return None


def matches(pattern: str, text: str) -> list[tuple[int, int]]:
    """List the first `MATCHES_MAX` places where a pattern matches, without regard to case; empty ones are left out. Raises `re2.error`."""
    first = islice(_compiled(pattern).finditer(text), MATCHES_MAX)
    return [match.span() for match in first if match.end() > match.start()]


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> Any:
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = _MEMORY_MAX
    return re2.compile(pattern, options)
