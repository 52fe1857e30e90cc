"""What the state becomes after a run: applied, undone, in the middle of it, or gone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import (
    Intent,
    RunOutcome,
    resume,
    start,
    state_after,
    state_with,
    undo,
    unremembered,
)
from nvcfplan.model import (
    AccountIdentity,
    DesiredFunction,
    FunctionId,
    Lifecycle,
    ManagedFunction,
    State,
    VersionId,
    function_address,
    function_key,
)
from nvcfplan.plans import (
    Action,
    AttributeChange,
    Binding,
    Change,
    Means,
    Plan,
    VersionRef,
)
from tests.applying.builders import (
    CODEC,
    RUN,
    SETTINGS,
    Case,
    after,
    config,
    created,
    removed,
    rolled,
    spec,
)
from tests.applying.driver import Drive
from tests.applying.service import Fault

if TYPE_CHECKING:
    from collections.abc import Sequence

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ROLLING = Case(4, [rolled("chat", spec(), spec())], {"chat": spec()})


def state(*keys: str) -> State:
    return State(
        lineage="l",
        serial=3,
        account=AccountIdentity(endpoint="http://fake", org=None, nca_id=None),
        stack="demo",
        environment="default",
        secret_key="00",
        functions=tuple(
            ManagedFunction(
                key=key,
                function_id=FunctionId(f"f-{key}"),
                version_id=VersionId(f"v-{key}"),
                applied=DesiredFunction(key=key, config=config(key), managed=("container_image",)),
                secret_fingerprints=(("TOKEN", "old"),),
            )
            for key in keys
        ),
    )


def drive(case: Case, *, faults: dict[int, Fault] | None = None) -> Drive:
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    made.service.faults = faults or {}
    made.run()
    return made


def after_run(before: State, case: Case, done: Drive) -> State:
    return state_after(
        before,
        case.plan,
        done.records,
        codec=CODEC,
        fingerprints={"chat": (("TOKEN", "new"),)},
        now=NOW,
    )


def test_an_applied_function_is_remembered_with_its_new_version() -> None:
    done = drive(ROLLING)
    remembered = after_run(state("chat"), ROLLING, done)

    (entry,) = remembered.functions
    assert entry.function_id == "f-chat"
    assert entry.version_id in done.service.functions[FunctionId("f-chat")]
    assert entry.version_id != "v-chat"
    assert entry.applied == ROLLING.plan.desired.functions[0]
    assert entry.secret_fingerprints == (("TOKEN", "new"),)
    assert remembered.serial == 4


def test_a_new_function_is_remembered() -> None:
    case = Case(4, [created("chat", spec())])
    remembered = after_run(state(), case, drive(case))

    assert [one.key for one in remembered.functions] == ["chat"]


def test_a_function_rolled_back_keeps_what_it_had() -> None:
    done = drive(ROLLING, faults={2: Fault.REFUSED})
    assert done.outcome is RunOutcome.ROLLED_BACK

    assert after_run(state("chat"), ROLLING, done).functions == state("chat").functions


def test_a_function_in_the_middle_of_a_run_keeps_what_it_had() -> None:
    done = drive(ROLLING)
    done.records = done.records[:6]

    assert after_run(state("chat"), ROLLING, done).functions == state("chat").functions


def changed(key: str, action: Action, *, path: str | None = None) -> Change:
    attribute = AttributeChange(
        path=path or "", before=None, after=None, live=None, means=Means.NEW_VERSION, reason="x"
    )
    return Change(
        address=function_address(key),
        action=action,
        means=(),
        reason="told",
        attributes=(attribute,) if path else (),
    )


def with_changes(case: Case, *changes: Change, wanted: Sequence[DesiredFunction] = ()) -> Plan:
    """The plan in which those functions are wanted; each is carried by `v-KEY`."""
    plan = case.plan
    bound = tuple(
        Binding(
            version=VersionRef(one.address, "old"),
            function_id=FunctionId(f"f-{function_key(one.address)}"),
            version_id=VersionId(f"v-{function_key(one.address)}"),
        )
        for one in changes
    )
    return replace(
        plan,
        changes=changes,
        desired=replace(plan.desired, functions=tuple(wanted)),
        bindings=bound,
    )


def protected(key: str) -> DesiredFunction:
    (known,) = state(key).functions
    return replace(known.applied, lifecycle=Lifecycle(prevent_destroy=True))


def test_a_function_that_is_kept_undeployed_stays_remembered() -> None:
    case = Case(4, [removed("chat", spec())[:-1]], {"chat": spec()})
    plan = with_changes(case, changed("chat", Action.UPDATE))
    records = drive(case).records

    left = state_after(state("chat"), plan, records, codec=CODEC, fingerprints={}, now=NOW)
    assert left.functions == state("chat").functions


@pytest.mark.parametrize("action", [Action.DELETE, Action.FORGET])
def test_a_function_that_is_deleted_or_forgotten_is_not(action: Action) -> None:
    case = Case(4, [removed("chat", spec())], {"chat": spec()})
    plan = with_changes(case, changed("chat", action))
    records = drive(case).records

    left = state_after(state("chat"), plan, records, codec=CODEC, fingerprints={}, now=NOW)
    assert left.functions == ()


def test_a_run_remembers_the_policies_of_functions_it_had_nothing_to_do_for() -> None:
    wanted = [*ROLLING.plan.desired.functions, protected("kept")]
    changes = (changed("chat", Action.UPDATE), changed("kept", Action.NO_OP))
    plan, records = with_changes(ROLLING, *changes, wanted=wanted), drive(ROLLING).records

    for before in (state("chat", "kept"), state("chat")):
        after = state_after(before, plan, records, codec=CODEC, fingerprints={}, now=NOW)
        kept = next(one for one in after.functions if one.key == "kept")
        assert kept.applied == protected("kept")
        assert (kept.function_id, kept.version_id) == ("f-kept", "v-kept")


def test_changed_policies_alone_are_unremembered_until_they_are_written() -> None:
    plan = with_changes(Case(4, []), changed("chat", Action.NO_OP), wanted=[protected("chat")])

    (found,) = unremembered(state("chat"), plan)
    assert found.applied.lifecycle.prevent_destroy
    assert found.secret_fingerprints == (("TOKEN", "old"),)
    written = state_with(state("chat", "other"), [found])
    assert [one.key for one in written.functions] == ["chat", "other"]
    assert written.serial == 4
    assert unremembered(written, plan) == ()


def test_without_state_all_that_is_ours_and_wanted_is_unremembered() -> None:
    plan = with_changes(Case(4, []), changed("chat", Action.NO_OP), wanted=[protected("chat")])

    (found,) = unremembered(None, plan)
    assert (found.function_id, found.version_id) == ("f-chat", "v-chat")
    assert found.applied == protected("chat")


def test_what_waits_for_the_next_version_is_not_remembered_as_applied() -> None:
    wanted = replace(protected("chat"), config=replace(config("chat"), description="new"))
    change = changed("chat", Action.NO_OP, path="description")
    plan = with_changes(Case(4, []), change, wanted=[wanted])

    (found,) = unremembered(state("chat"), plan)
    assert found.applied == protected("chat")
    (adopted,) = unremembered(None, plan)
    assert adopted.applied.managed == ()
    assert adopted.applied.lifecycle.prevent_destroy


def test_an_applied_run_that_is_undone_later_points_at_the_old_version_again() -> None:
    done = drive(ROLLING)
    applied = after_run(state("chat"), ROLLING, done)
    again = Drive(undo(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))
    assert again.run() is RunOutcome.ROLLED_BACK

    (entry,) = after_run(applied, ROLLING, again).functions
    assert entry.version_id == "v-chat"
    assert entry.applied.managed == ()


def test_a_new_function_that_is_undone_later_is_forgotten() -> None:
    case = Case(4, [created("chat", spec())])
    done = drive(case)
    applied = after_run(state(), case, done)
    again = Drive(undo(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))
    assert again.run() is RunOutcome.ROLLED_BACK

    assert after_run(applied, case, again).functions == ()


def test_a_creating_call_that_left_no_trace_is_watched_for() -> None:
    done = drive(ROLLING, faults={1: Fault.DROPPED})
    assert done.outcome is RunOutcome.APPLIED

    assert after_run(state("chat"), ROLLING, done).watched == (done.calls[0].operation,)


def test_a_creating_call_that_was_found_again_is_not_watched_for() -> None:
    done = drive(ROLLING, faults={1: Fault.SWALLOWED})

    assert after_run(state("chat"), ROLLING, done).watched == ()


def test_what_was_applied_cannot_be_undone_past_a_deletion() -> None:
    case = Case(4, [removed("a", spec())], {"a": spec()})
    done = drive(case)
    again = Drive(undo(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))

    assert again.run() is RunOutcome.FAILED
    assert again.machine.blocked is not None
    assert again.machine.blocked.step == "delete-version:function.a@old"
    assert again.effects == []


def test_an_open_run_past_a_deletion_says_so_and_can_only_go_on() -> None:
    gone, fresh = removed("a", spec()), created("b", spec())
    case = Case(4, [gone, (after(fresh[0], gone[-1]), *fresh[1:])], {"a": spec()})
    done = drive(case)
    cut = next(
        index
        for index, record in enumerate(done.records)
        if isinstance(record, Intent) and record.step == "create-function:function.b@new"
    )
    service = case.service()
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), service, interrupt_at=cut)
    assert made.run() is RunOutcome.INTERRUPTED

    undone = Drive(undo(made.records, RUN, SETTINGS, CODEC), service, list(made.records))
    assert undone.run() is RunOutcome.INCOMPLETE
    assert undone.machine.blocked is not None
    assert undone.machine.blocked.step == "delete-version:function.a@old"
    resumed = Drive(resume(undone.records, RUN, SETTINGS, CODEC), service, list(undone.records))
    assert resumed.run() is RunOutcome.APPLIED
    assert service.names() == ["b"]


def test_a_run_that_ended_is_left_as_it_is_when_resumed() -> None:
    done = drive(ROLLING)
    again = Drive(resume(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))

    assert again.run() is RunOutcome.APPLIED
    assert again.effects == []
