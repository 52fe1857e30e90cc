"""What stands beside functions: who waits, telemetries and registries.

Each is one request, by the account's own key; none is needed to plan, so each is read when asked
for. Source: nvcf-api.md 2.5 to 2.7.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf import reads
from nvcfplan.errors import RemoteMissing
from nvcfplan.wire.queues import QueuesAnswer
from nvcfplan.wire.registries import CredentialList, RecognizedRegistries
from nvcfplan.wire.telemetries import TelemetryList

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.adapters.nvcf.client import Client
    from nvcfplan.model import FunctionId, VersionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Telemetry:
    """`types`: LOGS, METRICS, TRACES; sorted."""

    id: str
    name: str
    types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryCredential:
    """`artifact_types`: CONTAINER, HELM, MODEL, RESOURCE; sorted."""

    id: str
    hostname: str
    artifact_types: tuple[str, ...]


class ResourceReader:
    """Every method raises RemoteError."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def queue_depth(self, function: FunctionId, version: VersionId) -> int | None:
        """Calls that wait, and would be lost by a plain undeploy. None: it takes no calls.

        Asked once: nothing depends on it, so nothing waits for it.
        """
        request = reads.queues(function, version)
        try:
            answer = await self._client.read(request, QueuesAnswer, attempts=1)
        except RemoteMissing:
            return None
        return sum(one.queue_depth for one in answer.queues if one.function_version_id == version)

    async def telemetries(self) -> tuple[Telemetry, ...]:
        """By name."""
        answer = await self._client.read(reads.telemetries(), TelemetryList)
        found = (
            Telemetry(id=one.telemetry_id, name=one.name, types=tuple(sorted(one.types)))
            for one in answer.telemetries
        )
        return tuple(sorted(found, key=lambda one: (one.name, one.id)))

    async def registry_credentials(self) -> tuple[RegistryCredential, ...]:
        """By host. An image of another host is refused when it is deployed (4.3)."""
        answer = await self._client.read(reads.registry_credentials(), CredentialList)
        found = (
            RegistryCredential(
                id=one.registry_credential_id,
                hostname=one.registry_hostname,
                artifact_types=tuple(sorted(one.artifact_types)),
            )
            for one in answer.registry_credentials
        )
        return tuple(sorted(found, key=lambda one: (one.hostname, one.id)))

    async def recognized_registries(self) -> Mapping[str, tuple[str, ...]]:
        """Host names, sorted, by artifact type."""
        answer = await self._client.read(reads.recognized_registries(), RecognizedRegistries)
        return {
            kind: tuple(sorted(one.hostname for one in registries))
            for kind, registries in sorted(answer.recognized_registries.items())
        }
