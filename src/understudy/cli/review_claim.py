"""A reviewer's claim on one hold, kept alive in the background while they look; it prints nothing and decides nothing.

A claim lapses after a minute. Somebody who reads, or writes in an editor, does not renew it; so a thread does, and
learns on the way when the hold is gone: the customer wrote again, a colleague decided, its time ran out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Protocol

from understudy.client.errors import ApiError, ClientError
from understudy.client.models import Hold, HoldDetail

HEARTBEAT_S = 20.0
"""A third of the lease, so that one lost heartbeat does not lose the claim."""
LOOK_S = 3.0
"""How often the hold is read between heartbeats, so that a reviewer soon learns that it is gone."""

GONE = {
    "superseded": "The customer wrote again, so this draft is void; the new message comes as a turn of its own.",
    "decided": "This one was decided in the meantime.",
    "expired": "Its time ran out in the meantime; the draft was not sent.",
    "claimed-by-other": "A colleague has claimed this one.",
    "stale-version": "This one changed since it was read; it is shown again as it is now.",
    "not-found": "This one no longer exists.",
}
"""Why a hold can no longer be decided as it is on the screen, by the state or the error's code."""

GONE_STATUS = frozenset({404, 409, 412})
"""Statuses that say that the hold moved on."""


class ClaimClient(Protocol):
    """The calls a claim needs."""

    def claim(self, hold_id: str, /) -> Hold:
        """Claim, or keep alive."""
        ...

    def release(self, hold_id: str, /) -> Hold:
        """Let go."""
        ...

    def hold(self, hold_id: str, /) -> HoldDetail:
        """Read one hold."""
        ...


class Claim:
    """Keeps the claim of a hold, that was claimed already, while the `with` block runs; then lets go of it.

    `lost` says in words why the hold is gone, None while it is ours. `decided()` ends the claim without a release,
    and from then on `is_decided` holds. `was_planted`: nobody is behind the hold.
    """

    def __init__(
        self, client: ClaimClient, hold: Hold, *, heartbeat_s: float = HEARTBEAT_S, look_s: float = LOOK_S
    ) -> None:
        self.hold_id = hold.id
        self.version = hold.version
        self.lost: str | None = None
        self._client = client
        self._look_s = min(look_s, heartbeat_s)
        self._looks_per_beat = max(1, round(heartbeat_s / self._look_s))
        self._stopped = threading.Event()
        self.is_decided = False
        self.was_planted = False
        self._thread = threading.Thread(target=self._beat, name=f"claim {hold.id}", daemon=True)

    def pulse(self) -> None:
        """Renew the claim once, and note where it is lost."""
        self._ask(lambda: self._client.claim(self.hold_id))

    def look(self) -> None:
        """Read the hold once, and note where it is lost."""
        self._ask(lambda: self._client.hold(self.hold_id).hold)

    def decided(self) -> None:
        """Note that the hold is closed by our own verdict: there is nothing to keep or to release."""
        self.is_decided = True
        self._stopped.set()

    def __enter__(self) -> Claim:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        if self.is_decided or self.lost is not None:
            return
        try:
            self._client.release(self.hold_id)
        except ClientError:
            pass  # the claim lapses by itself within a minute

    def _ask(self, ask: Callable[[], Hold]) -> None:
        try:
            hold = ask()
        except ApiError as error:
            if error.status in GONE_STATUS:
                self.lost = why_gone(self._client, self.hold_id, error)
            return
        except ClientError:
            return  # a server that cannot be reached loses nothing yet
        if hold.state != "open":
            self.lost = GONE.get(hold.state, hold.state)
        elif hold.version != self.version:
            self.lost = GONE["stale-version"]

    def _beat(self) -> None:
        looks = 0
        while self.lost is None and not self._stopped.wait(self._look_s):
            looks += 1
            if looks % self._looks_per_beat == 0:
                self.pulse()
            else:
                self.look()


def why_gone(client: ClaimClient, hold_id: str, error: ApiError) -> str:
    """Say in words why a hold refused a claim or a verdict; a closed one is read once more to learn how it ended."""
    if error.code in GONE:
        return GONE[error.code]
    try:
        state = client.hold(hold_id).hold.state
    except ClientError:
        return error.detail
    return GONE.get(state, error.detail)
