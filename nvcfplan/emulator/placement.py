"""A specification as sent -> as deployed: its names against what the account sees.

Clusters, regions and attributes are not looked at here: the service does not either.
Source: nvcf-api.md 4.3 #8 to #14.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.artifacts import refuse_chart
from nvcfplan.emulator.bodies import distinct, entry_answer
from nvcfplan.emulator.refusals import bad_request
from nvcfplan.emulator.rules import Usage
from nvcfplan.emulator.turns import subject
from nvcfplan.emulator.world import Specification, Version

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.emulator.inventory import VisibleGpu, VisibleGroup
    from nvcfplan.emulator.rules import InstanceTypeRule
    from nvcfplan.emulator.world import World
    from nvcfplan.wire.deployments import SpecificationEntry


def placed(
    version: Version, groups: Sequence[VisibleGroup], entry: SpecificationEntry
) -> Specification:
    """Without an id. Raises Refusal."""
    if entry.backend and entry.clusters:
        names = ", ".join(entry.clusters)
        raise bad_request(
            f"Backend '{entry.backend}' and Clusters '[{names}]' could not be specified at the same"
            " time"
        )
    gpu, instance_type = _offered(version, groups, entry)
    return Specification(
        id="",
        version=version.id,
        gpu=gpu.name,
        instance_type=instance_type.name,
        gpu_count=instance_type.gpu_count,
        min=entry.min_instances,
        max=entry.max_instances,
        concurrency=entry.max_request_concurrency or 1,
        backend=entry.backend or None,
        clusters=tuple(distinct(entry.clusters or [])),
        regions=tuple(distinct(entry.regions or [])),
        attributes=tuple(distinct(entry.attributes or [])),
        answer=entry_answer(entry),
    )


def _offered(
    version: Version, groups: Sequence[VisibleGroup], entry: SpecificationEntry
) -> tuple[VisibleGpu, InstanceTypeRule]:
    where = subject(version.function_id, version.id)
    if entry.backend:
        wanted = entry.backend.casefold()
        groups = [one for one in groups if one.rule.name.casefold() == wanted]
        if not groups:
            raise bad_request(f"{where}: Invalid Backend '{entry.backend}' specified")
        if not groups[0].gpus:
            raise bad_request(f"{where}: GPUs missing for Backend '{entry.backend}'")
    gpus = [
        gpu for group in groups for gpu in group.gpus if gpu.name.casefold() == entry.gpu.casefold()
    ]
    if not gpus:
        raise bad_request(f"{where}: Invalid GPU '{entry.gpu}' specified")
    for gpu in gpus:
        for one in gpu.instance_types:
            if one.name.casefold() == entry.instance_type.casefold():
                return gpu, one
    raise bad_request(f"{where}: Invalid InstanceType '{entry.instance_type}' specified")


def usage_of(version: Version) -> Usage:
    """What the allocator is asked for: its list for images, or the one for all others."""
    return Usage.CONTAINER if version.answer.get("containerImage") else Usage.HELM


def refuse_kind(world: World, version: Version, entry: SpecificationEntry) -> None:
    """Helm's fields are for charts, and a chart must render with them. Raises Refusal."""
    if version.answer.get("helmChart"):
        refuse_chart(world, version)
        return
    given = {
        "configuration": entry.configuration,
        "helmValidationPolicy": entry.helm_validation_policy,
    }
    for name, value in given.items():
        if value is not None:
            where = subject(version.function_id, version.id)
            raise bad_request(
                f"{where}: The {name} field in Gpu specification should be empty for container"
                " based functions."
            )
