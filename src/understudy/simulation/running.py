"""Days pass for all slices of a made-up world; what became of them is counted in tallies, and nothing is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from itertools import groupby

import numpy as np

from understudy.errors import ConfigurationError
from understudy.learning.ladder import SCORES_MIN
from understudy.records.autonomy import EVERY, Candidate, Targets
from understudy.records.rulebook import Level, Rules, configured_grant
from understudy.simulation.counting import START, Counting, Setup
from understudy.simulation.drafts import DAY_S, Drafts, drawn
from understudy.simulation.slices import SliceRun
from understudy.simulation.tally import Tally
from understudy.simulation.world import SliceWorld, World


def run(
    world: World,
    setup: Setup,
    targets_of: Callable[[str], Targets],
    *,
    seed: int,
    told: Callable[[int], None] = lambda drafts: None,
) -> list[Tally]:
    """Let the days of a world pass once; the same world, setup and seed give the same tallies, in the world's order.

    `told` hears of each so many further drafts. The drafts of a slice depend on the seed, the slice and its place in the
    world alone, so that settings can be compared on the same drafts. Raises `ConfigurationError` for a slice that the
    configuration keeps from earning anything.
    """
    drafts = {}
    for place, of in enumerate(world.slices):
        _check(of, setup.rules)
        drafts[of.name] = drawn(of, world, setup.judged_within, np.random.default_rng([seed, place]))
    tallies: dict[str, Tally] = {}
    in_order = sorted(world.slices, key=lambda of: of.topic)
    for topic, members in groupby(in_order, key=lambda of: of.topic):
        family = Topic(list(members), drafts, targets_of(topic), setup)
        before = 0
        for tick in range(1, world.days * world.looks_per_day + 1):
            family.live(tick * DAY_S / world.looks_per_day)
            told(family.decided - before)
            before = family.decided
        tallies |= {one.of.name: one.tally for one in family.runs}
    return [tallies[of.name] for of in world.slices]


def _check(of: SliceWorld, rules: Rules) -> None:
    if of.topic in rules.never_auto:
        raise ConfigurationError(f"{of.name}: the topic is in autonomy.never_auto, so nothing is ever earned there")
    grant = configured_grant(rules, of.topic, of.channel)
    if grant is not None and grant.level is Level.SHADOW:
        raise ConfigurationError(f"{of.name}: autonomy.grants keeps it in shadow, so nothing is ever earned there")


class Topic:
    """The slices of one topic, which share a certificate where there are several."""

    def __init__(self, slices: Sequence[SliceWorld], drafts: dict[str, Drafts], targets: Targets, setup: Setup) -> None:
        numbers = _numbered([drafts[of.name] for of in slices])
        self.runs = [
            SliceRun(of, drafts[of.name], own, targets, setup) for of, own in zip(slices, numbers, strict=True)
        ]
        self._setup = setup
        self._pool = Counting(slices[0].topic, EVERY, targets) if len(self.runs) > 1 else None

    @property
    def decided(self) -> int:
        """How many drafts were decided on so far."""
        return sum(run.scores.size for run in self.runs)

    def live(self, until_s: float) -> None:
        """Let time pass for all of them up to that moment, and look."""
        heard = [candidate for run in self.runs for candidate in run.hear(until_s)]
        added = [candidate for run in self.runs for candidate in run.decide(until_s)]
        if self._pool is not None:
            self._share(self._pool, added, heard, until_s)
        for run in self.runs:
            run.learn(until_s, None if self._pool is None else self._pool.lent)

    def _share(self, pool: Counting, added: list[Candidate], heard: Iterable[Candidate], until_s: float) -> None:
        pool.waiting.update((one.seq, one) for one in heard if one.seq in pool.waiting)
        pool.waiting.update((one.seq, one) for one in sorted(added, key=lambda one: one.seq))
        if pool.epoch is None and self.decided >= SCORES_MIN:
            pool.begin(np.concatenate([run.scores for run in self.runs]), START + timedelta(seconds=until_s), after=0)
        if pool.epoch is not None:
            pool.look(Level.ASSIST, self._setup.terms, START + timedelta(seconds=until_s), None)


def _numbered(drafts: Sequence[Drafts]) -> list[list[int]]:
    """The numbers of the drafts of each slice in the order in which they all were made, from 1 on."""
    order = np.argsort(np.concatenate([one.at_s for one in drafts]), kind="stable")
    numbers = np.empty(order.size, dtype=np.int64)
    numbers[order] = np.arange(1, order.size + 1)
    ends = np.cumsum([one.at_s.size for one in drafts])[:-1]
    return [own.tolist() for own in np.split(numbers, ends)]
