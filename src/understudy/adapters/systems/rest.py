"""A system of record over anybody's REST interface, as its shape describes it (`records/systems.py`); it knows no vendor.

Its parts: `asking` (the request, who asks, what broke), `consulting` (what an answer to a look-up says), `ordering` (what
an answer to a write means).
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from itertools import islice
from typing import Final
from urllib.parse import urlsplit

import httpx2

from understudy.adapters.systems.asking import Answered, Asking, Broken, NotAsked
from understudy.adapters.systems.consulting import told
from understudy.adapters.systems.ordering import meaning, pruned, seen_again
from understudy.errors import ConfigurationError
from understudy.ports.channel import Reached
from understudy.ports.clock import Clock
from understudy.ports.system import Found, Untold, Witness
from understudy.ports.tokens import TokenSource
from understudy.records.facts import About
from understudy.records.outbox import Accepted, Rejected, Retry, SendResult, Unknown
from understudy.records.rest import RequestShape
from understudy.records.systems import OF_THE_CUSTOMER, OF_THE_ORDER, Known, Order, SystemShape, Write
from understudy.rest_writing import CannotStand, url_of, written

WRITE_WITHIN_S: Final = 20.0
CHECK_WITHIN_S: Final = 8.0
ASKED_MAX: Final = 4
"""No more requests are made for one look-up."""


class RestSystem:
    """Keeps `ports.system.System`. `values` and `credentials` stand for the shape's placeholders; `witness` is shown what
    look-ups are answered.

    Raises `ConfigurationError`, naming the system, the key and what to do.
    """

    def __init__(
        self,
        name: str,
        shape: SystemShape,
        *,
        clock: Clock,
        values: Mapping[str, str] | None = None,
        credentials: Mapping[str, str] | None = None,
        tokens: TokenSource | None = None,
        witness: Witness | None = None,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = name
        self.shape = shape
        self._clock = clock
        self._witness = witness
        self._values = {**shape.values, **(values or {}), **(credentials or {}), "system": name, "access_token": ""}
        _check_names(name, shape, self._values)
        self.host = _check_addresses(name, shape, self._values)
        self._asking = Asking(name, shape.auth, self._values, tokens=tokens, transport=transport)

    def __repr__(self) -> str:
        return f"RestSystem({self.name!r}, host={self.host!r})"

    def can_look_up(self, about: About) -> bool:
        """As its shape says."""
        return self.shape.consults(about) is not None

    def wants(self, about: About) -> Collection[str]:
        """The placeholders of its look-ups that stand for the customer."""
        shape = self.shape.consults(about)
        asked = () if shape is None else shape.ask
        return frozenset(name for one in asked for name in one.wanted()) & OF_THE_CUSTOMER

    async def look_up(self, about: About, known: Known, *, deadline_s: float) -> Found | Untold:
        """Make the first request that can be made, with each value, until something is found."""
        shape = self.shape.consults(about)
        if shape is None:
            return Untold(why="refused", says=f"{self.name} is not configured to be asked for {about}")
        ends = asyncio.get_running_loop().time() + deadline_s
        last: Found | Untold = Untold(why="not_verified", says="nothing it looks people up by is vouched for")
        for ask, values in islice(_ways(shape.ask, known), ASKED_MAX):
            try:
                request = written(ask, {**self._values, **values})
            except CannotStand:
                continue
            left_s = ends - asyncio.get_running_loop().time()
            answer = await self._asking.ask(request, deadline_s=left_s)
            if (
                self._witness is not None
                and isinstance(answer, Answered)
                and answer.is_fine
                and answer.body is not None
            ):
                self._witness(self.name, about, answer.body)
            is_named = bool(ask.wanted() & {"contact_id", "external_id"})
            last = told(shape, answer, known, is_named=is_named, values=self._values)
            if isinstance(last, Untold) or last.items:
                return last
        return last

    def can_write(self, what: Write) -> bool:
        """As its shape says."""
        return self.shape.writes(what) is not None

    def honours_keys(self, what: Write) -> bool:
        """As its shape says."""
        shape = self.shape.writes(what)
        return shape is not None and shape.honours_keys

    def can_find(self, what: Write) -> bool:
        """As its shape says."""
        shape = self.shape.writes(what)
        return shape is not None and shape.find is not None

    async def write(self, order: Order) -> SendResult:
        """Make the request under the order's key, and say what the answer means."""
        shape = self.shape.writes(order.what)
        if shape is None:
            return Rejected(reason=f"{self.name} is not configured to {order.what} tickets")
        values = self._of_order(order)
        try:
            request = written(pruned(shape, values), values, key_header=shape.key_header)
        except CannotStand as error:
            return Rejected(reason=f"{self.name}: {error}")
        answer = await self._asking.ask(request, deadline_s=WRITE_WITHIN_S)
        result = meaning(shape, answer, host=self.host)
        return await self._confirmed(order, result) if shape.confirm and isinstance(result, Accepted) else result

    async def find(self, order: Order) -> SendResult:
        """Ask whether an order was carried out."""
        shape = self.shape.writes(order.what)
        if shape is None or shape.find is None:
            return Unknown(reason=f"{self.name} cannot be asked what became of it")
        try:
            request = written(shape.find, self._of_order(order))
        except CannotStand as error:
            return Unknown(reason=str(error))
        answer = await self._asking.ask(request, deadline_s=WRITE_WITHIN_S)
        result = seen_again(shape.find, answer, order, host=self.host)
        if isinstance(result, Retry) and order.tried_at is not None:
            since_s = (self._clock.now() - order.tried_at).total_seconds()
            if since_s < shape.find.settles_s:
                return Unknown(reason=f"{self.host} may not show it yet")
        return result

    async def _confirmed(self, order: Order, taken: Accepted) -> SendResult:
        """See whether what was taken was done: some systems answer 200 and a sentence that says why not."""
        seen = await self.find(order)
        if isinstance(seen, Retry):
            return Rejected(reason=f"{self.host} took it and did not do it; see whether what it names exists there")
        return taken if isinstance(seen, Accepted) and taken.provider_id is not None else seen

    async def check(self) -> Reached:
        """Ask by a request that changes nothing."""
        if self.shape.probe is None:
            return Reached(says=f"{self.host} offers nothing that can be asked without a customer")
        answer = await self._asking.ask(written(self.shape.probe, self._values), deadline_s=CHECK_WITHIN_S)
        match answer:
            case NotAsked() | Broken():
                raise ConfigurationError(f"system {self.name!r}: {answer.says}")
            case Answered():
                if not answer.is_fine:
                    hint = "compare its credentials and their rights with the system's"
                    raise ConfigurationError(f"system {self.name!r}: {self.host} answered {answer.status}; {hint}")
        return Reached(says=f"{self.host} lets us in", clock_ahead_s=self._ahead_s(answer))

    async def close(self) -> None:
        """Close the connections."""
        await self._asking.close()

    def _ahead_s(self, answer: Answered) -> float | None:
        try:
            return (self._clock.now() - parsedate_to_datetime(answer.headers.get("date", ""))).total_seconds()
        except (ValueError, TypeError):
            return None

    def _of_order(self, order: Order) -> dict[str, str]:
        known = order.known
        return {
            **self._values,
            "key": order.key,
            "ticket": order.ticket or "",
            "subject": order.subject,
            "text": order.text,
            "assignee": order.assignee,
            "email": known.emails[0] if known.emails else "",
            "phone": known.phones[0] if known.phones else "",
            "name": order.name if known.emails else "",  # a requester with a name alone would be somebody new
            "contact_id": known.contact_id or self._values.get("no_contact_id", ""),
            "link": order.link,
            "at": (order.tried_at or self._clock.now()).isoformat(),
        }


def _ways(asks: Sequence[RequestShape], known: Known) -> Iterator[tuple[RequestShape, dict[str, str]]]:
    """Each request that can be made, with each of the customer's addresses that it names."""
    fixed = {
        name: value for name, value in (("contact_id", known.contact_id), ("external_id", known.external_id)) if value
    }
    for ask in asks:
        wanted = ask.wanted() & OF_THE_CUSTOMER
        emails: tuple[str | None, ...] = known.emails if "email" in wanted else (None,)
        phones: tuple[str | None, ...] = known.phones if wanted & {"phone", "phone_digits"} else (None,)
        for email in emails:
            for phone in phones:
                given = dict(fixed)
                given |= {} if email is None else {"email": email}
                given |= {} if phone is None else {"phone": phone, "phone_digits": phone.lstrip("+")}
                if wanted <= given.keys():
                    yield ask, given


def _check_names(name: str, shape: SystemShape, values: Mapping[str, str]) -> None:
    unknown = sorted(shape.unknown_placeholders(values))
    if unknown:
        raise ConfigurationError(
            f"system {name!r}: {', '.join('{' + one + '}' for one in unknown)} stands for nothing; "
            "give it in values or credentials, or correct the template"
        )


def _check_addresses(name: str, shape: SystemShape, values: Mapping[str, str]) -> str:
    """See that no customer chooses the server; returns its name."""
    hosts: list[str] = []
    for request in shape.requests():
        try:
            one, other = (
                url_of(request.url, {**dict.fromkeys(OF_THE_CUSTOMER | OF_THE_ORDER, sample), **values})
                for sample in ("1", "2")
            )
            address = urlsplit(one)
            host, _ = address.hostname, address.port
        except (CannotStand, ValueError) as error:
            raise ConfigurationError(f"system {name!r}: {request.url!r} is no address: {error}") from error
        if address.scheme not in ("http", "https") or not host:
            raise ConfigurationError(f"system {name!r}: {one!r} is no address; write it with its scheme and server")
        if urlsplit(other).netloc != address.netloc:
            raise ConfigurationError(f"system {name!r}: the server in {request.url!r} would be chosen by the customer")
        hosts.append(host)
    if not hosts:
        raise ConfigurationError(
            f"system {name!r} can neither be asked nor told anything; give it a preset, or look-ups"
        )
    return hosts[0]
