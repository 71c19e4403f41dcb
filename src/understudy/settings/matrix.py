"""An account on a Matrix homeserver as a channel; it opens none."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr

from understudy.records.policy import Markup
from understudy.settings.section import Section


class Matrix(Section):
    """Direct chats on Matrix, by the client-server API. Encrypted rooms cannot be read and go to people."""

    kind: Literal["matrix"]
    homeserver: str = Field(
        pattern="^https?://", description="address of the homeserver, such as https://matrix.shop.example"
    )
    user_id: str = Field(
        pattern=r"^@[^:\s]+:[^\s]+$", description="the account customers write to, such as @help:shop.example"
    )
    access_token: SecretStr = Field(
        description="of the account, for this use alone: another token is another device, and drops no repeated reply"
    )
    invite_servers: list[str] = Field([], description="servers whose users' invitations are accepted; empty = all")
    per_sender_hour_max: int = Field(
        60, ge=1, description="messages an hour of one user; more go to people, since two programs may be talking"
    )
    timeout_s: float = Field(10.0, gt=0, le=50, description="for one send")
    chars_max: int | None = Field(10_000, ge=1, description="longest reply it takes, in characters")
    markup: Markup | None = Field("none", description="what it renders; replies are plain text")
    agent: str | None = Field(None, description="agent for this channel; default: drafting.agent")
