"""How to bend a plan after it was made; each bend is one fault and no more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.diagnostics import Diagnostic, Severity, Subject, Verdict
from nvcfplan.model import (
    Address,
    GpuSpecification,
    ResourceId,
    StepId,
    VersionId,
)
from nvcfplan.plans import (
    Action,
    After,
    AwaitReleased,
    Bound,
    Charge,
    DeleteVersion,
    Deploy,
    Edge,
    Funded,
    Order,
    Plan,
    Step,
    Task,
    Undeploy,
    VersionRef,
    step_id,
)

if TYPE_CHECKING:
    from collections.abc import Callable

POOL = ResourceId("pool:a/H100")
TaskT = TypeVar("TaskT", bound=Task)


def each(bend: Callable[[Step], Step | None]) -> Callable[[Plan], Plan]:
    def bent(plan: Plan) -> Plan:
        steps = (bend(step) for step in plan.steps)
        return replace(plan, steps=tuple(one for one in steps if one is not None))

    return bent


def without(*kinds: type[Task]) -> Callable[[Plan], Plan]:
    """Steps of these kinds fall out, and what waited for them waits for what they waited for."""

    def bent(plan: Plan) -> Plan:
        gone = {one.id: one for one in plan.steps if isinstance(one.task, kinds)}

        def edges(step: Step) -> tuple[Edge, ...]:
            found: dict[StepId, Edge] = {}
            for edge in step.depends_on:
                inherited = edges(gone[edge.step]) if edge.step in gone else (edge,)
                found |= {one.step: one for one in inherited}
            return tuple(found[name] for name in sorted(found))

        kept = [replace(o, depends_on=edges(o)) for o in plan.steps if o.id not in gone]
        grants = [o for o in plan.funding if o.step not in gone and o.source not in gone]
        return replace(plan, steps=tuple(kept), funding=tuple(grants))

    return bent


def waiting_for(kind: type[Task], *edges: Edge) -> Callable[[Plan], Plan]:
    return each(
        lambda step: replace(step, depends_on=edges) if isinstance(step.task, kind) else step
    )


def taking(kind: type[Task], *charges: Charge) -> Callable[[Plan], Plan]:
    return each(
        lambda step: replace(step, acquire=charges) if isinstance(step.task, kind) else step
    )


def giving(kind: type[Task], *charges: Charge) -> Callable[[Plan], Plan]:
    return each(
        lambda step: replace(step, release=charges) if isinstance(step.task, kind) else step
    )


def task(kind: type[TaskT], change: Callable[[TaskT], TaskT]) -> Callable[[Plan], Plan]:
    return each(
        lambda step: replace(step, task=change(step.task)) if isinstance(step.task, kind) else step
    )


def unhooked(kind: type[Task], *orders: Order) -> Callable[[Plan], Plan]:
    """Steps of a kind lose their edges of these orders; of all, when none is named."""

    def bend(step: Step) -> Step | None:
        if not isinstance(step.task, kind):
            return step
        kept = [o for o in step.depends_on if orders and getattr(o, "order", None) not in orders]
        return replace(step, depends_on=tuple(kept))

    return each(bend)


def both(*bends: Callable[[Plan], Plan]) -> Callable[[Plan], Plan]:
    def bent(plan: Plan) -> Plan:
        for bend in bends:
            plan = bend(plan)
        return plan

    return bent


def nothing(plan: Plan) -> Plan:
    return replace(plan, steps=(), funding=())


def released_early(plan: Plan) -> Plan:
    """The units come from the undeploy itself; in every other way the plan is sound."""
    gives, takes = StepId("undeploy:function.gone@old"), StepId("deploy:function.here@new")
    (charge,) = next(one.release for one in plan.steps if one.release)

    def bend(step: Step) -> Step:
        if step.id == takes:
            edges = tuple(
                replace(edge, step=gives) if isinstance(edge, Funded) else edge
                for edge in step.depends_on
            )
            return replace(step, depends_on=edges)
        return replace(step, release=(charge,) if step.id == gives else ())

    grants = tuple(replace(one, source=gives) if one.source else one for one in plan.funding)
    return replace(each(bend)(plan), funding=grants)


def inflated(plan: Plan) -> Plan:
    """50 units are given back and taken, of a pool of 2."""
    charge = Charge(resource=POOL, units=50)
    bent = both(giving(AwaitReleased, charge), taking(Deploy, charge))(plan)
    return replace(bent, funding=tuple(replace(one, units=50) for one in plan.funding))


def soft_ungranted(plan: Plan) -> Plan:
    """No grant and no edge of what is only sufficient, and nobody says so."""
    soft = {one.id for one in plan.resources if one.bound is Bound.SUFFICIENT}

    def bend(step: Step) -> Step:
        edges = (
            edge
            for edge in step.depends_on
            if not (isinstance(edge, Funded) and edge.resource in soft)
        )
        return replace(step, depends_on=tuple(edges))

    grants = tuple(one for one in plan.funding if one.resource not in soft)
    return replace(each(bend)(plan), funding=grants)


def half_granted(plan: Plan) -> Plan:
    """One of two soft resources' grants, halved; the plan calls both at risk."""
    grants = tuple(replace(one, units=1) for one in plan.funding)
    risks = tuple(
        Diagnostic(
            code="capacity-at-risk",
            severity=Severity.WARNING,
            summary="",
            subject=Subject(Address(""), one.id),
            verdict=Verdict.AT_RISK,
        )
        for one in plan.resources
    )
    return replace(plan, funding=grants, diagnostics=(*plan.diagnostics, *risks))


def free_of_charge(plan: Plan) -> Plan:
    return replace(taking(Deploy)(plan), funding=())


def uncharged(resource: ResourceId) -> Callable[[Plan], Plan]:
    """Nobody takes or is granted any of it."""

    def bent(plan: Plan) -> Plan:
        bare = each(
            lambda step: replace(
                step, acquire=tuple(one for one in step.acquire if one.resource != resource)
            )
        )(plan)
        return replace(bare, funding=tuple(one for one in plan.funding if one.resource != resource))

    return bent


def counting(resource: ResourceId, **changes: object) -> Callable[[Plan], Plan]:
    """That resource says something else of itself."""

    def bent(plan: Plan) -> Plan:
        some = (
            replace(one, **changes) if one.id == resource else one  # type: ignore[arg-type]  # names are checked by replace
            for one in plan.resources
        )
        return replace(plan, resources=tuple(some))

    return bent


def unlisted(plan: Plan) -> Plan:
    return replace(plan, resources=(), funding=())


def uncharged_and_unlisted(plan: Plan) -> Plan:
    return unlisted(each(lambda step: replace(step, acquire=(), release=()))(plan))


def idle_change(plan: Plan) -> Plan:
    changes = tuple(replace(one, action=Action.NO_OP) for one in plan.changes)
    return replace(plan, changes=changes)


def other_old(plan: Plan) -> Plan:
    """`old` means a stored version."""
    bindings = tuple(
        replace(one, version_id=VersionId("stored-1")) if one.version.label == "old" else one
        for one in plan.bindings
    )
    return replace(plan, bindings=bindings)


def deleting_all(plan: Plan) -> Plan:
    (step,) = (one for one in plan.steps if isinstance(one.task, DeleteVersion))
    ref = VersionRef(step.address, "stored-1")
    more = replace(step, id=step_id(DeleteVersion(ref)), task=DeleteVersion(ref))
    (binding,) = (one for one in plan.bindings if one.version.label == "stored-0")
    bound = replace(binding, version=ref, version_id=VersionId("stored-1"))
    return replace(plan, steps=(*plan.steps, more), bindings=(*plan.bindings, bound))


def widened(found: tuple[GpuSpecification, ...]) -> tuple[GpuSpecification, ...]:
    return tuple(replace(one, min_instances=9, max_instances=9) for one in found)


def served_by_another(plan: Plan) -> Plan:
    """The undeploy of each waits for the other function's new version."""
    other = {"function.chat": "function.rank", "function.rank": "function.chat"}

    def bend(step: Step) -> Step:
        if not isinstance(step.task, Undeploy):
            return step
        name = StepId(f"await-active:{other[step.address]}@new")
        return replace(step, depends_on=(After(name, Order.CREATE_FIRST),))

    bent = each(bend)(plan)
    waits = [one for one in bent.steps if isinstance(one.task, Undeploy | AwaitReleased)]
    return replace(bent, steps=(*(one for one in bent.steps if one not in waits), *waits))
