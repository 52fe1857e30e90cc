"""A drain that outlasts `update.drainTimeout`: ended by force, waited for, or a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import Call, Effect, RepairBegan, RunOutcome, resume, start
from nvcfplan.model import OnDrainTimeout
from nvcfplan.plans import AwaitReleased, Drain, Plan, Undeploy
from tests.applying.builders import CODEC, RUN, SETTINGS, Case, spec, swapped
from tests.applying.driver import Drive, Killed

if TYPE_CHECKING:
    from tests.applying.service import Row, Service, Version

LIMIT = 900
AFTER_THE_PLAN = 4
"""The moment after which the plan stands in the journal."""
SWAPPING = Case(2, [swapped("chat", spec(low=2), spec(low=2))], {"chat": spec(low=2)})


def draining(then: OnDrainTimeout) -> Plan:
    """The swap, each wait for a graceful undeploy with this end of its patience."""
    drain = Drain(LIMIT, then)
    return replace(
        SWAPPING.plan,
        steps=tuple(
            replace(one, task=replace(one.task, drain=drain))
            if isinstance(one.task, AwaitReleased)
            else one
            for one in SWAPPING.plan.steps
        ),
    )


def run(then: OnDrainTimeout, seconds: float) -> tuple[Drive, RunOutcome]:
    service = SWAPPING.service()
    service.drain_seconds = seconds
    made = Drive(start(draining(then), RUN, SETTINGS, CODEC), service)
    return made, made.run()


def is_plain(call: Call) -> bool:
    return isinstance(call.task, Undeploy) and not call.task.graceful


def at(service: Service, call: Call) -> Version:
    assert call.bound is not None
    function, version = call.bound
    assert version is not None
    return service.functions[function][version]


def plain(made: Drive) -> list[str]:
    return [one.step for one in made.calls if is_plain(one)]


@pytest.mark.parametrize("then", list(OnDrainTimeout))
def test_a_drain_that_ends_in_time_is_left_alone(then: OnDrainTimeout) -> None:
    made, outcome = run(then, LIMIT - 1)
    assert outcome is RunOutcome.APPLIED
    assert plain(made) == []


def test_force_undeploys_at_once_and_goes_on() -> None:
    made, outcome = run(OnDrainTimeout.FORCE, 10**6)
    assert outcome is RunOutcome.APPLIED
    assert plain(made)
    began = [one for one in made.events if isinstance(one, RepairBegan)]
    assert len(began) == len(plain(made))
    assert all("what is still queued is lost" in one.reason for one in began)


def test_wait_goes_on_until_the_limit_of_the_step() -> None:
    made, outcome = run(OnDrainTimeout.WAIT, LIMIT * 2)
    assert outcome is RunOutcome.APPLIED
    assert plain(made) == []


def test_fail_undoes_what_was_done() -> None:
    made, outcome = run(OnDrainTimeout.FAIL, LIMIT * 2)
    assert outcome is RunOutcome.ROLLED_BACK
    assert "update.drainTimeout" in made.machine.causes[0].failure.message


def test_a_row_that_force_does_not_end_fails_once() -> None:
    service = SWAPPING.service()
    service.drain_seconds = 10**6
    kept: list[Row] = []

    def keep(call: Call, there: Service) -> None:
        if is_plain(call) and (row := at(there, call).row) is not None:
            kept.append(row)

    def put_back(effect: Effect) -> None:
        if isinstance(effect, Call) and is_plain(effect) and len(kept) == 1:
            at(service, effect).row = kept[0]

    machine = start(draining(OnDrainTimeout.FORCE), RUN, SETTINGS, CODEC)
    made = Drive(machine, service, before_call=keep, after_effect=put_back)
    assert made.run() is RunOutcome.ROLLED_BACK
    assert len([one for one in made.events if isinstance(one, RepairBegan)]) == 1
    assert "update.drainTimeout" in made.machine.causes[0].failure.message


def test_a_run_that_dies_at_any_moment_of_the_force_is_resumed_to_the_same_end() -> None:
    whole, _ = run(OnDrainTimeout.FORCE, 10**6)
    wanted = whole.service.picture()
    for moment in range(AFTER_THE_PLAN, whole.moments + 1):
        service = SWAPPING.service()
        service.drain_seconds = 10**6
        first = Drive(
            start(draining(OnDrainTimeout.FORCE), RUN, SETTINGS, CODEC), service, dies_at=moment
        )
        with pytest.raises(Killed):
            first.run()
        machine = resume(first.records, RUN, SETTINGS, CODEC)
        again = Drive(machine, service, records=first.records)
        assert again.run() is RunOutcome.APPLIED, moment
        assert again.service.picture() == wanted
