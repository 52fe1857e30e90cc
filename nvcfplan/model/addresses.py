"""Names of things: addresses in a stack, ids minted by the service, ids minted by us.

Identifiers that must not be mixed up are `NewType`s. What may stand in a name is decided here once,
because names travel in the service's tags (charset `[a-zA-Z0-9\\-_:=]`, 128 characters).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NewType

Address = NewType("Address", str)
"""`function.chat` or `function.chat.specification.h100`."""
FunctionId = NewType("FunctionId", str)
VersionId = NewType("VersionId", str)
DeploymentId = NewType("DeploymentId", str)
GpuSpecificationId = NewType("GpuSpecificationId", str)

StepId = NewType("StepId", str)
"""`deploy:function.chat@new`: stable under re-planning of other functions."""
ResourceId = NewType("ResourceId", str)
"""`pool:CLUSTER/H100`, `pools:CLUSTER-A+CLUSTER-B/H100`, `quota:...`, `limit:versions`."""
OperationId = NewType("OperationId", str)
"""Stands in the version's tags; one per attempt of one creating call."""
RunId = NewType("RunId", str)
EffectId = NewType("EffectId", int)
Digest = NewType("Digest", str)
"""`sha256:` and 64 hexadecimal digits."""
Token = NewType("Token", str)
Json = NewType("Json", str)
"""Canonical JSON text: UTF-8, sorted keys, no spaces; never a secret value."""

NAME_PATTERN: Final = "[a-z][a-z0-9-]{0,39}"
"""Names of stacks, environments and function keys: they fit the service's tags unescaped."""

_NAME = re.compile(NAME_PATTERN)


@dataclass(frozen=True, slots=True, order=True)
class PoolId:
    """The GPUs of one name in one cluster: the unit in which the allocator counts.

    Source: nvcf-api.md 8.1.
    """

    cluster: str
    gpu: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.gpu}"


def is_name(text: str) -> bool:
    return _NAME.fullmatch(text) is not None


def function_address(key: str) -> Address:
    return Address(f"function.{key}")


def specification_address(key: str, specification: str) -> Address:
    return Address(f"function.{key}.specification.{specification}")


def function_key(address: Address) -> str:
    """The key in `functions:` that a function's or a specification's address names."""
    return address.split(".")[1]
