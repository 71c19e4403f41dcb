"""Many processes on one PostgreSQL: what dies is taken over, what restarts refuses nobody, and SQLite stays with one.

Limits of an agent are kept by all of them together.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import pytest

WEB = ("serve", "--port", "0", "--web-only")
SERVE = ("serve", "--port", "0")
WORK = ("work",)
TAKEN_OVER_WITHIN_S = 30.0
"""Much less than a draft's deadline and its lease, which is what it would take without renewals; how quick it really is,
a benchmark measures (`./dev bench replicas`)."""


@pytest.mark.parametrize("words", [("serve", "--workers", "2"), ("serve", "--web-only"), ("work",)])
def test_sqlite_refuses_a_second_process_with_a_way_out(
    words: tuple[str, ...], tmp_path: Path, understudy: Callable[..., Any]
) -> None:
    (tmp_path / "understudy.toml").write_text("", encoding="utf-8")
    ended = understudy(*words, cwd=tmp_path)
    assert ended.code == 3
    assert "SQLite takes one process" in ended.err
    assert "PostgreSQL" in ended.err


@pytest.mark.slow
@pytest.mark.postgres
def test_what_a_web_process_takes_in_a_worker_answers(house: Any) -> None:
    web, worker = house.start_all(WEB, WORK)
    house.write("0 seconds")
    house.until(lambda: house.answered("0 seconds"))
    assert house.asked == [(worker.pid, "0 seconds")]
    assert web.poll() is None


@pytest.mark.slow
@pytest.mark.postgres
def test_a_killed_worker_s_turns_are_taken_over_within_seconds(house: Any) -> None:
    _, *workers = house.start_all(WEB, WORK, WORK)
    house.write("until told")
    house.until(lambda: house.asked)
    victim, heir = sorted(workers, key=lambda worker: bool(worker.pid != house.asked[0][0]))
    victim.kill()
    house.until(lambda: len(house.asked) == 2, within_s=TAKEN_OVER_WITHIN_S)
    assert house.asked[1] == (heir.pid, "until told")
    house.tell()
    house.until(lambda: house.answered("until told"))
    assert len(house.sink.texts) == 1


@pytest.mark.slow
@pytest.mark.postgres
def test_a_long_draft_is_asked_for_by_one_process_only(house: Any) -> None:
    house.start_all(WEB, WORK, WORK)
    house.write("8 seconds")  # longer than a lease lasts that nobody renews
    house.until(lambda: house.answered("8 seconds"))
    assert len(house.asked) == 1


@pytest.mark.slow
@pytest.mark.postgres
def test_a_worker_told_to_stop_hands_over_what_takes_too_long(house: Any) -> None:
    _, *workers = house.start_all(WEB, WORK, WORK)
    house.write("until told")
    house.until(lambda: house.asked)
    stopping, heir = sorted(workers, key=lambda worker: bool(worker.pid != house.asked[0][0]))
    stopping.terminate()
    house.until(lambda: len(house.asked) == 2)
    assert house.asked[1] == (heir.pid, "until told")
    assert stopping.wait(TAKEN_OVER_WITHIN_S) == 0
    assert heir.poll() is None


def asked_at_once(house: Any) -> int:
    """How many requests the agent had at once, at most."""
    changes = sorted((noted.at, 1 if noted.what == "began" else -1) for noted in house.log)
    return max(sum(change for _, change in changes[: number + 1]) for number in range(len(changes)))


@pytest.mark.slow
@pytest.mark.postgres
def test_processes_together_keep_the_limit_of_an_agent_at_once(build_house: Callable[..., Any]) -> None:
    house = build_house(agent="at_once_max = 2")
    servers = [house.start(*SERVE) for _ in range(2)]
    urls = [house.url_of[server.pid] for server in servers]
    texts = [f"until told, then 0.1 seconds, {number}" for number in range(10)]
    for number, text in enumerate(texts):
        house.write(text, url=urls[number % 2])
    house.until(lambda: len(house.asked) == 2)
    house.tell()
    house.until(lambda: house.answered(*texts))
    assert {pid for pid, _ in house.asked} == {server.pid for server in servers}
    assert asked_at_once(house) == 2


@pytest.mark.slow
@pytest.mark.postgres
def test_processes_together_keep_the_limit_of_an_agent_by_the_minute(build_house: Callable[..., Any]) -> None:
    house = build_house(agent="per_minute_max = 3", more="[drafting]\nplace_wait_s_max = 0")
    key = house.key()
    servers = [house.start(*SERVE) for _ in range(2)]
    urls = [house.url_of[server.pid] for server in servers]
    for number in range(8):
        house.write(f"0 seconds, {number}", url=urls[number % 2])
    house.until(lambda: len(house.holds(key)) == 5)
    house.until(lambda: len(house.sink.texts) == 3)
    assert len(house.asked) == 3


@pytest.mark.slow
@pytest.mark.postgres
def test_a_rolling_restart_under_load_loses_nothing_and_refuses_nobody(house: Any) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    house.until(lambda: len(house.servers(parent)) == 2)
    before = house.servers(parent)
    is_over = threading.Event()
    written: list[str] = []
    refused: list[str] = []

    def customer(number: int) -> None:
        with httpx2.Client() as client:
            for message in range(10_000):
                if is_over.is_set():
                    return
                text = f"0 seconds, {number}-{message}"
                try:
                    # Every other one on a connection of its own: both kept and new connections meet the restart.
                    house.write(text, client=client if message % 2 else httpx2)
                except (httpx2.HTTPError, AssertionError) as error:
                    refused.append(f"{text}: {error!r}")
                else:
                    written.append(text)
                time.sleep(0.05)

    with ThreadPoolExecutor(4) as customers:
        futures = [customers.submit(customer, number) for number in range(4)]
        with suppress(AssertionError):  # the customers have to be told that it is over
            house.until(lambda: len(written) > 20)
            parent.send_signal(signal.SIGHUP)
            house.until(lambda: not set(before) & set(house.servers(parent)), within_s=120)
            so_far = len(written)
            house.until(lambda: len(written) > so_far + 20)
        is_over.set()
        for future in futures:
            future.result()
    after = house.servers(parent)
    assert not set(before) & set(after)
    assert len(after) == 2
    assert refused == []
    house.until(lambda: house.answered(*written))
    assert [text for text, times in Counter(house.sink.texts).items() if times > 1] == []


@pytest.mark.slow
@pytest.mark.postgres
def test_a_server_that_dies_is_replaced_and_its_turns_go_on(house: Any) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    house.write("until told")
    house.until(lambda: house.asked)
    victim = house.asked[0][0]
    os.kill(victim, signal.SIGKILL)
    house.until(lambda: len(house.asked) == 2, within_s=TAKEN_OVER_WITHIN_S)
    house.tell()
    house.write("0 seconds")
    house.until(lambda: house.answered("until told", "0 seconds"))
    house.until(lambda: len(house.servers(parent)) == 2 and victim not in house.servers(parent))


@pytest.mark.slow
@pytest.mark.postgres
def test_servers_end_with_their_parent(house: Any) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    servers = house.servers(parent)
    parent.kill()
    parent.wait()
    house.until(lambda: not [pid for pid in servers if Path(f"/proc/{pid}").exists()])


@pytest.mark.slow
@pytest.mark.postgres
def test_stopping_the_parent_stops_all_in_order(house: Any) -> None:
    parent = house.start("serve", "--port", "0", "--workers", "2")
    servers = house.servers(parent)
    parent.terminate()
    assert parent.wait(60) == 0
    assert house.err(parent) == ""
    assert not [pid for pid in servers if Path(f"/proc/{pid}").exists()]
