"""What may stand in a stack file: the one place where its format is written down (pydantic)."""

from __future__ import annotations

from nvcfplan.loading.stackfile.deployment import (
    BounceFile,
    ElsewhereFile,
    FewerFile,
    RungFile,
    ScalingFile,
    SpecificationFile,
)
from nvcfplan.loading.stackfile.function import (
    ArtifactFile,
    FunctionFile,
    HealthFile,
    LifecycleFile,
    RateLimitFile,
    SecretFile,
    SensitiveFile,
    TelemetriesFile,
    UpdateFile,
)
from nvcfplan.loading.stackfile.schema import stack_json_schema
from nvcfplan.loading.stackfile.stack import AccountFile, QuotaFile, StackHead
from nvcfplan.loading.stackfile.validation import (
    UNKNOWN_KEY,
    Complaint,
    validate_function,
    validate_head,
)

__all__ = [
    "UNKNOWN_KEY",
    "AccountFile",
    "ArtifactFile",
    "BounceFile",
    "Complaint",
    "ElsewhereFile",
    "FewerFile",
    "FunctionFile",
    "HealthFile",
    "LifecycleFile",
    "QuotaFile",
    "RateLimitFile",
    "RungFile",
    "ScalingFile",
    "SecretFile",
    "SensitiveFile",
    "SpecificationFile",
    "StackHead",
    "TelemetriesFile",
    "UpdateFile",
    "stack_json_schema",
    "validate_function",
    "validate_head",
]
