"""Check whether the customer wants or needs a person; it looks at the customer's words of this turn.

The lexicons are English and are data: another language is another row. They find what is said, not what is meant:
a polite customer in despair passes here.
"""

from __future__ import annotations

import re
from typing import Final

from rapidfuzz import fuzz

from understudy.assessment.check import Code, Examination, examination
from understudy.assessment.wording import Sentence, sentences, words
from understudy.records.assessment import Finding, Severity
from understudy.records.evidence import Draft, Evidence
from understudy.records.rulebook import Rules


def _code(code: str, explanation: str) -> Code:
    return Code(check="escalation", code=code, severity=Severity.MAJOR, explanation=explanation)


WANTS_PERSON = _code("wants_person", "The customer asks to deal with a person.")
VULNERABLE = _code("vulnerable", "The customer may be in distress or danger, or speaks of harm.")
LEGAL_THREAT = _code("legal_threat", "The customer speaks of lawyers, authorities, the press or a formal complaint.")
ANGER = _code("anger", "The customer is angry.")
REPEATED_QUESTION = _code("repeated_question", "The customer asks the same thing again.")
CODES = (WANTS_PERSON, VULNERABLE, LEGAL_THREAT, ANGER, REPEATED_QUESTION)


def _lines(patterns: str) -> tuple[str, ...]:
    return tuple(line for line in patterns.split("\n") if line)


_ANYONE = "someone|somebody|anyone|anybody"
_STAFF = "agent|representative|rep|operator|manager|supervisor|adviser|advisor|specialist|colleague|associate"
_ADJECTIVE = "real|live|actual|human|proper|different|another|senior|customer|support|service|care|call|sales|duty"
_PERSON = (
    rf"(?:(?:a|an|the|any|some|your|one of your|{_ADJECTIVE}) ){{0,5}}"
    rf"(?:person|people|human(?: being)?s?|(?:{_STAFF})s?|{_ANYONE}|staff|team|team ?members?|customer (?:service|care))\b"
)

WISHES: Final = _lines(rf"""
\b(?:speak|talk|chat)(?:ing)? (?:directly )?(?:to|with) (?!(?:you|my|him|her|them)\b){_PERSON}
\b(?:be|get|being) (?:put|connected|transferred|passed)(?: on| over| through)? (?:to|with) {_PERSON}
\b(?:{_ANYONE}|{_STAFF}|person|human|higher-up)(?: else)?(?: that| who| whom)? (?:i|we) (?:can|could) (?:speak|talk|chat)\b
\b(?:connect|transfer|put|pass|hand|forward|redirect|switch)(?:ting|ing)? (?:me|us)(?: on| over| through)? (?:to|with) {_PERSON}
\b(?:escalate|hand|pass) (?:this|it|me)(?: on| over| up)? to {_PERSON}
\b(?:transfer|connect|put) me,? (?:please|now|through|over)\b
\b(?:transfer|connect) me[.!]?\Z
\b(?:want|need|get|give|demand|prefer|require|like|have)(?: me| us)?(?: a| an| the)? (?:real |live |actual )?human\b(?! error)
\b(?:want|need|get|give|demand|prefer)(?: me| us)?(?: a| an| the| your)? (?:real|live|actual) (?:person|{_STAFF})\b
\b(?:want|need|get|give|demand)(?: me| us)?(?: a| an| the| your)? (?:representative|supervisor|customer service rep)\b(?!')
\b(?:want|need|get|give|demand)(?: me| us)?(?: a| an| the| your)? (?:manager|agent|operator|person)(?: please| now|[.!,\s]*\Z)
\b(?:need|want) (?:a |some)(?:person|one|body) (?:real )?to (?:talk|speak|chat) (?:to|with)\b
\b(?:real|live|actual|human) (?:person|human|{_STAFF}),? (?:please|now|asap)\b
\b(?:agent|human|representative|operator|supervisor|manager|person),? please\b
\blet me (?:speak|talk) (?:to|with) (?!you\b)
\bis there (?:a |any |some)(?:real |live |actual )?(?:one|body|human|person|agent) (?:there|here|available|around)\b
\b(?:have|ask|get) (?:a |an |some)(?:one|body|human|person|{_STAFF}) (?:to )?(?:call|contact|phone|ring|get back to) (?:me|us)\b
\b(?:don't|do not) want (?:to (?:talk|speak|chat) (?:to|with) )?(?:a |an |this |the )?(?:(?:ro|chat ?)?bot|machine|ai)\b
""")
"""Wordings of the wish for a person, one pattern a line, in lower case."""

BARE_WISH: Final = (
    r"(?:please |hi |hello |ok |a |an |the |live |real |human |speak to |talk to |customer service |customer |support )*"
    rf"(?:human|person|human being|{_STAFF})(?: please| now| asap| plz| pls)*"
)
"""A message or sentence that is no more than the wish."""

NO_WISH: Final = r"\b(?:not|\w+n't|never|no need|no reason|without|instead of|rather than|avoid|hold off|refuse|stop|am i|do (?:i|we) (?:need|have) to)\b[^.!?;]{0,60}\Z"
"""What turns a wish round where it stands before it in the same clause."""

PAST: Final = (
    r"\b(?:i|we|he|she|they|my \w+)(?:'ve| have| had|'d| just| already){0,3} "
    r"(?:spoke|spoken|talked|chatted|was|were|been|got)\b[^.!?;]{0,30}\Z"
)
"""A report of an earlier talk with a person."""

_KIN = r"(?:husband|wife|partner|father|mother|dad|mum|mom|son|daughter|brother|sister|child|baby|grand\w+)"
VULNERABLE_WORDS: Final = _lines(rf"""
\bsuicid
\bself[- ]?harm
\b(?:kill|hurt|harm|cut)(?:ing|ting)? (?:myself|himself|herself|themselves)\b
\bend(?:ing)? (?:my (?:own )?life|it all)\b
\b(?:want|going|ready) to die\b
\b(?:don't|do not|no longer) want to (?:live|be alive|be here any ?more)\b
\bno reason to live\b
\bbetter off dead\b
\bdomestic (?:violence|abuse)\b
\bmy (?:ex|boyfriend|girlfriend|{_KIN}) (?:hits?|beats?|abuses?|threatens?) me\b
\b(?:being|been) (?:abused|stalked|trafficked)\b
\bmy (?:late )?(?:\w+ )?{_KIN}(?: has| had)?(?: just| recently)? (?:died|passed(?: away)?\b|is dying|is terminally)
\b(?:death|passing|funeral) (?:of|for) my\b
\bbereave
\bterminal(?:ly ill| cancer| illness)\b
\bcan(?:'t|not) afford (?:food|to eat|heating|rent|my medic)
\b(?:i am|i'm|we are|we're|made|become|became) homeless\b
\b(?:i have|with|has) dementia\b
\b(?:mental health|emotional) crisis\b
\bpanic attack
\b(?:medical|life[- ]threatening) emergency\b
\b(?:will|'ll|going to|gonna) (?:hurt|kill|shoot|stab|burn|bomb|attack) (?:you|him|her|them|your|people|everyone|somebody)\b
\bbomb threat\b
""")
"""Words of distress, danger, bereavement and threats of harm."""

LEGAL_WORDS: Final = _lines(r"""
\b(?:my|a|our) (?:lawyer|attorney|solicitor|legal team|legal counsel)\b
\blegal (?:action|steps|proceedings|route)\b
\b(?:sue|suing) (?:you|your|the company|this company|over)\b
\b(?:will|going to|gonna|'ll) sue\b
\blawsuit\b
\bclass action\b
\bsmall claims\b
\b(?:see|take|taking) (?:you|this|it) (?:in|to) court\b
\bgo(?:ing)? to court\b
\bombudsman\b
\bregulator\b
\btrading standards\b
\bbetter business bureau\b
\bthe bbb\b
\bconsumer (?:protection|rights|affairs|council)\b
\b(?:file|filing|lodge|lodging|make|making|raise|raising|submit) (?:a |an )?(?:formal |official |legal )?complaint\b
\b(?:formal|official) complaint\b
\breport(?:ing)? (?:you|your company|the company) to\b
\b(?:go|going|talk|talking|speak|take this|take it) to the (?:press|media|newspapers?|news)\b
\b(?:call|contact|go to|going to|report you to) the police\b
\b(?:this|that|what you(?:'re| are) doing) is (?:\w+ )?(?:fraud|fraudulent|illegal|theft|a scam)\b
\byou(?:'re| are| guys are| people are) (?:\w+ )?(?:scammers?|fraudsters?|thieves|stealing|scamming|a scam|crooks|frauds?)\b
\b(?:data protection|privacy) (?:authority|commissioner|complaint)\b
\bgdpr (?:complaint|violation|breach)\b
""")
"""Lawyers, courts, authorities, the press, formal complaints, and the charge that the business itself cheats."""

_VERY = "so|very|really|extremely|beyond|getting|absolutely|totally|completely"
ANGER_WORDS: Final = _lines(rf"""
\b(?:ridiculous|unacceptable|outrageous|disgusting|disgusted|furious|livid|fuming|bullshit|wtf|goddamn)\b
\bfuck
\b(?:{_VERY}) (?:angry|annoyed|mad|pissed|frustrated|upset)\b
\bi(?:'m| am) (?:angry|pissed|mad at)\b
\bfed up\b
\bsick (?:and tired )?of (?:this|you|your|being|waiting|it)\b
\b(?:worst|terrible|horrible|awful|appalling|pathetic|shitty|crap|lousy|useless) (?:customer )?(?:service|support|company)\b
\bwaste of (?:my )?(?:time|money)\b
\bare you (?:kidding|joking|stupid|deaf|even (?:listening|reading))\b
\bhow dare\b
\byou(?:'re| are) (?:(?:{_VERY}) )?(?:useless|incompetent|stupid|an idiot|idiots|pathetic|a joke)\b
\bwhat the hell\b
\bnever (?:using|buying|shopping|flying|ordering|coming) (?:\w+ ){{0,3}}again\b
[!?]{{4}}
""")
"""Words of anger at the business; sadness or worry is none."""

_WISH = re.compile("|".join(WISHES))
_BARE = re.compile(BARE_WISH)
_NO_WISH = re.compile(NO_WISH)
_PAST = re.compile(PAST)
_LEXICONS = (
    (VULNERABLE, re.compile("|".join(VULNERABLE_WORDS))),
    (LEGAL_THREAT, re.compile("|".join(LEGAL_WORDS))),
    (ANGER, re.compile("|".join(ANGER_WORDS))),
)
_REPEAT_WORDS_MIN: Final = 5
_REPEAT_RATIO_MIN: Final = 90.0
_COMPARED_CHARS_MAX: Final = 2_000


class EscalationCheck:
    """Does the customer want, or need, a person?"""

    name = "escalation"
    words = "the customer may want or need a person"
    needs_draft = False

    def examine(self, evidence: Evidence, _draft: Draft, _rules: Rules) -> Examination:
        """Look through the customer's words of this turn, and compare them with the earlier ones."""
        text = evidence.burst_text.replace("\u2019", "'")
        lowered = text.lower()
        findings: list[Finding] = []
        if wants_person(lowered):
            findings.append(WANTS_PERSON.found())
        findings += [code.found() for code, pattern in _LEXICONS if pattern.search(lowered)]
        if ANGER.name not in {finding.name for finding in findings} and _is_shouting(text):
            findings.append(ANGER.found())
        if _is_repeated(evidence):
            findings.append(REPEATED_QUESTION.found())
        return examination(findings)


def wants_person(text: str) -> bool:
    """Whether a text in lower case, with straight apostrophes, asks for a person."""
    return any(_is_wish(sentence) for sentence in sentences(text))


def _is_wish(sentence: Sentence) -> bool:
    if _BARE.fullmatch(" ".join(words(sentence.text))):
        return True
    for match in _WISH.finditer(sentence.text):
        before = re.split(r"[,;:\u2014]| but | and ", sentence.text[: match.start()])[-1]
        if not (_NO_WISH.search(before) or _PAST.search(before)):
            return True
    return False


def _is_shouting(text: str) -> bool:
    """Whether most of a message of several words is in capitals."""
    long_words = [word for word in re.findall(r"[A-Za-z]{3,}", text) if not word.startswith("STOP")]
    return len(long_words) >= 4 and sum(word.isupper() for word in long_words) >= 0.7 * len(long_words)


def _is_repeated(evidence: Evidence) -> bool:
    """Whether the customer's last words say what an earlier turn of theirs said, letter by letter or nearly so."""
    now = evidence.burst_text.lower()[:_COMPARED_CHARS_MAX]
    if len(words(now)) < _REPEAT_WORDS_MIN:
        return False
    earlier = evidence.messages[: len(evidence.messages) - evidence.burst]
    return any(
        fuzz.ratio(now, message.content.lower()[:_COMPARED_CHARS_MAX], score_cutoff=_REPEAT_RATIO_MIN) > 0
        for message in earlier
        if message.role == "user" and message.content
    )
