"""Risk against coverage of a backtest as SVG, one panel for all and one for each slice; it computes nothing.

Readable in light and dark: colours follow the viewer's scheme, and lines differ by dash and width as well. PNG needs the
extra `plot`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape
from typing import Final

from understudy.cli.backtest_report import percent
from understudy.cli.plain_text import visible
from understudy.errors import ConfigurationError
from understudy.records.backtest import Backtest, CurvePoint, Goal, SliceBacktest

WIDTH: Final = 960
MARGIN: Final = 28
PANELS_A_ROW: Final = 3
PANELS_MAX: Final = 12
PNG_ZOOM: Final = 2
NAME_CHARS_MAX: Final = 34
FONT: Final = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"

STYLE: Final = """
  .paper { fill: #ffffff } .ink { fill: #1c2430 } .soft { fill: #5b6675 }
  .grid { stroke: #e3e7ec; stroke-width: 1 } .axis { stroke: #9aa4b1; stroke-width: 1 }
  .seen { stroke: #1f6feb; stroke-width: 2.2; fill: none } .bound { stroke: #b45f06; stroke-width: 1.6; fill: none; stroke-dasharray: 5 3 }
  .between { fill: #b45f06; fill-opacity: 0.09 } .target { stroke: #c0392b; stroke-width: 1.4; stroke-dasharray: 2 3 }
  .target-ink { fill: #c0392b } .held { stroke: #1a7f37; stroke-width: 2 } .held-area { fill: #1a7f37; fill-opacity: 0.10 }
  .held-dot { fill: #1a7f37 } .held-ink { fill: #1a7f37 } .plain-dot { fill: none; stroke: #5b6675; stroke-width: 1.6 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #12161c } .ink { fill: #e8ecf1 } .soft { fill: #9aa7b6 }
    .grid { stroke: #262d37 } .axis { stroke: #5b6675 } .seen { stroke: #6cb0ff } .bound { stroke: #f0a35a }
    .between { fill: #f0a35a } .target { stroke: #ff7b6b } .target-ink { fill: #ff7b6b } .held { stroke: #56d364 }
    .held-area { fill: #56d364 } .held-dot { fill: #56d364 } .held-ink { fill: #56d364 } .plain-dot { stroke: #9aa7b6 }
  }
"""


class _Panel:
    """A coordinate system: coverage 0 to 1 to the right, risk 0 to `top` upwards."""

    def __init__(self, x: float, y: float, width: float, height: float, top: float) -> None:
        self.left, self.upper, self.width, self.height, self.top = x, y, width, height, top

    def x(self, coverage: float) -> float:
        return self.left + coverage * self.width

    def y(self, risk: float) -> float:
        return self.upper + self.height * (1.0 - risk / self.top)

    def clipped(self, content: str) -> str:
        """Show of the content only what is inside."""
        name = f"p{self.left:.0f}-{self.upper:.0f}"
        frame = f'<rect x="{self.left:.1f}" y="{self.upper:.1f}" width="{self.width:.1f}" height="{self.height:.1f}"/>'
        return f'<clipPath id="{name}">{frame}</clipPath><g clip-path="url(#{name})">{content}</g>'

    def path(self, points: Sequence[tuple[float, float]]) -> str:
        return "M" + " L".join(f"{self.x(coverage):.1f} {self.y(risk):.1f}" for coverage, risk in points)


def svg(found: Backtest) -> str:
    """The picture: all of the history large, and each slice small where there are several."""
    slices = found.slices[:PANELS_MAX] if len(found.slices) > 1 else ()
    rows = math.ceil(len(slices) / PANELS_A_ROW)
    large, small = 340, 190
    height = 92 + large + 62 + (34 + rows * (small + 66) if slices else 0)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
            f'role="img" font-family="{FONT}" font-size="12">'
        ),
        f"<title>Risk against coverage, {escape(_headline(found))}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="paper" width="{WIDTH}" height="{height}"/>',
        _text(MARGIN, 34, _headline(found), "ink", size=19, weight=600),
        _text(MARGIN, 56, _subtitle(found), "soft", size=13),
    ]
    panel = _Panel(MARGIN + 44, 92, WIDTH - 2 * MARGIN - 44 - 210, large, _top(found.overall, found.goal))
    parts += [
        _axes(panel, is_large=True),
        _content(
            panel, found.overall, found.goal, is_large=True, whole="for the mix of all slices, " if slices else ""
        ),
    ]
    parts.append(_legend(WIDTH - MARGIN - 190, 104, found))
    if slices:
        begin = 92 + large + 62
        more = len(found.slices) - len(slices)
        title = "Each slice by itself" + (f" ({more} smaller ones are left out)" if more else "")
        parts.append(_text(MARGIN, begin + 14, title, "ink", size=15, weight=600))
        gap = 26
        width = (WIDTH - 2 * MARGIN - (PANELS_A_ROW - 1) * gap) / PANELS_A_ROW
        for number, one in enumerate(slices):
            left = MARGIN + (number % PANELS_A_ROW) * (width + gap)
            upper = begin + 62 + (number // PANELS_A_ROW) * (small + 66)
            parts.append(_text(left, upper - 24, _cut(one.name), "ink", size=13, weight=600))
            parts.append(_text(left, upper - 9, _state(one), "held-ink" if one.is_certified else "soft", size=11.5))
            inner = _Panel(left + 38, upper, width - 42, small - 24, _top(one, found.goal))
            parts += [_axes(inner, is_large=False), _content(inner, one, found.goal, is_large=False)]
    return "\n".join([*parts, "</svg>"]) + "\n"


def png_maker() -> Callable[[Backtest], bytes]:
    """How to make a PNG, in light colours; raises `ConfigurationError` where the library is missing."""
    try:
        import resvg_py
    except ModuleNotFoundError:
        raise ConfigurationError(
            "a .png needs the extra `plot` (pip install 'understudy[plot]'); an .svg needs nothing"
        ) from None
    return lambda found: bytes(resvg_py.svg_to_bytes(svg_string=svg(found), zoom=PNG_ZOOM))


def _headline(found: Backtest) -> str:
    if found.is_anything_certified:
        share = found.coverage_by_slices if any(one.is_certified for one in found.slices) else found.overall.coverage
        return f"{percent(share)} of the replies could have gone out alone"
    return "Nothing could be certified yet"


def _subtitle(found: Backtest) -> str:
    goal = found.goal
    slices = (
        ""
        if len(found.slices) < 2
        else f", {sum(s.is_certified for s in found.slices)} of {len(found.slices)} slices certified"
    )
    return (
        f"at most {percent(goal.risk_max)} mean loss with {percent(goal.confidence)} confidence, "
        f"{found.overall.labels:,} labels{slices}"
    )


def _top(one: SliceBacktest, goal: Goal) -> float:
    """The upper end of the risk axis: well above the target and above what was seen, in a round number."""
    seen = max((point.risk for point in one.curve if point.coverage >= 0.05), default=0.0)
    wanted = min(1.0, max(3.0 * goal.risk_max, 1.25 * seen))
    step = 10.0 ** math.floor(math.log10(wanted))
    return min(1.0, next(step * m for m in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * m >= wanted - 1e-12))


def _axes(panel: _Panel, *, is_large: bool) -> str:
    parts = []
    ticks = min((5, 4) if is_large else (3, 2), key=lambda count: _digits(100 * panel.top / count))
    digits = _digits(100 * panel.top / ticks)
    for number in range(ticks + 1):
        risk = panel.top * number / ticks
        at = panel.y(risk)
        parts.append(f'<line class="grid" x1="{panel.left:.1f}" x2="{panel.x(1):.1f}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(_text(panel.left - 7, at + 4, f"{100 * risk:.{digits}f} %", "soft", size=11, anchor="end"))
    bottom = panel.y(0.0)
    parts += [
        _text(panel.x(coverage), bottom + 16, f"{100 * coverage:.0f} %", "soft", size=11, anchor="middle")
        for coverage in ((0.0, 0.2, 0.4, 0.6, 0.8, 1.0) if is_large else (0.0, 0.5, 1.0))
    ]
    parts.append(
        f'<line class="axis" x1="{panel.left:.1f}" x2="{panel.x(1):.1f}" y1="{bottom:.1f}" y2="{bottom:.1f}"/>'
    )
    if is_large:
        middle = panel.x(0.5)
        words = "share of the replies that go out alone, the surest first"
        parts.append(_text(middle, bottom + 36, words, "soft", size=12, anchor="middle"))
        parts.append(_text(panel.left - 44, panel.upper - 12, "mean loss", "soft", size=12))
    return "\n".join(parts)


def _digits(step: float) -> int:
    """How many digits behind the point a step of the axis needs."""
    return next(digits for digits in range(5) if digits == 4 or math.isclose(step, round(step, digits)))


def _content(panel: _Panel, one: SliceBacktest, goal: Goal, *, is_large: bool, whole: str = "") -> str:
    target = panel.y(goal.risk_max)
    parts = []
    if one.is_certified:
        height = panel.y(0.0) - panel.upper
        parts.append(
            f'<rect class="held-area" x="{panel.left:.1f}" y="{panel.upper:.1f}" '
            f'width="{one.coverage * panel.width:.1f}" height="{height:.1f}"/>'
        )
    if one.curve:
        parts.append(panel.clipped("\n".join(_lines(panel, one.curve))))
    parts.append(
        f'<line class="target" x1="{panel.left:.1f}" x2="{panel.x(1):.1f}" y1="{target:.1f}" y2="{target:.1f}"/>'
    )
    if is_large:
        label = f"target {percent(goal.risk_max)}"
        parts.append(_text(panel.x(1) + 9, target + 4, label, "target-ink", size=12))
    if one.plain is not None:
        at = (panel.x(one.plain.coverage), panel.y(one.plain.risk))
        parts.append(f'<circle class="plain-dot" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="{4.5 if is_large else 3.5}"/>')
    if one.is_certified:
        x, upper = panel.x(one.coverage), panel.y(one.risk_upper)
        parts.append(f'<line class="held" x1="{x:.1f}" x2="{x:.1f}" y1="{panel.y(0):.1f}" y2="{upper:.1f}"/>')
        parts.append(f'<circle class="held-dot" cx="{x:.1f}" cy="{upper:.1f}" r="{5 if is_large else 3.5}"/>')
        if is_large:
            words = f"{percent(one.coverage)} certified {whole}from confidence {one.threshold:.3f}"
            is_right = one.coverage > 0.5
            place = x - 9 if is_right else x + 9
            parts.append(
                _text(
                    place,
                    panel.upper + 16,
                    words,
                    "held-ink",
                    size=12,
                    weight=600,
                    anchor="end" if is_right else "start",
                )
            )
    elif is_large:
        parts.append(_text(panel.x(0.5), panel.upper + 18, _state(one), "soft", size=13, anchor="middle"))
    return "\n".join(parts)


def _lines(panel: _Panel, curve: Sequence[CurvePoint]) -> list[str]:
    seen = [(point.coverage, point.risk) for point in curve]
    bound = [(point.coverage, point.risk_upper) for point in curve]
    outline = panel.path([*bound, *seen[::-1]])
    return [
        f'<path class="between" d="{outline} Z"/>',
        f'<path class="bound" d="{panel.path(bound)}"/>',
        f'<path class="seen" d="{panel.path(seen)}"/>',
    ]


def _legend(x: float, y: float, found: Backtest) -> str:
    confidence = percent(found.goal.confidence)
    rows = (
        ('<line class="seen" x1="0" x2="26" y1="-4" y2="-4"/>', "mean loss that was seen"),
        ('<line class="bound" x1="0" x2="26" y1="-4" y2="-4"/>', f"its bound at {confidence}, each"),
        ("", "threshold by itself"),
        ('<line class="target" x1="0" x2="26" y1="-4" y2="-4"/>', "target"),
        ('<circle class="held-dot" cx="13" cy="-4" r="5"/>', "certified: bound after"),
        ("", "choosing the threshold"),
        ('<circle class="plain-dot" cx="13" cy="-4" r="4.5"/>', "a plain threshold would"),
        ("", "stop here, unproven"),
    )
    parts = []
    for number, (mark, words) in enumerate(rows):
        at = y + number * 19
        if mark:
            parts.append(f'<g transform="translate({x:.0f} {at:.0f})">{mark}</g>')
        parts.append(_text(x + 36, at, words, "ink", size=12))
    return "\n".join(parts)


def _state(one: SliceBacktest) -> str:
    if one.is_certified:
        return f"{percent(one.coverage)} certified · {one.labels:,} labels"
    if not one.labels:
        return "no labels"
    if one.labels_expected is None:
        return f"not at this loss · {one.labels:,} labels"
    return f"some {one.labels_expected:,} more labels · {one.labels:,} so far"


def _cut(name: str) -> str:
    text = visible(name).replace("\n", " ")
    return text if len(text) <= NAME_CHARS_MAX else text[: NAME_CHARS_MAX - 1] + "…"


def _text(x: float, y: float, words: str, kind: str, *, size: float, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
