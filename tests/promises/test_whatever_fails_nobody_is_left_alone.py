"""A promise: whatever fails around the product, every customer has a reply, an approved reply or a person in time, and nothing is lost, doubled or out of order.

Short profiles, one for each fault, on every dependency at once; a run that fails prints its seed. All cells, fault by dependency: `./dev bench faults`.
They are played beside each other, each in a process of its own, since most of a run is waiting for time to pass.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import starting
from understudy.chaos.profile import parsed
from understudy.chaos.running import as_json, bundled_settings, run
from understudy.testing.faults import Fault

SEED = 7
RUNS_WITHIN_S = 240.0
QUICK = """
seconds = 4
messages_per_s = 4
deadline_s = 40
[[rules]]
on = "{on}"
fault = "{fault}"
share = {share}
from_s = 0.5
"""


# Plays one profile in a process of its own, and says what came of it.
PROGRAM = """
import asyncio, json, sys
from pathlib import Path
from understudy.chaos.profile import parsed
from understudy.chaos.running import as_json, bundled_settings, run
profile, here = parsed(sys.argv[1], "quick"), Path()
played = asyncio.run(run(profile, bundled_settings(), here, here, seed=int(sys.argv[2])))
print(json.dumps({**as_json(played.result), "dependencies": list(played.stage.dependencies)}))
"""


def played(folder: Path, *, fault: str, on: str = "*", share: float = 0.7, seed: int = SEED) -> Any:
    profile = parsed(QUICK.format(fault=fault, on=on, share=share), "quick")
    played = asyncio.run(run(profile, bundled_settings(), folder, folder, seed=seed))
    sys.stdout.write(f"seed {seed}: {json.dumps(as_json(played.result), indent=1)}\n")  # shown where a test fails
    return played.result


@pytest.fixture(scope="module")
def result_under(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Fault], dict[str, Any]]]:
    """What came of the run under a fault; the runs of all the tests that were chosen go on beside each other."""
    wanted = {item.callspec.params["fault"] for item in request.session.items if "result_under" in item.fixturenames}
    pipe, runs = subprocess.PIPE, {}
    for fault in sorted(wanted):
        profile = QUICK.format(fault=fault.value, on="*", share=0.7)
        command = ["-c", PROGRAM, profile, str(SEED)]
        runs[fault] = starting.start(command, cwd=tmp_path_factory.mktemp("run"), stdout=pipe, stderr=pipe)

    def result(fault: Fault) -> dict[str, Any]:
        out, err = runs[fault].communicate(timeout=RUNS_WITHIN_S)
        assert runs[fault].returncode == 0, err
        sys.stdout.write(f"seed {SEED}: {out}\n{err}")  # shown where a test fails
        return json.loads(out)  # type: ignore[no-any-return]

    yield result
    for process in runs.values():
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("fault", list(Fault))
def test_whatever_fails_nobody_is_left_alone(fault: Fault, result_under: Callable[[Fault], dict[str, Any]]) -> None:
    result = result_under(fault)
    assert result["was_struck"]
    assert result["wrong"] == []
    assert result["is_safe"]
    assert result["messages"] == 16
    assert result["unknown_hosts"] == []
    assert set(result["struck"]) == set(result["dependencies"])


def test_a_stage_reaches_nothing_outside_and_leaves_the_configuration_as_it_was(tmp_path: Path) -> None:
    settings = bundled_settings()
    before = settings.model_dump_json()
    result = played(tmp_path, fault="error", on="agents.*", share=1.0)
    assert bundled_settings().model_dump_json() == before == settings.model_dump_json()
    assert (tmp_path / "chaos.db").exists()
    assert result.is_safe


def test_an_empty_200_is_no_receipt_and_nobody_waits_in_vain(tmp_path: Path) -> None:
    result = played(tmp_path, fault="empty", on="channels.*", share=1.0)
    assert result.was_struck
    assert result.wrong == ()
    assert result.is_safe
