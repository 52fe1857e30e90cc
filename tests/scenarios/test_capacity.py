"""No room: found while planning, met while applying, and met with the way back blocked."""

from __future__ import annotations

import pytest

from nvcfplan.emulator.rules import Trouble
from nvcfplan.emulator.serving import Fault
from tests.scenarios.conftest import Workshop, as_before, codes, h100, stack

POOL = "nvcf-gcp-prod-asiase1-a"
DELETE_FIRST = "update: { order: delete-first, downtime: allowed, keepVersions: 0 }"


def _grab_before_deploying(workshop: Workshop, function: str) -> None:
    workshop.emulator().add_fault(
        Fault(kind=Trouble.GRAB, route="deploy", function=function, cluster=POOL, gpu="H100")
    )


def test_a_bump_that_cannot_fit_is_refused_with_units_and_users(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=3), h100("rank", instances=1)))
    workshop.apply(".")
    seen = workshop.events()
    workshop.write(
        "stack.yaml", stack(h100("chat", image="2.0.0", instances=3), h100("rank", instances=1))
    )

    said = workshop.plan(".")

    assert said.code == 1
    assert f"pool:{POOL}/H100" in said.out
    assert "needs 2 more" in said.out, "two of three keep serving, and two more have to start"
    assert "chat" in said.out
    assert workshop.apply(".").code == 1
    assert workshop.events() == seen


def test_room_taken_by_a_tenant_is_rolled_back_to_the_account_before(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    workshop.apply(".")
    before = workshop.account()
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=2)))
    _grab_before_deploying(workshop, "chat")

    said = workshop.apply(".")

    assert said.code == 3
    assert "no available clusters with capacity for H100" in said.err + said.out
    assert said.err.index("Cause") < said.err.index("deleting the version")
    assert workshop.account() == before


def test_a_deployment_that_starves_after_being_accepted_is_rolled_back(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    workshop.apply(".")
    before = workshop.account()
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=2)))
    workshop.emulator().add_fault(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy"))

    said = workshop.apply(".")

    assert said.code == 3
    assert as_before(workshop.account()) == as_before(before)


@pytest.mark.parametrize(
    ("fault", "said_why"),
    [
        (
            Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy", is_silent=True),
            "capacity: no instance appeared within",
        ),
        (
            Fault(kind=Trouble.BREAK, route="deploy", failure="image-pull"),
            "image-pull: pod terminated due to state image-pull-issues",
        ),
        (
            Fault(kind=Trouble.BREAK, route="deploy", failure="model-not-found", instances=1),
            "model-not-found: pod terminated due to state container-restart-loop",
        ),
    ],
)
def test_a_deployment_that_fails_after_being_accepted_is_named_and_undone(
    workshop: Workshop, fault: Fault, said_why: str
) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=1)))
    workshop.plan(".")
    workshop.emulator().add_fault(fault)

    said = workshop.apply(".")

    assert said.code == 3
    assert said_why in " ".join((said.err + said.out).split())
    assert "try: " in said.out
    assert workshop.account() == []


def test_no_room_for_the_first_step_is_no_capacity_and_nothing_changed(workshop: Workshop) -> None:
    workshop.write("stack.yaml", stack(h100("chat", instances=2)))
    workshop.plan(".")
    _grab_before_deploying(workshop, "chat")

    said = workshop.apply(".")

    assert said.code in (3, 7)
    assert workshop.account() == []


def _blocked(workshop: Workshop) -> list[dict[str, object]]:
    """A delete-first bump whose old room is gone when the new version asks for it."""
    workshop.write("stack.yaml", stack(h100("chat", instances=4, more=DELETE_FIRST)))
    workshop.apply(".")
    before = workshop.account()
    workshop.write("stack.yaml", stack(h100("chat", image="2.0.0", instances=4, more=DELETE_FIRST)))
    _grab_before_deploying(workshop, "chat")
    said = workshop.apply("-json", ".")
    assert said.code == 4
    blocked = said.document["blocked"]
    assert isinstance(blocked, dict)
    (shortage,) = blocked["missing"]
    assert (shortage["resource"], shortage["missing"]) == (f"pool:{POOL}/H100", 8)
    assert blocked["remaining"]
    return before


def test_a_blocked_rollback_names_the_missing_units_and_a_new_apply_is_refused(
    workshop: Workshop,
) -> None:
    _blocked(workshop)
    said = workshop.apply(".")
    assert (said.code, codes(said.err)) == (1, ["run-open"])


def test_a_blocked_rollback_is_finished_by_resume_once_there_is_room(workshop: Workshop) -> None:
    before = _blocked(workshop)
    workshop.emulator().give_back(POOL, "H100", 8)
    said = workshop.type("resume", "--emulator", ".")
    assert said.code == 3
    assert as_before(workshop.account()) == as_before(before)


def test_a_blocked_rollback_is_finished_by_rollback_once_there_is_room(workshop: Workshop) -> None:
    before = _blocked(workshop)
    workshop.emulator().give_back(POOL, "H100", 8)
    said = workshop.type("rollback", "--emulator", ".")
    assert said.code == 0
    assert as_before(workshop.account()) == as_before(before)


def test_a_blocked_rollback_tried_again_too_early_stays_resumable(workshop: Workshop) -> None:
    _blocked(workshop)
    assert workshop.type("resume", "--emulator", ".").code == 4
    assert workshop.type("resume", "--emulator", ".").code == 4
