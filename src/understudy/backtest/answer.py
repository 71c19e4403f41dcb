"""From judged replies to what could have been automated: sort, set the earlier part aside, score, certify each slice.

The earlier part teaches: a learned score's weights, where thresholds stand, how delta is shared among them. Nothing is
certified on it. Whole conversations are on one side, by time where every judged draft has one, else by their place in
the file. A given score with an asked threshold has nothing to learn, so all labels certify.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from understudy.backtest.certificates import Design, Drafts, certify, design_for
from understudy.backtest.replies import Reply, Survey
from understudy.records.backtest import Backtest, Goal, ScoreOrigin, SliceBacktest
from understudy.stats.coverage import coverage_at_risk, risk_coverage
from understudy.stats.logistic import Prior, RiskModel, Scaling, fit, scaling_of, sign_informed

LEARN_SHARE: Final = 0.3
LEARN_MAX: Final = 1_000
"""Conversations that teach a score: more of them hardly sharpen it, and none of them can certify."""
PAST_SHARE: Final = 0.1
PAST_MAX: Final = 200
"""Conversations that only say where thresholds of a given score stand."""
PAST_MIN_IN_SLICE: Final = 20
"""A slice with fewer judged drafts in the earlier part takes its thresholds from all slices."""
EVERYTHING: Final = "all"
JOIN: Final = "×"
"""Between the parts of a slice's name, as everywhere in this product."""
LOGIT_MIN: Final = 1e-6
TOPIC_MIN: Final = 5
TOPICS_MAX: Final = 50
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scored:
    """Replies of one side, in order, with their scores and the risk that is predicted for each."""

    replies: Sequence[Reply]
    score: Floats
    predicted: Floats

    def of_slice(self, parts: tuple[str, ...]) -> _Scored:
        chosen = np.array([reply.parts == parts for reply in self.replies], dtype=np.bool_)
        return _Scored(
            replies=[reply for reply in self.replies if reply.parts == parts],
            score=self.score[chosen],
            predicted=self.predicted[chosen],
        )

    def drafts(self) -> Drafts:
        numbers: dict[str, int] = {}
        conversation = [numbers.setdefault(reply.conversation, len(numbers)) for reply in self.replies]
        return Drafts(
            conversation=np.array(conversation, dtype=np.int64),
            score=self.score,
            loss=np.array([reply.loss for reply in self.replies], dtype=np.float64),
            is_severe=np.array([reply.is_severe for reply in self.replies], dtype=np.bool_),
        )


def backtest(
    replies: Sequence[Reply],
    signals: Sequence[str],
    seen: Survey,
    origin: ScoreOrigin,
    by: tuple[str, ...],
    goal: Goal,
    *,
    with_curves: bool = True,
) -> Backtest:
    """Answer for all replies and each slice; `signals` names those of a learned score."""
    early, late = sides(in_order(replies), share=_early_share(origin, goal), most=_early_most(origin))
    model = _learned(early, origin)
    past, present = _scored(early, model), _scored(late, model)
    found = {
        parts: certify(
            JOIN.join(parts),
            tuple(zip(by, parts, strict=True)),
            present.of_slice(parts).drafts(),
            _design(goal, past, parts),
            goal,
            with_curve=with_curves,
        )
        for parts in sorted({reply.parts for reply in replies} if by else ())
    }
    overall = certify(EVERYTHING, (), present.drafts(), _design(goal, past, None), goal, with_curve=with_curves)
    slices = tuple(found.values()) if by else (overall,)
    return Backtest(
        goal=goal,
        by=by,
        origin=origin,
        records=seen.records,
        judged=seen.judged,
        set_aside=len({reply.conversation for reply in early}),
        learned=model.weights(signals),
        slices=tuple(sorted(slices, key=lambda one: (-one.drafts, one.name))),
        overall=replace(overall, name=EVERYTHING),
        notes=_notes(seen, origin, goal, overall, slices),
    )


def in_order(replies: Sequence[Reply]) -> list[Reply]:
    """Conversations by their first judged draft, their drafts together and in order; equal times keep the file's order."""
    first: dict[str, tuple[float, int]] = {}
    for place, reply in enumerate(replies):
        first[reply.conversation] = min(first.get(reply.conversation, (reply.order, place)), (reply.order, place))
    return sorted(replies, key=lambda reply: (first[reply.conversation], reply.order))


def sides(ordered: Sequence[Reply], *, share: float, most: int) -> tuple[list[Reply], list[Reply]]:
    """The earlier share of the conversations (at most so many), and the others; `ordered` as `in_order` gives them."""
    conversations = dict.fromkeys(reply.conversation for reply in ordered)
    count = min(most, int(share * len(conversations)))
    early = set(list(conversations)[:count])
    return (
        [reply for reply in ordered if reply.conversation in early],
        [reply for reply in ordered if reply.conversation not in early],
    )


def _early_share(origin: ScoreOrigin, goal: Goal) -> float:
    if origin is ScoreOrigin.LEARNED:
        return LEARN_SHARE
    return 0.0 if goal.threshold is not None else PAST_SHARE


def _early_most(origin: ScoreOrigin) -> int:
    return LEARN_MAX if origin is ScoreOrigin.LEARNED else PAST_MAX


@dataclass(frozen=True, slots=True, kw_only=True)
class _Model:
    """The risk from the signals and the topic, or from a given score where it only has to be predicted."""

    origin: ScoreOrigin
    topics: tuple[str, ...]
    risk: RiskModel | None = None

    def features(self, replies: Sequence[Reply]) -> Floats:
        """One row a reply: its signals and a 1 at its topic, or the log-odds of its given score."""
        if self.origin is ScoreOrigin.GIVEN:
            score = np.clip([reply.score for reply in replies], LOGIT_MIN, 1.0 - LOGIT_MIN)
            return np.log(score / (1.0 - score)).reshape(-1, 1)
        signals = np.array([reply.signals for reply in replies], dtype=np.float64)
        topics = np.array([[reply.topic == topic for topic in self.topics] for reply in replies], dtype=np.float64)
        return np.hstack([signals, topics.reshape(len(replies), -1)])

    def risks(self, replies: Sequence[Reply]) -> Floats:
        """The predicted risk of each; 1 where nothing was learned, because unknown never passes."""
        if self.risk is None or not replies:
            return np.ones(len(replies))
        return self.risk.risks(self.features(replies))

    def weights(self, signals: Sequence[str]) -> tuple[tuple[str, float], ...]:
        """What one standard deviation of a signal, or a topic, adds to the log-odds of a good draft, largest first."""
        if self.risk is None or self.origin is ScoreOrigin.GIVEN:
            return ()
        names = (*signals, *(f"topic {topic}" for topic in self.topics))
        pairs = [(name, -weight) for name, weight in zip(names, self.risk.weights, strict=True)]
        return tuple(sorted(pairs, key=lambda pair: (-abs(pair[1]), pair[0])))


def _learned(early: Sequence[Reply], origin: ScoreOrigin) -> _Model:
    """Fit to the earlier part; a topic counts from `TOPIC_MIN` judged drafts on."""
    counts = Counter(reply.topic for reply in early)
    topics = tuple(topic for topic, count in counts.most_common(TOPICS_MAX) if count >= TOPIC_MIN)
    empty = _Model(origin=origin, topics=topics if origin is ScoreOrigin.LEARNED and len(topics) > 1 else ())
    if not early:
        return empty
    features, losses = empty.features(early), [reply.loss for reply in early]
    signals = features.shape[1] - len(empty.topics)
    if origin is ScoreOrigin.GIVEN:
        # A confidence is taken to be roughly what it says: one more in its log-odds is one less in those of the risk.
        unscaled = Scaling(centres=(0.0,), scales=(1.0,))
        return replace(empty, risk=fit(features, losses, prior=Prior(means=(-1.0,), sds=(0.5,)), scaling=unscaled))
    prior = sign_informed(signals, topics=len(empty.topics))
    scaling = scaling_of(features, as_they_are=range(signals, features.shape[1]))
    return replace(empty, risk=fit(features, losses, prior=prior, scaling=scaling))


def _scored(replies: Sequence[Reply], model: _Model) -> _Scored:
    given = np.array([reply.score for reply in replies], dtype=np.float64)
    risks = model.risks(replies)
    return _Scored(replies=replies, score=given if model.origin is ScoreOrigin.GIVEN else 1.0 - risks, predicted=risks)


def _design(goal: Goal, past: _Scored, parts: tuple[str, ...] | None) -> Design:
    """Thresholds from the past drafts of the slice where there are enough, else of all."""
    own = past if parts is None else past.of_slice(parts)
    used = own if own.score.size >= PAST_MIN_IN_SLICE else past
    if not used.score.size:
        return design_for(goal, used.score, 0.0)
    predicted = coverage_at_risk(risk_coverage(used.score, used.predicted), goal.risk_max * goal.sensitivity)
    return design_for(goal, used.score, predicted)


def _notes(
    seen: Survey, origin: ScoreOrigin, goal: Goal, overall: SliceBacktest, slices: Sequence[SliceBacktest]
) -> tuple[str, ...]:
    """What changes how the figures are to be read."""
    notes = []
    if not seen.judged:
        notes.append("No record has a verdict, so there is nothing to certify on.")
    if 0 < seen.timed < seen.judged:
        missing = seen.judged - seen.timed
        notes.append(f"{missing} of {seen.judged} judged records give no time (at), so the order is the file's.")
    if origin is ScoreOrigin.GIVEN and seen.sure < seen.judged:
        missing = seen.judged - seen.sure
        notes.append(f"{missing} of {seen.judged} judged drafts have no confidence; they count as never sure enough.")
    if origin is ScoreOrigin.LEARNED and seen.sure:
        notes.append(
            f"Only {seen.sure} of {seen.judged} judged drafts have a confidence, so a score was learned instead."
        )
    if goal.sensitivity == 1.0:
        notes.append(
            "Reviewers are taken to have noticed every bad draft. If they noticed 7 in 10, ask with "
            f"--sensitivity 0.7: the risk they see must then be below {goal.risk_max * 0.7:.2%}."
        )
    falsely = goal.delta * len(slices)
    if len(slices) > 1 and any(one.is_certified for one in slices):
        notes.append(
            f"Each slice has its own certificate; of {len(slices)} slices that were all too risky, at most "
            f"{falsely:.2g} would be certified on average."
        )
    if overall.is_certified and len(slices) > 1 and not all(one.is_certified for one in slices):
        notes.append(
            "The certificate over all slices holds for their mix; a slice without one of its own may be worse."
        )
    return tuple(notes)
