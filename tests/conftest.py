"""Options for every test: how hypothesis searches. Fixtures live beside the tests that need them, not here."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# A failure prints its seed and a blob that reproduces it anywhere. No deadline: the machine may be busy, and a slow
# example is a benchmark's business.
settings.register_profile(
    "dev", deadline=None, max_examples=50, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("ci", settings.get_profile("dev"), max_examples=200)
settings.register_profile("night", settings.get_profile("dev"), max_examples=5000)
settings.load_profile("ci" if os.environ.get("CI") else "dev")
