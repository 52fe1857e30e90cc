"""What the service says when something fails, and how long each failure takes to show.

Source: nvcf-api.md 5 (times), 6.1 to 6.3 (words).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_MINUTE = 60.0
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Refused:
    """The allocator's answer to a deployment. `text` has room for {gpu} and {type}."""

    status: int
    text: str
    is_bare: bool = False
    """True: not the allocator's, so the service does not wrap it as a failed deployment."""


@dataclass(frozen=True, slots=True)
class Unserved:
    """A request that ends without instances. None: after the queue timeout.

    `text` has room for {provider}, {gpu}, {type} and {minutes}.
    """

    text: str
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Broken:
    """How an agent tells of an instance that failed: the state, its reason, the containers' logs.

    Without `state` it is not the agent's own wording.
    """

    state: str
    reason: str
    seconds: float
    log: str = ""


_KIND = "{gpu} GPU or {type} instance type"
_NO_ACCESS = "Customer does not have access to any"
_REQUEST = "Backend '{provider}', GPU '{gpu}', Instance Type '{type}': "

REFUSED: Mapping[str, Refused] = {
    "no-capacity": Refused(400, f"There are no available clusters with capacity for {_KIND}"),
    "no-reservation": Refused(400, f"There are no available clusters with reservation for {_KIND}"),
    "no-cluster": Refused(400, f"There are no available clusters for {_KIND}"),
    "no-access": Refused(
        409, f"{_NO_ACCESS} ready cluster for GPU: {{gpu}} and instance type: {{type}}"
    ),
    "no-access-clusters": Refused(409, "NVCF_CUSTOMER_NO_ACCESS_TO_CLUSTERS"),
    "no-access-gpu": Refused(409, "NVCF_CUSTOMER_NO_ACCESS_TO_GPU: {gpu}"),
    "no-access-instance-type": Refused(409, "NVCF_CUSTOMER_NO_ACCESS_TO_INSTANCE_TYPE: {type}"),
    "no-access-ready-cluster": Refused(409, "NVCF_CUSTOMER_NO_ACCESS_TO_READY_CLUSTER"),
    "reconfiguration": Refused(502, "For {gpu} GPU the backend is under reconfiguration"),
    "allocator-down": Refused(502, "Failed to get response from 'ICMS' after retries."),
    "reserved-capacity": Refused(502, "Insufficient reserved capacity for {gpu}"),
    "fully-utilized": Refused(502, "The reservation for {gpu} is fully utilized"),
    "payment-required": Refused(402, "Payment is required for {gpu}"),
    "quota": Refused(
        400,
        "Validation failed - [All allocated GPU instances in use - contact your support team]",
        is_bare=True,
    ),
}

USUAL_REFUSAL = "no-capacity"

UNSERVED: Mapping[str, Unserved] = {
    "queue-expired": Unserved(
        f"{_REQUEST}Capacity not available at this time"
        " - Exceeded max queued duration '{minutes}' minutes"
    ),
    "not-created": Unserved(
        f"{_REQUEST}Failed to create instances in the stipulated '35' minutes", 35 * _MINUTE
    ),
    "not-created-cached": Unserved(
        f"{_REQUEST}Failed to create instances in the stipulated '160' minutes", 160 * _MINUTE
    ),
    "acknowledged-expired": Unserved(
        "Acknowledged capacity expired without instance creation", 35 * _MINUTE
    ),
    "schedule-expired": Unserved("Instance request schedule expired for this batch"),
    "cannot-fulfill": Unserved("Cluster could not fulfill the instance request", 5 * _MINUTE),
    "cluster-unhealthy": Unserved(
        "Cluster became unhealthy after acknowledging capacity", 15 * _MINUTE
    ),
    "unschedulable": Unserved(
        "pod terminated due to state instance-terminated-no-capacity: not schedulable for 10m0s",
        10 * _MINUTE,
    ),
    "pod-stuck": Unserved(
        "PodStuckScheduling: no node fits the pod: Insufficient nvidia.com/gpu", 10 * _MINUTE
    ),
    "no-capacity-category": Unserved("failure_category=no_capacity", 10 * _MINUTE),
    "reserved-capacity": Unserved("Insufficient reserved capacity for the request of {gpu}"),
    "fully-utilized": Unserved("The reservation for {gpu} is fully utilized"),
    "status-capacity": Unserved("Request status: capacity-not-available"),
    "status-schedule": Unserved("Request status: schedule-expired"),
    "status-fulfill": Unserved("Request status: cannot-fulfill"),
    "status-constraint": Unserved("Request status: constraint-not-fulfillable"),
    "no-reason": Unserved("Missing healthInfo or no errors in healthInfo.errorLog."),
}

USUAL_ABSENCE = "queue-expired"

_RESTARTING = "back-off restarting failed container (CrashLoopBackOff)"
_NO_MODEL = "FileNotFoundError: No such file or directory: '/config/models/llm/config.json'"

BROKEN: Mapping[str, Broken] = {
    "configuration": Broken(
        "degraded-worker", "health endpoint not ready", 2 * _HOUR, "GET /health: 404"
    ),
    "startup-timeout": Broken(
        "", "degraded_worker: worker did not become healthy within 2h0m0s", 2 * _HOUR
    ),
    "degraded-worker": Broken("degraded-worker", "worker is not healthy", 30 * _MINUTE),
    "restart-loop": Broken(
        "container-restart-loop", _RESTARTING, 10 * _MINUTE, "RuntimeError: CUDA out of memory"
    ),
    "crash-loop": Broken("", "container inference: CrashLoopBackOff", 10 * _MINUTE),
    "create-container": Broken("create-container-error", "CreateContainerError", _MINUTE),
    "malformed-arguments": Broken(
        "instance-terminated-terminal-error", "Container arguments are malformed", 1.0
    ),
    "model-not-found": Broken("container-restart-loop", _RESTARTING, 10 * _MINUTE, _NO_MODEL),
    "model-no-access": Broken("", "ls: cannot access '/config/models/llm'", 10 * _MINUTE),
    "model-missing": Broken("", "/config/models/llm/config.json: not found", 10 * _MINUTE),
    "model-download-loop": Broken("init-container-restart-loop", _RESTARTING, 10 * _MINUTE),
    "model-download-stuck": Broken("init-container-stuck", "downloading for 2h0m0s", 2 * _HOUR),
    "model-cache": Broken("model-cache-failure", "the cache volume was not filled", 10 * _MINUTE),
    "model-download-stage": Broken("", "stage: downloadingContainerModelError", 10 * _MINUTE),
    "image-pull": Broken("image-pull-issues", "ImagePullBackOff", _MINUTE),
    "image-pull-error": Broken("", "container inference: ErrImagePull", _MINUTE),
    "image-pull-stage": Broken("", "stage: downloadingContainerError", _MINUTE),
    "admission": Broken("instance-terminated-admission-error", "denied by a policy", 1.0),
    "shared-storage": Broken("shared-storage-failure", "the volume was not mounted", 5 * _MINUTE),
    "persistent-storage": Broken(
        "internal-persistent-storage-failure", "the volume was not bound", 5 * _MINUTE
    ),
    "preempted": Broken("", "Instance status: PREEMPTED", 0.0),
    "instance-not-found": Broken("instance-not-found", "the pod is gone", 0.0),
    "utils-pod-not-found": Broken("utils-pod-not-found", "the pod is gone", 0.0),
    "maintenance": Broken("instance-terminated-service-maintenance", "the node is drained", 0.0),
    "cloud-offline": Broken("instance-terminated-cloud-offline", "the cluster is offline", 0.0),
    "lifetime-expired": Broken("", "Instance lifetime expired", 0.0),
    "shutting-down": Broken("", "instance is stuck in shutting-down state", 0.0),
}

USUAL_BREAK = "restart-loop"
USUAL_LOSS = "preempted"


def broken_text(broken: Broken) -> str:
    """As the agent reports it, with the container's log where there is one."""
    if not broken.state:
        return broken.reason
    head = f"pod terminated due to state {broken.state}: {broken.reason}"
    if not broken.log:
        return head
    return f"{head}\n---\nCONTAINER inference EXITED, CODE=1:\n{broken.log}\n---\n"
