"""What is limited (pools, sets of pools, quotas, the version limit) and what a step takes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nvcfplan.model import PoolId, ResourceId


class Bound(StrEnum):
    """NECESSARY: what can land only inside; a breach is proved impossible.

    SUFFICIENT: what can touch it at all; proved only if it holds. EXACT: both in one.
    """

    NECESSARY = "necessary"
    SUFFICIENT = "sufficient"
    EXACT = "exact"


class Unit(StrEnum):
    GPUS = "gpus"
    INSTANCES = "instances"
    VERSIONS = "versions"


class Basis(StrEnum):
    """HELD: max(min, running now)."""

    HELD = "held-instances"
    MIN = "min-instances"
    MAX = "max-instances"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """`source` is the route or file; when it was read stands in the plan's provenance by `id`."""

    id: str
    source: str
    is_partial: bool = False
    is_shared: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """`limit` None: not checked. `before` is all use, other tenants included; `ours` our part.

    `instance_type`: only what is of that type is counted; None: of any. `published`: the part of
    `before` that no reading shows yet, for running applies of other stacks still will take it.
    """

    id: ResourceId
    pools: tuple[PoolId, ...]
    unit: Unit
    bound: Bound
    basis: Basis
    limit: int | None
    before: int
    ours: int
    headroom: int
    reading: Reading | None
    instance_type: str | None = None
    published: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """`units` > 0; tuples of charges are sorted by resource, each once."""

    resource: ResourceId
    units: int
