"""What is to be reached, beside what was measured and the limit that nothing can pass; it draws no conclusion."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A figure of the result at `path`, a goal it must not pass, and the limit it is up against, a number or a path."""

    name: str
    path: tuple[str | int, ...]
    goal: float
    better: Literal["lower", "higher"]
    limit: tuple[str | int, ...] | float | None = None
    limit_is: str = ""


WORLD = ("selective", "worlds", "0.1.0.05.0.9", "by_labels", 1000)
TARGETS = (
    Target(
        name="mean labels to certify / Wald limit, worst of risks 1/8 … 1/2 of the target",
        path=("certify", "times_limit_max"),
        goal=1.20,
        better="lower",
        limit=1.0,
        limit_is="Wald",
    ),
    Target(
        name="the same with siblings of the same risk",
        path=("certify", "times_limit_with_siblings_max"),
        goal=1.10,
        better="lower",
        limit=1.0,
        limit_is="Wald",
    ),
    Target(
        name="false certificates at risk = target, exact",
        path=("certify", "false_certificates_max"),
        goal=0.05,
        better="lower",
        limit=0.05,
        limit_is="delta, spent whole",
    ),
    Target(
        name="false certificates, worst of late, bursty, missed labels",
        path=("false_certificates", "share_max"),
        goal=0.05,
        better="lower",
        limit=0.05,
        limit_is="delta, spent whole",
    ),
    Target(
        name="coverage / information limit, worst where that is > .75 of the oracle's",
        path=("selective", "of_information_limit_min"),
        goal=0.90,
        better="higher",
        limit=1.0,
        limit_is="Wald at each coverage",
    ),
    Target(
        name="the same with bets that expect the predicted risk",
        path=("selective", "of_information_limit_with_expecting_bets_min"),
        goal=0.90,
        better="higher",
        limit=1.0,
        limit_is="Wald at each coverage",
    ),
    Target(
        name="coverage / oracle at 1,000 labels, target 5 %, AUROC .9",
        path=(*WORLD, "of_oracle"),
        goal=0.90,
        better="higher",
        limit=(*WORLD, "information_limit"),
        limit_is="information",
    ),
    Target(
        name="runs whose threshold has more risk than the target, worst",
        path=("selective", "violations_max"),
        goal=0.05,
        better="lower",
    ),
    *[
        Target(
            name=f"risk {change} target: audits to the alarm, median",
            path=("detection", "audits", "to_alarm", change, "median"),
            goal=goal,
            better="lower",
            limit=("detection", "audits", "cusum_that_knows_both_rates", change, "median"),
            limit_is="CUSUM, knows both rates",
        )
        for change, goal in (("2x", 165), ("4x", 55))
    ],
    *[
        Target(
            name=f"risk {change} target: replies to the demotion at 5 % mean cost, median",
            path=("detection", "replies", "both", change, "median"),
            goal=goal,
            better="lower",
            limit=("detection", "replies", "fixed", change, "median"),
            limit_is="(without bursts)",
        )
        for change, goal in (("2x", 850), ("4x", 330))
    ],
    Target(
        name="bad replies before the demotion, 2x, median",
        path=("detection", "replies", "both", "2x", "bad_median"),
        goal=35,
        better="lower",
        limit=("detection", "replies", "fixed", "2x", "bad_median"),
        limit_is="(without bursts)",
    ),
    Target(
        name="audits to a false demotion at half the target",
        path=("detection", "audits", "to_false_alarm_at_half_target"),
        goal=20_000,
        better="higher",
    ),
    Target(
        name="audits to a false demotion at the target, with bursts",
        path=("detection", "audits", "to_false_alarm_at_target", "a_fifth_audited_with_bursts"),
        goal=1000,
        better="higher",
    ),
    *[
        Target(
            name=f"gate, candidate {words}: agent runs saved of the fixed 90 % design",
            path=("gates", effect, "baseline_cached", "saved"),
            goal=0.70,
            better="higher",
        )
        for effect, words in (("equal", "equal"), ("better_2pt", "2 pt better"))
    ],
    Target(
        name="gate: passes at the margin",
        path=("gates", "worse_3pt", "both_run_again", "passed", "share"),
        goal=0.05,
        better="lower",
        limit=0.05,
        limit_is="delta, spent whole",
    ),
    Target(
        name="gate, cached baseline: passes at the margin from the baseline as seen",
        path=("gates", "margin_from_the_baseline_as_seen", "passed", "share"),
        goal=0.05,
        better="lower",
        limit=0.05,
        limit_is="delta, spent whole",
    ),
    Target(
        name="gate, cached baseline: passes at the true margin",
        path=("gates", "worse_3pt", "baseline_cached", "passed", "share"),
        goal=0.05,
        better="lower",
        limit=0.05,
        limit_is="delta, spent whole",
    ),
    Target(
        name="labels for a new release, a tenth of answers changed",
        path=("certify", "new_release_labels_at_a_tenth_changed"),
        goal=40,
        better="lower",
    ),
    Target(
        name="AUROC of the score at 50 labels / oracle",
        path=("score", "of_oracle_at_50"),
        goal=0.97,
        better="higher",
        limit=1.0,
        limit_is="oracle",
    ),
    Target(
        name="labels a second through the ladder, one core",
        path=("cost", "labels_per_s"),
        goal=100_000,
        better="higher",
    ),
)


def against(result: dict[str, Any]) -> list[dict[str, Any]]:
    """The targets whose figures are in the result."""
    rows = []
    for target in TARGETS:
        measured = _at(result, target.path)
        if measured is None:
            continue
        meets: Callable[[float, float], bool] = float.__le__ if target.better == "lower" else float.__ge__
        rows.append(
            {
                "target": target.name,
                "measured": measured,
                "goal": target.goal,
                "is_met": meets(float(measured), float(target.goal)),
                "limit": _at(result, target.limit) if isinstance(target.limit, tuple) else target.limit,
                "limit_is": target.limit_is,
            }
        )
    return rows


def _at(result: Any, path: tuple[str | int, ...]) -> Any:
    for key in path:
        if not isinstance(result, dict) or key not in result:
            return None
        result = result[key]
    return result
