"""Check that the draft is a finished message that suits its channel, agrees with itself, and is an answer at all.

Tone and whether the answer helps are not looked at. Words are English; language and form are not bound to one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from understudy.assessment.carriers import passages, profile_text, tool_results
from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.entities import Entity, EntityKind, entities
from understudy.assessment.language import UNKNOWN, language_of
from understudy.assessment.owing import clashes
from understudy.assessment.passing_on import names_of_turn, passes_on
from understudy.assessment.wording import Sentence, content_words, sentences, stem, words
from understudy.records.assessment import Finding, Severity, Span
from understudy.records.evidence import Draft, Evidence
from understudy.records.policy import ChannelForm
from understudy.records.rulebook import Rules


def _code(code: str, explanation: str, severity: Severity) -> Code:
    return Code(check="quality", code=code, severity=severity, explanation=explanation)


EMPTY = _code("empty", "The draft has no text to send.", Severity.BLOCKING)
TRUNCATED = _code("truncated", "The draft was cut off before its end.", Severity.BLOCKING)
DOES_NOT_KNOW = _code("does_not_know", "The agent says that it does not know the answer.", Severity.MAJOR)
REFUSAL = _code("refusal", "The agent refuses to answer and speaks of itself as a model.", Severity.MAJOR)
HANDOFF_REQUESTED = _code("handoff_requested", "The agent asks that a person takes over.", Severity.MAJOR)
PLACEHOLDER = _code("placeholder", "The draft contains a placeholder that was never filled in.", Severity.BLOCKING)
WRONG_LANGUAGE = _code("wrong_language", "The draft is not in the customer's language.", Severity.MAJOR)
TOO_LONG = _code("too_long", "The draft is longer than its channel takes.", Severity.BLOCKING)
REPETITION = _code("repetition", "The draft says the same thing twice.", Severity.MAJOR)
SELF_CONTRADICTION = _code(
    "self_contradiction",
    "The draft says the opposite of what the agent said earlier in this conversation.",
    Severity.MAJOR,
)
BROKEN_LINK = _code("broken_link", "The draft contains a link that leads nowhere.", Severity.MAJOR)
UNLISTED_LINK = _code(
    "unlisted_link", "The draft links to a site that is neither the business's nor in a source.", Severity.MAJOR
)
MARKUP = _code("markup", "The draft contains markup that its channel shows as it stands.", Severity.MINOR)
PLEDGE_CONTRADICTED = _code(
    "pledge_contradicted",
    "The draft takes back what this customer was promised, or names another time for it.",
    Severity.BLOCKING,
)
PLEDGED_AGAIN = _code(
    "pledged_again", "The draft promises again what this customer was promised already.", Severity.MINOR
)
CODES = (
    EMPTY,
    TRUNCATED,
    DOES_NOT_KNOW,
    REFUSAL,
    HANDOFF_REQUESTED,
    PLACEHOLDER,
    WRONG_LANGUAGE,
    TOO_LONG,
    REPETITION,
    SELF_CONTRADICTION,
    BROKEN_LINK,
    UNLISTED_LINK,
    MARKUP,
    PLEDGE_CONTRADICTED,
    PLEDGED_AGAIN,
)

DOES_NOT_KNOW_CHARS_MAX: Final = 400
"""Only a draft up to this length that says "I don't know" is taken to say nothing else."""
FINDINGS_MAX: Final = 20
"""No more findings of one code are listed; the first few say enough."""
REPEATED_WORDS_MIN: Final = 6
"""A sentence of so many words that stands twice in the draft is a repetition."""
CHARS_MAX: Final = 20_000
"""A longer draft suits no channel. Of such a one only the beginning is looked at; it is held anyway."""
EARLIER_MESSAGES_MAX: Final = 12
_EARLIER_CHARS_MAX: Final = 4_000
_CUT_LINE_CHARS_MIN: Final = 60

_DOES_NOT_KNOW = re.compile(
    r"\b(?:i|we)(?: am|'m| are|'re)? (?:really |honestly |afraid i )?(?:do not|don't) know\b(?! (?:yet|which))"
    r"|\b(?:i|we)(?:'m not| am not) (?:sure (?:about|how|what|if|whether)|able to answer)"
    r"|\b(?:i|we) (?:do not|don't) have (?:any |that |the |this |enough )?(?:information|an answer|details)\b(?! yet)"
    r"|\b(?:i|we) (?:could not|couldn't|cannot|can't) find (?:any |an |the )?(?:information|answer|article)",
    re.IGNORECASE,
)
_REFUSAL = re.compile(
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model|virtual assistant|chatbot)\b[^.!?\n]{0,60}"
    r"\b(?:cannot|can't|am not able|am unable|don't|do not|not allowed)\b"
    r"|\bi(?:'m| am) (?:just )?an? (?:ai|(?:large )?language model)\b"
    r"|\bi(?:'m sorry, but i| cannot| can't| am unable to| won't) (?:can't |cannot )?(?:assist|help|comply|continue|engage) "
    r"with (?:that|this|your) (?:request|kind|conversation|topic)"
    r"|\b(?:against|violates?) (?:my|our|\w{2,20}'s) (?:guidelines|programming|(?:usage|content) polic)",
    re.IGNORECASE,
)
_TO_FILL_IN = r"insert|your|customer|client|agent|company|first|last|user|recipient|order|tracking|phone|name|date|link"
_PLACEHOLDER = re.compile(
    r"\{\{[^{}\n]{0,60}\}\}|\{%[^%\n]{0,60}%\}|(?<![\w{$])\{[a-z][a-z0-9_.]{1,40}\}|\$\{[^}\n]{1,40}\}"
    rf"|\[(?:[A-Z][A-Z _]{{2,40}}|(?i:(?:{_TO_FILL_IN})(?: [^\]\n\d]{{1,40}})?))\](?!\()"
    r"|<(?i:insert|your|customer|name)(?:[ _][A-Za-z _]{1,30})?>|\bTODO\b|\bTBD\b|\bX{4,}\b|(?i:\blorem ipsum\b)"
    r"|%\([a-z_]{2,30}\)s|<%=?[^%\n]{1,60}%>|\b(?:undefined|NaN|\[object Object\])(?=[\s,.!]|\Z)"
)
_TAGS = "p|br|div|span|b|i|u|a|ul|ol|li|table|tr|td|th|img|h[1-6]|script|style|strong|em|font|iframe"
_HTML = re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]{{0,300}})?/?>", re.IGNORECASE)
_MARKDOWN = re.compile(
    r"\*\*[^*\n]{1,200}\*\*|^#{1,6} \S|^```|\[[^\]\n]{1,200}\]\([^)\s]{1,500}\)|^\|.{1,200}\|\s{0,3}$", re.MULTILINE
)
_BROKEN_LINK = re.compile(
    r"\[[^\]\n]{0,80}\]\(\s{0,5}(?:#|about:blank|undefined|null|link|url|todo)?\s{0,5}\)"
    r"|\bhttps?:/?(?![/\w])|\bhttps?://(?=[\s)\]>,]|\Z)|\bhttps?:/(?=\w)|\bhttps?//\w"
    r"|\bhttps?://(?:www\.)?(?:example\.(?:com|org|net)|yourdomain\.\w{2,6}|yourcompany\.\w{2,6}|placeholder\.\w{2,6}|link)\b[^\s)\]>]{0,300}",
    re.IGNORECASE,
)
_HANGING = re.compile(
    r"(?:[,(\[{\u2014\u2013&/]|\b(?:and|or|but|the|an?|to|of|with|for|your|because|if))\Z", re.IGNORECASE
)
_ITEM = re.compile(r"\s*(?:[-*\u2022#>|]|\d{1,3}[.)])")
_NEGATED = re.compile(
    r"\b(?:not|no|never|cannot|can't|\w+n't|unable|without|neither|nor|non-?\w+|in(?:eligible|valid)|un(?:available|able))\b",
    re.IGNORECASE,
)


class QualityCheck:
    """Is the draft a finished message that answers?"""

    name = "quality"
    words = "the draft is not a finished answer"
    needs_draft = True

    def examine(self, evidence: Evidence, draft: Draft, rules: Rules) -> Examination:
        """Find what makes the draft unfit to send as it stands, in the order of `CODES`."""
        text = draft.text[:CHARS_MAX]
        form = next((form for form in rules.channels if form.channel == evidence.channel), None)
        return examination(
            [
                *_unfinished(draft),
                *_no_answer(evidence, draft),
                *_spans(PLACEHOLDER, _PLACEHOLDER, text),
                *_language(evidence, draft, rules),
                *_length(draft, form),
                *_repetition(text),
                *_contradiction(evidence, text),
                *_spans(BROKEN_LINK, _BROKEN_LINK, text),
                *_unlisted_links(text, evidence, draft, rules),
                *_markup(text, form),
                *_owed(evidence, text),
            ]
        )


def _spans(code: Code, pattern: re.Pattern[str], text: str) -> Iterator[Finding]:
    matches = islice(pattern.finditer(text), FINDINGS_MAX)
    return (code.found(Span(start=match.start(), end=match.end())) for match in matches)


def _unfinished(draft: Draft) -> Iterator[Finding]:
    text = draft.text.strip()
    if not re.search(r"\w", text[:CHARS_MAX]):
        yield EMPTY.found()
    if draft.finish_reason == "length":
        yield TRUNCATED.found()
    elif _is_cut_off(text):
        end = len(draft.text.rstrip())
        yield TRUNCATED.found(Span(start=end, end=end), severity=Severity.MAJOR)


def _is_cut_off(text: str) -> bool:
    """Whether the text ends in the middle of a sentence: on a hanging word, or a long line of prose without an end."""
    if _HANGING.search(text[-40:]):
        return True
    line = text[-2_000:].rpartition("\n")[2]
    is_prose = len(line) >= _CUT_LINE_CHARS_MIN and not _ITEM.match(line) and "://" not in line.rpartition(" ")[2]
    return is_prose and line[-1].isalnum()


def _no_answer(evidence: Evidence, draft: Draft) -> Iterator[Finding]:
    text = draft.text.strip()
    is_short = len(text) <= DOES_NOT_KNOW_CHARS_MAX
    if draft.does_not_know or (is_short and _DOES_NOT_KNOW.search(text.replace("\u2019", "'"))):
        yield DOES_NOT_KNOW.found()
    if refusal := _REFUSAL.search(draft.text[:CHARS_MAX].replace("\u2019", "'")):
        yield REFUSAL.found(Span(start=refusal.start(), end=refusal.end()))
    if draft.handoff or any(map(passes_on, names_of_turn(evidence, draft))):
        yield HANDOFF_REQUESTED.found()


def _language(evidence: Evidence, draft: Draft, rules: Rules) -> Iterator[Finding]:
    """Compare the draft's language with those it may be in, where both can be told."""
    language = language_of(draft.text)
    if language in (None, UNKNOWN):
        return
    spoken = language_of(evidence.burst_text) or language_of("\n".join(t[:200] for t in evidence.customer_texts))
    allowed = set(rules.languages) or ({spoken} if spoken and spoken != UNKNOWN else set())
    if allowed and language not in allowed:
        yield WRONG_LANGUAGE.found()


def _length(draft: Draft, form: ChannelForm | None) -> Iterator[Finding]:
    chars_max = form.chars_max if form and form.chars_max is not None else CHARS_MAX
    if len(draft.text) > min(chars_max, CHARS_MAX):
        yield TOO_LONG.found(Span(start=min(chars_max, CHARS_MAX), end=len(draft.text)))


def _repetition(text: str) -> Iterator[Finding]:
    """Find the second of two equal sentences, and a stretch of words that comes again at once."""
    seen: set[str] = set()
    for sentence in sentences(text):
        written = words(sentence.text)
        key = " ".join(written)
        if len(written) >= REPEATED_WORDS_MIN and key in seen and _is_prose(sentence, text):
            yield REPETITION.found(Span(start=sentence.start, end=sentence.start + len(sentence.text)))
            return
        seen.add(key)


def _is_prose(sentence: Sentence, text: str) -> bool:
    """Whether it is a whole sentence and no part of a list, a table or data, where the same may stand twice."""
    line = text[text.rfind("\n", 0, sentence.start) + 1 : sentence.start]
    is_item = _ITEM.match(sentence.text) or _ITEM.match(line) or sentence.text[0] in "\"'{[|"
    return not is_item and sentence.text.rstrip("\"'\u2019\u201d)]*_ ")[-1:] in (".", "!")


def _contradiction(evidence: Evidence, text: str) -> Iterator[Finding]:
    """Find a sentence that says with the same words the opposite of one of the agent's own: one of the two has a "not".

    What a tool brought to light in between excuses it: the agent learned better.
    """
    last_tool = max((at for at, m in enumerate(evidence.messages) if m.role == "tool"), default=-1)
    said = [
        message.content
        for at, message in enumerate(evidence.messages)
        if at > last_tool and message.role == "assistant" and message.content and not message.person
    ]
    claims = [claim for one in said[-EARLIER_MESSAGES_MAX:] for claim in _statements(one[:_EARLIER_CHARS_MAX])]
    if not claims:
        return
    for stems, is_negated, start, end in _statements(text):
        for other_stems, other_is_negated, _, _ in claims:
            if is_negated != other_is_negated and len(stems & other_stems) >= 0.8 * max(len(stems), len(other_stems)):
                yield SELF_CONTRADICTION.found(Span(start=start, end=end))
                return


def _statements(text: str) -> list[tuple[frozenset[str], bool, int, int]]:
    """Give what the statements of a text are about, whether they deny it, and where they stand."""
    found = []
    for sentence in islice(sentences(text), 60):
        plain = sentence.text.replace("\u2019", "'")
        stems = frozenset(stem(word) for word in content_words(_NEGATED.sub(" ", plain)))
        negations = len(_NEGATED.findall(plain))
        if len(stems) >= 4 and negations <= 1 and _is_prose(sentence, text):
            found.append((stems, negations == 1, sentence.start, sentence.start + len(sentence.text)))
    return found


def _unlisted_links(text: str, evidence: Evidence, draft: Draft, rules: Rules) -> Iterator[Finding]:
    """Find links to hosts that are not the business's, where it says which are its own, and stand in no source."""
    if not rules.profile.domains or "." not in text:
        return
    links = [entity for entity in entities(text) if entity.kind is EntityKind.LINK]
    if not links:
        return
    own = tuple(domain.lower().removeprefix("www.") for domain in rules.profile.domains)
    sources = [*(source.text for source in (*passages(draft), *tool_results(evidence, draft)))]
    given = "\n".join([*sources, *evidence.customer_texts, profile_text(rules.profile)]).lower()
    for link in links[:FINDINGS_MAX]:
        host = _host(link)
        if host not in given and not any(host == domain or host.endswith("." + domain) for domain in own):
            yield UNLISTED_LINK.found(link.span)


def _host(link: Entity) -> str:
    return re.split(r"[/:?#]", link.readings[0])[0]


def _markup(text: str, form: ChannelForm | None) -> Iterator[Finding]:
    """Find the first markup that the channel does not render; where nobody said what it renders, HTML alone counts."""
    renders = form.markup if form else None
    html = _HTML.search(text) if renders != "html" else None
    markdown = _MARKDOWN.search(text) if renders in ("none", "html") else None
    if found := html or markdown:
        yield MARKUP.found(Span(start=found.start(), end=found.end()))


def _owed(evidence: Evidence, text: str) -> Iterator[Finding]:
    """Find where the draft does not go with what the customer was promised."""
    for clash in islice(clashes(evidence.owed, text, evidence.at), FINDINGS_MAX):
        yield (PLEDGE_CONTRADICTED if clash.is_otherwise else PLEDGED_AGAIN).found(clash.span)
