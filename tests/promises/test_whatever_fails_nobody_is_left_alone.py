"""A promise: whatever fails around the product, every customer has a reply, an approved reply or a person in time, and nothing is lost, doubled or out of order.

Short profiles, one for each fault, on every dependency at once; a run that fails prints its seed. All cells, fault by dependency: `./dev bench faults`.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from understudy.chaos.profile import parsed
from understudy.chaos.running import as_json, bundled_settings, run
from understudy.testing.faults import Fault

SEED = 7
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


def played(folder: Path, *, fault: str, on: str = "*", share: float = 0.7, seed: int = SEED) -> Any:
    profile = parsed(QUICK.format(fault=fault, on=on, share=share), "quick")
    played = asyncio.run(run(profile, bundled_settings(), folder, folder, seed=seed))
    sys.stdout.write(f"seed {seed}: {json.dumps(as_json(played.result), indent=1)}\n")  # shown where a test fails
    return played.result, played.stage


@pytest.mark.slow
@pytest.mark.parametrize("fault", list(Fault))
def test_whatever_fails_nobody_is_left_alone(fault: Fault, tmp_path: Path) -> None:
    result, stage = played(tmp_path, fault=fault.value)
    assert result.was_struck
    assert result.wrong == ()
    assert result.is_safe
    assert result.messages == 16
    assert result.unknown_hosts == ()
    assert set(result.struck) == set(stage.dependencies)


def test_a_stage_reaches_nothing_outside_and_leaves_the_configuration_as_it_was(tmp_path: Path) -> None:
    settings = bundled_settings()
    before = settings.model_dump_json()
    result, _ = played(tmp_path, fault="error", on="agents.*", share=1.0)
    assert bundled_settings().model_dump_json() == before == settings.model_dump_json()
    assert (tmp_path / "chaos.db").exists()
    assert result.is_safe


def test_an_empty_200_is_no_receipt_and_nobody_waits_in_vain(tmp_path: Path) -> None:
    result, _ = played(tmp_path, fault="empty", on="channels.*", share=1.0)
    assert result.was_struck
    assert result.wrong == ()
    assert result.is_safe
