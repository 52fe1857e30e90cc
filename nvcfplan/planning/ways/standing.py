"""What a version will be once some steps are done: the charges of later steps follow from it.

A version that was just deployed runs its minima, wherever they landed. One whose maximum was
lowered has lost its oldest instances above it. Source: nvcf-api.md 3.5, 5.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import (
    Limits,
    families_of,
    growth_charges,
    held_by,
    release_charges,
    shrink_charges,
)
from nvcfplan.model import (
    DeploymentId,
    FunctionConfig,
    FunctionId,
    GpuSpecification,
    GpuSpecificationId,
    LiveDeployment,
    LiveInstance,
    LiveSpecification,
    LiveVersion,
    Status,
    VersionId,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.plans import Charge, UpdateDeployment, VersionRef


def deployed(ref: VersionRef, specifications: Sequence[GpuSpecification]) -> LiveVersion:
    """A version as it is right after its deployment; rows have their keys as ids."""
    function, version = FunctionId(ref.address), VersionId(str(ref))
    rows = tuple(
        LiveSpecification(id=GpuSpecificationId(one.key), specification=one)
        for one in specifications
    )
    return LiveVersion(
        function_id=function,
        version_id=version,
        nca_id="",
        status=Status.DEPLOYING,
        config=FunctionConfig(name=ref.address, inference_url="/"),
        created_at=None,
        deployment=LiveDeployment(
            function_id=function,
            version_id=version,
            deployment_id=DeploymentId(str(ref)),
            status=Status.DEPLOYING,
            specifications=rows,
        ),
        instances=(),
    )


def updated(version: LiveVersion, task: UpdateDeployment, limits: Limits) -> LiveVersion:
    """The version once the update has had its effect."""
    row_id = _row_id(task)
    assert version.deployment is not None, version.version_id
    rows = tuple(
        replace(row, specification=task.specification) if row.id == row_id else row
        for row in version.deployment.specifications
    )
    after = replace(version, deployment=replace(version.deployment, specifications=rows))
    gone = {one.id for one in _surplus(after, limits)}
    left = version.instances
    if left is not None:
        left = tuple(one for one in left if one.id not in gone)
    return replace(after, instances=left)


def taken_by(version: LiveVersion, task: UpdateDeployment, limits: Limits) -> tuple[Charge, ...]:
    """By an update of the version as it is before it."""
    bounds = (task.before, task.specification)
    return growth_charges(_with_families(version, limits), version, _row_id(task), bounds)


def given_by(
    version: LiveVersion, tasks: Sequence[UpdateDeployment], limits: Limits
) -> tuple[Charge, ...]:
    """By updates, together, of the version as it is before them."""
    after = {_row_id(task): task.specification for task in tasks}
    return shrink_charges(_with_families(version, limits), version, after)


def given_up(version: LiveVersion, limits: Limits) -> tuple[Charge, ...]:
    """All that the version holds, when it is undeployed."""
    return release_charges(_with_held(version, limits), version)


def has_row_of(version: LiveVersion | None, task: UpdateDeployment) -> bool:
    rows = version.deployment.specifications if version and version.deployment else ()
    return any(row.id == _row_id(task) for row in rows)


def specifications_of(version: LiveVersion) -> tuple[GpuSpecification, ...]:
    rows = version.deployment.specifications if version.deployment else ()
    return tuple(row.specification for row in rows)


def _row_id(task: UpdateDeployment) -> GpuSpecificationId:
    return task.row if task.row is not None else GpuSpecificationId(task.before.key)


def _with_held(version: LiveVersion, limits: Limits) -> Limits:
    """The same limits, knowing what this version holds."""
    return replace(limits, held={version.version_id: held_by(version, limits.atlas)})


def _with_families(version: LiveVersion, limits: Limits) -> Limits:
    """The same limits, knowing which instances of this version its specifications may own."""
    return replace(limits, families={version.version_id: families_of(version, limits.atlas)})


def _surplus(version: LiveVersion, limits: Limits) -> Iterator[LiveInstance]:
    """Instances above the maxima; of rows that share several pools nothing is certain."""
    for family in families_of(version, limits.atlas):
        if len(family.rows) == 1 or len(family.pools) == 1:
            most = sum(row.live.specification.max_instances for row in family.rows)
            yield from family.instances[: max(0, len(family.instances) - most)]
