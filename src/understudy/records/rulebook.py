"""The rulebook: everything besides the evidence that a decision depends on, versioned by its own content hash.

It holds thresholds, weights, autonomy levels, quotas, policy and the approved safe replies. It is built from the
configuration and later from what reviewers decide; it decides nothing itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from understudy.records.action_rules import ActionRule
from understudy.records.identity import CODE_MARK
from understudy.records.policy import ActionVerb, ChannelForm, OpeningHours, PolicyRule
from understudy.records.trust import USUAL_TRUST, TrustRules

UNKNOWN_TOPIC = "unknown"


class Level(StrEnum):
    """Autonomy level of a slice, from least to most; demoted is assist after a fall."""

    SHADOW = "shadow"
    ASSIST = "assist"
    DEMOTED = "demoted"
    PROBATION = "probation"
    AUTO = "auto"


class ReleaseBar(StrEnum):
    """Why a draft waits for a person because of the release it comes from, whatever its slice may do otherwise.

    *unreleased*: nobody let out what made it; *not_out*: its release was taken back, or does not answer yet;
    *unearned*: its release has not earned here what others were granted or have earned.
    """

    UNRELEASED = "unreleased"
    NOT_OUT = "not_out"
    UNEARNED = "unearned"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """The autonomy of a slice: a topic and a channel, each a name or `*`. `threshold` is a confidence in [0, 1].

    `audit_rate` in [0, 1] is the share of its automatic replies reviewed afterwards; None = on probation all, else as
    the rules say. `epoch` names the stretch of evidence it was earned in; None = the configuration gave it. A slice
    `on_hold` was stopped by a person: every draft is reviewed, whatever the level. `bar` says that the level is no more
    than it is because of the release.
    """

    topic: str
    channel: str
    level: Level
    threshold: float = 0.9
    audit_rate: float | None = None
    epoch: str | None = None
    on_hold: bool = False
    bar: ReleaseBar | None = None

    def __post_init__(self) -> None:
        if not 0.0 <= self.threshold <= 1.0:
            raise ValueError(f"Grant.threshold must be in [0, 1], got {self.threshold!r}")
        if self.audit_rate is not None and not 0.0 <= self.audit_rate <= 1.0:
            raise ValueError(f"Grant.audit_rate must be in [0, 1], got {self.audit_rate!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SafeReply:
    """A reply a person approved beforehand. `then_hand_off`: a person follows up after it was sent. `translations`: what customers
    of other languages read instead, as pairs of an ISO 639-1 code and a text."""

    id: str
    version: int
    text: str
    then_hand_off: bool = False
    translations: tuple[tuple[str, str], ...] = ()

    def text_in(self, language: str | None) -> str:
        """What a customer of this language reads."""
        return dict(self.translations).get(language or "", self.text)

    @property
    def texts(self) -> tuple[str, ...]:
        """All its texts."""
        return (self.text, *(text for _, text in self.translations))

    @property
    def name(self) -> str:
        """Which reply in which version, such as away@2."""
        return f"{self.id}@{self.version}"


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityRules:
    """`code_reply`: the safe reply by which one-time codes are sent (None = none are); `code_minutes`: so long they are good;
    `by_rule`: one is sent when somebody who names a known handle asks for what stands in an account."""

    code_reply: str | None = None
    code_minutes: float = 10.0
    by_rule: bool = True


USUAL_IDENTITY = IdentityRules()
"""Where the configuration says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicRule:
    """A topic by words: the first rule one of whose phrases occurs in the customer's message names the topic."""

    topic: str
    phrases: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the business says of itself; a draft may repeat any of it. `domains` are its own web and mail domains."""

    name: str = "the business"
    domains: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckPolicy:
    """How one check counts: whether it runs, what its failure means, how much its signal weighs in log-odds (>= 0).

    `weight` None is the check's own.
    """

    check: str
    enabled: bool = True
    on_failure: Literal["hold", "ignore"] = "hold"
    weight: float | None = None

    def __post_init__(self) -> None:
        if self.weight is not None and self.weight < 0:
            raise ValueError(f"CheckPolicy.weight of {self.check!r} must be >= 0, got {self.weight!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Calibrator:
    """How signals become the confidence: log-odds of a draft in which nothing is wrong, and what each signal of 0 takes.

    `weights` are log-odds >= 0 by signal name. `trained_until` is the number of the last draft whose verdict it was
    learned from or chosen by (0 = none: shipped); no certificate may rest on drafts up to there. `labels` says from how
    many verdicts it was learned.
    """

    id: str
    base_log_odds: float
    weights: tuple[tuple[str, float], ...]
    trained_until: int = 0
    labels: int = 0

    def __post_init__(self) -> None:
        for name, weight in self.weights:
            if weight < 0:
                raise ValueError(f"Calibrator {self.id!r}: the weight of {name!r} must be >= 0, got {weight!r}")


SHIPPED = "shipped"
"""The calibrator of a rulebook that names none: the weights this program comes with, or the configuration's."""


def calibrator_in(score: str) -> str:
    """The id of the calibrator in the name of a score (`assessment.confidence.score_name`)."""
    return score.partition("+")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class ForbiddenPhrase:
    """What this business never says or promises: plain words, matched without regard to case, and why."""

    phrase: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionRule:
    """A second opinion that is wanted on each draft: what its silence means, and the score in [0, 1] it must reach."""

    name: str
    on_failure: Literal["hold", "ignore"] = "hold"
    score_min: float = 0.5

    def __post_init__(self) -> None:
        if not 0.0 <= self.score_min <= 1.0:
            raise ValueError(f"OpinionRule.score_min of {self.name!r} must be in [0, 1], got {self.score_min!r}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The content of a rulebook. Grants are tried in order, the first that matches counts; none = assist. `earned` is
    what the slice of the turn at hand earned, lost or was told, and comes before them.

    `hand_off_codes` are finding names (`check.code`) that bring a person in whatever the confidence; empty = the
    built-in ones. `degrade_on` maps a reason code to the id of the safe reply that answers it; `hand_off_notice` is
    the id of the one that tells the customer that a person takes over (None = nothing is said). `languages` are those
    drafts may be in (empty = the customer's). `actions` are those that are declared. `trust` says when a customer who was let down gets the agent again,
    `identity` how customers prove who they are.
    """

    profile: Profile = Profile()
    checks: tuple[CheckPolicy, ...] = ()
    grants: tuple[Grant, ...] = ()
    never_auto: tuple[str, ...] = ()
    topics: tuple[TopicRule, ...] = ()
    safe_replies: tuple[SafeReply, ...] = ()
    degrade_on: tuple[tuple[str, str], ...] = ()
    hand_off_codes: tuple[str, ...] = ()
    hand_off_notice: str | None = None
    forbidden: tuple[ForbiddenPhrase, ...] = ()
    policy: tuple[PolicyRule, ...] = ()
    hours: OpeningHours | None = None
    verbs: tuple[ActionVerb, ...] = ()
    channels: tuple[ChannelForm, ...] = ()
    languages: tuple[str, ...] = ()
    opinions: tuple[OpinionRule, ...] = ()
    base_log_odds: float = 3.0
    earned: Grant | None = None
    calibrator: Calibrator | None = None
    audit_rate: float = 0.05
    automatic_per_hour_max: int = 200
    trust: TrustRules = USUAL_TRUST
    actions: tuple[ActionRule, ...] = ()
    identity: IdentityRules = USUAL_IDENTITY

    def __post_init__(self) -> None:
        if not 0.0 <= self.audit_rate <= 1.0:
            raise ValueError(f"Rules.audit_rate must be in [0, 1], got {self.audit_rate!r}")
        if self.automatic_per_hour_max < 0:
            raise ValueError(f"Rules.automatic_per_hour_max must be >= 0, got {self.automatic_per_hour_max!r}")
        known = {reply.id for reply in self.safe_replies}
        for reason, reply_id in self.degrade_on:
            if reply_id not in known:
                raise ValueError(f"degrade_on {reason!r} names the safe reply {reply_id!r}; there is {sorted(known)}")
        if self.hand_off_notice is not None and self.hand_off_notice not in known:
            raise ValueError(f"hand_off_notice names the safe reply {self.hand_off_notice!r}; there is {sorted(known)}")
        if (name := self.identity.code_reply) is not None:
            if name not in known:
                raise ValueError(f"identity.code_reply names the safe reply {name!r}; there is {sorted(known)}")
            reply = self.code_reply()
            if reply is None or any(text.count(CODE_MARK) != 1 for text in reply.texts):
                raise ValueError(f"identity.code_reply: the safe reply {name!r} needs {CODE_MARK} in its text, once")

    def code_reply(self) -> SafeReply | None:
        """The approved text by which codes are sent."""
        return next((reply for reply in self.safe_replies if reply.id == self.identity.code_reply), None)


def configured_grant(rules: Rules, topic: str, channel: str) -> Grant | None:
    """Find what the configuration grants a slice: the first grant that matches its topic and its channel."""
    matching = (grant for grant in rules.grants if grant.topic in ("*", topic) and grant.channel in ("*", channel))
    return next(matching, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """Rules under the name of their content: `id` is the digest of their canonical JSON."""

    id: str
    rules: Rules
