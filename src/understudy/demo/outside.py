"""The demo's mail gateway and the chat in its shop's app, as services of the business beside the product: they post what customers
write by web hook and take what is sent to them. They are no fake of a vendor, and know nobody's account."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from understudy.testing.signed_webhook import SignedWebhook


class Service(SignedWebhook):
    """Calls no message by a name that one of an earlier run in the same database has."""

    def __init__(self) -> None:
        super().__init__()
        self._run = secrets.token_hex(4)

    def new_id(self) -> str:
        """A name that nothing else has."""
        return f"{self._run}-{super().new_id()}"


class MailGateway(Service):
    """Posts letters, signed, so that whoever they are from is vouched for. A conversation is called by the sender's address."""

    def written(self, message: str, conversation: str, text: str, name: str) -> Any:
        """The event of a letter."""
        event = super().written(message, conversation, text, name)
        event["data"] |= {"from": conversation, "email": conversation}
        return event


class AppChat(Service):
    """Posts what is written in the app, unsigned, so that nobody vouches for anything in it. `claimed` has the address that
    each customer says is theirs, by conversation."""

    def __init__(self) -> None:
        super().__init__()
        self.claimed: dict[str, str] = {}

    def written(self, message: str, conversation: str, text: str, name: str) -> Any:
        """The event of a message."""
        event = super().written(message, conversation, text, name)
        if conversation in self.claimed:
            event["data"]["email"] = self.claimed[conversation]
        return event

    def signed(self, body: bytes, *, hook: str) -> Mapping[str, str]:  # noqa: ARG002 - the interface of a provider
        """Its id, and no signature."""
        return {"webhook-id": f"msg_{hook}"}

    def _verified(self, request: web.BaseRequest, body: bytes) -> str:  # noqa: ARG002 - nothing to verify by it
        return str(request.headers["webhook-id"])
