"""One simulated slice over its days as SVG: evidence and alarm, what became of the drafts, what they cost; it computes nothing.

Readable in light and dark: colours follow the viewer's scheme, and lines differ by dash as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from itertools import groupby, pairwise
from typing import Final

from understudy.records.rulebook import Level
from understudy.simulation.tally import Event, Moment, Tally
from understudy.simulation.world import SliceWorld

WIDTH: Final = 960
LEFT: Final = 76
RIGHT: Final = 184
TOP: Final = 156
HEIGHTS: Final = (190, 130, 150)
GAP: Final = 58
EVENT_ROWS: Final = 3
WINDOW_DAYS: Final = 7
"""Over so many days the mean loss is taken, so that single replies do not hide it."""
FONT: Final = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"
STYLE: Final = """
  .paper { fill: #ffffff } .ink { fill: #1c2430 } .soft { fill: #5b6675 }
  .grid { stroke: #e3e7ec } .axis { stroke: #9aa4b1 } .event { stroke: #5b6675; stroke-dasharray: 3 3 }
  .worse { stroke: #b45f06; stroke-width: 1.6 } .worse-ink { fill: #9a5205 }
  .evidence { stroke: #1f6feb; stroke-width: 2.2; fill: none } .evidence-ink { fill: #1a5fcc }
  .alarm { stroke: #c0392b; stroke-width: 1.8; stroke-dasharray: 6 3; fill: none } .alarm-ink { fill: #c0392b }
  .probation { fill: #1a7f37; fill-opacity: 0.10 } .auto { fill: #1a7f37; fill-opacity: 0.22 }
  .demoted { fill: #c0392b; fill-opacity: 0.12 } .level-ink { fill: #1c2430 }
  .held { fill: #8b95a3 } .audited { fill: #b45f06 } .alone { fill: #2da44e }
  .loss { stroke: #1c2430; stroke-width: 2; fill: none } .true { stroke: #8250df; stroke-width: 1.8; stroke-dasharray: 5 3; fill: none }
  .true-ink { fill: #7140c8 } .target { stroke: #c0392b; stroke-width: 1.4; stroke-dasharray: 2 3 } .target-ink { fill: #c0392b }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12161c } .ink { fill: #e8ecf1 } .soft { fill: #9aa7b6 }
    .grid { stroke: #262d37 } .axis { stroke: #5b6675 } .event { stroke: #9aa7b6 }
    .worse { stroke: #f0a35a } .worse-ink { fill: #f0a35a } .evidence { stroke: #6cb0ff } .evidence-ink { fill: #6cb0ff }
    .alarm { stroke: #ff7b6b } .alarm-ink { fill: #ff7b6b } .probation, .auto { fill: #56d364 } .demoted { fill: #ff7b6b }
    .level-ink { fill: #e8ecf1 } .held { fill: #5d6876 } .audited { fill: #f0a35a } .alone { fill: #3fb950 }
    .loss { stroke: #e8ecf1 } .true { stroke: #c297ff } .true-ink { fill: #c297ff } .target { stroke: #ff7b6b } .target-ink { fill: #ff7b6b }
  }
"""

Point = tuple[float, float]


class _Panel:
    """Days to the right, 0 to `top` upwards."""

    def __init__(self, upper: float, height: float, *, days: float, top: float) -> None:
        self.upper, self.height, self.days, self.top = upper, height, days, top

    def x(self, day: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * day / self.days

    def y(self, value: float) -> float:
        return self.upper + self.height * (1.0 - min(value, self.top) / self.top)

    def path(self, points: Sequence[Point]) -> str:
        return "M" + " L".join(f"{self.x(day):.1f} {self.y(value):.1f}" for day, value in points)

    def line(self, kind: str, points: Sequence[Point]) -> str:
        return f'<path class="{kind}" d="{self.path(points)}"/>' if len(points) > 1 else ""

    def frame(
        self, title: str, ticks: Sequence[float], words: Callable[[float], str], *, above: float = 12
    ) -> list[str]:
        parts = [_text(LEFT - 46, self.upper - above, title, "ink", size=13, weight=600)]
        for tick in ticks:
            at = self.y(tick)
            parts.append(f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
            parts.append(_text(LEFT - 8, at + 4, words(tick), "soft", anchor="end"))
        return parts


def svg(of: SliceWorld, tally: Tally, *, days: int) -> str:
    """The picture of a slice whose moments were kept."""
    moments, uppers = tally.moments, [TOP, TOP + HEIGHTS[0] + GAP, TOP + HEIGHTS[0] + HEIGHTS[1] + 2 * GAP]
    bottom = uppers[2] + HEIGHTS[2]
    height = bottom + 52
    evidence = _Panel(uppers[0], HEIGHTS[0], days=days, top=100.0)
    drafts = _Panel(uppers[1], HEIGHTS[1], days=days, top=1.0)
    losses = _Panel(uppers[2], HEIGHTS[2], days=days, top=_top(moments, tally.risk_max))
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
                f'height="{height}" role="img" font-family="{FONT}" font-size="12">'
            ),
            f"<title>{escape(of.name)}: how autonomy was earned and lost</title>",
            f"<style>{STYLE}</style>",
            f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
            _text(30, 34, f"{of.name}: how autonomy was earned and lost", "ink", size=19, weight=600),
            _text(30, 56, _subtitle(of, tally), "soft", size=13),
            *_evidence(evidence, moments),
            *_drafts(drafts, moments),
            *_losses(losses, moments, tally.risk_max),
            *_events(of, tally.events, evidence, bottom),
            *_days(losses, days, bottom),
            "</svg>\n",
        ]
    )


def _subtitle(of: SliceWorld, tally: Tally) -> str:
    share = tally.automatic / tally.drafts if tally.drafts else 0.0
    return (
        f"{of.per_day:g} drafts a day, {100 * of.bad:g} % of them bad at first; {100 * share:.0f} % left by themselves. "
        "A simulation under the product's own rules."
    )


def _evidence(panel: _Panel, moments: Sequence[Moment]) -> list[str]:
    parts = []
    for level, own in groupby(moments, key=lambda moment: moment.level):
        stretch = list(own)
        begin, end = panel.x(stretch[0].day), panel.x(stretch[-1].day + _step(moments))
        end = min(end, float(WIDTH - RIGHT))
        if level in (Level.PROBATION, Level.AUTO, Level.DEMOTED):
            parts.append(
                f'<rect class="{level.value}" x="{begin:.1f}" y="{panel.upper}" width="{end - begin:.1f}" '
                f'height="{panel.height}"/>'
            )
        if end - begin > 6.2 * len(level.value) + 8:
            middle = (begin + end) / 2
            parts.append(_text(middle, panel.upper + panel.height - 9, level.value, "level-ink", anchor="middle"))
    parts += panel.frame("Evidence and alarm, of 100", (0, 25, 50, 75, 100), lambda tick: f"{tick:g}", above=62)
    parts.append(panel.line("evidence", [(moment.day, moment.evidence) for moment in moments]))
    parts.append(panel.line("alarm", [(moment.day, moment.alarm) for moment in moments]))
    side = WIDTH - RIGHT + 14
    rows = (
        ("evidence", "evidence for a", "evidence-ink"),
        ("", "certificate", "evidence-ink"),
        ("alarm", "alarm: how much", "alarm-ink"),
        ("", "audits speak of", "alarm-ink"),
        ("", "too much risk", "alarm-ink"),
    )
    for number, (mark, words, kind) in enumerate(rows):
        at = panel.upper + 14 + 18 * number
        if mark:
            parts.append(f'<line class="{mark}" x1="{side}" x2="{side + 24}" y1="{at - 4:.0f}" y2="{at - 4:.0f}"/>')
        parts.append(_text(side + 31, at, words, kind))
    return parts


def _drafts(panel: _Panel, moments: Sequence[Moment]) -> list[str]:
    """Shares of the drafts of each day, stacked: held, sent and audited, sent."""
    parts = panel.frame("What became of the drafts", (0.0, 0.5, 1.0), lambda tick: f"{100 * tick:.0f} %")
    width = panel.x(1.0) - panel.x(0.0)
    for day, own in groupby(moments, key=lambda moment: math.ceil(moment.day)):
        of_day = list(own)
        held, audited = sum(one.reviews for one in of_day), sum(one.audits for one in of_day)
        alone, drafts = sum(one.automatic for one in of_day) - audited, sum(one.drafts for one in of_day)
        begin, below = panel.x(day - 1.0), 0.0
        for kind, count in (("held", held), ("audited", audited), ("alone", alone)):
            share = count / drafts if drafts else 0.0
            upper = panel.y(below + share)
            if share:
                parts.append(
                    f'<rect class="{kind}" x="{begin:.2f}" y="{upper:.1f}" width="{width + 0.3:.2f}" '
                    f'height="{panel.y(below) - upper:.1f}"/>'
                )
            below += share
    side = WIDTH - RIGHT + 14
    rows = (("alone", "left by themselves"), ("audited", "left, and audited"), ("held", "decided by people"))
    for number, (kind, words) in enumerate(rows):
        at = panel.upper + 14 + 22 * number
        parts.append(f'<rect class="{kind}" x="{side}" y="{at - 10}" width="13" height="12"/>')
        parts.append(_text(side + 31, at, words, "ink"))
    return parts


def _losses(panel: _Panel, moments: Sequence[Moment], target: float) -> list[str]:
    step = panel.top / 4
    digits = 0 if step >= 0.01 else 1
    ticks = [step * number for number in range(5)]
    parts = panel.frame("Mean loss of automatic replies", ticks, lambda tick: f"{100 * tick:.{digits}f} %")
    for is_known, own in groupby(_rolling(moments), key=lambda point: point[1] is not None):
        if is_known:
            parts.append(panel.line("loss", [(day, value or 0.0) for day, value in own]))
    for is_known, known in groupby(moments, key=lambda moment: moment.true_risk is not None):
        if is_known:
            parts.append(panel.line("true", _steps([(moment.day, moment.true_risk or 0.0) for moment in known])))
    at = panel.y(target)
    parts.append(f'<line class="target" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{at:.1f}" y2="{at:.1f}"/>')
    side = WIDTH - RIGHT + 14
    rows = (
        ("loss", f"of the last {WINDOW_DAYS} days", "ink"),
        ("true", "expected at the", "true-ink"),
        ("", "threshold in force", "true-ink"),
        ("target", f"target: {100 * target:g} %", "target-ink"),
    )
    for number, (mark, words, kind) in enumerate(rows):
        here = panel.upper + 14 + 20 * number
        if mark:
            parts.append(f'<line class="{mark}" x1="{side}" x2="{side + 24}" y1="{here - 4:.0f}" y2="{here - 4:.0f}"/>')
        parts.append(_text(side + 31, here, words, kind))
    return parts


def _steps(points: Sequence[Point]) -> list[Point]:
    """The same as a stair: each value holds until the next one."""
    edges = [(later[0], earlier[1]) for earlier, later in pairwise(points)]
    return [*(corner for pair in zip(points, edges, strict=False) for corner in pair), *points[-1:]]


def _rolling(moments: Sequence[Moment]) -> list[tuple[float, float | None]]:
    found: list[tuple[float, float | None]] = []
    for number, moment in enumerate(moments):
        window = [one for one in moments[: number + 1] if one.day > moment.day - WINDOW_DAYS]
        sent = sum(one.automatic for one in window)
        found.append((moment.day, sum(one.loss for one in window) / sent if sent and moment.automatic else None))
    return found


def _top(moments: Sequence[Moment], target: float) -> float:
    """The upper end of the axis of losses: a round number above what was seen."""
    seen = max((value or 0.0 for _, value in _rolling(moments)), default=0.0)
    wanted = max(2.0 * target, 1.1 * seen, *(moment.true_risk or 0.0 for moment in moments), 1e-4)
    unit = 10.0 ** math.floor(math.log10(wanted))
    return next(unit * factor for factor in (1, 2, 4, 8, 10, 20) if unit * factor >= wanted)


def _events(of: SliceWorld, events: Sequence[Event], panel: _Panel, bottom: float) -> list[str]:
    """Vertical lines with their names above, those close to each other one above the other."""
    marks = [(event.day, _said(event), "event", "ink") for event in events]
    if of.regression is not None and of.regression.day <= panel.days:
        marks.append((of.regression.day, f"{of.regression.times:g} × as many are bad", "worse", "worse-ink"))
    parts, ends = [], [-math.inf] * EVENT_ROWS
    for day, words, kind, ink in sorted(marks):
        x = panel.x(day)
        row = next((row for row, end in enumerate(ends) if x > end), None)
        parts.append(f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{panel.upper - 4}" y2="{bottom}"/>')
        if row is not None:
            ends[row] = x + 6.4 * len(words) + 10
            parts.append(_text(x + 3, panel.upper - 8 - 15 * row, words, ink))
    return parts


def _said(event: Event) -> str:
    if event.what == "promoted":
        return f"{event.level.value} from {event.threshold or 0.0:.2f}"
    return event.what


def _days(panel: _Panel, days: int, bottom: float) -> list[str]:
    step = next((size for size in (1, 2, 5, 10, 20, 30, 60, 90, 180, 365) if days / size <= 10), 730)
    parts = [f'<line class="axis" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{bottom}" y2="{bottom}"/>']
    parts += [_text(panel.x(day), bottom + 17, str(day), "soft", anchor="middle") for day in range(0, days + 1, step)]
    return [*parts, _text(panel.x(days / 2), bottom + 36, "day", "soft", anchor="middle")]


def _step(moments: Sequence[Moment]) -> float:
    return moments[1].day - moments[0].day if len(moments) > 1 else 1.0


def _text(
    x: float, y: float, words: str, kind: str, *, size: float = 12, weight: int = 400, anchor: str = "start"
) -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
