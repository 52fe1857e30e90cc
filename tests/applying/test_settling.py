"""An answer is lost: the account is asked, and what shows is compared with what was asked for."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import Append, Effect, FailureClass, Outcome, RunOutcome, Unanswered, start
from nvcfplan.model import FunctionId, VersionId, canonical_json
from nvcfplan.plans import Deploy, PreImage
from tests.applying.builders import (
    CODEC,
    RUN,
    SETTINGS,
    Case,
    after,
    created,
    rekeyed,
    reshared,
    retagged,
    scaled,
    spec,
)
from tests.applying.driver import Drive
from tests.applying.service import Fault, Placed, Service, Version

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.plans import Plan

CASES = {
    "update-deployment": Case(8, [scaled("a", spec(), spec(low=3))], {"a": spec()}),
    "update-metadata": Case(4, [retagged("a", "after")], {"a": spec()}),
    "set-secrets": Case(4, [rekeyed("a", "token")], {"a": spec()}),
    "set-authorizations": Case(4, [reshared("a", "nca-b")], {"a": spec()}),
    "deploy": Case(4, [created("a", spec())]),
}


def seen_before(case: Case, *secrets: str) -> Plan:
    """With an image of the version as it was."""
    fields = canonical_json({"secrets": list(secrets)})
    image = PreImage(
        address=case.plan.steps[0].address,
        function=FunctionId("f-a"),
        version=VersionId("v-a"),
        fields=fields,
    )
    return replace(case.plan, fingerprint=replace(case.plan.fingerprint, live=(image,)))


def drive(
    case: Case,
    fault: Fault,
    *,
    plan: Plan | None = None,
    call: int = 1,
    meanwhile: Callable[[Service], None] = lambda _service: None,
) -> Drive:
    """`meanwhile`: what somebody else does once the answer has been lost."""
    made = Drive(start(plan or case.plan, RUN, SETTINGS, CODEC), case.service())
    made.service.faults = {call: fault}
    made.after_effect = once_lost(made, meanwhile)
    made.run()
    return made


def once_lost(made: Drive, meanwhile: Callable[[Service], None]) -> Callable[[Effect], None]:
    def notice(effect: Effect) -> None:
        record = effect.record if isinstance(effect, Append) else None
        if isinstance(record, Outcome) and isinstance(record.result, Unanswered):
            meanwhile(made.service)

    return notice


def only_version(service: Service, key: str) -> Version:
    return next(
        one
        for versions in service.functions.values()
        for one in versions.values()
        if one.config.name == key
    )


def row_of(service: Service) -> list[Placed]:
    row = only_version(service, "a").row
    assert row is not None
    return row.placed


@pytest.mark.parametrize("name", sorted(CASES))
@pytest.mark.parametrize("fault", [Fault.SWALLOWED, Fault.LATE])
def test_what_shows_as_it_was_asked_for_is_accepted_and_not_sent_again(
    name: str, fault: Fault
) -> None:
    case = CASES[name]
    call = 2 if name == "deploy" else 1
    done = drive(case, fault, plan=seen_before(case), call=call)

    assert done.outcome is RunOutcome.APPLIED
    assert sum(one.step.startswith(f"{name}:") for one in done.calls) == 1


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_shows_as_it_was_before_is_sent_again_after_the_window(name: str) -> None:
    case = CASES[name]
    done = drive(case, Fault.DROPPED, plan=seen_before(case), call=2 if name == "deploy" else 1)

    assert done.outcome is RunOutcome.APPLIED
    assert sum(one.step.startswith(f"{name}:") for one in done.calls) == 2
    assert done.service.now >= SETTINGS.quiet_window


def test_a_new_value_of_an_old_secret_is_sent_again_because_it_never_shows() -> None:
    case = CASES["set-secrets"]
    done = drive(case, Fault.SWALLOWED, plan=seen_before(case, "token"))

    assert done.outcome is RunOutcome.APPLIED
    assert len(done.calls) == 2


def rescale(service: Service) -> None:
    row_of(service)[0].specification = spec(low=2, high=5)


def retag(service: Service) -> None:
    version = only_version(service, "a")
    version.config = replace(version.config, tags=("theirs",))


def reshare(service: Service) -> None:
    service.parties[FunctionId("f-a")] = ("nca-c",)


@pytest.mark.parametrize(
    ("name", "meanwhile", "words"),
    [
        ("update-deployment", rescale, "deployed is H100 H100_1x 2 to 5"),
        ("update-metadata", retag, "its tags are theirs"),
        ("set-authorizations", reshare, "it may be called by nca-c"),
    ],
)
@pytest.mark.parametrize("fault", [Fault.SWALLOWED, Fault.DROPPED])
def test_what_somebody_else_changed_meanwhile_is_left_to_them(
    name: str, meanwhile: Callable[[Service], None], words: str, fault: Fault
) -> None:
    done = drive(CASES[name], fault, meanwhile=meanwhile)
    theirs = CASES[name].service()
    meanwhile(theirs)

    assert done.machine.causes[0].failure.kind == FailureClass.FOREIGN
    assert words in done.machine.causes[0].failure.message
    assert len(done.calls) == 1
    assert done.service.picture() == theirs.picture()


def test_what_somebody_else_deployed_meanwhile_is_not_taken_for_ours() -> None:
    def deploy(service: Service) -> None:
        version = only_version(service, "a")
        version.row = service._row((spec(low=2, high=5),), since=service.now)

    done = drive(CASES["deploy"], Fault.DROPPED, call=2, meanwhile=deploy)

    assert done.outcome is RunOutcome.INCOMPLETE
    assert done.machine.causes[0].failure.kind == FailureClass.FOREIGN
    assert [one.specification.max_instances for one in row_of(done.service)] == [5]
    assert sum(isinstance(one.task, Deploy) for one in done.calls) == 1


def test_a_rollback_goes_its_only_way_whatever_others_did() -> None:
    """The second update is refused, the answer of the first one's undo is lost."""
    tag = retagged("a", "after")
    update = scaled("a", spec(), spec(low=2))
    case = Case(4, [tag, (after(update[0], tag[0]), *update[1:])], {"a": spec()})
    before = case.service().picture()
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service())
    made.service.faults = {2: Fault.REFUSED, 3: Fault.DROPPED}
    made.after_effect = once_lost(made, retag)

    assert made.run() is RunOutcome.ROLLED_BACK
    assert made.service.picture() == before
