"""Why the remote did not do as asked, as data: what steers rollback, exit code and words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import (
    Forbidden,
    RateLimited,
    RemoteMissing,
    RemoteUnavailable,
    Unauthorized,
    Unreachable,
)

if TYPE_CHECKING:
    from nvcfplan.errors import RemoteError


class FailureClass(StrEnum):
    """Source: nvcf-api.md 6. Not one word for quota, not offered, and full right now.

    FOREIGN: somebody else changed meanwhile what was to be changed. UNREACHABLE: never sent.
    TRANSIENT: may be sent again after a pause (429, 502, 503, 504 of a read, and refusals that say
    the service did nothing). PLATFORM: an instance was lost to no fault of the function's. UNKNOWN:
    the service failed and gave no reason that is known. OTHER: refused or ended for a reason that
    its message states.
    """

    CAPACITY = "capacity"
    QUOTA = "quota"
    PLACEMENT = "placement"
    ACCOUNT_LIMIT = "account-limit"
    ALREADY_DEPLOYED = "already-deployed"
    CONFIGURATION = "configuration"
    RESTART_LOOP = "restart-loop"
    MODEL_NOT_FOUND = "model-not-found"
    MODEL_DOWNLOAD = "model-download"
    IMAGE_PULL = "image-pull"
    ADMISSION = "admission"
    STORAGE = "storage"
    PLATFORM = "platform"
    AUTHORIZATION = "authorization"
    SECRET_UNAVAILABLE = "secret-unavailable"
    FOREIGN = "foreign"
    NOT_FOUND = "not-found"
    UNREACHABLE = "unreachable"
    TRANSIENT = "transient"
    UNKNOWN = "unknown"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """`kind` is a word of `FailureClass`. `message` is the server's, neutralised and redacted."""

    kind: str
    message: str
    status: int | None = None
    request_id: str | None = None
    retry_after_seconds: float | None = None


def failure_of_error(error: RemoteError) -> Failure:
    """Of a read; or of a write that was never sent, because what it needs could not be read."""
    match error:
        case Unreachable():
            kind = FailureClass.UNREACHABLE
        case RateLimited() | RemoteUnavailable():
            kind = FailureClass.TRANSIENT
        case Unauthorized() | Forbidden():
            kind = FailureClass.AUTHORIZATION
        case RemoteMissing():
            kind = FailureClass.NOT_FOUND
        case _:
            kind = FailureClass.OTHER
    return Failure(
        kind=kind,
        message=error.summary,
        status=error.status,
        request_id=error.request_id,
        retry_after_seconds=error.retry_after_seconds,
    )


_MARKERS: Final = (
    # Synchronous, in the answer of POST deployment. Source: nvcf-api.md 6.1. The two that name a
    # cause stand before the general "for", which they would match otherwise.
    ("no available clusters with capacity", FailureClass.CAPACITY),
    ("no available clusters with reservation", FailureClass.CAPACITY),
    ("no available clusters for", FailureClass.PLACEMENT),
    ("does not have access to any ready cluster", FailureClass.PLACEMENT),
    ("nvcf_customer_no_access_to_", FailureClass.PLACEMENT),
    ("all allocated gpu instances in use", FailureClass.QUOTA),
    ("reached or exceeded the max limit", FailureClass.ACCOUNT_LIMIT),
    ("under reconfiguration", FailureClass.TRANSIENT),
    # Asynchronous; it wraps the next one. Source: nvcf-api.md 6.2.
    ("failed to update deploying function status", FailureClass.TRANSIENT),
    ("failed to get response from 'icms'", FailureClass.TRANSIENT),
    ("insufficient reserved capacity", FailureClass.CAPACITY),
    ("is fully utilized", FailureClass.CAPACITY),
    # Names the inventory does not know. Source: nvcf-api.md 4.3, checks 7 to 12.
    ("no backends defined for account", FailureClass.PLACEMENT),
    ("invalid backend '", FailureClass.PLACEMENT),
    ("gpus missing for backend", FailureClass.PLACEMENT),
    ("invalid gpu '", FailureClass.PLACEMENT),
    ("invalid instancetype '", FailureClass.PLACEMENT),
    # The version has a row already, checks 4 to 6.
    ("use patch endpoint to update gpu-specification", FailureClass.ALREADY_DEPLOYED),
    ("use put", FailureClass.ALREADY_DEPLOYED),
    ("already has a deployment with errors", FailureClass.ALREADY_DEPLOYED),
    ("deployment found for inactive function", FailureClass.ALREADY_DEPLOYED),
    # What the request itself says, checks 0, 8, 14 and 15. After the quota, which begins alike.
    ("could not be specified at the same time", FailureClass.CONFIGURATION),
    ("nvcf reval", FailureClass.CONFIGURATION),
    ("internal error during validation. reval status", FailureClass.CONFIGURATION),
    ("registry credential for hostname", FailureClass.IMAGE_PULL),
    ("artifact '", FailureClass.IMAGE_PULL),
    ("validation failed: ", FailureClass.CONFIGURATION),
    # Asynchronous, in `healthInfo[].error`. Source: nvcf-api.md 6.2.
    ("capacity not available at this time", FailureClass.CAPACITY),
    ("failed to create instances in the stipulated", FailureClass.CAPACITY),
    ("acknowledged capacity expired without instance creation", FailureClass.CAPACITY),
    ("instance request schedule expired for this batch", FailureClass.CAPACITY),
    ("cluster could not fulfill the instance request", FailureClass.CAPACITY),
    ("cluster became unhealthy after acknowledging capacity", FailureClass.CAPACITY),
    ("podstuckscheduling", FailureClass.CAPACITY),
    ("insufficient nvidia.com/gpu", FailureClass.CAPACITY),
    ("capacity-not-available", FailureClass.CAPACITY),
    ("schedule-expired", FailureClass.CAPACITY),
    ("cannot-fulfill", FailureClass.CAPACITY),
    ("constraint-not-fulfillable", FailureClass.CAPACITY),
    # Everything else that ends an instance. Source: nvcf-api.md 6.3. Where one marker contains
    # another, the longer one stands first.
    ("container arguments are malformed", FailureClass.CONFIGURATION),
    ("downloadingcontainermodelerror", FailureClass.MODEL_DOWNLOAD),
    ("downloadingcontainererror", FailureClass.IMAGE_PULL),
    ("errimagepull", FailureClass.IMAGE_PULL),
    ("imagepullbackoff", FailureClass.IMAGE_PULL),
    ("createcontainererror", FailureClass.CONFIGURATION),
    ("instance lifetime expired", FailureClass.PLATFORM),
    ("stuck in shutting-down state", FailureClass.PLATFORM),
    ("preempted", FailureClass.PLATFORM),
)

_STATES: Final = (
    # Of the agent, and its `failure_category` beside them. Source: nvcf-api.md 6.3.
    ("instance-terminated-no-capacity", FailureClass.CAPACITY),
    ("no_capacity", FailureClass.CAPACITY),
    ("degraded-worker", FailureClass.CONFIGURATION),
    ("degraded_worker", FailureClass.CONFIGURATION),
    ("init-container-restart-loop", FailureClass.MODEL_DOWNLOAD),
    ("init_restart_loop", FailureClass.MODEL_DOWNLOAD),
    ("init-container-stuck", FailureClass.MODEL_DOWNLOAD),
    ("init_stuck", FailureClass.MODEL_DOWNLOAD),
    ("model-cache-failure", FailureClass.MODEL_DOWNLOAD),
    ("container-restart-loop", FailureClass.RESTART_LOOP),
    ("container_restart_loop", FailureClass.RESTART_LOOP),
    ("create-container-error", FailureClass.CONFIGURATION),
    ("create_container_error", FailureClass.CONFIGURATION),
    ("image-pull-issues", FailureClass.IMAGE_PULL),
    ("image_pull", FailureClass.IMAGE_PULL),
    ("instance-terminated-admission-error", FailureClass.ADMISSION),
    ("admission_error", FailureClass.ADMISSION),
    ("internal-persistent-storage-failure", FailureClass.STORAGE),
    ("persistent_storage", FailureClass.STORAGE),
    ("shared-storage-failure", FailureClass.STORAGE),
    ("shared_storage", FailureClass.STORAGE),
    ("instance-terminated-service-maintenance", FailureClass.PLATFORM),
    ("service_maintenance", FailureClass.PLATFORM),
    ("instance-terminated-cloud-offline", FailureClass.PLATFORM),
    ("instance-terminated-lifetime-expired", FailureClass.PLATFORM),
    ("instance-not-found", FailureClass.PLATFORM),
    ("utils-pod-not-found", FailureClass.PLATFORM),
    # Said of a container that restarts for whatever reason, so after every other word for one.
    ("crashloopbackoff", FailureClass.RESTART_LOOP),
)

_AGENT_STATE: Final = re.compile(r"pod terminated due to state ([a-z0-9_-]+)", re.IGNORECASE)
_MISSING_MODEL: Final = re.compile(
    r"(no such file|cannot access|not found)[^\n]*/config/models"
    r"|/config/models[^\n]*(no such file|cannot access|not found)",
    re.IGNORECASE,
)
_MALFORMED: Final = "instance-terminated-terminal-error"


def classify_text(text: str) -> FailureClass:
    """What the service's free text means: an error body, or `healthInfo[].error`.

    Substrings, whatever their case, first match wins: the text is nested and reworded at each hop.
    Where the agent names the state of a pod that state alone counts, for the container's own log
    follows it and may say anything; only a model that is missing is told nowhere but there.
    UNKNOWN: no marker. Source: nvcf-api.md 6.1 to 6.3.
    """
    found = _AGENT_STATE.search(text)
    if found is None:
        kind = _first(text.lower(), _MARKERS) or _first(text.lower(), _STATES)
    else:
        kind = _of_state(found.group(1).lower(), text)
    if kind in (None, FailureClass.RESTART_LOOP) and _MISSING_MODEL.search(text):
        return FailureClass.MODEL_NOT_FOUND
    return kind or FailureClass.UNKNOWN


def _of_state(state: str, text: str) -> FailureClass | None:
    """A terminal error is told apart by its reason, on the first line."""
    if state == _MALFORMED:
        return _first(text.partition("\n")[0].lower(), _MARKERS)
    return _first(state, _STATES) or _first(state, _MARKERS)


def _first(text: str, markers: tuple[tuple[str, FailureClass], ...]) -> FailureClass | None:
    return next((kind for marker, kind in markers if marker in text), None)


_REMEDIES: Final = {
    FailureClass.CAPACITY: "wait for capacity, ask for fewer instances, or name another GPU, "
    "instance type, region or cluster",
    FailureClass.QUOTA: "lower maxInstances, undeploy something, or ask for a higher quota",
    FailureClass.PLACEMENT: "check gpu, instanceType, backend, clusters, regions and attributes "
    "against the inventory",
    FailureClass.ACCOUNT_LIMIT: "delete versions that are not needed, or ask for a higher limit",
    FailureClass.ALREADY_DEPLOYED: "plan again: somebody deployed it, or what it was deployed as "
    "before is not removed yet",
    FailureClass.CONFIGURATION: "correct what the message names: the container's arguments, its "
    "port, its health and inference endpoints, or a value of the specification",
    FailureClass.RESTART_LOOP: "read the container's log, and run the image by itself first",
    FailureClass.MODEL_NOT_FOUND: "check the names of the models, and the path below "
    "/config/models that the container reads",
    FailureClass.MODEL_DOWNLOAD: "check that the models exist, and that the account may read them",
    FailureClass.IMAGE_PULL: "check the image's name and tag, and the registry's credential",
    FailureClass.ADMISSION: "ask whoever runs the cluster which of its policies refused the pod",
    FailureClass.STORAGE: "try again, or name another cluster; if it stays so, tell whoever runs "
    "the cluster",
    FailureClass.PLATFORM: "apply again: the function is not at fault",
    FailureClass.AUTHORIZATION: "give the key the scope it lacks, or use another one",
    FailureClass.SECRET_UNAVAILABLE: "make the secret's source readable where nvcfplan runs",
    FailureClass.FOREIGN: "find out who else changes it, and plan again: the next plan shows what"
    " is there now",
    FailureClass.NOT_FOUND: "plan again: somebody removed it",
    FailureClass.UNREACHABLE: "check the endpoint's address and the network",
    FailureClass.TRANSIENT: "try again; if it stays so, ask whether the service is up",
    FailureClass.UNKNOWN: "read the logs of the function, and ask whoever runs the service",
    FailureClass.OTHER: "",
}


def remedy_of(failure: Failure) -> str:
    """What to do about it, in one line; empty where its message has to say."""
    return _REMEDIES.get(FailureClass(failure.kind), "") if failure.kind in _WORDS else ""


_WORDS: Final = frozenset(str(one) for one in FailureClass)
