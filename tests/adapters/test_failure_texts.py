"""What the service's texts mean: every marker of the contract, and what only looks like one."""

from __future__ import annotations

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nvcfplan.adapters.nvcf import reads, requests
from nvcfplan.adapters.nvcf.failure_texts import classify
from nvcfplan.adapters.nvcf.raw import RawAnswer
from nvcfplan.adapters.nvcf.refusals import failure_of, is_definite
from nvcfplan.adapters.nvcf.words import Redaction
from nvcfplan.applying import Failure, FailureClass, classify_text, remedy_of
from nvcfplan.emulator.failures import BROKEN, REFUSED, UNSERVED, broken_text
from nvcfplan.model import FunctionId, VersionId
from tests.adapters.fakes import payload

DEPLOY = requests.deploy(FunctionId("f"), VersionId("v"), ())


def body_of(value: object) -> bytes:
    return httpx2.Response(200, json=value).content


CAPACITY, PLACEMENT, QUOTA = FailureClass.CAPACITY, FailureClass.PLACEMENT, FailureClass.QUOTA
TRANSIENT, UNKNOWN = FailureClass.TRANSIENT, FailureClass.UNKNOWN
CONFIGURATION, IMAGE_PULL = FailureClass.CONFIGURATION, FailureClass.IMAGE_PULL
RESTART_LOOP, MODEL_NOT_FOUND = FailureClass.RESTART_LOOP, FailureClass.MODEL_NOT_FOUND
MODEL_DOWNLOAD, ADMISSION = FailureClass.MODEL_DOWNLOAD, FailureClass.ADMISSION
STORAGE, PLATFORM = FailureClass.STORAGE, FailureClass.PLATFORM

AGENT = "pod terminated due to state "
TERMINAL = "instance-terminated-terminal-error"

SYNCHRONOUS = (
    ("There are no available clusters with capacity for H100 GPU", CAPACITY),
    ("There are no available clusters with reservation for H100 GPU", CAPACITY),
    ("There are no available clusters for H100 GPU", PLACEMENT),
    ("Customer does not have access to any ready cluster", PLACEMENT),
    ("NVCF_CUSTOMER_NO_ACCESS_TO_CLUSTERS", PLACEMENT),
    ("NVCF_CUSTOMER_NO_ACCESS_TO_GPU", PLACEMENT),
    ("NVCF_CUSTOMER_NO_ACCESS_TO_INSTANCE_TYPE", PLACEMENT),
    ("NVCF_CUSTOMER_NO_ACCESS_TO_READY_CLUSTER", PLACEMENT),
    ("Validation failed - [All allocated GPU instances in use - contact your team]", QUOTA),
    ("Reached or exceeded the max limit for the number", FailureClass.ACCOUNT_LIMIT),
    ("For H100 GPU the backend is under reconfiguration", TRANSIENT),
    ("Failed to get response from 'ICMS' after retries", TRANSIENT),
    ("Insufficient reserved capacity", CAPACITY),
    ("Reservation R1 is fully utilized", CAPACITY),
)
"""Source: nvcf-api.md 6.1, a case per marker."""

NAMES = (
    ("Validation failed: [object=x, field=gpu]", CONFIGURATION),
    ("Function deployment found for INACTIVE function", FailureClass.ALREADY_DEPLOYED),
    ("use PATCH endpoint to update gpu-specification", FailureClass.ALREADY_DEPLOYED),
    ("use PUT endpoint to update it", FailureClass.ALREADY_DEPLOYED),
    ("Function already has a deployment with errors", FailureClass.ALREADY_DEPLOYED),
    ("No Backends defined for account 'X'", PLACEMENT),
    ("'X' could not be specified at the same time", CONFIGURATION),
    ("Invalid Backend 'X' specified", PLACEMENT),
    ("GPUs missing for Backend 'X'", PLACEMENT),
    ("Invalid GPU 'X' specified", PLACEMENT),
    ("Invalid InstanceType 'X' specified", PLACEMENT),
    ("Helm chart validation error(s) from NVCF ReVal service", CONFIGURATION),
    ("Internal error during validation. Reval Status 500", CONFIGURATION),
    ("Missing CONTAINER registry credential for hostname nvcr.io", IMAGE_PULL),
    (
        "Account 'a', Function id 'f', version 'v': Artifact 'x:1' not found in ECR registry",
        IMAGE_PULL,
    ),
)
"""Source: nvcf-api.md 4.3."""

ASYNCHRONOUS = (
    ("Backend 'A': Capacity not available at this time - Exceeded max queued", CAPACITY),
    ("Failed to create instances in the stipulated '35' minutes", CAPACITY),
    ("Acknowledged capacity expired without instance creation", CAPACITY),
    ("Instance request schedule expired for this batch", CAPACITY),
    ("Cluster could not fulfill the instance request", CAPACITY),
    ("Cluster became unhealthy after acknowledging capacity", CAPACITY),
    (f"{AGENT}instance-terminated-no-capacity: x", CAPACITY),
    ("PodStuckScheduling", CAPACITY),
    ("0/8 nodes: 8 Insufficient nvidia.com/gpu", CAPACITY),
    ("failure_category=no_capacity", CAPACITY),
    ("capacity-not-available", CAPACITY),
    ("schedule-expired", CAPACITY),
    ("cannot-fulfill", CAPACITY),
    ("constraint-not-fulfillable", CAPACITY),
    ("Failed to update deploying function status: Failed to get response from 'ICMS'", TRANSIENT),
    ("Missing healthInfo or no errors in healthInfo.errorLog.", UNKNOWN),
    ("", UNKNOWN),
)
"""Source: nvcf-api.md 6.2, a case per marker."""

OTHERS = (
    (f"{AGENT}degraded-worker: not ready", CONFIGURATION),
    ("degraded_worker: worker did not become healthy", CONFIGURATION),
    (f"{AGENT}container-restart-loop", RESTART_LOOP),
    ("container inference: CrashLoopBackOff", RESTART_LOOP),
    (f"{AGENT}create-container-error: CreateContainerError", CONFIGURATION),
    ("container inference: CreateContainerError", CONFIGURATION),
    (
        f"{AGENT}instance-terminated-terminal-error: Container arguments are malformed",
        CONFIGURATION,
    ),
    (f"{AGENT}instance-terminated-terminal-error: something else", UNKNOWN),
    ("/config/models/llm/config.json: No such file or directory", MODEL_NOT_FOUND),
    ("ls: cannot access '/config/models/llm'", MODEL_NOT_FOUND),
    ("/config/models/llm not found", MODEL_NOT_FOUND),
    (
        f"{AGENT}container-restart-loop: back-off\n---\nNo such file: /config/models/llm",
        MODEL_NOT_FOUND,
    ),
    (f"{AGENT}init-container-restart-loop: x", MODEL_DOWNLOAD),
    (f"{AGENT}init-container-stuck: x", MODEL_DOWNLOAD),
    (f"{AGENT}model-cache-failure", MODEL_DOWNLOAD),
    ("downloadingContainerModelError", MODEL_DOWNLOAD),
    (f"{AGENT}image-pull-issues: ImagePullBackOff", IMAGE_PULL),
    ("ErrImagePull", IMAGE_PULL),
    ("ImagePullBackOff", IMAGE_PULL),
    ("downloadingContainerError", IMAGE_PULL),
    (f"{AGENT}instance-terminated-admission-error: denied", ADMISSION),
    (f"{AGENT}shared-storage-failure", STORAGE),
    (f"{AGENT}internal-persistent-storage-failure", STORAGE),
    ("Instance status PREEMPTED", PLATFORM),
    (f"{AGENT}instance-not-found", PLATFORM),
    (f"{AGENT}utils-pod-not-found", PLATFORM),
    (f"{AGENT}instance-terminated-service-maintenance", PLATFORM),
    (f"{AGENT}instance-terminated-cloud-offline", PLATFORM),
    ("Instance lifetime expired", PLATFORM),
    ("instance is stuck in shutting-down state", PLATFORM),
)
"""Source: nvcf-api.md 6.3, a case per marker."""

CATEGORIES = (
    ("image_pull", IMAGE_PULL),
    ("init_stuck", MODEL_DOWNLOAD),
    ("init_restart_loop", MODEL_DOWNLOAD),
    ("container_restart_loop", RESTART_LOOP),
    ("create_container_error", CONFIGURATION),
    ("no_capacity", CAPACITY),
    ("admission_error", ADMISSION),
    ("shared_storage", STORAGE),
    ("persistent_storage", STORAGE),
    ("degraded_worker", CONFIGURATION),
    ("service_maintenance", PLATFORM),
    ("unknown", UNKNOWN),
)
"""The agent's `failure_category`. Source: nvcf-api.md 6.3."""


@pytest.mark.parametrize(
    ("text", "kind"), [*SYNCHRONOUS, *NAMES, *ASYNCHRONOUS, *OTHERS, *CATEGORIES]
)
def test_every_marker_of_the_contract_is_known(text: str, kind: FailureClass) -> None:
    assert classify_text(text) is kind
    assert classify_text(text.upper()) is kind
    if kind is not UNKNOWN:
        assert classify_text(f"Function id 'f': wrapped: {{{text}}} and more") is kind


EMULATED = {
    **dict.fromkeys(("no-capacity", "no-reservation", "reserved-capacity"), CAPACITY),
    **dict.fromkeys(("fully-utilized",), CAPACITY),
    **dict.fromkeys(("no-cluster", "no-access", "no-access-clusters", "no-access-gpu"), PLACEMENT),
    **dict.fromkeys(("no-access-instance-type", "no-access-ready-cluster"), PLACEMENT),
    **dict.fromkeys(("reconfiguration", "allocator-down"), TRANSIENT),
    **dict.fromkeys(("quota", "payment-required"), QUOTA),
}


def test_every_refusal_of_the_emulator_is_classified() -> None:
    found = {word: classify(one.status, one.text) for word, one in REFUSED.items()}
    assert found == EMULATED


def test_every_absence_of_the_emulator_is_a_lack_of_capacity_but_the_one_without_reason() -> None:
    found = {word: classify_text(one.text) for word, one in UNSERVED.items()}
    assert found.pop("no-reason") is UNKNOWN
    assert set(found.values()) == {CAPACITY}


def test_every_breakage_of_the_emulator_is_classified() -> None:
    found = {word: classify_text(broken_text(one)) for word, one in BROKEN.items()}
    assert found == {
        **dict.fromkeys(("configuration", "startup-timeout", "degraded-worker"), CONFIGURATION),
        **dict.fromkeys(("create-container", "malformed-arguments"), CONFIGURATION),
        **dict.fromkeys(("restart-loop", "crash-loop"), RESTART_LOOP),
        **dict.fromkeys(("model-not-found", "model-no-access", "model-missing"), MODEL_NOT_FOUND),
        **dict.fromkeys(("model-download-loop", "model-download-stuck"), MODEL_DOWNLOAD),
        **dict.fromkeys(("model-cache", "model-download-stage"), MODEL_DOWNLOAD),
        **dict.fromkeys(("image-pull", "image-pull-error", "image-pull-stage"), IMAGE_PULL),
        "admission": ADMISSION,
        **dict.fromkeys(("shared-storage", "persistent-storage"), STORAGE),
        **dict.fromkeys(("preempted", "instance-not-found", "utils-pod-not-found"), PLATFORM),
        **dict.fromkeys(("maintenance", "cloud-offline", "lifetime-expired"), PLATFORM),
        "shutting-down": PLATFORM,
    }


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        ("container-restart-loop", RESTART_LOOP),
        ("degraded-worker", CONFIGURATION),
        ("instance-terminated-terminal-error", UNKNOWN),
        ("a-state-of-tomorrow", UNKNOWN),
    ],
)
def test_the_log_of_a_container_does_not_decide_what_failed(state: str, kind: FailureClass) -> None:
    text = (
        f"{AGENT}{state}: exited 1\n"
        "RuntimeError: no_capacity left, Insufficient nvidia.com/gpu, ErrImagePull, preempted"
    )
    assert classify_text(text) is kind


@pytest.mark.parametrize("state", ["degraded-worker", "image-pull-issues"])
def test_a_missing_model_is_read_from_the_log_only_where_the_state_tells_nothing(
    state: str,
) -> None:
    log = "No such file: /config/models/llm"
    assert classify_text(f"{AGENT}{state}: x\n---\n{log}") is not MODEL_NOT_FOUND
    assert classify_text(f"{AGENT}a-state-of-tomorrow: x\n---\n{log}") is MODEL_NOT_FOUND


@given(text=st.text(max_size=300))
def test_any_text_at_all_has_a_class(text: str) -> None:
    assert classify_text(text) in FailureClass


def test_every_class_but_the_last_says_what_to_do() -> None:
    without = {one for one in FailureClass if not remedy_of(Failure(kind=one, message="x"))}
    assert without == {FailureClass.OTHER}
    assert remedy_of(Failure(kind="a class of tomorrow", message="x")) == ""


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, FailureClass.AUTHORIZATION),
        (402, FailureClass.QUOTA),
        (403, FailureClass.AUTHORIZATION),
        (404, FailureClass.NOT_FOUND),
        (422, FailureClass.AUTHORIZATION),
        (429, FailureClass.TRANSIENT),
        (503, FailureClass.TRANSIENT),
        (400, FailureClass.OTHER),
        (None, FailureClass.UNKNOWN),
    ],
)
def test_the_status_decides_where_the_text_says_nothing(
    status: int | None, kind: FailureClass
) -> None:
    assert classify(status, "no words that are known") is kind


def test_the_text_decides_where_it_does() -> None:
    assert classify(403, "All allocated GPU instances in use") is FailureClass.QUOTA


@pytest.mark.parametrize(
    ("name", "status", "kind"),
    [
        ("error-capacity-sync.problem.json", 400, FailureClass.CAPACITY),
        ("error-quota-requestStatus.json", 400, FailureClass.QUOTA),
    ],
)
def test_both_styles_of_body_are_classified(name: str, status: int, kind: FailureClass) -> None:
    answer = RawAnswer(status=status, body=body_of(payload(name)))
    failure = failure_of(DEPLOY, answer, Redaction())
    assert failure.kind == kind
    assert failure.status == status


EXPECTED = {
    "body validation: min above max": FailureClass.CONFIGURATION,
    "unknown instance type": FailureClass.PLACEMENT,
    "backend and clusters together": FailureClass.CONFIGURATION,
    "version already deployed": FailureClass.ALREADY_DEPLOYED,
    "version in ERROR, deployment not removed yet": FailureClass.ALREADY_DEPLOYED,
    "graceful undeploy still draining": FailureClass.ALREADY_DEPLOYED,
    "placement: nothing matches gpu/type/region/cluster/attributes": FailureClass.PLACEMENT,
    "placement, backend form": FailureClass.PLACEMENT,
    "allocator unreachable": FailureClass.TRANSIENT,
    "no deployment": FailureClass.NOT_FOUND,
    "function version not in account": FailureClass.NOT_FOUND,
    "scope missing": FailureClass.AUTHORIZATION,
    "bad token at the NGC front": FailureClass.AUTHORIZATION,
    "bad token at the service domain or self-hosted": FailureClass.AUTHORIZATION,
    "too many requests": FailureClass.TRANSIENT,
    "function limit of the account": FailureClass.ACCOUNT_LIMIT,
}


def test_every_error_body_of_the_examples_is_classified_and_changes_nothing() -> None:
    cases = payload("error-bodies.json")
    assert isinstance(cases, list)
    found = {}
    for case in cases:
        body = b"" if case["body"] is None else body_of(case["body"])
        answer = RawAnswer(status=case["httpStatus"], body=body)
        assert is_definite(DEPLOY, answer), case["case"]
        failure = failure_of(DEPLOY, answer, Redaction())
        assert failure.message.isprintable()
        found[case["case"]] = FailureClass(failure.kind)
    assert found == EXPECTED


@pytest.mark.parametrize(
    ("status", "body", "is_certain"),
    [
        (400, b"", True),
        (408, b"", False),
        (499, b"", False),
        (500, b"", False),
        (502, b"<html>", False),
        (502, b'{"detail":"Failed to deploy, reverting state to \\u0027INACTIVE\\u0027"}', True),
        (303, b"", False),
        (307, b"", True),
    ],
)
def test_only_a_proof_that_nothing_changed_is_a_refusal(
    status: int, body: bytes, is_certain: bool
) -> None:
    assert is_definite(DEPLOY, RawAnswer(status=status, body=body)) is is_certain


def test_a_gateway_failure_is_no_refusal_of_a_creation() -> None:
    body = b'{"detail":"Failed to deploy, reverting state"}'
    creation = reads.list_functions()
    assert not is_definite(creation, RawAnswer(status=502, body=body))
