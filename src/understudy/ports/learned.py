"""The part of the store that learning writes and decisions read: candidates, epochs, calibrators, stops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from understudy.records.autonomy import Candidate, Epoch, Label, Stop
from understudy.records.redraft import RedraftPlan
from understudy.records.rulebook import Calibrator
from understudy.records.topics import TaggedTurn, TopicModel


class Candidates(Protocol):
    """Drafts that nothing but autonomy kept from leaving, in the order of their decisions."""

    def add(self, candidate: Candidate) -> None: ...

    def of_turn(self, turn_id: str) -> Candidate | None: ...

    def get(self, seq: int) -> Candidate | None: ...

    def of_conversation(self, conversation_id: str) -> list[Candidate]:
        """The latest of a conversation, the last first."""
        ...

    def judge(self, candidate: Candidate, label: Label | None, *, second_due_at: datetime | None = None) -> None:
        """Write what was said of one; with `second_due_at` a second reviewer is waited for until then."""
        ...

    def following(self, topic: str, channel: str, release: str, *, after: int, limit: int) -> list[Candidate]:
        """Those of a slice and release with `seq` > `after`, oldest first; channel `*` is every channel."""
        ...

    def latest_of(self, topic: str, channel: str, release: str, *, limit: int) -> list[Candidate]:
        """The latest of a slice and release, oldest first; channel `*` is every channel."""
        ...

    def slices(self) -> list[tuple[str, str, str, int, int]]:
        """Every topic, channel and release that has some, with how many it has and how many await a label."""
        ...

    def lately(self, topic: str, channel: str, release: str, *, limit: int) -> tuple[int, int]:
        """Of the latest `limit` of a slice and release: how many there are, and how many were delivered. Channel `*` is
        every channel; redrafts are not among them."""
        ...

    def audits_owed(self) -> dict[tuple[str, str, str], int]:
        """How many delivered ones still await the label they were sampled for, by topic, channel and release."""
        ...

    def overdue(self, now: datetime, *, limit: int) -> list[Candidate]:
        """Those that are waited for, for a label or a second review, and whose time has passed."""
        ...

    def judged(self, *, after: int, limit: int) -> list[Candidate]:
        """Sampled ones with a label and `seq` > `after`, oldest first; those that say nothing (`NOTHING_SAID`) included,
        redrafts not: most carry a label that is here already."""
        ...

    def evidence_in(
        self, topic: str, channel: str, release: str, *, after: int, until: int, since: datetime, limit: int
    ) -> list[Candidate]:
        """The latest of a slice and release that are evidence by a label of their own, the last first: sampled, labelled, no
        repeat, no redraft, with `after` < `seq` <= `until`, decided at `since` or later."""
        ...

    def awaited_redrafts(self, topic: str, channel: str, release: str, *, limit: int) -> list[Candidate]:
        """Redrafts of a slice and release that await a label, in their order."""
        ...

    def delivered(self, topic: str, channel: str, *, after: int) -> tuple[int, int]:
        """How many of a slice, of all releases, were delivered with `seq` > `after`, and the last one's `seq`."""
        ...

    def latest_judged(self, *, limit: int) -> list[Candidate]:
        """The latest of those that `judged` reads, oldest first."""
        ...

    def count_judged(self, *, after: int) -> int:
        """How many of those that `judged` reads have a `seq` > `after`."""
        ...


class Epochs(Protocol):
    """Stretches of evidence; at most one of a slice and release is open."""

    def add(self, epoch: Epoch) -> None: ...

    def get(self, epoch_id: str) -> Epoch:
        """Read one; raises `NotFound`."""
        ...

    def current(self, topic: str, channel: str, release: str) -> Epoch | None:
        """The open one of a slice and release."""
        ...

    def of_topic(self, topic: str, release: str) -> list[Epoch]:
        """The open ones of a topic and release, by channel."""
        ...

    def all_open(self) -> list[Epoch]:
        """Every open one, by topic, channel and release."""
        ...

    def open_under_others(self, calibrator: str) -> list[Epoch]:
        """The open ones whose calibrator is another, by topic, channel and release."""
        ...

    def of_slice(self, topic: str, channel: str) -> list[Epoch]:
        """All of a slice, the latest first."""
        ...

    def change(self, epoch: Epoch, *, was: int) -> None:
        """Write one whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...


class Calibrators(Protocol):
    """Every learned calibrator, the latest in force."""

    def add(self, calibrator: Calibrator, *, now: datetime) -> None: ...

    def get(self, calibrator_id: str) -> Calibrator | None:
        """Read one; None for the one that ships, which is stored nowhere."""
        ...

    def latest(self) -> Calibrator | None:
        """The one for new epochs; None = the one that ships."""
        ...


class Topics(Protocol):
    """Every topic model, the latest in force, and the turns that teach the next one."""

    def add(self, model: TopicModel, *, now: datetime) -> None: ...

    def get(self, model_id: str) -> TopicModel | None: ...

    def latest(self) -> TopicModel | None:
        """The one that new turns are classified by; None = there is none yet."""
        ...

    def tagged(self, *, before: str | None, limit: int) -> tuple[list[TaggedTurn], str | None]:
        """Turns that reviewers tagged, once for each tag, the latest tag first, from before a verdict on (None = from
        the latest one on); and before which verdict to go on, None where there are no more."""
        ...

    def given(self, *, before: int, limit: int) -> tuple[list[TaggedTurn], int | None]:
        """Of the `limit` latest turns with a `position` < `before` those whose topic the channel or the agent gave,
        and before which position to go on; None where there are no more."""
        ...

    def count_tagged(self, *, after: int) -> int:
        """How many tags reviewers gave on turns with a `position` > `after`."""
        ...


class Redrafts(Protocol):
    """Which turns of the past a release drafts for once more; one plan for each release and slice."""

    def add(self, plan: RedraftPlan) -> None: ...

    def get(self, release_id: str, topic: str, channel: str) -> RedraftPlan | None: ...

    def of_release(self, release_id: str) -> list[RedraftPlan]:
        """Those of a release, by topic and channel."""
        ...

    def of_slice(self, topic: str, channel: str) -> list[RedraftPlan]:
        """Those of a slice, by release."""
        ...

    def change(self, plan: RedraftPlan, *, was: int) -> None:
        """Write one whose stored version is `was`; raises `StaleVersion` where it is not."""
        ...


class Stops(Protocol):
    """Where a person said that nothing leaves by itself."""

    def all(self) -> Sequence[Stop]: ...

    def put(self, stop: Stop) -> None: ...

    def lift(self, topic: str, channel: str) -> bool:
        """Take one back; False where there was none."""
        ...
