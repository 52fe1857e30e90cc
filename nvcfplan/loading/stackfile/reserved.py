"""Keys that are known but not acted on yet, by the model in which they would stand.

They are refused: a key that is accepted and ignored would be a promise broken in silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.loading.stackfile.deployment import (
    AutoscalingFile,
    DeploymentFile,
    SpecificationFile,
)
from nvcfplan.loading.stackfile.function import (
    ArtifactFile,
    FunctionFile,
    LifecycleFile,
    RateLimitFile,
    SecretFile,
    UpdateFile,
)
from nvcfplan.loading.stackfile.stack import StackHead

if TYPE_CHECKING:
    from nvcfplan.loading.stackfile.base import Strict

RESERVED: Final[dict[type[Strict], frozenset[str]]] = {
    StackHead: frozenset(
        {"defaults", "guards", "include", "inventory", "moved", "overlays", "removed"}
    ),
    FunctionFile: frozenset(
        {"forEach", "healthUri", "llmInvocationConfig", "merge"}
    ),
    ArtifactFile: frozenset({"llmConfig"}),
    RateLimitFile: frozenset({"perNcaIdRate", "perUserRate"}),
    SecretFile: frozenset({"fromCommand"}),
    DeploymentFile: frozenset({"candidates"}),
    SpecificationFile: frozenset(
        {
            "availabilityZones", "autoscalingConfigurationPolicy", "candidates",
            "helmValidationPolicy", "preferredOrder",
        }
    ),
    AutoscalingFile: frozenset(),
    UpdateFile: frozenset(),
    LifecycleFile: frozenset({"ignoreChanges"}),
}  # fmt: skip
