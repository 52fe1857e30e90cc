"""Steps that only look: when a version counts as serving, when GPUs count as given back."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from nvcfplan.applying import (
    Append,
    Effect,
    FailureClass,
    Outcome,
    RunOutcome,
    StepFailed,
    StepSucceeded,
    StepWaiting,
    start,
)
from nvcfplan.applying.readiness import (
    Absent,
    Broken,
    Coming,
    Ready,
    held,
    is_within_maximum,
    readiness,
)
from nvcfplan.model import (
    Claim,
    DeploymentId,
    FunctionId,
    GpuSpecification,
    GpuSpecificationId,
    HealthNote,
    LiveDeployment,
    LiveInstance,
    LiveSpecification,
    LiveVersion,
    Publication,
    Status,
    StepId,
    VersionId,
)
from nvcfplan.plans import AwaitReleased, Probe
from tests.applying.builders import (
    CODEC,
    H100,
    POOL,
    RUN,
    SETTINGS,
    Case,
    after,
    config,
    created,
    removed,
    rolled,
    scaled,
    spec,
    step,
    swapped,
)
from tests.applying.driver import Drive


def version(
    status: Status,
    *specifications: GpuSpecification,
    running: int = 0,
    starting: int = 0,
    errors: tuple[str, ...] = (),
    location: str = "east",
) -> LiveVersion:
    row = LiveDeployment(
        function_id=FunctionId("f"),
        version_id=VersionId("v"),
        deployment_id=DeploymentId("d"),
        status=status,
        specifications=tuple(
            LiveSpecification(id=GpuSpecificationId(one.key), specification=one)
            for one in specifications or (spec(),)
        ),
        health=tuple(HealthNote(instance_type="H100_1x", error=error) for error in errors),
    )
    return LiveVersion(
        function_id=FunctionId("f"),
        version_id=VersionId("v"),
        nca_id="n",
        status=status,
        config=config("chat"),
        created_at=None,
        deployment=row,
        instances=tuple(
            LiveInstance(
                id=str(number),
                gpu="H100",
                instance_type="H100_1x",
                location=location,
                is_running=number < running,
                created_at=None,
            )
            for number in range(running + starting)
        ),
    )


def test_active_with_its_minimum_running_serves() -> None:
    assert readiness(version(Status.ACTIVE, spec(low=2), running=2)) == Ready()


def test_active_by_word_but_below_its_raised_minimum_does_not_serve_yet() -> None:
    assert isinstance(readiness(version(Status.ACTIVE, spec(low=2), running=1)), Coming)


def test_active_without_an_instance_to_see_may_serve_unseen() -> None:
    found = readiness(version(Status.ACTIVE, spec(low=2)))
    assert found == Coming("ACTIVE, 0 of 2 instances running", is_short=True, is_unseen=True)
    idle = readiness(version(Status.ACTIVE, spec(), spec(key="b", low=0)))
    assert isinstance(idle, Coming)
    assert (idle.is_unseen, idle.may_idle) == (True, True)


def test_instances_that_only_start_do_not_count() -> None:
    assert isinstance(readiness(version(Status.ACTIVE, spec(), starting=1)), Coming)


def test_instances_elsewhere_do_not_count_for_a_pinned_specification() -> None:
    found = readiness(version(Status.ACTIVE, spec(), running=1, location="west"))
    assert isinstance(found, Coming)


def test_two_specifications_of_one_type_need_their_minima_together() -> None:
    both = (spec(key="a"), spec(key="b"))
    assert isinstance(readiness(version(Status.ACTIVE, *both, running=1)), Coming)
    assert readiness(version(Status.ACTIVE, *both, running=2)) == Ready()


def test_specifications_of_one_type_in_two_groups_wait_for_all_of_both() -> None:
    parts = [
        replace(spec(key=name, low=4), clusters=(), backend=name, gpu=gpu)
        for name, gpu in (("a", "H100"), ("b", "h100"))
    ]
    found = readiness(version(Status.ACTIVE, *parts, running=7))
    assert found == Coming("ACTIVE, 7 of 8 instances running", is_short=True)
    assert isinstance(readiness(version(Status.DEPLOYING, *parts, running=8)), Coming)
    assert readiness(version(Status.ACTIVE, *parts, running=8)) == Ready()


@pytest.mark.parametrize("clusters", [(), ("east",)])
def test_names_of_gpu_and_instance_type_match_in_any_case(clusters: tuple[str, ...]) -> None:
    wanted = replace(spec(low=2, high=2), gpu="h100", instance_type="h100_1X", clusters=clusters)
    served = version(Status.ACTIVE, wanted, running=2)
    assert readiness(served) == Ready()
    assert is_within_maximum(served)
    assert not is_within_maximum(version(Status.ACTIVE, wanted, running=3))


def test_gpus_held_are_counted_whatever_the_case_of_their_names() -> None:
    where = Case(4, []).service().account()
    (one,) = version(Status.ACTIVE, running=1).instances or ()
    assert held(where, (POOL,), [replace(one, gpu="h100", instance_type="h100_1X")]) == 1
    assert held(where, (POOL,), [replace(one, location="East")]) == 0, "clusters do not fold"


def test_a_minimum_of_zero_serves_when_active() -> None:
    assert readiness(version(Status.ACTIVE, spec(low=0))) == Ready()


def test_part_of_a_deployment_without_room_fails_at_once() -> None:
    found = readiness(
        version(Status.DEPLOYING, running=1, errors=("Capacity not available at this time",))
    )
    assert isinstance(found, Broken)
    assert found.failure.kind == FailureClass.CAPACITY


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("pod terminated due to state container-restart-loop", FailureClass.RESTART_LOOP),
        ("ErrImagePull", FailureClass.IMAGE_PULL),
        ("/config/models/llm: no such file", FailureClass.MODEL_NOT_FOUND),
        ("degraded-worker", FailureClass.CONFIGURATION),
    ],
)
def test_part_of_a_deployment_that_will_never_come_up_fails_at_once(
    error: str, kind: FailureClass
) -> None:
    found = readiness(version(Status.DEPLOYING, running=1, errors=(error,)))
    assert isinstance(found, Broken)
    assert found.failure.kind == kind


@pytest.mark.parametrize("error", ["PREEMPTED", "something odd", "under reconfiguration"])
def test_other_trouble_while_deploying_is_waited_out(error: str) -> None:
    found = readiness(version(Status.DEPLOYING, errors=(error,)))
    assert isinstance(found, Coming)
    assert not found.is_short


def test_error_without_a_known_reason_is_unknown() -> None:
    for errors in ((), ("Missing healthInfo or no errors in healthInfo.errorLog.",)):
        found = readiness(version(Status.ERROR, errors=errors))
        assert isinstance(found, Broken)
        assert found.failure.kind == FailureClass.UNKNOWN


@pytest.mark.parametrize("status", [Status.DEPLOYING, Status.DEGRADING, Status.DEGRADED])
def test_instances_that_are_not_even_starting_make_a_deployment_short(status: Status) -> None:
    found = readiness(version(status, spec(low=4), running=3))
    assert isinstance(found, Coming)
    assert found.is_short
    complete = readiness(version(status, spec(low=4), running=4))
    assert isinstance(complete, Coming)
    assert not complete.is_short


def test_an_error_is_classified_by_its_first_telling_note() -> None:
    notes = ("something odd", "instance-terminated-no-capacity")
    found = readiness(version(Status.ERROR, errors=notes))
    assert isinstance(found, Broken)
    assert found.failure.kind == FailureClass.CAPACITY
    assert found.failure.message == "something odd; instance-terminated-no-capacity"


@pytest.mark.parametrize("found", [None, replace(version(Status.ACTIVE), deployment=None)])
def test_a_version_that_is_gone_or_undeployed_is_absent(found: LiveVersion | None) -> None:
    assert isinstance(readiness(found), Absent)


def test_no_instance_for_half_an_hour_is_a_suspected_lack_of_capacity() -> None:
    case = Case(8, [created("chat", spec(low=4))])
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    service = made.service
    service.others[POOL] = 6
    # The service never says that it failed: the first silent form of nvcf-api.md 6.2.
    made.after_effect = lambda _effect: _stay_young(made)

    assert made.run() is RunOutcome.ROLLED_BACK
    (failed,) = [event for event in made.events if isinstance(event, StepFailed)]
    assert failed.failure.kind == FailureClass.CAPACITY
    assert "suspected" in failed.failure.message
    assert 1800 <= failed.elapsed_seconds < 1900


def test_raised_minimum_that_finds_no_room_is_a_suspected_lack_of_capacity_once_it_stalls() -> None:
    case = Case(4, [scaled("chat", spec(), spec(low=2))], {"chat": spec()})
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    # Nothing is said of it: the second silent form of nvcf-api.md 6.2.
    made.service.others[POOL] = 3

    assert made.run() is RunOutcome.ROLLED_BACK
    (failed,) = [event for event in made.events if isinstance(event, StepFailed)]
    assert failed.failure.kind == FailureClass.CAPACITY
    assert "not even starting" in failed.failure.message
    assert 2700 <= failed.elapsed_seconds < 2800


def test_a_deployment_that_goes_on_coming_up_does_not_stall() -> None:
    """Each instance takes almost as long as nothing may change, and all of them longer."""
    case = Case(4, [scaled("chat", spec(), spec(low=3))], {"chat": spec()})
    settings = replace(SETTINGS, active_limit=20_000)
    made = Drive(start(case.plan, RUN, settings, CODEC), case.service())
    made.service.others[POOL] = 3

    def come_up(_effect: Effect) -> None:
        for versions in made.service.functions.values():
            for stored in versions.values():
                for placed in stored.row.placed if stored.row else ():
                    placed.running = min(3, 1 + int(made.service.now // 2500))

    made.after_effect = come_up
    assert made.run() is RunOutcome.APPLIED
    (waited,) = [
        one for one in made.events if isinstance(one, StepSucceeded) and one.elapsed_seconds > 60
    ]
    assert waited.elapsed_seconds > 5000


def test_what_is_waited_for_by_many_is_looked_at_less_often_by_each() -> None:
    def looks(count: int) -> float:
        parts = [created(f"f{number}", spec()) for number in range(count)]
        case = Case(count, parts)
        made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
        assert made.run() is RunOutcome.APPLIED
        waits = [one for one in made.events if isinstance(one, StepWaiting)]
        return len(waits) / count

    assert looks(60) < looks(2) / 1.5


def test_those_that_began_together_do_not_look_together() -> None:
    parts = [created(f"f{number}", spec()) for number in range(10)]
    case = Case(10, parts)
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    made.run()
    waits = [
        one for one in made.events if isinstance(one, StepWaiting) and one.elapsed_seconds > 20
    ]
    at_once = Counter(round(one.at) for one in waits)
    assert waits
    assert max(at_once.values()) < 8


def _stay_young(made: Drive) -> None:
    for versions in made.service.functions.values():
        for stored in versions.values():
            if stored.row is not None:
                stored.row.since = made.service.now


def test_a_deployment_removed_by_somebody_while_waiting_fails() -> None:
    case = Case(4, [created("chat", spec())])
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())

    def remove(effect: Effect) -> None:
        if not isinstance(effect, Append) or not isinstance(effect.record, Outcome):
            return
        if effect.record.step == "deploy:function.chat@new":
            for versions in made.service.functions.values():
                for stored in versions.values():
                    stored.row = None

    made.after_effect = remove
    assert made.run() is RunOutcome.ROLLED_BACK
    assert "somebody removed it" in made.machine.causes[0].failure.message


def released(made: Drive) -> StepSucceeded:
    (found,) = [
        event
        for event in made.events
        if isinstance(event, StepSucceeded) and isinstance(event.task, AwaitReleased)
    ]
    return found


def test_gpus_count_as_given_back_once_the_account_shows_them() -> None:
    case = Case(2, [swapped("chat", spec(low=2), spec(low=2))], {"chat": spec(low=2)})
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())

    assert made.run() is RunOutcome.APPLIED
    assert 300 <= released(made).elapsed_seconds < SETTINGS.release_lag


def test_gpus_that_another_tenant_took_count_as_given_back_after_the_lag() -> None:
    case = Case(2, [swapped("chat", spec(low=2), spec(low=2))], {"chat": spec(low=2)})
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())

    def grab(_effect: Effect) -> None:
        if made.service.releases and made.service.now >= made.service.releases[0][0]:
            made.service.others[POOL] = 2

    made.after_effect = grab
    made.run()
    assert released(made).elapsed_seconds == pytest.approx(SETTINGS.release_lag, abs=2)


def test_one_release_that_shows_is_not_taken_for_two() -> None:
    """Both give back two in the same pool; only one of them shows for a while."""
    parts = [removed(key, spec(low=2)) for key in "ab"]
    case = Case(4, parts, {key: spec(low=2) for key in "ab"})
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())

    def hold(_effect: Effect) -> None:
        if len(made.service.releases) == 2:
            shown, (until, pool, gpus) = made.service.releases
            made.service.releases[:] = [shown, (until + 1000, pool, gpus)]
            made.after_effect = lambda _effect: None

    made.after_effect = hold
    assert made.run() is RunOutcome.APPLIED
    ends = [
        event.elapsed_seconds
        for event in made.events
        if isinstance(event, StepSucceeded) and isinstance(event.task, AwaitReleased)
    ]
    assert ends == [pytest.approx(SETTINGS.release_lag, abs=2)] * 2


def test_a_lowered_maximum_gives_back_what_ran_above_it() -> None:
    case = Case(
        4, [scaled("a", spec(low=4, high=4), spec(low=1, high=2))], {"a": spec(low=4, high=4)}
    )
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())

    assert made.run() is RunOutcome.APPLIED
    assert 300 <= released(made).elapsed_seconds < SETTINGS.release_lag


def test_a_probe_stops_before_a_step_whose_units_are_not_there() -> None:
    probe = step(Probe((H100,)))
    create, deploy, active = created("chat", spec(low=2))
    case = Case(4, [(probe, create, after(deploy, probe), active)])
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    made.service.others[POOL] = 3

    made.run()
    causes = {cause.step: cause.failure for cause in made.machine.causes}
    assert causes[StepId("probe:pool:east/H100")].kind == FailureClass.CAPACITY
    assert "1 free, 2 are needed" in causes[StepId("probe:pool:east/H100")].message
    assert "deploy:function.chat@new" not in {call.step for call in made.calls}


def test_what_another_apply_will_take_is_no_room_for_a_probe() -> None:
    probe = step(Probe((H100,)))
    create, deploy, active = created("chat", spec(low=2))
    case = Case(4, [(probe, create, after(deploy, probe), active)])
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    made.service.published = (Publication(stack="other@default", claims=(Claim((POOL,), 3),)),)

    made.run()
    (cause,) = made.machine.causes
    assert cause.failure.kind == FailureClass.CAPACITY
    assert "4 free (3 of them spoken for by running applies), 2 are needed" in cause.failure.message


def test_waiting_is_told_with_what_was_seen() -> None:
    case = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    made.run()

    reasons = [event.reason for event in made.events if isinstance(event, StepWaiting)]
    assert "DEPLOYING, 0 of 1 instances running" in reasons
    assert "undeployed; its GPUs do not show as free yet" in reasons
