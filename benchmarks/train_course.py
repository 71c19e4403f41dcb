"""Learn the weights of `src/understudy/assessment/course.json` from recorded conversations; measures nothing but itself.

    ./dev bench train_course [--data ../shared/data]

tau-bench and tau2-bench conversations whose task says whether the right end is a person (`gold_transfer`); both answers
weigh the same. There are few such tasks, so the file is learned from all of them; what the same learning reaches on tasks
it did not see (each fifth of the tasks once) is printed, and measured by `checks_bench/escalation.py`. Repeating it gives
the same file.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from checks_bench.course_learning import Case, cases_in, learned, precision_at, scored_unseen
from checks_bench.sample import auroc

ROOT = Path(__file__).resolve().parent.parent
MODEL = ROOT / "src" / "understudy" / "assessment" / "course.json"


def main() -> None:
    """Learn and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=ROOT.parent / "shared" / "data", help="the folder of the data sets"
    )
    cases = cases_in(parser.parse_args().data)
    model = learned(cases)
    given = {
        "what": "log-odds that a conversation belongs with a person, from counts of what both sides say; see course.py",
        "learned_from": [
            (
                f"recorded conversations of tau2-bench and tau-bench (Sierra) and of a fork of the latter: MIT; {len(cases)} "
                f"conversations, {sum(case.is_bad for case in cases)} of them with a person as the right end"
            )
        ],
        "made_by": "benchmarks/train_course.py",
        "threshold": round(model.threshold, 3),
        "bias": round(model.bias, 3),
        "weights": {name: round(weight, 3) for name, weight in sorted(model.weights.items())},
    }
    MODEL.write_text(json.dumps(given, indent=2) + "\n", encoding="utf-8")
    _report(cases)


def _report(cases: list[Case]) -> None:
    scored = scored_unseen(cases)
    area = auroc([s for s, case in scored if case.is_bad], [s for s, case in scored if not case.is_bad])
    print(f"unseen tasks: AUROC {area:.3f}")
    baseline = [case for case in cases if case.was_handed_over]
    recall = sum(case.is_bad for case in baseline) / sum(case.is_bad for case in cases)
    print(
        f"the agent handed over: recall {recall:.3f}, precision {sum(c.is_bad for c in baseline) / len(baseline):.3f}"
    )
    for wanted in (0.5, recall, 0.681):
        print(f"at recall {wanted:.3f}: precision {precision_at(scored, wanted):.3f}")


if __name__ == "__main__":
    main()
