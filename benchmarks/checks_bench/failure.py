"""Conversations that end in failure, told from all signals of the checks together with what was said and called.

A logistic model learned here on one part of the tasks and measured on the others: what a business can learn from its own
history. Nothing of it ships. Two readings: the tasks `is_for_training` keeps back, and each fifth of the tasks once.
"""

from __future__ import annotations

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checks_bench.logistic import sigmoid
from checks_bench.ridge import fit
from checks_bench.sample import NO_RULES, auroc, is_for_training
from checks_bench.trajectories import FILE, last_turn, messages_of, trajectories, turns
from understudy.assessment.carriers import tool_calls
from understudy.assessment.checks import CHECKS
from understudy.assessment.checks.actions import READING_TOOLS
from understudy.assessment.course import numbers_of
from understudy.assessment.lexicon import how_many_say, plain
from understudy.assessment.wording import words
from understudy.records.evidence import ChatMessage

NAME = "failure"
FILES = (FILE,)
FOLDS = 5
COVERAGE = 0.4
WORD_TEXTS_MIN = 4
WORD_SHARE_MAX = 0.7
NUMBER_WEIGHT = 0.08
PENALTY = 1.0
Row = dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """What is known of one: `numbers` as they are, `end` the words of the last messages, `shape` the few numbers of the baseline."""

    task: str
    is_bad: bool
    numbers: Row
    end: list[str]
    shape: Row


def measure(data: Path) -> dict[str, Any]:
    """Learn and score, with all signals and with the shape alone."""
    conversations = [_conversation(row) for row in trajectories(data)]
    found: dict[str, Any] = {
        "records": len(conversations),
        "bad": sum(one.is_bad for one in conversations),
        "tasks": len({one.task for one in conversations}),
    }
    for name, make in (("all_signals", _all_signals), ("shape_alone", _shape_alone)):
        unseen = _scored(conversations, make, lambda task: 0 if is_for_training(task) else 1, folds=(1,))
        fifths = _scored(conversations, make, _fold, folds=range(FOLDS))
        found[name] = {"unseen_tasks": _figures(unseen), "each_fifth": _figures(fifths)}
    return found


def _figures(scored: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """`risk`: the share of failures among the least suspicious `COVERAGE`."""
    ordered = sorted(scored)
    covered = ordered[: int(COVERAGE * len(ordered))]
    return {
        "records": len(scored),
        "auroc": auroc([score for score, bad in scored if bad], [score for score, bad in scored if not bad]),
        "risk_at_40pct": sum(bad for _, bad in covered) / len(covered) if covered else None,
        "risk_at_100pct": sum(bad for _, bad in scored) / len(scored),
    }


def _scored(
    conversations: Sequence[Conversation],
    make: Callable[[Sequence[Conversation], Sequence[Conversation]], tuple[list[Row], list[Row]]],
    fold_of: Callable[[str], int],
    *,
    folds: Iterable[int],
) -> list[tuple[float, bool]]:
    """Score the conversations of each fold by a model learned from those of the others."""
    scored: list[tuple[float, bool]] = []
    for fold in folds:
        seen = [one for one in conversations if fold_of(one.task) != fold]
        unseen = [one for one in conversations if fold_of(one.task) == fold]
        seen_rows, unseen_rows = make(seen, unseen)
        labels = [one.is_bad for one in seen]
        bias, beta = fit(seen_rows, labels, penalty=PENALTY)
        for one, row in zip(unseen, unseen_rows, strict=True):
            score = sigmoid(bias + sum(beta.get(name, 0.0) * value for name, value in row.items()))
            scored.append((score, one.is_bad))
    return scored


def _fold(task: str) -> int:
    return hashlib.sha256(f"fold|{task}".encode()).digest()[0] % FOLDS


# --- rows for the model ---


def _shape_alone(seen: Sequence[Conversation], unseen: Sequence[Conversation]) -> tuple[list[Row], list[Row]]:
    return _scaled([one.shape for one in seen], [one.shape for one in unseen])


def _all_signals(seen: Sequence[Conversation], unseen: Sequence[Conversation]) -> tuple[list[Row], list[Row]]:
    """The numbers on one scale, and the words of the end weighed by how rare they are (TF-IDF, length 1)."""
    seen_rows, unseen_rows = _scaled(
        [one.shape | one.numbers for one in seen], [one.shape | one.numbers for one in unseen]
    )
    weights = _rarity([one.end for one in seen])
    for rows, conversations in ((seen_rows, seen), (unseen_rows, unseen)):
        for row, one in zip(rows, conversations, strict=True):
            row.update(_weighed(one.end, weights))
    return seen_rows, unseen_rows


def _scaled(seen: Sequence[Row], unseen: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    names = sorted({name for row in seen for name in row})
    means = {name: sum(row.get(name, 0.0) for row in seen) / len(seen) for name in names}
    spreads = {
        name: math.sqrt(sum((row.get(name, 0.0) - means[name]) ** 2 for row in seen) / len(seen)) for name in names
    }

    def scale(row: Row) -> Row:
        return {
            f"#{name}": NUMBER_WEIGHT * (row.get(name, 0.0) - means[name]) / spreads[name]
            for name in names
            if spreads[name] > 0
        }

    return [scale(row) for row in seen], [scale(row) for row in unseen]


def _rarity(texts: Sequence[list[str]]) -> Row:
    having = Counter(word for text in texts for word in set(text))
    return {
        word: 1.0 + math.log(len(texts) / count)
        for word, count in having.items()
        if WORD_TEXTS_MIN <= count <= WORD_SHARE_MAX * len(texts)
    }


def _weighed(text: list[str], weights: Row) -> Row:
    counts = Counter(word for word in text if word in weights)
    values = {word: (1.0 + math.log(count)) * weights[word] for word, count in counts.items()}
    length = math.sqrt(sum(value * value for value in values.values())) or 1.0
    return {name: value / length for name, value in values.items()}


# --- what is known of a conversation ---


def _conversation(row: dict[str, Any]) -> Conversation:
    messages = messages_of(row)
    customer = [m.content for m in messages if m.role == "user" and m.content]
    agent = [m.content for m in messages if m.role == "assistant" and m.content]
    evidence = last_turn(messages)
    assert evidence.draft is not None
    numbers = numbers_of(evidence, evidence.draft) | _signals(messages) | _calls(messages)
    numbers["declined"] = float(how_many_say("agent_declines", map(plain, agent)))
    numbers["irritated"] = float(how_many_say("irritation", map(plain, customer)))
    return Conversation(
        task=row["task_cluster"],
        is_bad=not row["passed"],
        numbers=numbers,
        end=[word for text in (*customer[-2:], *agent[-1:]) for word in words(text)],
        shape=_shape(messages, customer, agent),
    )


def _signals(messages: tuple[ChatMessage, ...]) -> Row:
    """Each check's lowest, mean and last signal, and on how many turns each code was found."""
    scores: dict[str, list[float]] = defaultdict(list)
    found: Counter[str] = Counter()
    for evidence in turns(messages):
        assert evidence.draft is not None
        for check in CHECKS:
            examination = check.examine(evidence, evidence.draft, NO_RULES)
            scores[check.name].append(examination.score)
            found.update({finding.name for finding in examination.findings})
    numbers = {f"found {name}": math.log1p(count) for name, count in found.items()}
    for name, values in scores.items():
        numbers |= {f"{name} min": min(values), f"{name} mean": sum(values) / len(values), f"{name} last": values[-1]}
    return numbers


def _calls(messages: tuple[ChatMessage, ...]) -> Row:
    names = Counter(call.name for message in messages for call in message.tool_calls)
    return {f"called {name}": math.log1p(count) for name, count in names.items()}


def _shape(messages: tuple[ChatMessage, ...], customer: list[str], agent: list[str]) -> Row:
    """How long the conversation is and what it is made of, as logarithms."""
    evidence = last_turn(messages)
    assert evidence.draft is not None
    calls = tool_calls(evidence, evidence.draft)
    reading = sum(call.name.lower().startswith(READING_TOOLS) for call in calls)
    errors = sum(m.role == "tool" and (m.content or "")[:40].lower().startswith("error") for m in messages)
    counts = {
        "customer turns": len(customer),
        "agent turns": len(agent),
        "calls": len(calls),
        "reading calls": reading,
        "acting calls": len(calls) - reading,
        "repeated calls": len(calls) - len({(call.name, call.arguments) for call in calls}),
        "errors": errors,
        "customer length": sum(map(len, customer)) / max(1, len(customer)),
        "agent length": sum(map(len, agent)) / max(1, len(agent)),
        "agent text": sum(map(len, agent)),
        "questions": sum(text.count("?") for text in agent),
        "exclamations": sum(text.count("!") for text in customer),
        "customer last": float(messages[-1].role == "user"),
        "tools at all": float(bool(calls)),
    }
    return {name: math.log1p(value) for name, value in counts.items()}
