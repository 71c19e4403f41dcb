"""Several processes on one PostgreSQL see each other on the page of health, and what each alone knows."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest

pytestmark = pytest.mark.postgres


def test_processes_see_each_other_and_who_has_gone(house: Any) -> None:
    server, worker = house.start_all(("serve", "--port", "0"), ("work",))
    made = house.must("keys", "create", "Ines", "--scope", "metrics:read", "--json")
    headers = {"Authorization": f"Bearer {json.loads(made)['key']}"}

    def seen() -> dict[int, Any]:
        answer = httpx2.get(f"{house.url}/v1/health", headers=headers, timeout=60)
        assert answer.status_code == 200, answer.text
        health = answer.json()
        return {one["pid"]: one for one in health["processes"]}

    both = house.until(lambda: found if len(found := seen()) == 2 else None)
    assert both[server.pid]["does"] == "serves and works"
    assert both[server.pid]["is_me"] is True
    assert both[worker.pid]["does"] == "works"
    house.write("please give me 0 seconds")
    house.until(lambda: house.answered("please give me 0 seconds"))
    house.until(lambda: sum(agent["tries"] for one in seen().values() for agent in one["knows"]["agents"]) == 1)
    worker.terminate()
    worker.wait(60)
    house.until(lambda: set(seen()) == {server.pid})
