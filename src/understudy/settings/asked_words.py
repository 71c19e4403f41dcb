"""The configuration as terms of opt-out and survey, with the words that are shipped; it asks nobody."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from understudy.records.opt_out import OptOutTerms, OptOutWords, as_word
from understudy.records.survey import Question, Scale, SurveyTerms
from understudy.settings.channels import Kannel, SinchSms, Twilio
from understudy.settings.mail import Email
from understudy.settings.model import Settings

_STOP: Final = {
    "en": (
        ("stop", "stopall", "stop all", "unsubscribe", "opt out", "optout", "stop messages", "please stop"),
        ("start", "unstop", "subscribe"),
        "You will get no more messages from {business} here. Reply START to get them again.",
        "You will get messages from {business} here again. Reply STOP to end them.",
    ),
    "de": (
        ("stopp", "abmelden", "abbestellen", "keine nachrichten mehr"),
        ("anmelden", "wieder anmelden"),
        "Sie erhalten hier keine Nachrichten von {business} mehr. Mit START erhalten Sie sie wieder.",
        "Sie erhalten hier wieder Nachrichten von {business}. Mit STOP beenden Sie das.",
    ),
    "fr": (
        ("arret", "arrêt", "désabonner", "desabonner", "se désabonner"),
        ("reprendre", "abonner"),
        "Vous ne recevrez plus de messages de {business} ici. Répondez START pour en recevoir à nouveau.",
        "Vous recevrez à nouveau des messages de {business} ici. Répondez STOP pour arrêter.",
    ),
    "es": (
        ("baja", "alto", "parar", "darme de baja"),
        ("alta", "iniciar"),
        "No recibirá más mensajes de {business} aquí. Responda START para volver a recibirlos.",
        "Volverá a recibir mensajes de {business} aquí. Responda STOP para dejar de recibirlos.",
    ),
    "it": (
        ("cancellami", "disiscrivi", "annulla iscrizione"),
        ("riprendi", "iscrivimi"),
        "Non riceverà più messaggi da {business} qui. Risponda START per riceverli di nuovo.",
        "Riceverà di nuovo messaggi da {business} qui. Risponda STOP per non riceverli più.",
    ),
    "nl": (
        ("afmelden", "uitschrijven"),
        ("aanmelden", "inschrijven"),
        "U krijgt hier geen berichten van {business} meer. Antwoord START om ze weer te krijgen.",
        "U krijgt hier weer berichten van {business}. Antwoord STOP om ze te stoppen.",
    ),
    "pt": (
        ("sair", "cancelar inscrição", "descadastrar"),
        ("voltar", "inscrever"),
        "Não receberá mais mensagens de {business} aqui. Responda START para voltar a receber.",
        "Voltará a receber mensagens de {business} aqui. Responda STOP para parar.",
    ),
}
_SCORE: Final = {
    "en": "How did we do? Please reply with a number from 1 (bad) to 5 (very good).",
    "de": "Wie zufrieden waren Sie? Bitte antworten Sie mit einer Zahl von 1 (schlecht) bis 5 (sehr gut).",
    "fr": "Êtes-vous satisfait ? Répondez par un chiffre de 1 (pas du tout) à 5 (tout à fait).",
    "es": "¿Qué tal lo hicimos? Responda con un número del 1 (mal) al 5 (muy bien).",
    "it": "Com'è andata? Risponda con un numero da 1 (male) a 5 (molto bene).",
    "nl": "Hoe hebben we het gedaan? Antwoord met een cijfer van 1 (slecht) tot 5 (zeer goed).",
    "pt": "Como nos saímos? Responda com um número de 1 (mau) a 5 (muito bom).",
}
_THUMBS: Final = {
    "en": "Did this help? Please reply with \U0001f44d or \U0001f44e.",
    "de": "Hat das geholfen? Bitte antworten Sie mit \U0001f44d oder \U0001f44e.",
    "fr": "Cela vous a-t-il aidé ? Répondez par \U0001f44d ou \U0001f44e.",
    "es": "¿Le ha servido? Responda con \U0001f44d o \U0001f44e.",
    "it": "È stato utile? Risponda con \U0001f44d o \U0001f44e.",
    "nl": "Heeft dit geholpen? Antwoord met \U0001f44d of \U0001f44e.",
    "pt": "Isto ajudou? Responda com \U0001f44d ou \U0001f44e.",
}


def opt_out_of(settings: Settings) -> OptOutTerms:
    """By which words customers end messages, and where; raises `ValueError` that names the setting."""
    own, business = settings.opt_out, settings.business.name
    sms = [name for name, one in settings.channels.items() if isinstance(one, Twilio | SinchSms | Kannel)]
    carriers = [name for name, one in settings.channels.items() if isinstance(one, Twilio)]
    channels = _known(settings, sms if own.channels is None else own.channels, "opt_out.channels")
    confirmed_by_carrier = carriers if own.carrier_confirms is None else own.carrier_confirms
    silent = _known(settings, confirmed_by_carrier, "opt_out.carrier_confirms")
    words = {
        language: OptOutWords(stop=stop, start=start, stopped=_of(stopped, business), started=_of(started, business))
        for language, (stop, start, stopped, started) in _STOP.items()
    }
    for language, one in own.words.items():
        words[language] = OptOutWords(
            stop=tuple(map(as_word, one.stop)),
            start=tuple(map(as_word, one.start)),
            stopped=_of(one.stopped, business),
            started=_of(one.started, business),
            version=one.version,
        )
    return OptOutTerms(channels=channels, confirmed=channels - silent, words=words)


def survey_of(settings: Settings) -> SurveyTerms | None:
    """How customers are asked how it was; None where they are not. Raises `ValueError` that names the setting."""
    own = settings.csat
    if own.ask == "off":
        return None
    scale = Scale(own.ask)
    usual = [name for name, one in settings.channels.items() if not isinstance(one, Email)]
    shipped = _SCORE if scale is Scale.SCORE else _THUMBS
    questions = {language: Question(text=_of(text, settings.business.name)) for language, text in shipped.items()}
    for language, one in own.questions.items():
        questions[language] = Question(text=_of(one.text, settings.business.name), version=one.version)
    try:
        return SurveyTerms(
            scale=scale,
            channels=_known(settings, usual if own.channels is None else own.channels, "csat.channels"),
            questions=questions,
            language=own.language,
            share=own.share,
            quiet=timedelta(hours=own.quiet_h),
            again_after=timedelta(days=own.again_after_days),
            answer_within=timedelta(hours=own.answer_within_h),
        )
    except ValueError as error:
        raise ValueError(f"csat.language: {error}" if "question" in str(error) else str(error)) from error


def _known(settings: Settings, names: list[str], setting: str) -> frozenset[str]:
    if unknown := set(names) - settings.channels.keys():
        raise ValueError(f"{setting}: there is no channel {min(unknown)!r}, only {sorted(settings.channels)}")
    return frozenset(names)


def _of(text: str, business: str) -> str:
    return text.replace("{business}", business)
