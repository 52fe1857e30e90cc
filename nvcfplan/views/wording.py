"""The words for tasks, units, times: one way to say each, in plans, progress and results."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from nvcfplan.model import kept_until, short_duration
from nvcfplan.plans import (
    After,
    AwaitActive,
    AwaitReleased,
    Charge,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Edge,
    Funded,
    Order,
    Probe,
    SetAuthorizations,
    SetSecrets,
    Task,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
)
from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.model import GpuSpecification, ResourceId


def subject_of(task: Task) -> str:
    """`function.chat@new`, or the resources that are read."""
    if isinstance(task, Probe):
        return safe(", ".join(task.resources))
    return safe(str(task.version))


def doing(task: Task) -> str:
    """What goes on while the step runs: `deploying`."""
    return _words(task)[0]


def deed(task: Task) -> str:
    """What it is called when it is over: `deployment`."""
    return _words(task)[1]


def described(task: Task) -> str:
    """In the infinitive, with what it is about: `deploy function.chat@new: 1 to 2 x ...`."""
    match task:
        case Deploy():
            placements = "; ".join(placement(one) for one in task.specifications)
            return f"deploy {subject_of(task)}: {placements}"
        case UpdateDeployment():
            before, after = task.before, task.specification
            key = safe(after.key)
            return f"update {subject_of(task)} {key}: {_bounds(before)} -> {_bounds(after)}"
        case UpdateMetadata() if (until := kept_until(task.metadata.tags or ())) is not None:
            return f"keep {subject_of(task)}, which failed, until {until:%Y-%m-%d %H:%M} UTC"
        case _:
            return f"{_words(task)[2]} {subject_of(task)}"


def placement(specification: GpuSpecification) -> str:
    """`1 to 2 x a3-highgpu-2g_2x (H100) in GCP-ASIASE1-A`."""
    one = specification
    where = one.backend or ", ".join((*one.clusters, *one.regions))
    kind = f"{_range(one)} x {one.instance_type} ({one.gpu})"
    return safe(f"{kind} in {where}" if where else kind)


def why(number: int, edges: Sequence[Edge]) -> str:
    """All edges from one step: `after 3 (create-first): 4 H100 of nvcf-gcp-prod-asiase1-a`."""
    orders = [one.order for one in edges if isinstance(one, After)]
    words = ", ".join(order.value for order in orders if order is not Order.REQUIRES)
    given = ", ".join(units(one.units, one.resource) for one in edges if isinstance(one, Funded))
    head = f"after {number} ({words})" if words else f"after {number}"
    return f"{head}: {given}" if given else head


def charged(charges: Sequence[Charge]) -> str:
    return ", ".join(units(one.units, one.resource) for one in charges)


def is_gpus(resource: ResourceId) -> bool:
    """Of one cluster, not of a set of them or of a quota."""
    return resource.startswith("pool:")


def units(number: int, resource: ResourceId) -> str:
    """`4 H100 of nvcf-gcp-prod-asiase1-a`; of a quota or a set of clusters by their names."""
    kind, _, name = resource.partition(":")
    match kind:
        case "pool":
            cluster, _, gpu = name.rpartition("/")
            return safe(f"{number} {gpu} of {cluster}")
        case "within" | "room":
            clusters, _, gpu = name.rpartition("/")
            return safe(f"{number} {gpu} within {clusters}")
        case _ if kind.startswith(("quota", "instances")):
            gpu, _, names = name.partition("@")
            basis = "min" if "-min" in kind else "max"
            noun = "instance" if number == 1 else "instances"
            what = f"{gpu} {noun}" if kind.startswith("instances") else gpu
            where = "everywhere" if names == "*" else f"of {names}"
            return safe(f"{number} {what} of the {basis} quota {where}")
        case "limit":
            return f"{number} stored version" if number == 1 else f"{number} stored versions"
        case _:
            return safe(f"{number} of {resource}")


def lasting(seconds: float) -> str:
    return short_duration(timedelta(seconds=max(0.0, seconds)))


def standing_for(duration: timedelta) -> str:
    """As people say for how long something has been so: `25 min`, `3 h`, `5 d`."""
    minutes = int(duration.total_seconds()) // 60
    if minutes < 1:
        return "less than a minute"
    if minutes < 120:
        return f"{minutes} min"
    return f"{minutes // 60} h" if minutes < 48 * 60 else f"{minutes // (24 * 60)} d"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def about_left(seconds: float) -> str:
    """To the minute, for more would be pretended."""
    minutes = round(seconds / 60)
    return f"about {lasting(minutes * 60)} left" if minutes else "less than a minute left"


def runs(numbers: Sequence[int]) -> str:
    """`1, 4 to 7, 9`: of numbers that ascend."""
    found: list[list[int]] = []
    for number in numbers:
        if found and number == found[-1][-1] + 1:
            found[-1].append(number)
        else:
            found.append([number])
    return ", ".join(
        str(run[0])
        if len(run) == 1
        else f"{run[0]} to {run[-1]}"
        if len(run) > 2
        else f"{run[0]}, {run[1]}"
        for run in found
    )


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _bounds(specification: GpuSpecification) -> str:
    one = specification.min_instances == specification.max_instances == 1
    return "1 instance" if one else f"{_range(specification)} instances"


def _range(specification: GpuSpecification) -> str:
    low, high = specification.min_instances, specification.max_instances
    return str(low) if low == high else f"{low} to {high}"


def _words(task: Task) -> tuple[str, str, str]:
    """While it runs, when it is over, and in the infinitive."""
    if isinstance(task, Undeploy) and task.graceful:
        return ("undeploying, running requests end first", "undeploy", "undeploy (drain)")
    if isinstance(task, UpdateMetadata) and kept_until(task.metadata.tags or ()) is not None:
        return ("marking it as failed, to be kept", "mark of a failed version", "keep")
    return _WORDS[type(task)]


_WORDS: Final[Mapping[type[Task], tuple[str, str, str]]] = {
    CreateFunction: ("creating", "creation", "create"),
    CreateVersion: ("creating the version", "creation", "create version"),
    Deploy: ("deploying", "deployment", "deploy"),
    UpdateDeployment: ("updating the deployment", "update of the deployment", "update"),
    UpdateMetadata: ("updating tags and rate limit", "update", "update tags and rate limit of"),
    SetSecrets: ("setting secrets", "setting of secrets", "set secrets of"),
    SetAuthorizations: ("setting who may call", "sharing", "set who may call"),
    AwaitActive: ("waiting for ACTIVE", "wait for ACTIVE", "wait until ACTIVE:"),
    Undeploy: ("undeploying", "undeploy", "undeploy"),
    AwaitReleased: ("waiting for its GPUs to be free", "release", "wait until released:"),
    DeleteVersion: ("deleting the version", "deletion", "delete version"),
    Probe: ("reading capacity again", "reading", "read again:"),
}
