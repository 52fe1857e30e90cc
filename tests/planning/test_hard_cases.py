"""Cases in which an easy reading of what runs, or of what is wanted, would be wrong."""

from __future__ import annotations

from dataclasses import replace

from nvcfplan.differences import match_specifications
from nvcfplan.model import (
    AccountIdentity,
    DesiredFunction,
    DesiredSpecification,
    FunctionId,
    Json,
    LiveFunction,
    ManagedFunction,
    Quota,
    RateLimit,
    SecretOrigin,
    SecretReference,
    State,
    Status,
    UpdateOrder,
    VersionId,
    VersionLimit,
)
from nvcfplan.planning import PlanOptions
from nvcfplan.plans import Action, Infeasible, Means, Order, Plan
from nvcfplan.proving import prove
from tests.planning.builders import (
    ENVIRONMENT,
    STACK,
    account,
    cluster,
    feasible,
    plan,
    running,
    specification,
    step_names,
    wanted,
)
from tests.planning.test_order import codes, edges


def state_of(*functions: DesiredFunction) -> State:
    return State(
        lineage="lineage",
        serial=1,
        account=AccountIdentity(endpoint="e", org=None, nca_id=None),
        stack=STACK,
        environment=ENVIRONMENT,
        secret_key="00",
        functions=tuple(
            ManagedFunction(
                key=one.key,
                function_id=FunctionId(f"f-{one.key}"),
                version_id=VersionId(f"v1-{one.key}"),
                applied=one,
            )
            for one in functions
        ),
    )


def located(live: LiveFunction, *places: str) -> LiveFunction:
    """The instances of the one version, moved to these clusters in their order."""
    (version,) = live.versions
    instances = tuple(
        replace(one, location=place)
        for one, place in zip(version.instances or (), places, strict=True)
    )
    return replace(live, versions=(replace(version, instances=instances),))


def with_managed(function: DesiredFunction, key: str, **fields: object) -> DesiredFunction:
    """One specification with these fields stated as well."""
    specifications = tuple(
        replace(
            one,
            specification=replace(one.specification, **fields),  # type: ignore[arg-type]  # names are checked by replace
            managed=tuple(sorted({*one.managed, *fields})),
        )
        if one.key == key
        else one
        for one in function.specifications
    )
    return replace(function, specifications=specifications)


def taken(result: Plan, step: str) -> dict[str, int]:
    found = next(one for one in result.steps if one.id == step)
    return {one.resource: one.units for one in found.acquire}


def two_groups(x: tuple[int, int], y: tuple[int, int]) -> DesiredFunction:
    return wanted(
        "chat",
        specification("x", low=x[0], high=x[1], clusters=("a",)),
        specification("y", low=y[0], high=y[1], clusters=("b",)),
    )


def test_instances_of_another_specification_of_the_same_type_do_not_count_as_its_own() -> None:
    """x has 2 on a, y has 4 on b: raising x to 4 takes 2 more of a, whatever runs on b."""
    live = running(two_groups((2, 4), (4, 4)))
    full = account(cluster("a", gpus=2, free=0), cluster("b", gpus=4, free=0))
    result = plan([two_groups((4, 4), (4, 4))], full, [live])
    assert isinstance(result, Infeasible)
    assert [(one.resource, one.missing) for one in result.shortages] == [("pool:a/H100", 2)]


def test_lowering_max_gives_only_what_runs_above_it_there() -> None:
    live = running(two_groups((2, 4), (4, 4)))
    roomy = account(cluster("a", gpus=2, free=0), cluster("b", gpus=4, free=0))
    result = feasible(plan([two_groups((2, 2), (4, 4))], roomy, [live]))
    assert [step.release for step in result.steps if step.release] == []


def test_rows_that_cannot_be_told_apart_give_only_what_neither_may_keep() -> None:
    def twins(x: int, y: int) -> DesiredFunction:
        return wanted("chat", specification("x", low=x, high=x), specification("y", low=y, high=y))

    live = running(twins(3, 3))
    result = feasible(plan([twins(2, 3)], account(cluster("a", gpus=6, free=0)), [live]))
    assert [
        [(one.resource, one.units) for one in step.release] for step in result.steps if step.release
    ] == [[("pool:a/H100", 1)]]


def test_what_is_missing_below_a_minimum_is_held_where_it_will_land() -> None:
    live = located(
        running(two_groups((2, 2), (2, 2)), status=Status.DEGRADING, instances=1), "a", "a"
    )
    (version,) = live.versions
    account_ = account(cluster("a", gpus=2, free=0), cluster("b", gpus=2, free=2))
    result = plan(
        [two_groups((2, 2), (2, 2)), wanted("z", specification(low=2, clusters=("b",)))],
        account_,
        [live],
    )
    assert version.status is Status.DEGRADING
    assert isinstance(result, Infeasible)


def test_a_specification_that_shrinks_makes_room_for_one_that_grows() -> None:
    before = wanted(
        "chat", specification("x", low=1, high=1), specification("y", low=3, high=3, gpus=2)
    )
    after = wanted(
        "chat", specification("x", low=3, high=3), specification("y", low=2, high=2, gpus=2)
    )
    result = feasible(plan([after], account(cluster("a", gpus=7, free=0)), [running(before)]))
    assert step_names(result) == [
        "update-deployment:function.chat@old.y",
        "await-released:function.chat@old",
        "update-deployment:function.chat@old.x",
        "await-active:function.chat@old",
    ]
    assert prove(result) == ()


def test_twins_are_matched_by_all_that_the_stack_manages() -> None:
    chat = with_managed(
        wanted("chat", specification("x"), specification("y")),
        "y",
        autoscaling_configuration=Json('{"up":1}'),
    )
    live = running(chat)
    result = feasible(plan([chat], account(cluster("a", free=6)), [live]))
    assert result.steps == ()


def test_each_twin_is_updated_by_its_own_row() -> None:
    chat = wanted("chat", specification("x"), specification("y"))
    both = with_managed(
        with_managed(chat, "x", autoscaling_configuration=Json('{"up":1}')),
        "y",
        autoscaling_configuration=Json('{"up":1}'),
    )
    result = feasible(plan([both], account(cluster("a", free=6)), [running(chat)]))
    rows = [step.task.row for step in result.steps]  # type: ignore[union-attr]  # only updates
    assert sorted(map(str, rows)) == ["g-x", "g-y"]


def test_the_case_of_a_gpu_is_no_difference() -> None:
    chat = wanted("chat", replace(specification(), gpu="h100"))
    live = running(wanted("chat", specification()))
    assert feasible(plan([chat], account(cluster("a", free=7)), [live])).steps == ()


def test_a_cluster_is_matched_as_it_is_written() -> None:
    """The service folds the case of backend, GPU and instance type only."""
    chat = wanted("chat", specification(clusters=("A",)))
    result = plan([chat], account(cluster("a")))
    assert feasible(result).steps[1].acquire == ()


def test_what_runs_on_a_cluster_that_is_gone_leaves_the_other_pools_checked() -> None:
    lost = located(running(wanted("other", specification())), "gone")
    result = plan(
        [wanted("chat", specification(low=100)), wanted("other", specification())],
        account(cluster("a")),
        [lost],
    )
    assert isinstance(result, Infeasible)


def test_a_move_carries_along_what_the_stack_does_not_manage() -> None:
    live = running(wanted("chat", specification(clusters=("a",))))
    (version,) = live.versions
    assert version.deployment is not None
    rows = tuple(
        replace(row, specification=replace(row.specification, max_request_concurrency=8))
        for row in version.deployment.specifications
    )
    busy = replace(
        live,
        versions=(replace(version, deployment=replace(version.deployment, specifications=rows)),),
    )
    moved = wanted("chat", specification(clusters=("b",)))
    result = feasible(plan([moved], account(cluster("a", free=7), cluster("b")), [busy]))
    deployed = next(step.task for step in result.steps if step.id.startswith("deploy:"))
    (one,) = deployed.specifications  # type: ignore[union-attr]  # a deploy
    assert (one.clusters, one.max_request_concurrency) == (("b",), 8)


def test_a_wrong_secret_is_replaced_before_the_version_is_deployed_again() -> None:
    reference = SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN")
    chat = replace(
        wanted("chat", specification()),
        secrets=(reference,),
        managed=("container_image", "deployment", "inference_url", "name", "secrets"),
    )
    live = running(chat, status=Status.ERROR)
    failed = replace(
        live, versions=tuple(replace(one, secret_names=("HF_TOKEN",)) for one in live.versions)
    )
    known = state_of(chat)
    state = replace(
        known,
        functions=tuple(
            replace(one, secret_fingerprints=(("HF_TOKEN", "old"),)) for one in known.functions
        ),
    )
    options = PlanOptions(fingerprints={("chat", "HF_TOKEN"): "new"})
    result = step_names(plan([chat], account(cluster("a")), [failed], state=state, options=options))
    assert result.index("set-secrets:function.chat@old") < result.index("deploy:function.chat@old")


def test_a_secret_that_left_the_stack_goes_with_the_next_version() -> None:
    reference = SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN")
    chat = replace(
        wanted("chat", specification()),
        secrets=(reference,),
        managed=("container_image", "deployment", "inference_url", "name", "secrets"),
    )
    live = running(chat)
    two = tuple(replace(one, secret_names=("HF_TOKEN", "OLD")) for one in live.versions)
    result = plan([chat], account(cluster("a", free=7)), [replace(live, versions=two)])
    assert feasible(result).changes[0].means == (Means.NEW_VERSION,)
    assert "create-version:function.chat@new" in step_names(result)


def test_two_rules_for_one_quota_count_as_the_lower() -> None:
    rules = (Quota(gpu="H100", names=("a",), limit=9), Quota(gpu="H100", names=("a",), limit=1))
    result = plan([wanted("chat", specification(low=2))], account(cluster("a"), quotas=rules))
    assert isinstance(result, Infeasible)
    assert [one.missing for one in result.shortages] == [1]


def test_a_quota_on_one_of_two_clusters_is_a_risk_and_no_violation() -> None:
    rules = (Quota(gpu="H100", names=("a",), limit=2),)
    either = wanted("chat", specification(low=4, clusters=("a", "b")))
    result = plan([either], account(cluster("a"), cluster("b"), quotas=rules))
    assert "quota-at-risk" in codes(result)


def test_new_functions_come_before_new_versions_where_the_limit_is_near() -> None:
    live = running(wanted("a", specification()))
    near = account(cluster("a", free=7), limit=VersionLimit(limit=2, stored=1))
    result = plan([wanted("a", specification(), image="app:2"), wanted("b", specification())],
                  near, [live])  # fmt: skip
    assert ("create-function:function.b@new", Order.BARRIER) in edges(
        result, "create-version:function.a@new"
    )


def test_functions_that_once_depended_on_each_other_can_still_be_removed() -> None:
    x = wanted("x", specification(), depends_on=("y",))
    y = wanted("y", specification(), depends_on=("x",))
    result = plan([], account(cluster("a", free=6)), [running(x), running(y)], state=state_of(x, y))
    assert {one.action for one in feasible(result).changes} == {Action.DELETE}


def test_a_function_whose_tags_are_all_gone_keeps_its_id() -> None:
    chat = wanted("chat", specification())
    live = running(chat, version=2)
    (version,) = live.versions
    bare = replace(live, versions=(replace(version, config=chat.config),))
    result = feasible(plan([chat], account(cluster("a", free=7)), [bare], state=state_of(chat)))
    assert [one.action for one in result.changes] == [Action.UPDATE]
    assert result.changes[0].means == (Means.METADATA,)


def test_a_serving_version_is_current_before_one_that_failed() -> None:
    chat = wanted("chat", specification())
    serving, failed = running(chat), running(chat, status=Status.ERROR, version=2)
    both = replace(serving, versions=(*serving.versions, *failed.versions))
    result = feasible(plan([chat], account(cluster("a", free=7)), [both]))
    assert [step.id for step in result.steps] == [
        "undeploy:function.chat@v2-chat",
        "await-released:function.chat@v2-chat",
    ]


def test_the_version_that_just_served_is_the_one_that_is_kept() -> None:
    chat = wanted("chat", specification())
    stored = running(chat, status=Status.INACTIVE, version=2)
    serving = running(chat)
    both = replace(serving, versions=(*serving.versions, *stored.versions))
    bump = wanted("chat", specification(), image="app:2")
    result = plan([bump], account(cluster("a", free=7)), [both], state=state_of(chat))
    assert "delete-version:function.chat@v2-chat" in step_names(result)
    assert "delete-version:function.chat@old" not in step_names(result)


def test_a_part_of_a_rate_limit_goes_by_a_metadata_call() -> None:
    def limited(limit: RateLimit) -> DesiredFunction:
        chat = wanted("chat", specification())
        return replace(
            chat,
            config=replace(chat.config, rate_limit=limit),
            managed=tuple(sorted({*chat.managed, "rate_limit"})),
        )

    live = running(limited(RateLimit(rate_limit="100-S", sync_check=True)))
    plain = limited(RateLimit(rate_limit="100-S"))
    result = feasible(plan([plain], account(cluster("a", free=7)), [live]))
    assert result.changes[0].means == (Means.METADATA,)


def test_where_only_an_order_is_missing_nothing_is_called_impossible() -> None:
    """x and y change places in full pools: the end would fit, and no order was found."""
    before = [
        wanted("x", specification(low=8, clusters=("a",))),
        wanted("y", specification(low=8, clusters=("b",))),
    ]
    after = [
        wanted("x", specification(low=8, clusters=("b",)), order=UpdateOrder.CREATE_FIRST),
        wanted("y", specification(low=8, clusters=("a",)), order=UpdateOrder.CREATE_FIRST),
    ]
    full = account(cluster("a", free=0), cluster("b", free=0))
    result = plan(after, full, [running(one) for one in before])
    assert isinstance(result, Infeasible)
    exceeded = [one for one in result.plan.diagnostics if one.code == "capacity-exceeded"]
    assert exceeded
    assert all(one.verdict is None for one in exceeded)


def test_a_moved_specification_is_known_by_the_key_it_had() -> None:
    def placed(key: str, place: str) -> DesiredSpecification:
        return wanted("chat", specification(key, clusters=(place,))).specifications[0]

    live = running(
        wanted("chat", specification("x", clusters=("a",)), specification("y", clusters=("b",)))
    )
    (version,) = live.versions
    assert version.deployment is not None
    applied = (placed("x", "a"), placed("y", "b"))
    matching = match_specifications(
        (placed("x", "c"), placed("y", "d")), version.deployment.specifications, applied
    )
    assert [(pair.wanted.key, pair.live.id) for pair in matching.moved] == [
        ("x", "g-x"),
        ("y", "g-y"),
    ]
