"""The reasons of decisions in words, which findings bring a person in, and how soon one should look; it decides nothing."""

from __future__ import annotations

from typing import Final

REASONS: Final[dict[str, str]] = {
    "conversation_with_person": "A person has this conversation; the agent does not answer in it.",
    "level_shadow": "The agent only shadows this topic and channel; a person answers.",
    "agent_failed": "The agent gave no draft.",
    "never_auto_topic": "This topic is never answered without a person.",
    "trust_wants_people": "This customer asked to deal with people, so a person answers.",
    "trust_rejected": "The last automatic reply to this customer was found wrong, so a person reviews every draft for them.",
    "trust_complaint": "This customer complained of the last automatic reply, so a person reviews every draft for them.",
    "trust_thumbs_down": "This customer disliked the last automatic reply, so a person reviews every draft for them.",
    "trust_taken_over": "A person had to take this customer over, so a person reviews every draft for them.",
    "trust_recontact": "This customer had to come back for what an automatic reply should have settled, so a person reviews every "
    "draft for them.",
    "trust_unproven": "Nobody vouches that the sender's address is theirs, so a person reviews every draft for them.",
    "action_proposed": "The agent proposes an action that a person must approve.",
    "unknown_topic": "The topic is unknown, so no autonomy was earned for it.",
    "level_assist": "On this topic and channel a person reviews every draft.",
    "level_demoted": "This topic and channel lost its autonomy; a person reviews every draft.",
    "autonomy_on_hold": "A person stopped automatic replies here; a person reviews every draft.",
    "release_unreleased": "Nobody released this version of the agent, so a person reviews every draft of it.",
    "release_not_out": "This version of the agent was taken back or is not let out, so a person reviews every draft of it.",
    "release_unearned": "This version of the agent has not earned here what another may do alone; a person reviews its drafts.",
    "below_threshold": "The confidence is below what this topic and channel needs.",
    "quota_exhausted": "The automatic replies of this hour for this topic and channel are used up.",
    "threshold_met": "No rule forbids it, the autonomy allows it, and the confidence reaches the threshold.",
    "audited": "This reply was drawn for a review after it was sent.",
}
"""Every reason code of this table besides finding names, `check_failed.NAME` and `check_ignored.NAME`."""

CAME_LATER: Final[dict[str, str]] = {
    "draft_rejected": "A reviewer rejected the draft, and the customer still waits.",
    "hold_expired": "Nobody decided on the draft in time; an approved reply was sent, and the customer waits for more.",
    "message_dropped": "What was to be sent was given up and dropped, so the customer has no answer.",
    "reply_undelivered": "The channel says that the reply did not reach the customer.",
    "action_failed": "An action that the reply rests on could not be done.",
    "action_dropped": "An action that the reply rests on was dropped.",
    "action_compensated": "An action that the reply rests on was not done as it should be, and was made up for.",
    "pledge_due": "Something that was promised to the customer is due soon.",
    "pledge_broken": "Something that was promised to the customer is late.",
    "win_back_rejected": "A reply to this customer was found wrong after it had left.",
    "win_back_complaint": "This customer complained of a reply of the agent.",
    "win_back_thumbs_down": "This customer disliked a reply of the agent.",
    "win_back_recontact": "This customer had to come back for what a reply of the agent should have settled.",
}
"""Reasons of a hold that no decision gave."""

HAND_OFF_CODES: Final = (
    "escalation.wants_person",
    "escalation.accepts_person",
    "escalation.person_announced",
    "escalation.self_harm",
    "escalation.threat",
    "escalation.vulnerable",
    "escalation.legal_threat",
    "escalation.needs_person",
    "quality.handoff_requested",
)
"""Findings that bring a person in, where the rulebook names none."""

DEGRADABLE: Final = ("agent_failed", "quality.does_not_know", "exposure.unverified_account")
"""Reason codes that a safe reply may answer (`Rules.degrade_on`); others are never degraded."""

NOT_FOR_A_SAFE_REPLY: Final = (
    "escalation.self_harm",
    "escalation.threat",
    "escalation.vulnerable",
    "escalation.fraud",
    "escalation.legal_threat",
    "escalation.complaint",
    "escalation.anger",
    "escalation.rising_anger",
)
"""Findings of how the customer feels, the gravest first: what is the same for everybody is no answer to them."""

PRIORITIES: Final[dict[str, int]] = {
    "escalation.self_harm": 0,
    "escalation.threat": 0,
    "escalation.vulnerable": 0,
    "escalation.fraud": 1,
    "escalation.legal_threat": 1,
    "escalation.wants_person": 2,
    "escalation.accepts_person": 2,
    "escalation.person_announced": 2,
    "escalation.complaint": 2,
    "escalation.anger": 2,
    "escalation.rising_anger": 2,
    "escalation.vip": 3,
    "escalation.open_complaint": 3,
    "escalation.needs_person": 3,
    "quality.handoff_requested": 3,
    "conversation_with_person": 3,
    "agent_failed": 3,
    "trust_wants_people": 3,
    "trust_rejected": 3,
    "trust_complaint": 3,
    "trust_thumbs_down": 3,
    "trust_taken_over": 3,
    "trust_recontact": 3,
    "trust_unproven": 4,
    "quality.does_not_know": 4,
    "escalation.repeated_question": 4,
    "escalation.going_in_circles": 4,
}
"""How soon a person should look, 0 first, by reason or finding; the most urgent counts."""
PRIORITY_OTHER: Final = 5
PRIORITY_DELIVERED: Final = 9
