"""Changes in place to a deployment: PUT of the whole, PATCH of one specification.

No capacity check and no instance at once: the next tick follows up. Source: nvcf-api.md 3.5, 4.4.
"""

from __future__ import annotations

from nvcfplan.emulator.artifacts import check_artifacts
from nvcfplan.emulator.bodies import one_deployment, one_specification, scaling_answer
from nvcfplan.emulator.deployment_bounds import (
    SCALING_POLICIES,
    instance_count_faults,
    patch_faults,
    update_faults,
)
from nvcfplan.emulator.deployments import deployment_by_id, doom
from nvcfplan.emulator.refusals import Refusal, bad_request, not_found
from nvcfplan.emulator.sharing import refuse_public
from nvcfplan.emulator.turns import Turn, subject
from nvcfplan.emulator.validation import canonical, parsed, require
from nvcfplan.emulator.world import DEPLOYED, Deployment, Specification, Version, World
from nvcfplan.wire.deployments import (
    UpdateDeploymentRequest,
    UpdateSpecificationEntry,
    UpdateSpecificationRequest,
)


def update_deployment(turn: Turn) -> dict[str, object]:
    """Only min, max and concurrency are taken; gpu and instanceType are not even compared."""
    request = parsed(UpdateDeploymentRequest, turn.content)
    require(UpdateDeploymentRequest, update_faults(request))
    refuse_public(turn, verb="update deployment of")
    version, deployment = turn.deployment()
    _refuse_status(version)
    pairs = _paired(version, deployment, request.deployment_specifications)
    for one, entry in pairs:
        _refuse_moved(version, one, entry)
    if any(_counts_of(one, entry) != (one.min, one.max, one.concurrency) for one, entry in pairs):
        check_artifacts(turn.world, version)
    for one, entry in pairs:
        doom(turn, one)
        after = _counts_of(one, entry)
        if after != (one.min, one.max, one.concurrency):
            one.min, one.max, one.concurrency = after
            _touch(turn.world, version, deployment)
    return one_deployment(turn.world, version, deployment)


def _counts_of(one: Specification, entry: UpdateSpecificationEntry) -> tuple[int, int, int]:
    """Concurrency that is not sent stays as it is."""
    concurrency = entry.max_request_concurrency or one.concurrency
    return entry.min_instances, entry.max_instances, concurrency


def update_specification(turn: Turn) -> dict[str, object]:
    """The checks stand in the service's order. Source: nvcf-api.md 3.5."""
    unsupported = turn.world.rules.patch_unsupported
    if unsupported:
        raise Refusal(unsupported, "Method 'PATCH' is not supported.")
    request = parsed(UpdateSpecificationRequest, turn.content)
    require(UpdateSpecificationRequest, patch_faults(request))
    version, deployment = deployment_by_id(turn)
    _refuse_status(version)
    if not request.model_fields_set:
        where = subject(version.function_id, version.id)
        raise bad_request(
            f"{where}: Empty update gpu specification request, at least one property to update"
            " must be specified"
        )
    found = [one for one in deployment.specifications if one.id == turn.target.specification]
    if not found:
        wanted = turn.target.specification
        raise not_found(f"GPU specification id '{wanted}': Not found in this deployment")
    _patch(turn, found[0], request=request)
    return one_specification(found[0])


def _patch(turn: Turn, one: Specification, *, request: UpdateSpecificationRequest) -> None:
    least = one.min if request.min_instances is None else request.min_instances
    most = one.max if request.max_instances is None else request.max_instances
    require(UpdateSpecificationRequest, instance_count_faults(least, most, one.gpu))
    autoscaling = _autoscaling(one, request)
    doom(turn, one)
    before = (one.min, one.max, one.answer.get("autoscalingConfiguration"))
    if (least, most, autoscaling) == before:
        return
    one.min, one.max = least, most
    one.answer = {**one.answer, "autoscalingConfiguration": autoscaling}
    version = turn.world.versions[one.version]
    assert version.deployment is not None
    _touch(turn.world, version, version.deployment)


def _autoscaling(one: Specification, request: UpdateSpecificationRequest) -> object:
    policy = canonical(request.autoscaling_configuration_policy or "", SCALING_POLICIES)
    if policy == "PLATFORM_CONFIGURATION":
        return None
    if request.autoscaling_configuration is not None:
        return scaling_answer(request.autoscaling_configuration)
    return one.answer.get("autoscalingConfiguration")


def _touch(world: World, version: Version, deployment: Deployment) -> None:
    deployment.updated_at = world.time
    counts = ", ".join(
        f"{one.instance_type} {one.min}..{one.max}" for one in deployment.specifications
    )
    world.tell("updated", f"{version.name} {version.id}: {counts}", version)
    world.stir()


def _refuse_status(version: Version) -> None:
    if version.status not in DEPLOYED:
        where = subject(version.function_id, version.id)
        raise bad_request(f"{where}: Status {version.status}, deployment cannot be updated")


def _paired(
    version: Version, deployment: Deployment, entries: list[UpdateSpecificationEntry]
) -> list[tuple[Specification, UpdateSpecificationEntry]]:
    where = subject(version.function_id, version.id)
    stored = {one.id: one for one in deployment.specifications}
    if len(entries) != len(stored):
        raise bad_request(
            f"{where}: {len(stored)} specifications are deployed, {len(entries)} were sent"
        )
    ids = [(one.gpu_specification_id or "").lower() for one in entries]
    if len(entries) == 1 and not ids[0]:
        return [(deployment.specifications[0], entries[0])]
    if not all(ids):
        raise bad_request(
            f"{where}: 'gpuSpecificationId' is required with several specifications,"
            " use PATCH endpoint to update gpu-specification"
        )
    unknown = ", ".join(sorted(set(ids) - set(stored)))
    if unknown:
        raise bad_request(f"{where}: Invalid gpuSpecificationId '{unknown[:200]}' specified")
    return [(stored[id_], entry) for id_, entry in zip(ids, entries, strict=True)]


def _refuse_moved(version: Version, one: Specification, entry: UpdateSpecificationEntry) -> None:
    """`backend` is compared in its case, `clusters` as a set."""
    is_same_backend = (entry.backend or None) == one.backend
    if is_same_backend and set(entry.clusters or ()) == set(one.clusters):
        return
    where = subject(version.function_id, version.id)
    raise Refusal(400, f"{where}: 'backend' and 'clusters' of a deployment cannot be changed")
