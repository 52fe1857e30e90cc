"""Whether what is retired goes as its owner wants: queued work ends first, successors serve first.

Of a function that is wanted no more the policy stands in no plan, so nothing is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.model import Status
from nvcfplan.plans import AwaitActive, AwaitReleased, DeleteVersion, Deploy, Drain, Undeploy
from nvcfplan.proving.evidence import NEW
from nvcfplan.proving.faults import broken_end, broken_order

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.model import UpdatePolicy
    from nvcfplan.plans import Step, VersionRef
    from nvcfplan.proving.evidence import Case, Evidence

_SERVING: Final = frozenset({Status.ACTIVE, Status.DEGRADING})


def check_retiring(evidence: Evidence) -> Iterator[Diagnostic]:
    for case in evidence.cases():
        if case.desired is None:
            continue
        for what in _undrained(case, case.desired.update, evidence):
            yield broken_end(case.change.address, what)
        yield from _deleted_early(case, evidence)


def _undrained(case: Case, policy: UpdatePolicy, evidence: Evidence) -> Iterator[str]:
    """Each version that serves is drained, for as long as the stack says."""
    drain = Drain(int(policy.drain_timeout.total_seconds()), policy.on_drain_timeout)
    for seen in case.seen if policy.drain else ():
        version = case.ref_of(seen)
        for step in case.steps_of(Undeploy, version) if seen.status in _SERVING else ():
            if not isinstance(step.task, Undeploy) or not step.task.graceful:
                yield f"loses what is queued for {version}, and `update.drain` asks to wait for it"
                continue
            waits = _waits(case, step, version, evidence)
            if any(isinstance(o.task, AwaitReleased) and o.task.drain != drain for o in waits):
                yield f"drains {version} otherwise than `update.drainTimeout` says"


def _waits(case: Case, undeploy: Step, version: VersionRef, evidence: Evidence) -> Iterator[Step]:
    """What waits for its release; not what is given back once it is deployed again."""
    precedes = evidence.order.precedes
    for one in case.steps_of(AwaitReleased, version):
        again = (o for o in case.steps_of(Deploy, version) if precedes(o.id, one.id))
        if precedes(undeploy.id, one.id) and not any(again):
            yield one


def _deleted_early(case: Case, evidence: Evidence) -> Iterator[Diagnostic]:
    """A delete cannot be undone, so none comes before the new version was seen to serve."""
    waits = case.steps_of(AwaitActive, case.ref(NEW))
    for step in case.steps:
        if not isinstance(step.task, DeleteVersion) or step.task.version == case.ref(NEW):
            continue
        for one in waits:
            if not evidence.order.precedes(one.id, step.id):
                yield broken_order(step.id, f"cannot be undone, and does not wait for {one.id}")
