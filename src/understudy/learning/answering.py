"""Which of the versions that drafted for a slice answers there now; what each may do there stands in `learning/status.py`."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from understudy.ports.store import Transaction

OfSlice = tuple[str, str, str]
"""Topic, channel and the name under which drafts are recorded."""


def answering(tx: Transaction, slices: Iterable[OfSlice]) -> dict[OfSlice, float]:
    """The share in [0, 1] of new conversations that each version drafts for, of all versions of some slices.

    Releases say so themselves. Of names that stand for one release, and of those that stand for none, the one that drafted
    last counts; and a version without a release answers only where no release that does has drafted after it.
    """
    found = dict.fromkeys(slices, 0.0)
    by_place: dict[tuple[str, str], list[OfSlice]] = defaultdict(list)
    for of_slice in found:
        by_place[of_slice[:2]].append(of_slice)
    for group in by_place.values():
        found |= _among(tx, group)
    return found


def _among(tx: Transaction, group: list[OfSlice]) -> dict[OfSlice, float]:
    roster = tx.releases.roster()
    by_release: dict[str | None, list[OfSlice]] = defaultdict(list)
    for of_slice in group:
        release = roster.recorded_as(of_slice[2])
        by_release[None if release is None else release.id].append(of_slice)
    latest = {key: _latest(tx, names) for key, names in by_release.items()}
    shares = {
        of_slice: 1.0 if release is None else roster.share_of(release)
        for key, of_slice in latest.items()
        for release in [None if key is None else roster.get(key)]
    }
    unreleased = latest.get(None)
    if unreleased is None:
        return shares
    released = [of_slice for of_slice, share in shares.items() if share and of_slice != unreleased]
    if not released:
        return shares
    last = _latest(tx, [unreleased, *released])
    return {one: share for one, share in shares.items() if (one == unreleased) == (last == unreleased)}


def _latest(tx: Transaction, names: list[OfSlice]) -> OfSlice:
    """The name that drafted last."""
    if len(names) == 1:
        return names[0]

    def last(of_slice: OfSlice) -> tuple[int, str]:
        drafts = tx.candidates.latest_of(*of_slice, limit=1)
        return (drafts[-1].seq if drafts else 0), of_slice[2]

    return max(names, key=last)
