"""Groups and allocator put together: what may be asked for, where it is, how much is free."""

from __future__ import annotations

from nvcfplan.adapters.nvcf.inventory import merged, quotas_of, twice_named
from nvcfplan.model import Cluster, ClusterGroup, GpuCountSource, InstanceType, Pool, PoolId
from nvcfplan.wire.accounts import (
    AllocatorCluster,
    ClusterGroupAnswer,
    ClusterGroupList,
    QuotaRules,
)
from tests.adapters.fakes import payload


def group(name: str, clusters: list[str], **types: list[str]) -> ClusterGroupAnswer:
    return ClusterGroupAnswer.model_validate(
        {
            "name": name,
            "clusters": [{"name": one} for one in clusters],
            "gpus": [
                {"name": gpu, "instanceTypes": [{"name": one} for one in names]}
                for gpu, names in types.items()
            ],
        }
    )


def cluster(name: str, **fields: object) -> AllocatorCluster:
    base: dict[str, object] = {
        "clusterName": name,
        "clusterGroupName": "G",
        "status": "READY",
        "region": "r1",
        "gpus": [
            {"name": "H100", "capacity": 8, "instanceTypes": [{"name": "t_2x", "gpuCount": 2}]}
        ],
        "gpuUsage": {"H100": {"available": 5, "capacity": 8, "allocated": 3}},
    }
    return AllocatorCluster.model_validate({**base, **fields})


def only_pool(found: tuple[Cluster, ...] | None) -> Pool:
    assert found is not None
    ((pool,),) = (one.pools for one in found)
    return pool


def test_groups_alone_tell_names_but_neither_place_nor_room() -> None:
    answer = ClusterGroupList.model_validate(payload("clusterGroups.json"))
    groups, clusters = merged(answer.cluster_groups, None)
    assert groups is not None
    assert clusters is not None
    assert [one.name for one in groups] == sorted(one.name for one in groups)
    gcp = next(one for one in groups if one.name == "GCP-ASIASE1-A")
    assert [one.name for one in gcp.gpus[0].instance_types] == [
        "a3-highgpu-8g_1x",
        "a3-highgpu-8g_2x",
        "a3-highgpu-8g_4x",
        "a3-highgpu-8g_8x",
    ]
    assert gcp.gpus[0].instance_types[0].is_default
    azure = next(one for one in clusters if one.name == "nvcf-azure-westus2-2")
    assert (azure.groups, azure.region, azure.attributes) == (("AZURE-WESTUS2",), None, None)
    assert azure.pools[0].capacity is azure.pools[0].available is None


def test_gpus_per_instance_come_from_the_allocator_before_the_name() -> None:
    groups, _ = merged([group("G", ["c"], H100=["t_2x", "t_4x", "plain"])], [cluster("c")])
    assert groups is not None
    assert groups[0].gpus[0].instance_types == (
        InstanceType(name="plain", gpu_count=None, gpu_count_source=GpuCountSource.UNKNOWN),
        InstanceType(name="t_2x", gpu_count=2, gpu_count_source=GpuCountSource.ALLOCATOR),
        InstanceType(name="t_4x", gpu_count=4, gpu_count_source=GpuCountSource.SUFFIX),
    )


def test_clusters_that_disagree_on_gpus_per_instance_leave_them_unknown() -> None:
    gpus = [{"name": "H100", "instanceTypes": [{"name": "t_2x", "gpuCount": 4}]}]
    groups, _ = merged([group("G", ["c"], H100=["t_2x"])], [cluster("c"), cluster("d", gpus=gpus)])
    assert groups is not None
    (found,) = groups[0].gpus[0].instance_types
    assert (found.gpu_count, found.gpu_count_source) == (None, GpuCountSource.UNKNOWN)


def test_a_suffix_counts_only_at_the_end_and_never_as_nothing() -> None:
    names = ["gl40_1.br20_2xlarge", "a_0x", "a_16X"]
    groups, _ = merged([group("G", ["c"], L40=names)], None)
    assert groups is not None
    found = {one.name: one.gpu_count for one in groups[0].gpus[0].instance_types}
    assert found == {"gl40_1.br20_2xlarge": None, "a_0x": None, "a_16X": 16}


def test_the_allocator_adds_place_and_room() -> None:
    extra = {"attributes": ["SOC2"], "customAttributes": ["HIPAA", "SOC2"]}
    _, clusters = merged([group("G2", ["c"], H100=["t_2x"])], [cluster("c", **extra)])
    assert clusters is not None
    assert clusters[0].groups == ("G", "G2")
    assert clusters[0].region == "r1"
    assert clusters[0].attributes == ("HIPAA", "SOC2")
    pool = only_pool(clusters)
    assert (pool.id, pool.capacity, pool.available) == (PoolId("c", "H100"), 8, 5)


def test_capacity_without_usage_leaves_the_room_unknown() -> None:
    _, clusters = merged(None, [cluster("c", gpuUsage={})])
    pool = only_pool(clusters)
    assert (pool.capacity, pool.available) == (8, None)


def test_a_pool_that_names_no_types_offers_those_of_its_group() -> None:
    bare = cluster("c", gpus=[{"name": "H100", "capacity": 8}])
    _, clusters = merged([group("G", ["c"], H100=["t_2x"])], [bare])
    assert [one.name for one in only_pool(clusters).instance_types] == ["t_2x"]


def test_clusters_that_are_not_ready_are_in_neither_list() -> None:
    rows = [cluster("up"), cluster("down", status="CORDON")]
    groups, clusters = merged([group("G", ["up", "down"], H100=["t_2x"])], rows)
    assert clusters is not None
    assert groups is not None
    assert [one.name for one in clusters] == ["up"]
    assert groups[0].clusters == ("up",)


def test_a_cluster_that_only_its_group_knows_stays_with_unknown_room() -> None:
    _, clusters = merged([group("G", ["a", "b"], H100=["t_2x"])], [cluster("a")])
    assert clusters is not None
    assert [(one.name, one.region, one.pools[0].capacity) for one in clusters] == [
        ("a", "r1", 8),
        ("b", None, None),
    ]


def test_nothing_read_is_not_the_same_as_nothing_there() -> None:
    assert merged(None, None) == (None, None)
    assert merged([], None) == ((), ())
    empty = ClusterGroup(name="G", clusters=(), gpus=())
    assert merged([ClusterGroupAnswer(name="G")], []) == ((empty,), ())


def test_two_usable_clusters_of_one_name_are_told_apart_from_a_dead_one() -> None:
    assert twice_named([cluster("a"), cluster("a"), cluster("b")]) == ("a",)
    assert twice_named([cluster("a"), cluster("a", status="DELETED")]) == ()


def test_a_quota_rule_may_name_several_and_null_means_no_limit() -> None:
    rules = QuotaRules.model_validate(
        {
            "gpus": [
                {"name": "L40", "clusters": None},
                {"name": "H100", "clusters": [{"names": "b, a,", "limit": 8}]},
            ]
        }
    )
    (quota,) = quotas_of(rules)
    assert (quota.gpu, quota.names, quota.limit) == ("H100", ("a", "b"), 8)
