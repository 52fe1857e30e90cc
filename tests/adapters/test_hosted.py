"""The NGC front's own views: one answer for many, and what is done where it does not come."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2
import pytest

from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.emulator.defaults import DEFAULT_WORLD
from nvcfplan.emulator.rules import QuotaRule, WorldFile
from nvcfplan.emulator.serving import HOST, Emulator
from nvcfplan.errors import RemoteUnavailable, Unauthorized
from nvcfplan.model import (
    Account,
    Cluster,
    FunctionId,
    GpuCountSource,
    InstanceType,
    LiveDeployment,
    PoolId,
    Readable,
    VersionId,
)
from tests.adapters.counted import client_on
from tests.adapters.fakes import Script, answer, client_of, payload, problem, run

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BASE = "http://nvcf.test/v2/orgs/demo/nvcf"
ROOT = "/v2/orgs/demo/nvcf"
ALL = f"GET {ROOT}/deployments"
GROUPS = f"GET {ROOT}/clusterGroups"
VIEW = "GET /v3/orgs/demo/ngc/nvcf/deployments/instanceTypes"
BROUGHT = "GET /v2/orgs/demo/sis/clusters"
QUOTAS = "GET /v2/orgs/demo/ngc/nvcf/gpu/quota/rules"
F = FunctionId("f1")
Answers = dict[str, "Sequence[httpx2.Response | Exception]"]


def row(version: str, status: str = "ACTIVE") -> dict[str, object]:
    return {
        "functionId": F,
        "functionVersionId": version,
        "deploymentId": f"d-{version}",
        "functionStatus": status,
        "deploymentSpecifications": [],
    }


def one(version: str) -> str:
    return f"GET {ROOT}/deployments/functions/{F}/versions/{version}"


def deployments_of(
    answers: Answers, *versions: str
) -> tuple[Mapping[VersionId, LiveDeployment], Script]:
    script = Script(answers)

    async def read() -> Mapping[VersionId, LiveDeployment]:
        async with client_of(script, base_url=BASE) as client:
            return await NvcfReader(client).deployments([(F, VersionId(v)) for v in versions])

    return run(read()), script


def account_of(answers: Answers, *wanted: Readable) -> tuple[Account, Script]:
    script = Script(answers)

    async def read() -> Account:
        async with client_of(script, base_url=BASE, nca_id="nca-demo-0001") as client:
            return await NvcfReader(client).account(wanted or tuple(Readable))

    return run(read()), script


def test_all_deployments_come_in_one_request() -> None:
    found, script = deployments_of(
        {ALL: [answer({"deployments": [row("v1"), row("v2"), row("other")]})]}, "v1", "v2"
    )
    assert found.keys() == {"v1", "v2", "other"}
    assert script.routes == [ALL]


def test_a_version_that_the_whole_list_does_not_show_is_asked_for_itself() -> None:
    """A row that drains is INACTIVE, and those are not listed."""
    found, script = deployments_of(
        {
            ALL: [answer({"deployments": [row("v1")]})],
            one("v2"): [answer({"deployment": row("v2", "INACTIVE")})],
        },
        "v1",
        "v2",
    )
    assert found.keys() == {"v1", "v2"}
    assert script.routes == [ALL, one("v2")]


@pytest.mark.parametrize(
    "refusal",
    [
        problem(403, "Access Denied"),
        problem(404, "Not found"),
        problem(405, "no"),
        httpx2.Response(404, content=b"<html>nothing here"),
        answer({"deployments": {"v1": {}}}),
        answer([]),
        answer({"deployments": [{"functionId": "f1"}]}),
        httpx2.Response(200, content=b"gpus: []"),
    ],
)
def test_where_the_whole_list_is_not_to_be_had_each_is_read_by_itself(
    refusal: httpx2.Response,
) -> None:
    found, script = deployments_of(
        {
            ALL: [refusal],
            one("v1"): [answer({"deployment": row("v1")})],
            one("v2"): [problem(404, "Deployment not found")],
        },
        "v1",
        "v2",
    )
    assert found.keys() == {"v1"}
    assert script.routes == [ALL, one("v1"), one("v2")]


@pytest.mark.parametrize(
    ("refusal", "kind"),
    [(problem(401, "no"), Unauthorized), (problem(503, "x"), RemoteUnavailable)],
)
def test_a_service_in_trouble_is_not_asked_a_thousand_times_instead(
    refusal: httpx2.Response, kind: type[Exception]
) -> None:
    with pytest.raises(kind):
        deployments_of({ALL: [refusal]}, "v1", "v2")


def test_nothing_is_asked_where_nothing_is_wanted() -> None:
    _, script = deployments_of({})
    assert script.routes == []


def readings(**changed: httpx2.Response) -> Answers:
    base = {
        "groups": answer(payload("clusterGroups.json")),
        "view": answer(payload("gpu-capacity-instanceTypes.json")),
        "brought": problem(404, "nothing"),
        "quotas": answer(payload("gpu-quota-rules.json")),
        **changed,
    }
    routes = {"groups": GROUPS, "view": VIEW, "brought": BROUGHT, "quotas": QUOTAS}
    return {routes[name]: [found] for name, found in base.items()}


def cluster(account: Account, name: str) -> Cluster:
    return next(found for found in account.clusters or () if found.name == name)


def test_the_capacity_view_shows_region_and_room_of_what_the_groups_list() -> None:
    account, script = account_of(readings())
    assert sorted(script.routes) == sorted([GROUPS, VIEW, QUOTAS])
    gcp = cluster(account, "nvcf-gcp-prod-asiase1-a")
    assert (gcp.region, gcp.groups, gcp.attributes) == ("ap-east-1", ("GCP-ASIASE1-A",), None)
    (pool,) = gcp.pools
    assert (pool.id, pool.available, pool.capacity) == (PoolId(gcp.name, "H100"), 6, 8)
    assert {one.what: one.source for one in account.taken} == {
        "inventory": GROUPS,
        "capacity": VIEW,
        "quota": QUOTAS,
    }


def test_the_version_limit_is_asked_of_no_hosted_service() -> None:
    account, _ = account_of(readings(), Readable.VERSION_LIMIT)
    (unread,) = account.unread
    assert unread.what is Readable.VERSION_LIMIT
    assert "administrators" in unread.reason


def test_without_groups_the_view_is_the_inventory_and_groups_are_not_known() -> None:
    account, _ = account_of(readings(groups=problem(403, "Access Denied")), Readable.INVENTORY)
    assert account.groups is None
    assert {one.what for one in account.taken} == {"inventory", "capacity"}
    assert account.unread == ()
    assert cluster(account, "nvcf-gcp-prod-asiase1-a").groups is None


def test_with_neither_the_missing_scope_is_named() -> None:
    denied = problem(403, "Access Denied")
    account, script = account_of(readings(groups=denied, view=denied))
    assert account.clusters is None
    assert {one.what: one.remedy for one in account.unread} == {
        "inventory": "give the key the scope list_cluster_groups (a self-hosted service grants it "
        "to JWTs only), or use one that has it",
        "capacity": 'give the key "GPU Capacity" on the entity type All, or use one that has it',
        "version-limit": "nothing to do: the service itself tests the limit",
    }
    assert BROUGHT not in script.routes


def test_clusters_that_the_organisation_brought_add_to_the_groups_where_there_is_no_view() -> None:
    brought = [
        {
            "clusterName": "byoc-cluster-1",
            "clusterGroupName": "byoc-lab",
            "status": "READY",
            "region": "us-west-2",
            "gpus": [{"name": "L40S", "capacity": 8}],
            "gpuUsage": {"L40S": {"available": 3, "capacity": 8, "allocated": 5}},
        }
    ]
    account, _ = account_of(readings(view=problem(404, "no"), brought=answer(brought)))
    byoc, gcp = cluster(account, "byoc-cluster-1"), cluster(account, "nvcf-gcp-prod-asiase1-a")
    assert [(pool.available, pool.capacity) for pool in byoc.pools] == [(3, 8)]
    assert [(pool.available, pool.capacity) for pool in gcp.pools] == [(None, None)]
    assert next(one.source for one in account.taken if one.what == "capacity") == BROUGHT


@pytest.mark.parametrize(
    "strange",
    [
        answer([]),
        answer({"H100": {}}),
        answer({"H100": [{"regions": []}]}),
        answer({"H100": [{"instanceName": "t_1x", "regions": [{"clusters": [{"usage": 3}]}]}]}),
        answer("closed"),
        httpx2.Response(200, content=b"H100:\n- instanceName: t_1x\n"),
        httpx2.Response(200),
    ],
)
def test_a_view_of_a_shape_that_nobody_knows_is_not_checked(strange: httpx2.Response) -> None:
    account, _ = account_of(readings(view=strange), Readable.INVENTORY, Readable.CAPACITY)
    (unread,) = account.unread
    assert (unread.what, unread.source) == (Readable.CAPACITY, VIEW)
    assert account.groups is not None


def types_of(*usages: Mapping[str, int], name: str = "t_4x") -> InstanceType:
    """Of one type that stands on one cluster per usage."""
    clusters = [{"clusterName": f"c{n}", "usage": usage} for n, usage in enumerate(usages)]
    view = {"H100": [{"instanceName": name, "regions": [{"clusters": clusters}]}]}
    account, _ = account_of(readings(groups=answer({"clusterGroups": []}), view=answer(view)))
    return (account.clusters or ())[0].pools[0].instance_types[0]


def free(gpus: int, instances: int) -> dict[str, int]:
    return {
        "availableGpus": gpus,
        "availableInstances": instances,
        "activeGpus": 0,
        "activeInstances": 0,
    }


def active(gpus: int, instances: int) -> dict[str, int]:
    return {
        "availableGpus": 0,
        "availableInstances": 0,
        "activeGpus": gpus,
        "activeInstances": instances,
    }


@pytest.mark.parametrize(
    ("usages", "name", "count", "source"),
    [
        ((active(8, 4),), "odd", 2, GpuCountSource.VIEW),
        ((free(6, 3),), "odd", 2, GpuCountSource.VIEW),
        ((free(9, 2), free(8, 2)), "odd", 4, GpuCountSource.VIEW),
        ((free(8, 1),), "t_8x", 8, GpuCountSource.VIEW),
        ((free(8, 1),), "odd", None, GpuCountSource.UNKNOWN),
        ((free(8, 1),), "t_2x", None, GpuCountSource.UNKNOWN),
        ((active(8, 4), active(8, 2)), "t_2x", None, GpuCountSource.UNKNOWN),
        ((active(7, 2),), "t_2x", None, GpuCountSource.UNKNOWN),
        ((free(3, 0),), "t_4x", 4, GpuCountSource.SUFFIX),
        ((free(0, 0),), "odd", None, GpuCountSource.UNKNOWN),
    ],
)
def test_gpus_of_an_instance_are_read_off_the_view_only_where_its_numbers_agree(
    usages: tuple[dict[str, int], ...], name: str, count: int | None, source: GpuCountSource
) -> None:
    found = types_of(*usages, name=name)
    assert (found.gpu_count, found.gpu_count_source) == (count, source)


def test_free_gpus_told_in_two_ways_are_not_known() -> None:
    kinds = [
        {"instanceName": name, "regions": [{"clusters": [{"clusterName": "c", "usage": usage}]}]}
        for name, usage in (("t_1x", free(4, 4)), ("t_2x", free(6, 3)))
    ]
    account, _ = account_of(readings(view=answer({"H100": kinds})))
    (pool,) = cluster(account, "c").pools
    assert (pool.available, pool.capacity) == (None, None)


LIMITED = replace(DEFAULT_WORLD, quotas=(QuotaRule(gpu="H100", names=("GCP-ASIASE1-A",), limit=8),))


def emulated(world: WorldFile = LIMITED) -> Account:
    """The account as the hosted layout of such an emulator shows it."""

    async def read() -> Account:
        emulator = Emulator.open(None, world)
        base_url = f"{HOST}/v2/orgs/{emulator.org}/nvcf"
        async with client_on(emulator, Counter(), base_url=base_url) as client:
            return await NvcfReader(client).account()

    return run(read())


def test_the_emulators_front_is_read_whole() -> None:
    account = emulated()
    assert {one.what for one in account.taken} == {"inventory", "capacity", "quota"}
    gcp = cluster(account, "nvcf-gcp-prod-asiase1-a")
    assert (gcp.region, gcp.groups) == ("ap-east-1", ("GCP-ASIASE1-A",))
    assert [(pool.available, pool.capacity) for pool in gcp.pools] == [(8, 8)]
    assert {one.gpu_count for one in gcp.pools[0].instance_types} == {1, 2, 4, 8}


def test_quota_rules_never_come_as_yaml_because_json_is_asked_for() -> None:
    account = emulated(replace(LIMITED, quota_as_yaml=True))
    assert [(one.gpu, one.names, one.limit) for one in account.quotas or ()] == [
        ("H100", ("GCP-ASIASE1-A",), 8)
    ]


def test_an_inventory_that_cannot_be_read_is_taken_from_the_view() -> None:
    account = emulated(replace(LIMITED, unreadable=(("inventory", 502),)))
    assert account.groups is None
    assert "inventory" in {one.what for one in account.taken}
    assert len(account.clusters or ()) == 7
