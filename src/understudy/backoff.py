"""How long to wait before the next try, as a pure function; it neither waits nor counts tries."""

from __future__ import annotations

EXPONENT_MAX = 30


def backoff_s(attempt: int, draw: float, *, base_s: float, max_s: float, at_least_s: float = 0.0) -> float:
    """Seconds before try `attempt` + 1, after try `attempt` (1 is the first) failed.

    Exponential with full jitter: `draw` (uniform in [0, 1)) × min(max_s, base_s · 2^(attempt − 1)), so that many
    waiting callers do not come back together; never sooner than `at_least_s`, which is what a Retry-After asks for.
    Source: M. Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    """
    if attempt < 1:
        raise ValueError(f"attempt must be >= 1, got {attempt}")
    ceiling = min(max_s, base_s * 2.0 ** min(attempt - 1, EXPONENT_MAX))
    return max(at_least_s, draw * ceiling)
