"""A state and a journal record to begin with."""

from __future__ import annotations

from nvcfplan.applying import Intent
from nvcfplan.model import (
    AccountIdentity,
    Digest,
    FunctionId,
    ManagedFunction,
    OperationId,
    State,
    StepId,
    VersionId,
)
from tests.documents import builders

STATE = State(
    lineage="6d2f6b0e",
    serial=7,
    account=AccountIdentity(endpoint="https://api.nvcf.nvidia.com", org="acme", nca_id="nca-1"),
    stack="inference",
    environment="default",
    secret_key="00ff",
    functions=(
        ManagedFunction(
            key="rerank",
            function_id=FunctionId("0000-rerank"),
            version_id=VersionId("1111-rerank"),
            applied=builders.desired("rerank"),
            secret_fingerprints=(("HF_TOKEN", "ab12"),),
        ),
        ManagedFunction(
            key="chat",
            function_id=FunctionId("0000-chat"),
            version_id=VersionId("1111-chat"),
            applied=builders.desired("chat"),
        ),
    ),
)

RECORD = Intent(
    step=StepId("deploy:function.chat@new"),
    attempt=1,
    operation=OperationId("01HV0000000000000000000000"),
    request=Digest("sha256:" + "1" * 64),
    before=None,
)
