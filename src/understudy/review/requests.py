"""What a request for a verdict has to hold, and what is stored of it; it gives none."""

from __future__ import annotations

from dataclasses import replace

from understudy.assessment.cards import mask_cards
from understudy.errors import InputError
from understudy.records.review import VerdictKind, VerdictRequest
from understudy.records.text import storable_record

TOPIC_CHARS_MAX = 200


def check_text(request: VerdictRequest, *, chars_max: int) -> None:
    """Raise `InputError` where a verdict lacks its text, or something of it is out of its range."""
    needs_text = request.kind in (VerdictKind.EDIT, VerdictKind.RESPOND)
    if needs_text and not (request.text or "").strip():
        raise InputError(f"a verdict {request.kind.value!r} needs a text; `text` is empty")
    if request.text is not None and len(request.text) > chars_max:
        raise InputError(f"text has {len(request.text)} characters; at most {chars_max} are taken")
    if request.severity is not None and not 0.0 <= request.severity <= 1.0:
        raise InputError(f"severity must be in [0, 1], got {request.severity}")
    if request.topic is not None and not 0 < len(request.topic.strip()) <= TOPIC_CHARS_MAX:
        raise InputError(f"topic must have 1 to {TOPIC_CHARS_MAX} characters; leave it out to say nothing of it")


def fitted_request(request: VerdictRequest) -> VerdictRequest:
    """What is stored of a request: what no database takes replaced, card numbers masked."""
    given = storable_record(request)
    text = None if given.text is None else mask_cards(given.text)[0]
    return replace(given, text=text, reasons=tuple(mask_cards(reason)[0] for reason in given.reasons))
