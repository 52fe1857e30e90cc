"""What is refused because it is not offered, and what is only listed as a risk."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvcfplan.checks import check_plan, require
from nvcfplan.diagnostics import Severity, has_errors
from nvcfplan.model import Account, GpuCountSource, GpuSpecification, Readable, Unread
from nvcfplan.plans import Plan
from tests.planning.builders import account, cluster, plan, specification, wanted


def checked(one: GpuSpecification, where: Account) -> Plan:
    result = check_plan(plan([wanted("chat", one)], where), where)
    return result if isinstance(result, Plan) else result.plan


def codes(result: Plan) -> list[str]:
    return [one.code for one in result.diagnostics]


@pytest.mark.parametrize(
    ("change", "code", "near"),
    [
        ({"gpu": "H10O"}, "unknown-gpu", "H100"),
        ({"instance_type": "type_3x"}, "unknown-instance-type", "type_"),
        ({"backend": "grup", "clusters": ()}, "unknown-backend", "group"),
        ({"clusters": ("aa",)}, "unknown-cluster", "a"),
        ({"regions": ("here", "ther")}, "unknown-region", ""),
        ({"attributes": ("SOC2",)}, "unknown-attribute", ""),
    ],
)
def test_what_is_not_offered_is_an_error_with_the_nearest_names(
    change: dict[str, object], code: str, near: str
) -> None:
    where = account(cluster("a", group="group"), cluster("b", group="group"))
    result = checked(replace(specification(), **change), where)  # type: ignore[arg-type]  # names are checked by replace
    found = {one.code: one for one in result.diagnostics}
    assert code in found
    assert near in found[code].remedy
    assert result.steps == ()


def test_an_account_without_clusters_offers_nothing() -> None:
    assert "no-clusters" in codes(checked(specification(), account()))


def test_words_that_no_single_cluster_has_together_are_an_error() -> None:
    where = account(
        replace(cluster("a"), attributes=("SOC2",)), replace(cluster("b"), attributes=("HIPAA",))
    )
    both = replace(specification(clusters=()), attributes=("HIPAA", "SOC2"))
    assert "no-cluster-matches" in codes(checked(both, where))


def test_an_unreadable_inventory_is_not_checked_and_no_error() -> None:
    unread = Unread(
        what=Readable.INVENTORY, source="GET /clusterGroups", reason="403", remedy="ask for it"
    )
    blind = replace(account(), clusters=None, groups=None, unread=(unread,))
    result = checked(specification(), blind)
    assert "inventory-not-checked" in codes(result)
    assert not has_errors(result.diagnostics)


def test_node_packing_is_said_once_and_never_an_error() -> None:
    result = checked(specification(gpus=4), account(cluster("a")))
    assert codes(result) == ["node-packing"]


def test_what_is_required_turns_doubt_into_an_error() -> None:
    guessed = account(cluster("a", source=GpuCountSource.SUFFIX))
    result = checked(specification(), guessed)
    strict = require(result, frozenset({"capacity"}))
    assert [(one.code, one.severity) for one in strict.diagnostics] == [
        ("gpu-count-guessed", Severity.ERROR)
    ]
    assert strict.steps == ()
    assert require(result, frozenset({"quota"})) == result


def test_what_no_reading_could_settle_is_never_required() -> None:
    result = checked(specification(gpus=4), account(cluster("a")))
    assert require(result, frozenset({"capacity", "inventory", "quota"})).steps == result.steps


def test_an_inventory_that_is_read_and_empty_offers_nothing() -> None:
    """Even where the allocator still shows clusters: the service deploys by the inventory."""
    empty = replace(account(cluster("a")), groups=())
    assert "no-clusters" in codes(checked(specification(), empty))


def test_maxima_that_cannot_all_be_reached_are_a_risk_beside_the_proof() -> None:
    result = checked(specification(low=1, high=9), account(cluster("a", gpus=8)))
    assert codes(result) == ["autoscaling-may-not-fit"]
    assert not has_errors(result.diagnostics)


def test_an_instance_of_unknown_size_is_said_not_to_be_checked() -> None:
    sized = cluster("a")
    (pool,) = sized.pools
    unsized = tuple(
        replace(one, gpu_count=None, gpu_count_source=GpuCountSource.UNKNOWN)
        for one in pool.instance_types
    )
    where = account(replace(sized, pools=(replace(pool, instance_types=unsized),)))
    result = checked(specification(), where)
    assert "capacity-not-checked" in codes(result)
    assert not has_errors(result.diagnostics)
