"""Learn `src/understudy/assessment/orders.json`: what an order to an assistant looks like in a document; measures little.

    ./dev bench train_orders [--data ../shared/data]

Sentences of `checks_bench/injections.py` and the training part of BIPIA's attacks, planted in the training part of the
clean documents; repeating it gives the same file.
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

from checks_bench.injections import harmless, orders
from checks_bench.logistic import fit_sparse
from checks_bench.planting import BIPIA, Material, material, plant, planted
from checks_bench.sample import is_for_training, rows
from understudy.assessment.orders import GRAM_STEP, Featured, featured

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "src" / "understudy" / "assessment" / "orders.json"
EACH = {"bipia_email": 8, "bipia_table": 4, "knowledge": 2, "tool_result": 2}
HARMLESS_TIMES = 4
CUSTOMERS = 400
RIDGE, ROUNDS, RATE = 1e-4, 12, 0.2
THRESHOLD = 0.5
FOUND_MIN = 3
"""An n-gram counts from this many training pieces on."""
HARMLESS_MOST = -0.5
"""No n-gram speaks more than so much for harmlessness: what a bank's documents are about must not excuse an order."""
GRAM_VALUE = 0.5
"""What an n-gram counts beside a feature of 1 while it is learned; its weight times this is what is kept."""
Case = tuple[dict[str, float], bool, float]


def main() -> None:
    """Learn and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    data = parser.parse_args().data
    dice = random.Random(1)
    given = material(data, for_training=True)
    cases = [*_planted(given, dice), *_harmless(given, dice), *_customers(data, dice)]
    counts = Counter(name for features, _, _ in cases for name in features)
    kept = [{n: v for n, v in features.items() if counts[n] >= FOUND_MIN} for features, _, _ in cases]
    bias, weights = fit_sparse(
        kept, [bad for _, bad, _ in cases], [weight for _, _, weight in cases], ridge=RIDGE, rounds=ROUNDS, rate=RATE
    )
    MODEL.write_text(json.dumps(_model(bias, weights, cases), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(cases)} pieces, {sum(bad for _, bad, _ in cases)} orders, {MODEL.stat().st_size / 1e3:.0f} kB")


def _row(piece: Featured) -> dict[str, float]:
    return {**piece.shape, **dict.fromkeys(sorted(piece.grams), GRAM_VALUE)}


def _planted(given: Material, dice: random.Random) -> list[Case]:
    sentences = [*orders(), *given.attacks, *given.attacks]
    cases: list[Case] = []
    for kind, texts in given.documents.items():
        for one in planted(texts, kind, sentences, dice, each=EACH[kind]):
            for piece in featured(one.text):
                is_order = bool(one.attack) and one.attack[:30] in piece.text.replace('\\"', '"')
                if is_order or not one.attack:
                    cases.append((_row(piece), is_order, 1.0))
    return cases


def _harmless(given: Material, dice: random.Random) -> list[Case]:
    cases: list[Case] = []
    for sentence in harmless() * HARMLESS_TIMES:
        text = plant(dice.choice(given.documents[dice.choice(("bipia_email", "knowledge"))]), sentence, dice)
        cases += [(_row(piece), False, 1.0) for piece in featured(text) if sentence[:30] in piece.text]
    return cases


def _customers(data: Path, dice: random.Random) -> list[Case]:
    """What customers ask, as it stands in tickets."""
    asked = [r["text"] for r in rows(data / BIPIA) if r["dataset"] == "banking77" and is_for_training(r["group"])]
    return [(_row(piece), False, 0.5) for text in dice.sample(asked, CUSTOMERS) for piece in featured(text)]


def _model(bias: float, weights: dict[str, float], cases: list[Case]) -> dict[str, Any]:
    grams: dict[str, dict[str, list[str]]] = {"w": defaultdict(list), "p": defaultdict(list), "c": defaultdict(list)}
    for name in sorted(weights):
        if name[1:2] == ":" and (steps := round(GRAM_VALUE * max(HARMLESS_MOST, weights[name]) / GRAM_STEP)):
            grams[name[0]][str(steps)].append(name[2:])
    return {
        "what": "log-odds that a piece of a document is an order to an assistant; see orders.py. "
        f"ngrams: w words, p pairs of words, c runs of four letters, by weight in steps of {GRAM_STEP}",
        "learned_from": [
            "sentences written for it (benchmarks/checks_bench/injections.py): as this project; planted in, and beside",
            "BIPIA (microsoft/BIPIA, Yi et al. 2023), mails, tables and a part of the attacks: MIT",
            "tau2-bench (Sierra), banking knowledge base and tool results: MIT",
            "Banking77 (PolyAI), customers' questions: CC-BY-4.0",
            f"{len(cases)} pieces in all, {sum(bad for _, bad, _ in cases)} of them orders",
        ],
        "made_by": "benchmarks/train_orders.py",
        "threshold": THRESHOLD,
        "bias": round(bias, 2),
        "shape": {name: round(value, 2) for name, value in sorted(weights.items()) if name[1:2] != ":"},
        "ngrams": {
            kind: {weight: "/".join(found) for weight, found in sorted(by.items(), key=lambda item: int(item[0]))}
            for kind, by in grams.items()
        },
    }


if __name__ == "__main__":
    main()
