"""How a function is replaced, by what its stack's `update` says and what there is room for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nvcfplan.model import Downtime, Prove, UpdateOrder, UpdatePolicy
from nvcfplan.plans import CreateVersion, Deploy, Infeasible, Plan, Reversible, UpdateDeployment
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
from tests.planning.test_order import codes, edges
from tests.planning.ways import BOUNCING, WAYS, Way, replaced

if TYPE_CHECKING:
    from nvcfplan.model import DesiredFunction

NEW, OLD = "function.chat@new", "function.chat@old"


def bounds(result: Plan | Infeasible) -> list[tuple[str, int, int]]:
    """Of every deployment and update, in their order: of which version, its least and its most."""
    found = []
    for step in feasible(result).steps:
        match step.task:
            case Deploy(version=version, specifications=some):
                found += [(version.label, one.min_instances, one.max_instances) for one in some]
            case UpdateDeployment(version=version, specification=one):
                found.append((version.label, one.min_instances, one.max_instances))
            case _:
                pass
    return found


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_every_way_is_proved_from_its_document_alone(way: Way) -> None:
    made = feasible(way.plan())
    assert way.expects in step_names(made)
    assert prove(made) == ()


def test_a_successor_starts_with_as_many_as_run_and_is_lowered_once_it_is_alone() -> None:
    made = WAYS["warm"].plan()
    assert bounds(made) == [("new", 4, 6), ("new", 1, 6)]
    assert edges(made, f"update-deployment:{NEW}.main") == {(f"await-released:{OLD}", "requires")}
    assert "warm-start" in codes(made)


def test_what_runs_above_the_new_maximum_is_not_matched() -> None:
    old, _ = replaced(UpdatePolicy(), low=1, high=6)
    new = wanted("chat", specification(low=1, high=2), image="app:2")
    made = plan([new], account(cluster("a", free=4)), [running(old, instances=4)])
    assert bounds(made) == [("new", 2, 2), ("new", 1, 2)]


def test_what_ran_elsewhere_is_matched_in_total() -> None:
    old = wanted("chat", specification("x", high=4), specification("y", high=4, clusters=("b",)))
    new = wanted("chat", specification("z", high=8, clusters=("c",)))
    clusters = [cluster(name, free=5 if name in "ab" else 8) for name in "abc"]
    made = plan([new], account(*clusters), [running(old, instances=3)])
    assert bounds(made)[0] == ("new", 6, 8)


def test_a_successor_starts_with_the_minimum_where_more_does_not_fit() -> None:
    way = replace(WAYS["warm"], gpus=(("a", 6),))
    assert bounds(way.plan()) == [("new", 1, 6)]
    assert "cold-start" in codes(way.plan())


def test_warm_min_starts_with_the_minimum() -> None:
    assert bounds(WAYS["cold"].plan()) == [("new", 1, 6)]
    assert "cold-start" not in codes(WAYS["cold"].plan())


def test_where_the_minimum_runs_nothing_has_to_be_lowered() -> None:
    way = replace(WAYS["warm"], runs=1)
    assert bounds(way.plan()) == [("new", 1, 6)]


def test_maxima_are_held_down_while_a_quota_that_may_count_them_would_be_exceeded() -> None:
    made = WAYS["warm under a quota"].plan()
    assert bounds(made) == [("old", 1, 4), ("new", 4, 4), ("new", 1, 6)]
    assert "quota-at-risk" not in codes(made)
    assert "quota-clamp" in codes(made)


def test_maxima_stay_where_holding_them_down_would_not_help() -> None:
    way = replace(WAYS["cold under a quota"], quota=4)
    assert bounds(way.plan()) == [("new", 1, 6)]
    assert "quota-at-risk" in codes(way.plan())


def test_a_function_that_may_scale_to_nothing_is_shown_to_work_by_one_instance() -> None:
    new = wanted("chat", specification(low=0, high=3))
    made = plan([new], account(cluster("a")))
    assert bounds(made) == [("new", 1, 3), ("new", 0, 3)]
    assert edges(made, f"update-deployment:{NEW}.main") == {(f"await-active:{NEW}", "requires")}


def test_it_is_the_smallest_placement_that_is_tried() -> None:
    new = wanted(
        "chat", specification("large", low=0, gpus=8), specification("small", low=0, gpus=2)
    )
    made = plan([new], account(cluster("a", free=2)))
    assert bounds(made) == [("new", 0, 1), ("new", 1, 1), ("new", 0, 1)]


def test_prove_none_leaves_it_unseen() -> None:
    policy = UpdatePolicy(prove=Prove.NONE)
    made = plan([wanted("chat", specification(low=0), policy=policy)], account(cluster("a")))
    assert bounds(made) == [("new", 0, 1)]


def test_versions_that_must_not_coexist_are_replaced_the_old_one_first() -> None:
    made = WAYS["never two at once"].plan()
    assert edges(made, f"deploy:{NEW}") >= {(f"await-released:{OLD}", "delete-first")}


def bumped(policy: UpdatePolicy) -> Plan | Infeasible:
    old, new = replaced(policy, low=5, high=5)
    return plan([new], account(cluster("a", free=3)), [running(old)])


def test_a_gap_longer_than_allowed_is_not_taken_and_that_is_said() -> None:
    brief = replace(whole(Downtime.ALLOWED), max_downtime=timedelta(minutes=5))
    assert isinstance(bumped(brief), Infeasible)
    assert "max-downtime-exceeded" in codes(bumped(brief))
    long = replace(brief, max_downtime=timedelta(minutes=30))
    assert f"deploy:{NEW}" in step_names(bumped(long))


def test_an_order_whose_gap_is_too_long_is_refused_where_it_is_the_only_one() -> None:
    made = bumped(UpdatePolicy(order=UpdateOrder.DELETE_FIRST, max_downtime=timedelta(minutes=5)))
    assert (feasible(made).steps, "max-downtime-exceeded" in codes(made)) == ((), True)


def test_a_function_is_no_lender_for_longer_than_it_may_be_down() -> None:
    """`idle` could go down for `chat`, but the gap would be longer than it allows."""
    policy = UpdatePolicy(downtime=Downtime.ALLOWED, max_downtime=timedelta(minutes=5))
    idle = wanted("idle", specification(low=4), policy=policy)
    old, new = replaced(whole(), low=4, high=4)
    full = account(cluster("a", free=0))
    assert isinstance(plan([idle, new], full, [running(idle), running(old)]), Infeasible)
    patient = replace(idle, update=replace(policy, max_downtime=None))
    made = plan([patient, new], full, [running(idle), running(old)])
    assert "undeploy:function.idle@old" in step_names(made)


@pytest.mark.parametrize(
    ("image", "is_warned"),
    [("app", True), ("app:latest", True), ("host:5000/app", True), ("app:2", False),
     ("app@sha256:" + "0" * 64, False)],
)  # fmt: skip
def test_a_move_with_a_tag_that_may_mean_another_image_is_warned_of(
    image: str, is_warned: bool
) -> None:
    assert ("mutable-image-tag" in codes(moved(image))) is is_warned


def test_a_new_image_is_meant_to_be_another_one() -> None:
    old, new = replaced(UpdatePolicy(), low=1, high=1)
    latest = replace(new, config=replace(new.config, container_image="app:latest"))
    made = plan([latest], account(cluster("a", free=7)), [running(old)])
    assert "mutable-image-tag" not in codes(made)


def moved(image: str) -> Plan | Infeasible:
    old = wanted("chat", specification(), image=image)
    new = wanted("chat", specification(clusters=("b",)), image=image)
    return plan([new], account(cluster("a", free=7), cluster("b")), [running(old)])


def test_callers_of_a_version_id_are_warned_of_every_new_version() -> None:
    def made(function: DesiredFunction) -> Plan | Infeasible:
        return plan([function], account(cluster("a", free=7)), [running(old)])

    old, new = replaced(UpdatePolicy(is_pinned=True), low=1, high=1)
    assert "pinned-callers" in codes(made(new))
    assert "pinned-callers" not in codes(made(old))


def test_lowering_a_successor_needs_no_undo_but_raising_its_maximum_does() -> None:
    warm, clamped = feasible(WAYS["warm"].plan()), feasible(WAYS["warm under a quota"].plan())
    (lowered,) = [one for one in warm.steps if one.id == f"update-deployment:{NEW}.main"]
    assert lowered.undo == Reversible(())
    (raised,) = [one for one in clamped.steps if one.id == f"update-deployment:{NEW}.main"]
    assert isinstance(raised.undo, Reversible)
    (back,) = raised.undo.tasks
    assert isinstance(back, UpdateDeployment)
    assert (back.specification.min_instances, back.specification.max_instances) == (1, 4)


def test_where_both_do_not_fit_whole_the_old_version_makes_room_a_part_at_a_time() -> None:
    made = WAYS["in steps"].plan()
    assert bounds(made) == [("old", 4, 4), ("new", 4, 4), ("new", 8, 8)]
    assert edges(made, f"deploy:{NEW}") >= {(f"await-released:{OLD}", "funds")}
    assert edges(made, f"undeploy:{OLD}") == {(f"await-active:{NEW}", "create-first")}
    assert "stepped-replacement" in codes(made)


def test_a_step_is_as_small_as_there_is_room_for() -> None:
    """With 6 of 8 taken, 4 must serve: the old version has to give up nothing."""
    way = replace(WAYS["in steps"], gpus=(("a", 12),))
    assert bounds(way.plan()) == [("new", 4, 4), ("new", 8, 8)]


@pytest.mark.parametrize(("share", "least"), [(0.0, 1), (0.25, 2), (0.5, 4)])
def test_as_many_serve_all_along_as_the_stack_asks_for(share: float, least: int) -> None:
    old, new = replaced(UpdatePolicy(min_serving=share), low=8, high=8)
    made = plan([new], account(cluster("a", free=0)), [running(old)])
    kept = [low for label, low, _ in bounds(made) if label == "old"]
    begun = [low for label, low, _ in bounds(made) if label == "new"]
    assert min(*kept, *begun) >= least


def test_more_than_half_cannot_serve_twice_in_the_room_of_one() -> None:
    old, new = replaced(UpdatePolicy(min_serving=0.75), low=8, high=8)
    assert isinstance(plan([new], account(cluster("a", free=0)), [running(old)]), Infeasible)
    made = plan([new], account(cluster("a", gpus=12, free=4)), [running(old)])
    assert prove(feasible(made)) == ()


def test_one_instance_alone_cannot_be_replaced_in_steps() -> None:
    old, new = replaced(UpdatePolicy(), low=1, high=1)
    full = account(cluster("a", gpus=1, free=0))
    assert isinstance(plan([new], full, [running(old)]), Infeasible)


def test_two_that_want_each_others_room_swap_by_way_of_a_bounce_placement() -> None:
    full = account(*(cluster(name, gpus=2, free=2 if name == "c" else 0) for name in "abc"))

    def swapped(policy: UpdatePolicy) -> Plan | Infeasible:
        before = [wanted(key, specification(low=2, clusters=(at,))) for key, at in ("xa", "yb")]
        after = [
            wanted(key, specification(low=2, clusters=(to,)), policy=policy)
            for key, to in ("xb", "ya")
        ]
        return plan(after, full, [running(one) for one in before])

    assert isinstance(swapped(UpdatePolicy()), Infeasible)
    made = feasible(swapped(BOUNCING))
    assert prove(made) == ()
    assert len([one for one in made.steps if one.id.startswith("delete-version:")]) == 1


def test_a_version_that_only_bounces_is_another_of_the_same_and_is_deleted_last() -> None:
    made = feasible(WAYS["by way of another place"].plan())
    assert made.steps[-1].id == "delete-version:function.chat@bounce"
    configs = {one.task.config for one in made.steps if isinstance(one.task, CreateVersion)}
    assert len(configs) == 1
