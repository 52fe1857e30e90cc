"""What will be done: one step is at most one mutating request, and waiting is a step of its own.

A step takes at its start and gives at its end. Steps name versions by label, not by id: ids that do
not exist yet are bound when the creating call is answered.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvcfplan.model import (
    Address,
    FunctionConfig,
    GpuSpecification,
    GpuSpecificationId,
    Metadata,
    OnDrainTimeout,
    ResourceId,
    SecretReference,
    StepId,
)
from nvcfplan.plans.resources import Charge

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True, order=True)
class VersionRef:
    """`label`: old, new, or the version id of one kept or surplus."""

    address: Address
    label: str

    def __str__(self) -> str:
        return f"{self.address}@{self.label}"


@dataclass(frozen=True, slots=True)
class CreateFunction:
    version: VersionRef
    config: FunctionConfig
    secrets: tuple[SecretReference, ...]


@dataclass(frozen=True, slots=True)
class CreateVersion:
    version: VersionRef
    config: FunctionConfig
    secrets: tuple[SecretReference, ...]


@dataclass(frozen=True, slots=True)
class Deploy:
    version: VersionRef
    specifications: tuple[GpuSpecification, ...]


@dataclass(frozen=True, slots=True)
class UpdateDeployment:
    """One specification's bounds. `before` is what the live one had, for the undo.

    `row`: the live one that is meant; None: the one placed as `before` is.
    """

    version: VersionRef
    specification: GpuSpecification
    before: GpuSpecification
    row: GpuSpecificationId | None = None


@dataclass(frozen=True, slots=True)
class UpdateMetadata:
    version: VersionRef
    metadata: Metadata


@dataclass(frozen=True, slots=True)
class SetSecrets:
    version: VersionRef
    secrets: tuple[SecretReference, ...]


@dataclass(frozen=True, slots=True)
class SetAuthorizations:
    version: VersionRef
    parties: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AwaitActive:
    """From its end the version serves, each specification with at least its minimum running."""

    version: VersionRef


@dataclass(frozen=True, slots=True)
class Undeploy:
    """From its start the version does not serve."""

    version: VersionRef
    graceful: bool


@dataclass(frozen=True, slots=True)
class Drain:
    """How long queued work may take to end, and what is done then."""

    seconds: int
    then: OnDrainTimeout


@dataclass(frozen=True, slots=True)
class AwaitReleased:
    """Row gone or shrunk, and the GPUs given back; its end gives back. `drain` None: none is."""

    version: VersionRef
    drain: Drain | None = None


@dataclass(frozen=True, slots=True)
class DeleteVersion:
    """Refused by us while deployed: the service would undeploy by force and not say so."""

    version: VersionRef


@dataclass(frozen=True, slots=True)
class Probe:
    """Re-reads before units released by us are taken again."""

    resources: tuple[ResourceId, ...]


Task = (
    CreateFunction
    | CreateVersion
    | Deploy
    | UpdateDeployment
    | UpdateMetadata
    | SetSecrets
    | SetAuthorizations
    | AwaitActive
    | Undeploy
    | AwaitReleased
    | DeleteVersion
    | Probe
)

VERBS: Final[dict[type[Task], str]] = {
    CreateFunction: "create-function",
    CreateVersion: "create-version",
    Deploy: "deploy",
    UpdateDeployment: "update-deployment",
    UpdateMetadata: "update-metadata",
    SetSecrets: "set-secrets",
    SetAuthorizations: "set-authorizations",
    AwaitActive: "await-active",
    Undeploy: "undeploy",
    AwaitReleased: "await-released",
    DeleteVersion: "delete-version",
    Probe: "probe",
}
"""The word for each task: the head of step ids and the tag in documents."""


def is_waiting(task: Task) -> bool:
    """True for tasks that only look: they send no mutating request."""
    return isinstance(task, AwaitActive | AwaitReleased | Probe)


def step_id(task: Task, nth: int = 1) -> StepId:
    """`deploy:function.chat@new`, `update-deployment:function.chat@old.h100`.

    An update of autoscaling alone ends in `.autoscaling`: it may follow another of the same. The
    `nth` of several otherwise alike ends in `~2`, `~3`, ...
    """
    verb = VERBS[type(task)]
    if isinstance(task, Probe):
        return StepId(f"{verb}:{'+'.join(task.resources)}")
    again = f"~{nth}" if nth > 1 else ""
    return StepId(f"{verb}:{task.version}{_suffix(task)}{again}")


def _suffix(task: Task) -> str:
    if not isinstance(task, UpdateDeployment):
        return ""
    after, before = task.specification, task.before
    rest = replace(before, autoscaling_configuration=after.autoscaling_configuration)
    is_autoscaling_alone = rest == after and before != after
    return f".{after.key}.autoscaling" if is_autoscaling_alone else f".{after.key}"


class Order(StrEnum):
    REQUIRES = "requires"
    CREATE_FIRST = "create-first"
    DELETE_FIRST = "delete-first"
    DEPENDS_ON = "depends-on"
    BARRIER = "barrier"


@dataclass(frozen=True, slots=True)
class After:
    step: StepId
    order: Order


@dataclass(frozen=True, slots=True)
class Funded:
    """Waits because `step` gives it these units."""

    step: StepId
    resource: ResourceId
    units: int


Edge = After | Funded


@dataclass(frozen=True, slots=True)
class Reversible:
    """`needs` empty: always; else only if there is room. Tasks in the order they are done."""

    tasks: tuple[Task, ...]
    needs: tuple[Charge, ...] = ()


@dataclass(frozen=True, slots=True)
class Irreversible:
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`acquire` counts from its start, `release` from its end, also if it fails.

    Until settled a failed deploy holds. `depends_on` is sorted by step id, then by kind.
    """

    id: StepId
    address: Address
    task: Task
    depends_on: tuple[Edge, ...]
    acquire: tuple[Charge, ...] = ()
    release: tuple[Charge, ...] = ()
    undo: Reversible | Irreversible
    expected_seconds: int
    limit_seconds: int


def expected_ends(steps: Sequence[Step]) -> Mapping[StepId, int]:
    """Seconds from the start of the apply, when every step takes as long as expected."""
    ends: dict[StepId, int] = {}
    for step in steps:
        start = max((ends[edge.step] for edge in step.depends_on), default=0)
        ends[step.id] = start + step.expected_seconds
    return ends
