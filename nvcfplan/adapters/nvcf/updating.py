"""Changing a deployment in place: which row is meant, and by PATCH or by PUT. Pure.

PATCH carries minimum, maximum and autoscaling of one row; PUT carries the whole list, and of each
row minimum, maximum and concurrency. Source: nvcf-api.md 3.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.raw import RawRequest
from nvcfplan.adapters.nvcf.requests import freeform, patch_specification, put_deployment
from nvcfplan.adapters.nvcf.translation import live_specification
from nvcfplan.applying import Failure, FailureClass
from nvcfplan.model import specification_with_defaults
from nvcfplan.wire.deployments import SpecificationEntry, UpdateSpecificationRequest

if TYPE_CHECKING:
    from nvcfplan.model import FunctionId, GpuSpecification, VersionId
    from nvcfplan.plans import UpdateDeployment
    from nvcfplan.wire.deployments import DeploymentAnswer, SpecificationAnswer


@dataclass(frozen=True, slots=True)
class Ways:
    """The request to send, and the one to send where the service does not know the first."""

    first: RawRequest
    where_missing: RawRequest | None


def ways_to_update(
    task: UpdateDeployment, found: DeploymentAnswer, bound: tuple[FunctionId, VersionId]
) -> Ways | Failure:
    row = _row_named(task, found) or _row_placed(task.before, found)
    if row is None:
        return _failure(
            FailureClass.NOT_FOUND,
            f"the deployment has no specification for {_placement_words(task.before)}",
        )
    before, after = task.before, task.specification
    scales_otherwise = before.autoscaling_configuration != after.autoscaling_configuration
    if _concurrency_differs(before, after):
        if scales_otherwise:
            return _failure(
                FailureClass.OTHER,
                "maxRequestConcurrency and autoscalingConfiguration cannot change in one "
                "request: no request of the API carries both",
            )
        return Ways(_put(task, found, row, bound), None)
    patch = patch_specification(
        found.deployment_id, row.gpu_specification_id, _update(before, after)
    )
    return Ways(patch, None if scales_otherwise else _put(task, found, row, bound))


def _row_named(task: UpdateDeployment, found: DeploymentAnswer) -> SpecificationAnswer | None:
    """By the id that the plan saw; None also where the row has been made anew since."""
    rows = found.deployment_specifications
    return next((row for row in rows if row.gpu_specification_id == task.row), None)


def _row_placed(before: GpuSpecification, found: DeploymentAnswer) -> SpecificationAnswer | None:
    """Duplicates are allowed by the service: the nearest one, by id, then by how it scales, then by
    its numbers.
    """
    candidates = [
        row
        for row in found.deployment_specifications
        if _placement(live_specification(row)) == _placement(before)
    ]

    def distance(row: SpecificationAnswer) -> tuple[bool, bool, bool, str]:
        numbers = (row.min_instances, row.max_instances)
        return (
            row.gpu_specification_id != before.key,
            _scaling(live_specification(row)) != _scaling(before),
            numbers != (before.min_instances, before.max_instances),
            row.gpu_specification_id,
        )

    return min(candidates, key=distance, default=None)


def _placement(one: GpuSpecification) -> tuple[object, ...]:
    """Source: nvcf-api.md 3.3 (identity) and 4.3 (names match in any case)."""
    return (
        one.gpu.lower(),
        one.instance_type.lower(),
        (one.backend or "").lower(),
        frozenset(one.clusters),
        frozenset(one.regions),
        frozenset(one.attributes),
    )


def _scaling(one: GpuSpecification) -> tuple[object, ...]:
    filled = specification_with_defaults(one)
    return (filled.autoscaling_configuration, filled.max_request_concurrency)


def _placement_words(one: GpuSpecification) -> str:
    named = (one.backend, *one.clusters, *one.regions, *one.attributes)
    place = ", ".join(filter(None, named))
    return f"{one.gpu} {one.instance_type}" + (f" in {place}" if place else "")


def _concurrency_differs(before: GpuSpecification, after: GpuSpecification) -> bool:
    wanted = after.max_request_concurrency
    return wanted is not None and wanted != before.max_request_concurrency


def _update(before: GpuSpecification, after: GpuSpecification) -> UpdateSpecificationRequest:
    """Both numbers always: the service checks minimum against maximum after merging."""
    is_scaling_kept = before.autoscaling_configuration == after.autoscaling_configuration
    is_scaling_dropped = not is_scaling_kept and after.autoscaling_configuration is None
    return UpdateSpecificationRequest(
        min_instances=after.min_instances,
        max_instances=after.max_instances,
        autoscaling_configuration=None
        if is_scaling_kept
        else freeform(after.autoscaling_configuration),
        autoscaling_configuration_policy="PLATFORM_CONFIGURATION" if is_scaling_dropped else None,
    )


def _put(
    task: UpdateDeployment,
    found: DeploymentAnswer,
    row: SpecificationAnswer,
    bound: tuple[FunctionId, VersionId],
) -> RawRequest:
    """The other rows as they are now, not as the plan saw them."""
    entries = [
        _entry(one, task.specification if one is row else None)
        for one in found.deployment_specifications
    ]
    return put_deployment(*bound, entries)


def _entry(row: SpecificationAnswer, wanted: GpuSpecification | None) -> SpecificationEntry:
    concurrency = row.max_request_concurrency
    if wanted is not None and wanted.max_request_concurrency is not None:
        concurrency = wanted.max_request_concurrency
    return SpecificationEntry(
        gpu_specification_id=row.gpu_specification_id,
        gpu=row.gpu,
        instance_type=row.instance_type,
        min_instances=wanted.min_instances if wanted else row.min_instances,
        max_instances=wanted.max_instances if wanted else row.max_instances,
        max_request_concurrency=concurrency,
        backend=row.backend,
        clusters=row.clusters,
        regions=row.regions,
        attributes=row.attributes,
        availability_zones=row.availability_zones,
        preferred_order=row.preferred_order,
        configuration=row.configuration,
        helm_validation_policy=row.helm_validation_policy,
        autoscaling_configuration=row.autoscaling_configuration,
    )


def _failure(kind: FailureClass, message: str) -> Failure:
    return Failure(kind=kind, message=message)
