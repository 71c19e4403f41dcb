"""The fault proxy: each fault as a client meets it, and nothing else in between."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import getproxies

import httpx2
import pytest
from aiohttp import web

from understudy.testing.fakes import Fakes
from understudy.testing.fault_proxy import DRIP_S
from understudy.testing.faults import WORDS, Fault, Rule
from understudy.testing.listening import Listening
from understudy.testing.names import Names, is_here

SAID = {"id": 7, "state": "open", "owner": {"name": "Ada"}}


class Upstream(Listening):
    """Says the same to everybody, and remembers who asked."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[tuple[str, str, bytes, str | None]] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append((request.method, request.raw_path, await request.read(), request.headers.get("x-own")))
        return web.json_response(SAID, status=201, headers={"x-theirs": "1"})


@pytest.fixture(scope="module")
def fakes() -> Iterator[Fakes]:
    with Fakes() as fakes:
        yield fakes


@pytest.fixture
def upstream(fakes: Fakes) -> Any:
    return fakes.start(Upstream())


def asked(url: str, timeout_s: float = 5.0) -> httpx2.Response:
    return httpx2.post(f"{url}/a%2Fb?x=1", content=b"body", headers={"x-own": "2"}, timeout=timeout_s)


def test_without_rules_everything_passes_as_it_is(fakes: Fakes, upstream: Any) -> None:
    answer = asked(fakes.faults(upstream.url).url)
    assert (answer.status_code, answer.json(), answer.headers["x-theirs"]) == (201, SAID, "1")
    assert upstream.asked == [("POST", "/a%2Fb?x=1", b"body", "2")]


@pytest.mark.parametrize("reaches", [0.0, 1.0])
def test_no_answer_comes(fakes: Fakes, upstream: Any, reaches: float) -> None:
    proxy = fakes.faults(upstream.url, Rule(fault=Fault.TIMEOUT, reaches=reaches))
    with pytest.raises(httpx2.ReadTimeout):
        asked(proxy.url, 0.5)
    assert len(upstream.asked) == reaches
    assert [one.fault for one in proxy.passed] == [Fault.TIMEOUT]


def test_a_500_and_a_429_that_says_when(fakes: Fakes, upstream: Any) -> None:
    assert asked(fakes.faults(upstream.url, Rule(fault=Fault.ERROR)).url).status_code == 500
    upstream.asked.clear()
    limited = asked(fakes.faults(upstream.url, Rule(fault=Fault.RATE_LIMIT, retry_after_s=7)).url)
    assert (limited.status_code, limited.headers["retry-after"], upstream.asked) == (429, "7", [])


def test_the_answer_drips(fakes: Fakes, upstream: Any) -> None:
    proxy = fakes.faults(upstream.url, Rule(fault=Fault.DRIP))
    began = time.monotonic()
    with httpx2.stream("POST", proxy.url, content=b"", timeout=60) as answer:
        bytes_seen = [piece for piece, _ in zip(answer.iter_raw(), range(3), strict=False)]
    assert time.monotonic() - began >= DRIP_S
    assert len(bytes_seen[0]) == 1


@pytest.mark.parametrize("fault", [Fault.RESET, Fault.DNS])
def test_the_connection_is_reset(fakes: Fakes, upstream: Any, fault: Fault) -> None:
    with pytest.raises((httpx2.ReadError, httpx2.RemoteProtocolError, httpx2.WriteError)):
        asked(fakes.faults(upstream.url, Rule(fault=fault, reaches=0.0)).url)
    assert upstream.asked == []


def test_it_is_a_reset_and_not_an_orderly_end(fakes: Fakes, upstream: Any) -> None:
    proxy = fakes.faults(upstream.url, Rule(fault=Fault.RESET))
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=60) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_the_answer_breaks_off(fakes: Fakes, upstream: Any) -> None:
    with pytest.raises(httpx2.RemoteProtocolError):
        asked(fakes.faults(upstream.url, Rule(fault=Fault.PARTIAL)).url)


def test_the_answer_is_no_json_drifts_or_is_empty(fakes: Fakes, upstream: Any) -> None:
    broken = asked(fakes.faults(upstream.url, Rule(fault=Fault.MALFORMED)).url)
    assert broken.status_code == 201
    with pytest.raises(ValueError, match=r"char|Expecting"):
        broken.json()
    drifted = asked(fakes.faults(upstream.url, Rule(fault=Fault.DRIFT)).url)
    assert drifted.json() != SAID
    empty = asked(fakes.faults(upstream.url, Rule(fault=Fault.EMPTY)).url)
    assert (empty.status_code, empty.content) == (200, b"")


def test_rules_can_be_changed_and_lifted_while_it_runs(fakes: Fakes, upstream: Any) -> None:
    proxy = fakes.faults(upstream.url, Rule(fault=Fault.ERROR))
    assert asked(proxy.url).status_code == 500
    proxy.lift()
    assert asked(proxy.url).status_code == 201
    assert proxy.plan.struck == {Fault.ERROR: 1}


def test_a_dependency_that_is_gone_is_a_502(fakes: Fakes) -> None:
    assert asked(fakes.faults("http://127.0.0.1:9").url).status_code == 502


# --- names


def test_a_name_stands_in_fails_and_comes_back() -> None:
    fails = False
    with Names(only_here=True) as names:
        names.stand_in("Agent.fault.test", fails=lambda: fails)
        assert socket.getaddrinfo("agent.fault.test", 80, type=socket.SOCK_STREAM)[0][4] == ("127.0.0.1", 80)
        fails = True
        with pytest.raises(socket.gaierror, match="made to fail"):
            socket.getaddrinfo("agent.fault.test", 80)
        with pytest.raises(socket.gaierror, match="outside"):
            socket.getaddrinfo("api.openai.com", 443)
        assert names.refused == ["api.openai.com"]
        assert socket.getaddrinfo("localhost", 80)
    assert socket.getaddrinfo.__module__ == "socket"


def test_no_way_leads_through_a_proxy_of_the_environment_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    with Names():
        assert getproxies() == {}
    assert getproxies() == {"http": "http://127.0.0.1:9", "https": "http://127.0.0.1:9"}


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.7", True),
        ("[::1]", True),
        ("shop.example", True),
        ("a.fault.test.", True),
        ("api.openai.com", False),
        ("10.0.0.1", False),
        ("testing.com", False),
    ],
)
def test_only_this_machine_and_nobodys_names_are_here(host: str, here: bool) -> None:
    assert is_here(host) is here


def test_every_fault_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "testing.md").read_text(encoding="utf-8")
    assert [fault for fault in Fault if f"| `{fault.value}` | {WORDS[fault]}" not in page] == []
