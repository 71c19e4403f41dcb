"""What a reply commits the business to, and by when; pure, English and German. Whether it may be pledged is not judged here.

A custom ("usually within five days"), a condition ("once you send it, we will…"), a question and a no pledge nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from understudy.assessment.pledge_words import TONGUES, Opening, Tongue
from understudy.assessment.spoken_times import deadline_in
from understudy.records.assessment import Span
from understudy.records.pledges import PledgeKind, SaidPledge

FOUND_MAX: Final = 8
_SENTENCE = re.compile(r"(?:[^.!?\n]|\.(?=[0-9a-z])|(?<=\b[ap])\.(?=m)|(?<=[0-9])\.(?=\s+[a-zäöü]))+[.!?]*")
_QUOTED = re.compile(r"“[^”]*”|„[^“]*“|\"[^\"\n]*\"|«[^»]*»")


def pledges_in(text: str, at: datetime, timezone: str) -> tuple[SaidPledge, ...]:
    """The pledges of a text said at `at` (aware), in order, at most `FOUND_MAX`; each is the part of a sentence that makes it.

    A time that only another part of the sentence names counts for it too. What is quoted is nobody's pledge.
    """
    tongues = _tongues(text)
    if not tongues:
        return ()
    plain = _QUOTED.sub(lambda match: " " * len(match[0]), text)
    found = [
        one for sentence in _SENTENCE.finditer(plain) for one in _in_sentence(text, sentence, at, timezone, tongues)
    ]
    return tuple(found[:FOUND_MAX])


def _tongues(text: str) -> tuple[Tongue, ...]:
    low = f" {text.lower()} "
    return tuple(tongue for tongue in TONGUES if any(hint in low for hint in tongue.hints))


def _in_sentence(
    text: str, sentence: re.Match[str], at: datetime, timezone: str, tongues: tuple[Tongue, ...]
) -> Iterator[SaidPledge]:
    said = sentence[0]
    for tongue in tongues:
        if tongue.voids.search(said):
            continue
        begins = _begins(tongue, said)
        for place, (kind, start) in enumerate(begins):
            end = begins[place + 1][1] if place + 1 < len(begins) else len(said)
            span = _trimmed(text, sentence.start() + start, sentence.start() + end)
            due_at = deadline_in(said[start:end], at, timezone) or deadline_in(said, at, timezone)
            yield SaidPledge(kind=kind, span=span, words=text[span.start : span.end], due_at=due_at)
        if begins:
            return


def _begins(tongue: Tongue, said: str) -> list[tuple[PledgeKind, int]]:
    """Where pledges begin in a sentence, and their kinds; of those that overlap the first, and of its forms the longest."""
    made = [one for opening in tongue.openings for one in _made(opening, said, 0)]
    if made and tongue.goes_on is not None:
        made.extend(_made(tongue.goes_on, said, min(end for _, end, _ in made)))
    found: list[tuple[PledgeKind, int]] = []
    last = -1
    for start, end, kind in sorted(made, key=lambda one: (one[0], -one[1])):
        if start >= last:
            found.append((kind, start))
            last = end
    return found


def _made(opening: Opening, said: str, after: int) -> Iterator[tuple[int, int, PledgeKind]]:
    """Start, end and kind of what an opening pledges."""
    for begin in opening.begins.finditer(said, after):
        for kind, form in opening.pledges:
            if (match := form.match(said, begin.end())) is not None:
                yield begin.start(), match.end(), kind


def _trimmed(text: str, start: int, end: int) -> Span:
    words = text[start:end]
    return Span(start=start + len(words) - len(words.lstrip()), end=start + len(words.rstrip(" \t\n,;.!–-")))
