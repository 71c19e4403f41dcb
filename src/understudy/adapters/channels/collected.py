"""The channel whose replies are collected, not sent: web chat and the API. It opens no connection and takes no webhook.

In web chat the customer's page reads the conversation; over `POST /v1/turns` the caller reads the turn. In both cases
the reply becomes visible the moment the delivery's own transaction stores it as a message, so there is nothing left to
send: `send` accepts at once, and sending again changes nothing. That is why one class serves both, under two names.
"""

from __future__ import annotations

from understudy.errors import MalformedInput
from understudy.ports.channel import Capabilities, InboundRequest
from understudy.records.conversation import Inbound
from understudy.records.outbox import Accepted, OutboxEntry, SendResult, Unknown

API = "api"


class CollectedChannel:
    """A channel whose customers, or callers, come and read the reply themselves.

    `name` is the channel's name in the configuration: `API` is that of the API, any other is a web chat's.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        # Keys are honoured, because storing one message twice under one id changes nothing.
        self.capabilities = Capabilities(honours_keys=True, asker_fetches=name == API)
        self._entrance = "POST /v1/turns" if name == API else "POST /chat/messages"

    def __repr__(self) -> str:
        return f"CollectedChannel({self.name!r})"

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:  # noqa: ARG002
        """Refuse, with `MalformedInput`: messages of this channel have their own endpoint, never a webhook."""
        raise MalformedInput(
            f"channel {self.name!r} takes no webhooks: send its messages to {self._entrance}, "
            "or configure a channel of kind webhook"
        )

    async def send(self, entry: OutboxEntry) -> SendResult:  # noqa: ARG002
        """Accept at once: the transaction that stores this receipt also stores the message the reader sees."""
        return Accepted()

    async def look_up(self, entry: OutboxEntry) -> SendResult:  # noqa: ARG002
        """Answer `Unknown`: this channel keeps no record of its own, and a repeated send does no harm."""
        return Unknown(reason=f"channel {self.name!r} keeps no record of its own; send the entry again")

    async def close(self) -> None:
        """Do nothing: there is no connection."""
