"""Failure modes by topic: which codes are one, how they are sorted, how dark a cell is drawn; pure functions of tallies."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from understudy.errors import InputError
from understudy.quality.figures import CASES_MIN
from understudy.records.quality import Cell, Insights, Mode, ModeColumn, ModeSource, ModeTally, TopicRow

TOPICS_MAX: Final = 60
MODES_MAX: Final = 40
STEPS: Final = (0.0, 0.01, 0.03, 0.1, 0.25)
"""From which share of a topic's turns on a cell is drawn one step darker."""
AGENT: Final = "agent"
NO_FAILURE: Final = frozenset({"conversation_with_person", "level_shadow"})
"""Reasons of a hand-off that are as things were meant to be."""
_CODE: Final = re.compile(r"[\w.:-]{1,120}")
"""What is a name and not a remark; reviewers may add words of their own."""
_FAMILIES: Final = {ModeSource.FINDING: 0, ModeSource.HAND_OFF: 1, ModeSource.REVIEWER: 2, ModeSource.SENDING: 3}


def mode_of(source: ModeSource, code: str) -> Mode | None:
    """The failure mode of a code; None where it is none, or stands under another source already."""
    if not _CODE.fullmatch(code):
        return None
    match source:
        case ModeSource.FINDING:
            return Mode(source=source, family=code.partition(".")[0], code=code)
        case ModeSource.HAND_OFF:
            if "." in code or code in NO_FAILURE:  # a finding, or a check that failed, stands among the findings
                return None
            return Mode(source=source, family=AGENT if code.startswith("agent_") else source.value, code=code)
        case ModeSource.REVIEWER | ModeSource.SENDING:
            return Mode(source=source, family=source.value, code=code)


def mode_named(name: str) -> Mode:
    """The mode of a name such as `finding:grounding.unsupported_money`; raises `InputError`."""
    source, _, code = name.partition(":")
    found = mode_of(ModeSource(source), code) if source in set(ModeSource) else None
    if found is None:
        kinds = ", ".join(sorted(ModeSource))
        raise InputError(f"mode {name!r} is none: it is one of {kinds}, a colon and a code, as /v1/insights names them")
    return found


def insights(tallies: Sequence[ModeTally], decided: Mapping[str, int], *, since: datetime, until: datetime) -> Insights:
    """The table of failure modes by topic: the largest topics, and the modes that most turns show."""
    by_topic: dict[str, Counter[Mode]] = defaultdict(Counter)
    for tally in tallies:
        for code in dict.fromkeys(tally.codes):
            if (mode := mode_of(tally.source, code)) is not None:
                by_topic[tally.topic][mode] += tally.turns
    topics = sorted(decided, key=lambda topic: (-decided[topic], topic))
    shown = topics[:TOPICS_MAX]
    totals: Counter[Mode] = Counter()
    for topic in shown:
        totals.update(by_topic[topic])
    largest = sorted(totals, key=lambda mode: (-totals[mode], mode.name))
    modes = sorted(largest[:MODES_MAX], key=lambda mode: _place(mode, totals))
    return Insights(
        since=since,
        until=until,
        cases_min=CASES_MIN,
        steps=STEPS,
        modes=tuple(
            ModeColumn(mode=mode.name, family=mode.family, code=mode.code, turns=totals[mode]) for mode in modes
        ),
        topics=tuple(_row(topic, decided[topic], by_topic[topic], modes) for topic in shown),
        topics_left_out=len(topics) - len(shown),
        modes_left_out=len(totals) - len(modes),
    )


def step_of(turns: int, of: int) -> int | None:
    """How dark a cell is drawn, 0 to 5; None where a topic has too few turns to say what is much."""
    if of < CASES_MIN:
        return None
    return 0 if not turns else sum(turns / of >= bound for bound in STEPS)


def _row(topic: str, of: int, counts: Counter[Mode], modes: Sequence[Mode]) -> TopicRow:
    cells = [Cell(mode=mode.name, turns=counts[mode], step=step_of(counts[mode], of)) for mode in modes if counts[mode]]
    return TopicRow(topic=topic, turns=of, cells=tuple(cells))


def _place(mode: Mode, totals: Counter[Mode]) -> tuple[int, str, int, str]:
    """Families together, in each the largest first."""
    is_agent = mode.family == AGENT
    return (_FAMILIES[mode.source] + (0 if is_agent else 1), "" if is_agent else mode.family, -totals[mode], mode.code)
