"""A conversation of the past as a case: a customer who says again what they said, and graders of all that went wrong.

Pure. The customer is a script of their own words in their order; what answered a question of the agent's is a fact, told
when its turn comes. What no script can know, such as how else the conversation could have gone, a person adds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from understudy.assessment.masking import Mask
from understudy.assessment.wording import sentences, words
from understudy.errors import MalformedInput
from understudy.evaluation.cases import (
    HAND_OFF,
    Past,
    case_name,
    differs_from,
    facts_grader,
    facts_of,
    failure_mode,
    graders_for,
    known_topic,
    masked,
    no_more_of,
    recorded,
    wants_hand_off,
    what_was_wrong,
)
from understudy.evaluation.graders.facts import states
from understudy.evaluation.tool_desk import answers_in_order
from understudy.records.evidence import ChatMessage, ContactFacts, Passage
from understudy.records.rulebook import Profile
from understudy.records.suite import Case, CaseKind, CaseRule, Customer, GraderTerms, ScriptState, Step
from understudy.records.wire import burst_length

STEPS_MAX: Final = 40
"""So many of the customer's latest messages are said again; what was said before them is the beginning of the case."""
GOAL_CHARS_MAX: Final = 200
BRIEF_WORDS_MAX: Final = 8
"""Whose messages have this many words on average at the most writes briefly."""
_END: Final = "end"
_MANNERS: Final = {
    "escalation.anger": "angry",
    "escalation.rising_anger": "angrier with each reply",
    "escalation.wants_person": "wants to deal with a person",
    "escalation.vulnerable": "in distress",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class PastConversation:
    """A conversation of the past: its turns in order, up to the one that a case ends with."""

    id: str
    turns: tuple[Past, ...]

    @property
    def last(self) -> Past:
        return self.turns[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Said:
    """What a customer said before the next reply; `is_answer`: to what the agent had asked."""

    text: str
    is_answer: bool


def conversation_case_of(
    past: PastConversation, business: Profile, *, rule: CaseRule | None = None, tags: Sequence[str] = ()
) -> Case:
    """Make a case, personal data masked alike throughout. `rule` None: a case must pass where people refused a reply."""
    contact, results = past.last.contact, [result for one in past.turns for result in one.tool_results]
    mask = Mask(business, _whole(contact, past.turns), results)
    turns = tuple(masked(one, mask) for one in past.turns)
    worst = next((one for one in reversed(turns) if one.is_bad), turns[-1])
    begins, said = played(turns)
    topic = next((topic for one in reversed(turns) if (topic := known_topic(one)) is not None), None)
    mode = failure_mode(worst)
    source = f"conversation:{past.id}@{past.last.id}"
    feedback = [kind.value for one in turns for kind in one.feedback]
    return Case(
        id=case_name(topic, mode, source),
        kind=CaseKind.CONVERSATION,
        rule=rule or (CaseRule.MUST_PASS if any(one.is_refused for one in turns) else CaseRule.ORDINARY),
        channel=past.last.channel,
        topic=topic,
        failure_mode=mode,
        tags=tuple(dict.fromkeys([*tags, *feedback])),
        what_was_wrong=_what_was_wrong(turns),
        source=source,
        messages=begins,
        contact=turns[-1].contact,
        sources=_sources(turns),
        tools=answers_in_order([(one.messages, one.draft.tool_calls) for one in turns]),
        recorded=recorded(worst),
        customer=_customer(turns, said),
        graders=conversation_graders(turns),
    )


def played(turns: Sequence[Past]) -> tuple[tuple[ChatMessage, ...], tuple[_Said, ...]]:
    """What was said before the case begins, and what the customer says in it, one entry before each reply.

    Raises `MalformedInput` where the customer wrote nothing.
    """
    whole, told = turns[-1].messages, _told(turns)
    messages = whole if len(_bursts(whole)) >= len(_bursts(told)) else told
    bursts = _bursts(messages)[-STEPS_MAX:]
    if not bursts:
        raise MalformedInput(f"turn {turns[-1].id!r}: the customer wrote no text, so nobody could play them")
    begins = messages[: bursts[0][0]]
    said = []
    for first, end in bursts:
        text = "\n".join(message.content or "" for message in messages[first:end])
        before = next(
            (one.content for one in reversed(messages[:first]) if one.role == "assistant" and one.content), ""
        )
        said.append(_Said(text=text, is_answer=_asks(before) and not _asks(text)))
    return begins, tuple(said)


def conversation_graders(turns: Sequence[Past]) -> tuple[GraderTerms, ...]:
    """Graders that refuse all the mistakes of these turns, and pass what people wrote instead.

    A value that the customer rightly read in another reply is neither asked for nor refused: graders of facts see all
    replies together.
    """
    bad = [one for one in turns if one.is_bad]
    if not bad:
        return graders_for(turns[-1])
    must: list[str] = []
    must_not: list[str] = []
    repeated: list[GraderTerms] = []
    for one in bad:
        stood = [text for other in turns if other is not one and (text := _stood(other))]
        wanted, refused = facts_of(one)
        refused = [fact for fact in refused if not any(states(text, fact, exactly=True) for text in stood)]
        must += [fact for fact in wanted if not any(states(text, fact) for text in stood)]
        must_not += refused
        if words(one.draft.text) and not (refused and one.better):
            repeated.append(differs_from(one.draft.text))
    found = facts_grader(list(dict.fromkeys(must)), list(dict.fromkeys(must_not)))
    if turns[-1].is_bad and turns[-1].serious:
        found.append(no_more_of(turns[-1].serious))
    if wants_hand_off(turns[-1]):
        found.append(HAND_OFF)
    found += [one for place, one in enumerate(repeated) if one not in repeated[:place]]
    return tuple(found) or graders_for(turns[-1])


def _customer(turns: Sequence[Past], said: Sequence[_Said]) -> Customer:
    names = ["start", *(f"step{number}" for number in range(2, len(said) + 1))]
    facts = {f"answer{number}": one.text for number, one in enumerate(said, start=1) if one.is_answer}
    script = {
        name: ScriptState(
            say=f"{{answer{number}}}" if one.is_answer else one.text,
            then=(Step(go=names[number] if number < len(names) else _END),),
        )
        for number, (name, one) in enumerate(zip(names, said, strict=True), start=1)
    }
    script[_END] = ScriptState(ends="satisfied")
    first = " ".join(said[0].text.split())
    return Customer(
        goal=first if len(first) <= GOAL_CHARS_MAX else first[: GOAL_CHARS_MAX - 1] + "…",
        persona=_persona(turns, said),
        facts=facts,
        script=script,
        turns_max=len(said) + 1,
    )


def _persona(turns: Sequence[Past], said: Sequence[_Said]) -> str:
    """How the customer wrote, as far as the checks noticed."""
    found = {finding.name for one in turns for finding in one.findings}
    manners = [words_for for name, words_for in _MANNERS.items() if name in found] or ["polite"]
    if sum(len(one.text.split()) for one in said) <= BRIEF_WORDS_MAX * len(said):
        manners.append("writes briefly")
    return ", ".join(manners)


def _told(turns: Sequence[Past]) -> tuple[ChatMessage, ...]:
    """The conversation put together of its turns: what was new in each, and the reply that the customer got."""
    found: list[ChatMessage] = []
    known: list[str] = []
    for one in turns:
        said = _by_customer(one.messages)
        if len(said) > len(known) and said[: len(known)] == known:  # the turn tells the whole conversation
            new = said[len(known) :]
        else:
            new = _by_customer(one.messages[len(one.messages) - burst_length(one.messages) :])
        known = said
        found += [ChatMessage(role="user", content=text) for text in new]
        if one is not turns[-1]:
            found.append(ChatMessage(role="assistant", content=_stood(one) or one.draft.text))
    return tuple(found)


def _by_customer(messages: Sequence[ChatMessage]) -> list[str]:
    return [message.content for message in messages if message.role == "user" and message.content]


def _bursts(messages: Sequence[ChatMessage]) -> list[tuple[int, int]]:
    """Where the customer speaks, as places from and to: what comes before one reply is one."""
    found: list[tuple[int, int]] = []
    for place, message in enumerate(messages):
        if message.role != "user" or not message.content:
            continue
        if found and found[-1][1] == place:
            found[-1] = (found[-1][0], place + 1)
        else:
            found.append((place, place + 1))
    return found


def _stood(one: Past) -> str | None:
    """The reply that nothing was wrong with; what people wrote in the place of a bad one."""
    return one.better if one.is_bad else one.draft.text


def _asks(text: str) -> bool:
    return any(sentence.is_question for sentence in sentences(text))


def _sources(turns: Sequence[Past]) -> tuple[Passage, ...]:
    found = {(source.id, source.text): source for one in turns for source in one.draft.sources}
    return tuple(found.values())


def _what_was_wrong(turns: Sequence[Past]) -> str | None:
    """In sentences, for people; of which turn where there are several."""
    said = [(one, wrong) for one in turns if one.is_bad and (wrong := what_was_wrong(one)) is not None]
    if not said:
        return what_was_wrong(turns[-1])
    if len(turns) == 1:
        return said[0][1]
    return "\n".join(f"After {_short((_by_customer(one.messages) or [''])[-1])!r}: {wrong}" for one, wrong in said)


def _short(text: str, *, chars_max: int = 60) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= chars_max else plain[: chars_max - 1] + "…"


def _whole(contact: ContactFacts, turns: Sequence[Past]) -> ContactFacts:
    """Who the customer is; an earlier turn may know the name that the last does not."""
    name = next((one.contact.name for one in reversed(turns) if one.contact.name), None)
    return contact if contact.name or name is None else ContactFacts(id=contact.id, name=name)
