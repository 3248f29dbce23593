"""Plots as SVG on logarithmic axes: one dot for each contender, or lines over sizes.

On such an axis the same distance is the same ratio. They take the colour of the text of the page
they stand in.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

__all__ = ["dots", "lines"]

_WIDTH, _LABELS, _ROW, _TOP, _BOTTOM = 720, 210, 24, 12, 44
_LEFT, _RIGHT = _LABELS + 12, _WIDTH - 70
_OURS, _OTHERS = "#009485", "#8a8f98"
_COLOURS = ("#009485", "#d1772e", "#5b6ad0")
_FAINT = 'stroke="currentColor" stroke-opacity="0.15"'


def dots(name: str, axis: str, values: Mapping[str, float]) -> str:
    """Return a row for each contender, the smallest value first; roomkit's stand out.

    Args:
        name: what the plot shows, in a sentence for those who cannot see it.
        axis: what is counted, and in which unit.
    """
    shown = sorted((value, who) for who, value in values.items() if value > 0)
    height = _TOP + _ROW * len(shown) + _BOTTOM
    scale = _Scale([value for value, _ in shown], _LEFT, _RIGHT)
    parts = _ticks(scale, height - _BOTTOM + 4)
    for number, (value, who) in enumerate(shown):
        middle = _TOP + _ROW * number + _ROW / 2
        colour = _OURS if who.startswith("roomkit") else _OTHERS
        place = scale(value)
        parts += [
            _line((_LEFT, middle), (place, middle), f'stroke="{colour}" stroke-opacity="0.4"'),
            f'<circle cx="{place:.1f}" cy="{middle:g}" r="5" fill="{colour}"/>',
            _text(_LABELS, middle + 4.5, who, "end"),
            _text(place + 10, middle + 4.5, _number(value), "start"),
        ]
    parts.append(_text((_LEFT + _RIGHT) / 2, height - 6, axis, "middle"))
    return _svg(name, height, parts)


def lines(
    name: str, across: str, up: str, series: Mapping[str, Sequence[tuple[float, float]]]
) -> str:
    """Return a line for each of `series`, through its points.

    Args:
        across: what the horizontal axis counts; `up` is the vertical one.
    """
    height, left, bottom = 320, 80, 270
    points = [point for each in series.values() for point in each]
    x = _Scale([point[0] for point in points], left, _WIDTH - 200)
    y = _Scale([point[1] for point in points], bottom, _TOP + 20)
    parts = _ticks(x, bottom + 4)
    for value in y.ticks():
        parts += [
            _line((left, y(value)), (_WIDTH - 200, y(value)), _FAINT),
            _text(left - 8, y(value) + 4.5, _number(value), "end"),
        ]
    for through, colour in zip(series.values(), _COLOURS, strict=False):
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in through)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [
            f'<circle cx="{x(a):.1f}" cy="{y(b):.1f}" r="4" fill="{colour}"/>' for a, b in through
        ]
    for number, (who, colour) in enumerate(zip(series, _COLOURS, strict=False)):
        middle = _TOP + 16 + _ROW * number
        parts.append(f'<circle cx="{_WIDTH - 180}" cy="{middle}" r="5" fill="{colour}"/>')
        parts.append(_text(_WIDTH - 168, middle + 4.5, who, "start"))
    parts.append(_text((left + _WIDTH - 200) / 2, height - 6, across, "middle"))
    parts.append(_text(left - 60, _TOP, up, "start"))
    return _svg(name, height, parts)


class _Scale:
    """From a value to its place between two ends, by its logarithm; whole decades.

    What was too little to be measured, 0, is at the start.
    """

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        measured = [value for value in values if value > 0]
        self._first = math.floor(math.log10(min(measured, default=1)))
        self._last = max(math.ceil(math.log10(max(measured, default=10))), self._first + 1)
        self._start, self._end = start, end

    def __call__(self, value: float) -> float:
        decades = math.log10(value) if value > 0 else self._first
        share = (decades - self._first) / (self._last - self._first)
        return self._start + share * (self._end - self._start)

    def ticks(self) -> Sequence[float]:
        """Return every power of ten from one end to the other."""
        return [10.0**power for power in range(self._first, self._last + 1)]


def _ticks(scale: _Scale, bottom: float) -> list[str]:
    parts: list[str] = []
    for value in scale.ticks():
        place = scale(value)
        parts += [
            _line((place, _TOP), (place, bottom), _FAINT),
            _text(place, bottom + 14, _number(value), "middle"),
        ]
    return parts


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.3g}"


def _line(start: tuple[float, float], end: tuple[float, float], style: str) -> str:
    places = f'x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}"'
    return f"<line {places} {style}/>"


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(name: str, height: float, parts: Sequence[str]) -> str:
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(name)}" font-family="sans-serif" font-size="13" fill="currentColor">'
    )
    return "\n".join([opening, *parts, "</svg>"]) + "\n"
