"""A channel over anybody's REST interface, as its shape describes it (`records/rest.py`); it knows no vendor.

Its parts: `rest_verifying` (who sent this), `rest_reading` (what is in it), `rest_writing` (what goes out),
`rest_answers` (what came of it), and `outlet` (the connection).
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
from yarl import URL

from understudy.adapters.channels.outlet import TIMEOUT_S, Outlet, Reader, ahead_of
from understudy.adapters.channels.rest_answers import NotSeen, looked_up, meaning, seen_of
from understudy.adapters.channels.rest_inspecting import inspected
from understudy.adapters.channels.rest_reading import Reading, challenge_of
from understudy.adapters.channels.rest_verifying import verifier
from understudy.adapters.channels.rest_writing import CannotStand, Written, address_of, values_of, written
from understudy.adapters.channels.signing import Signed
from understudy.adapters.channels.webhook_payload import TEXT_CHARS_MAX
from understudy.errors import ConfigurationError, MalformedInput, SignatureInvalid
from understudy.ports.channel import Capabilities, Events, InboundRequest, Inspected, Reached, TakesEvents
from understudy.ports.clock import Clock
from understudy.records.conversation import Inbound
from understudy.records.json_paths import first_text
from understudy.records.outbox import Accepted, OutboxEntry, Rejected, Retry, SendResult, Unknown
from understudy.records.rest import RequestShape, RestShape

INSPECTION_S = 5.0
PACE_WAIT_S_MAX = 2.0
"""A send waits here for its turn under `can.per_minute_max` as long as this; longer, and it comes back later."""


class RestChannel(TakesEvents):
    """A channel as its shape describes it.

    `values` and `credentials` stand for the shape's placeholders; `secrets` sign what comes in, the first is `{secret}`.
    `public_url` is how providers reach this server, for schemes that sign the address. A channel without secrets must
    say `insecure=True`. `instead`: the server that everything goes to in a trial. Raises `ConfigurationError`, naming the channel, the key and what to do.
    """

    def __init__(
        self,
        name: str,
        shape: RestShape,
        *,
        clock: Clock,
        secrets: Sequence[str] = (),
        credentials: Mapping[str, str] | None = None,
        values: Mapping[str, str] | None = None,
        public_url: str | None = None,
        insecure: bool = False,
        chars_max: int | None = None,
        text_chars_max: int = TEXT_CHARS_MAX,
        timeout_s: float = TIMEOUT_S,
        instead: str | None = None,
    ) -> None:
        self.name = name
        self._shape = shape
        self._clock = clock
        self._public_url = public_url
        self._secrets = list(secrets)
        self._credentials = dict(credentials or {})
        self._values = {**(values or {}), **self._credentials, "channel": name, "public_url": public_url or ""}
        self._values["secret"] = secrets[0] if secrets else ""
        _check_names(name, shape, self._values, credentials=self._credentials)
        self._verify = verifier(name, shape.signature, secrets, insecure=insecure)
        self._reading = Reading(shape=shape, own=dict(values or {}), text_chars_max=text_chars_max)
        can = shape.can
        # As its shape declares them.
        self.capabilities = Capabilities(
            honours_keys=can.honours_keys,
            can_look_up=shape.look_up is not None,
            chars_max=chars_max,
            window_s=None if can.window_h is None else can.window_h * 3600,
            keeps_order=can.keeps_order,
        )
        self._outlet = self._outlet_for(shape.send, timeout_s)
        self._asking = None if shape.look_up is None else self._outlet_for(shape.look_up, timeout_s)
        self._probing = None if shape.probe is None else self._outlet_for(shape.probe, timeout_s)
        self._free_at = 0.0
        self._instead = None if instead is None else URL(instead)

    def __repr__(self) -> str:
        return f"RestChannel({self.name!r}, host={self._outlet.host!r}, {'signed' if self._verify else 'insecure'})"

    def parse(self, request: InboundRequest) -> tuple[Inbound, ...]:
        """Verify the request and give its messages; raises `SignatureInvalid` or `MalformedInput` also for one of them."""
        events = self.read(request)
        if events.refused:
            raise MalformedInput(events.refused[0])
        return events.messages

    def read(self, request: InboundRequest) -> Events:
        """Verify the request, answer a handshake, or read every event. Raises as `TakesEvents` says."""
        if request.method == "GET" and self._shape.inbound.form != "query":
            scope = self._reading.scope(request)
            return self._shake_hands("GET", scope) or Events(ignored=("a GET that is no handshake of this channel",))
        if self._verify is not None:
            seen = self._reading.without_payload(request)
            self._verify(self._as_signed(request), seen, request.received_at)
        scope = self._reading.scope(request)
        return self._shake_hands("POST", scope) or self._read_in(scope)

    def scope(self, request: InboundRequest) -> Mapping[str, Any]:
        """All there is to see of a request, for whoever tries a shape; raises `MalformedInput`."""
        return self._reading.scope(request)

    def _read_in(self, scope: Mapping[str, Any]) -> Events:
        """What a request holds whose sender is known."""
        return self._reading.events(scope)

    async def send(self, entry: OutboxEntry) -> SendResult:
        """Send one entry and say what the answer means."""
        limit = self.capabilities.chars_max
        if limit is not None and len(entry.text) > limit:
            return Rejected(reason=f"the reply is {len(entry.text)} characters long, {self.name} takes {limit}")
        try:
            request = written(self._shape.send, self._values | values_of(entry), key_header=self._shape.send.key_header)
        except CannotStand as error:
            return Rejected(reason=str(error))
        if (wait_s := self._wait_for_turn()) > 0:
            if wait_s > PACE_WAIT_S_MAX:
                return Retry(
                    reason=f"{self.name} takes {self._shape.can.per_minute_max} replies a minute", after_s=wait_s
                )
            await self._clock.sleep(wait_s)
        return await self._sent(self._outlet, request, self._meaning)

    async def look_up(self, entry: OutboxEntry) -> SendResult:
        """Ask what became of an entry; `Retry` where the provider never saw it, `Unknown` where it cannot tell."""
        shape = self._shape.look_up
        if shape is None or self._asking is None:
            return Unknown(reason=f"{self.name} cannot be asked what became of a message")
        try:
            request = written(shape, self._values | values_of(entry))
        except CannotStand as error:
            return Unknown(reason=str(error))

        async def read(answer: aiohttp.ClientResponse, _: asyncio.Timeout) -> SendResult:
            return looked_up(shape, await seen_of(answer), entry)

        result = await self._sent(self._asking, request, read)
        if isinstance(result, NotSeen):
            return Retry(reason=result.reason)
        if isinstance(result, Retry):  # The question did not get through; of the message that says nothing.
            return Unknown(reason=result.reason)
        return result

    async def check(self) -> Reached:
        """Ask the provider by a request that changes nothing; raises `ConfigurationError`."""
        looked_at = await self._inspected()
        if self._shape.probe is None or self._probing is None:
            says = f"{self._outlet.host} offers nothing that can be asked without sending"
            return Reached(says=says, inspected=looked_at)
        outlet, shape = self._probing, self._shape.answer.model_copy(update={"provider_id": []})
        ahead: list[float | None] = []

        async def read(answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> SendResult:
            ahead.append(ahead_of(answer.headers.get("date"), self._clock.now()))
            return await meaning(shape, outlet, answer, deadline)

        result = await self._sent(outlet, written(self._shape.probe, self._values), read)
        if isinstance(result, Accepted):
            says = f"{outlet.host} lets this channel in"
            return Reached(says=says, clock_ahead_s=ahead[0] if ahead else None, inspected=looked_at)
        raise ConfigurationError(f"channel {self.name!r}: {result.reason}; compare its credentials with the provider's")

    async def _inspected(self) -> tuple[Inspected, ...]:
        """What the provider says of how this channel is set up there."""
        if not self._values["public_url"]:
            return ()
        return await inspected(
            self._shape.inspections,
            values=self._values,
            secrets=self._secrets,
            outlet_for=lambda shape: self._outlet_for(shape, INSPECTION_S),
            ask=self._sent,
        )

    async def close(self) -> None:
        """Close the connections to the provider."""
        for outlet in (self._outlet, self._asking, self._probing):
            if outlet is not None:
                await outlet.close()

    def _outlet_for(self, shape: RequestShape, timeout_s: float) -> Outlet:
        address = address_of(self.name, shape, self._values)
        keys = self._shape.can.honours_keys
        return Outlet(address, clock=self._clock, timeout_s=timeout_s, honours_keys=keys)

    def _shake_hands(self, method: str, scope: Mapping[str, Any]) -> Events | None:
        handshake = self._reading.handshake(method, scope)
        if handshake is None:
            return None
        if handshake.token is not None:
            told = (first_text([handshake.token], scope) or "").encode("utf-8", "replace")
            ours = self._credentials.get(handshake.credential or "", "").encode()
            if not (ours and hmac.compare_digest(told, ours)):
                raise SignatureInvalid(
                    f"the handshake does not repeat {handshake.credential}: give the provider the same as this channel"
                )
        return Events(say=challenge_of(handshake, scope), ignored=("a handshake, which was answered",))

    def _as_signed(self, request: InboundRequest) -> Signed:
        url = request.url
        if self._public_url is not None:
            public, asked = urlsplit(self._public_url), urlsplit(url)
            url = urlunsplit((public.scheme, public.netloc, public.path.rstrip("/") + asked.path, asked.query, ""))
        return Signed(headers=request.headers, body=request.body, method=request.method, url=url)

    def _wait_for_turn(self) -> float:
        """Take the next place under the rate; the seconds until it. A place too far away is not taken."""
        per_minute = self._shape.can.per_minute_max
        if per_minute is None:
            return 0.0
        now = self._clock.now().timestamp()
        wait_s = max(self._free_at - now, 0.0)
        if wait_s <= PACE_WAIT_S_MAX:
            self._free_at = max(self._free_at, now) + 60 / per_minute
        return wait_s

    async def _sent(self, outlet: Outlet, request: Written, read: Reader) -> SendResult:
        url = URL(request.url, encoded=True)
        if self._instead is not None:
            origin = f"{self._instead.scheme}://{self._instead.authority}"
            url = URL(origin + url.raw_path_qs, encoded=True)
        return await outlet.send(request.method, url, headers=request.headers, body=request.body, read=read)

    async def _meaning(self, answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> SendResult:
        return await meaning(self._shape.answer, self._outlet, answer, deadline)


def _check_names(name: str, shape: RestShape, values: Mapping[str, str], *, credentials: Mapping[str, str]) -> None:
    unknown = sorted(shape.unknown_placeholders(values))
    if unknown:
        raise ConfigurationError(
            f"channel {name!r}: {', '.join('{' + one + '}' for one in unknown)} stands for nothing; "
            "give it in values or credentials, or correct the template"
        )
    if not values["public_url"] and "public_url" in shape.send.wanted():
        raise ConfigurationError(
            f"channel {name!r} tells its provider where to report to: set server.public_url to this server's address"
        )
    missing = [one.credential for one in shape.handshakes if one.credential and not credentials.get(one.credential)]
    if missing:
        raise ConfigurationError(
            f"channel {name!r}: its handshake needs the credential {missing[0]!r}; choose any text and give both sides the same"
        )
