"""Whether enough instances serve while a version is replaced, and whether a gap is not too long.

How many ran is read from the plan's fingerprint; how many are certain, from what was awaited.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.plans import (
    AwaitActive,
    Deploy,
    Means,
    Step,
    Undeploy,
    UpdateDeployment,
    expected_ends,
)
from nvcfplan.proving.bounds import certain_minimum, final_bounds
from nvcfplan.proving.evidence import BOUNCE, NEW, OLD
from nvcfplan.proving.faults import broken_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import DesiredFunction
    from nvcfplan.proving.evidence import Case, Evidence, Seen


def check_serving(evidence: Evidence) -> Iterator[Diagnostic]:
    for case in evidence.cases():
        desired, current = case.desired, case.current
        if desired is None or current is None or Means.NEW_VERSION not in case.change.means:
            continue
        yield from _lowered(case, current, desired)
        if current.may_serve and final_bounds(case, case.ref(NEW)):
            yield from _succeeded(case, current, desired, evidence)


def check_gaps(evidence: Evidence) -> Iterator[Diagnostic]:
    """No function that serves now is expected to serve nothing for longer than it allows."""
    ends = expected_ends(evidence.plan.steps)
    for case in evidence.cases():
        longest = case.desired.update.max_downtime if case.desired else None
        if longest is None or case.current is None or not case.current.may_serve:
            continue
        deployed = {one.task.version for one in case.steps if isinstance(one.task, Deploy)}
        waits = [
            one
            for one in case.steps
            if isinstance(one.task, AwaitActive) and one.task.version in deployed
        ]
        for step in case.steps_of(Undeploy, case.ref(OLD)):
            if not waits or any(evidence.order.precedes(one.id, step.id) for one in waits):
                continue
            gap = max(ends[one.id] for one in waits) - ends[step.id] + step.expected_seconds
            if gap > longest.total_seconds():
                yield broken_order(step.id, f"leaves a gap of {gap} s, past `maxDowntime`")


def _lowered(case: Case, current: Seen, desired: DesiredFunction) -> Iterator[Diagnostic]:
    """What the old version keeps of what ran, while it is the only one."""
    left = dict(current.running)
    last: Step | None = None
    for step in case.steps_of(UpdateDeployment, case.ref(OLD)):
        task = step.task
        assert isinstance(task, UpdateDeployment), step.id
        if task.row is None:
            yield broken_order(step.id, "does not say which specification it lowers")
        elif task.row in left:
            left[task.row] = min(left[task.row], task.specification.max_instances)
        last = step
    least = desired.update.least_serving(sum(current.running.values()))
    if last is not None and sum(left.values()) < least:
        yield broken_order(last.id, f"leaves {sum(left.values())} of the {least} that must serve")


def _succeeded(
    case: Case, current: Seen, desired: DesiredFunction, evidence: Evidence
) -> Iterator[Diagnostic]:
    """Whoever takes over has enough: the least that must serve, or all that is wanted if less."""
    wanted = sum(one.min_instances for one in final_bounds(case, case.ref(NEW)))
    least = min(wanted, desired.update.least_serving(sum(current.running.values())))
    for label, others in ((OLD, (BOUNCE, NEW)), (BOUNCE, (NEW,))):
        for step in case.steps_of(Undeploy, case.ref(label)):
            serving = [
                certain_minimum(case, case.ref(other), step, evidence)
                for other in others
                if case.has(Deploy, case.ref(other))
            ]
            is_gap = not any(
                evidence.order.precedes(one.id, step.id)
                for other in others
                for one in case.steps_of(AwaitActive, case.ref(other))
            )
            if not is_gap and max(serving, default=0) < least:
                yield broken_order(step.id, f"comes before {least} instances are there to serve")
