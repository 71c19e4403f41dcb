"""The JSON in which the API shows a win-back; reading the store is the work of `win_back_shown.py`."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel

from understudy.records.trust import CapCause
from understudy.records.win_back import WhyNone, WinBackState


class WinBackOut(BaseModel):
    """Something bad that reached a customer and what was made of it. `text`: the words, with your name in them, where one is
    proposed; `text_id`: the approved text with its version; `why`: why there is none, or none any more."""

    turn_id: str
    cause: CapCause
    explanation: str
    state: WinBackState
    at: datetime
    text: str | None
    text_id: str | None
    shut_at: datetime | None
    settled_at: datetime | None
    by: str | None
    why: WhyNone | None
