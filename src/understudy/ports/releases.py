"""The part of the store that knows releases: how far each is, which conversation got which, what was seen of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from understudy.records.release import Choice, Rehearsal, Release, Roster, Watched


class Releases(Protocol):
    """Releases of agents; of one agent at most one is *full*, and at most one is being tried."""

    def roster(self) -> Roster:
        """All of them as they stand; remembered by the writer, since every turn asks."""
        ...

    def add(self, release: Release) -> None:
        """Add one; raises `Conflict` where its id is known, or where it cannot stand beside another."""
        ...

    def get(self, release_id: str) -> Release:
        """Read one; raises `NotFound`."""
        ...

    def change(self, release: Release, *, was: int) -> None:
        """Write one whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...

    def choice(self, conversation_id: str, agent: str) -> Choice | None:
        """What was chosen for a conversation."""
        ...

    def choose(self, choice: Choice) -> None:
        """Keep what was chosen for a conversation, in the place of what was chosen before."""
        ...

    def chosen(self, release_id: str, *, limit: int) -> list[Choice]:
        """Conversations that got a release, the latest first."""
        ...

    def count_chosen(self, release_id: str) -> int:
        """How many conversations got a release."""
        ...

    def watched(self, release_id: str) -> Watched | None:
        """What live signals have shown of a release so far; None before the first look."""
        ...

    def watch(self, watched: Watched, *, was: int | None) -> None:
        """Write what they have shown, if `consumed` is stored as `was` (None: there is none yet); else `StaleVersion`."""
        ...

    def rehearse(self, rehearsal: Rehearsal) -> None:
        """Add one; a second of the same turn and release replaces the first."""
        ...

    def rehearsals(self, release_id: str, *, after: int = 0, limit: int) -> list[Rehearsal]:
        """Those of a release with `seq` > `after`, in order."""
        ...

    def forget_rehearsals(self, turn_ids: Iterable[str], *, release_id: str | None = None) -> None:
        """Delete what these turns were rehearsed as, texts and figures alike: by a release, or (None) by any there is, as
        it has to be where a person is erased."""
        ...

    def count_rehearsals(self, release_id: str) -> int:
        """How many a release has."""
        ...
