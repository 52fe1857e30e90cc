"""Account quota: the sum of max over what is deployed, in GPUs or instances.

Source: nvcf-api.md 2.3, 8.3; what hosted counts is inferred.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.inventory import reachable
from nvcfplan.emulator.rules import QuotaUnit
from nvcfplan.emulator.world import DEPLOYED, Specification, Version, World

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.emulator.rules import QuotaRule, WorldFile


def breached(world: World, specifications: Sequence[Specification]) -> QuotaRule | None:
    """The first quota that these, on top of what is deployed, would exceed."""
    for rule in world.rules.quotas:
        wanted = _promised(world.rules, rule, specifications)
        if wanted and wanted + used(world, rule) > rule.limit:
            return rule
    return None


def used(world: World, rule: QuotaRule) -> int:
    """As of the last time that the world was settled."""
    sums = world.outlook.promised_in_all
    return sums[world.rules.quotas.index(rule)] if sums else 0


def promise(rules: WorldFile, version: Version) -> tuple[int, ...]:
    """Units that a version counts for, by quota of the account."""
    deployment = version.deployment if _counts(version) else None
    specifications = deployment.specifications if deployment is not None else ()
    return tuple(_promised(rules, rule, specifications) for rule in rules.quotas)


def _counts(version: Version) -> bool:
    """A draining version still runs; one in ERROR has nothing left."""
    deployment = version.deployment
    return version.status in DEPLOYED or (deployment is not None and deployment.is_draining)


def _promised(rules: WorldFile, rule: QuotaRule, specifications: Sequence[Specification]) -> int:
    return sum(
        one.max * (1 if rule.unit is QuotaUnit.INSTANCES else one.gpu_count)
        for one in specifications
        if _touches(rules, rule, one)
    )


def _touches(rules: WorldFile, rule: QuotaRule, specification: Specification) -> bool:
    if specification.gpu.casefold() != rule.gpu.casefold():
        return False
    kind = rule.instance_type
    if kind is not None and specification.instance_type.casefold() != kind.casefold():
        return False
    named = {
        one.name
        for one in rules.clusters
        if one.name in rule.names or set(one.groups).intersection(rule.names)
    }
    return any(one.name in named for one in reachable(rules, specification))
