"""What a turn is about, as a pure function of what was said; it earns and grants nothing."""

from __future__ import annotations

import re

from understudy.records.evidence import ChatMessage, Draft
from understudy.records.rulebook import UNKNOWN_TOPIC, Rules
from understudy.records.wire import burst_length

_WORD = re.compile(r"[^\W_]+")


def topic_of(given: str | None, draft: Draft | None, messages: tuple[ChatMessage, ...], rules: Rules) -> str:
    """The turn's topic: as the channel says, else by the rules' phrases, else as the agent says, else *unknown*."""
    if given:
        return given
    burst = messages[len(messages) - burst_length(messages) :]
    words = " ".join(message.content for message in burst if message.role == "user" and message.content).lower()
    for rule in rules.topics:
        if any(phrase.lower() in words for phrase in rule.phrases):
            return rule.topic
    return (draft.topic if draft is not None else None) or UNKNOWN_TOPIC


def _spaced(text: str) -> str:
    """Lower case words between single spaces, so that a phrase is found as whole words: "legal" not in "illegal"."""
    return f" {' '.join(_WORD.findall(text.lower()))} "
