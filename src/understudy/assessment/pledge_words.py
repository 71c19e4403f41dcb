"""The words by which a reply commits a business to something, English and German; what a match means stands in `pledges.py`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from understudy.records.pledges import PledgeKind

_EN_WHO = (
    r"(?:we|i|some(?:body|one)|(?:a|my|another|one of (?:my|our)|our|the)\s+(?:[a-z-]+\s+){0,2}?"
    r"(?:colleagues?|team|specialists?|departments?|technicians?|managers?|warehouse|office|drivers?|supervisors?|advis[eo]rs?"
    r"|staff|experts?))"
)
_EN_WILL = r"(?:['’]ll|\s+will|\s+shall|['’]re going to|\s+are going to|['’]m going to|\s+am going to|\s+is going to)"
_EN_ADVERB = (
    r"(?:\s+(?:also|then|now|personally|certainly|gladly|definitely|of course|immediately|directly|today|tomorrow|shortly"
    r"|soon|first|therefore|happily|make sure to|try to|do (?:my|our) best to)\b)*"
)
_EN_VERBS: Final = (
    (PledgeKind.WRITE,
     (r"(?:get|getting|come|coming|be|report|reporting|circle) back (?:to you|with)|(?:be|get|getting) (?:back )?in touch"
     r"|contact(?:ing)? you|let(?:ting)? you know|updat(?:e|ing) you|keep(?:ing)? you (?:updated|posted|informed|in the loop)"
     r"|repl(?:y|ying)|answer(?:ing)?|respond(?:ing)?|follow(?:ing)? up|inform(?:ing)? you|notify(?:ing)? you|writ(?:e|ing)(?! off| up| down)"
     r"|e-?mail(?:ing)? you|messag(?:e|ing) you|text(?:ing)? you|reach(?:ing)? out"
     r"|(?:send|giv)(?:e|ing)? you (?:an?|another) (?:e-?mail|update|answer|reply|message|status|text)|tell(?:ing)? you|confirm(?:ing)?")),
    (PledgeKind.CALL,
     r"(?:call|phon|telephon|ring)(?:e|ing)? (?:you|back)|call(?:ing)?\b(?= back| tomorrow| today)|giv(?:e|ing) you a (?:call|ring)"),
    (PledgeKind.MONEY,
     (r"(?:fully |partially )?refund(?:ing)?|reimburs(?:e|ing)|credit(?:ing)?|(?:pay|paying) (?:you |it |this |that )?back|repay(?:ing)?"
     r"|(?:issu|process|initiat|start|mak|arrang|send)(?:e|ing)?(?: you)? (?:an?|the|your) (?:[a-z]+ )?(?:refund|reimbursement|credit)"
     r"|return(?:ing)? (?:the|your) money|transfer(?:ring)? (?:the|your|it)")),
    (PledgeKind.SEND,
     (r"(?:re)?send(?:ing)?|ship(?:ping)?|dispatch(?:ing)?|post(?:ing)? (?:you|it|the|your)|mail(?:ing)? (?:you|it|the|your)"
     r"|deliver(?:ing)?")),
    (PledgeKind.DO,
     (r"look(?:ing)? into|check(?:ing)?|investigat(?:e|ing)|review(?:ing)?|find(?:ing)? out|clarif(?:y|ying)|fix(?:ing)?|repair(?:ing)?"
     r"|cancel(?:l?ing)?|arrang(?:e|ing)|book(?:ing)?|organi[sz](?:e|ing)|process(?:ing)?|forward(?:ing)?|pass(?:ing)? (?:this|it|your|that)"
     r"|escalat(?:e|ing)|replac(?:e|ing)|correct(?:ing)?|exchang(?:e|ing)|chang(?:e|ing)|set(?:ting)? up|reserv(?:e|ing)"
     r"|reschedul(?:e|ing)|open(?:ing)? (?:an?|the)|rais(?:e|ing)|tak(?:e|ing) care of|sort(?:ing)? (?:this|it|that) out|add(?:ing)?"
     r"|remov(?:e|ing)|(?:re|de)?activat(?:e|ing)|unlock(?:ing)?|reset(?:ting)?|clos(?:e|ing) (?:the|your)|speak(?:ing)? (?:to|with)"
     r"|talk(?:ing)? to|ask(?:ing)? (?:the|our|my)|prepar(?:e|ing)|waiv(?:e|ing)|extend(?:ing)?|pick(?:ing)? (?:it |this |that |them )?up"
     r"|collect(?:ing)?|measur(?:e|ing)|discuss(?:ing)?|updat(?:e|ing) (?:the|your)")),
)  # fmt: skip
_EN_GETS: Final = (
    (PledgeKind.WRITE, r"hear (?:back )?from (?:us|me|our)"),
    (PledgeKind.CALL, r"(?:receive|get|have) an? (?:[a-z]+ )?(?:call|phone call|callback)"),
    (PledgeKind.MONEY, r"(?:receive|get|have) (?:an?|the|your|all|£|\$|€)?\s?(?:[a-z0-9.,]+ ){0,3}?(?:refund|money|reimbursement|credit)\b"),
    (PledgeKind.WRITE,
     r"(?:receive|get|have) (?:an?|the|our|your|my) (?:[a-z]+ ){0,2}?(?:answer|reply|e-?mail|confirmation|update|response|message)"),
    (PledgeKind.SEND,
     r"(?:receive|get|have) (?:an?|the|your) (?:[a-z]+ ){0,2}?(?:replacement|parcel|package|order|label|voucher|invoice|copy|item|delivery)"),
)  # fmt: skip
_EN_COMES: Final = (
    (PledgeKind.MONEY,
     (r"(?:your|the) (?:[a-z]+ ){0,2}?(?:refund|money|reimbursement|credit)"
     r"(?:['’]ll| will) (?:be (?:paid|credited|refunded|processed|transferred|issued|made|back|sent|in your|with you|on your)"
     r"|arrive|reach|show|appear)")),
    (PledgeKind.SEND,
     (r"(?:your|the|a) (?:[a-z]+ ){0,2}?(?:order|parcel|package|replacement|delivery|items?|shipment|label|invoice|voucher)"
     r"(?:['’]ll| will) (?:be (?:sent|shipped|dispatched|delivered|with you|on its way)|arrive|leave|ship|reach you|go out)")),
    (PledgeKind.CALL, r"expect (?:an?|our|my) (?:[a-z]+ )?(?:call|callback)"),
    (PledgeKind.WRITE, r"expect (?:an?|our|my|to hear) (?:[a-z]+ )?(?:answer|reply|e-?mail|response|update|from us)"),
)  # fmt: skip

_DE_WHO = r"(?:ein(?:e|er)?|unser(?:e)?|mein(?:e)?)\s+(?:[a-zäöüß-]+\s+){0,2}?(?:kolleg(?:e|in|en)|team|mitarbeiter(?:in)?|techniker(?:in)?|abteilung)|jemand"
_DE_WILL = (
    rf"\b(?:wir\s+werden|werden\s+wir|ich\s+werde|werde\s+ich|(?:{_DE_WHO})\s+wird|wird\s+(?:sich\s+)?(?:{_DE_WHO}))\b"
)
_DE_FAR = r"(?:[^.!?\n]|(?<=[0-9])\.){0,120}?\b"
_DE_INFINITIVES: Final = (
    (PledgeKind.WRITE,
     (r"melden|schreiben|antworten|benachrichtigen|informieren|kontaktieren|bescheid (?:geben|sagen)|zukommen|mitteilen"
     r"|laufenden halten|verbindung setzen|bestätigen")),
    (PledgeKind.CALL, r"anrufen|zurückrufen|telefonieren"),
    (PledgeKind.MONEY, r"(?:zurück)?erstatten|(?:zurück)?überweisen|gutschreiben|zurückzahlen|auszahlen"),
    (PledgeKind.SEND, r"(?:zu|ver|nach)?schicken|(?:zu|ver|nach)?senden|(?:aus|nach)?liefern"),
    (PledgeKind.DO,
     (r"(?:über)?prüfen|klären|weiterleiten|weitergeben|kümmern|stornieren|ändern|umtauschen|ersetzen|austauschen|reparieren|korrigieren"
     r"|veranlassen|buchen|nachsehen|nachfragen|untersuchen|freischalten|sperren|eskalieren|bearbeiten|abholen|hinzufügen|verlängern")),
)  # fmt: skip


def _now(one: str, many: str, other: str) -> str:
    """A German verb in the present, which says the same as the future."""
    forms = (f"ich\\s+{one}", f"{one}\\s+ich", f"wir\\s+{many}", f"{many}\\s+wir")
    others = (f"(?:{_DE_WHO})\\s+{other}", f"{other}\\s+sich\\s+(?:{_DE_WHO})")
    return r"\b(?:" + "|".join((*forms, *others)) + r")\b"


_DE_NOW: Final = (
    (PledgeKind.WRITE, _now("melde", "melden", "meldet") + r"\s+(?:mich|uns|sich)\b"),
    (PledgeKind.WRITE, _now("(?:schreibe|informiere|benachrichtige|kontaktiere)",
                            "(?:schreiben|informieren|benachrichtigen|kontaktieren)",
                            "(?:schreibt|informiert|benachrichtigt|kontaktiert)") + r"\s+(?:sie|ihnen|dich|dir)\b"),
    (PledgeKind.WRITE, _now("gebe", "geben", "gibt") + r"\s+(?:ihnen|dir)" + _DE_FAR + "bescheid"),
    (PledgeKind.CALL, _now("rufe", "rufen", "ruft") + r"\s+(?:sie|dich)" + _DE_FAR + r"(?:an|zurück)\b"),
    (PledgeKind.MONEY, _now("(?:erstatte|überweise|zahle)", "(?:erstatten|überweisen|zahlen)", "(?:erstattet|überweist|zahlt)")
     + r"\s+(?:ihnen|dir|den|die|das)"),
    (PledgeKind.SEND, _now("(?:schicke|sende|liefere)", "(?:schicken|senden|liefern)", "(?:schickt|sendet|liefert)")
     + r"\s+(?:ihnen|dir|den|die|das|es|sie)"),
    (PledgeKind.DO, _now("(?:prüfe|kläre|storniere|veranlasse|tausche)", "(?:prüfen|klären|stornieren|veranlassen|tauschen)",
                         "(?:prüft|klärt|storniert|veranlasst|tauscht)") + r"\s+(?:das|dies|den|die|es|ihr)"),
    (PledgeKind.DO, _now("kümmere", "kümmern", "kümmert") + r"\s+(?:mich|uns|sich)\b"),
    (PledgeKind.DO, _now("leite", "leiten", "leitet") + _DE_FAR + "weiter"),
    (PledgeKind.WRITE, r"\b(?:sie\s+hören|hören\s+sie)\s+(?:[a-zäöüß]+\s+){0,3}?von\s+(?:uns|mir)"),
    (PledgeKind.CALL, r"\b(?:sie\s+(?:erhalten|bekommen)|(?:erhalten|bekommen)\s+sie)\b" + _DE_FAR + "(?:anruf|rückruf)"),
    (PledgeKind.MONEY, r"\b(?:sie\s+(?:erhalten|bekommen)|(?:erhalten|bekommen)\s+sie)\b" + _DE_FAR
     + "(?:(?:rück)?erstattung|geld|gutschrift|rückzahlung)"),
    (PledgeKind.WRITE, r"\b(?:sie\s+(?:erhalten|bekommen)|(?:erhalten|bekommen)\s+sie)\b" + _DE_FAR
     + "(?:antwort|e-?mail|bestätigung|nachricht|rückmeldung)"),
    (PledgeKind.SEND, r"\b(?:sie\s+(?:erhalten|bekommen)|(?:erhalten|bekommen)\s+sie)\b" + _DE_FAR
     + "(?:ersatz|paket|lieferung|etikett|gutschein|rechnung|sendung)"),
    (PledgeKind.MONEY, r"\b(?:ihr(?:e)?|die|das|der)\s+(?:[a-zäöüß]+\s+)?(?:(?:rück)?erstattung|geld|betrag|gutschrift)\s+wird\b"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a pledge begins, and what may stand at the end of that: what is pledged, by its kind."""

    begins: re.Pattern[str]
    pledges: tuple[tuple[PledgeKind, re.Pattern[str]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tongue:
    """How one language pledges. A text without any of the `hints`, in lower case, pledges nothing. `goes_on`: a further
    pledge after *and*; what `voids` matches in the same sentence is a condition, a custom or a no, so that nothing is pledged."""

    name: str
    hints: tuple[str, ...]
    openings: tuple[Opening, ...]
    goes_on: Opening | None
    voids: re.Pattern[str]


def _opening(begins: str, *pledges: tuple[PledgeKind, str]) -> Opening:
    read = tuple((kind, re.compile(form, re.IGNORECASE)) for kind, form in pledges)
    return Opening(begins=re.compile(begins, re.IGNORECASE), pledges=read)


ENGLISH: Final = Tongue(
    name="en",
    hints=(" will ", "'ll ", "’ll ", "going to ", " shall ", "expect "),
    openings=(
        _opening(
            rf"\b{_EN_WHO}{_EN_WILL}{_EN_ADVERB}\s+", *((kind, rf"(?:be\s+)?(?:{verb})\b") for kind, verb in _EN_VERBS)
        ),
        _opening(rf"\byou(?:['’]ll|\s+will){_EN_ADVERB}\s+", *_EN_GETS),
        _opening(r"\b(?=your |the |an? |expect )", *_EN_COMES),
    ),
    goes_on=_opening(
        r"\b(?:and|then)\s+(?:we\s+|i\s+)?(?:will\s+)?(?:(?:then|also)\s+)?",
        *((kind, rf"(?:{verb})\b") for kind, verb in _EN_VERBS),
    ),
    voids=re.compile(
        r"\b(?:if|once|unless|in case|provided|as soon as you|when(?:ever)? you|after you|should you|until you|before you can)\b"
        r"|\b(?:usually|normally|typically|generally|always|as a rule|in general|in most cases)\b|\b(?:not|never|no longer)\b|\?",
        re.IGNORECASE,
    ),
)
GERMAN: Final = Tongue(
    name="de",
    hints=(" wir ", " ich ", " sie ", " jemand ", " wird ", " unser", " sich "),
    openings=(
        _opening(_DE_WILL, *((kind, rf"{_DE_FAR}(?:{verb})\b") for kind, verb in _DE_INFINITIVES)),
        _opening(
            r"\b(?=ich\b|wir\b|sie\b|jemand\b|ein|unser|mein|ihr|die\b|das\b|der\b|[a-zäöüß]+\s+(?:ich|wir|sie|sich)\b)",
            *_DE_NOW,
        ),
    ),
    goes_on=None,
    voids=re.compile(
        r"\b(?:wenn|sobald|falls|sofern|nachdem|sollten|bevor)\b|\b(?:normalerweise|üblicherweise|in der regel|meist(?:ens)?|immer|gewöhnlich)\b"
        r"|\b(?:nicht|nie|kein(?:e[nmrs]?)?)\b|\?",
        re.IGNORECASE,
    ),
)
TONGUES: Final = (ENGLISH, GERMAN)
