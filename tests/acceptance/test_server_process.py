"""The server as a process: it starts where it says, stops in order with its streams, and shares no SQLite file."""

from __future__ import annotations

import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest

from understudy.client.client import Client


@pytest.fixture
def folder(tmp_path: Path, write_folder: Callable[..., Path]) -> Path:
    return write_folder(tmp_path, more='[telemetry]\nlog_level = "INFO"').parent


@pytest.fixture
def key(folder: Path, key_in: Callable[..., str]) -> str:
    return key_in(folder)


def test_server_listens_once_it_says_so(folder: Path, start_server: Any) -> None:
    server = start_server(folder, afresh=True)
    assert httpx2.get(f"{server.url}/readyz").status_code == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_server_with_open_streams_stops_at_once_and_in_order(
    how: signal.Signals, folder: Path, key: str, start_server: Any
) -> None:
    server = start_server(folder, afresh=True)
    token = httpx2.post(f"{server.url}/chat/sessions", json={}).json()["token"]
    begun = [threading.Event(), threading.Event()]

    def listen(path: str, bearer: str, has_begun: threading.Event) -> None:
        headers = {"Authorization": f"Bearer {bearer}"}
        # The stream ends with the server; how the connection closes is of no interest here.
        with contextlib.suppress(httpx2.HTTPError), httpx2.stream("GET", server.url + path, headers=headers) as answer:
            for _ in answer.iter_lines():
                has_begun.set()

    threads = [
        threading.Thread(target=listen, args=("/v1/events", key, begun[0])),
        threading.Thread(target=listen, args=("/chat/events", token, begun[1])),
    ]
    for thread in threads:
        thread.start()
    assert all(one.wait(60) for one in begun)
    ended = server.stop(how)
    assert (ended.code, ended.err) == (0, "")
    for thread in threads:
        thread.join(60)


def test_server_that_waits_for_a_person_stops_at_once_and_answers(
    folder: Path, key: str, start_server: Any, words: Any, until: Any
) -> None:
    server = start_server(folder)
    answers: list[Any] = []

    def ask() -> None:
        with Client(server.url, key) as client:
            answers.append(client.submit_turn(words.record("waits"), wait_s=60))

    thread = threading.Thread(target=ask)
    thread.start()
    with Client(server.url, key) as reviewer:
        until(lambda: list(reviewer.holds()))
    assert server.stop().code == 0
    thread.join(60)
    assert answers[0].state == "held"


def test_what_was_acknowledged_is_answered_by_the_next_process(
    folder: Path, start_server: Any, words: Any, until: Any
) -> None:
    first = start_server(
        folder, env={"UNDERSTUDY__COALESCING__WINDOW_S_MIN": "3", "UNDERSTUDY__COALESCING__WINDOW_S_MAX": "3"}
    )
    token = httpx2.post(f"{first.url}/chat/sessions", json={}).json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    message = {"id": "m-1", "text": words.automatic}
    assert httpx2.post(f"{first.url}/chat/messages", json=message, headers=headers).status_code == 202
    first.process.kill()
    second = start_server(folder)
    with httpx2.Client(base_url=second.url, headers=headers) as visitor:
        until(lambda: len(visitor.get("/chat/messages").json()["messages"]) == 2)
        reply = visitor.get("/chat/messages").json()["messages"][1]
    assert "9:00 to 18:00" in reply["text"]


def test_second_server_on_one_sqlite_file_is_refused(folder: Path, start_server: Any, understudy: Any) -> None:
    first = start_server(folder)
    second = understudy("serve", "--port", "0", cwd=folder, afresh=True)
    assert second.code == 3
    assert second.out == ""
    assert "another server works on" in second.err
    assert str(folder / "understudy-data" / "understudy.db") in second.err
    assert "PostgreSQL" in second.err
    assert httpx2.get(f"{first.url}/readyz").status_code == 200


def test_file_is_free_again_when_its_server_was_killed(folder: Path, start_server: Any) -> None:
    first = start_server(folder)
    first.process.kill()
    first.process.wait()
    assert httpx2.get(f"{start_server(folder).url}/readyz").status_code == 200


def test_port_in_use_is_named(folder: Path, understudy: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = understudy("serve", "--port", str(port), cwd=folder)
    assert ended.code == 3
    assert f"127.0.0.1:{port}" in ended.err
    assert "--port" in ended.err


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_address_that_is_not_this_machines_is_named(host: str, folder: Path, understudy: Any) -> None:
    ended = understudy("serve", "--port", "0", "--host", host, cwd=folder)
    assert ended.code == 3
    assert host in ended.err


def test_log_at_info_tells_of_turns_and_repeats_no_message(
    folder: Path, start_server: Any, words: Any, until: Any
) -> None:
    server = start_server(folder)
    with httpx2.Client(base_url=server.url) as visitor:
        token = visitor.post("/chat/sessions", json={}).json()["token"]
        visitor.headers["Authorization"] = f"Bearer {token}"
        visitor.post("/chat/messages", json={"id": "m-1", "text": f"{words.automatic} zebra-crossing"})
        visitor.post("/chat/messages", json={"id": "m-2", "text": "x" * 20_001 + "zebra"})
        visitor.post("/chat/messages", content=b'{"id": "m-3", "text": "zebra"')
        until(lambda: len(visitor.get("/chat/messages").json()["messages"]) > 1)
    ended = server.stop()
    assert "turn_decided" in ended.err
    assert "zebra" not in ended.err
    assert "9:00 to 18:00" not in ended.err
    assert token not in ended.err


@pytest.mark.parametrize("form", ["json", "console"])
def test_failure_nobody_foresaw_is_logged_with_its_traceback(form: str, folder: Path) -> None:
    program = (
        "import logging; from understudy.adapters.telemetry.logs import configure; "
        f"configure(form={form!r})\n"
        "def breaks(): raise RuntimeError('that was not foreseen')\n"
        "try: breaks()\n"
        "except RuntimeError as error: logging.getLogger('understudy.web').error('unexpected error', exc_info=error)"
    )
    command = [sys.executable, "-c", program]
    written = subprocess.run(command, check=True, cwd=folder, capture_output=True, text=True).stderr
    if form == "json":
        (line,) = [json.loads(one) for one in written.splitlines()]
        assert line["event"] == "unexpected error"
        written = line["exception"]
    assert "that was not foreseen" in written
    assert "in breaks" in written
