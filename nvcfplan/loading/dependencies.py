"""`dependsOn`: names that exist, and no circle."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from nvcfplan.loading.findings import Finding
from nvcfplan.loading.wording import nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


def dependency_findings(
    wanted: Mapping[str, Sequence[str]], known: Collection[str] | None
) -> Iterator[Finding]:
    """`wanted`: function key to the keys it depends on. `known` None: not all could be read."""
    for key, names in sorted(wanted.items()):
        for index, name in enumerate(names):
            if name == key:
                yield _itself(key, index)
            elif known is not None and name not in known:
                yield _unknown(key, index, name, known)
    for circle in _circles(wanted):
        yield _circle(circle)


def _itself(key: str, index: int) -> Finding:
    return Finding(
        code="dependency-cycle",
        path=("functions", key, "dependsOn", index),
        summary=f"`{key}` depends on itself",
        remedy="remove it",
    )


def _unknown(key: str, index: int, name: str, known: Collection[str]) -> Finding:
    meant = nearest(name, known)
    return Finding(
        code="unknown-dependency",
        path=("functions", key, "dependsOn", index),
        summary=f"`{key}` depends on `{name}`, which is no function of this stack"
        + (f"; did you mean `{meant}`?" if meant else ""),
        remedy=f"write `{meant}`" if meant else "remove it, or add the function",
    )


def _circle(keys: Sequence[str]) -> Finding:
    return Finding(
        code="dependency-cycle",
        path=("functions", keys[0], "dependsOn"),
        summary=f"the functions wait for each other: {' -> '.join((*keys, keys[0]))}",
        detail="none of them could ever be deployed first",
        remedy="remove one of the dependencies",
    )


def _circles(wanted: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, ...]]:
    """Circles without a function in common, each beginning at its least key.

    A function that names itself is told elsewhere.
    """
    left = {key: sorted({*names} - {key}) for key, names in sorted(wanted.items())}
    while circle := _circle_in(left):
        least = circle.index(min(circle))
        yield (*circle[least:], *circle[:least])
        left = {
            key: [name for name in names if name not in circle]
            for key, names in left.items()
            if key not in circle
        }


def _circle_in(wanted: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Each followed by one that it depends on; empty when there is none."""
    try:
        TopologicalSorter(wanted).prepare()
    except CycleError as error:
        # graphlib names a circle by predecessors, its first again at its end.
        return tuple(reversed(error.args[1][1:]))
    return ()
