"""Somebody undeploys what a rollback would put back: it ends, for there is nothing to put back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.applying import RunOutcome, start, undo
from nvcfplan.model import FunctionId, VersionId
from tests.applying.builders import CODEC, RUN, SETTINGS, Case, scaled, spec
from tests.applying.driver import Drive

if TYPE_CHECKING:
    from tests.applying.service import Service

GROWING = Case(8, [scaled("chat", spec(), spec(low=3))], {"chat": spec()})
SHRINKING = Case(8, [scaled("chat", spec(low=3), spec())], {"chat": spec(low=3)})


def applied(case: Case) -> Drive:
    done = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    assert done.run() is RunOutcome.APPLIED
    return done


def undeploy(service: Service) -> None:
    service.functions[FunctionId("f-chat")][VersionId("v-chat")].row = None


def test_an_update_of_what_is_not_deployed_any_more_is_not_undone() -> None:
    done = applied(GROWING)
    undeploy(done.service)

    again = Drive(undo(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))

    assert again.run() is RunOutcome.ROLLED_BACK
    assert len(again.calls) == 1


def test_an_undone_update_does_not_wait_for_what_others_undeploy_meanwhile() -> None:
    done = applied(SHRINKING)
    again = Drive(undo(done.records, RUN, SETTINGS, CODEC), done.service, list(done.records))
    again.after_effect = lambda _effect: undeploy(done.service) if again.calls else None

    assert again.run() is RunOutcome.ROLLED_BACK


def test_an_update_that_fails_for_want_of_a_deployment_is_not_begun_again_for_ever() -> None:
    """Forward it is a failure; what comes of it is an undo without anything to do."""
    service = GROWING.service()
    undeploy(service)
    done = Drive(start(GROWING.plan, RUN, SETTINGS, CODEC), service)

    assert done.run() is RunOutcome.FAILED
