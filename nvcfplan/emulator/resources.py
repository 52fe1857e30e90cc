"""What an account keeps beside its functions: telemetries and registry credentials.

Plain state. Of secrets only digests are kept. Source: nvcf-api.md 2.5, 2.6.
"""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.emulator.function_bounds import secret_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from nvcfplan.emulator.rules import RegistryRule
    from nvcfplan.wire.functions import SecretEntry

SYSTEM = "SYSTEM"
USER = "USER"
PROVISIONERS = (SYSTEM, USER)
ARTIFACT_TYPES = ("CONTAINER", "HELM", "MODEL", "RESOURCE")


@dataclass(slots=True, kw_only=True)
class Telemetry:
    """`name`: of its secret. `secret`: SHA-256. Only the secret ever changes."""

    id: str
    name: str
    endpoint: str
    protocol: str
    provider: str
    types: list[str]
    secret: str
    created_at: float


@dataclass(slots=True, kw_only=True)
class Credential:
    """`name`: of its secret. `registry`: what the service calls the host. `secret`: SHA-256.

    `is_legacy`: the key in it is an NGC key of the old kind.
    """

    id: str
    name: str
    registry: str
    hostname: str
    types: list[str]
    secret: str
    created_at: float
    updated_at: float
    tags: list[str]
    description: str | None = None
    provisioned_by: str = USER
    is_legacy: bool = False


def digest(secret: SecretEntry) -> str:
    """Tells whether two values are the same, and nothing more."""
    return hashlib.sha256(secret_text(secret).encode()).hexdigest()


def digests(secrets: list[SecretEntry]) -> dict[str, str]:
    """Keyed by name."""
    return {one.name: digest(one) for one in secrets}


def provisioned(registries: Iterable[RegistryRule]) -> Iterator[Credential]:
    """Those that the account has from the start."""
    for one in registries:
        if one.has_credential:
            yield Credential(
                id=str(uuid.uuid5(uuid.NAMESPACE_DNS, one.hostname)),
                name="system",
                registry=one.name,
                hostname=one.hostname,
                types=list(one.types),
                secret="",
                created_at=0.0,
                updated_at=0.0,
                tags=[],
                provisioned_by=SYSTEM,
            )
