"""Where this plan and those of other open requests want the same units: sums, and nothing else.

Two plans that each fit may not fit one after the other. A plan adds `net` units for good, and at
worst `extra` on the way there; whoever comes second needs its extra beside the first one's net.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.model import Digest, ResourceId
from nvcfplan.plans import Infeasible, Plan
from nvcfplan.reports.capacity_curve import capacity_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What a plan takes of one resource and keeps: `net` > 0."""

    resource: ResourceId
    net: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """Of one plan, sorted by resource, each once; what is given back is no claim."""

    stack: str
    environment: str
    digest: Digest
    claims: tuple[Claim, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What this plan needs of one resource at worst (`extra` > 0), and what was free of it."""

    resource: ResourceId
    extra: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """`others`: requests as their forge writes them, such as `#123`; more than one where only
    together they leave too little. `theirs` + `ours` is more than was `free`.
    """

    resource: ResourceId
    others: tuple[str, ...]
    ours: int
    theirs: int
    free: int


def find_claims(plan: Plan | Infeasible, digest: Digest) -> Claims:
    """Of a plan that cannot be carried out there are none."""
    made = plan.plan if isinstance(plan, Infeasible) else plan
    rows = () if isinstance(plan, Infeasible) else capacity_rows(plan)
    nets = ((row.resource.id, row.after - row.resource.before) for row in rows if row.is_touched)
    return Claims(
        stack=made.desired.name,
        environment=made.desired.environment,
        digest=digest,
        claims=tuple(Claim(resource=one, net=net) for one, net in sorted(nets) if net > 0),
    )


def find_wants(plan: Plan | Infeasible) -> tuple[Want, ...]:
    """Of the resources with a known limit that it takes from and fits."""
    if isinstance(plan, Infeasible):
        return ()
    found = (
        Want(
            resource=row.resource.id,
            extra=row.peak - row.resource.before,
            free=row.resource.limit - row.resource.headroom - row.resource.before,
        )
        for row in capacity_rows(plan)
        if row.is_touched and row.resource.limit is not None
    )
    return tuple(one for one in found if 0 < one.extra <= one.free)


def find_conflicts(wants: Sequence[Want], others: Mapping[str, Claims]) -> tuple[Conflict, ...]:
    """By resource, then by request. Whatever `others` name that is not wanted here counts for
    nothing: it may come from anybody.
    """
    return tuple(
        conflict
        for want in sorted(wants, key=lambda one: one.resource)
        for conflict in _conflicts(want, _nets(want.resource, others))
    )


def _nets(resource: ResourceId, others: Mapping[str, Claims]) -> dict[str, int]:
    return {
        name: net
        for name, one in sorted(others.items())
        if (net := sum(claim.net for claim in one.claims if claim.resource == resource)) > 0
    }


def _conflicts(want: Want, nets: Mapping[str, int]) -> list[Conflict]:
    def conflict(names: Sequence[str]) -> Conflict:
        return Conflict(
            resource=want.resource,
            others=tuple(names),
            ours=want.extra,
            theirs=sum(nets[one] for one in names),
            free=want.free,
        )

    alone = [name for name, net in nets.items() if net + want.extra > want.free]
    found = [conflict([name]) for name in alone]
    rest = [name for name in nets if name not in alone]
    if sum(nets[one] for one in rest) + want.extra > want.free:
        found.append(conflict(rest))
    return found
