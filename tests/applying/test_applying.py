"""A plan without trouble: what is done in which order, and what is written down."""

from __future__ import annotations

from nvcfplan.applying import (
    Intent,
    Outcome,
    PlanTaken,
    RunEnded,
    RunFinished,
    RunOutcome,
    RunStarted,
    StepSucceeded,
    start,
)
from nvcfplan.plans import VERBS, AwaitActive, AwaitReleased, Deploy, Undeploy
from tests.applying.builders import (
    CODEC,
    RUN,
    SETTINGS,
    Case,
    created,
    removed,
    retagged,
    rolled,
    scaled,
    spec,
    swapped,
)
from tests.applying.driver import Drive


def drive(case: Case) -> Drive:
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    made.run()
    return made


def test_a_new_function_is_created_deployed_and_awaited() -> None:
    done = drive(Case(4, [created("chat", spec())]))

    assert done.outcome is RunOutcome.APPLIED
    assert [VERBS[type(call.task)] for call in done.calls] == ["create-function", "deploy"]
    assert done.service.names() == ["chat"]


def test_the_old_version_goes_only_after_the_new_one_is_active() -> None:
    done = drive(Case(4, [rolled("chat", spec(), spec())], {"chat": spec()}))

    ended = [event for event in done.events if isinstance(event, StepSucceeded)]
    order = [type(event.task) for event in ended]
    assert order.index(AwaitActive) < order.index(Undeploy)


def test_gpus_of_our_own_are_taken_again_only_once_they_show() -> None:
    done = drive(Case(2, [swapped("chat", spec(low=2), spec(low=2))], {"chat": spec(low=2)}))

    assert done.outcome is RunOutcome.APPLIED
    assert done.service.waited == []


def test_every_kind_of_change_is_carried_out() -> None:
    case = Case(
        20,
        [
            created("a", spec()),
            rolled("b", spec(), spec(low=2)),
            scaled("c", spec(), spec(low=3)),
            scaled("d", spec(low=4, high=4), spec(low=1, high=2)),
            retagged("e", "after"),
            removed("f", spec()),
        ],
        {key: spec() for key in "bcef"} | {"d": spec(low=4, high=4)},
    )
    done = drive(case)

    assert done.outcome is RunOutcome.APPLIED
    assert done.service.names() == ["a", "b", "c", "d", "e"]
    assert done.service.forced == []


def test_a_call_leaves_only_after_its_intent_is_written() -> None:
    done = drive(Case(4, [created("chat", spec())]))

    kinds = [type(record) for record in done.records]
    assert kinds[:2] == [RunStarted, PlanTaken]
    assert kinds[2:6] == [Intent, Outcome, Intent, Outcome]
    assert kinds[-1] is RunEnded


def test_no_more_steps_are_in_flight_than_allowed() -> None:
    case = Case(100, [created(f"f{number:02}", spec()) for number in range(30)])
    machine = start(case.plan, RUN, SETTINGS, CODEC)
    service, most, open_calls = case.service(), 0, set[int]()
    made = Drive(machine, service)
    made.run()
    for record in made.records:
        if isinstance(record, Intent):
            open_calls.add(hash(record.step))
            most = max(most, len(open_calls))
        if isinstance(record, Outcome):
            open_calls.discard(hash(record.step))

    assert most == SETTINGS.parallelism


def test_the_last_event_says_how_it_ended() -> None:
    done = drive(Case(4, [created("chat", spec())]))

    last = done.events[-1]
    assert isinstance(last, RunFinished)
    assert last.outcome is RunOutcome.APPLIED
    assert AwaitReleased not in {type(call.task) for call in done.calls}
    assert Deploy in {type(call.task) for call in done.calls}
