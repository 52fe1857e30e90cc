"""How many requests a plan costs, counted where they leave. Source: nvcf-api.md 7, refresh cost."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.emulator.serving import HOST, Emulator
from nvcfplan.plans import Plan
from nvcfplan.reports import Validity
from nvcfplan.workflows import check_saved_plan, has_changes
from tests.adapters.counted import (
    client_on,
    deploy_all,
    function,
    looking,
    planned,
    world,
)
from tests.adapters.fakes import run
from tests.budget import examples

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import DesiredFunction

LIST = "GET /v2/nvcf/functions"
GROUPS = "GET /v2/nvcf/clusterGroups"
PARTIES = "GET /v2/nvcf/authorizations/functions/*"
ROW = "GET /v2/nvcf/deployments/functions/*/versions/*"
VERSION = "GET /v2/nvcf/functions/*/versions/*"
LIMIT = "GET /v2/nvcf/accounts/nca-demo-0001"
CLUSTERS = "GET /v1/si/accounts/nca-demo-0001/clusters"
FRONT = {
    "GET /v2/orgs/demo/nvcf/functions": 1,
    "GET /v2/orgs/demo/nvcf/deployments": 1,
    "GET /v2/orgs/demo/nvcf/clusterGroups": 1,
}
VIEW = "GET /v3/orgs/demo/ngc/nvcf/deployments/instanceTypes"
QUOTAS = "GET /v2/orgs/demo/ngc/nvcf/gpu/quota/rules"
ONE_VERSION = "GET /v2/orgs/demo/nvcf/functions/*/versions/*"
NUMBERS = {CLUSTERS: 1, LIMIT: 1}


def sent_for(
    gpus: dict[str, int],
    live: Sequence[DesiredFunction],
    wanted: Sequence[DesiredFunction] | None = None,
    *,
    base_url: str | None = None,
) -> tuple[Plan, Counter[str]]:
    async def scenario() -> tuple[Plan, Counter[str]]:
        emulator = Emulator.open(None, world(gpus))
        await deploy_all(emulator, live)
        plan, sent = await planned(emulator, live if wanted is None else wanted, base_url=base_url)
        assert isinstance(plan, Plan), plan
        return plan, sent

    return run(scenario())


def many(count: int, **fields: bool) -> list[DesiredFunction]:
    return [function(number, cluster="a", **fields) for number in range(count)]


def test_a_service_refresh_costs_a_request_for_each_deployment_and_two_more() -> None:
    count = examples(1000)
    plan, sent = sent_for({"a": count}, many(count))
    assert not has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: count}


def test_managed_secrets_cost_one_more_request_a_version() -> None:
    plan, sent = sent_for({"a": 20}, [*many(4), function(4, cluster="a", has_secret=True)])
    assert not has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 5, VERSION: 1}


def test_managed_sharing_costs_one_more_request_a_function() -> None:
    shared = [function(number, cluster="a", is_shared=True) for number in range(4, 7)]
    plan, sent = sent_for({"a": 20}, [*many(4), *shared])
    assert not has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 7, PARTIES: 3}


def test_a_list_that_changes_is_read_no_more_than_once() -> None:
    """And the version that it stands with, in full, as of everything that changes."""
    live = [function(4, cluster="a", is_shared=True)]
    plan, sent = sent_for({"a": 20}, live, [replace(live[0], authorized_parties=("nca-b",))])
    assert has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 1, PARTIES: 1, VERSION: 1}


def test_a_pool_with_room_for_all_needs_no_version_read() -> None:
    live = many(6)
    plan, sent = sent_for({"a": 8}, live, [*live, function(6, cluster="a")])
    assert has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 6, **NUMBERS}


def test_versions_are_read_in_the_pools_that_may_bind_and_nowhere_else() -> None:
    """The last GPUs of `a` pass from one function to another; `b` has room for its newcomer."""
    tight = [function(number, cluster="a") for number in range(6)]
    roomy = [function(number, cluster="b") for number in range(6, 12)]
    newcomers = [function(20, cluster="a"), function(21, cluster="b")]
    plan, sent = sent_for({"a": 6, "b": 100}, [*tight, *roomy], [*tight[1:], *roomy, *newcomers])
    assert has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 12, VERSION: 6, **NUMBERS}


def test_what_changes_is_read_wherever_it_runs() -> None:
    live = many(6)
    config = replace(live[0].config, container_image="nvcr.io/acme/app:2")
    plan, sent = sent_for({"a": 100}, live, [replace(live[0], config=config), *live[1:]])
    assert has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 6, VERSION: 1, **NUMBERS}


def test_a_plan_that_takes_nothing_reads_no_numbers() -> None:
    live = many(6)
    plan, sent = sent_for({"a": 6}, live, live[1:])
    assert has_changes(plan)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 6, VERSION: 1}


def test_versions_that_nobody_read_are_counted_by_their_minima() -> None:
    live = many(6)
    plan, _ = sent_for({"a": 8}, live, [*live, function(6, cluster="a")])
    (pool,) = (one for one in plan.resources if one.id == "pool:a/H100")
    assert (pool.limit, pool.before, pool.ours) == (8, 6, 6)


def hosted(
    gpus: dict[str, int],
    live: Sequence[DesiredFunction],
    wanted: Sequence[DesiredFunction] | None = None,
) -> tuple[Plan, Counter[str]]:
    return sent_for(gpus, live, wanted, base_url=f"{HOST}/v2/orgs/demo/nvcf")


def test_a_hosted_refresh_costs_the_same_few_requests_however_many_are_deployed() -> None:
    count = examples(1000)
    plan, sent = hosted({"a": count}, many(count))
    assert not has_changes(plan)
    assert sent == FRONT
    assert sum(sent.values()) <= 4


def test_a_hosted_refresh_costs_one_more_request_for_each_shared_function() -> None:
    shared = [function(number, cluster="a", is_shared=True) for number in range(4, 7)]
    plan, sent = hosted({"a": 20}, [*many(4), *shared])
    assert not has_changes(plan)
    assert sent == {**FRONT, "GET /v2/orgs/demo/nvcf/authorizations/functions/*": 3}


def test_a_hosted_plan_that_takes_something_reads_capacity_and_quota_as_well() -> None:
    live = many(6)
    plan, sent = hosted({"a": 8}, live, [*live, function(6, cluster="a")])
    assert has_changes(plan)
    assert sent == {**FRONT, VIEW: 1, QUOTAS: 1}


def test_on_the_hosted_layout_too_only_what_may_bind_is_read_further() -> None:
    tight = [function(number, cluster="a") for number in range(6)]
    roomy = [function(number, cluster="b", has_secret=number == 6) for number in range(6, 12)]
    plan, sent = hosted(
        {"a": 6, "b": 100}, [*tight, *roomy], [*tight[1:], *roomy, function(20, cluster="a")]
    )
    assert has_changes(plan)
    assert sent == {**FRONT, VIEW: 1, QUOTAS: 1, ONE_VERSION: 7}


def test_regions_are_judged_by_one_more_reading() -> None:
    """clusterGroups does not tell them. Source: nvcf-api.md 2.2."""
    live = [in_region(function(number, cluster="a"), "us-west-2") for number in range(3)]
    plan, sent = hosted({"a": 8}, live)
    assert not has_changes(plan)
    assert sent == {**FRONT, VIEW: 1}


def in_region(one: DesiredFunction, region: str) -> DesiredFunction:
    (row,) = one.specifications
    specification = replace(row.specification, clusters=(), regions=(region,))
    return replace(one, specifications=(replace(row, specification=specification),))


def sent_before_applying(
    gpus: dict[str, int],
    live: Sequence[DesiredFunction],
    wanted: Sequence[DesiredFunction],
    *,
    base_url: str | None = None,
) -> Counter[str]:
    """By the look that tells whether a plan still holds."""

    async def scenario() -> Counter[str]:
        emulator = Emulator.open(None, world(gpus))
        await deploy_all(emulator, live)
        plan, _ = await planned(emulator, wanted, base_url=base_url)
        assert isinstance(plan, Plan), plan
        sent: Counter[str] = Counter()
        async with client_on(emulator, sent, base_url=base_url) as client:
            report = await check_saved_plan(plan, looking(client, emulator))
        assert report.standing is Validity.VALID
        return sent

    return run(scenario())


def test_the_look_before_applying_reads_in_full_what_the_plan_changes() -> None:
    live = many(6)
    sent = sent_before_applying({"a": 8}, live, [*live[1:], function(6, cluster="a")])
    assert sent == {LIST: 1, GROUPS: 1, ROW: 6, VERSION: 1, **NUMBERS}


def test_the_look_before_applying_reads_only_the_lists_of_what_changes() -> None:
    live = [function(number, cluster="a", is_shared=True) for number in range(3)]
    wanted = [replace(live[0], authorized_parties=("nca-b",)), *live[1:]]
    sent = sent_before_applying({"a": 8}, live, wanted)
    assert sent == {LIST: 1, GROUPS: 1, ROW: 3, PARTIES: 1, VERSION: 1}


def test_the_look_before_applying_reads_the_pools_that_may_bind() -> None:
    tight = [function(number, cluster="a") for number in range(6)]
    roomy = [function(number, cluster="b") for number in range(6, 12)]
    newcomer = function(20, cluster="a")
    gpus = {"a": 6, "b": 100}
    sent = sent_before_applying(gpus, [*tight, *roomy], [*tight[1:], *roomy, newcomer])
    assert sent == {LIST: 1, GROUPS: 1, ROW: 12, VERSION: 6, **NUMBERS}


def test_the_look_before_removing_needs_no_numbers() -> None:
    live = many(6)
    sent = sent_before_applying({"a": 6}, live, live[1:])
    assert sent == {LIST: 1, GROUPS: 1, ROW: 6, VERSION: 1}


def test_hosted_a_saved_plan_that_takes_nothing_is_checked_by_four_requests() -> None:
    live = many(6)
    sent = sent_before_applying({"a": 6}, live, live[1:], base_url=f"{HOST}/v2/orgs/demo/nvcf")
    assert sent == {**FRONT, ONE_VERSION: 1}
    assert sum(sent.values()) <= 4


def test_hosted_the_numbers_it_was_proved_by_are_read_as_well() -> None:
    live = many(6)
    wanted = [*live, function(6, cluster="a")]
    sent = sent_before_applying({"a": 8}, live, wanted, base_url=f"{HOST}/v2/orgs/demo/nvcf")
    assert sent == {**FRONT, VIEW: 1, QUOTAS: 1}
