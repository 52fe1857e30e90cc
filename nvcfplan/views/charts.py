"""Where the parts of a picture stand, in hundredths of its width and height: no drawing yet.

Labels are text beside the picture, not in it, so that they keep their size at any width.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.reports import Curve, Lane, Level, Stretch

_ROOM_ABOVE: Final = 1.15
_ROOM_AFTER: Final = 1.06
"""So much of the picture shows how it is when all is done."""
_LEAST_DISTANCE: Final = 17.0
"""Two labels of the scale keep apart by so much."""
_STEP_DISTANCES: Final = (7.0, 12.0, 18.0, 26.0, 40.0, 101.0)
"""So far apart are the numbers of steps that are told one by one; the first that leaves room."""
_WIDTH_OF_SIGN: Final = 2.4
"""In hundredths of the width that a telephone has for a picture."""
_MOST_MARKS: Final = 60
"""More of them are a wall; then there is one for each label."""
_LEAST_WIDTH: Final = 0.6
"""What is over at once is still to be seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """`at`: from the left for a moment, from the bottom for an amount."""

    at: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CapacityChart:
    """`line`, `area`: paths of SVG in a box of 100 by 100, from the top left. `actual`: as `line`,
    as it really was; empty: there was no run.

    `limit`, `peak`: heights from the top. `marks`: moments at which steps take or give.
    """

    line: str
    area: str
    actual: str
    limit: float | None
    peak: float
    marks: tuple[float, ...]
    amounts: tuple[Label, ...]
    steps: tuple[Label, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    left: float
    width: float


def capacity_chart(curve: Curve, seconds: float) -> CapacityChart:
    """`seconds`: how long the plan is expected to take, or its run has taken if that is longer."""
    resource, levels = curve.row.resource, curve.levels
    amounts = {0: "", curve.row.peak: "peak"}
    if resource.limit is not None:
        amounts[resource.limit] = "limit" if resource.limit != curve.row.peak else "limit, peak"
    most = max(*amounts, *(level.used for level in (*levels, *curve.actual)), 1) * _ROOM_ABOVE
    span = max(seconds, 1.0) * _ROOM_AFTER

    def x(at: float) -> float:
        return round(100 * at / span, 2)

    def y(amount: float) -> float:
        return round(100 - 100 * amount / most, 2)

    def path(found: Sequence[Level]) -> str:
        corners = [f"H{x(level.at)}V{y(level.used)}" for level in found[1:]]
        return "".join([f"M0 {y(found[0].used)}", *corners, "H100"])

    line = path(levels)
    moments = [x(level.at) for level in levels[1:]]
    labels = _step_labels(list(zip(moments, (one.steps for one in levels[1:]), strict=True)))
    return CapacityChart(
        line=line,
        area=f"{line}V100H0Z",
        actual=path(curve.actual) if curve.actual else "",
        limit=None if resource.limit is None else y(resource.limit),
        peak=y(curve.row.peak),
        marks=tuple(label.at for label in labels) if len(levels) > _MOST_MARKS else tuple(moments),
        amounts=_apart(
            [Label(at=100 - y(one), text=f"{one} {amounts[one]}".strip()) for one in amounts]
        ),
        steps=labels,
    )


def _apart(labels: Sequence[Label]) -> tuple[Label, ...]:
    """From the bottom up, each so far from the one below that both can be read."""
    placed: list[Label] = []
    for label in sorted(labels, key=lambda one: one.at):
        least = placed[-1].at + _LEAST_DISTANCE if placed else 0.0
        placed.append(Label(at=max(label.at, least), text=label.text))
    return tuple(placed)


def _step_labels(found: Sequence[tuple[float, tuple[int, ...]]]) -> tuple[Label, ...]:
    """Moments that are too close share one label: `4, 8`, or `4 ... 12` where there are many."""
    for distance in _STEP_DISTANCES:
        labels = _grouped(found, distance)
        if all(map(_have_room, labels, labels[1:])):
            break
    return labels


def _have_room(left: Label, right: Label) -> bool:
    return right.at - left.at >= _WIDTH_OF_SIGN * (len(left.text) + len(right.text)) / 2


def _grouped(found: Sequence[tuple[float, tuple[int, ...]]], distance: float) -> tuple[Label, ...]:
    groups: list[tuple[float, list[int]]] = []
    for at, steps in found:
        if groups and at - groups[-1][0] < distance:
            groups[-1][1].extend(steps)
        else:
            groups.append((at, list(steps)))
    return tuple(Label(at=at, text=_numbers(steps)) for at, steps in groups)


def _numbers(steps: Sequence[int]) -> str:
    ordered = sorted(set(steps))
    if len(ordered) <= 2:
        return ", ".join(map(str, ordered))
    return f"{ordered[0]} \u2026 {ordered[-1]}"


def total_seconds(lanes: Sequence[Lane]) -> float:
    """Of the plan or of the run, whichever is longer; never nothing."""
    ends = [lane.expected.ends for lane in lanes]
    ends += [lane.actual.ends for lane in lanes if lane.actual is not None]
    return max(*ends, 1.0) if ends else 1.0


def bar(stretch: Stretch, seconds: float) -> Bar:
    """Of a stretch of time on a track that is `seconds` long."""
    width = max(100 * (stretch.ends - stretch.begins) / seconds, _LEAST_WIDTH)
    left = min(100 * stretch.begins / seconds, 100 - width)
    return Bar(left=round(left, 2), width=round(width, 2))
