"""Need of a person: the whole decision on recorded conversations, turn by turn, as the product would have met them.

Of each conversation its task says whether the right end was a person (`gold_transfer`). Every reply of the agent is the
draft of a turn, with all that was said and looked up before it; the first turn that is decided *hand off* ends the
conversation with the agent. The tasks are in two parts by their hash: what was changed in the product after a look at
conversations was looked at in the one (`looked_at`); the other (`unseen`) only tells. The weights of `course.json` are
learned anew, without the task that is measured. Two tasks are not two samples of one: intervals draw whole tasks again.
"""

from __future__ import annotations

import hashlib
import statistics
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from checks_bench.course_learning import Case, case_of, unseen
from checks_bench.sample import NO_RULES, evidence_for, is_for_training, rows
from checks_bench.trajectories import FILE, messages_of, trajectories, turns, turns_to_the_end
from understudy.assessment.assess import assess
from understudy.assessment.check import Check
from understudy.assessment.checks import CHECKS
from understudy.assessment.checks.escalation import EscalationCheck
from understudy.assessment.course import CourseModel
from understudy.records.assessment import DecisionKind
from understudy.records.evidence import ChatMessage
from understudy.records.rulebook import Rulebook

QUESTIONS = "intents_banking77.jsonl.gz"
CHATTER = "intents_clinc150.jsonl.gz"
CUSTOMERS = "injection_bipia_and_benign.jsonl.gz"
FILES = (FILE, QUESTIONS, CHATTER, CUSTOMERS)
RULEBOOK = Rulebook(id="bench", rules=NO_RULES)
DRAWS = 1_000
HAND_OVER_TOOL = "transfer_to_human_agents"
ASKED = frozenset({"escalation.wants_person", "escalation.accepts_person"})
"""The customer asked for a person, whatever the task holds of it."""
LOOKED_AT_BELOW = 128
"""Of the 256 values that a task's hash begins with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Met:
    """One conversation as the product met it. `turn` is the first that was handed off, from 1; None: none was.

    `agents_turn` is the one in which the recorded agent called its tool to pass the customer on, if it did.
    """

    task: str
    domain: str
    is_needed: bool
    turns: int
    turn: int | None
    agents_turn: int | None
    reasons: tuple[str, ...]

    @property
    def is_due(self) -> bool:
        """Whether a person was due where one was called: by the task, by the customer's word, or by the agent's."""
        is_promised = self.agents_turn is not None and self.turn is not None and self.agents_turn <= self.turn
        return self.is_needed or is_promised or not ASKED.isdisjoint(self.reasons)

    @property
    def is_left_alone(self) -> bool:
        """Whether the agent passed the customer on and no hand-off came of it in that turn or an earlier one."""
        return self.agents_turn is not None and (self.turn is None or self.turn > self.agents_turn)

    @property
    def is_looked_at(self) -> bool:
        return hashlib.sha256(f"people|{self.task}".encode()).digest()[0] < LOOKED_AT_BELOW


def measure(data: Path, *, quick: bool = False) -> dict[str, Any]:
    """Play the recorded conversations, and count hand-offs on ordinary first messages. `quick`: a tenth of them."""
    kept = recorded(data)
    chosen = kept[::10] if quick else kept
    counted = list(met(chosen, kept, with_calls=True))
    bare = list(met(chosen, kept, with_calls=False))
    return {
        "conversations": len(counted),
        "tasks": len({one.task for one in counted}),
        "tasks_needed": len({one.task for one in counted if one.is_needed}),
        "agents_calls_counted": summed(counted),
        "agents_calls_left_out": summed(bare),
        "recorded_agents_alone": found([replace(one, turn=one.agents_turn, reasons=()) for one in counted]),
        "ordinary_messages": ordinary(data, every=50 if quick else 1),
    }


# --- what is played ---


def recorded(data: Path) -> list[tuple[dict[str, Any], Case]]:
    """The conversations whose task says whether they belong with a person, and what their course is learned from."""
    return [(row, case_of(row)) for row in trajectories(data) if row["gold_transfer"] is not None]


def met(
    chosen: Sequence[tuple[dict[str, Any], Case]], kept: Sequence[tuple[dict[str, Any], Case]], *, with_calls: bool
) -> Iterator[Met]:
    """Play the chosen ones, each with weights that saw nothing of its task."""
    rows_of = {id(case): row for row, case in chosen}
    for number, (model, case) in enumerate(unseen([case for _, case in kept])):
        if number % 50 == 0:
            print(f"  need of a person: {number} of {len(kept)}", end="\r", file=sys.stderr, flush=True)
        if (row := rows_of.get(id(case))) is not None:
            yield one_met(row, checks_with(model), with_calls=with_calls)
    print(file=sys.stderr)


def checks_with(model: CourseModel) -> tuple[Check, ...]:
    return tuple(EscalationCheck(model) if check.name == EscalationCheck.name else check for check in CHECKS)


def one_met(row: dict[str, Any], checks: tuple[Check, ...], *, with_calls: bool) -> Met:
    """Play one conversation up to the first turn that is handed off."""
    messages = messages_of(row)
    played = list(turns_to_the_end(messages if with_calls else without_hand_over(messages)))
    turn: int | None = None
    reasons: tuple[str, ...] = ()
    for number, evidence in enumerate(played, start=1):
        decision = assess(evidence, RULEBOOK, checks=checks).decision
        if decision.kind is DecisionKind.HAND_OFF:
            turn, reasons = number, tuple(reason.code for reason in decision.reasons)
            break
    return Met(
        task=row["task_cluster"],
        domain=row["domain"],
        is_needed=row["gold_transfer"],
        turns=len(played),
        turn=turn,
        agents_turn=agents_turn(messages),
        reasons=reasons,
    )


def agents_turn(messages: tuple[ChatMessage, ...]) -> int | None:
    """The number of the turn in which the agent called its tool to pass the customer on."""
    for place, message in enumerate(messages):
        if any(call.name == HAND_OVER_TOOL for call in message.tool_calls):
            return len(list(turns(messages[:place]))) + 1
    return None


def without_hand_over(messages: tuple[ChatMessage, ...]) -> tuple[ChatMessage, ...]:
    """The conversation up to where the agent called that tool: what comes after is said because of it."""
    for place, message in enumerate(messages):
        if any(call.name == HAND_OVER_TOOL for call in message.tool_calls):
            return messages[:place]
    return messages


# --- what is counted ---


def summed(all_met: Sequence[Met]) -> dict[str, Any]:
    parts = {
        "looked_at": [one for one in all_met if one.is_looked_at],
        "unseen": [one for one in all_met if not one.is_looked_at],
    }
    return {
        **{name: with_interval(part) for name, part in parts.items()},
        "all": with_interval(all_met),
        "by_domain": {
            domain: with_interval([one for one in all_met if one.domain == domain])
            for domain in sorted({one.domain for one in all_met})
        },
        "reasons": reasons(all_met),
    }


def found(all_met: Sequence[Met]) -> dict[str, Any]:
    handed = [one for one in all_met if one.turn is not None]
    needed = [one for one in all_met if one.is_needed]
    rightly = [one for one in handed if one.is_needed]
    passed_on = [one for one in all_met if one.agents_turn is not None]
    return {
        "conversations": len(all_met),
        "needed": len(needed),
        "handed_off": len(handed),
        "precision": len(rightly) / len(handed) if handed else None,
        "recall": len(rightly) / len(needed) if needed else None,
        "false_alarms": (len(handed) - len(rightly)) / max(1, len(all_met) - len(needed)),
        "due": sum(one.is_due for one in handed) / len(handed) if handed else None,
        "agent_passed_on": len(passed_on),
        "agent_passed_on_and_nobody_came": sum(one.is_left_alone for one in passed_on),
    }


def with_interval(all_met: Sequence[Met]) -> dict[str, Any]:
    """The figures, 95 % intervals that draw tasks again, and how soon those who need a person were handed off."""
    by_task: dict[str, list[Met]] = defaultdict(list)
    for one in all_met:
        by_task[one.task].append(one)
    tasks = list(by_task.values())
    return {
        **found(all_met),
        "precision_interval": drawn_again(tasks, lambda met: found(met)["precision"]),
        "recall_interval": drawn_again(tasks, lambda met: found(met)["recall"]),
        "turns_to_hand_off": turns_to_hand_off(all_met),
    }


def drawn_again(tasks: Sequence[list[Met]], figure: Callable[[list[Met]], float | None]) -> tuple[float, float] | None:
    """The middle 95 % of a figure over draws of as many tasks, with replacement."""
    if not tasks:
        return None
    dice = np.random.default_rng(9)
    draws = []
    for _ in range(DRAWS):
        drawn = [one for place in dice.integers(len(tasks), size=len(tasks)) for one in tasks[place]]
        if (value := figure(drawn)) is not None:
            draws.append(value)
    return (float(np.quantile(draws, 0.025)), float(np.quantile(draws, 0.975))) if draws else None


def turns_to_hand_off(all_met: Sequence[Met]) -> dict[str, Any]:
    """Of those who need a person and got one: after how many turns, and how many before the recorded agent did it."""
    rightly = [one for one in all_met if one.is_needed and one.turn is not None]
    numbers = sorted(one.turn for one in rightly if one.turn is not None)
    ahead = [one.agents_turn - one.turn for one in rightly if one.agents_turn is not None and one.turn is not None]
    return {
        "from_first_message_p50": statistics.median(numbers) if numbers else None,
        "from_first_message_p90": numbers[int(0.9 * (len(numbers) - 1))] if numbers else None,
        "turns_of_conversation_p50": statistics.median(one.turns for one in rightly) if rightly else None,
        "sooner_than_the_agent_p50": statistics.median(ahead) if ahead else None,
        "later_than_the_agent": sum(turns < 0 for turns in ahead),
    }


def reasons(all_met: Sequence[Met]) -> dict[str, dict[str, float]]:
    """By reason of the first hand-off: in how many conversations, and in what share of those rightly."""
    counts = Counter(reason for one in all_met for reason in one.reasons)
    rightly = Counter(reason for one in all_met if one.is_needed for reason in one.reasons)
    return {code: {"found": n, "precision": rightly[code] / n} for code, n in counts.most_common()}


# --- ordinary messages ---


def ordinary(data: Path, *, every: int = 1) -> dict[str, Any]:
    """On what share of single messages that need nobody the decision is to hand off, by source."""
    return {
        "bank_questions": handed_off_share(
            [row["text"] for row in rows(data / QUESTIONS) if not is_for_training(row["text"])][::every]
        ),
        "other_questions": handed_off_share(
            [row["text"] for row in rows(data / CHATTER) if not is_for_training(row["text"])][::every]
        ),
        "customers": handed_off_share([row["text"] for row in customers(data)][::every]),
    }


def customers(data: Path) -> Iterator[dict[str, Any]]:
    """What simulated customers wrote in the midst of a conversation, some of whom do ask for a person."""
    for row in rows(data / CUSTOMERS):
        if row["source_type"] == "direct" and row["dataset"] != "banking77" and not int(row["label"]):
            yield row


def handed_off_share(texts: Sequence[str]) -> dict[str, Any]:
    handed = Counter[str]()
    number = 0
    for text in texts:
        decision = assess(evidence_for(text), RULEBOOK).decision
        if decision.kind is DecisionKind.HAND_OFF:
            number += 1
            handed.update(reason.code for reason in decision.reasons)
    return {"messages": len(texts), "handed_off": number / len(texts) if texts else None, "reasons": dict(handed)}
