"""What `understudy doctor` says of what customers want: whether the wish for a person is heard, and that for no messages."""

from __future__ import annotations

from collections.abc import Iterator

from understudy.assessment.lexicon import WISH_LANGUAGES
from understudy.doctor.result import Result
from understudy.settings.asked_words import opt_out_of
from understudy.settings.model import Settings

_ADD = "add its lexicon: docs/how-to/add-a-language.md"


def wishes(settings: Settings) -> Iterator[Result]:
    """Look at the check that hears the wish, and at each language that the configuration names."""
    what = "wish for a person"
    check = settings.checks.get("escalation")
    if check is not None and not check.enabled:
        says = "nobody who asks for a person is heard: checks.escalation is off"
        yield Result(what=what, state="error", says=says, mend="remove enabled = false from [checks.escalation]")
        return
    yield from _opt_outs(settings)
    named = {*settings.business.languages, *settings.disclosure.texts, settings.disclosure.language}
    for own in settings.disclosure.channels.values():
        named |= own.texts.keys()
    unheard = sorted(named - WISH_LANGUAGES)
    for language in unheard:
        says = f"it is not heard in {language!r}: whoever writes it waits for a person as escalation.unknown_language"
        yield Result(what=f"{what} {language}", state="warning", says=says, mend=_ADD)
    heard = ", ".join(sorted(WISH_LANGUAGES))
    if not unheard:
        yield Result(what=what, state="ok", says=f"it is heard at any time, in {heard}")


def _opt_outs(settings: Settings) -> Iterator[Result]:
    """Where STOP counts, and who confirms it."""
    what = "opt-out"
    try:
        terms = opt_out_of(settings)
    except ValueError as error:
        yield Result(what=what, state="error", says=str(error), mend="correct it in understudy.toml")
        return
    for name in sorted(terms.channels):
        who = "we confirm it" if name in terms.confirmed else "the carrier is to confirm it"
        yield Result(what=f"{what} {name}", state="ok", says=f"STOP ends messages there, and {who}")
