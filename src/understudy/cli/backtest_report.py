"""A backtest in words and tables for a support lead: the answer first, then each slice and what to do; it computes nothing.

Names of slices come from customers' systems: they are shown as text and never as markup.
"""

from __future__ import annotations

import re
from typing import Final

from understudy.cli.plain_text import visible
from understudy.records.backtest import Backtest, ScoreOrigin, SliceBacktest

COLUMNS: Final = ("slice", "labels", "bad", "alone", "from", "risk at most", "labels needed")
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")

CAVEATS: Final = (
    (
        "It is about the average reply of a slice, not about each one, and about what *reviewers* call bad. What they "
        "overlooked counts as good here."
    ),
    (
        "It holds for the traffic, the agent version and the score it was measured on. Risk that changed during the history "
        "is averaged: a certificate says it was low at some time, not that it is low now. Live certificates therefore "
        "expire, and a detector watches every slice that answers alone."
    ),
    (
        "A label is a conversation: several judged drafts of one share a customer and often a mistake, so they count once, "
        "with the worst of those that would have gone out."
    ),
    (
        "If people chose which drafts to judge, the judged ones are no fair sample, and no statistics mends that. All "
        "drafts, or a random part of them, is a fair one."
    ),
    (
        "The rules that hold or hand off a draft whatever its confidence are not applied here; they can only lower the "
        "share that goes out alone."
    ),
)


def answer(found: Backtest) -> str:
    """The answer in a sentence or two."""
    goal, overall = found.goal, found.overall
    promise = f"with {percent(goal.confidence)} confidence that at most {percent(goal.risk_max)} of them were bad"
    if not found.is_anything_certified:
        return f"Nothing could be certified {promise}. {_nearest(found)}"
    held = sum(one.is_certified for one in found.slices)
    by_slices = (
        f"{percent(found.coverage_by_slices)} of the replies could have gone out alone {promise}, each slice by its own "
        f"certificate ({held} of {len(found.slices)} have one)"
    )
    if not found.by or len(found.slices) == 1:
        return f"{percent(max(overall.coverage, found.coverage_by_slices))} of the replies could have gone out alone, {promise}."
    if not overall.is_certified:
        return f"{by_slices}."
    if not held:
        return (
            f"{percent(overall.coverage)} of the replies could have gone out alone, {promise}, over the mix of all slices; "
            f"no slice could be certified by itself. {_nearest(found)}"
        )
    return f"{by_slices}; {percent(overall.coverage)} under one certificate for their mix."


def _nearest(found: Backtest) -> str:
    open_slices = [one for one in found.slices if not one.is_certified and one.labels]
    if not open_slices:
        return "No conversation is left to certify on: more of the history must have a verdict."
    nearest = min(
        open_slices, key=lambda one: (one.labels_expected is None, one.labels_expected or 0, one.labels_needed)
    )
    if not nearest.accepted:
        return f"No draft reaches a threshold yet; at least {nearest.labels_needed:,} good labels are needed."
    if nearest.labels_expected is None:
        return "At the losses seen so far more labels alone will not change that."
    more = f"needs {nearest.labels_needed:,} more labels if all of them are good, some {nearest.labels_expected:,} at the losses seen"
    return f"It {more}." if len(found.slices) == 1 else f"The nearest slice, {visible(nearest.name)}, {more}."


def row(one: SliceBacktest) -> tuple[str, ...]:
    """One slice under `COLUMNS`."""
    return (
        one.name,
        f"{one.labels:,}",
        f"{one.bad:,}",
        percent(one.coverage) if one.is_certified else "–",
        "–" if one.threshold is None else f"{one.threshold:.3f}",
        percent(one.risk_upper),
        "none" if one.is_certified else f"{one.labels_needed:,} good",
    )


def markdown(found: Backtest, *, history: str, plot: str | None) -> str:
    """The whole report."""
    parts = [
        "# How much could have been answered alone?",
        answer(found),
        "" if plot is None else f"![Risk against coverage]({_target(plot)})",
        "## Where",
        _table(found),
        "*alone*: share of the replies that could have gone out alone, *from* this confidence on.",
        "## What to do next",
        "\n".join(f"- {advice(one, found)}" for one in found.slices),
        "## How it was measured",
        _method(found, history),
        "## What this does not say",
        "\n".join(f"- {sentence}" for sentence in (*found.notes, *CAVEATS)),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def advice(one: SliceBacktest, found: Backtest) -> str:
    """What a lead can do about a slice, in Markdown."""
    name, goal = f"**{escaped(one.name)}**", found.goal
    if one.is_certified:
        return (
            f"{name}: {percent(one.coverage)} may go out alone from confidence {one.threshold:.3f} on. Start in probation, "
            "where a fifth of these replies is still reviewed."
        )
    if not one.labels:
        return f"{name}: no verdict to certify on; review these drafts."
    if one.candidate is None or not one.accepted:
        if goal.threshold is not None:
            return f"{name}: no draft reaches the threshold; lower it, or leave it out to find one."
        return f"{name}: too few labels to place a threshold; at least {one.labels_needed:,} good ones are needed."
    seen = f"{one.accepted_bad:,} of {one.accepted:,} labels from confidence {one.candidate:.3f} on had a loss"
    if one.labels_expected is None:
        return (
            f"{name}: {seen}, a mean of {percent(one.risk)}. That is too near to {percent(goal.risk_max)} or above it: more "
            "labels will not certify it. Mend the agent here, sharpen the score, or accept a higher risk."
        )
    return (
        f"{name}: judge about {one.labels_expected:,} more conversations ({one.labels_needed:,} if all the drafts from "
        f"confidence {one.candidate:.3f} on are good). So far {seen}."
    )


def _table(found: Backtest) -> str:
    rows = [*found.slices, *([found.overall] if found.by else [])]
    head = f"| {' | '.join(COLUMNS)} | a plain threshold would claim |\n|---|{'---:|' * len(COLUMNS)}"
    lines = []
    for one in rows:
        name, *cells = row(one)
        plain = "–" if one.plain is None else f"{percent(one.plain.coverage)} at {percent(one.plain.risk)}"
        shown_name = f"**{escaped(name)}**" if one is found.overall and found.by else escaped(name)
        lines.append(f"| {' | '.join((shown_name, *cells, plain))} |")
    return "\n".join([head, *lines])


def _method(found: Backtest, history: str) -> str:
    goal = found.goal
    if found.origin is ScoreOrigin.GIVEN:
        score = "The score is each draft's own confidence."
    else:
        weights = (
            ", ".join(f"{escaped(name)} {weight:+.2f}" for name, weight in found.learned) or "no draft to learn from"
        )
        score = (
            "The score was learned from the checks' signals on the earlier conversations alone (log-odds of a good reply "
            f"for each standard deviation: {weights})."
        )
    aside = (
        f" {found.set_aside:,} earlier conversations taught the score or placed the thresholds and certify nothing."
        if found.set_aside
        else ""
    )
    asked = (
        "the threshold that was asked for"
        if goal.threshold is not None
        else "a ladder of thresholds, the laxest that holds"
    )
    return (
        f"`{escaped(history)}`: {found.records:,} records, {found.judged:,} with a verdict. {score}{aside} An approved draft "
        "has loss 0, an edited one the severity of the edit, a refused one 1. Certified was the mean loss at "
        f"{asked}, by a test that stays valid however often somebody looks. *A plain threshold* is the "
        "laxest whose observed loss is within the target: what is read off a dashboard, without any guarantee."
    )


def percent(share: float) -> str:
    """A share as a person reads it: 62 %, 4.9 %, 0.13 %."""
    value = 100.0 * share
    digits = 0 if value >= 9.95 or value == int(value) else 1 if value >= 0.995 else 2
    return f"{value:.{digits}f} %"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", visible(text).replace("\n", " "))


def _target(path: str) -> str:
    return f"<{path}>" if re.search(r"[\s()]", path) else path
