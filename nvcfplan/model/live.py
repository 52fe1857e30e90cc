"""What is there: functions, versions, deployments and instances as the service shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nvcfplan.model.addresses import DeploymentId, FunctionId, GpuSpecificationId, VersionId
from nvcfplan.model.stack import FunctionConfig, GpuSpecification


class Status(StrEnum):
    """Source: nvcf-api.md 5. `UNKNOWN` stands for a word this build does not know."""

    INACTIVE = "INACTIVE"
    DEPLOYING = "DEPLOYING"
    ACTIVE = "ACTIVE"
    DEGRADING = "DEGRADING"
    DEGRADED = "DEGRADED"
    ERROR = "ERROR"
    UNKNOWN = "UNKNOWN"

    @property
    def is_serving(self) -> bool:
        return self in (Status.ACTIVE, Status.DEGRADING)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveInstance:
    """`location` is the cluster's name. Only STARTING and RUNNING ones are shown by the service."""

    id: str
    gpu: str
    instance_type: str
    location: str
    is_running: bool
    created_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSpecification:
    id: GpuSpecificationId
    specification: GpuSpecification


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthNote:
    """One entry of `healthInfo`. Classify by `error` and `instance_type` only.

    Source: nvcf-api.md 3.4.
    """

    instance_type: str
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveDeployment:
    """A deployment row. INACTIVE with a row is a graceful undeploy still draining."""

    function_id: FunctionId
    version_id: VersionId
    deployment_id: DeploymentId
    status: Status
    specifications: tuple[LiveSpecification, ...]
    health: tuple[HealthNote, ...] = ()
    created_at: datetime | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveVersion:
    """`deployment` None: no row was found, or none was looked for (an INACTIVE version in a list).

    `instances` and `secret_names` are None where they were not read (one GET a version).
    """

    function_id: FunctionId
    version_id: VersionId
    nca_id: str
    status: Status
    config: FunctionConfig
    created_at: datetime | None
    deployment: LiveDeployment | None = None
    instances: tuple[LiveInstance, ...] | None = None
    secret_names: tuple[str, ...] | None = None

    @property
    def is_deployed(self) -> bool:
        return self.status is not Status.INACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveSharing:
    """Accounts that may call a function besides its owner, sorted; `*`: everyone.

    `parties` may call every version; `beyond`: those that may call one version as well, by a list
    of its own. The service shows both lists of a version as one, so of what all versions have in
    common nobody can tell in which it stands. Source: nvcf-api.md 2.4.
    """

    parties: tuple[str, ...]
    beyond: tuple[tuple[VersionId, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveFunction:
    """Versions oldest first; the id is theirs in common.

    `sharing` None: it was not read (one GET a function).
    """

    id: FunctionId
    versions: tuple[LiveVersion, ...]
    sharing: LiveSharing | None = None
