"""Drawing states and the arrows between them as SVG, in the colours of the page they stand on.

It knows nothing of roomkit. Lengths are in the units of the drawing, about a CSS pixel each.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Arrow", "Box", "DrawingError", "box", "draw", "surface"]

_LINE = 16
_DOT = 8
_HEAD = (
    '<defs><marker id="head" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
    'markerHeight="7" orient="auto-start-reverse"><path d="M0 1 L9 5 L0 9 z"/></marker></defs>'
)


class DrawingError(Exception):
    """The drawing and what it shows no longer agree."""


@dataclass(frozen=True)
class Box:
    """A state, by its centre. `lines`: what is written in it, the first in bold."""

    x: float
    y: float
    lines: tuple[str, ...]
    width: float = 150
    height: float = 56
    kind: str = "state"


@dataclass(frozen=True)
class Arrow:
    """From one box to another.

    Attributes:
        bend: how far the middle is off the straight line, to the left of its direction.
        at: where along it the label stands, from 0 to 1; `shift` moves that.
        anchor: which end of the text stands there: start, middle or end.
    """

    bend: float = 0
    at: float = 0.5
    shift: tuple[float, float] = (0, 0)
    anchor: str = "middle"


_Point = tuple[float, float]


def draw(
    name: str,
    size: tuple[int, int],
    boxes: Mapping[str, Box],
    arrows: Mapping[tuple[str, str], Arrow],
    labels: Mapping[tuple[str, str], Sequence[str]],
) -> str:
    """Return the drawing as inline SVG, without a blank line in it.

    Args:
        name: what the drawing shows, in a sentence for those who cannot see it.
        arrows: how each of `labels` is drawn; no more and no fewer.

    Raises:
        DrawingError: there is an arrow without a label, or a label without an arrow.
    """
    if arrows.keys() != labels.keys():
        missing = sorted(labels.keys() - arrows.keys())
        needless = sorted(arrows.keys() - labels.keys())
        raise DrawingError(
            f"the drawing {name!r} lacks arrows for {missing} and has arrows for {needless}, which "
            "do not happen: change the arrows"
        )
    parts: list[str] = []
    texts: list[str] = []
    for (source, target), arrow in arrows.items():
        start, control, end = _curve(boxes[source], boxes[target], arrow.bend)
        parts.append(
            f'<path class="arrow" marker-end="url(#head)" d="M{_xy(start)} Q{_xy(control)} '
            f'{_xy(end)}"/>'
        )
        x, y = _on_curve(start, control, end, arrow.at)
        place = (x + arrow.shift[0], y + arrow.shift[1])
        texts.append(_text(place, labels[source, target], "label", arrow.anchor))
    parts += [box(state) for state in boxes.values()]
    return surface(name, size, [*parts, *texts])


def surface(name: str, size: tuple[int, int], parts: Sequence[str]) -> str:
    """Return a drawing of these parts, without a blank line in it."""
    opening = f'<svg viewBox="0 0 {size[0]} {size[1]}" role="img" aria-label="{escape(name)}">'
    return "\n".join([opening, _HEAD, *parts, "</svg>"])


def box(state: Box) -> str:
    """Return one box, or a dot of the kind `point`."""
    if state.kind == "point":
        return f'<circle class="point" cx="{state.x:g}" cy="{state.y:g}" r="{_DOT}"/>'
    left, top = state.x - state.width / 2, state.y - state.height / 2
    shape = (
        f'<rect class="{state.kind}" x="{left:g}" y="{top:g}" width="{state.width:g}" '
        f'height="{state.height:g}" rx="8"/>'
    )
    return shape + _text((state.x, state.y), state.lines, "name", "middle")


def _text(place: _Point, lines: Sequence[str], style: str, anchor: str) -> str:
    first = place[1] - (len(lines) - 1) * _LINE / 2 + 4.5
    spans = "".join(
        f'<tspan x="{place[0]:g}" y="{first + number * _LINE:g}">{escape(line)}</tspan>'
        for number, line in enumerate(lines)
    )
    return f'<text class="{style}" text-anchor="{anchor}">{spans}</text>'


def _curve(source: Box, target: Box, bend: float) -> tuple[_Point, _Point, _Point]:
    """Return the three points of a quadratic curve between the borders of two boxes."""
    dx, dy = target.x - source.x, target.y - source.y
    length = math.hypot(dx, dy)
    normal = (dy / length, -dx / length)
    # The middle of a quadratic curve is half as far off as its control point.
    control = (
        (source.x + target.x) / 2 + 2 * bend * normal[0],
        (source.y + target.y) / 2 + 2 * bend * normal[1],
    )
    return _border(source, control, 2), control, _border(target, control, 3)


def _border(box: Box, toward: _Point, gap: float) -> _Point:
    """Return where the line from a box's centre leaves it."""
    dx, dy = toward[0] - box.x, toward[1] - box.y
    length = math.hypot(dx, dy)
    if box.kind == "point":
        reach = (_DOT + gap) / length
    else:
        half_width, half_height = box.width / 2 + gap, box.height / 2 + gap
        reach = min(
            half_width / abs(dx) if dx else math.inf, half_height / abs(dy) if dy else math.inf
        )
    return box.x + dx * reach, box.y + dy * reach


def _on_curve(start: _Point, control: _Point, end: _Point, at: float) -> _Point:
    a, b, c = (1 - at) ** 2, 2 * at * (1 - at), at**2
    return (
        a * start[0] + b * control[0] + c * end[0],
        a * start[1] + b * control[1] + c * end[1],
    )


def _xy(point: _Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}"
