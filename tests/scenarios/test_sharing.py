"""Who may call a function, from the stack to an emulated account and back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.applying import RunOutcome
from nvcfplan.documents import decode_plan, encode_plan
from nvcfplan.emulator.messages import Incoming
from nvcfplan.emulator.rules import Fault, Trouble, When
from nvcfplan.errors import StalePlan
from nvcfplan.plans import Action, Plan
from tests.laws.test_promises import world
from tests.planning.builders import shared, specification, wanted
from tests.rehearsal import Account, account

if TYPE_CHECKING:
    from nvcfplan.model import DesiredFunction

CHAT = wanted("chat", specification())
NEXT = wanted("chat", specification(), image="nvcr.io/acme/app:2")


def ask(where: Account, method: str, path: str, body: object = None) -> dict[str, object]:
    """The API itself, as anybody else would use it."""
    served = where.emulator.exchange(
        Incoming(
            method=method,
            path=f"/v2/nvcf/{path}",
            authorization="Bearer key",
            body=b"" if body is None else json.dumps(body).encode(),
        )
    )
    assert served.reply.status == 200, served.reply
    found: dict[str, object] = json.loads(served.reply.body)
    return found


def listed(where: Account) -> list[dict[str, object]]:
    found = ask(where, "GET", "functions")["functions"]
    assert isinstance(found, list)
    return found


def callers(where: Account) -> list[list[str]]:
    """Of every version of the only function, oldest first."""
    (function,) = {str(one["id"]) for one in listed(where)}
    shown = ask(where, "GET", f"authorizations/functions/{function}")["functions"]
    assert isinstance(shown, list)
    return [sorted(party["ncaId"] for party in one["authorizedParties"]) for one in shown]


def share(where: Account, *parties: str) -> None:
    """By somebody else."""
    path = f"authorizations/functions/{listed(where)[0]['id']}"
    ask(where, "POST", path, {"authorizedParties": [{"ncaId": one} for one in parties]})


def planned(where: Account, function: DesiredFunction) -> Plan:
    plan = where.plan(function)
    assert isinstance(plan, Plan)
    assert [one.code for one in plan.diagnostics if one.severity == "error"] == []
    return plan


def applied(where: Account, function: DesiredFunction) -> None:
    """And then there is nothing more to do."""
    assert where.apply(planned(where, function)).outcome is RunOutcome.APPLIED
    again = planned(where, function)
    assert [one.action for one in again.changes] == [Action.NO_OP]


def calls(where: Account) -> int:
    return sum(one.kind == "shared" for one in where.emulator.events())


def test_a_new_function_is_shared_as_the_stack_says() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b", "nca-c"))
        assert callers(where) == [["nca-b", "nca-c"]]


def test_another_list_takes_the_place_of_the_one_before_and_nothing_else_happens() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        before = len(where.emulator.events())
        applied(where, shared(CHAT, "nca-c"))
        assert callers(where) == [["nca-c"]]
        assert [one.kind for one in where.emulator.events()[before:]] == ["shared"]


def test_a_plan_document_shows_both_lists_in_the_words_of_the_stack() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        plan = planned(where, shared(CHAT, "nca-c"))
        assert decode_plan(encode_plan(plan)) == plan
        (entry,) = json.loads(encode_plan(plan))["plan"]["resource_changes"]
        assert entry["carried_out_by"] == ["sharing"]
        assert entry["change"]["before"]["authorizedParties"] == ["nca-b"]
        assert entry["change"]["after"]["authorizedParties"] == ["nca-c"]


def test_an_empty_list_takes_everybody_off_and_an_absent_one_nobody() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        applied(where, CHAT)
        assert callers(where) == [["nca-b"]]
        applied(where, shared(CHAT))
        assert callers(where) == [[]]


def test_a_new_version_has_the_list_without_a_call_of_its_own() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        before = calls(where)
        applied(where, shared(NEXT, "nca-b"))
        assert callers(where) == [["nca-b"], ["nca-b"]]
        assert calls(where) == before


def test_a_new_list_and_a_new_version_cost_one_call() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        before = calls(where)
        applied(where, shared(NEXT, "nca-c"))
        assert callers(where) == [["nca-c"], ["nca-c"]]
        assert calls(where) == before + 1


def test_what_somebody_else_edited_is_shown_as_theirs_and_put_back() -> None:
    desired = shared(CHAT, "nca-b")
    with account(world(4)) as where:
        applied(where, desired)
        share(where, "nca-b", "nca-x")
        (change,) = planned(where, desired).changes
        assert [one.live for one in change.attributes] == ['["nca-b","nca-x"]']
        assert where.apply(planned(where, desired)).outcome is RunOutcome.APPLIED
        assert callers(where) == [["nca-b"]]


def test_a_list_that_moved_after_the_plan_refuses_it() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        plan = planned(where, shared(CHAT, "nca-c"))
        share(where, "nca-x")
        with pytest.raises(StalePlan) as refused:
            where.apply(plan)
        assert [one.field for one in refused.value.moved] == ["authorizedParties"]
        assert callers(where) == [["nca-x"]]


def test_a_failed_deployment_puts_the_list_back_as_it_was() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        plan = planned(where, shared(NEXT, "nca-c"))
        where.emulator.add_fault(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy", every=True))
        assert where.apply(plan).outcome is RunOutcome.ROLLED_BACK
        assert callers(where) == [["nca-b"]]
        where.emulator.clear_faults()
        assert planned(where, shared(CHAT, "nca-b")).steps == ()


def test_an_account_that_nobody_knows_fails_before_anything_is_deployed() -> None:
    here = replace(world(4), accounts=("nca-b",))
    with account(here) as where:
        result = where.apply(planned(where, shared(CHAT, "nca-unknown")))
        assert result.outcome is RunOutcome.ROLLED_BACK
        assert listed(where) == []
        assert where.emulator.ledger() == ()


def test_a_call_whose_answer_was_lost_is_found_by_reading() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        plan = planned(where, shared(CHAT, "nca-c"))
        where.emulator.add_fault(Fault(kind=Trouble.DROP_REPLY, route="authorize", when=When.AFTER))
        before = calls(where)
        assert where.apply(plan).outcome is RunOutcome.APPLIED
        assert callers(where) == [["nca-c"]]
        assert calls(where) == before + 1


def test_a_list_of_one_version_alone_is_told_of_and_left() -> None:
    with account(world(4)) as where:
        applied(where, shared(CHAT, "nca-b"))
        applied(where, shared(NEXT, "nca-b"))
        newest = listed(where)[-1]
        path = f"authorizations/functions/{newest['id']}/versions/{newest['versionId']}"
        ask(where, "POST", path, {"authorizedParties": [{"ncaId": "nca-x"}]})
        plan = planned(where, shared(NEXT, "nca-b"))
        assert plan.steps == ()
        assert "shared-by-version" in [one.code for one in plan.diagnostics]
