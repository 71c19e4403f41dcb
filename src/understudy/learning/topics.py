"""Learn in the background what turns are about: read tags, try a new topic model on those it has not seen, adopt it if it
is better. The arithmetic stands in `topic_training.py`; no turn waits for it.

Reviewers' tags teach, and topics that the channel or the agent gave. What rules or a model named teaches nothing: a model
must not learn from itself. A turn whose texts were erased teaches nothing either.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from datetime import datetime
from functools import partial

from understudy.learning.topic_training import Tag, TopicTrial, tried
from understudy.ports.clock import Clock
from understudy.ports.store import Store, Transaction
from understudy.ports.telemetry import Telemetry, TopicModelAdopted
from understudy.records.autonomy import RefitTerms
from understudy.records.codec import load
from understudy.records.evidence import Evidence
from understudy.records.topics import TaggedTurn, TopicModel, TopicTerms
from understudy.stats.softmax import Stopped

TAGS_MAX = 20_000
"""A model is trained on at most so many tags, the latest."""
GIVEN_LOOK_BACK = 20_000
"""Topics that were given are looked for in so many of the latest turns."""
PAGE = 500
_END = 2**62


class TopicLearning:
    """See the module. `every` and `new_verdicts` of `cadence` say when it is tried again, `terms` when it is better."""

    def __init__(
        self, store: Store, clock: Clock, telemetry: Telemetry, *, cadence: RefitTerms, terms: TopicTerms
    ) -> None:
        self._store = store
        self._clock = clock
        self._telemetry = telemetry
        self._cadence = cadence
        self._terms = terms
        self._tried_at: datetime | None = None
        self._seen = 0
        self._is_stopping = threading.Event()

    async def sweep(self) -> int:
        """Try a new model where it is time; returns 1 where one was adopted."""
        if not await self._is_due(self._clock.now()):
            return 0
        trial = await self.learn()
        return int(trial is not None and trial.is_better)

    def stop(self) -> None:
        """Give a training under way up."""
        self._is_stopping.set()

    async def _is_due(self, now: datetime) -> bool:
        if self._tried_at is None:
            return True
        new = await self._store.read(lambda tx: tx.topics.count_tagged(after=self._seen))
        return new >= self._cadence.new_verdicts or now >= self._tried_at + self._cadence.every

    async def learn(self) -> TopicTrial | None:
        """Try a new model now, and adopt it if it is better; None where there are too few tags."""
        in_force = await self._store.read(lambda tx: tx.topics.latest())
        self._tried_at = self._clock.now()
        tags = await self._tags()
        self._seen = max((tag.position for tag in tags), default=0)
        try:
            trial = await asyncio.to_thread(
                tried, tags, in_force=in_force, terms=self._terms, should_stop=self._is_stopping.is_set
            )
        except Stopped:
            return None
        if trial is not None and trial.is_better:
            await self._adopt(trial, in_force)
        return trial

    async def _tags(self) -> list[Tag]:
        """The latest tags, one a turn; a reviewer's word counts before the channel's and the agent's."""
        tags: dict[int, Tag] = {}
        before: str | None = None
        while len(tags) < TAGS_MAX:
            found, before = await self._store.read(partial(_tagged, before=before))
            _keep(tags, found)
            if before is None:
                break
        place: int | None = _END
        for _ in range(GIVEN_LOOK_BACK // PAGE):
            if place is None or len(tags) >= TAGS_MAX:
                break
            given, place = await self._store.read(partial(_given, before=place))
            _keep(tags, given)
        return list(tags.values())

    async def _adopt(self, trial: TopicTrial, was: TopicModel | None) -> None:
        """Put what was tried in force for every turn gathered from now on; not where another came first."""
        replaces = None if was is None else was.id

        def step(tx: Transaction) -> bool:
            now, in_force = self._clock.now(), tx.topics.latest()
            if replaces != (None if in_force is None else in_force.id) or tx.topics.get(trial.model.id):
                return False
            tx.topics.add(trial.model, now=now)
            tx.ledger.append(
                "topics.adopted",
                at=now,
                model=trial.model.id,
                replaces=replaces,
                topics=list(trial.model.topics),
                thresholds=list(trial.model.thresholds),
                tags=trial.model.tags,
                trained_until=trial.model.trained_until,
                unseen=trial.unseen,
                right_before=trial.right_before,
                right_after=trial.right_after,
                wrong_after=trial.wrong_after,
                p_value=trial.p_value,
            )
            return True

        if await self._store.write(step):
            self._telemetry.emit(
                TopicModelAdopted(
                    model=trial.model.id,
                    replaces=replaces,
                    topics=len(trial.model.topics),
                    tags=trial.model.tags,
                    unseen=trial.unseen,
                    right_before=trial.right_before,
                    right_after=trial.right_after,
                    wrong_after=trial.wrong_after,
                    p_value=trial.p_value,
                )
            )


def _tagged(tx: Transaction, *, before: str | None) -> tuple[list[Tag], str | None]:
    """A page of reviewers' tags, and before which verdict to go on; None where there are no more."""
    page, end = tx.topics.tagged(before=before, limit=PAGE)
    return _read(page), end


def _given(tx: Transaction, *, before: int) -> tuple[list[Tag], int | None]:
    """The same for topics that were given."""
    page, end = tx.topics.given(before=before, limit=PAGE)
    return _read(page), end


def _read(turns: list[TaggedTurn]) -> list[Tag]:
    """Take the customers' words out of the evidence; here, in the reader's thread, and not in the event loop."""
    tags = [
        Tag(position=turn.position, text=load(Evidence, turn.evidence).burst_text, topic=turn.topic) for turn in turns
    ]
    return [tag for tag in tags if tag.text.strip()]


def _keep(tags: dict[int, Tag], found: Iterable[Tag]) -> None:
    for tag in found:
        tags.setdefault(tag.position, tag)
