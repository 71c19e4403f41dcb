"""The tutorial "Your first turn", its questions and its grant taken from the page, gives what the page says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx2

PAGE = Path(__file__).parents[2] / "docs" / "tutorial" / "first-turn.md"


def ask(url: str, text: str) -> None:
    """Begin a new chat and write into it."""
    with httpx2.Client(base_url=url) as visitor:
        visitor.headers["Authorization"] = f"Bearer {visitor.post('/chat/sessions', json={}).json()['token']}"
        assert visitor.post("/chat/messages", json={"id": "m-1", "text": text}).status_code == 202


def test_each_question_of_the_page_ends_as_the_page_says(
    tmp_path: Path, understudy: Any, start_server: Any, until: Any
) -> None:
    page = PAGE.read_text(encoding="utf-8")
    first, *rest = re.findall(r"^> (.+)$", page, re.MULTILINE)
    (grant,) = re.findall(r"^\[autonomy\]\n(grants = .+)$", page, re.MULTILINE)
    key = understudy("init", "--json", cwd=tmp_path).json()["key"]

    def turns(url: str, count: int) -> list[dict[str, Any]]:
        with httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}) as api:
            found: list[dict[str, Any]] = until(
                lambda: (
                    len(items := [one for one in api.get("/v1/turns").json()["items"] if one["decision"]]) == count
                    and items
                )
            )
        return found

    server = start_server(tmp_path)
    ask(server.url, first)
    (turn,) = turns(server.url, 1)
    assert (turn["state"], turn["topic"], [one["code"] for one in turn["reasons"]]) == (
        "held",
        "stores",
        ["level_assist"],
    )
    (told,) = re.findall(r'"confidence"`, about (0\.\d\d)', page)
    assert f"{turn['confidence']:.2f}" == told
    server.stop()

    config = tmp_path / "understudy.toml"
    text = config.read_text(encoding="utf-8")
    assert text.count("\ngrants = []\n") == 1
    config.write_text(text.replace("\ngrants = []\n", f"\n{grant}\n"), encoding="utf-8")
    server = start_server(tmp_path)
    for number, question in enumerate(rest, 2):
        ask(server.url, question)
        turns(server.url, number)
    ended = turns(server.url, 1 + len(rest))[1:]
    codes = [{one["code"] for one in turn["reasons"]} for turn in ended]
    assert [turn["decision"] for turn in ended] == ["deliver", "hand_off", "hold", "hand_off"]
    assert codes[0] == {"threshold_met", "audited"}
    assert "escalation.wants_person" in codes[1]
    assert "never_auto_topic" in codes[2]
    assert ended[2]["topic"] == "complaints"
    assert codes[3] == {"quality.does_not_know"}
    server.stop()
