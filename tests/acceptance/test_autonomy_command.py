"""`understudy autonomy` and `/v1/autonomy` beside a running server: a slice earns, a lead confirms, somebody stops it."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.cli.main import main

QUICK = """
[autonomy.topics.gifts]
risk_max = 0.3
severe_max = 0.3
"""
TOML = {
    "UNDERSTUDY__AUTONOMY__SENSITIVITY": "1.0",
    "UNDERSTUDY__AUTONOMY__DAYS_MIN": "0",
    "UNDERSTUDY__AUTONOMY__REVIEWERS_MIN": "1",
}
SOURCE = {"id": "gifts", "text": "A gift card arrives within ten minutes."}


@pytest.fixture(scope="module")
def product(serve: Callable[..., Any]) -> Any:
    return serve(more=QUICK, environment=TOML)


class Lead:
    """Whoever stands at the command line, beside a server."""

    def __init__(self, product: Any, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder: Path = product.database.parents[1]
        self._capsys = capsys

    def __call__(self, *words: str, code: int = 0) -> str:
        config = ["--config", str(self.folder / "understudy.toml")]
        self._capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["understudy", "autonomy", *words, *config])
            patch.setenv("COLUMNS", "300")
            for name, value in TOML.items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main()
        said = self._capsys.readouterr()
        assert ended.value.code == code, said
        return said.out if code == 0 else said.err + said.out

    def json(self, *words: str) -> Any:
        return json.loads(self(*words, "--json").splitlines()[-1])

    def slice(self) -> dict[str, Any]:
        (found,) = (one for one in self.json("status")["slices"] if one["topic"] == "gifts")
        return dict(found)


def hand_over(http: Any, number: int) -> dict[str, Any]:
    record = {
        "id": f"g-{number}",
        "conversation_id": f"g-{number}",
        "topic": "gifts",
        "agent_version": "v1",
        "messages": [{"role": "user", "content": "How soon does a gift card arrive?"}],
        "draft": {"text": "A gift card arrives within ten minutes.", "sources": [SOURCE]},
    }
    return dict(http.post("/v1/turns", json=record).json())


def approve(http: Any, hold_id: str) -> None:
    version = http.get(f"/v1/holds/{hold_id}").json()["hold"]["version"]
    answer = http.post(f"/v1/holds/{hold_id}/verdict", json={"action": "approve"}, headers={"If-Match": f'"{version}"'})
    assert answer.status_code == 200, answer.text


def test_a_slice_is_followed_from_its_first_draft_to_the_stop_button(
    product: Any, capsys: pytest.CaptureFixture[str], until: Any
) -> None:
    lead, http = Lead(product, capsys), product.http(product.key())
    assert "No draft has been judged yet" in lead("status")
    assert "no promotion is proposed" in lead("confirm", code=3)
    for number in range(60):
        turn = hand_over(http, number)
        assert turn["decision"] == "hold", turn["reasons"]
        approve(http, turn["hold_id"])
        until(lambda: lead.slice()["awaiting"] == 0)
        if number == 3:
            assert "26 more drafts place the thresholds" in lead("status")
        if lead.slice()["proposal"]:
            break
    until(lambda: lead.slice()["proposal"])
    assert lead.slice()["level"] == "assist"
    assert "confirm probation" in lead("status")
    assert "gifts×api (v1) is at probation" in lead("confirm", "--topic", "gifts", "--by", "Lena")
    assert (lead.slice()["level"], lead.slice()["given_by"]) == ("probation", "evidence")
    assert hand_over(http, 100)["decision"] == "deliver"

    assert "Everything is on hold" in lead("hold", "--why", "odd replies", "--by", "Lena")
    held = hand_over(http, 101)
    assert (held["decision"], [reason["code"] for reason in held["reasons"]]) == ("hold", ["autonomy_on_hold"])
    assert "ON HOLD" in lead("status")
    assert "goes on as it stood" in lead("resume")
    assert hand_over(http, 102)["decision"] == "deliver"

    assert "each is exactly what is in force" in lead("verify")
    assert lead.json("verify")["faults"] == []
    assert "Begun anew: gifts×api (v1)" in lead("restart", "--topic", "gifts")
    assert hand_over(http, 103)["decision"] == "hold"


def test_the_same_by_http(product: Any) -> None:
    http = product.http(product.key(name="Lena"))
    stopped = http.post("/v1/autonomy/hold", json={"topic": "stores", "why": "a drill"}).json()
    (stop,) = stopped["stops"]
    assert (stop["topic"], stop["channel"], stop["by"], stop["why"]) == ("stores", "*", "Lena", "a drill")
    assert http.post("/v1/autonomy/resume", json={"topic": "stores"}).json()["stops"] == []
    assert http.post("/v1/autonomy/resume", json={"topic": "stores"}).status_code == 404
    assert http.post("/v1/autonomy/confirm", json={}).status_code == 409
    assert http.post("/v1/autonomy/decline", json={}).status_code == 409
    assert http.post("/v1/autonomy/restart", json={"topic": "nothing"}).status_code == 404
    assert http.post("/v1/autonomy/hold", json={"topics": "stores"}).status_code == 422


def test_a_hold_on_what_no_draft_came_for_says_so(product: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lead, http = Lead(product, capsys), product.http(product.key())
    hand_over(http, 200)
    assert re.search(r"\d+ await a verdict, the oldest holds up the rest", lead("status"))
    said = lead("hold", "--topic", "gift", "--channel", "api")
    assert "gift×api is on hold" in said
    assert "No draft of gift×api has come yet, so it stops nothing now; there are gifts×api." in said
    assert "has come yet" not in lead("hold", "--topic", "gifts")
    assert "has come yet" not in lead("hold")
    for words in (("--topic", "gift", "--channel", "api"), ("--topic", "gifts"), ()):
        lead("resume", *words)


def test_wrong_words_are_told(product: Any, capsys: pytest.CaptureFixture[str]) -> None:
    lead = Lead(product, capsys)
    assert "need a name, or *" in lead("hold", "--topic", "", code=3)
    assert "is not on hold" in lead("resume", "--topic", "nothing", code=3)
