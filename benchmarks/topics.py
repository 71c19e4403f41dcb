"""The topic model on messages that others labelled: how often it is right, when it should say *unknown*, what it costs.

    ./dev bench topics [--json] [--only clinc150,banking77] [--data ../shared/data]

The model is trained as in the product, thresholds included; what it is tested on it has not seen, and no message about
something else was in its training. What each figure means stands in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from shown import leaves
from understudy.assessment.topic_model import classify
from understudy.learning.topic_training import Tag, named, train
from understudy.records.topics import TopicGuess, TopicTerms
from understudy.stats.calibration import auroc

ROOT = Path(__file__).resolve().parent.parent
ERROR_MAX = 0.02
FILES = {"clinc150": "intents_clinc150.jsonl.gz", "banking77": "intents_banking77.jsonl.gz"}
STRANGE_FILE = FILES["clinc150"]
BASELINES = {
    "clinc150": {"accuracy": 0.910, "strange_auroc": 0.925, "coverage": 0.737, "coverage_with_strange": 0.498},
    "banking77": {"accuracy": 0.894, "strange_auroc": 0.964, "coverage": 0.677},
}
"""TF-IDF and logistic regression over words, as the data's own README has it, on the test parts of the same sets."""
Row = dict[str, Any]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON line")
    parser.add_argument("--only", default=",".join(FILES), help=f"comma-separated sets: {', '.join(FILES)}")
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    chosen = parser.parse_args()
    result = {}
    for name in chosen.only.split(","):
        if name not in FILES:
            sys.exit(f"--only {name}: there is {', '.join(FILES)}")
        missing = [file for file in (FILES[name], STRANGE_FILE) if not (chosen.data / file).is_file()]
        if missing:
            result[name] = {"skipped": f"there is no {missing[0]} in {chosen.data}; name the folder with --data"}
        else:
            result[name] = measure(name, chosen.data)
    print(json.dumps(result)) if chosen.json else _show(result)


def measure(name: str, data: Path) -> Row:
    """Train on one part of a set and answer on the other, and on messages about something else."""
    rows = [row for row in _rows(data / FILES[name]) if not row.get("oos")]
    strange = [row for row in _rows(data / STRANGE_FILE) if row["oos"]]
    held_out: Callable[[Row], bool] = (lambda row: row["upstream"] == "val") if name == "clinc150" else _is_fifth
    taught, asked = [row for row in rows if not held_out(row)], [row for row in rows if held_out(row)]
    print(
        f"{name}: four models on {len(taught)} messages, some minutes for the larger set", file=sys.stderr, flush=True
    )
    tags = [Tag(position=number, text=row["text"], topic=row["intent"]) for number, row in enumerate(taught)]
    began, cpu_began = time.perf_counter(), time.process_time()
    trained = train(tags, TopicTerms(wrong_max=ERROR_MAX))
    training_s, training_cpu_s = time.perf_counter() - began, time.process_time() - cpu_began
    assert trained is not None, "there are enough tags of enough topics"
    model = named(trained)
    classify(model, "unpack the model")
    took_ms, inside = _timed(lambda text: classify(model, text), [row["text"] for row in asked])
    _, outside = _timed(lambda text: classify(model, text), [row["text"] for row in strange])
    long_ms, _ = _timed(
        lambda text: classify(model, text), [" ".join(row["text"] for row in asked[n:][:60]) for n in range(0, 600, 3)]
    )
    is_right = np.array([guess.topic == row["intent"] for guess, row in zip(inside, asked, strict=True)])
    certain, certain_strange = _certainties(inside), _certainties(outside)
    mixed = np.concatenate([certain, certain_strange])
    is_right_mixed = np.concatenate([is_right, np.zeros(len(outside), dtype=bool)])
    is_sure = np.array([guess.is_sure for guess in inside])
    is_sure_strange = np.array([guess.is_sure for guess in outside])
    wrong = int((is_sure & ~is_right).sum())
    return {
        "messages": len(asked),
        "strange_messages": len(strange),
        "topics": len(model.topics),
        "accuracy": round(float(is_right.mean()), 4),
        "strange_auroc": _auroc(certain, certain_strange),
        "coverage": _coverage(certain, is_right),
        "coverage_with_strange": _coverage(mixed, is_right_mixed),
        "by_thresholds": {
            "sure": round(float(is_sure.mean()), 4),
            "wrong_among_sure": round(wrong / max(1, int(is_sure.sum())), 4),
            "strange_taken_for_known": round(float(is_sure_strange.mean()), 4),
        },
        "ms_per_message": {
            "median": round(float(np.median(took_ms)), 4),
            "p99": _p99(took_ms),
            "longest": round(float(np.median(long_ms)), 4),
        },
        "training_s": round(training_s, 1),
        "training_cpu_s": round(training_cpu_s, 1),
        "model_kb": round((len(model.weights) + len(model.features) * 3) / 1024),
        "baseline": BASELINES[name],
    }


def _rows(path: Path) -> list[Row]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _is_fifth(row: Row) -> bool:
    return int(hashlib.sha256(row["id"].encode()).hexdigest(), 16) % 5 == 0


def _timed(ask: Callable[[str], TopicGuess], texts: Sequence[str]) -> tuple[list[float], list[TopicGuess]]:
    took, said = [], []
    for text in texts:
        began = time.thread_time()
        said.append(ask(text))
        took.append((time.thread_time() - began) * 1000)
    return took, said


def _certainties(guesses: Sequence[TopicGuess]) -> Any:
    return np.array([guess.certainty for guess in guesses])


def _p99(took_ms: Sequence[float]) -> float:
    return round(float(np.percentile(took_ms, 99)), 4)


def _auroc(inside: Any, outside: Any) -> float:
    found = auroc(np.concatenate([inside, outside]), [1.0] * len(inside) + [0.0] * len(outside))
    assert found is not None, "there are messages of both kinds"
    return round(found, 4)


def _coverage(certainty: Any, is_right: Any) -> float:
    """The largest share of messages, the most certain first, of which at most `ERROR_MAX` are wrong."""
    order = np.argsort(-certainty, kind="stable")
    wrong_share = np.cumsum(~is_right[order]) / np.arange(1, order.size + 1)
    good = np.flatnonzero(wrong_share <= ERROR_MAX)
    return round(float((good[-1] + 1) / order.size), 4) if good.size else 0.0


def _show(result: Row) -> None:
    table = Table("figure", *result, title="topics")
    leaves = {name: dict(leaves(found)) for name, found in result.items()}
    for path in dict.fromkeys(path for found in leaves.values() for path in found):
        table.add_row(path, *(str(leaves[name].get(path, "–")) for name in result))
    Console().print(table)


if __name__ == "__main__":
    main()
