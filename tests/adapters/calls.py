"""One call performed against a script, and the bodies such scripts answer with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.performer import NvcfPerformer
from nvcfplan.applying import Call, Done, Refused, Unanswered
from nvcfplan.model import (
    Address,
    EffectId,
    FunctionConfig,
    FunctionId,
    GpuSpecification,
    OperationId,
    SecretOrigin,
    SecretReference,
    StepId,
    VersionId,
)
from nvcfplan.plans import (
    Task,
    VersionRef,
)
from tests.adapters.fakes import FakeSecrets, Script, client_of, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import httpx2

F, V = FunctionId("f1"), VersionId("v1")
REF = VersionRef(Address("function.chat"), "new")
OPERATION = OperationId("01OP")
ROOT = "/v2/nvcf"
CREATE = f"POST {ROOT}/functions"
VERSIONS = f"POST {ROOT}/functions/f1/versions"
VERSION = f"{ROOT}/functions/f1/versions/v1"
ROW = f"{ROOT}/deployments/functions/f1/versions/v1"
CONFIG = FunctionConfig(name="chat", inference_url="/chat", container_image="acme/chat:1")
H100 = GpuSpecification(
    key="h100",
    gpu="H100",
    instance_type="a3_2x",
    min_instances=1,
    max_instances=2,
    max_request_concurrency=8,
    backend="GCP",
)
TOKEN = SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN")
VALUE = "hf-secret-value\nwith-more"
FUNCTION = {
    "function": {
        "id": "f1",
        "versionId": "v1",
        "name": "chat",
        "status": "INACTIVE",
        "inferenceUrl": "/chat",
        "tags": ["nvcfplan:op=OLD", "nvcfplan:stack=s", "team:a"],
        "containerEnvironment": [{"key": "DB_PASSWORD", "value": "live-password"}],
    }
}
LIVE_ROW = {
    "gpuSpecificationId": "s1",
    "gpu": "H100",
    "instanceType": "a3_2x",
    "minInstances": 1,
    "maxInstances": 2,
    "maxRequestConcurrency": 8,
    "backend": "GCP",
}
OTHER_ROW = {
    "gpuSpecificationId": "s2",
    "gpu": "L40S",
    "instanceType": "l40s",
    "minInstances": 3,
    "maxInstances": 5,
    "regions": ["r1"],
}


def deployment(*rows: dict[str, object]) -> dict[str, object]:
    return {
        "deployment": {
            "functionId": "f1",
            "functionVersionId": "v1",
            "deploymentId": "d1",
            "functionStatus": "ACTIVE",
            "deploymentSpecifications": list(rows),
        }
    }


def perform(
    task: Task,
    answers: Mapping[str, Sequence[httpx2.Response | Exception]],
    *,
    secrets: Mapping[str, str] | None = None,
    bound: tuple[FunctionId, VersionId | None] | None = (F, V),
) -> tuple[Done | Refused | Unanswered, Script]:
    script = Script(answers)
    call = Call(EffectId(7), StepId("step"), OPERATION, task, bound)

    async def performed() -> Done | Refused | Unanswered:
        async with client_of(script) as client:
            return await NvcfPerformer(client, FakeSecrets(secrets)).perform(call)

    return run(performed()), script


def mutating(script: Script) -> list[str]:
    return [route for route in script.routes if not route.startswith("GET ")]
