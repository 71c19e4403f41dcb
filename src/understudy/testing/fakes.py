"""All fakes under their names, to be started by one line; what each does stands in its own module.

with Fakes() as fakes:
    desk = fakes.chatwoot(webhook=f"{url}/webhooks/desk")
    slow = fakes.faults(desk.url, Rule(fault=Fault.DRIP, share=0.5), seed=7)
    assert desk.customer_writes("Where is my parcel?").is_acknowledged
    assert desk.complaints == []
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, Final

from understudy.testing.chatwoot import Chatwoot
from understudy.testing.fault_proxy import FaultProxy
from understudy.testing.faults import Plan, Rule
from understudy.testing.listening import Listening, OwnThread, Plain
from understudy.testing.llm import LlmEndpoint
from understudy.testing.provider import Provider
from understudy.testing.signed_webhook import SignedWebhook
from understudy.testing.whatsapp import WhatsApp
from understudy.testing.zendesk import Zendesk

PROVIDERS: Final[dict[str, type[Provider]]] = {
    "chatwoot": Chatwoot,
    "zendesk": Zendesk,
    "whatsapp": WhatsApp,
    "webhook": SignedWebhook,
}
"""The fakes that customers write over."""


class Fakes:
    """Starts fakes in a thread of its own, and stops all at the end. Each takes what its class takes."""

    def __init__(self) -> None:
        self._thread = OwnThread()
        self._open: list[Listening] = []

    def __enter__(self) -> Fakes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop them, the latest first."""
        while self._open:
            self._thread.run(self._open.pop().stop())
        self._thread.close()

    def chatwoot(self, **options: Any) -> Any:
        """Start a Chatwoot."""
        return self.start(Chatwoot(**options))

    def zendesk(self, **options: Any) -> Any:
        """Start a Zendesk messaging."""
        return self.start(Zendesk(**options))

    def whatsapp(self, **options: Any) -> Any:
        """Start a WhatsApp Cloud API."""
        return self.start(WhatsApp(**options))

    def webhook(self, **options: Any) -> Any:
        """Start a service behind a signed web hook."""
        return self.start(SignedWebhook(**options))

    def llm(self, **options: Any) -> Any:
        """Start an LLM endpoint."""
        return self.start(LlmEndpoint(**options))

    def faults(self, upstream: str, *rules: Rule, seed: int = 0) -> Any:
        """Start a fault proxy in front of an address."""
        return self.start(FaultProxy(upstream, plan=Plan(rules, seed=seed)))

    def start(self, one: Listening) -> Any:
        """Start anything that listens."""
        self._thread.run(one.start())
        self._open.append(one)
        return Plain(one, self._thread)
