"""The allocator's part of the table. It takes no API key, and its scopes are no user's.

Source: nvcf-api.md 2.3; ICMS `AccountInfoController`, `ClustersController`,
`NvcaAccountController`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.layouts import Layout, Query, QueryKind, Route
from nvcfplan.wire.allocator import (
    AllocatorGroupList,
    AttributeNames,
    Availability,
    ClusterArray,
    ClusterNames,
    DeploymentUsageList,
    GpuNames,
    GpuUsage,
    InstanceTypesByGpu,
    RegionNames,
)

if TYPE_CHECKING:
    from nvcfplan.wire.protocol import AnswerModel

_ACCOUNT = "/v1/si/accounts/{account}"
_USAGE = Query(name="instanceTypeUsage", choices=("DEFAULT", "CONTAINER"))
_CLUSTERS = Query(name="clusters", kind=QueryKind.WORDS)
_REGIONS = Query(name="regions", kind=QueryKind.WORDS)
_ATTRIBUTES = Query(name="attributes", kind=QueryKind.WORDS)
_GPUS = Query(name="gpus", kind=QueryKind.WORDS)
_ALL = (
    Query(name="backends", kind=QueryKind.WORDS),
    _USAGE,
    Query(name="capacityValidation", kind=QueryKind.FLAG),
)


def _route(
    name: str,
    path: str,
    answer: AnswerModel,
    *,
    scopes: tuple[str, ...],
    queries: tuple[Query, ...] = (),
) -> Route:
    return Route(
        name=name,
        method="GET",
        path=path,
        layout=Layout.ROOT,
        row="2.3",
        scopes=scopes,
        is_for_keys=False,
        queries=queries,
        answer=answer,
    )


_AUTHORIZED = tuple(
    Query(name=name, kind=QueryKind.FLAG)
    for name in (
        "includeAuthorizedClusters",
        "includeNonByocInAuthorizedClusters",
        "includeGfnInAuthorizedClusters",
    )
)
_MANAGEMENT = ("cluster-management",)
_COUNTS = ("gpu-usage", "spot-gpu-usage")

ALLOCATOR_ROUTES = (
    _route(
        "capacity",
        f"{_ACCOUNT}/clusters",
        ClusterArray,
        scopes=_MANAGEMENT,
        queries=_AUTHORIZED,
    ),
    _route(
        "capacity",
        "/v1/accounts/{account}/clusters",
        ClusterArray,
        scopes=_MANAGEMENT,
        queries=_AUTHORIZED,
    ),
    _route(
        "allocator-groups",
        f"{_ACCOUNT}/clusterGroups",
        AllocatorGroupList,
        scopes=("cluster_listing",),
        queries=(_USAGE,),
    ),
    _route("allocator-gpus", f"{_ACCOUNT}/gpus", GpuNames, scopes=("gpu_listing",), queries=_ALL),
    _route(
        "allocator-regions",
        f"{_ACCOUNT}/regions",
        RegionNames,
        scopes=("regions_listing",),
        queries=(_CLUSTERS, _ATTRIBUTES, _GPUS, *_ALL),
    ),
    _route(
        "allocator-cluster-names",
        f"{_ACCOUNT}/clusterNames",
        ClusterNames,
        scopes=("clusters_listing",),
        queries=(_REGIONS, _ATTRIBUTES, _GPUS, *_ALL),
    ),
    _route(
        "allocator-attributes",
        f"{_ACCOUNT}/attributes",
        AttributeNames,
        scopes=("attributes_listing",),
        queries=(_REGIONS, _CLUSTERS, _GPUS, *_ALL),
    ),
    _route(
        "allocator-instance-types",
        f"{_ACCOUNT}/instanceTypes",
        InstanceTypesByGpu,
        scopes=("instance_types",),
        queries=(
            _REGIONS,
            _CLUSTERS,
            _ATTRIBUTES,
            _GPUS,
            Query(name="instanceType"),
            *_ALL,
        ),
    ),
    _route(
        "allocator-availability",
        f"{_ACCOUNT}/instanceTypes/availability",
        Availability,
        scopes=_COUNTS,
    ),
    _route("allocator-usage", f"{_ACCOUNT}/gpu/usage", GpuUsage, scopes=_COUNTS),
    _route(
        "allocator-deployment-usage",
        f"{_ACCOUNT}/deployments/{{deployment}}/gpu/usage",
        DeploymentUsageList,
        scopes=_COUNTS,
    ),
)
