"""What customers wrote and what reached them in one cell: lost, doubled and reordered replies show here.

A reply is known by the numbers that the agent repeats, whatever the product calls it. Where the channel honours keys, a
repeated key is the same message and the customer sees it once; where it does not, every request that arrives is one
more message that the customer reads. Nothing else of the product is believed.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from dataclasses import dataclass, field

from crash_harness.agent import NUMBER

_numbers = itertools.count(1_000_000)


@dataclass(slots=True, kw_only=True)
class Conversation:
    """A customer's. `reached` is the highest number that was answered; `needs_person`: some of it waits for people."""

    id: str
    is_held: bool
    reached: int = 0
    needs_person: bool = False


@dataclass(slots=True, kw_only=True)
class Question:
    """A message; moments are `time.perf_counter()` in seconds, None = not yet."""

    number: int
    conversation: Conversation
    acknowledged_at: float | None = None
    replied_at: float | None = None
    replied: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_open(self) -> bool:
        """Whether it was acknowledged and not answered."""
        return self.acknowledged_at is not None and self.replied_at is None


class Books:
    """The questions and replies of one cell."""

    def __init__(self, name: str, *, honours_keys: bool) -> None:
        self.name = name
        self.questions: dict[int, Question] = {}
        self.counts: Counter[str] = Counter()
        self.faults: list[str] = []
        self.arrived: dict[str, str] = {}
        self.open: set[int] = set()
        self._honours_keys = honours_keys
        self._conversations = itertools.count(1)

    def begin(self, *, is_held: bool) -> Conversation:
        """Begin a conversation; `is_held`: about what a person must approve."""
        return Conversation(id=f"{self.name}-{next(self._conversations)}", is_held=is_held, needs_person=is_held)

    def ask(self, conversation: Conversation) -> Question:
        """Write down a message that is about to be sent."""
        question = Question(number=next(_numbers), conversation=conversation)
        self.questions[question.number] = question
        return question

    def acknowledged(self, question: Question) -> None:
        """Write down that a message was taken; from now on it must be answered."""
        question.acknowledged_at = time.perf_counter()
        if question.replied_at is None:
            self.open.add(question.number)

    def took(self, key: str, conversation_id: str, text: str) -> None:
        """Write down what reached the customer's side."""
        self.counts["requests"] += 1
        if key in self.arrived:
            if self.arrived[key] != text:
                self._fault("doubled", f"{key} came with another text: {self.arrived[key]!r}, {text!r}")
            if self._honours_keys:
                self.counts["repeated_under_their_key"] += 1
                return
        self.arrived[key] = text
        numbers = [int(found) for found in NUMBER.findall(text)]
        if not numbers:
            self._fault("alien", f"{key} answers nothing: {text!r}")
        for number in numbers:
            self._answered(number, conversation_id, key)

    def _answered(self, number: int, conversation_id: str, key: str) -> None:
        question = self.questions.get(number)
        if question is None or question.conversation.id != conversation_id:
            self._fault("alien", f"{key} answers {number}, which {conversation_id} never asked")
            return
        conversation = question.conversation
        if question.replied_at is not None:
            self._fault("doubled", f"{number} in {conversation_id} was answered again, by {key}")
            return
        if number < conversation.reached:
            self._fault("reordered", f"{number} in {conversation_id} after {conversation.reached}, by {key}")
        conversation.reached = max(conversation.reached, number)
        question.replied_at = time.perf_counter()
        question.replied.set()
        self.open.discard(number)

    def has_reached(self, text: str) -> bool:
        """What a person finds out who asks the customer: whether a reply with this text arrived."""
        numbers = [int(found) for found in NUMBER.findall(text)]
        return any(number in self.questions and self.questions[number].replied_at is not None for number in numbers)

    def close(self) -> None:
        """Count what was acknowledged and never answered: lost."""
        for number in sorted(self.open):
            question = self.questions[number]
            self._fault("lost", f"{number} in {question.conversation.id} was acknowledged and never answered")

    def _fault(self, kind: str, what: str) -> None:
        self.counts[kind] += 1
        self.faults.append(f"{self.name}: {kind}: {what}")
