"""Laws of undoing: whichever step fails, what was is there again; undone in the reverse order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.applying import (
    Append,
    Call,
    Effect,
    Failure,
    FailureClass,
    Outcome,
    PlanTaken,
    Record,
    Refused,
    RunOutcome,
    start,
)
from nvcfplan.documents import decode_plan, encode_plan
from nvcfplan.plans import Reversible, is_waiting, step_id
from tests.applying.builders import CODEC, H100, RUN, SETTINGS, Case
from tests.applying.driver import Drive
from tests.applying.service import Fault, Service
from tests.budget import examples
from tests.laws.test_machine import CASES, names, picker

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.plans import Plan, Step

kinds = st.sampled_from([FailureClass.CAPACITY, FailureClass.OTHER, FailureClass.PLACEMENT])


def failing(case: Case, step: Step, seed: int, kind: FailureClass) -> Drive:
    """Every call of that step is refused; the rollback's are not."""
    made = Drive(start(case.plan, RUN, SETTINGS, CODEC), case.service(), pick=picker(seed))
    made.service.refusal = Failure(kind=kind, message="no", status=400)

    def refuse(call: Call, service: Service) -> None:
        if call.step == step.id:
            service.faults[len(service.calls) + 1] = Fault.REFUSED

    made.before_call = refuse
    made.run()
    return made


def touched(case: Case, step: Step) -> set[str]:
    """Names of the functions that stand or fall with the step."""
    addresses = {one.id: one.address for one in case.plan.steps}
    joined = {step.address}
    grown = True
    while grown:
        pairs = [
            (addresses[one.id], addresses[edge.step])
            for one in case.plan.steps
            for edge in one.depends_on
        ]
        more = {name for pair in pairs if set(pair) & joined for name in pair}
        grown = not more <= joined
        joined |= more
    return {address.split(".")[1] for address in joined}


def shown(service: Service, of: set[str]) -> list[str]:
    return sorted(repr(one) for one in service.picture().values() if _name(one) in of)


def _name(one: object) -> str:
    assert isinstance(one, tuple)
    name = one[0].name
    assert isinstance(name, str)
    return name


@settings(max_examples=examples(2000))
@given(names, st.data(), st.integers(0, 2**31 - 1), kinds)
def test_whichever_step_fails_its_component_is_as_before(
    name: str, data: st.DataObject, seed: int, kind: FailureClass
) -> None:
    case = CASES[name]
    step = data.draw(st.sampled_from([one for one in case.plan.steps if not is_waiting(one.task)]))
    done = failing(case, step, seed, kind)
    of = touched(case, step)

    assert done.outcome in (RunOutcome.ROLLED_BACK, RunOutcome.FAILED, RunOutcome.NO_CAPACITY)
    assert shown(done.service, of) == shown(case.service(), of)
    assert done.service.forced == []
    assert [cause.step for cause in done.machine.causes] == [step.id]


@settings(max_examples=examples(1000))
@given(names, st.data(), st.integers(0, 2**31 - 1))
def test_undone_in_the_reverse_order(name: str, data: st.DataObject, seed: int) -> None:
    """If y waited for x, the undo of x begins after that of y has ended."""
    case = CASES[name]
    step = data.draw(st.sampled_from([one for one in case.plan.steps if not is_waiting(one.task)]))
    done = failing(case, step, seed, FailureClass.OTHER)
    ended: list[str] = [
        record.step
        for record in done.records
        if isinstance(record, Outcome) and not isinstance(record.result, Refused)
    ]
    carried_out = [
        one for one in case.plan.steps if _undo_of(one) and set(_undo_of(one)) <= set(ended)
    ]
    for later in carried_out:
        for sooner in carried_out:
            if sooner.id in _ancestors(case.plan, later):
                assert ended.index(_undo_of(later)[-1]) < ended.index(_undo_of(sooner)[0])


def _undo_of(step: Step) -> list[str]:
    """Ids of its undo: by the tasks it states."""
    tasks = step.undo.tasks if isinstance(step.undo, Reversible) else ()
    return [f"undo:{step_id(task)}" for task in tasks]


def _ancestors(plan: Plan, step: Step) -> set[str]:
    by_id = {one.id: one for one in plan.steps}
    found: set[str] = set()
    level = [step]
    while level:
        names_ = {edge.step for one in level for edge in one.depends_on} - found
        found |= names_
        level = [by_id[one] for one in names_]
    return found


@settings(max_examples=examples(500))
@given(names, st.data(), st.integers(0, 2**31 - 1))
def test_a_rollback_is_a_plan_that_can_be_saved_and_funds_what_it_takes(
    name: str, data: st.DataObject, seed: int
) -> None:
    case = CASES[name]
    step = data.draw(st.sampled_from([one for one in case.plan.steps if not is_waiting(one.task)]))
    done = failing(case, step, seed, FailureClass.OTHER)
    for plan in plans_in(done.records)[1:]:
        assert decode_plan(encode_plan(plan)) == plan
        for one in plan.steps:
            granted = sum(grant.units for grant in plan.funding if grant.step == one.id)
            assert granted == sum(charge.units for charge in one.acquire)
            sources = {grant.source for grant in plan.funding if grant.step == one.id} - {None}
            assert sources <= _ancestors(plan, one)


def plans_in(records: Sequence[Record]) -> list[Plan]:
    return [CODEC.decode(one.document) for one in records if isinstance(one, PlanTaken)]


def test_a_rollback_counts_what_is_held_when_it_begins() -> None:
    case = CASES["roll"]
    step = next(one for one in case.plan.steps if one.id == "undeploy:function.chat@old")
    done = failing(case, step, 0, FailureClass.OTHER)

    (resource,) = plans_in(done.records)[1].resources
    assert resource.id == H100
    assert (case.plan.resources[0].before, resource.before) == (1, 2)


def test_a_rollback_is_in_the_journal_before_its_first_step() -> None:
    case = CASES["roll"]
    step = next(one for one in case.plan.steps if one.id == "undeploy:function.chat@old")
    done = failing(case, step, 0, FailureClass.OTHER)

    def is_plan(effect: Effect) -> bool:
        return isinstance(effect, Append) and isinstance(effect.record, PlanTaken)

    taken = [index for index, effect in enumerate(done.effects) if is_plan(effect)]
    undoing = [
        index
        for index, effect in enumerate(done.effects)
        if isinstance(effect, Call) and effect.step.startswith("undo:")
    ]
    assert len(taken) == 2
    assert taken[1] < undoing[0]
