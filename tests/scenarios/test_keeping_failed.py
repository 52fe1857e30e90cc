"""A version that failed is kept, undeployed, for as long as the stack says; then it is swept."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.rules import Fault, Trouble, When
from tests.scenarios.conftest import Workshop, h100, stack

if TYPE_CHECKING:
    from tests.scenarios.conftest import Said

KEEP = "lifecycle: { keepFailed: 6h }"
OVER = 6 * 3600


def breaks(workshop: Workshop, failure: str = "restart-loop") -> None:
    fault = Fault(kind=Trouble.BREAK, route="deploy", function="chat", failure=failure)
    workshop.emulator().add_fault(fault)


def tags(version: dict[str, object]) -> list[str]:
    found = version["tags"]
    assert isinstance(found, list)
    return [str(one) for one in found]


def kept(workshop: Workshop) -> list[dict[str, object]]:
    """Versions that say of themselves that they failed."""
    return [
        one
        for one in workshop.account()
        if any(tag.startswith("nvcfplan:failed=") for tag in tags(one))
    ]


def serving(workshop: Workshop) -> list[object]:
    return [one["containerImage"] for one in workshop.account() if one["status"] == "ACTIVE"]


def wants(workshop: Workshop, image: str, *, more: str = KEEP) -> None:
    workshop.write("stack.yaml", stack(h100("chat", image=image, more=more)))


def fail_new_version(workshop: Workshop, *words: str) -> Said:
    """Version 1.0.0 serves; 2.0.0 was tried and failed."""
    wants(workshop, "1.0.0")
    assert workshop.apply(".").code == 0
    breaks(workshop)
    wants(workshop, "2.0.0")
    return workshop.apply(".", *words)


def fail_first_version(workshop: Workshop) -> Said:
    wants(workshop, "1.0.0")
    workshop.plan(".")
    breaks(workshop)
    return workshop.apply(".")


def test_version_that_failed_is_kept_undeployed_and_says_until_when(workshop: Workshop) -> None:
    said = fail_new_version(workshop)

    assert said.code == 3
    assert "but for what is kept" in said.out
    assert "Kept: function.chat@new, which failed" in said.out
    (failed,) = kept(workshop)
    assert failed["deployment"] is None
    assert failed["containerImage"] == "nvcr.io/acme/chat:2.0.0"
    assert len([one for one in tags(failed) if one.startswith("nvcfplan:")]) == 4
    assert serving(workshop) == ["nvcr.io/acme/chat:1.0.0"]


def test_run_says_as_json_what_it_kept_and_how_long(workshop: Workshop) -> None:
    found = fail_new_version(workshop, "-json").document["kept"]

    assert isinstance(found, list)
    (one,) = found
    assert (one["address"], one["version"]) == ("function.chat", "new")
    assert datetime.fromisoformat(one["until"]) > datetime(2026, 1, 1, 6, tzinfo=UTC)


def test_nothing_is_to_be_done_until_its_time_is_over_and_then_it_is_swept(
    workshop: Workshop,
) -> None:
    fail_new_version(workshop)
    wants(workshop, "1.0.0")

    early = workshop.plan(".")
    workshop.emulator().advance(OVER)
    due = workshop.plan(".")
    applied = workshop.apply(".")

    assert early.code == 0
    assert "failed-version-kept" in early.out
    assert due.code == 2
    assert "cleanup: failed version" in due.out
    assert applied.code == 0
    assert [one["containerImage"] for one in workshop.account()] == ["nvcr.io/acme/chat:1.0.0"]
    assert workshop.plan(".").code == 0


def test_next_version_is_made_beside_it_and_it_is_none_of_the_versions_to_go_back_to(
    workshop: Workshop,
) -> None:
    fail_new_version(workshop)
    wants(workshop, "3.0.0", more=f"{KEEP}\n    update: {{ keepVersions: 1 }}")

    assert workshop.apply(".").code == 0

    assert serving(workshop) == ["nvcr.io/acme/chat:3.0.0"]
    assert [one["containerImage"] for one in workshop.account()] == [
        f"nvcr.io/acme/chat:{image}" for image in ("1.0.0", "2.0.0", "3.0.0")
    ]
    assert workshop.plan(".").code == 0


def test_function_that_failed_at_its_first_version_is_made_anew_beside_what_is_kept(
    workshop: Workshop,
) -> None:
    assert fail_first_version(workshop).code == 3
    (failed,) = kept(workshop)

    assert workshop.apply(".").code == 0

    (served,) = [one for one in workshop.account() if one["status"] == "ACTIVE"]
    assert served["id"] != failed["id"]
    assert workshop.plan(".").code == 0
    workshop.emulator().advance(OVER)
    due = workshop.plan(".")
    assert "Destroys" not in due.out
    assert workshop.apply(".").code == 0
    assert [one["id"] for one in workshop.account()] == [served["id"]]


def test_function_that_is_wanted_no_more_goes_with_all_that_failed(workshop: Workshop) -> None:
    fail_first_version(workshop)
    assert workshop.apply(".").code == 0
    assert len(workshop.account()) == 2

    said = workshop.type("destroy", "-auto-approve", "--emulator", ".")

    assert said.code == 0
    assert workshop.account() == []


def test_without_state_what_failed_is_known_by_its_tags(workshop: Workshop) -> None:
    fail_new_version(workshop)
    wants(workshop, "1.0.0")
    shutil.rmtree(workshop.state_directory)

    adopted = workshop.type("adopt", "--emulator", ".")

    assert adopted.code == 0
    assert "other version" not in adopted.out
    assert workshop.plan(".").code == 0
    assert len(kept(workshop)) == 1
    assert serving(workshop) == ["nvcr.io/acme/chat:1.0.0"]


@pytest.mark.parametrize("fail", [fail_first_version, fail_new_version])
def test_what_is_kept_is_no_drift(workshop: Workshop, fail: object) -> None:
    assert callable(fail)
    fail(workshop)
    wants(workshop, "1.0.0")
    assert workshop.apply(".").code == 0

    said = workshop.type("drift", "-detailed-exitcode", "-json", "--emulator", ".")

    assert said.code == 0
    assert json.loads(said.out)["findings"] == []


def test_one_that_somebody_deploys_to_look_at_is_undeployed_and_stays_kept(
    workshop: Workshop,
) -> None:
    fail_new_version(workshop)
    wants(workshop, "1.0.0")
    (failed,) = kept(workshop)
    workshop.ask(
        f"deployments/functions/{failed['id']}/versions/{failed['versionId']}",
        method="POST",
        body={
            "deploymentSpecifications": [
                {
                    "gpu": "H100",
                    "instanceType": "a3-highgpu-8g_2x",
                    "backend": "GCP-ASIASE1-A",
                    "minInstances": 1,
                    "maxInstances": 1,
                }
            ]
        },
    )
    workshop.emulator().advance(1200)

    assert workshop.apply(".").code == 0

    assert serving(workshop) == ["nvcr.io/acme/chat:1.0.0"]
    assert len(kept(workshop)) == 1
    assert workshop.plan(".").code == 0


def test_failure_for_want_of_room_says_nothing_of_a_version_so_it_is_deleted(
    workshop: Workshop,
) -> None:
    wants(workshop, "1.0.0")
    assert workshop.apply(".").code == 0
    workshop.emulator().add_fault(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy"))
    wants(workshop, "2.0.0")

    assert workshop.apply(".").code == 3

    assert kept(workshop) == []
    assert len(workshop.account()) == 1


def test_undo_that_is_asked_for_keeps_what_failed_too(workshop: Workshop) -> None:
    assert fail_new_version(workshop, "--on-failure", "keep").code == 4
    assert kept(workshop) == []

    said = workshop.type("rollback", "-auto-approve", "--emulator", ".")

    assert said.code == 0
    assert "The account is as it was before the run but for what is kept." in said.out
    assert len(kept(workshop)) == 1
    assert serving(workshop) == ["nvcr.io/acme/chat:1.0.0"]


def test_undo_of_a_run_that_did_not_fail_keeps_nothing(workshop: Workshop) -> None:
    wants(workshop, "1.0.0")
    assert workshop.apply(".").code == 0
    wants(workshop, "2.0.0", more=f"{KEEP}\n    update: {{ keepVersions: 1 }}")
    assert workshop.apply(".").code == 0

    assert workshop.type("rollback", "-auto-approve", "--emulator", ".").code == 0

    assert kept(workshop) == []
    assert serving(workshop) == ["nvcr.io/acme/chat:1.0.0"]


@pytest.mark.parametrize("when", When)
def test_mark_whose_answer_is_lost_is_set_all_the_same(workshop: Workshop, when: When) -> None:
    wants(workshop, "1.0.0")
    assert workshop.apply(".").code == 0
    breaks(workshop)
    workshop.emulator().add_fault(Fault(kind=Trouble.DROP_REPLY, route="metadata", when=when))
    wants(workshop, "2.0.0")

    assert workshop.apply(".").code == 3

    assert len(kept(workshop)) == 1
    assert serving(workshop) == ["nvcr.io/acme/chat:1.0.0"]
