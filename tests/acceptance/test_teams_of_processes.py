"""Hand-offs are given to people once, with several servers on one PostgreSQL that all look after them, and while one of them dies."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from itertools import cycle
from typing import Any

import httpx2
import pytest

SERVE = ("serve", "--port", "0")
TEAMS = """
[teams.desk]
members = ["Ada", "Ben"]
capacity = 50

[staffing]
take_within_s = 3600
answer_within_s = 3600
"""
PEOPLE = ("Ada", "Ben")


def asked_for_a_person(number: int) -> str:
    return f"{number} I want to speak to a real person, please"


class Looker:
    """What one server says of who waits, and of what was done about it."""

    def __init__(self, url: str, key: str) -> None:
        self._client = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=60)

    def close(self) -> None:
        self._client.close()

    def given(self) -> dict[str, str]:
        """Whose each hand-off is."""
        items = self._client.get("/v1/teams/waiting").json()["items"]
        return {one["hold_id"]: one["person"] for one in items if one["person"]}

    def done(self, event: str) -> Counter[str]:
        """How often an event happened to each hold."""
        answer = self._client.get("/v1/ledger/entries", params={"event": event, "limit": 200})
        assert answer.status_code == 200, answer.text
        return Counter(entry["body"]["hold"] for entry in answer.json()["items"])


@pytest.mark.slow
@pytest.mark.postgres
def test_two_servers_give_each_hand_off_once_and_one_goes_on_alone(build_house: Callable[..., Any]) -> None:
    house = build_house(more=TEAMS)
    first, second = house.start_all(SERVE, SERVE)
    scopes = ("--scope", "holds:read", "--scope", "ledger:read")
    key = json.loads(house.must("keys", "create", "Ines", *scopes, "--json"))["key"]
    for name in PEOPLE:
        house.must("teams", "here", name, "--hours", "2")
    urls = [house.url_of[first.pid], house.url_of[second.pid]]
    with closing(Looker(urls[1], key)) as looker:
        story(house, looker, urls, first)


def story(house: Any, looker: Looker, urls: list[str], first: Any) -> None:
    for number, url in zip(range(12), cycle(urls), strict=False):
        house.write(asked_for_a_person(number), url=url)
    house.until(lambda: len(looker.given()) == 12)
    first.kill()
    for number in range(12, 18):
        house.write(asked_for_a_person(number), url=urls[1])
    house.until(lambda: len(looker.given()) == 18)
    assert Counter(looker.given().values()) == {"Ada": 9, "Ben": 9}
    assert set(looker.done("staffing.assigned").values()) == {1}
    assert len(looker.done("staffing.assigned")) == 18
    assert not looker.done("staffing.lost")
