"""What random fleets found, as small as it could be made; each was once planned wrong."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from nvcfplan.model import Downtime, Prove, Quota, StepId, UpdateOrder, UpdatePolicy
from nvcfplan.planning import check_freshness
from nvcfplan.plans import Plan, UpdateDeployment
from nvcfplan.proving import ancestry, prove
from tests.planning.builders import (
    account,
    cluster,
    feasible,
    plan,
    running,
    specification,
    wanted,
    whole,
)
from tests.planning.test_order import codes

MINUTES_20 = timedelta(minutes=20)
ID = StepId


def test_a_gap_of_a_bounded_length_begins_when_all_is_there_that_ends_it() -> None:
    """`chat` is larger afterwards, and waits for what `docs` leaves behind once it has moved."""
    brief = replace(whole(Downtime.ALLOWED, UpdateOrder.DELETE_FIRST), max_downtime=MINUTES_20)
    old, docs = wanted("chat", specification(low=2)), wanted("docs", specification(low=2))
    bigger = wanted("chat", specification(low=4), image="app:2", policy=brief)
    moved = wanted("docs", specification(low=2, clusters=("b",)), policy=whole())
    where = account(cluster("a", gpus=4, free=0), cluster("b"))
    made = feasible(plan([bigger, moved], where, [running(old), running(docs)]))
    assert prove(made) == ()
    order = ancestry(made.steps)
    names = {step.id for step in made.steps}
    assert {"await-released:function.docs@old", "undeploy:function.chat@old"} <= names
    assert order.precedes(ID("await-released:function.docs@old"), ID("undeploy:function.chat@old"))


def test_a_version_that_is_deployed_again_is_shown_to_work_and_lowered_under_a_quota() -> None:
    policy = UpdatePolicy(order=UpdateOrder.DELETE_FIRST, downtime=Downtime.ALLOWED)
    old = wanted("chat", specification(low=0, high=1))
    moved = wanted("chat", specification(low=0, high=1, clusters=("b",)), policy=policy)
    quota = Quota(gpu="H100", names=("a", "b"), limit=1)
    where = account(cluster("a"), cluster("b"), quotas=(quota,))
    made = feasible(plan([moved], where, [running(old)]))
    assert "proved-by-one" in codes(made)
    assert prove(made) == ()
    assert len([step for step in made.steps if step.id.startswith("await-released:")]) == 2


def test_each_specification_that_was_lent_is_raised_again_after_the_loan() -> None:
    policy = UpdatePolicy(prove=Prove.NONE)
    some = (specification("x", low=1, high=3), specification("y", low=1, high=3))
    busy = wanted("busy", *some, policy=policy)
    old, new = wanted("chat", specification()), wanted("chat", specification(), image="app:2")
    full = account(cluster("a", gpus=7, free=0))
    live = [running(busy, instances=3), running(old)]
    made = feasible(plan([busy, replace(new, update=whole())], full, live))
    assert prove(made) == ()
    order = ancestry(made.steps)
    updates = [one for one in made.steps if isinstance(one.task, UpdateDeployment)]
    lent = [one for one in updates if one.id.endswith(".lent")]
    back = [one for one in updates if not one.id.endswith(".lent")]
    assert (len(lent), len(back)) == (2, 2)
    assert all(order.precedes(one.id, other.id) for one in lent for other in back)


def test_a_start_too_large_for_any_cluster_does_not_make_a_smaller_one_look_certain() -> None:
    """Warm it would be 6 on a or b, which neither takes whole; 3 might be blocked in both."""
    old = wanted("chat", specification(low=3, high=6, gpus=4, clusters=("c",)))
    either = specification(low=3, high=6, gpus=4, clusters=("a", "b"))
    new = wanted("chat", either, image="app:2", policy=replace(whole(), warm=UpdatePolicy().warm))
    other = wanted("other", specification(low=1, gpus=2, clusters=("a", "b")))
    where = account(cluster("a", gpus=18), cluster("b", gpus=4), cluster("c", gpus=24, free=0))
    made = plan([new, other], where, [running(old, instances=6)])
    assert isinstance(made, Plan)
    assert prove(made) == ()


def test_a_release_that_does_not_wait_for_every_lowering_is_refused() -> None:
    some = (specification("x", low=2, high=4), specification("y", low=2, high=4))
    less = (specification("x", low=1, high=1), specification("y", low=1, high=1))
    old, new = wanted("chat", *some), wanted("chat", *less)
    made = feasible(plan([new], account(cluster("a", gpus=8, free=0)), [running(old, instances=4)]))
    assert prove(made) == ()
    loose = [
        replace(step, depends_on=())
        if isinstance(step.task, UpdateDeployment) and step.depends_on
        else step
        for step in made.steps
    ]
    assert loose != list(made.steps)
    assert prove(replace(made, steps=tuple(loose))) != ()


def test_what_an_old_version_gives_up_needs_no_room_when_the_plan_is_looked_at_again() -> None:
    """It chose between a and b; lowering it asks for nothing that either might have to keep."""
    old = wanted("chat", specification(low=4, gpus=4, clusters=("a", "b")))
    new = wanted("chat", specification(low=4, gpus=4), image="app:2")
    other = wanted("other", specification(low=18, clusters=("b",)))
    where, live = account(cluster("a", gpus=20, free=4), cluster("b", gpus=18)), running(old)
    made = feasible(plan([new, other], where, [live]))
    assert "update-deployment:function.chat@old.main" in {step.id for step in made.steps}
    assert check_freshness(made, where, [live], None).is_fresh


def test_what_ran_where_nothing_goes_on_may_be_started_besides_the_minimum() -> None:
    """4 are wanted, and the 2 that ran in c are matched too: 5 begin, on whichever of a and b."""
    gone = specification("gone", low=2, gpus=2, clusters=("c",))
    there = specification(low=1, high=5, gpus=2, clusters=("a", "b"))
    old = wanted("chat", there, gone)
    more = specification(low=4, high=5, gpus=2, clusters=("a", "b"))
    new = wanted("chat", more, image="app:2")
    roomy = account(*(cluster(name, gpus=100) for name in "abc"))
    made = feasible(plan([new], roomy, [running(old)]))
    assert prove(made) == ()
