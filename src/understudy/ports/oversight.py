"""The part of the store that says how well people review, and what customers say of the replies they got."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from understudy.records.feedback import Feedback, Frequency, Stir
from understudy.records.reviewing import Discount, Judgement, Rejected, SecondReview, Seed, SeedCount
from understudy.records.trust import Cap


class Seeds(Protocol):
    """Known-bad drafts, planted and to be planted."""

    def add(self, seed: Seed) -> None: ...

    def change(self, seed: Seed) -> None:
        """Write what became of one."""
        ...

    def of_turn(self, turn_id: str) -> Seed | None:
        """The one that was planted as this turn."""
        ...

    def unplanted(self, *, limit: int) -> list[Seed]:
        """Those of files that were not planted yet, the oldest first."""
        ...

    def known(self, sources: Sequence[str]) -> frozenset[str]:
        """Which of these sources are a seed's already."""
        ...

    def rejected(self, *, before: datetime, limit: int) -> list[Rejected]:
        """Verdicts on draft holds before a moment that reject or give reasons, the latest first; each draft that is no
        seed and was not copied into one."""
        ...

    def count(self, reviewer: str | None = None) -> SeedCount:
        """Count those with a verdict, of one reviewer or of all."""
        ...


class Reviews(Protocol):
    """How decisions came about, and who may decide."""

    def add(self, judgement: Judgement) -> None: ...

    def reviewers(self) -> list[str]:
        """Everybody who ever judged a draft, by name."""
        ...

    def of_reviewer(self, reviewer: str, *, limit: int) -> list[Judgement]:
        """Their latest judgements, the latest first."""
        ...

    def has_other(self, reviewer: str, *, since: datetime) -> bool:
        """Whether somebody else judged a draft since then."""
        ...

    def bar(self, hold_id: str, reviewer: str) -> None:
        """Keep a hold from a reviewer: it is not in their queue, and they cannot decide on it."""
        ...

    def is_barred(self, hold_id: str, reviewer: str) -> bool: ...

    def add_second(self, review: SecondReview) -> None: ...

    def seconds(self, reviewer: str | None = None, *, limit: int) -> list[SecondReview]:
        """Drafts judged twice, in which a reviewer had a part (None = all), the latest first."""
        ...

    def discount(self, discount: Discount) -> None: ...

    def restore(self, reviewer: str) -> None:
        """Let a reviewer's approvals count again."""
        ...

    def discounted(self, reviewer: str) -> Discount | None: ...


class Feedbacks(Protocol):
    """What customers said of replies, and how often they do."""

    def add(self, feedback: Feedback) -> None: ...

    def of_turn(self, turn_id: str) -> list[Feedback]:
        """What was said of the reply to a turn, by kind."""
        ...

    def last_automatic(self, contact_ids: Sequence[str], topic: str, *, besides: str, since: datetime) -> str | None:
        """The turn whose reply was the last that contacts, who are one person, got about a topic, in any conversation but `besides` and
        not before `since`; None where there is none, or a person let it out. Looks at the latest conversations of each only."""
        ...

    def frequency(self, topic: str, channel: str, stir: Stir) -> Frequency:
        """How often a slice's replies stir customers; a new one where nothing was counted."""
        ...

    def put_frequency(self, frequency: Frequency) -> None: ...


class Caps(Protocol):
    """Contacts who get people."""

    def of_contact(self, contact_id: str) -> Cap | None:
        """The latest cap of a contact that nobody lifted, whether it still holds or not."""
        ...

    def put(self, cap: Cap) -> None:
        """Write one in the place of what the contact had."""
        ...

    def lift(self, contact_id: str) -> bool:
        """Take a cap away; False where there was none."""
        ...
