"""What the NGC front and the service say of callers, orgs, logs and the use of GPUs.

Source: nvcf-api.md 1.1, 2.3, 2.8; SDK `ngcbase/api/authentication.py`, `nvcf/api`.
"""

from __future__ import annotations

from pydantic import Field, RootModel

from nvcfplan.wire.accounts import AccountAnswer
from nvcfplan.wire.capacity_view import ViewInstanceType
from nvcfplan.wire.functions import InstanceAnswer
from nvcfplan.wire.protocol import SENT_AS_NULL, Answer, Request


class CapacityByGpu(RootModel[dict[str, list[ViewInstanceType]]]):
    """GET `/v3/orgs/{org}/ngc/nvcf/deployments/instanceTypes` is this map itself."""


class OneAccount(Answer):
    """GET `/v2/nvcf/accounts/{ncaId}`."""

    account: AccountAnswer


class AccountList(Answer):
    """GET `/v2/nvcf/accounts`."""

    cloud_accounts: list[AccountAnswer]


class GpuPlacement(Answer):
    cluster_id: str
    cluster: str
    cluster_group_id: str | None = None
    cluster_group: str | None = None
    cloud_provider: str | None = None
    region: str | None = None
    current_max_usage: int
    current_min_usage: int


class GpuUse(Answer):
    """Sums of `maxInstances` and `minInstances`, in all and where each specification may land."""

    gpu: str
    instance_type: str
    current_max_usage: int
    current_min_usage: int
    placements: list[GpuPlacement]


class GpuUseList(Answer):
    """GET `/v2/nvcf/accounts/{ncaId}/usage/gpus`."""

    gpus: list[GpuUse]


class InstanceList(Answer):
    """GET `/v2/orgs/{org}/skyway/instances/functions/{f}/versions/{v}`."""

    instances: list[InstanceAnswer]


class ClusterVersions(Answer):
    versions: list[str]


class TokenAnswer(Answer):
    """GET `/token`; unlike the rest not in camel case."""

    token: str
    expires_in: int = Field(alias="expires_in")


class NamedOrg(Answer):
    id: int | None = Field(default=None, json_schema_extra=SENT_AS_NULL)
    name: str


class CallerRole(Answer):
    org: NamedOrg
    org_roles: list[str]
    team: NamedOrg | None = Field(default=None, json_schema_extra=SENT_AS_NULL)


class Caller(Answer):
    name: str
    roles: list[CallerRole]


class CallerKey(Answer):
    """POST or GET `/v3/keys/get-caller-info`; `user` only of a personal key."""

    type: str
    org_name: str
    user: Caller | None = None


class Organization(Answer):
    id: int
    name: str
    display_name: str
    type: str


class Pagination(Answer):
    index: int
    size: int
    total_pages: int
    total_results: int


class SuccessStatus(Answer):
    status_code: str = "SUCCESS"


class OrganizationList(Answer):
    """GET `/v2/orgs`."""

    organizations: list[Organization]
    pagination_info: Pagination
    request_status: SuccessStatus


class LogParameter(Request):
    name: str
    value: object = None


class LogQuery(Request):
    parameters: list[LogParameter] | None = None


class LogPageNumbers(Answer):
    page: int
    total_pages: int


class LogPage(Answer):
    """POST `logs/functions/...`, and GET `logs/{jobId}` for the pages after the first."""

    job_id: str
    metadata: LogPageNumbers
    data: list[dict[str, object]]


class Health(Answer):
    """`speed`: virtual seconds per second; absent where time is virtual alone."""

    status: str
    emulator: bool
    speed: float | None = None


class ServiceVersion(Answer):
    name: str
    version: str


class ApiDocument(Answer):
    """GET `/v3/openapi`: OpenAPI 3.1."""

    openapi: str
    info: dict[str, object]
    paths: dict[str, object]
    components: dict[str, object]
