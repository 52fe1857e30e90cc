"""What the emulated API consists of: each route, where it stands, who may call it, what it carries.

`targets` finds a request's route in it, `routes` its handler, `faults` the words a fault may name,
`auth` the scopes asked for. Source: nvcf-api.md 1.1, 1.2, 2.1 to 2.8.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nvcfplan.wire.accounts import (
    AccountAnswer,
    AllocatorClusterList,
    ClusterGroupList,
    QuotaRules,
)
from nvcfplan.wire.deployments import (
    DeployRequest,
    OneDeployment,
    OneSpecification,
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
from nvcfplan.wire.protocol import Answer, Request


class Layout(StrEnum):
    """`SERVICE`: a path below each prefix of the API. `ROOT`: one absolute path."""

    SERVICE = "service"
    ROOT = "root"


PREFIXES = (
    "/v2/nvcf",
    "/v2/orgs/{org}/nvcf",
    "/v2/orgs/{org}/teams/{team}/nvcf",
    "/v2/nvcf/accounts/{account}",
)
"""Where a SERVICE path stands: service, org, team, and the super-admin's mirror of an account."""

UUIDS = frozenset({"function", "version", "deployment", "specification", "telemetry", "credential"})
"""The path parameters that are UUIDs; the others are any text without a slash."""


class QueryKind(StrEnum):
    """`WORDS`: several, joined by commas or by repeating the parameter."""

    TEXT = "text"
    FLAG = "flag"
    WORDS = "words"


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """An optional query parameter; `choices` empty: any value."""

    name: str
    kind: QueryKind = QueryKind.TEXT
    choices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`name`: the word of faults and handlers; an alias is a second route of the same name.

    `path`: a template such as `functions/{function}/versions`, below a prefix or absolute.
    `scopes`: one of them is enough; empty: nobody is asked who he is. `request` None: no body is
    read. `answer` None: 204. `row`: where nvcf-api.md has it.
    """

    name: str
    method: str
    path: str
    row: str
    scopes: tuple[str, ...]
    layout: Layout = Layout.SERVICE
    queries: tuple[Query, ...] = ()
    request: type[Request] | None = None
    answer: type[Answer] | None = None


def templates(route: Route) -> tuple[str, ...]:
    """Every absolute path of the route."""
    if route.layout is Layout.ROOT:
        return (route.path,)
    return tuple(f"{prefix}/{route.path}" for prefix in PREFIXES)


def words() -> tuple[str, ...]:
    """The names of the routes, each once."""
    return tuple(dict.fromkeys(route.name for route in ROUTES))


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
        queries=(_VISIBILITY,),
        answer=FunctionList,
    ),
    Route(
        name="function-ids",
        method="GET",
        path="functions/ids",
        row="2.1#3",
        scopes=_READ,
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
        request=DeployRequest,
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

_ACCOUNT = (
    Route(
        name="account",
        method="GET",
        path="/v2/nvcf/accounts/{account}",
        layout=Layout.ROOT,
        row="2.8",
        scopes=("admin:account_details",),
        answer=AccountAnswer,
    ),
    Route(
        name="capacity",
        method="GET",
        path="/v1/si/accounts/{account}/clusters",
        layout=Layout.ROOT,
        row="2.3",
        scopes=("admin:clusters",),
        answer=AllocatorClusterList,
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
        name="quota",
        method="GET",
        path="/v2/orgs/{org}/teams/{team}/ngc/nvcf/gpu/quota/rules",
        layout=Layout.ROOT,
        row="2.3",
        scopes=("read_gpu_quota_rule",),
        answer=QuotaRules,
    ),
)

ROUTES = (*_INVENTORY, *_FUNCTIONS, *_DEPLOYMENTS, *_ACCOUNT)
