"""Every way to replace a version, carried out against an emulated account, whole and cut short."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import RunOutcome
from nvcfplan.emulator.rules import Fault, Trouble
from nvcfplan.plans import Deploy, Plan, UpdateDeployment
from tests.planning.ways import WAYS, Way
from tests.rehearsal import Account, account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.emulator.overview import VersionView

UPDATE_ROUTE = "update-specification"
PATIENCE = 1_800
"""Seconds: a release, then as long as a refusal after it is not believed."""


@contextmanager
def set_up(way: Way) -> Iterator[tuple[Account, Plan]]:
    """The old version runs with as many instances as it should, and the plan is made."""
    with account(way.world()) as where:
        for stack in (way.scaled_out, way.old) if way.runs else (way.old,):
            first = where.plan(stack)
            assert isinstance(first, Plan)
            if first.steps:
                assert where.apply(first).outcome is RunOutcome.APPLIED
        plan = where.plan(way.new)
        assert isinstance(plan, Plan)
        yield where, plan


def shown(where: Account) -> list[VersionView]:
    """All there is, but for how many instances are up: the autoscaler owns those."""
    return [
        replace(
            version,
            specifications=tuple(
                replace(one, running=0, starting=0, waiting=0) for one in version.specifications
            ),
        )
        for version in where.emulator.overview().versions
    ]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_it_ends_as_wanted_and_nothing_asked_for_is_refused_or_waits(way: Way) -> None:
    with set_up(way) as (where, plan):
        assert way.expects in [step.id for step in plan.steps]
        assert where.apply(plan).outcome is RunOutcome.APPLIED
        again = where.plan(way.new)
        assert isinstance(again, Plan)
        assert again.steps == ()
        assert where.unserved() == ()


CUTS = [
    (name, number, kind)
    for name, way in WAYS.items()
    for plan in (way.plan(),)
    if isinstance(plan, Plan)
    for number, step in enumerate(plan.steps)
    if step.acquire and any(one.resource.startswith("pool:") for one in step.acquire)
    for kind in (Trouble.CAPACITY_SYNC, Trouble.CAPACITY_ASYNC)
    if isinstance(step.task, Deploy) or kind is Trouble.CAPACITY_ASYNC
]


@pytest.mark.parametrize(("name", "number", "kind"), CUTS)
def test_whichever_step_finds_no_room_the_account_is_as_before(
    name: str, number: int, kind: Trouble
) -> None:
    with set_up(WAYS[name]) as (where, plan):
        before = shown(where)
        kinds = (Deploy, UpdateDeployment)
        same = [one for one in plan.steps[: number + 1] if isinstance(one.task, kinds)]
        route = "deploy" if isinstance(same[-1].task, Deploy) else UPDATE_ROUTE
        nth = sum(isinstance(one.task, Deploy) is (route == "deploy") for one in same)
        where.emulator.add_fault(_lasting(Fault(kind=kind, route=route, nth=nth), where))
        assert where.apply(plan).outcome is RunOutcome.ROLLED_BACK
        assert shown(where) == before


def _lasting(fault: Fault, where: Account) -> Fault:
    """A refusal after a release of ours is sent again for a while: so long nothing is accepted."""
    if fault.kind is not Trouble.CAPACITY_SYNC:
        return fault
    until = where.emulator.clock.monotonic() + PATIENCE
    return replace(fault, every=True, until=until)
