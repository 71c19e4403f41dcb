"""Make the trials of a run: so many at once, retried where the world failed, each kept before it counts.

A run that was cut off goes on where it was: what its journal holds is not repeated, what it lacks is made. Failures of
the world (an agent that cannot be reached, a grader that could not grade) become errors after `attempts_max` tries, and
stand apart from failures of the agent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Final, Literal

from understudy.backoff import backoff_s
from understudy.errors import AgentError, BudgetSpent, UnderstudyError
from understudy.evaluation.attempts import Release, attempt
from understudy.evaluation.conversation import Player
from understudy.evaluation.graders.contract import Attempted, Grader
from understudy.evaluation.journal import Journal
from understudy.evaluation.plan import Planned
from understudy.evaluation.reading import IsDecided, Reading
from understudy.evaluation.teeth import graded
from understudy.ports.clock import Clock
from understudy.records.suite import Case, Grade, Trial

Point = Literal["asking", "attempted", "graded", "added", "safe"]
"""The steps of a trial, in order; `safe`: its result is on disk."""
Watch = Callable[[Point, str, int], None]
Done = Mapping[tuple[str, int], Trial]
REPLY_CHARS_MAX: Final = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RunLimits:
    """`at_once_max` trials at a time; `attempts_max` tries of one where the world fails, with pauses in between."""

    at_once_max: int = 8
    attempts_max: int = 3
    backoff_base_s: float = 0.5
    backoff_max_s: float = 20.0

    def __post_init__(self) -> None:
        if self.at_once_max < 1 or self.attempts_max < 1:
            raise ValueError("a run needs at least one trial at a time and one attempt")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOutcome:
    """What a run came to: the trials in the order of the plan; `ended` None: all were made, else why it ended early.

    Where it ended because all was decided, `trials` are those that decided it; later ones were under way already."""

    trials: tuple[Trial, ...]
    planned: int
    resumed: int
    ended: Literal["budget", "decided"] | None = None


class Runner:
    """Makes trials of one release. `graders` of each case by its id; `teeth` says which cases refuse a known bad reply."""

    def __init__(
        self,
        release: Release,
        clock: Clock,
        *,
        graders: Mapping[str, Sequence[Grader]],
        player: Callable[[Case, int], Player],
        limits: RunLimits,
        teeth: Mapping[str, bool] | None = None,
        watch: Watch = lambda point, case, trial: None,
    ) -> None:
        self._release = release
        self._clock = clock
        self._graders = graders
        self._player = player
        self._limits = limits
        self._teeth = teeth or {}
        self._watch = watch

    async def run(
        self,
        plan: Sequence[Planned],
        journal: Journal,
        *,
        is_decided: IsDecided = lambda trials: False,
    ) -> RunOutcome:
        """Make what the journal lacks of a plan.

        `is_decided` is asked with the finished trials from the beginning of the plan up to the first one that lacks, at
        fixed lengths: see `reading.py`.
        """
        done = {key: trial for one in plan if (trial := journal.known.get(key := (one.case.id, one.trial)))}
        resumed = len(done)
        going = _Going(plan, done, is_decided)
        failure: UnderstudyError | None = None
        workers = min(self._limits.at_once_max, max(1, len(plan) - resumed))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(workers):
                    group.create_task(self._work(going, journal))
        except* BudgetSpent:
            going.ended = "budget"
        except* UnderstudyError as failed:
            failure = _first(failed)  # raised here it would come out in a group again
        finally:
            await journal.close()
        if failure is not None:
            raise failure
        trials = tuple(done[key] for one in plan if (key := (one.case.id, one.trial)) in done)
        if going.ended == "decided":
            trials = tuple(going.reading.trials)
        return RunOutcome(trials=trials, planned=len(plan), resumed=resumed, ended=going.ended)

    async def _work(self, going: _Going, journal: Journal) -> None:
        while (planned := going.next()) is not None:
            trial = await self.make(planned)
            case, number = planned.case.id, planned.trial
            self._watch("added", case, number)
            journal.add(trial, when_safe=lambda case=case, number=number: self._watch("safe", case, number))  # type: ignore[misc]
            going.finish(trial)

    async def make(self, planned: Planned) -> Trial:
        """Make one trial, again where the world fails; the last error stands where it fails to the end."""
        case, number = planned.case, planned.trial
        error = ""
        for tries in range(1, self._limits.attempts_max + 1):
            self._watch("asking", case.id, number)
            began = perf_counter()
            try:
                attempted = await attempt(self._release, case, number, self._player)
            except AgentError as failure:
                error = f"{failure.code}: {failure.message}"
                if not failure.is_retryable or tries == self._limits.attempts_max:
                    return self._trial(case, number, error=error, tries=tries)
                await self._pause(tries, getattr(failure, "retry_after_s", None) or 0.0)
                continue
            took_ms = (perf_counter() - began) * 1000
            self._watch("attempted", case.id, number)
            grades = await self._grade(case, attempted)
            self._watch("graded", case.id, number)
            return self._judged(case, number, attempted, grades, took_ms, tries)
        raise AssertionError("every try returns or goes on")

    async def _grade(self, case: Case, attempted: Attempted) -> tuple[Grade, ...]:
        """Grade what was attempted; graders that could not are asked again, the agent is not."""
        graders = self._graders[case.id]
        grades = await graded(graders, attempted)
        for tries in range(1, self._limits.attempts_max):
            failed = [place for place, grade in enumerate(grades) if grade.error and grade.grader.startswith("judge:")]
            if not failed:
                break
            await self._pause(tries, 0.0)
            again = await graded([graders[place] for place in failed], attempted)
            grades = tuple(
                again[failed.index(place)] if place in failed else grade for place, grade in enumerate(grades)
            )
        return grades

    async def _pause(self, tries: int, at_least_s: float) -> None:
        limits = self._limits
        await self._clock.sleep(
            backoff_s(
                tries,
                self._clock.random(),
                base_s=limits.backoff_base_s,
                max_s=limits.backoff_max_s,
                at_least_s=at_least_s,
            )
        )

    def _judged(
        self, case: Case, number: int, attempted: Attempted, grades: tuple[Grade, ...], took_ms: float, tries: int
    ) -> Trial:
        loss, error, why = verdict_of(grades)
        needs_decision = any(one.kind in ("checks", "decision") for one in case.graders)
        return replace(
            self._trial(case, number, loss=loss, error=error, tries=tries),
            why=why,
            reply=attempted.text[:REPLY_CHARS_MAX],
            decision=attempted.assess().decision.kind.value if needs_decision else None,
            grades=grades,
            took_ms=took_ms,
        )

    def _trial(
        self, case: Case, number: int, *, loss: float | None = None, error: str | None = None, tries: int = 1
    ) -> Trial:
        return Trial(
            case=case.id,
            trial=number,
            loss=loss,
            error=error,
            rule=case.rule,
            has_teeth=self._teeth.get(case.id),
            attempts=tries,
        )


def _first(failed: BaseExceptionGroup[UnderstudyError]) -> UnderstudyError:
    """The first error of a group, whose message is for people."""
    found = failed.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def verdict_of(grades: Sequence[Grade]) -> tuple[float | None, str | None, str]:
    """The loss of a trial, or its error, and why: the worst grade counts; an error counts unless all is lost anyway."""
    worst = max(
        (grade for grade in grades if grade.loss is not None), key=lambda grade: grade.loss or 0.0, default=None
    )
    failed = next((grade for grade in grades if grade.error is not None), None)
    if failed is not None and (worst is None or worst.loss != 1.0):
        return None, f"grader {failed.grader}: {failed.error}", ""
    assert worst is not None and worst.loss is not None, "a case has graders"  # noqa: PT018 - one thing for two readers
    why = "; ".join(f"{grade.grader}: {grade.why}" for grade in grades if grade.loss and grade.why)
    return worst.loss, None, why


class _Going:
    """What is left of a plan, and what is finished from its beginning on."""

    def __init__(self, plan: Sequence[Planned], done: dict[tuple[str, int], Trial], is_decided: IsDecided) -> None:
        self._plan, self._done = plan, done
        self._next = 0
        self.reading = Reading(is_decided)
        self.ended: Literal["budget", "decided"] | None = None
        self._look()

    def next(self) -> Planned | None:
        """The next trial to make; None where there is none, or nothing is left to be told."""
        while self.ended is None and self._next < len(self._plan):
            planned = self._plan[self._next]
            self._next += 1
            if (planned.case.id, planned.trial) not in self._done:
                return planned
        return None

    def finish(self, trial: Trial) -> None:
        """Take in a result."""
        self._done[trial.case, trial.trial] = trial
        self._look()

    def _look(self) -> None:
        while self.ended is None and len(self.reading.trials) < len(self._plan):
            planned = self._plan[len(self.reading.trials)]
            trial = self._done.get((planned.case.id, planned.trial))
            if trial is None:
                return
            self.reading.take(trial)
            if self.reading.is_decided:
                self.ended = "decided"
