"""Hand-offs: simulated worlds of the real flows until a thousand hand-offs were made, each world held to every promise.

Load, absent people, own messages that come back, colleagues who answer elsewhere, crashes, lost answers: see
`tests/simulation/hand_offs.py`. A world that breaks a promise is named by its seed, and `./dev simulate --hand-offs
--seed N` shows it again.
"""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from pathlib import Path
from typing import Any

FILES = ()
HAND_OFFS = 1_000
SHOWN_MAX = 5
_TESTS = Path(__file__).resolve().parents[2] / "tests"
FIRST_SEED = 100_000
"""Far from the seeds that the tests play."""

KINDS = {
    "no acknowledged message is lost": "lost",
    "every turn ends in time": "lost",
    "a hand-off is neither lost nor repeated": "lost_or_repeated",
    "nothing is sent twice for one decision": "repeated",
    "our own message that comes back is nobody's answer": "muted",
    "who was handed back is answered by the agent again": "muted",
    "nothing is handed off twice for the same cause": "loops",
    "a hand-off is seen to in time, or raised before all others": "neither_kept_nor_escalated",
}


def measure(_data: Path, *, quick: bool = False) -> dict[str, Any]:
    """Play until there were enough hand-offs. `quick`: a tenth. `broken` counts worlds that broke any promise."""
    if str(_TESTS) not in sys.path:
        sys.path.insert(0, str(_TESTS))
    play_hand_offs = importlib.import_module("simulation.hand_offs").play_hand_offs

    wanted = HAND_OFFS // 10 if quick else HAND_OFFS
    counts, broken, failures, worlds = Counter[str](), Counter[str](), list[str](), 0
    while counts["hand-offs"] < wanted:
        outcome = play_hand_offs(FIRST_SEED + worlds)
        worlds += 1
        counts.update(outcome.counts)
        if outcome.violation is not None:
            broken[KINDS.get(outcome.violation.promise, "other")] += 1
            failures.append(f"seed {outcome.seed}: {outcome.violation}")
        done = min(counts["hand-offs"], wanted)
        print(f"  hand-offs: {done} of {wanted}", end="\r", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {
        "hand_offs": counts["hand-offs"],
        "worlds": worlds,
        "broken": sum(broken.values()),
        **{kind: broken[kind] for kind in dict.fromkeys((*KINDS.values(), "other"))},
        "failures": failures[:SHOWN_MAX],
        "met": {
            "crashes": counts["crash"],
            "restarts": counts["restart"],
            "frozen": counts["freeze"] + counts["freeze_in_send"],
            "web_hooks_repeated": counts["webhook_repeated"],
            "answers_of_sends_lost": counts["send_answer_lost"],
            "own_messages_that_came_back": counts["ours in the help desk: own_reply"],
            "answers_elsewhere": counts["a colleague in the help desk: taken_over"],
            "refused_as_stale_or_taken": sum(n for what, n in counts.items() if what.startswith("refused: ")),
        },
        "sla": {
            "seen_to_in_time": counts["seen to in time"],
            "raised": counts["raised"],
            "seen_to_late_before_the_sweep": counts["seen to late"],
        },
        "after_it_was_handed_back": {
            what.removeprefix("after it all: "): n for what, n in sorted(counts.items()) if what.startswith("after it")
        },
    }
