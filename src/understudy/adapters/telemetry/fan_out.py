"""Send every event to several telemetries; one that breaks does not keep the others from hearing it."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from understudy.ports.telemetry import Event, Telemetry

_log = logging.getLogger(__name__)


class FanOut:
    """`ports.telemetry.Telemetry` over others."""

    def __init__(self, others: Sequence[Telemetry]) -> None:
        self._others = tuple(others)

    def emit(self, event: Event) -> None:
        for other in self._others:
            try:
                other.emit(event)
            except Exception:  # noqa: BLE001 - whatever broke in one telemetry, the product and the others go on
                _log.exception("telemetry %s failed on %s", type(other).__name__, type(event).__name__)
