"""What the emulated API consists of: the table of its routes.

`targets` finds a request's route in it, `routes` its handler, `faults` the words a fault may name,
`auth` the scopes asked for. Source: nvcf-api.md 1.2, 2.1 to 2.8.
"""

from __future__ import annotations

from nvcfplan.emulator.allocator_routes import ALLOCATOR_ROUTES
from nvcfplan.emulator.front_routes import FRONT_ROUTES
from nvcfplan.emulator.layouts import Layout, Query, QueryKind, Route
from nvcfplan.emulator.resource_routes import RESOURCE_ROUTES
from nvcfplan.wire.accounts import ClusterGroupList
from nvcfplan.wire.deployments import (
    DeployRequest,
    OneDeployment,
    OneSpecification,
    UpdateDeploymentRequest,
    UpdateSpecificationRequest,
)
from nvcfplan.wire.functions import (
    CreateFunctionRequest,
    FunctionIds,
    FunctionList,
    OneFunction,
    SecretsRequest,
    UpdateFunctionRequest,
)


def scopes() -> tuple[str, ...]:
    """All that a credential can have: each route's, and the super-admin's of each."""
    found = {scope for route in ROUTES for scope in route.scopes}
    admins = {
        f"admin:{scope}"
        for route in ROUTES
        if route.layout is Layout.SERVICE
        for scope in route.scopes
    }
    return tuple(sorted(found | admins | _BEYOND))


def words() -> tuple[str, ...]:
    """The names of the routes that a fault can meet, each once: not of those open to anybody."""
    return tuple(dict.fromkeys(route.name for route in ROUTES if not route.is_open))


_BEYOND = frozenset({"invoke_function"})
"""Of calls that a planner has no use for. Source: nvcf-api.md 1.2."""

_VERSION = "functions/{function}/versions/{version}"
_DEPLOYMENT = f"deployments/{_VERSION}"
_VISIBILITY = Query(
    name="visibility", kind=QueryKind.WORDS, choices=("authorized", "private", "public")
)
_READ = ("list_functions", "list_functions_details")
_DEPLOY = ("deploy_function",)

_INVENTORY = (
    Route(
        name="inventory",
        method="GET",
        path="clusterGroups",
        row="2.1#1",
        scopes=("list_cluster_groups",),
        is_for_keys=False,
        answer=ClusterGroupList,
    ),
)

_FUNCTIONS = (
    Route(
        name="list-functions",
        method="GET",
        path="functions",
        row="2.1#2",
        scopes=_READ,
        is_listing=True,
        queries=(_VISIBILITY,),
        answer=FunctionList,
    ),
    Route(
        name="function-ids",
        method="GET",
        path="functions/ids",
        row="2.1#3",
        scopes=_READ,
        is_listing=True,
        queries=(_VISIBILITY,),
        answer=FunctionIds,
    ),
    Route(
        name="create-function",
        method="POST",
        path="functions",
        row="2.1#4",
        scopes=("register_function",),
        request=CreateFunctionRequest,
        answer=OneFunction,
    ),
    Route(
        name="create-version",
        method="POST",
        path="functions/{function}/versions",
        row="2.1#5",
        scopes=("register_function",),
        request=CreateFunctionRequest,
        answer=OneFunction,
    ),
    Route(
        name="list-versions",
        method="GET",
        path="functions/{function}/versions",
        row="2.1#6",
        scopes=_READ,
        answer=FunctionList,
    ),
    Route(
        name="read-version",
        method="GET",
        path=_VERSION,
        row="2.1#7",
        scopes=_READ,
        queries=(Query(name="includeSecrets", kind=QueryKind.FLAG),),
        answer=OneFunction,
    ),
    Route(
        name="delete-version",
        method="DELETE",
        path=_VERSION,
        row="2.1#8",
        scopes=("delete_function",),
    ),
    Route(
        name="metadata",
        method="PUT",
        path=_VERSION,
        row="2.1#9",
        scopes=("update_function",),
        request=UpdateFunctionRequest,
        answer=OneFunction,
    ),
    Route(
        name="metadata",
        method="PUT",
        path=f"metadata/{_VERSION}",
        row="2.1#9",
        scopes=("update_function",),
        request=UpdateFunctionRequest,
        answer=OneFunction,
    ),
    Route(
        name="secrets",
        method="PUT",
        path=f"secrets/{_VERSION}",
        row="2.1#16",
        scopes=("update_secrets",),
        request=SecretsRequest,
    ),
)

_DEPLOYMENTS = (
    Route(
        name="deploy",
        method="POST",
        path=_DEPLOYMENT,
        row="2.1#10",
        scopes=_DEPLOY,
        request=DeployRequest,
        answer=OneDeployment,
    ),
    Route(
        name="read-deployment",
        method="GET",
        path=_DEPLOYMENT,
        row="2.1#11",
        scopes=_DEPLOY,
        answer=OneDeployment,
    ),
    Route(
        name="update-deployment",
        method="PUT",
        path=_DEPLOYMENT,
        row="2.1#12",
        scopes=_DEPLOY,
        request=UpdateDeploymentRequest,
        answer=OneDeployment,
    ),
    Route(
        name="undeploy",
        method="DELETE",
        path=_DEPLOYMENT,
        row="2.1#13",
        scopes=_DEPLOY,
        queries=(Query(name="graceful", kind=QueryKind.FLAG),),
        answer=OneFunction,
    ),
    Route(
        name="find-deployment",
        method="GET",
        path="deployments/{deployment}",
        row="2.1#14",
        scopes=_DEPLOY,
        answer=OneDeployment,
    ),
    Route(
        name="update-specification",
        method="PATCH",
        path="deployments/{deployment}/gpu-specifications/{specification}",
        row="2.1#15",
        scopes=_DEPLOY,
        request=UpdateSpecificationRequest,
        answer=OneSpecification,
    ),
)

ROUTES = (
    *_INVENTORY,
    *_FUNCTIONS,
    *_DEPLOYMENTS,
    *RESOURCE_ROUTES,
    *FRONT_ROUTES,
    *ALLOCATOR_ROUTES,
)
