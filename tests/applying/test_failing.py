"""Refusals, lack of room and removals: what is undone, what goes on, and how it is said."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import (
    Append,
    ApplySettings,
    Call,
    Effect,
    Failure,
    FailureClass,
    OnFailure,
    Outcome,
    RepairBegan,
    RollbackBegan,
    RunOutcome,
    StepFailed,
    StepStarted,
    resume,
    start,
)
from nvcfplan.model import FunctionId
from nvcfplan.plans import VERBS, CreateVersion, DeleteVersion, Deploy, Undeploy, UpdateDeployment
from tests.applying.builders import (
    CODEC,
    POOL,
    RUN,
    SETTINGS,
    Case,
    after,
    config,
    created,
    removed,
    reshared,
    retagged,
    rolled,
    scaled,
    spec,
    swapped,
)
from tests.applying.driver import Drive, Killed
from tests.applying.service import Fault, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.plans import Task

ROLLING = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
SWAPPING = Case(2, [swapped("chat", spec(low=2), spec(low=2))], {"chat": spec(low=2)})


class GrabBefore:
    """Another tenant takes GPUs right before the first call of a kind is served."""

    def __init__(self, task: type[Task], gpus: int) -> None:
        self._task, self._gpus, self._left = task, gpus, 1

    def __call__(self, call: Call, service: Service) -> None:
        if isinstance(call.task, self._task) and self._left:
            self._left -= 1
            service.others[POOL] = service.others.get(POOL, 0) + self._gpus


def drive(
    case: Case,
    *,
    faults: dict[int, Fault] | None = None,
    refusal: Failure | None = None,
    before_call: Callable[[Call, Service], None] | None = None,
    settings: ApplySettings = SETTINGS,
) -> Drive:
    made = Drive(start(case.plan, RUN, settings, CODEC), case.service())
    made.service.faults = faults or {}
    made.service.refusal = refusal or made.service.refusal
    made.before_call = before_call or made.before_call
    made.run()
    return made


def refuse(task: type[Task]) -> Callable[[Call, Service], None]:
    """Every call of that kind in the first plan, not those that undo."""

    def before(call: Call, service: Service) -> None:
        if isinstance(call.task, task) and not call.step.startswith("undo:"):
            service.faults[len(service.calls) + 1] = Fault.REFUSED

    return before


def test_room_taken_before_the_deployment_leads_back_to_the_start() -> None:
    before = ROLLING.service().picture()
    done = drive(ROLLING, before_call=GrabBefore(Deploy, 3))

    assert done.outcome is RunOutcome.ROLLED_BACK
    assert done.service.picture() == before
    assert done.machine.causes[0].failure.kind == FailureClass.CAPACITY


def test_a_deployment_that_never_gets_its_gpus_is_undone() -> None:
    case = Case(8, [rolled("chat", spec(), spec(low=4))], {"chat": spec()})
    before = case.service().picture()
    done = drive(case, before_call=GrabBefore(Deploy, 5))

    assert done.outcome is RunOutcome.ROLLED_BACK
    assert done.service.picture() == before
    assert done.machine.causes[0].step == "await-active:function.chat@new"


def test_the_cause_is_told_before_anything_is_undone() -> None:
    done = drive(ROLLING, before_call=GrabBefore(Deploy, 3))

    kinds = [type(event) for event in done.events]
    first_undo = next(
        index
        for index, event in enumerate(done.events)
        if isinstance(event, StepStarted) and event.step.startswith("undo:")
    )
    assert kinds.index(StepFailed) < kinds.index(RollbackBegan) < first_undo


def test_no_room_with_nothing_changed_has_a_word_of_its_own() -> None:
    case = Case(4, [scaled("chat", spec(), spec(low=2))], {"chat": spec()})
    refusal = Failure(kind=FailureClass.QUOTA, message="All allocated GPU instances in use")
    done = drive(case, faults={1: Fault.REFUSED}, refusal=refusal)

    assert done.outcome is RunOutcome.NO_CAPACITY


def test_a_refusal_with_nothing_changed_is_a_failure() -> None:
    done = drive(ROLLING, faults={1: Fault.REFUSED})

    assert done.outcome is RunOutcome.FAILED
    assert len(done.calls) == 1


def test_an_independent_component_goes_on_to_its_end() -> None:
    case = Case(10, [rolled("a", spec(), spec()), created("b", spec())], {"a": spec()})
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())

    def refuse_one(call: Call, service: Service) -> None:
        if call.step == "deploy:function.a@new":
            service.faults[len(service.calls) + 1] = Fault.REFUSED

    made.before_call = refuse_one
    assert made.run() is RunOutcome.ROLLED_BACK
    assert made.service.names() == ["a", "b"]
    assert len(made.service.functions[FunctionId("f-a")]) == 1


ALL = replace(SETTINGS, on_failure=OnFailure.ALL)


def test_where_all_is_to_be_undone_nothing_is_done_for_good_before_the_rest_has_ended() -> None:
    """The removal is over long before the deployment is found to starve."""
    parts = [rolled("a", spec(), spec(low=4)), removed("b", spec())]
    case = Case(10, parts, {"a": spec(), "b": spec()})
    before = case.service().picture()
    done = drive(case, before_call=GrabBefore(Deploy, 6), settings=ALL)

    assert done.outcome is RunOutcome.ROLLED_BACK
    assert done.service.picture() == before
    assert drive(case, settings=ALL).outcome is RunOutcome.APPLIED


def test_where_all_is_to_be_undone_and_nothing_was_changed_it_is_said_so() -> None:
    refused = drive(ROLLING, faults={1: Fault.REFUSED}, settings=ALL)
    case = Case(4, [scaled("chat", spec(), spec(low=2))], {"chat": spec()})
    quota = Failure(kind=FailureClass.QUOTA, message="All allocated GPU instances in use")
    full = drive(case, faults={1: Fault.REFUSED}, refusal=quota, settings=ALL)

    assert (refused.outcome, full.outcome) == (RunOutcome.FAILED, RunOutcome.NO_CAPACITY)


def test_the_old_room_grabbed_as_well_blocks_the_rollback_with_the_missing_units() -> None:
    """Both versions need two; another tenant takes both once the old one has gone."""
    case = SWAPPING
    done = drive(case, before_call=GrabBefore(Deploy, 2))

    assert done.outcome is RunOutcome.INCOMPLETE
    blocked = done.machine.blocked
    assert blocked is not None
    assert blocked.step == "undo:deploy:function.chat@old"
    assert [(one.resource, one.missing) for one in blocked.missing] == [("pool:east/H100", 2)]
    assert blocked.remaining == (
        "undo:deploy:function.chat@old",
        "undo:await-active:function.chat@old",
        "undo:delete-version:function.chat@new",
    )


def test_a_blocked_rollback_is_resumed_once_there_is_room() -> None:
    before = SWAPPING.service().picture()
    done = drive(SWAPPING, before_call=GrabBefore(Deploy, 2))
    done.service.others.clear()

    again = Drive(resume(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))

    assert again.run() is RunOutcome.ROLLED_BACK
    assert again.service.picture() == before


def test_a_rollback_that_left_a_dead_deployment_clears_it_away_when_resumed() -> None:
    """One of two GPUs is grabbed: accepted, never served, in error after half an hour."""
    before = SWAPPING.service().picture()
    done = drive(SWAPPING, before_call=GrabBefore(Deploy, 1))
    assert done.outcome is RunOutcome.INCOMPLETE
    blocked = done.machine.blocked
    assert blocked is not None
    assert blocked.step == "undo:await-active:function.chat@old"
    assert [one.missing for one in blocked.missing] == [1]
    done.service.others.clear()

    again = Drive(resume(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))

    assert again.run() is RunOutcome.ROLLED_BACK
    assert again.service.picture() == before


def test_a_repair_that_fails_as_well_is_blocked_again_and_can_be_repeated() -> None:
    before = SWAPPING.service().picture()
    done = drive(SWAPPING, before_call=GrabBefore(Deploy, 1))
    again = Drive(resume(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))
    assert again.run() is RunOutcome.INCOMPLETE
    assert again.machine.blocked is not None
    assert again.machine.blocked.step == "undo:await-active:function.chat@old"
    again.service.others.clear()

    last = Drive(resume(again.records, RUN, SETTINGS, CODEC), again.service, list(again.records))

    assert last.run() is RunOutcome.ROLLED_BACK
    assert last.service.picture() == before


def test_a_repair_that_dies_and_then_finds_no_room_is_blocked_like_any_other() -> None:
    """Who goes on with it has not begun the wait that it mends."""
    done = drive(SWAPPING, before_call=GrabBefore(Deploy, 1))
    machine = resume(done.records, RUN, SETTINGS, CODEC)
    again = Drive(machine, done.service, list(done.records), dies_at=8)
    with pytest.raises(Killed):
        again.run()
    assert any(isinstance(one, RepairBegan) for one in again.events)
    done.service.others[POOL] = 2

    last = Drive(resume(again.records, RUN, SETTINGS, CODEC), again.service, list(again.records))

    assert last.run() is RunOutcome.INCOMPLETE
    assert last.machine.blocked is not None
    assert last.machine.blocked.step == "undo:await-active:function.chat@old"


def test_what_died_while_nobody_looked_is_done_again_by_whoever_resumes_the_rollback() -> None:
    done = drive(SWAPPING, before_call=GrabBefore(Deploy, 1))
    undone = done.service
    undone.others.clear()
    before = SWAPPING.service().picture()
    cut = next(
        index
        for index, one in enumerate(done.records)
        if isinstance(one, Outcome) and one.step == "undo:deploy:function.chat@old"
    )
    records = done.records[: cut + 1]
    for versions in undone.functions.values():
        for version in versions.values():
            version.row = None

    again = Drive(resume(records, RUN, SETTINGS, CODEC), undone, list(records))

    assert again.run() is RunOutcome.ROLLED_BACK
    assert undone.picture() == before


def test_after_what_cannot_be_undone_the_only_way_is_forward() -> None:
    gone, steps = removed("a", spec()), created("b", spec())
    case = Case(4, [gone, (after(steps[0], gone[-1]), *steps[1:])], {"a": spec()})

    done = drive(case, before_call=refuse(Deploy))
    assert done.outcome is RunOutcome.INCOMPLETE
    blocked = done.machine.blocked
    assert blocked is not None
    assert blocked.step == "deploy:function.b@new"
    assert not any(call.step.startswith("undo:") for call in done.calls)

    again = Drive(resume(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))
    assert again.run() is RunOutcome.APPLIED
    assert again.service.names() == ["b"]


def test_a_version_that_is_deployed_is_not_deleted() -> None:
    """Somebody deploys the old version again between its release and its deletion."""
    case = Case(4, [removed("a", spec())], {"a": spec()})
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    service = made.service

    def deploy_again(effect: Effect) -> None:
        if not isinstance(effect, Append) or not isinstance(effect.record, Outcome):
            return
        if effect.record.step == "await-released:function.a@old":
            service.add("f-a", "v-a", config("a"), spec())

    made.after_effect = deploy_again
    assert made.run() is RunOutcome.ROLLED_BACK
    assert service.forced == []
    assert DeleteVersion not in {type(call.task) for call in made.calls}


def test_a_draining_undeployment_is_ended_the_plain_way_before_going_back() -> None:
    case = SWAPPING
    service = case.service()
    service.drain_seconds = 5000
    before = service.picture()
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), service)

    assert made.run() is RunOutcome.ROLLED_BACK
    assert made.service.picture() == before
    assert "drain" in made.machine.causes[0].failure.message


def test_a_busy_service_is_asked_again() -> None:
    done = drive(ROLLING, faults={1: Fault.BUSY, 2: Fault.BUSY})

    assert done.outcome is RunOutcome.APPLIED
    assert sum(isinstance(call.task, CreateVersion) for call in done.calls) == 3


def test_a_service_that_stays_busy_is_given_up() -> None:
    done = drive(ROLLING, faults=dict.fromkeys(range(1, 30), Fault.BUSY))

    assert done.outcome is RunOutcome.FAILED
    assert len(done.calls) == SETTINGS.most_attempts


def test_units_given_back_by_this_run_are_waited_for_when_they_come_late() -> None:
    """A refusal for capacity is repeated, because the GPUs were our own a moment ago."""
    done = Drive(start(SWAPPING.plan, RUN, SETTINGS, CODEC), SWAPPING.service())

    def hold_for_a_while(call: Call, service: Service) -> None:
        if isinstance(call.task, Deploy) and not service.waited:
            service.releases.append((service.now + 200, POOL, 2))

    done.before_call = hold_for_a_while
    assert done.run() is RunOutcome.APPLIED
    assert done.service.waited == ["deploy:function.chat@new"] * len(done.service.waited)


def test_metadata_is_put_back_when_a_later_step_of_its_function_fails() -> None:
    tag = retagged("a", "after")
    update = scaled("a", spec(), spec(low=2))
    case = Case(4, [tag, (after(update[0], tag[0]), *update[1:])], {"a": spec()})
    before = case.service().picture()

    done = drive(case, before_call=refuse(UpdateDeployment))
    assert done.outcome is RunOutcome.ROLLED_BACK
    assert done.service.picture() == before


def test_who_may_call_is_put_back_when_a_later_step_of_its_function_fails() -> None:
    share = reshared("a", "nca-b")
    update = scaled("a", spec(), spec(low=2))
    case = Case(4, [share, (after(update[0], share[0]), *update[1:])], {"a": spec()})
    before = case.service().picture()

    done = drive(case, before_call=refuse(UpdateDeployment))
    assert done.outcome is RunOutcome.ROLLED_BACK
    assert done.service.picture() == before


@pytest.mark.parametrize(
    ("fault", "sent"), [(Fault.DROPPED, 2), (Fault.SWALLOWED, 1), (Fault.LATE, 1)]
)
def test_a_lost_answer_about_who_may_call_is_settled_by_reading(fault: Fault, sent: int) -> None:
    case = Case(4, [reshared("a", "nca-b")], {"a": spec()})
    done = drive(case, faults={1: fault})

    assert done.outcome is RunOutcome.APPLIED
    assert done.service.parties == {FunctionId("f-a"): ("nca-b",)}
    assert len(done.calls) == sent


@pytest.mark.parametrize("fault", [Fault.DROPPED, Fault.SWALLOWED, Fault.LATE])
@pytest.mark.parametrize("number", range(1, 5))
def test_a_lost_answer_is_settled_by_asking(fault: Fault, number: int) -> None:
    done = drive(ROLLING, faults={number: fault})

    assert done.outcome is RunOutcome.APPLIED
    assert done.service.names() == ["chat"]
    assert len(done.service.functions[FunctionId("f-chat")]) == 2
    verbs = [VERBS[type(call.task)] for call in done.calls]
    assert verbs.count("create-version") == (2 if (fault, number) == (Fault.DROPPED, 1) else 1)
    assert Undeploy in {type(call.task) for call in done.calls}
