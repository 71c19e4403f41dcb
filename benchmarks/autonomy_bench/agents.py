"""Real recorded agents: what could be automated at a promised risk, and what the risk then was on tasks nobody had seen.

A conversation is a reply: it goes out alone or a person takes it, and it is bad where the task failed. The score is the
failure model of `checks_bench/failure.py` (all signals of the checks, the course, calls and last words). Tasks, never
single conversations, are dealt to four parts that share none: learn the score, place the thresholds, certify, and
realise. Every conversation is realised once a dealing. Beside the certificate stand what systems do without one: the
laxest threshold whose labels look good enough, a model's probability taken at its word, and a language model as judge.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np

from autonomy_bench.study import Study
from checks_bench import failure
from checks_bench.logistic import sigmoid
from checks_bench.ridge import fit
from checks_bench.sample import AT, rows
from checks_bench.trajectories import FILE, last_turn, messages_of, trajectories
from understudy.assessment.checks import CHECKS
from understudy.backtest import answer as product
from understudy.backtest.certificates import Drafts, certify, design_for
from understudy.backtest.histories.labelled import Labelled
from understudy.backtest.histories.source import Place
from understudy.backtest.replies import replies, survey
from understudy.records.backtest import Goal
from understudy.records.rulebook import Rulebook, Rules
from understudy.records.wire import TurnRecord
from understudy.stats import binomial, calibration
from understudy.stats.coverage import coverage_at_risk, risk_coverage

JUDGE_FILE = "judge_verdicts.jsonl.gz"
FILES = (FILE, JUDGE_FILE)
PROMISES = (0.05, 0.1, 0.2, 0.3, 0.4)
"""Risks promised. The agents fail at some 40 % of these tasks, so the small ones are hard and the large ones easy."""
CONFIDENCE = 0.95
TENTHS = 10
LEARN, PAST, CERTIFY = 3, 1, 4
"""Of ten parts of the tasks; the other two realise. Five turns of the wheel realise every task once."""
DEALINGS = 4
PARTS_RESAMPLED = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A recorded conversation and what the failure model is made of."""

    own: str
    task: str
    system: str
    is_bad: bool
    known: failure.Conversation


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Cases with their scores, on three sides that share no task with each other or with what the score learned from."""

    past: np.ndarray
    certify: tuple[np.ndarray, np.ndarray]
    realise: tuple[np.ndarray, np.ndarray]
    realised_cases: list[Case]


def measure(study: Study) -> dict[str, Any]:
    """Measure all of it."""
    found = [(row, failure._conversation(row)) for row in trajectories(study.data)]  # noqa: SLF001 - the same rows
    cases = [
        Case(own=row["traj_id"], task=known.task, system=row["system"], is_bad=known.is_bad, known=known)
        for row, known in found
    ]
    dealings = 1 if study.is_quick else DEALINGS
    wheel = list(itertools.product(range(dealings), range(TENTHS // 2)))
    sides = [_sides(cases, dealing, turn) for dealing, turn in study.steps(wheel, "agents: dealings of tasks")]
    scored = {
        case.own: score
        for side in sides[: TENTHS // 2]
        for case, score in zip(side.realised_cases, side.realise[0], strict=True)
    }
    bad = np.array([case.is_bad for case in cases], dtype=float)
    return {
        "conversations": len(cases),
        "tasks": len({case.task for case in cases}),
        "systems": len({case.system for case in cases}),
        "risk_of_all": float(bad.mean()),
        "auroc": calibration.auroc([1.0 - scored[case.own] for case in cases], bad),
        "labels_that_certify": float(np.mean([side.certify[0].size for side in sides])),
        "dealings": dealings,
        "promised": {f"{risk:g}": _promise(sides, risk, study) for risk in PROMISES},
        "judge": _judge(study, cases, scored),
        "command": _command(study),
    }


# --- scores on tasks that the score did not learn from ---


def _tenth(task: str, dealing: int) -> int:
    return hashlib.sha256(f"agents|{dealing}|{task}".encode()).digest()[0] * TENTHS // 256


def _sides(cases: Sequence[Case], dealing: int, turn: int) -> Sides:
    def within(first: int, count: int) -> list[Case]:
        chosen = {(2 * turn + first + place) % TENTHS for place in range(count)}
        return [case for case in cases if _tenth(case.task, dealing) in chosen]

    learn, past = within(0, LEARN), within(LEARN, PAST)
    certified, realised = within(LEARN + PAST, CERTIFY), within(LEARN + PAST + CERTIFY, 2)
    score = _scores([case.known for case in learn], [case.known for case in (*past, *certified, *realised)])
    first, second = len(past), len(past) + len(certified)
    return Sides(
        past=score[:first],
        certify=(score[first:second], _bad(certified)),
        realise=(score[second:], _bad(realised)),
        realised_cases=realised,
    )


def _bad(cases: Sequence[Case]) -> np.ndarray:
    return np.array([case.is_bad for case in cases], dtype=np.float64)


def _scores(seen: Sequence[failure.Conversation], unseen: Sequence[failure.Conversation]) -> np.ndarray:
    """The probability that each unseen conversation succeeded."""
    seen_rows, unseen_rows = failure._all_signals(seen, unseen)  # noqa: SLF001 - the same rows
    bias, beta = fit(seen_rows, [one.is_bad for one in seen], penalty=failure.PENALTY)
    return np.array([1.0 - sigmoid(bias + sum(beta.get(k, 0.0) * v for k, v in row.items())) for row in unseen_rows])


# --- what each way of choosing a threshold promises and keeps ---


def _promise(sides: Sequence[Sides], risk: float, study: Study) -> dict[str, Any]:
    goal = Goal(risk_max=risk, confidence=CONFIDENCE)
    ways = {
        "certificate": [_certified(side, goal) for side in sides],
        "looks_good_enough": [_looks_good(side, risk) for side in sides],
        "probability_at_its_word": [_at_its_word(side, risk) for side in sides],
        "oracle": [_looks_good_to(*side.realise, risk) for side in sides],
    }
    return {way: _realised(sides, thresholds, risk, study, way) for way, thresholds in ways.items()}


def _certified(side: Sides, goal: Goal) -> float | None:
    """The ladder of the product: thresholds and the prediction from `past`, the certificate from `certify`."""
    score = side.past
    predicted = coverage_at_risk(risk_coverage(score, 1.0 - score), goal.risk_max) if score.size else 0.0
    labels = Drafts(
        conversation=np.arange(side.certify[0].size),
        score=side.certify[0],
        loss=side.certify[1],
        is_severe=np.zeros(side.certify[0].size, dtype=np.bool_),
    )
    found = certify("", (), labels, design_for(goal, score, predicted), goal, with_curve=False)
    return found.threshold


def _looks_good(side: Sides, risk: float) -> float | None:
    return _looks_good_to(*side.certify, risk)


def _looks_good_to(score: np.ndarray, bad: np.ndarray, risk: float) -> float | None:
    """The laxest threshold whose labels have no more failures than the promise."""
    curve = risk_coverage(score, bad)
    held = np.flatnonzero(curve.risk <= risk)
    return float(curve.thresholds[held[-1]]) if held.size else None


def _at_its_word(side: Sides, risk: float) -> float | None:
    """The laxest threshold above which the model's own probabilities promise enough, on the same conversations."""
    return _looks_good_to(side.certify[0], 1.0 - side.certify[0], risk)


def _realised(
    sides: Sequence[Sides], thresholds: Sequence[float | None], risk: float, study: Study, way: str
) -> dict[str, Any]:
    """Over all dealings: how much went out, how much of that was bad, and in how many dealings more than promised.

    The interval resamples whole tasks, because conversations about one task fail together; dealings count as one.
    """
    out: list[tuple[str, bool]] = []
    broken, chosen = [], 0
    for side, threshold in zip(sides, thresholds, strict=True):
        if threshold is None:
            continue
        chosen += 1
        score, bad = side.realise
        sent = score >= threshold
        out += [(case.task, case.is_bad) for case, is_sent in zip(side.realised_cases, sent, strict=True) if is_sent]
        broken.append(bool(sent.any()) and bad[sent].mean() > risk)
    total = sum(len(side.realised_cases) for side in sides)
    found: dict[str, Any] = {"chosen": chosen / len(sides), "automated": len(out) / total}
    if out:
        found["risk"] = sum(is_bad for _, is_bad in out) / len(out)
        found["risk_interval"] = list(_interval(out, study.dice("agents", way, risk)))
        found["more_than_promised"] = float(np.mean(broken))
    return found


def _interval(out: Sequence[tuple[str, bool]], dice: np.random.Generator) -> tuple[float, float]:
    """The central 95 % of the share when tasks are drawn again with replacement."""
    tasks = sorted({task for task, _ in out})
    place = {task: number for number, task in enumerate(tasks)}
    counts, bad = np.zeros(len(tasks)), np.zeros(len(tasks))
    for task, is_bad in out:
        counts[place[task]] += 1
        bad[place[task]] += is_bad
    drawn = dice.multinomial(len(tasks), np.full(len(tasks), 1 / len(tasks)), size=PARTS_RESAMPLED)
    shares = (drawn @ bad) / np.maximum(drawn @ counts, 1)
    low, high = np.quantile(shares, [0.025, 0.975])
    return float(low), float(high)


# --- a language model as judge, and the command on the same history ---


def _judge(study: Study, cases: Sequence[Case], scored: dict[str, float]) -> dict[str, Any]:
    """For each prompt what it accepts, how much of that failed, whether a promise could be certified on it, and what our
    score gives where as many conversations are let through."""
    by_case = {case.own: case for case in cases}
    verdicts: dict[str, dict[str, bool]] = {}
    for row in rows(study.data / JUDGE_FILE):
        if row["traj_id"] in by_case and row["verdict_norm"] in ("pass", "fail"):
            verdicts.setdefault(row["judge_prompt_name"], {})[row["traj_id"]] = row["verdict_norm"] == "pass"
    unanimous = set.intersection(*(set(given) for given in verdicts.values()))
    verdicts["all_prompts_agree"] = {own: all(given[own] for given in verdicts.values()) for own in unanimous}
    return {prompt: _accepted(given, by_case, scored) for prompt, given in sorted(verdicts.items())}


def _accepted(given: dict[str, bool], by_case: dict[str, Case], scored: dict[str, float]) -> dict[str, Any]:
    accepted = [by_case[own].is_bad for own, is_pass in given.items() if is_pass]
    ours = sorted(given, key=lambda own: -scored[own])[: len(accepted)]
    bad = sum(accepted)
    return {
        "conversations": len(given),
        "accepted": len(accepted) / len(given),
        "risk": bad / len(accepted),
        "risk_interval": list(binomial.interval(bad, len(accepted), delta=0.05)),
        "smallest_promise_certified": _smallest_promise(accepted),
        "our_score_at_the_same_coverage": sum(by_case[own].is_bad for own in ours) / len(ours),
    }


def _smallest_promise(accepted: Sequence[bool]) -> float | None:
    """The smallest of the promises that the accepted ones certify, as one threshold at the full level."""
    labels = Drafts(
        conversation=np.arange(len(accepted)),
        score=np.ones(len(accepted)),
        loss=np.array(accepted, dtype=np.float64),
        is_severe=np.zeros(len(accepted), dtype=np.bool_),
    )
    for risk in PROMISES:
        goal = Goal(risk_max=risk, confidence=CONFIDENCE, threshold=0.5)
        if certify("", (), labels, design_for(goal, np.zeros(0), 0.0), goal, with_curve=False).is_certified:
            return risk
    return None


def _command(study: Study) -> dict[str, Any]:
    """What `understudy backtest` answers: a score learned from the checks' signals on the last turn, tasks in an order
    drawn by a hash, so that the earlier and the later part share at most one."""
    history = list(_history(study))
    seen = survey(lambda: iter(history), lambda _: None)
    rulebook = Rulebook(id="bench", rules=Rules())
    judged, signals = replies(lambda: iter(history), seen, seen.origin(), ("topic",), rulebook, CHECKS, lambda _: None)
    answers = {}
    for risk in PROMISES:
        goal = Goal(risk_max=risk, confidence=CONFIDENCE)
        overall = product.backtest(judged, signals, seen, seen.origin(), ("topic",), goal, with_curves=False).overall
        answers[f"{risk:g}"] = {
            "certified": overall.is_certified,
            "automated": overall.coverage,
            "risk_upper": overall.risk_upper,
            "labels": overall.labels,
            "labels_needed": overall.labels_needed,
            "labels_expected": overall.labels_expected,
        }
    return answers


def _history(study: Study) -> Iterator[Labelled]:
    ordered = sorted(
        trajectories(study.data),
        key=lambda row: (hashlib.sha256(row["task_cluster"].encode()).digest(), row["traj_id"]),
    )
    for number, row in enumerate(ordered):
        evidence = last_turn(messages_of(row))
        assert evidence.draft is not None
        record = TurnRecord.model_validate(
            {
                "id": row["traj_id"],
                "topic": row["domain"],
                "agent_version": row["system"],
                "at": AT + timedelta(minutes=number),
                "messages": [
                    {
                        "role": message.role,
                        "content": message.content,
                        "tool_call_id": message.tool_call_id,
                        "tool_calls": [
                            {"id": call.id, "function": {"name": call.name, "arguments": call.arguments}}
                            for call in message.tool_calls
                        ],
                    }
                    for message in evidence.messages
                ],
                "draft": {"text": evidence.draft.text},
                "verdict": {"action": "approve" if row["passed"] else "reject"},
            }
        )
        yield Labelled(place=Place(file=FILE, line=number + 1), record=record)
