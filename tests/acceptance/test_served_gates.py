"""A gate that a server was asked for: acknowledged at once, watched while it runs, decided in the end, or stopped."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from understudy.records.access import Scope

OPEN_UNTIL = "Our shop is open from Monday to Sunday, 8:00 to 20:00."
CASE = (
    "id: c{number}\nrule: {rule}\nmessages: [{{user: What are your opening hours?}}]\ngraders: [{{regex: '{wants}'}}]\n"
)


def write_suite(folder: Path, *, cases: int, wants: str, rule: str = "ordinary") -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(cases):
        text = CASE.format(number=number, rule=rule, wants=wants)
        (folder / f"c{number}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def suites(tmp_path: Path) -> Path:
    """Where the suites are; a test writes them before it asks for a gate."""
    return tmp_path / "suites"


@pytest.fixture
def product(serve: Callable[..., Any], write_folder: Callable[..., Path], suites: Path, tmp_path: Path) -> Any:
    """A server whose agent has a second version with other documents, and which has to pass the suite `hours`."""
    write_folder(tmp_path / "second")
    hours = tmp_path / "second" / "knowledge" / "opening-hours.md"
    hours.write_text(f"---\ntitle: Opening hours\ntopic: stores\n---\n{OPEN_UNTIL}\n", encoding="utf-8")
    more = f"""
[agents.faq-2]
kind = "faq"
knowledge = "{tmp_path / "second" / "knowledge"}"
release_of = "faq"
[evaluation]
suites = "{suites}"
cases_min = 3
[releases]
suites = ["hours"]
"""
    running = serve(more=more)
    answer = running.http(running.key(name="Ines")).post("/v1/releases", json={"entry": "faq"})
    assert (answer.status_code, answer.json()["stage"]) == (201, "full"), "the first release needs no gate"
    return running


def decided(http: Any, release: str, until: Callable[..., Any]) -> Any:
    def look() -> Any:
        found = http.get(f"/v1/releases/{release}").json()
        return found if found["gate"]["state"] == "decided" else None

    return until(look, within_s=60)


def test_a_gate_is_acknowledged_at_once_and_decided_by_the_server(
    product: Any, suites: Path, until: Callable[..., Any]
) -> None:
    write_suite(suites / "hours", cases=4, wants="18:00", rule="zero_tolerance")
    http = product.http(product.key(name="Ines"))
    began = time.monotonic()
    answer = http.post("/v1/releases", json={"entry": "faq-2", "why": "longer hours"})
    assert answer.status_code == 202
    assert time.monotonic() - began < 5.0
    told = answer.json()
    assert (told["release"]["stage"], told["release"]["gate"]) == ("created", None)
    assert told["gate"]["state"] in ("pending", "running")
    assert [(run["suite"], run["planned"]) for run in told["gate"]["runs"]] == [("hours", 40), ("hours", 160)]
    release = told["release"]["id"]
    found = decided(http, release, until)
    assert (found["release"]["stage"], found["gate"]["result"]["verdict"]) == ("created", "fail")
    assert found["gate"]["result"]["blocked_by"] == ["c0"] or len(found["gate"]["result"]["blocked_by"]) >= 1
    assert found["gate"]["done"] < 60, "once it is decided nothing more is begun"
    detail = http.get(f"/v1/releases/{release}/gate").json()
    assert (detail["result"]["id"], detail["margin"]) == (found["release"]["gate"]["id"], 0.03)
    assert {case["case"] for case in detail["cases"] if case["blocks"]} == set(detail["result"]["blocked_by"])
    broken = next(case for case in detail["cases"] if case["blocks"])
    assert (broken["rule"], broken["asked"]) == ("zero_tolerance", "What are your opening hours?")
    assert (broken["baseline"]["failed"], broken["baseline"]["made"]) == (0, 10)
    assert "18:00" in broken["baseline"]["reply"]
    assert broken["candidate"]["failed"] == broken["candidate"]["made"] >= 1
    assert "20:00" in broken["candidate"]["reply"]
    runs = [run["id"] for run in found["gate"]["runs"]]
    assert [detail["baseline_run"], detail["candidate_run"]] == runs
    write_suite(suites / "hours", cases=4, wants="8:00", rule="zero_tolerance")
    changed = http.get(f"/v1/releases/{release}/gate").json()["cases"]
    assert {case["asked"] for case in changed} == {None}, "a suite that is another by now tells nothing of those cases"
    write_suite(suites / "hours", cases=4, wants="18:00", rule="zero_tolerance")
    assert http.get(f"/v1/releases/{found['gate']['result']['baseline']}/gate").status_code == 404
    (agent,) = http.get("/v1/releases").json()
    assert agent["unreleased"] == []
    assert (
        "did not pass its gate"
        in http.post(
            f"/v1/releases/{release}/promote", json={}, headers={"If-Match": f'"{found["release"]["version"]}"'}
        ).json()["detail"]
    )
    again = http.post("/v1/releases", json={"entry": "faq-2"})
    assert again.status_code == 202
    assert decided(http, release, until)["gate"]["done"] == found["gate"]["done"], "what was tried is not tried again"


def test_a_release_goes_nowhere_while_its_gate_runs_and_the_gate_can_be_stopped(
    product: Any, suites: Path, until: Callable[..., Any]
) -> None:
    write_suite(suites / "hours", cases=4, wants="open")
    http = product.http(product.key(name="Ines"))
    product.app.spread.drain()  # nobody takes its trials
    release = http.post("/v1/releases", json={"entry": "faq-2"}).json()["release"]

    def post(what: str) -> Any:
        return http.post(
            f"/v1/releases/{release['id']}/{what}",
            json={"why": "no time"},
            headers={"If-Match": f'"{release["version"]}"'},
        )

    for what in ("promote", "waive"):
        refused = post(what)
        assert (refused.status_code, "not decided yet" in refused.json()["detail"]) == (409, True), refused.text
    stopped = http.delete(f"/v1/releases/{release['id']}/gate")
    assert (stopped.status_code, stopped.json()["gate"]["state"]) == (200, "given_up")
    assert http.delete(f"/v1/releases/{release['id']}/gate").status_code == 409
    assert http.post("/v1/releases", json={"entry": "faq-2"}).json()["gate"]["state"] == "pending"
    assert post("give-up").json()["stage"] == "retired"
    states = [run["state"] for run in http.get("/v1/evaluations/runs").json()]
    assert states == ["given_up"] * 2


def test_a_suite_can_be_run_against_a_version_and_its_trials_read(
    product: Any, suites: Path, until: Callable[..., Any]
) -> None:
    write_suite(suites / "words", cases=3, wants="18:00")
    http = product.http(product.key(name="Ines"))
    asked = http.post("/v1/evaluations/runs", json={"suite": "words", "release": "faq-2", "trials": 5})
    assert (asked.status_code, asked.json()["planned"], asked.json()["asked_by"]) == (202, 15, "Ines")
    name = asked.json()["id"]
    until(lambda: http.get(f"/v1/evaluations/runs/{name}").json()["state"] == "ended")
    run = http.get(f"/v1/evaluations/runs/{name}").json()
    assert (run["done"], run["errors"], run["under_way"]) == (15, 0, 0)
    first = http.get(f"/v1/evaluations/runs/{name}/trials", params={"limit": 10}).json()
    rest = http.get(f"/v1/evaluations/runs/{name}/trials", params={"limit": 10, "cursor": first["next"]}).json()
    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (10, 5, None)
    assert {trial["loss"] for trial in first["items"]} == {1.0}
    assert http.delete(f"/v1/evaluations/runs/{name}").status_code == 409


def test_a_run_asked_for_again_under_its_key_is_the_same_run(product: Any, suites: Path) -> None:
    write_suite(suites / "words", cases=3, wants="18:00")
    http = product.http(product.key(name="Ines"))

    def ask(key: str, **more: Any) -> Any:
        body = {"suite": "words", "release": "faq", **more}
        return http.post("/v1/evaluations/runs", json=body, headers={"Idempotency-Key": key})

    first, again, other = ask("k-1"), ask("k-1"), ask("k-2")
    assert (first.status_code, again.status_code) == (202, 202)
    assert again.json()["id"] == first.json()["id"] != other.json()["id"]
    assert ask("k-1", trials=7).status_code == 422


def test_what_cannot_be_asked_for_is_refused_by_name(product: Any, suites: Path) -> None:
    write_suite(suites / "words", cases=3, wants="18:00")
    http = product.http(product.key(name="Ines"))

    def ask(**body: Any) -> tuple[int, str]:
        answer = http.post("/v1/evaluations/runs", json={"suite": "words", "release": "faq", **body})
        return answer.status_code, answer.json()["detail"]

    assert ask(release="faq-9") == (404, ask(release="faq-9")[1])
    assert "faq-2" in ask(release="faq-9")[1]
    for wrong, status in ((ask(suite="nothing"), 400), (ask(suite="../words"), 400), (ask(trials=0), 422)):
        assert wrong[0] == status, wrong
    assert http.get("/v1/evaluations/runs/run-nothing").status_code == 404
    assert http.get("/v1/evaluations/runs/run-nothing/trials").status_code == 404
    missing = http.post("/v1/releases", json={"entry": "faq-2"})
    assert (missing.status_code, "the gate cannot be run" in missing.json()["detail"]) == (409, True)
    assert http.get("/v1/releases").json()[0]["releases"][0]["release"]["stage"] == "full", "nothing was written down"
    reader = product.http(product.key(Scope.RELEASES_READ))
    assert reader.get("/v1/evaluations/runs").status_code == 200
    assert reader.post("/v1/evaluations/runs", json={"suite": "words", "release": "faq"}).status_code == 403


def test_the_command_line_has_the_server_do_it(
    product: Any, suites: Path, understudy_here: Callable[..., Any], until: Callable[..., Any]
) -> None:
    write_suite(suites / "hours", cases=4, wants="18:00", rule="zero_tolerance")

    def run(*words: str) -> Any:
        return understudy_here("release", *words, cwd=product.database.parents[1])

    ended = run("create", "faq-2", "--server", "--by", "Ines")
    assert ended.code == 1, ended
    assert "the gate says fail" in ended.out
    made = product.app.store.read_now(lambda tx: tx.spread.listed(limit=10))
    assert {one.asked_by for one in made} == {"Ines"}
    assert "the gate says fail" in run("show", "faq-2").out
    product.app.spread.drain()
    write_suite(suites / "hours", cases=5, wants="open")
    ended = run("create", "faq-2", "--server", "--no-wait")
    assert (ended.code, "its gate is pending: 0 of at most 250 trials" in ended.out) == (2, True), ended
    assert "its gate is pending" in run("show", "faq-2").out
    assert run("create", "faq-2", "--no-wait").code == 3
    assert run("create", "faq-2", "--server", "--waive-gate", "--why", "x").code == 3


def test_a_server_with_other_files_makes_no_trial_and_says_so_everywhere(
    product: Any, suites: Path, understudy_here: Callable[..., Any], until: Callable[..., Any], tmp_path: Path
) -> None:
    write_suite(suites / "hours", cases=4, wants="18:00")
    write_suite(tmp_path / "elsewhere" / "hours", cases=4, wants="20:00")
    folder = product.database.parents[1]
    env = {"UNDERSTUDY__EVALUATION__SUITES": str(tmp_path / "elsewhere")}
    assert understudy_here("release", "create", "faq-2", "--server", "--no-wait", cwd=folder, env=env).code == 2
    http = product.http(product.key(name="Ines"))

    def refused() -> str | None:
        return next((run["refused"] for run in http.get("/v1/evaluations/runs").json() if run["refused"]), None)

    assert "has other cases" in until(refused)
    assert {run["done"] for run in http.get("/v1/evaluations/runs").json()} == {0}
    assert "left to others: suite 'hours'" in understudy_here("release", "show", "faq-2", cwd=folder).out
    assert "left to others: suite 'hours'" in understudy_here("doctor", cwd=folder).out
    told = http.get("/v1/ledger", params={"limit": 1000}).json()["items"]
    assert [entry["body"]["code"] for entry in told if entry["event"] == "run.refused"] == ["suite-differs"]
    answer = http.post("/v1/releases", json={"entry": "faq-2"})
    assert [run["state"] for run in answer.json()["gate"]["runs"]] == ["open", "waiting"], "of the files that are here"
