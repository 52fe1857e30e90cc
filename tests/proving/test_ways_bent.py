"""A replacement bent after it was planned: each way has its own faults, and none passes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from nvcfplan.model import GpuSpecification, StepId
from nvcfplan.plans import (
    AwaitActive,
    AwaitReleased,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Order,
    Plan,
    Step,
    UpdateDeployment,
)
from nvcfplan.proving import prove
from tests.planning.builders import feasible
from tests.planning.ways import POOL, WAYS
from tests.proving.bending import each, task, unhooked, without


@dataclass(frozen=True)
class Case:
    way: str
    bend: Callable[[Plan], Plan]
    words: str


def deployed(low: int, label: str = "new") -> Callable[[Plan], Plan]:
    """Deployments of that version with so many instances at least, charged as planned."""

    def bend(one: Deploy) -> Deploy:
        if one.version.label != label:
            return one
        return replace(
            one, specifications=tuple(replace(s, min_instances=low) for s in one.specifications)
        )

    return task(Deploy, bend)


def lowered(most: int) -> Callable[[Plan], Plan]:
    """The old version keeps at most so many."""

    def bend(one: UpdateDeployment) -> UpdateDeployment:
        if one.version.label != "old":
            return one
        then = replace(one.specification, min_instances=0, max_instances=most)
        return replace(one, specification=then)

    return task(UpdateDeployment, bend)


def ended(**bounds: int) -> Callable[[Plan], Plan]:
    def bend(one: UpdateDeployment) -> UpdateDeployment:
        if one.version.label != "new":
            return one
        return replace(one, specification=replace(one.specification, **bounds))  # type: ignore[arg-type]  # names are checked by replace

    return task(UpdateDeployment, bend)


def greedy(plan: Plan) -> Plan:
    """The first wait gives back all that the old version holds, the second nothing of it."""
    waits = [one for one in plan.steps if isinstance(one.task, AwaitReleased)]
    whole = sum(one.units for step in waits for one in step.release if one.resource == POOL)

    def bend(step: Step) -> Step:
        if not isinstance(step.task, AwaitReleased) or step.task.version.label != "old":
            return step
        is_first = step.id == waits[0].id
        return replace(
            step,
            release=tuple(
                replace(one, units=whole)
                for one in step.release
                if one.resource == POOL and is_first
            ),
        )

    grants = tuple(replace(one, source=waits[0].id if one.source else None) for one in plan.funding)
    return replace(each(bend)(plan), funding=grants)


def elsewhere(one: GpuSpecification) -> GpuSpecification:
    return replace(one, clusters=("a",))


def moved_bounce(one: Deploy) -> Deploy:
    if one.version.label != "bounce":
        return one
    return replace(one, specifications=tuple(elsewhere(s) for s in one.specifications))


def other_image(one: CreateVersion) -> CreateVersion:
    if one.version.label != "bounce":
        return one
    return replace(one, config=replace(one.config, container_image="app:3"))


def impatient(plan: Plan) -> Plan:
    functions = tuple(
        replace(one, update=replace(one.update, max_downtime=timedelta(minutes=1)))
        for one in plan.desired.functions
    )
    return replace(plan, desired=replace(plan.desired, functions=functions))


CASES = {
    "left above its minimum": Case("warm", without(UpdateDeployment), "not deployed as wanted"),
    "lowered too far": Case("warm", ended(min_instances=0), "not deployed as wanted"),
    "raised past its maximum": Case("warm", ended(max_instances=9), "not deployed as wanted"),
    "lowered from what it has not": Case("warm", deployed(3), "bounds that it does not have"),
    "maximum never set": Case(
        "warm under a quota", ended(max_instances=4), "not deployed as wanted"
    ),
    "changed at any time": Case("warm", unhooked(UpdateDeployment), "does not exist yet"),
    "never seen to run": Case("shown to work", deployed(0), "ever seen to run"),
    "too few kept": Case("in steps", lowered(3), "of the 4 that must serve"),
    "too few to take over": Case("in steps", deployed(3), "comes before 4 instances"),
    "growth not awaited": Case("in steps", without(AwaitActive), "serves"),
    "more given back than was stopped": Case("in steps", greedy, "more than was freed"),
    "a bounce that stays": Case(
        "by way of another place", without(DeleteVersion), "keeps function.chat@bounce"
    ),
    "a bounce of another kind": Case(
        "by way of another place", task(CreateVersion, other_image), "another configuration"
    ),
    "a bounce where it may not be": Case(
        "by way of another place", task(Deploy, moved_bounce), "`update.bounce` does not say"
    ),
    "a bounce too small": Case(
        "by way of another place", deployed(1, "bounce"), "comes before 2 instances"
    ),
    "a bounce that leaves early": Case(
        "by way of another place",
        each(
            lambda step: (
                replace(
                    step,
                    depends_on=tuple(
                        edge
                        for edge in step.depends_on
                        if getattr(edge, "order", None) is not Order.CREATE_FIRST
                    ),
                )
                if step.id == StepId("undeploy:function.chat@bounce")
                else step
            )
        ),
        "serves",
    ),
    "a gap that is too long": Case("old one first", impatient, "past `maxDowntime`"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bent_replacement_is_not_proved(case: Case) -> None:
    made = feasible(WAYS[case.way].plan())
    assert prove(made) == ()
    assert any(case.words in one.summary for one in prove(case.bend(made)))
