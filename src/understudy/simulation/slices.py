"""One made-up slice under the product's own rules: what leaves, which labels come, and what a look makes of them.

Levels and rates are those of `turn/standing.py` and `assessment/decision.py`, counting and judging is `learning/`. The
hourly quota and stops are left out, and what comes between two looks is decided at the level that the first one left.
"""

from __future__ import annotations

import heapq
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from understudy.assessment.decision import sample_rate_of
from understudy.learning.ladder import SCORES_MIN, Progress, to_go
from understudy.learning.promotion import ALONE, Finding, Why, granted, level_after, level_in_force
from understudy.records.autonomy import UNVERSIONED, Candidate, Epoch, Label, Outcome, Targets
from understudy.records.rulebook import SHIPPED, Level, configured_grant
from understudy.simulation.counting import START, Counting, Setup
from understudy.simulation.drafts import DAY_S, Drafts, Flags, Floats, true_risk
from understudy.simulation.tally import Event, Moment, Tally
from understudy.simulation.world import PEOPLE_MAX, SliceWorld
from understudy.turn.standing import grant_of

NAMES: Final = tuple(f"reviewer-{number}" for number in range(1, PEOPLE_MAX + 1))
START_S: Final = START.timestamp()
"""The detector's statistic that demotes."""


class SliceRun:
    """See the module. `numbers`: of each draft in the order of its topic's drafts on all channels, from 1 on."""

    def __init__(self, of: SliceWorld, drafts: Drafts, numbers: list[int], targets: Targets, setup: Setup) -> None:
        self.of, self._drafts, self._numbers, self._setup = of, drafts, numbers, setup
        self._configured = configured_grant(setup.rules, of.topic, of.channel)
        self._counting = Counting(of.topic, of.channel, targets)
        # Plain numbers: one of them is read ten times as quickly from a list as from an array.
        self._at_s, self._confidence = drafts.at_s.tolist(), drafts.confidence.tolist()
        self._label_loss, self._reviewer = drafts.label_loss.tolist(), drafts.reviewer.tolist()
        self._severe = frozenset(np.flatnonzero(drafts.label_is_severe).tolist())
        self._decided = 0
        self._awaited: list[tuple[float, int, Candidate]] = []
        self._confirm_at_s = math.inf
        self._before = (0, 0.0, 0.0, 0.0, 0.0)
        self.tally = Tally(name=of.name, risk_max=targets.risk_max, drafts=drafts.at_s.size)
        self.tally.count_fixed(drafts, of.regression, 1.0 - targets.risk_max if setup.fixed is None else setup.fixed)

    @property
    def level(self) -> Level:
        """The level in force."""
        epoch = self._counting.epoch
        if epoch is not None:
            return level_in_force(epoch, self._configured)
        return Level.ASSIST if self._configured is None else self._configured.level

    @property
    def scores(self) -> Floats:
        """The confidences of all drafts decided so far."""
        return self._drafts.confidence[: self._decided]

    def decide(self, until_s: float) -> list[Candidate]:
        """Decide on the drafts up to that moment, and hear what is said by then; returns those that learning knows."""
        drafts, first = self._drafts, self._decided
        last = int(np.searchsorted(drafts.at_s, until_s))
        self._decided = last
        part = slice(first, last)
        delivered, rates = self._ruling(drafts.confidence[part])
        sampled = drafts.draw[part] < rates
        self._count(part, delivered, sampled)
        labels_s, all_rates = drafts.label_at_s[part].tolist(), rates.tolist()
        is_delivered, is_sampled = delivered.tolist(), sampled.tolist()
        added = []
        for offset in np.flatnonzero(delivered | sampled).tolist():
            is_heard = is_sampled[offset] and labels_s[offset] <= until_s
            candidate = self._candidate(
                first + offset, is_delivered[offset], is_sampled[offset], all_rates[offset], is_heard=is_heard
            )
            added.append(candidate)
            if is_sampled[offset] and not is_heard:
                heapq.heappush(self._awaited, (labels_s[offset], first + offset, candidate))
            elif is_heard:
                self._note_harm(candidate)
        self._counting.waiting.update((candidate.seq, candidate) for candidate in added)
        return added

    def hear(self, until_s: float) -> list[Candidate]:
        """Take the labels that came by then for drafts of before; returns those drafts with them.

        One of an epoch that is over is no evidence of this one; its topic may still wait for it.
        """
        heard = []
        while self._awaited and self._awaited[0][0] <= until_s:
            _, index, was = heapq.heappop(self._awaited)
            now = self._candidate(index, was.is_delivered, was.is_sampled, was.rate, is_heard=True)
            if now.seq in self._counting.waiting:
                self._counting.waiting[now.seq] = now
            self._note_harm(now)
            heard.append(now)
        return heard

    def learn(self, until_s: float, parent: tuple[Epoch, Progress] | None) -> None:
        """Look at the epoch and make true what follows, as `learning/flow.py` does."""
        now, counting = START + timedelta(seconds=until_s), self._counting
        if counting.epoch is None and self._decided >= SCORES_MIN:
            counting.begin(self.scores, now, after=0)
        if counting.epoch is not None:
            finding = counting.look(self.level, self._setup.terms, now, parent)
            if finding.fall is not None:
                self._fall(finding.fall, until_s)
            else:
                self._rise(finding, until_s)
        if self._setup.is_watched:
            self._watch(until_s)

    def _ruling(self, confidence: Floats) -> tuple[Flags, Floats]:
        """Which of the drafts leave by themselves, and with what probability each becomes evidence.

        A burst audits so many replies whole; the rest of the drafts has the usual rate.
        """
        of, epoch, rules = self.of, self._counting.epoch, self._setup.rules
        usual = None if epoch is None else replace(epoch, burst_left=0)
        grant = grant_of(of.topic, of.channel, self._configured, usual) or self._configured
        is_alone = grant is not None and grant.level in ALONE
        delivered = confidence >= grant.threshold if grant is not None and is_alone else np.zeros(confidence.size, bool)
        rates = np.full(confidence.size, sample_rate_of(grant, rules))
        if epoch is not None and epoch.burst_left and is_alone:
            rates[np.cumsum(delivered) - delivered < epoch.burst_left] = 1.0
            self._counting.epoch = replace(epoch, burst_left=max(0, epoch.burst_left - int(delivered.sum())))
        return delivered, rates

    def _candidate(self, index: int, is_delivered: bool, is_sampled: bool, rate: float, *, is_heard: bool) -> Candidate:
        at = datetime.fromtimestamp(START_S + self._at_s[index], UTC)
        return Candidate(
            seq=self._numbers[index],
            turn_id="",
            conversation_id="",
            topic=self.of.topic,
            channel=self.of.channel,
            release=UNVERSIONED,
            calibrator=SHIPPED,
            confidence=self._confidence[index],
            signals=(),
            is_delivered=is_delivered,
            is_sampled=is_sampled,
            rate=rate,
            decided_at=at,
            due_at=at + self._setup.judged_within,
            label=self._label(index, at) if is_heard else None,
        )

    def _label(self, index: int, at: datetime) -> Label:
        loss, reviewer = self._label_loss[index], self._reviewer[index]
        if reviewer < 0:
            outcome = Outcome.TIMEOUT
        else:
            outcome = Outcome.APPROVE if loss == 0.0 else Outcome.EDIT if loss < 1.0 else Outcome.REJECT
        return Label(
            outcome=outcome,
            loss=loss,
            is_severe=index in self._severe,
            by=NAMES[reviewer] if reviewer >= 0 else None,
            at=at,
        )

    def _note_harm(self, candidate: Candidate) -> None:
        epoch = self._counting.epoch
        if candidate.label is None or not candidate.label.is_severe or not candidate.is_delivered:
            return
        if epoch is not None and candidate.seq > epoch.after:
            self._counting.epoch = replace(epoch, has_harm=True)

    def _fall(self, why: Why, until_s: float) -> None:
        counting, day, level = self._counting, until_s / DAY_S, level_after(why)
        last = self._numbers[self._decided - 1]
        counting.waiting.clear()
        self._confirm_at_s = math.inf
        counting.begin(self.scores, START + timedelta(seconds=until_s), after=last, earned=level)
        self.tally.events.append(Event(day=day, what=why.value, level=level))
        worse = self.of.regression
        if worse is not None and day >= worse.day and self.tally.caught_on is None and level is Level.DEMOTED:
            self.tally.caught_on = day

    def _rise(self, finding: Finding, until_s: float) -> None:
        epoch, setup = self._counting.epoch, self._setup
        assert epoch is not None, "only an epoch is found anything about"
        if finding.burst:
            epoch = replace(epoch, burst_left=max(epoch.burst_left, finding.burst))
        if finding.proposal is not None:
            epoch = replace(epoch, proposal=finding.proposal)
            self._confirm_at_s = min(self._confirm_at_s, until_s + setup.confirm_s)
        if epoch.proposal is not None and self._confirm_at_s <= until_s:
            epoch = granted(epoch, setup.terms, now=START + timedelta(seconds=until_s))
            self._confirm_at_s = math.inf
            self._tell_promotion(epoch, until_s / DAY_S)
        self._counting.epoch = epoch

    def _tell_promotion(self, epoch: Epoch, day: float) -> None:
        assert epoch.earned is not None, "it was promoted"
        assert epoch.threshold is not None, "to a threshold"
        found = zip(
            true_risk(self.of, epoch.threshold, at_day=day),
            (epoch.targets.risk_max, epoch.targets.severe_max),
            strict=True,
        )
        is_false = any(risk >= target * (1.0 - 1e-9) for risk, target in found)
        self.tally.events.append(
            Event(day=day, what="promoted", level=epoch.earned, threshold=epoch.threshold, is_false=is_false)
        )

    def _count(self, part: slice, delivered: Flags, sampled: Flags) -> None:
        tally, worse = self.tally, self.of.regression
        tally.count(self._drafts, part, delivered, sampled)
        if worse is not None and tally.caught_on is None:
            is_after = self._drafts.at_s[part] >= worse.day * DAY_S
            if tally.alone_at_regression is None and is_after.any():
                tally.alone_at_regression = self.level in ALONE
            tally.bad_after += int((delivered & is_after & self._drafts.is_bad[part]).sum())
            tally.sent_after += int((delivered & is_after).sum())

    def _watch(self, until_s: float) -> None:
        tally, progress, epoch = self.tally, self._counting.progress, self._counting.epoch
        now = (self._decided, tally.automatic, tally.reviews, tally.audits, tally.loss)
        drafts, automatic, reviews, audits, loss = (a - b for a, b in zip(now, self._before, strict=True))
        self._before = now
        grant = grant_of(self.of.topic, self.of.channel, self._configured, epoch) or self._configured
        risk = None
        if grant is not None and grant.level in ALONE:
            risk = true_risk(self.of, grant.threshold, at_day=until_s / DAY_S)[0]
        tally.moments.append(
            Moment(
                day=until_s / DAY_S,
                level=self.level,
                evidence=0 if progress is None else to_go(progress, self._counting.targets),
                alarm=0 if progress is None else _of_100(progress, self._counting.targets),
                labels=0 if progress is None else progress.labels,
                drafts=int(drafts),
                automatic=int(automatic),
                loss=loss,
                reviews=int(reviews),
                audits=int(audits),
                true_risk=risk,
            )
        )


def _of_100(progress: Progress, targets: Targets) -> int:
    far = progress.watch.statistic / math.log(targets.alarm)
    return max(0, min(100, math.floor(100.0 * far))) if progress.watch.delivered else 0
