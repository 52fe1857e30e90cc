"""Six defects, planted one at a time: each must be noticed, or the schedules prove nothing.

None changes the code under test: each stands between it and the world.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import PlanCodec
from nvcfplan.plans import AwaitReleased, Deploy, Funded, Probe, Undeploy
from tests.chaos.scene import Manners

if TYPE_CHECKING:
    from nvcfplan.model import Digest, State
    from nvcfplan.plans import Edge, Plan, Step

_GIVING: Final = AwaitReleased | Undeploy


def _unwatched(state: State) -> State:
    return replace(state, watched=(), watched_since=())


def _unfunded(plan: Plan) -> Plan:
    """What takes GPUs that a step gives back does not wait for that step."""
    steps = {step.id: step for step in plan.steps}

    def before(edge: Edge) -> tuple[Edge, ...]:
        """In its place, what the giving step waited for."""
        if not isinstance(edge, Funded) and not isinstance(steps[edge.step].task, _GIVING):
            return (edge,)
        return tuple(one for earlier in steps[edge.step].depends_on for one in before(earlier))

    def unfunded(step: Step) -> Step:
        if not isinstance(step.task, Deploy | Probe):
            return step
        edges = {one.step: one for edge in step.depends_on for one in before(edge)}
        return replace(step, depends_on=tuple(edges[one] for one in sorted(edges)))

    return replace(
        plan,
        steps=tuple(unfunded(step) for step in plan.steps),
        funding=tuple(replace(one, source=None) for one in plan.funding),
    )


class _Forwards(PlanCodec):
    """A rollback that is gone on with undoes what was done first, first."""

    def __init__(self, codec: PlanCodec) -> None:
        self._codec = codec

    def encode(self, plan: Plan) -> bytes:
        return self._codec.encode(plan)

    def decode(self, document: bytes) -> Plan:
        plan = self._codec.decode(document)
        if not plan.steps or not plan.steps[0].id.startswith("undo:"):
            return plan
        return replace(plan, steps=tuple(replace(step, depends_on=()) for step in plan.steps))

    def digest(self, plan: Plan) -> Digest:
        return self._codec.digest(plan)


DEFECTS: Final = {
    "no sweep": Manners(state_seen=_unwatched),
    "no read-back": Manners(is_blind=True),
    "intent after call": Manners(writes_intents_late=True),
    "blind retry": Manners(is_stubborn=True),
    "funding edge dropped": Manners(plan_carried_out=_unfunded),
    "undo not in reverse": Manners(codec=_Forwards),
}
