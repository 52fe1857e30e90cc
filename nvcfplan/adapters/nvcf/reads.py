"""Every request that only looks: its path, and the permission it needs. Pure.

Source: nvcf-api.md 1.1, 1.2 (scopes), 2.1 (paths).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from nvcfplan.adapters.nvcf.raw import RawRequest

if TYPE_CHECKING:
    from nvcfplan.model import FunctionId, VersionId

DEPLOY: Final = "the scope deploy_function"


def list_functions() -> RawRequest:
    return RawRequest(
        method="GET",
        path="/functions",
        query=(("visibility", "private"),),
        scope="the scope list_functions",
    )


def get_version(function: FunctionId, version: VersionId) -> RawRequest:
    """With instances, which no list has, and the names of the secrets."""
    return RawRequest(
        method="GET",
        path=version_path(function, version),
        query=(("includeSecrets", "true"),),
        scope="the scope list_functions_details",
    )


def get_deployment(function: FunctionId, version: VersionId) -> RawRequest:
    return RawRequest(
        method="GET", path="/deployments" + version_path(function, version), scope=DEPLOY
    )


def org_deployments() -> RawRequest:
    """All of the organisation at once: the NGC front alone has it. Source: nvcf-api.md 1.1, 7."""
    return RawRequest(method="GET", path="/deployments", scope=DEPLOY)


def cluster_groups() -> RawRequest:
    return RawRequest(
        method="GET",
        path="/clusterGroups",
        scope="the scope list_cluster_groups (a self-hosted service grants it to JWTs only)",
    )


def allocator_clusters(nca_id: str) -> RawRequest:
    return RawRequest(
        method="GET",
        path=f"/v1/si/accounts/{quote(nca_id, safe='')}/clusters",
        query=(
            ("includeAuthorizedClusters", "true"),
            ("includeGfnInAuthorizedClusters", "true"),
        ),
        scope="the allocator's own scopes (keys of users rarely have them)",
        is_rooted=True,
    )


def account_limits(nca_id: str) -> RawRequest:
    return RawRequest(
        method="GET",
        path=f"/v2/nvcf/accounts/{quote(nca_id, safe='')}",
        scope="an admin scope (admin:*)",
        is_rooted=True,
    )


def quota_rules(org: str) -> RawRequest:
    return RawRequest(
        method="GET",
        path=f"/v2/orgs/{quote(org, safe='')}/ngc/nvcf/gpu/quota/rules",
        scope='"Read GPU Quota Rule" on the entity type All',
        is_rooted=True,
    )


def capacity_view(org: str) -> RawRequest:
    return RawRequest(
        method="GET",
        path=f"/v3/orgs/{quote(org, safe='')}/ngc/nvcf/deployments/instanceTypes",
        scope='"GPU Capacity" on the entity type All',
        is_rooted=True,
    )


def registered_clusters(org: str) -> RawRequest:
    """Those that the organisation brought itself. Source: nvcf-api.md 1.1."""
    return RawRequest(
        method="GET",
        path=f"/v2/orgs/{quote(org, safe='')}/sis/clusters",
        scope="the permission to list the organisation's clusters",
        is_rooted=True,
    )


def function_parties(function: FunctionId) -> RawRequest:
    """Of every version, in each case with what it inherits. Source: nvcf-api.md 2.4."""
    return RawRequest(
        method="GET",
        path=f"/authorizations/functions/{quote(function, safe='')}",
        scope="the scope authorize_clients",
    )


def queues(function: FunctionId, version: VersionId) -> RawRequest:
    return RawRequest(
        method="GET",
        path="/queues" + version_path(function, version),
        scope="the scope queue_details",
    )


def telemetries() -> RawRequest:
    return RawRequest(method="GET", path="/telemetries", scope="the scope manage_telemetries")


def registry_credentials() -> RawRequest:
    return RawRequest(
        method="GET",
        path="/registry-credentials",
        scope="the scope manage_registry_credentials",
    )


def recognized_registries() -> RawRequest:
    return RawRequest(
        method="GET",
        path="/recognized-registries",
        scope="the scope manage_registry_credentials",
    )


def version_path(function: FunctionId, version: VersionId) -> str:
    return f"/functions/{quote(function, safe='')}/versions/{quote(version, safe='')}"
