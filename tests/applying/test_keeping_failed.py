"""What failed keeps its version, wherever the run is cut off and however it is gone on with."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import Failure, FailureClass, RunOutcome, resume, start, undo
from nvcfplan.model import Lifecycle, kept_until
from nvcfplan.plans import Deploy
from tests.applying.builders import CODEC, NOW, RUN, SETTINGS, Case, created, rolled, spec
from tests.applying.driver import Drive, Killed
from tests.applying.service import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.applying import ApplyMachine, Call
    from nvcfplan.plans import Plan
    from tests.applying.service import Service, Version

HOUR = timedelta(hours=1)
ROLLING = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
NEW = Case(4, [created("chat", spec())])


def keeping(plan: Plan) -> Plan:
    functions = tuple(
        replace(one, lifecycle=Lifecycle(keep_failed=HOUR)) for one in plan.desired.functions
    )
    return replace(plan, desired=replace(plan.desired, functions=functions))


def failing(call: Call, service: Service) -> None:
    """Every deployment that leads to what is wanted."""
    if isinstance(call.task, Deploy) and not call.step.startswith("undo:"):
        service.faults[len(service.calls) + 1] = Fault.REFUSED


def began(case: Case, kind: FailureClass, *, dies_at: int | None = None) -> Drive:
    made = Drive(start(keeping(case.plan), RUN, SETTINGS, CODEC), case.service(), dies_at=dies_at)
    made.service.refusal = Failure(kind=kind, message="not this image", status=400)
    made.before_call = failing
    return made


def gone_on(done: Drive, take: Callable[..., ApplyMachine]) -> Drive:
    machine = take(tuple(done.records), RUN, SETTINGS, CODEC)
    return Drive(machine, done.service, done.records, before_call=failing)


def failed(service: Service) -> list[Version]:
    return [
        version
        for versions in service.functions.values()
        for version in versions.values()
        if kept_until(version.config.tags) is not None
    ]


@pytest.mark.parametrize("case", [ROLLING, NEW], ids=["rolling", "new"])
def test_version_that_failed_is_kept_undeployed_from_then_on(case: Case) -> None:
    done = began(case, FailureClass.IMAGE_PULL)

    assert done.run() is RunOutcome.ROLLED_BACK

    (version,) = failed(done.service)
    assert version.row is None
    until = kept_until(version.config.tags)
    assert until is not None
    assert HOUR <= until - NOW <= HOUR + timedelta(seconds=done.service.now)


def test_version_for_which_there_was_no_room_is_deleted() -> None:
    done = began(ROLLING, FailureClass.CAPACITY)
    done.run()

    assert failed(done.service) == []


@pytest.mark.parametrize("take", [resume, undo], ids=["resume", "rollback"])
@pytest.mark.parametrize("case", [ROLLING, NEW], ids=["rolling", "new"])
def test_run_that_dies_at_any_moment_keeps_it_all_the_same(
    case: Case, take: Callable[..., ApplyMachine]
) -> None:
    whole = began(case, FailureClass.IMAGE_PULL)
    whole.run()
    refused = next(
        place for place, one in enumerate(whole.records, 1) if "not this image" in repr(one)
    )
    for moment in range(1, whole.moments + 1):
        done = began(case, FailureClass.IMAGE_PULL, dies_at=moment)
        with pytest.raises(Killed):
            done.run()
        is_known = len(done.records) >= refused
        done = gone_on(done, take)
        done.run()
        if is_known:
            assert [one.row for one in failed(done.service)] == [None], moment
        assert not any(one.row for one in failed(done.service)), moment
