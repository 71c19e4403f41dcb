"""Wake whoever waits for news of a turn or conversation after a commit; it carries no news itself, the store does.

What another process commits is heard where a dispatcher carries it; it may get lost on its way, and other programs tell
nobody, so a waiter also looks by itself every `POLL_S`.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from understudy.ports.store import Committed

POLL_S = 1.5
"""So what another process commits, such as a stop of all automatic replies, is heard within 2 s."""
KEEP_ALIVE_S = 15.0
EVERYTHING = "*"


class Watch:
    """One waiter; `is_over` once the server stops."""

    def __init__(self) -> None:
        self._news = asyncio.Event()
        self.is_over = False

    def wake(self) -> None:
        """Say that there is news."""
        self._news.set()

    async def next(self, timeout_s: float = math.inf) -> None:
        """Wait for news, at most `timeout_s` and at most until it is time to look anyway."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), min(timeout_s, POLL_S))
        self._news.clear()


class Silence:
    """How long a stream has said nothing: proxies cut what is silent for too long, so it says something in time."""

    def __init__(self) -> None:
        self._clock = asyncio.get_running_loop().time
        self._since = self._clock()

    def is_broken(self) -> None:
        """Something was said."""
        self._since = self._clock()

    def is_too_long(self) -> bool:
        """Whether it is time to say something; asking counts as saying it."""
        if self._clock() - self._since < KEEP_ALIVE_S:
            return False
        self._since = self._clock()
        return True


class Feed:
    """Watches by key: a turn's id, a conversation's id, whatever `tell` is called with, or everything."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watches: dict[str, set[Watch]] = defaultdict(set)
        self._is_over = False

    def open(self) -> None:
        """Begin; needs a running event loop."""
        self._loop = asyncio.get_running_loop()

    def close(self) -> None:
        """End every watch, so that open streams finish and the server can stop."""
        self._is_over = True
        for watches in self._watches.values():
            for watch in watches:
                watch.is_over = True
                watch.wake()

    def heard(self, committed: Committed) -> None:
        """Take news from the store's thread."""
        keys = {entry.turn_id for entry in committed.entries} | {e.conversation_id for e in committed.entries}
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake, {key for key in keys if key} | {EVERYTHING})

    def heard_elsewhere(self, keys: set[str]) -> None:
        """Take news of another process, in the event loop; no keys = too many to name, so whoever waits looks."""
        self._wake(keys | {EVERYTHING} if keys else set(self._watches))

    def tell(self, key: str) -> None:
        """Wake who watches a key that no ledger entry names."""
        self._wake({key})

    @contextmanager
    def watch(self, key: str) -> Iterator[Watch]:
        """Hear of a key from now on; read the store after this, and nothing is missed."""
        watch = Watch()
        watch.is_over = self._is_over
        self._watches[key].add(watch)
        try:
            yield watch
        finally:
            self._watches[key].discard(watch)
            if not self._watches[key]:
                del self._watches[key]

    def _wake(self, keys: set[str]) -> None:
        for key in keys & self._watches.keys():
            for watch in self._watches[key]:
                watch.wake()
