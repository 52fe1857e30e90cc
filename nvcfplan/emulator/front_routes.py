"""The part of the table that the NGC front serves, what is for administrators, and what is open.

Source: nvcf-api.md 1.1, 1.2, 2.3, 2.8.
"""

from __future__ import annotations

from dataclasses import replace

from nvcfplan.emulator.layouts import Layout, Query, QueryKind, Route
from nvcfplan.wire.accounts import QuotaRules
from nvcfplan.wire.allocator import ClusterArray
from nvcfplan.wire.capacity_view import DeploymentList
from nvcfplan.wire.front import (
    AccountList,
    ApiDocument,
    CallerKey,
    CapacityByGpu,
    ClusterVersions,
    GpuUseList,
    Health,
    InstanceList,
    LogPage,
    LogQuery,
    OneAccount,
    OrganizationList,
    ServiceVersion,
    TokenAnswer,
)

_ORG = "/orgs/{org}/"
_TEAM = "/orgs/{org}/teams/{team}/"


def _with_team(*routes: Route) -> tuple[Route, ...]:
    """Each as it stands below the org, and below a team of it."""
    teams = (replace(one, path=one.path.replace(_ORG, _TEAM)) for one in routes)
    return (*routes, *teams)


_VERSION = "functions/{function}/versions/{version}"
_CAPACITY = (
    Query(name="gpus", kind=QueryKind.WORDS),
    Query(name="regions", kind=QueryKind.WORDS),
)

_VIEWS = _with_team(
    Route(
        name="list-deployments",
        method="GET",
        path="/v2/orgs/{org}/nvcf/deployments",
        layout=Layout.ROOT,
        row="1.1",
        scopes=("deploy_function",),
        is_listing=True,
        answer=DeploymentList,
    ),
    Route(
        name="quota",
        method="GET",
        path="/v2/orgs/{org}/ngc/nvcf/gpu/quota/rules",
        layout=Layout.ROOT,
        row="2.3",
        scopes=("read_gpu_quota_rule",),
        answer=QuotaRules,
    ),
    Route(
        name="capacity-view",
        method="GET",
        path="/v3/orgs/{org}/ngc/nvcf/deployments/instanceTypes",
        layout=Layout.ROOT,
        row="2.3",
        scopes=("gpu_capacity",),
        queries=_CAPACITY,
        answer=CapacityByGpu,
    ),
    Route(
        name="available-instance-types",
        method="GET",
        path="/v3/orgs/{org}/ngc/nvcf/deployments/available/instanceTypes",
        layout=Layout.ROOT,
        row="2.3",
        scopes=("gpu_capacity", "deploy_function", "list_functions"),
        queries=_CAPACITY,
        answer=CapacityByGpu,
    ),
    Route(
        name="skyway-instances",
        method="GET",
        path=f"/v2/orgs/{{org}}/skyway/instances/{_VERSION}",
        layout=Layout.ROOT,
        row="1.1",
        scopes=("list_functions_details", "deploy_function"),
        answer=InstanceList,
    ),
    Route(
        name="registered-clusters",
        method="GET",
        path="/v2/orgs/{org}/sis/clusters",
        layout=Layout.ROOT,
        row="1.1",
        scopes=("cluster-management", "list_cluster_groups"),
        answer=ClusterArray,
    ),
    Route(
        name="cluster-versions",
        method="GET",
        path="/v2/orgs/{org}/sis/clusterVersions",
        layout=Layout.ROOT,
        row="1.1",
        scopes=("cluster-management", "list_cluster_groups"),
        answer=ClusterVersions,
    ),
)

_LOGS = _with_team(
    *(
        Route(
            name="logs",
            method="POST",
            path=f"/v2/orgs/{{org}}/nvcf/logs/{of}",
            layout=Layout.ROOT,
            row="1.1",
            scopes=("list_functions_details",),
            request=LogQuery,
            answer=LogPage,
        )
        for of in ("functions/{function}", _VERSION)
    ),
    Route(
        name="log-page",
        method="GET",
        path="/v2/orgs/{org}/nvcf/logs/{job}",
        layout=Layout.ROOT,
        row="1.1",
        scopes=("list_functions_details",),
        queries=(Query(name="page"), Query(name="page_size")),
        answer=LogPage,
    ),
)

_CALLERS = (
    Route(
        name="caller-info",
        method="GET",
        path="/v3/keys/get-caller-info",
        layout=Layout.ROOT,
        row="1.1",
        scopes=(),
        answer=CallerKey,
    ),
    Route(
        name="caller-info",
        method="POST",
        path="/v3/keys/get-caller-info",
        layout=Layout.ROOT,
        row="1.1",
        scopes=(),
        is_open=True,
        answer=CallerKey,
    ),
    Route(
        name="organizations",
        method="GET",
        path="/v2/orgs",
        layout=Layout.ROOT,
        row="1.1",
        scopes=(),
        queries=(Query(name="page-number"), Query(name="page-size")),
        answer=OrganizationList,
    ),
    Route(
        name="token",
        method="GET",
        path="/token",
        layout=Layout.ROOT,
        row="1.1",
        scopes=(),
        is_open=True,
        queries=(Query(name="service"), Query(name="scope", kind=QueryKind.WORDS)),
        answer=TokenAnswer,
    ),
)

_ADMINISTRATION = (
    Route(
        name="account",
        method="GET",
        path="/v2/nvcf/accounts/{account}",
        layout=Layout.ROOT,
        row="2.8",
        scopes=("account_setup",),
        answer=OneAccount,
    ),
    Route(
        name="accounts",
        method="GET",
        path="/v2/nvcf/accounts",
        layout=Layout.ROOT,
        row="2.8",
        scopes=("account_setup",),
        answer=AccountList,
    ),
    Route(
        name="list-deployments",
        method="GET",
        path="/v2/nvcf/accounts/{account}/deployments",
        layout=Layout.ROOT,
        row="1.1",
        scopes=("admin:deploy_function",),
        is_for_keys=False,
        answer=DeploymentList,
    ),
    Route(
        name="gpu-use",
        method="GET",
        path="/v2/nvcf/accounts/{account}/usage/gpus",
        layout=Layout.ROOT,
        row="2.3",
        scopes=("admin:deploy_function",),
        is_for_keys=False,
        answer=GpuUseList,
    ),
)

_OPEN = (
    Route(
        name="health",
        method="GET",
        path="/health",
        layout=Layout.ROOT,
        row="1.1",
        scopes=(),
        is_open=True,
        answer=Health,
    ),
    Route(
        name="info",
        method="GET",
        path="/info",
        layout=Layout.ROOT,
        row="1.1",
        scopes=(),
        is_open=True,
        answer=ServiceVersion,
    ),
    Route(
        name="openapi",
        method="GET",
        path="/v3/openapi",
        layout=Layout.ROOT,
        row="1.1",
        scopes=(),
        is_open=True,
        answer=ApiDocument,
    ),
)

FRONT_ROUTES = (*_VIEWS, *_LOGS, *_CALLERS, *_ADMINISTRATION, *_OPEN)
