"""Where in a plan the list of who may call is set, what undoes it, and what makes it stale."""

from __future__ import annotations

from dataclasses import replace

import pytest

from nvcfplan.checks import check_plan
from nvcfplan.model import DesiredFunction, LiveFunction, LiveSharing, Status, VersionId
from nvcfplan.planning import check_freshness
from nvcfplan.plans import (
    CreateVersion,
    DeleteVersion,
    Deploy,
    Plan,
    Reversible,
    SetAuthorizations,
    Step,
    Task,
    Undeploy,
    VersionRef,
)
from nvcfplan.proving import gather, prove
from tests.planning.builders import (
    account,
    cluster,
    feasible,
    plan,
    running,
    shared,
    specification,
    step_names,
    wanted,
)

CHAT = wanted("chat", specification())
HERE = account(cluster("a"))
OLD = VersionRef(CHAT.address, "old")
NEW = VersionRef(CHAT.address, "new")


def live(*parties: str, status: Status = Status.ACTIVE) -> LiveFunction:
    return replace(running(CHAT, status=status), sharing=LiveSharing(parties=parties))


def made(desired: DesiredFunction, *there: LiveFunction) -> Plan:
    return feasible(plan([desired], HERE, there))


def one(found: Plan, kind: type[Task]) -> Step:
    (step,) = (step for step in found.steps if isinstance(step.task, kind))
    return step


def follows(found: Plan, later: type[Task]) -> bool:
    """Every step of that kind begins after the list is set."""
    order, first = gather(found).order, one(found, SetAuthorizations).id
    return all(order.precedes(first, o.id) for o in found.steps if isinstance(o.task, later))


def test_a_changed_list_alone_is_one_step_that_takes_nothing() -> None:
    found = made(shared(CHAT, "nca-b"), live("nca-c"))
    assert step_names(found) == ["set-authorizations:function.chat@old"]
    (step,) = found.steps
    assert step.task == SetAuthorizations(OLD, ("nca-b",))
    assert step.undo == Reversible((SetAuthorizations(OLD, ("nca-c",)),))
    assert (step.acquire, step.release) == ((), ())


def test_a_new_version_is_made_after_the_list_so_that_it_has_it() -> None:
    desired = shared(wanted("chat", specification(), image="app:2"), "nca-b")
    found = made(desired, live())
    assert follows(found, CreateVersion)
    assert one(found, SetAuthorizations).task == SetAuthorizations(OLD, ("nca-b",))
    assert prove(found) == ()


def test_a_new_version_needs_no_call_where_the_list_stays() -> None:
    desired = shared(wanted("chat", specification(), image="app:2"), "nca-b")
    found = made(desired, live("nca-b"))
    assert not any(isinstance(step.task, SetAuthorizations) for step in found.steps)


def test_a_new_function_is_shared_before_it_is_deployed_and_goes_with_its_version() -> None:
    found = made(shared(CHAT, "nca-b"))
    assert step_names(found)[:2] == [
        "create-function:function.chat@new",
        "set-authorizations:function.chat@new",
    ]
    assert follows(found, Deploy)
    assert one(found, SetAuthorizations).undo == Reversible(())
    assert prove(found) == ()


def test_a_new_function_that_is_wanted_undeployed_is_shared_all_the_same() -> None:
    stored = replace(shared(CHAT, "nca-b"), specifications=())
    assert step_names(made(stored))[-1] == "set-authorizations:function.chat@new"


@pytest.mark.parametrize("status", [Status.ERROR, Status.INACTIVE])
def test_a_function_that_is_mended_is_shared_first(status: Status) -> None:
    found = made(shared(CHAT, "nca-b"), live(status=status))
    assert follows(found, Deploy)
    assert follows(found, Undeploy)
    assert prove(found) == ()


def test_surplus_versions_are_deleted_after_the_list_is_set() -> None:
    function = live()
    (version,) = function.versions
    stored = [
        replace(version, version_id=VersionId(f"v-{n}"), status=Status.INACTIVE, deployment=None)
        for n in range(3)
    ]
    there = replace(function, versions=(*stored, version))
    found = made(shared(CHAT, "nca-b"), there)
    assert any(isinstance(step.task, DeleteVersion) for step in found.steps)
    assert follows(found, DeleteVersion)


def test_a_list_that_moved_since_makes_the_plan_stale() -> None:
    found = made(shared(CHAT, "nca-b"), live("nca-c"))
    assert check_freshness(found, HERE, [live("nca-c")], None).is_fresh
    (moved,) = check_freshness(found, HERE, [live("nca-c", "nca-x")], None).moved
    assert (moved.address, moved.field) == ("function.chat", "authorizedParties")
    assert "nca-x" in moved.found


def test_a_list_that_can_no_longer_be_read_makes_the_plan_stale() -> None:
    found = made(shared(CHAT, "nca-b"), live("nca-c"))
    (moved,) = check_freshness(found, HERE, [running(CHAT)], None).moved
    assert (moved.field, moved.found) == ("authorizedParties", "absent")


def test_the_account_itself_is_not_shared_with() -> None:
    result = check_plan(plan([shared(CHAT, "nca-1")], HERE), HERE)
    assert isinstance(result, Plan)
    assert [one.code for one in result.diagnostics] == ["own-account-shared"]
    assert result.steps == ()
