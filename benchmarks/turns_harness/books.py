"""What was asked and what arrived, kept apart from the systems under test: lost, doubled and reordered replies show here.

A reply counts at the moment the sink has it, never before. Every question carries a number of its own that the fake
agent repeats, so a reply is known by its content, whatever the system calls it. The sink is a receiver that honours
keys: the same reply again under the same key is *repeated*, which a customer does not see and a crash explains; under
another key it is *doubled*, a fault.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import time
from collections import Counter, deque
from dataclasses import dataclass, field

TURNS_PER_CONVERSATION = 3
_NUMBER = re.compile(r"\b[0-9]{7,10}\b")
_numbers = itertools.count(1_000_000)


@dataclass(slots=True)
class Conversation:
    """A customer, who writes again after the answer. `next` and `answered` count questions and replies."""

    id: str
    next: int = 0
    answered: int = 0


@dataclass(slots=True)
class Question:
    """A message; moments are `time.perf_counter()` in seconds, None = not yet."""

    number: int
    conversation: Conversation
    index: int
    is_automatic: bool
    sent_at: float = 0.0
    acknowledged_at: float | None = None
    replied_at: float | None = None
    reply_id: str = ""
    replied: asyncio.Event = field(default_factory=asyncio.Event)


class Books:
    """The questions and replies of one measurement on one system; `name` is the sink's path."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.questions: dict[int, Question] = {}
        self.ready: deque[Conversation] = deque()
        self.replied_at: list[float] = []
        self.faults: Counter[str] = Counter()
        self.unanswered = 0
        self.repeated = 0

    def ask(self, *, is_automatic: bool) -> Question:
        """Make the next question, in a conversation that had its last reply, else in a new one."""
        number = next(_numbers)
        conversation = self.ready.popleft() if self.ready else Conversation(id=f"{self.name}-{number}")
        question = Question(
            number=number, conversation=conversation, index=conversation.next, is_automatic=is_automatic
        )
        conversation.next += 1
        self.questions[number] = question
        self.unanswered += 1
        return question

    def refused(self, question: Question) -> None:
        """Strike a question that was not acknowledged; its conversation ends there."""
        del self.questions[question.number]
        self.unanswered -= 1
        self.faults["refused"] += 1

    def took(self, body: bytes) -> None:
        """Enter a reply."""
        now = time.perf_counter()
        data = json.loads(body)["data"]
        found = _NUMBER.search(data["text"])
        question = self.questions.get(int(found[0])) if found else None
        if question is None or question.conversation.id != data["conversation_id"]:
            self.faults["alien"] += 1
            return
        if question.replied_at is not None:
            self.faults["doubled"] += data["id"] != question.reply_id
            self.repeated += data["id"] == question.reply_id
            return
        question.reply_id = data["id"]
        conversation = question.conversation
        if question.index != conversation.answered:
            self.faults["reordered"] += 1
        conversation.answered += 1
        question.replied_at = now
        question.replied.set()
        self.replied_at.append(now)
        self.unanswered -= 1
        if conversation.next < TURNS_PER_CONVERSATION:
            self.ready.append(conversation)

    def close(self) -> dict[str, int]:
        """Count the faults; what was acknowledged and never answered is lost."""
        lost = sum(one.acknowledged_at is not None and one.replied_at is None for one in self.questions.values())
        return {kind: self.faults[kind] for kind in ("doubled", "reordered", "alien", "refused")} | {"lost": lost}
