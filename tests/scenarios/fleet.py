"""Twelve functions whose change takes over fifty steps, of every kind; two pools are nearly full.

Five roll through room for one more, and a sixth moves in behind them; two are swapped in a full
pool; one grows into what another leaves; one is new; one is deployed again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.scenarios.conftest import function, stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

OLD, NEW = "LAB.H100_1x", "LAB.H100_1x.v2"
"""Instance types of one GPU each, by which a fault tells the new versions from the old ones."""
CAPACITY = {"roll": 6, "swap": 4, "side": 8, "spare": 32}
"""Of each cluster, in H100."""
ROLLS = tuple(f"roll-{number}" for number in range(5))
SWAPS = ("swap-0", "swap-1")
TAKING = ("comer", "idler", *ROLLS, "mover", *SWAPS, "grower")
"""Those whose step needs GPUs: a deployment, but for the last one, which is scaled up."""
POOLS = {
    "roll": (*ROLLS, "mover"),
    "swap": SWAPS,
    "side": ("comer", "idler", "grower", "leaver"),
}
UNITS = dict.fromkeys((*ROLLS, "mover", "idler"), 1) | dict.fromkeys((*SWAPS, "comer", "leaver"), 2)
WORLD = """\
ncaId: nca-lab
org: lab
landing: adversarial
groups:
  lab: {}
clusters:
""" + "".join(
    f"  {name}:\n    groups: [lab]\n    region: us-west-2\n    gpus:\n      H100:\n"
    f"        capacity: {capacity}\n        instanceTypes:\n"
    f"          {OLD}: {{ gpuCount: 1 }}\n          {NEW}: {{ gpuCount: 1 }}\n"
    for name, capacity in CAPACITY.items()
)
_UP = "minServing: 1, prove: none, keepVersions: 0"
_DOWN = "order: delete-first, downtime: allowed, keepVersions: 0"


def before() -> str:
    tight = (*((key, "roll", 1) for key in ROLLS), *((key, "swap", 2) for key in SWAPS))
    loose = (("mover", "side", 1), ("grower", "side", 1), ("idler", "side", 1))
    rows = (*tight, *loose, ("leaver", "side", 2))
    return stack(*(_lab(key, place, count) for key, place, count in rows))


def after(rungs: Mapping[str, str] | None = None) -> str:
    """`rungs`: by function, what its ladder has."""
    return stack(*_changed(rungs or {}))


def _changed(rungs: Mapping[str, str]) -> Iterator[str]:
    rows = (
        *((key, "roll", 1, NEW, "2.0.0") for key in ROLLS),
        *((key, "swap", 2, NEW, "2.0.0") for key in SWAPS),
        ("mover", "roll", 1, NEW, "1.0.0"),
        ("comer", "side", 2, NEW, "1.0.0"),
        ("grower", "side", 3, OLD, "1.0.0"),
        ("idler", "side", 1, OLD, "1.0.0"),
    )
    for key, place, count, kind, image in rows:
        yield _lab(key, place, count, kind=kind, image=image, rung=rungs.get(key))


def sleepers(count: int) -> str:
    return stack(*(_lab(f"sleeper-{number:02}", "spare", 1) for number in range(count)))


def _lab(
    key: str,
    place: str,
    count: int,
    *,
    kind: str = OLD,
    image: str = "1.0.0",
    rung: str | None = None,
) -> str:
    text = function(
        key,
        gpu="H100",
        kind=kind,
        place=f"clusters: [{place}]",
        instances=f"{count}..{count}",
        image=image,
    )
    ladder = f"      onNoCapacity: [{rung}]\n" if rung else ""
    return f"{text}{ladder}    update: {{ {_DOWN if key in SWAPS else _UP} }}\n"
