"""The configuration as what each channel discloses, and the words that are shipped; it tells nobody."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from understudy.records.disclosure import ChannelDisclosure, DisclosureText, Shown
from understudy.settings.disclosure import DisclosureSettings, DisclosureTextSettings
from understudy.settings.model import Settings

SHIPPED: Final = {
    "en": ("You are talking to an AI assistant of {business}. Ask for a person at any time.", "AI assistant:"),
    "de": (
        "Hier antwortet ein KI-Assistent von {business}. Sie können jederzeit einen Menschen verlangen.",
        "KI-Assistent:",
    ),
    "fr": (
        "Vous échangez avec un assistant IA de {business}. Demandez une personne à tout moment.",
        "Assistant IA :",
    ),
    "es": (
        "Está hablando con un asistente de IA de {business}. Puede pedir hablar con una persona en cualquier momento.",
        "Asistente de IA:",
    ),
    "it": (
        "Sta parlando con un assistente IA di {business}. Può chiedere di una persona in qualsiasi momento.",
        "Assistente IA:",
    ),
    "nl": (
        "U praat met een AI-assistent van {business}. Vraag op elk moment om een medewerker.",
        "AI-assistent:",
    ),
    "pt": (
        "Está a falar com um assistente de IA de {business}. Peça uma pessoa a qualquer momento.",
        "Assistente de IA:",
    ),
}
"""The words and their short form by language, where the configuration has none; all are version 1."""
SHIPPED_VERSION: Final = 1
OF_THE_API: Final = "api"


def disclosures_of(settings: Settings) -> dict[str, ChannelDisclosure]:
    """How each channel discloses, by its name; one that does not is not there. Raises `ValueError` that names the setting."""
    own = settings.disclosure
    if unknown := own.channels.keys() - {*settings.channels, OF_THE_API}:
        raise ValueError(
            f"disclosure.channels.{min(unknown)}: there is no such channel, only {sorted(settings.channels)}"
        )
    found = {name: _of_channel(settings, name) for name in (*settings.channels, OF_THE_API)}
    return {name: one for name, one in found.items() if one is not None}


def _of_channel(settings: Settings, name: str) -> ChannelDisclosure | None:
    own, otherwise = settings.disclosure, settings.disclosure.channels.get(name)
    again_h = own.again_after_h if otherwise is None or otherwise.again_after_h is None else otherwise.again_after_h
    again_after = timedelta(hours=again_h) if again_h else None
    if otherwise is not None and otherwise.shown == "elsewhere":
        if otherwise.elsewhere is None:
            raise ValueError(f"disclosure.channels.{name}.elsewhere: say what stands there, for the ledger")
        return _by_the_channel(own, otherwise.elsewhere, again_after)
    if otherwise is not None and otherwise.shown == "off":
        return None
    words = str(getattr(settings.channels.get(name), "disclosure", "") or "").strip()
    if words and otherwise is None:  # The chat's page, and a mail's foot.
        return _by_the_channel(own, words, again_after)
    if own.shown == "off" and otherwise is None:
        return None
    texts = _texts(settings.business.name, own.texts, otherwise.texts if otherwise is not None else {})
    shown = Shown.CALLER if name == OF_THE_API else Shown.MESSAGE
    try:
        return ChannelDisclosure(shown=shown, texts=texts, language=own.language, again_after=again_after)
    except ValueError as error:
        raise ValueError(f"disclosure.language: {error}") from error


def _by_the_channel(own: DisclosureSettings, words: str, again_after: timedelta | None) -> ChannelDisclosure:
    texts = {own.language: DisclosureText(text=words, short=words)}
    return ChannelDisclosure(shown=Shown.CHANNEL, texts=texts, language=own.language, again_after=again_after)


def _texts(business: str, *stated: Mapping[str, DisclosureTextSettings]) -> dict[str, DisclosureText]:
    texts = {
        language: DisclosureText(text=_filled(text, business), short=short, version=SHIPPED_VERSION)
        for language, (text, short) in SHIPPED.items()
    }
    for given in stated:
        for language, one in given.items():
            text = _filled(one.text, business)
            short = text if one.short is None else _filled(one.short, business)
            texts[language] = DisclosureText(text=text, short=short, version=one.version)
    return texts


def _filled(text: str, business: str) -> str:
    return text.replace("{business}", business)
