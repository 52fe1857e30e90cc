"""Every row of the service's failures, met by an apply: its class, what to do, and how it ends.

Source: nvcf-api.md 6.1 (in the answer of the deployment), 6.2 (after it), 6.3 (not capacity).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import Failure, FailureClass, remedy_of
from nvcfplan.emulator.failures import BROKEN, REFUSED, UNSERVED
from nvcfplan.emulator.rules import Fault, Trouble
from tests.scenarios.conftest import Workshop, as_before, function, h100, stack

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

CAPACITY, PLACEMENT = FailureClass.CAPACITY, FailureClass.PLACEMENT
QUOTA, TRANSIENT, PLATFORM = FailureClass.QUOTA, FailureClass.TRANSIENT, FailureClass.PLATFORM
CONFIGURATION, IMAGE_PULL = FailureClass.CONFIGURATION, FailureClass.IMAGE_PULL
RESTART_LOOP, MODEL_NOT_FOUND = FailureClass.RESTART_LOOP, FailureClass.MODEL_NOT_FOUND
MODEL_DOWNLOAD, STORAGE = FailureClass.MODEL_DOWNLOAD, FailureClass.STORAGE
UNDONE, FAILED, NOTHING_CHANGED = 3, 1, 7

IN_THE_ANSWER: Mapping[str, tuple[FailureClass, str]] = {
    "no-capacity": (CAPACITY, "no available clusters with capacity"),
    "no-reservation": (CAPACITY, "no available clusters with reservation"),
    "no-cluster": (PLACEMENT, "no available clusters for"),
    "no-access": (PLACEMENT, "does not have access to any ready cluster"),
    "no-access-clusters": (PLACEMENT, "NVCF_CUSTOMER_NO_ACCESS_TO_CLUSTERS"),
    "no-access-gpu": (PLACEMENT, "NVCF_CUSTOMER_NO_ACCESS_TO_GPU"),
    "no-access-instance-type": (PLACEMENT, "NVCF_CUSTOMER_NO_ACCESS_TO_INSTANCE_TYPE"),
    "no-access-ready-cluster": (PLACEMENT, "NVCF_CUSTOMER_NO_ACCESS_TO_READY_CLUSTER"),
    "quota": (QUOTA, "All allocated GPU instances in use"),
    "payment-required": (QUOTA, "Payment is required"),
    "reconfiguration": (TRANSIENT, "under reconfiguration"),
    "allocator-down": (TRANSIENT, "Failed to get response from 'ICMS'"),
    "reserved-capacity": (CAPACITY, "Insufficient reserved capacity"),
    "fully-utilized": (CAPACITY, "is fully utilized"),
}

AFTER_THE_ANSWER: Mapping[str, tuple[FailureClass, str]] = {
    "queue-expired": (CAPACITY, "Exceeded max queued duration '30' minutes"),
    "not-created": (CAPACITY, "a lack of capacity is suspected"),
    "not-created-cached": (CAPACITY, "a lack of capacity is suspected"),
    "acknowledged-expired": (CAPACITY, "a lack of capacity is suspected"),
    "schedule-expired": (CAPACITY, "Instance request schedule expired for this batch"),
    "cannot-fulfill": (CAPACITY, "Cluster could not fulfill the instance request"),
    "cluster-unhealthy": (CAPACITY, "Cluster became unhealthy after acknowledging capacity"),
    "unschedulable": (CAPACITY, "instance-terminated-no-capacity"),
    "pod-stuck": (CAPACITY, "PodStuckScheduling"),
    "no-capacity-category": (CAPACITY, "no_capacity"),
    "reserved-capacity": (CAPACITY, "Insufficient reserved capacity"),
    "fully-utilized": (CAPACITY, "is fully utilized"),
    "status-capacity": (CAPACITY, "capacity-not-available"),
    "status-schedule": (CAPACITY, "schedule-expired"),
    "status-fulfill": (CAPACITY, "cannot-fulfill"),
    "status-constraint": (CAPACITY, "constraint-not-fulfillable"),
    "no-reason": (FailureClass.UNKNOWN, "Missing healthInfo"),
}

NOT_CAPACITY: Mapping[str, tuple[FailureClass, str]] = {
    "configuration": (CONFIGURATION, "GET /health: 404"),
    "startup-timeout": (CONFIGURATION, "degraded_worker"),
    "degraded-worker": (CONFIGURATION, "degraded-worker"),
    "restart-loop": (RESTART_LOOP, "CUDA out of memory"),
    "crash-loop": (RESTART_LOOP, "CrashLoopBackOff"),
    "create-container": (CONFIGURATION, "CreateContainerError"),
    "malformed-arguments": (CONFIGURATION, "Container arguments are malformed"),
    "model-not-found": (MODEL_NOT_FOUND, "No such file or directory: '/config/models"),
    "model-no-access": (MODEL_NOT_FOUND, "cannot access '/config/models"),
    "model-missing": (MODEL_NOT_FOUND, "/config/models/llm/config.json: not found"),
    "model-download-loop": (MODEL_DOWNLOAD, "init-container-restart-loop"),
    "model-download-stuck": (MODEL_DOWNLOAD, "init-container-stuck"),
    "model-cache": (MODEL_DOWNLOAD, "model-cache-failure"),
    "model-download-stage": (MODEL_DOWNLOAD, "downloadingContainerModelError"),
    "image-pull": (IMAGE_PULL, "ImagePullBackOff"),
    "image-pull-error": (IMAGE_PULL, "ErrImagePull"),
    "image-pull-stage": (IMAGE_PULL, "downloadingContainerError"),
    "admission": (FailureClass.ADMISSION, "instance-terminated-admission-error"),
    "shared-storage": (STORAGE, "shared-storage-failure"),
    "persistent-storage": (STORAGE, "internal-persistent-storage-failure"),
    "preempted": (PLATFORM, "PREEMPTED"),
    "instance-not-found": (PLATFORM, "instance-not-found"),
    "utils-pod-not-found": (PLATFORM, "utils-pod-not-found"),
    "maintenance": (PLATFORM, "instance-terminated-service-maintenance"),
    "cloud-offline": (PLATFORM, "instance-terminated-cloud-offline"),
    "lifetime-expired": (PLATFORM, "Instance lifetime expired"),
    "shutting-down": (PLATFORM, "stuck in shutting-down state"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Of a new function: so the deployment's failure takes it away again."""

    name: str
    fault: Fault
    kind: FailureClass
    words: str
    code: int = UNDONE


def rows_of(trouble: Trouble, table: Mapping[str, tuple[FailureClass, str]]) -> Iterator[Row]:
    for name, (kind, words) in table.items():
        fault = Fault(kind=trouble, route="deploy", failure=name, every=True)
        yield Row(name=f"{trouble}-{name}", fault=fault, kind=kind, words=words)


def answered(route: str, text: str, kind: FailureClass, *, code: int = UNDONE) -> Row:
    fault = Fault(kind=Trouble.ANSWER, route=route, status=400, text=text, every=True)
    return Row(name=f"{route}-{kind}", fault=fault, kind=kind, words=text, code=code)


ROWS = (
    *rows_of(Trouble.CAPACITY_SYNC, IN_THE_ANSWER),
    *rows_of(Trouble.CAPACITY_ASYNC, AFTER_THE_ANSWER),
    *rows_of(Trouble.BREAK, NOT_CAPACITY),
    answered(
        "create-function",
        "Reached or exceeded the max limit for the number of functions",
        FailureClass.ACCOUNT_LIMIT,
        code=FAILED,
    ),
    answered("deploy", "NVCF ReVal: the chart does not render", CONFIGURATION),
    answered("deploy", "Registry credential for hostname 'nvcr.io' is not found", IMAGE_PULL),
    Row(
        name="control-plane",
        fault=Fault(
            kind=Trouble.CAPACITY_ASYNC,
            route="deploy",
            text="Failed to update deploying function status",
            every=True,
        ),
        kind=TRANSIENT,
        words="Failed to update deploying function status",
    ),
)


def some(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """All in full; else one of each class in each way it comes."""
    if os.environ.get("NVCFPLAN_TORTURE"):
        return rows
    return tuple({(one.fault.kind, one.kind): one for one in reversed(rows)}.values())


def test_every_failure_that_the_service_knows_has_its_row() -> None:
    assert set(IN_THE_ANSWER) == set(REFUSED)
    assert set(AFTER_THE_ANSWER) == set(UNSERVED)
    assert set(NOT_CAPACITY) == set(BROKEN)


@pytest.mark.parametrize("row", some(ROWS), ids=lambda row: row.name)
def test_a_failed_deployment_is_told_with_its_class_and_remedy_and_undone(
    workshop: Workshop, row: Row
) -> None:
    workshop.write("stack.yaml", stack(h100("chat")))
    workshop.plan(".")
    workshop.emulator().add_fault(row.fault)

    said = workshop.apply("-json", ".")

    assert said.code == row.code
    (cause,) = causes(said.document)
    assert cause["kind"] == row.kind
    assert row.words in str(cause["message"])
    assert cause["remedy"] == remedy_of(Failure(kind=row.kind, message="")) != ""
    assert workshop.account() == []


def causes(document: dict[str, object]) -> list[dict[str, object]]:
    found = document["causes"]
    assert isinstance(found, list)
    return found


# -- the forms that the service says nothing of ----------------------------------------------------


def test_a_deployment_that_nobody_picks_up_is_suspected_and_undone(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat")))
    workshop.plan(".")
    silent = Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", is_silent=True)
    workshop.emulator().add_fault(silent)

    said = workshop.apply("-json", ".")

    assert said.code == UNDONE
    (cause,) = causes(said.document)
    assert cause["kind"] == CAPACITY
    assert "no instance appeared within 30 minutes" in str(cause["message"])
    assert workshop.account() == []


def test_a_raised_minimum_that_finds_no_room_is_put_back(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat")))
    assert workshop.apply(".").code == 0
    before = as_before(workshop.account())
    workshop.write("stack.yaml", stack(h100("chat", instances=3)))
    grab = Fault(
        kind=Trouble.GRAB,
        route="update-specification",
        cluster="nvcf-gcp-prod-asiase1-a",
        gpu="H100",
    )
    workshop.emulator().add_fault(grab)

    said = workshop.apply("-json", ".")

    assert said.code == UNDONE
    (cause,) = causes(said.document)
    assert cause["kind"] == CAPACITY
    assert "a lack of capacity is suspected" in str(cause["message"])
    assert as_before(workshop.account()) == before


def test_of_a_minimum_of_none_nothing_is_ever_reported(workshop: Workshop) -> None:
    idle = function(
        "chat",
        gpu="H100",
        kind="a3-highgpu-8g_2x",
        place="backend: GCP-ASIASE1-A",
        instances="0..2",
        more="update: { prove: none }",
    )
    workshop.write("stack.yaml", stack(idle))
    workshop.plan(".")
    silent = Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", is_silent=True)
    workshop.emulator().add_fault(silent)

    assert workshop.apply(".").code == 0


def test_one_specification_without_room_is_told_though_the_other_runs(workshop: Workshop) -> None:
    other = "".join(
        f"{line}\n"
        for line in (
            "        other:",
            "          gpu: H100",
            "          instanceType: AZURE.GPU.H100_2x",
            "          backend: AZURE-WESTUS2",
            "          minInstances: 1",
            "          maxInstances: 1",
        )
    )
    workshop.write("stack.yaml", stack(h100("chat") + other))
    workshop.plan(".")
    partly = Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", instance_type="AZURE.GPU.H100_2x")
    workshop.emulator().add_fault(partly)

    said = workshop.apply("-json", ".")

    assert said.code == UNDONE
    (cause,) = causes(said.document)
    assert cause["kind"] == CAPACITY
    assert "Capacity not available at this time" in str(cause["message"])
    assert workshop.account() == []


def test_no_room_before_anything_was_changed_has_an_exit_code_of_its_own(
    workshop: Workshop,
) -> None:
    """A version that waits undeployed is deployed again, and refused."""
    workshop.write("stack.yaml", stack(h100("chat")))
    assert workshop.apply(".").code == 0
    (version,) = workshop.account()
    path = f"deployments/functions/{version['id']}/versions/{version['versionId']}"
    workshop.ask(path, method="DELETE")
    assert workshop.type("emulator", "advance", "900s", ".").code == 0
    full = Fault(kind=Trouble.CAPACITY_SYNC, route="deploy", every=True)
    workshop.emulator().add_fault(full)

    said = workshop.apply("-json", ".")

    assert said.code == NOTHING_CHANGED
    assert [cause["kind"] for cause in causes(said.document)] == [CAPACITY]
