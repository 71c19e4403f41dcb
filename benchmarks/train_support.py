"""Learn the weights of `src/understudy/assessment/support.json` from labelled replies; measures nothing but itself.

    ./dev bench train_support [--data ../shared/data]

BEGIN (model replies that people labelled as attributable to a snippet or not), the training part by snippet, and turned
sentences of a knowledge base (`checks_bench/flips.py`). Repeating it gives the same file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from checks_bench.flips import turned_sentences
from checks_bench.logistic import fit_dense, sigmoid
from checks_bench.sample import auroc, is_for_training, rows
from understudy.assessment.carriers import Source
from understudy.assessment.support import Grounds, measures
from understudy.assessment.wording import words

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "src" / "understudy" / "assessment" / "support.json"
TURNED_WEIGHT = 0.03
"""How much a turned sentence counts beside a labelled reply: they teach the polarity and nothing else."""
POLARITY = ("negation_added", "negation_dropped", "opposite", "scope_widened")
RIDGE = 20.0
THRESHOLD = 0.5
Case = tuple[dict[str, float], bool, float]


def main() -> None:
    """Learn and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    data = parser.parse_args().data
    begin, turned = _begin(data), _turned(data)
    names = sorted(begin[0][0])
    bias, learned = fit_dense(
        [[measured[name] for name in names] for measured, _, _ in begin],
        [label for _, label, _ in begin],
        [1.0 for _ in begin],
        ridge=RIDGE,
    )
    weights = _with_polarity(bias, dict(zip(names, learned, strict=True)), begin + turned)
    model = {
        "what": "log-odds that people would call a sentence not supported by the given texts; see support.py",
        "learned_from": [
            (
                "BEGIN (google/BEGIN-dataset, Dziri et al. 2022): CC-BY-4.0 and, for its Topical Chat part, CDLA-Sharing-1.0; "
                f"{len(begin)} replies"
            ),
            (
                "sentences of the tau2-bench banking knowledge base (Sierra), kept and turned by "
                f"benchmarks/checks_bench/flips.py: MIT; {len(turned)} sentences"
            ),
        ],
        "made_by": "benchmarks/train_support.py",
        "threshold": THRESHOLD,
        "bias": round(bias, 3),
        "weights": {name: round(value, 3) for name, value in weights.items()},
    }
    MODEL.write_text(json.dumps(model, indent=2) + "\n", encoding="utf-8")
    for what, part in (("begin", begin), ("turned", turned)):
        scores = [(bias + sum(weights[name] * value for name, value in m.items()), label) for m, label, _ in part]
        found = auroc([s for s, label in scores if label], [s for s, label in scores if not label])
        print(f"{what}: {len(part)} cases, AUROC on what it learned from {found:.3f}")


def _with_polarity(bias: float, weights: dict[str, float], cases: list[Case]) -> dict[str, float]:
    """Learn the weights of polarity anew, none below 0, while the others stay as they are."""
    found = dict(weights)
    offsets = [
        bias + sum(weights[name] * value for name, value in m.items() if name not in POLARITY) for m, _, _ in cases
    ]
    for _ in range(60):
        for name in POLARITY:
            slope, curve = 0.05 * found[name], 0.05
            for (measured, label, weight), offset in zip(cases, offsets, strict=True):
                if measured[name]:
                    probability = sigmoid(offset + sum(found[one] * measured[one] for one in POLARITY))
                    slope += weight * (probability - label)
                    curve += weight * probability * (1 - probability)
            found[name] = max(0.0, found[name] - 0.5 * slope / curve)
    return found


def _begin(data: Path) -> list[Case]:
    cases: list[Case] = []
    for row in rows(data / "grounding_begin.jsonl.gz"):
        if is_for_training(row["group"]) and words(row["response"]):
            grounds = Grounds([Source(id="1", text=row["context"])], asked=[row["question"]])
            cases.append((_measured(row["response"], grounds), bool(row["label"]), 1.0))
    return cases


def _turned(data: Path) -> list[Case]:
    documents = [row for row in rows(data / "kb_bank_documents.jsonl.gz") if is_for_training(row["id"])]
    return [
        (_measured(one.text, Grounds([Source(id="1", text=one.document)])), not one.is_carried, TURNED_WEIGHT)
        for one in turned_sentences(documents)
    ]


def _measured(text: str, grounds: Grounds) -> dict[str, float]:
    return measures(text, grounds, grounds.nearest(words(text)))


if __name__ == "__main__":
    main()
