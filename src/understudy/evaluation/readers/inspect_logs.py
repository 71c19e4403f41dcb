"""Logs of Inspect AI (`.json`, `.eval`) as trials; it reads what is there and runs nothing.

A case is a sample by its id, a trial an epoch (counted from 1 there, from 0 here). A score is "C", "P" or "I", a number
in [0, 1], or true and false; with several scorers the worst counts. A sample with an error, or without any score, is an
error and says nothing of the agent.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any, Final

from understudy.errors import MalformedInput
from understudy.records.suite import Trial

_LETTERS: Final = {"C": 0.0, "P": 0.5, "I": 1.0, "N": 1.0}


def trials_of(data: dict[str, Any], place: str) -> tuple[Trial, ...]:
    """The trials of a whole log; raises `MalformedInput`."""
    samples = data.get("samples")
    if not isinstance(samples, list):
        raise MalformedInput(f"{place}: `samples` must be a list; is it a log of Inspect that holds its samples?")
    return tuple(_trial(sample, f"{place}, sample {number}") for number, sample in enumerate(samples, start=1))


def from_archive(path: Path) -> tuple[Trial, ...]:
    """The trials of a `.eval` file; raises `MalformedInput`."""
    found = []
    with zipfile.ZipFile(path) as archive:
        for name in sorted(archive.namelist()):
            if name.startswith("samples/") and name.endswith(".json"):
                try:
                    sample = json.loads(archive.read(name))
                except (ValueError, NotImplementedError, RuntimeError) as error:
                    raise MalformedInput(f"{path}, {name}: cannot be read: {error}") from error
                found.append(_trial(sample, f"{path}, {name}"))
    if not found:
        raise MalformedInput(f"{path} holds no samples/; is it a log of Inspect?")
    return tuple(found)


def _trial(sample: Any, place: str) -> Trial:
    if not isinstance(sample, dict) or "id" not in sample:
        raise MalformedInput(f"{place}: a sample is an object with an `id`")
    epoch = sample.get("epoch", 1)
    if not isinstance(epoch, int) or epoch < 1:
        raise MalformedInput(f"{place}: `epoch` must be a number from 1 on, got {epoch!r:.60}")
    case, trial = str(sample["id"]), epoch - 1
    error = sample.get("error")
    if error:
        said = error.get("message") if isinstance(error, dict) else error
        return Trial(case=case, trial=trial, error=str(said)[:500])
    scores = sample.get("scores") or ({"score": sample["score"]} if sample.get("score") else {})
    if not isinstance(scores, dict) or not scores:
        return Trial(case=case, trial=trial, error="the sample has no score")
    losses = [(_loss(score, f"{place}, score {name}"), name, score) for name, score in scores.items()]
    loss, name, score = max(losses, key=lambda one: one[0])
    why = str(score.get("explanation") or f"scored {score.get('value')!r}") if isinstance(score, dict) else ""
    return Trial(case=case, trial=trial, loss=loss, why=f"{name}: {why}"[:500] if loss else "", reply=_reply(sample))


def _loss(score: Any, place: str) -> float:
    value = score.get("value") if isinstance(score, dict) else score
    if isinstance(value, str) and value.upper() in _LETTERS:
        return _LETTERS[value.upper()]
    if isinstance(value, bool):
        return float(not value)
    if isinstance(value, int | float) and 0.0 <= value <= 1.0:
        return 1.0 - float(value)
    raise MalformedInput(f"{place}: {value!r:.60} is neither C, P or I nor a number in 0 to 1")


def _reply(sample: dict[str, Any]) -> str | None:
    output = sample.get("output")
    if isinstance(output, dict):
        if isinstance(output.get("completion"), str):
            return str(output["completion"])
        choices = output.get("choices")
        if isinstance(choices, list) and choices and isinstance(choices[0], dict):
            message = choices[0].get("message")
            content = message.get("content") if isinstance(message, dict) else None
            return content if isinstance(content, str) else None
    return None
