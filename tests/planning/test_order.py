"""Which steps a change becomes, and in which order they may run."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvcfplan.model import (
    DesiredFunction,
    Downtime,
    EnvironmentVariable,
    GpuCountSource,
    Json,
    Quota,
    Secret,
    SecretOrigin,
    SecretReference,
    Status,
    UpdateOrder,
    VersionLimit,
)
from nvcfplan.plans import Action, Funded, Infeasible, Means, Order, Plan
from nvcfplan.proving import prove
from tests.planning.builders import (
    account,
    cluster,
    feasible,
    plan,
    running,
    specification,
    step_names,
    wanted,
    whole,
)


def edges(result: Plan | Infeasible, step: str) -> set[tuple[str, str]]:
    found = next(one for one in feasible(result).steps if one.id == step)
    return {
        (edge.step, "funds" if isinstance(edge, Funded) else edge.order)
        for edge in found.depends_on
    }


def codes(result: Plan | Infeasible) -> list[str]:
    chosen = result.plan if isinstance(result, Infeasible) else result
    return [one.code for one in chosen.diagnostics]


def test_a_new_function_is_created_deployed_and_awaited() -> None:
    result = plan([wanted("chat", specification())], account(cluster("a")))
    assert step_names(result) == [
        "create-function:function.chat@new",
        "deploy:function.chat@new",
        "await-active:function.chat@new",
    ]
    assert prove(feasible(result)) == ()


def test_what_runs_as_wanted_needs_no_step() -> None:
    chat = wanted("chat", specification())
    result = feasible(plan([chat], account(cluster("a", free=7)), [running(chat)]))
    assert (result.steps, [one.action for one in result.changes]) == ((), [Action.NO_OP])


def test_an_image_bump_retires_the_old_version_only_after_the_new_one_is_active() -> None:
    old, new = wanted("chat", specification()), wanted("chat", specification(), image="app:2")
    result = plan([new], account(cluster("a", free=7)), [running(old)])
    assert edges(result, "undeploy:function.chat@old") == {
        ("await-active:function.chat@new", Order.CREATE_FIRST)
    }
    assert feasible(result).changes[0].means == (Means.NEW_VERSION,)


def test_a_bump_that_cannot_fit_names_units_resource_and_users() -> None:
    old = wanted("chat", specification(low=5))
    new = wanted("chat", specification(low=5), image="app:2", policy=whole())
    result = plan([new], account(cluster("a", free=3)), [running(old)])
    assert isinstance(result, Infeasible)
    (shortage,) = result.shortages
    assert (shortage.resource, shortage.missing) == ("pool:a/H100", 2)
    assert dict(shortage.users) == {"function.chat (wanted)": 5, "this stack (running)": 5}
    assert result.plan.steps == ()
    assert "capacity-exceeded" in codes(result)


def test_a_gap_is_taken_only_where_it_is_allowed() -> None:
    old = wanted("chat", specification(low=5))
    policy = whole(Downtime.ALLOWED)
    new = wanted("chat", specification(low=5), image="app:2", policy=policy)
    result = plan([new], account(cluster("a", free=3)), [running(old)])
    assert edges(result, "deploy:function.chat@new") >= {
        ("await-released:function.chat@old", "funds")
    }
    assert prove(feasible(result)) == ()


def test_room_is_made_first_by_who_gives_more_than_it_takes() -> None:
    """Name order would start with `a-grows` and fail: only `z-shrinks` makes its room."""
    grows = wanted("a-grows", specification(low=4), image="app:2")
    shrinks = wanted("z-shrinks", specification(low=1))
    live = [
        running(wanted("a-grows", specification(low=2))),
        running(wanted("z-shrinks", specification(low=4, high=4)), instances=4),
    ]
    result = plan([grows, shrinks], account(cluster("a", free=2)), live)
    assert ("await-released:function.z-shrinks@old", "funds") in edges(
        result, "deploy:function.a-grows@new"
    )
    assert prove(feasible(result)) == ()


def test_lowering_min_alone_gives_nothing_back() -> None:
    live = running(wanted("chat", specification(low=4, high=8)))
    result = feasible(plan([wanted("chat", specification(low=1, high=8))], account(
        cluster("a", free=4)), [live]))  # fmt: skip
    assert [step.id for step in result.steps] == ["update-deployment:function.chat@old.main"]
    assert result.steps[0].release == ()


def test_raising_min_above_what_runs_takes_only_the_rest() -> None:
    live = running(wanted("chat", specification(low=1, high=8)), instances=3)
    result = feasible(
        plan([wanted("chat", specification(low=5, high=8))], account(cluster("a", free=5)), [live])
    )
    update = result.steps[0]
    assert [(one.resource, one.units) for one in update.acquire] == [("pool:a/H100", 2)]


def test_what_runs_above_its_minimum_counts_as_held() -> None:
    old = wanted("chat", specification(low=1, high=8))
    other = wanted("other", specification(low=6))
    result = plan([old, other], account(cluster("a", free=5)), [running(old, instances=3)])
    assert isinstance(result, Infeasible)
    assert result.shortages[0].missing == 1


def test_a_group_of_two_clusters_must_fit_in_each() -> None:
    chat = wanted("chat", specification(low=4, backend="g"))
    roomy = account(cluster("a", group="g"), cluster("b", group="g"))
    tight = account(cluster("a", group="g", free=2), cluster("b", group="g"))
    assert "capacity-at-risk" not in codes(plan([chat], roomy))
    assert "capacity-at-risk" in codes(plan([chat], tight))
    assert prove(feasible(plan([chat], tight))) == ()


def test_what_fits_in_no_landing_is_a_violation() -> None:
    chat = wanted("chat", specification(low=9, backend="g"))
    result = plan([chat], account(cluster("a", group="g", free=4), cluster("b", group="g", free=4)))
    assert isinstance(result, Infeasible)
    assert result.shortages[0].resource == "within:a+b/H100"


def test_gpus_read_off_a_name_never_prove_anything() -> None:
    guessed = account(cluster("a", free=1, source=GpuCountSource.SUFFIX))
    assert "capacity-at-risk" in codes(plan([wanted("chat", specification(low=2))], guessed))


def test_a_quota_over_the_sum_of_min_is_an_error_and_of_max_a_risk() -> None:
    tight = account(cluster("a"), quotas=(Quota(gpu="H100", names=("a",), limit=3),))
    assert isinstance(plan([wanted("chat", specification(low=4))], tight), Infeasible)
    assert "quota-at-risk" in codes(plan([wanted("chat", specification(low=1, high=4))], tight))


def test_the_version_limit_is_tested_for_new_functions_only() -> None:
    full = account(cluster("a", free=7), limit=VersionLimit(limit=5, stored=5))
    assert isinstance(plan([wanted("chat", specification())], full), Infeasible)
    bump = wanted("chat", specification(), image="app:2")
    assert isinstance(plan([bump], full, [running(wanted("chat", specification()))]), Plan)


def test_an_error_row_is_undeployed_and_released_before_it_is_deployed_again() -> None:
    chat = wanted("chat", specification())
    result = plan([chat], account(cluster("a")), [running(chat, status=Status.ERROR)])
    assert step_names(result) == [
        "undeploy:function.chat@old",
        "await-released:function.chat@old",
        "deploy:function.chat@old",
        "await-active:function.chat@old",
    ]
    assert feasible(result).changes[0].reason == "live-error"


def test_an_inactive_version_is_deployed_as_it_is() -> None:
    chat = wanted("chat", specification())
    result = plan([chat], account(cluster("a")), [running(chat, status=Status.INACTIVE)])
    assert step_names(result)[0] == "deploy:function.chat@old"


def test_a_function_somebody_else_is_deploying_is_refused() -> None:
    chat = wanted("chat", specification())
    result = plan([chat], account(cluster("a")), [running(chat, status=Status.DEPLOYING)])
    assert "deployment-in-progress" in codes(result)


def test_a_dependency_serves_before_its_user_is_deployed() -> None:
    result = plan(
        [wanted("a", specification(), depends_on=("b",)), wanted("b", specification())],
        account(cluster("a")),
    )
    assert ("await-active:function.b@new", Order.DEPENDS_ON) in edges(
        result, "deploy:function.a@new"
    )


def test_what_left_the_stack_is_undeployed_released_and_deleted_last() -> None:
    gone = wanted("gone", specification())
    result = plan([], account(cluster("a", free=7)), [running(gone)])
    assert step_names(result) == [
        "undeploy:function.gone@old",
        "await-released:function.gone@old",
        "delete-version:function.gone@old",
    ]
    assert feasible(result).changes[0].action is Action.DELETE


@pytest.mark.parametrize("order", list(UpdateOrder))
def test_a_move_alone_takes_a_new_version_unless_delete_first_is_asked(
    order: UpdateOrder,
) -> None:
    old = wanted("chat", specification(clusters=("a",)))
    new = wanted("chat", specification(clusters=("b",)), order=order)
    result = plan([new], account(cluster("a", free=7), cluster("b")), [running(old)])
    is_redeployed = order is UpdateOrder.DELETE_FIRST
    assert ("deploy:function.chat@old" in step_names(result)) is is_redeployed
    assert feasible(result).changes[0].reason == "placement-changed"


def test_the_plan_does_not_depend_on_the_order_of_its_inputs() -> None:
    functions = [wanted(name, specification(low=2), image="app:2") for name in "abc"]
    live = [running(wanted(name, specification(low=2))) for name in "abc"]
    full = account(cluster("a", free=2))
    assert plan(functions, full, live) == plan(functions[::-1], full, live[::-1])


def test_concurrency_and_autoscaling_are_two_calls() -> None:
    """No single request carries both: PUT takes the one, PATCH the other."""
    chat = wanted("chat", specification(low=1, high=2))
    (one,) = chat.specifications
    changed = replace(
        one,
        specification=replace(
            one.specification, max_request_concurrency=8, autoscaling_configuration=Json('{"a":1}')
        ),
        managed=(*one.managed, "autoscaling_configuration", "max_request_concurrency"),
    )
    result = plan(
        [replace(chat, specifications=(changed,))], account(cluster("a")), [running(chat)]
    )
    assert step_names(result) == [
        "update-deployment:function.chat@old.main",
        "update-deployment:function.chat@old.main.autoscaling",
    ]


def test_a_variable_only_the_stack_calls_sensitive_shows_nowhere() -> None:
    reference = SecretReference("PLAIN", SecretOrigin.STACK, "chat/PLAIN")
    chat = wanted("chat", specification())
    live = running(with_variable(chat, "hunter-22"))
    result = plan(
        [with_variable(chat, Secret("hunter-23", reference))], account(cluster("a")), [live]
    )
    assert feasible(result).changes[0].means == (Means.NEW_VERSION,)
    assert "hunter" not in repr(result)


def with_variable(function: DesiredFunction, value: str | Secret) -> DesiredFunction:
    config = replace(function.config, container_environment=(EnvironmentVariable("PLAIN", value),))
    managed = tuple(sorted({*function.managed, "container_environment"}))
    return replace(function, config=config, managed=managed)
