"""What the service's texts mean: every marker of the contract, and what only looks like one."""

from __future__ import annotations

import httpx2
import pytest

from nvcfplan.adapters.nvcf import reads, requests
from nvcfplan.adapters.nvcf.failure_texts import classify
from nvcfplan.adapters.nvcf.raw import RawAnswer
from nvcfplan.adapters.nvcf.refusals import failure_of, is_definite
from nvcfplan.adapters.nvcf.words import Redaction
from nvcfplan.applying import FailureClass, classify_text
from nvcfplan.model import FunctionId, VersionId
from tests.adapters.fakes import payload

DEPLOY = requests.deploy(FunctionId("f"), VersionId("v"), ())


def body_of(value: object) -> bytes:
    return httpx2.Response(200, json=value).content


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("There are no available clusters with capacity for H100 GPU", FailureClass.CAPACITY),
        ("no available clusters with reservation", FailureClass.CAPACITY),
        ("There are no available clusters for H100 GPU", FailureClass.PLACEMENT),
        ("Customer does not have access to any ready cluster", FailureClass.PLACEMENT),
        ("NVCF_CUSTOMER_NO_ACCESS_TO_GPU", FailureClass.PLACEMENT),
        ("ALL ALLOCATED GPU INSTANCES IN USE - contact", FailureClass.QUOTA),
        ("Reached or exceeded the max limit for the number", FailureClass.ACCOUNT_LIMIT),
        ("backend is under reconfiguration", FailureClass.TRANSIENT),
        ("Failed to get response from 'ICMS' after retries", FailureClass.TRANSIENT),
        ("Insufficient reserved capacity", FailureClass.CAPACITY),
        ("cluster is fully utilized", FailureClass.CAPACITY),
        ("Invalid Backend 'X' specified", FailureClass.PLACEMENT),
        ("Invalid GPU 'X' specified", FailureClass.PLACEMENT),
        ("Invalid InstanceType 'X' specified", FailureClass.PLACEMENT),
        ("GPUs missing for Backend 'X'", FailureClass.PLACEMENT),
        ("No Backends defined for account 'X'", FailureClass.PLACEMENT),
        ("Backend 'A': Capacity not available at this time - Exceeded", FailureClass.CAPACITY),
        ("Failed to create instances in the stipulated time", FailureClass.CAPACITY),
        ("Acknowledged capacity expired without instance creation", FailureClass.CAPACITY),
        ("Instance request schedule expired for this batch", FailureClass.CAPACITY),
        ("Cluster could not fulfill the instance request", FailureClass.CAPACITY),
        ("Cluster became unhealthy after acknowledging capacity", FailureClass.CAPACITY),
        ("pod terminated due to state instance-terminated-no-capacity: x", FailureClass.CAPACITY),
        ("PodStuckScheduling", FailureClass.CAPACITY),
        ("0/8 nodes: 8 Insufficient nvidia.com/gpu", FailureClass.CAPACITY),
        ("failure_category=no_capacity", FailureClass.CAPACITY),
        ("capacity-not-available", FailureClass.CAPACITY),
        ("schedule-expired", FailureClass.CAPACITY),
        ("cannot-fulfill", FailureClass.CAPACITY),
        ("constraint-not-fulfillable", FailureClass.CAPACITY),
        ("Failed to update deploying function status: x", FailureClass.TRANSIENT),
        ("Missing healthInfo or no errors in healthInfo.errorLog.", FailureClass.OTHER),
        ("", FailureClass.OTHER),
    ],
)
def test_every_marker_of_the_contract_is_known(text: str, kind: FailureClass) -> None:
    assert classify_text(text) is kind
    assert classify_text(text.upper()) is kind


def test_the_log_of_a_container_does_not_decide_what_failed() -> None:
    text = (
        "pod terminated due to state container-restart-loop: exited 1\n"
        "RuntimeError: no_capacity left, Insufficient nvidia.com/gpu"
    )
    assert classify_text(text) is FailureClass.OTHER


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, FailureClass.AUTHORIZATION),
        (402, FailureClass.QUOTA),
        (403, FailureClass.AUTHORIZATION),
        (404, FailureClass.NOT_FOUND),
        (422, FailureClass.OTHER),
        (429, FailureClass.TRANSIENT),
        (503, FailureClass.TRANSIENT),
        (400, FailureClass.OTHER),
        (None, FailureClass.OTHER),
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
    "body validation: min above max": FailureClass.OTHER,
    "unknown instance type": FailureClass.PLACEMENT,
    "backend and clusters together": FailureClass.OTHER,
    "version already deployed": FailureClass.OTHER,
    "version in ERROR, deployment not removed yet": FailureClass.OTHER,
    "graceful undeploy still draining": FailureClass.OTHER,
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
