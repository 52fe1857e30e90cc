"""Other clusters for what is wanted: a placement where there is room, or one that is certain."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import place
from nvcfplan.model import canonical_json
from nvcfplan.planning.ways_out.ideas import Idea, having, homes, on_cluster, with_functions
from nvcfplan.plans import AlternativeKind, Edit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from collections.abc import Set as AbstractSet

    from nvcfplan.model import Address, DesiredFunction, DesiredSpecification, PoolId
    from nvcfplan.planning.planner import Inputs
    from nvcfplan.plans import Resource


def elsewhere(
    inputs: Inputs, functions: Sequence[DesiredFunction], resources: Sequence[Resource]
) -> Iterator[Idea]:
    """One specification on another cluster that has the same GPU and instance type."""
    short = {pool for one in resources for pool in one.pools}
    for function in functions:
        for one in function.specifications:
            for pool in homes(inputs.account, one.specification):
                if pool not in short:
                    yield _placed(inputs, function, one, pool, AlternativeKind.PLACE)


def pins(
    inputs: Inputs, risks: AbstractSet[tuple[Address, str]], pools_at_risk: AbstractSet[PoolId]
) -> Iterator[Idea]:
    """One cluster for a specification that may land where one at risk may, itself included."""
    wide = [
        (function, one, place(one.specification, inputs.account).pools)
        for function in inputs.stack.functions
        for one in function.specifications
    ]
    risky = pools_at_risk | {
        pool
        for function, one, pools in wide
        if (function.address, f"deployment.specifications.{one.key}") in risks
        for pool in pools
    }
    for function, one, pools in wide:
        if len(pools) > 1 and not risky.isdisjoint(pools):
            for pool in pools:
                yield _placed(inputs, function, one, pool, AlternativeKind.PIN)


def _placed(
    inputs: Inputs,
    function: DesiredFunction,
    one: DesiredSpecification,
    pool: PoolId,
    kind: AlternativeKind,
) -> Idea:
    path = f"functions.{function.key}.deployment.specifications.{one.key}"
    edits = [Edit(path=f"{path}.clusters", value=canonical_json([pool.cluster]))]
    gone = [name for name in ("backend", "regions") if getattr(one.specification, name)]
    edits += (Edit(path=f"{path}.{name}", value=None) for name in gone)
    moved = on_cluster(one.specification, pool)
    managed = tuple(sorted({*one.managed, "clusters"} - set(gone)))
    changed = replace(one, specification=moved, managed=managed)
    found = with_functions(inputs, {function.key: having(function, changed)})
    return Idea(kind, tuple(edits), found)
