"""The configuration as what is proposed to be written to whom a reply let down; it proposes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from understudy.records.templates import placeholders
from understudy.records.trust import CapCause
from understudy.records.win_back import FACTS, REVIEWER, WinBackTerms, WinBackText
from understudy.settings.model import Settings


def win_back_of(settings: Settings, windows: Mapping[str, float | None]) -> WinBackTerms | None:
    """What is proposed; None where no text is approved. `windows`: see `WinBackTerms`. Raises `ValueError` that names the setting."""
    own = settings.trust.win_back
    if not own.texts:
        return None
    if not settings.trust.cap:
        raise ValueError("trust.win_back needs trust.cap = true: what reached a customer badly is remembered as a cap")
    for name, one in own.texts.items():
        asked = placeholders(one.text)
        if unknown := asked - FACTS:
            raise ValueError(
                f"trust.win_back.texts.{name}: {{{min(unknown)}}} is no placeholder; there is {', '.join(sorted(FACTS))}"
            )
        if REVIEWER not in asked:
            raise ValueError(
                f"trust.win_back.texts.{name}: it names no person; write {{{REVIEWER}}} where the sender's name belongs"
            )
    return WinBackTerms(
        texts=tuple(
            WinBackText(
                id=name,
                version=one.version,
                language=one.language,
                causes=frozenset(CapCause(cause) for cause in one.causes),
                text=one.text,
            )
            for name, one in own.texts.items()
        ),
        language=own.language,
        within=timedelta(hours=own.within_h),
        again_after=timedelta(days=own.again_after_days),
        windows=windows,
    )
