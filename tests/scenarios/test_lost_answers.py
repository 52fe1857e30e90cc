"""An update's answer is lost on its way: what shows decides whether it is sent again."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import ApplySettings, FailureClass, RunFinished, RunOutcome, StepWaiting
from nvcfplan.emulator.rules import Fault, Trouble, When
from nvcfplan.model import DesiredFunction, RunId, SecretOrigin, SecretReference
from nvcfplan.workflows import ApplyRequest, Minted, RunResult, Shell, apply_plan
from tests.laws.test_promises import world
from tests.planning.builders import shared, specification, wanted
from tests.rehearsal import ACTOR, Account, account, ports_of
from tests.scenarios.test_sharing import applied, ask, callers, listed, planned, share

if TYPE_CHECKING:
    from collections.abc import Callable

    from nvcfplan.applying import Cause, Event

CHAT = wanted("chat", specification(low=1, high=2))
TOKEN = SecretReference("TOKEN", SecretOrigin.ENV, "TOKEN")
OTHER = SecretReference("OTHER", SecretOrigin.ENV, "OTHER")


def tagged(*tags: str) -> DesiredFunction:
    return replace(
        CHAT, config=replace(CHAT.config, tags=tags), managed=tuple(sorted((*CHAT.managed, "tags")))
    )


def keyed(*secrets: SecretReference) -> DesiredFunction:
    return replace(CHAT, secrets=secrets, managed=tuple(sorted((*CHAT.managed, "secrets"))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """`route`: of the emulator; `request`: as it is counted."""

    route: str
    request: str
    before: DesiredFunction
    after: DesiredFunction


UPDATES = {
    "bounds": Update(
        route="update-specification",
        request="PATCH /v2/nvcf/deployments/*/gpu-specifications/*",
        before=CHAT,
        after=wanted("chat", specification(low=2, high=4)),
    ),
    "tags": Update(
        route="metadata",
        request="PUT /v2/nvcf/functions/*/versions/*",
        before=tagged("one"),
        after=tagged("two"),
    ),
    "secrets": Update(
        route="secrets",
        request="PUT /v2/nvcf/secrets/functions/*/versions/*",
        before=keyed(TOKEN),
        after=keyed(OTHER, TOKEN),
    ),
    "parties": Update(
        route="authorize",
        request="POST /v2/nvcf/authorizations/functions/*",
        before=shared(CHAT, "nca-b"),
        after=shared(CHAT, "nca-c"),
    ),
}


def prepared(where: Account, update: Update, when: When) -> None:
    where.environment.update(TOKEN="t-1", OTHER="o-1")
    applied(where, update.before)
    where.emulator.add_fault(Fault(kind=Trouble.DROP_REPLY, route=update.route, when=when))
    where.sent.clear()


@pytest.mark.parametrize("name", sorted(UPDATES))
@pytest.mark.parametrize(("when", "times"), [(When.AFTER, 1), (When.BEFORE, 2)])
def test_an_update_is_sent_again_only_where_it_does_not_show(
    name: str, when: When, times: int
) -> None:
    update = UPDATES[name]
    with account(world(8)) as where:
        prepared(where, update, when)
        assert where.apply(planned(where, update.after)).outcome is RunOutcome.APPLIED
        assert where.sent[update.request] == times, where.sent
        assert planned(where, update.after).steps == ()


def version_path(where: Account) -> str:
    (version,) = listed(where)
    return f"functions/{version['id']}/versions/{version['versionId']}"


def rescale(where: Account) -> None:
    """By somebody else."""
    row = ask(where, "GET", f"deployments/{version_path(where)}")["deployment"]
    assert isinstance(row, dict)
    (one,) = row["deploymentSpecifications"]
    path = f"deployments/{row['deploymentId']}/gpu-specifications/{one['gpuSpecificationId']}"
    ask(where, "PATCH", path, {"minInstances": 1, "maxInstances": 7})


def retag(where: Account) -> None:
    (version,) = listed(where)
    tags = version["tags"]
    assert isinstance(tags, list)
    kept = [tag for tag in tags if tag.startswith("nvcfplan:")]
    ask(where, "PUT", version_path(where), {"tags": [*kept, "theirs"]})


@pytest.mark.parametrize(
    ("name", "meanwhile", "words"),
    [
        ("bounds", rescale, "type_1x 1 to 7"),
        ("tags", retag, "theirs"),
        ("parties", lambda where: share(where, "nca-x"), "may be called by nca-x"),
    ],
)
def test_what_somebody_else_did_meanwhile_is_not_taken_away(
    name: str, meanwhile: Callable[[Account], None], words: str
) -> None:
    update = UPDATES[name]
    with account(world(8)) as where:
        prepared(where, update, When.BEFORE)
        (cause,) = apply_and(where, update.after, meanwhile)
        assert cause.failure.kind == FailureClass.FOREIGN
        assert words in cause.failure.message
        assert where.sent[update.request] == 1
        if name == "parties":
            assert callers(where) == [["nca-x"]]


def apply_and(
    where: Account, function: DesiredFunction, meanwhile: Callable[[Account], None]
) -> tuple[Cause, ...]:
    """What failed. `meanwhile` happens once it is noticed that an answer was lost."""
    left = [meanwhile]

    def listener(event: Event) -> None:
        if isinstance(event, StepWaiting) and "the answer was lost" in event.reason and left:
            left.pop()(where)

    request = ApplyRequest(
        plan=planned(where, function),
        actor=ACTOR,
        minted=Minted(run=RunId("RUN000009"), lineage="lineage", secret_key="ab" * 16),
        settings=ApplySettings(),
    )

    async def use() -> RunResult:
        async with ports_of(where) as ports:
            shell = Shell(interrupts=asyncio.Queue(), listener=listener, begins=lambda: None)
            return await apply_plan(request, ports, shell)

    found = asyncio.run(use())
    assert not left, "no answer was lost"
    return next(one.causes for one in found.events if isinstance(one, RunFinished))
