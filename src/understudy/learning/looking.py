"""One look at an epoch: what of its waiting drafts counts by now, and what follows. Pure; who reads and writes is `flow.py`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from understudy.learning.ladder import Progress, advance, settled
from understudy.learning.promotion import Finding, judge
from understudy.records.autonomy import EVERY, Candidate, Epoch, Terms
from understudy.records.rulebook import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """The first `taken` of the waiting drafts count and make `progress`; `finding` is what is to be done."""

    progress: Progress
    taken: int
    finding: Finding


def look(
    epoch: Epoch,
    before: Progress,
    waiting: Sequence[Candidate],
    *,
    level: Level,
    terms: Terms,
    now: datetime,
    parent: tuple[Epoch, Progress] | None = None,
) -> Seen:
    """Count the waiting drafts, in their order, as far as they are settled, and judge the epoch. `level` is the one in
    force; `parent` is the epoch of the topic on all channels.

    A topic on all channels lends its certificate and has no replies of its own, so nothing is to be done about it.
    """
    ready = settled(waiting, calibrator=epoch.calibrator)
    progress = advance(before, ready, epoch.targets, calibrator=epoch.calibrator)
    finding = Finding()
    if epoch.channel != EVERY:
        unsettled = [one for one in waiting[len(ready) :] if one.calibrator == epoch.calibrator]
        finding = judge(epoch, progress, level=level, terms=terms, now=now, unsettled=unsettled, parent=parent)
    return Seen(progress=progress, taken=len(ready), finding=finding)
