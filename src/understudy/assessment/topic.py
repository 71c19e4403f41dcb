"""Who names what a turn is about, in which order, as a pure function of what was said; it earns and grants nothing."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.assessment.topic_model import classify
from understudy.records.evidence import ChatMessage, Draft, TopicBy
from understudy.records.rulebook import UNKNOWN_TOPIC, Rules
from understudy.records.topics import TopicGuess, TopicModel
from understudy.records.wire import burst_length


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTopic:
    """A turn's topic and who named it (None = nobody could); `guess` is what a model made of it, where it was asked."""

    topic: str
    by: TopicBy | None
    guess: TopicGuess | None = None


def topic_of(given: str | None, draft: Draft | None, messages: tuple[ChatMessage, ...], rules: Rules) -> str:
    """The turn's topic without a model: as the channel says, else by the rules' phrases, else as the agent says, else
    *unknown*."""
    return name_topic(given, draft, messages, rules).topic


def name_topic(
    given: str | None,
    draft: Draft | None,
    messages: tuple[ChatMessage, ...],
    rules: Rules,
    *,
    model: TopicModel | None = None,
) -> NamedTopic:
    """Name the topic: the channel, else the rules' phrases, else the agent, else a model that is sure, else nobody."""
    if given:
        return NamedTopic(topic=given, by="channel")
    burst = messages[len(messages) - burst_length(messages) :]
    said = [message.content for message in burst if message.role == "user" and message.content]
    words = " ".join(said).lower()
    for rule in rules.topics:
        if any(phrase.lower() in words for phrase in rule.phrases):
            return NamedTopic(topic=rule.topic, by="rules")
    if draft is not None and draft.topic:
        return NamedTopic(topic=draft.topic, by="agent")
    if model is None:
        return NamedTopic(topic=UNKNOWN_TOPIC, by=None)
    guess = classify(model, "\n".join(said))
    if guess.is_sure:
        return NamedTopic(topic=guess.topic, by="model", guess=guess)
    return NamedTopic(topic=UNKNOWN_TOPIC, by=None, guess=guess)
