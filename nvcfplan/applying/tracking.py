"""What is known of each step of a run, read the same way while it goes on and from its journal."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.applying.effects import Done, Refused, Unanswered
from nvcfplan.applying.failures import Failure, FailureClass
from nvcfplan.applying.journal import Intent, OnRung, Outcome
from nvcfplan.model import OperationId
from nvcfplan.plans import (
    AwaitReleased,
    CreateFunction,
    CreateVersion,
    Funded,
    Probe,
    is_waiting,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvcfplan.applying.flows import Bound
    from nvcfplan.model import Address, FunctionId, StepId
    from nvcfplan.plans import Binding, Plan, Step, Task, VersionRef


class Status(StrEnum):
    """DOUBTFUL: failed when the run stopped; looked at before it is tried again.

    MENDING: what it waits for is being cleared away and done again by a repair.
    """

    PENDING = "pending"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    DOUBTFUL = "doubtful"
    MENDING = "mending"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepState:
    """`open`: an intent of which it is not known whether it had an effect.

    `doubt`: attempts without an answer, and not found to be without effect.
    `lost`: operations that once had no answer and were not found since: a late arrival is surplus.
    """

    status: Status = Status.PENDING
    attempts: int = 0
    open: Intent | None = None
    was_unknown: bool = False
    doubt: frozenset[int] = frozenset()
    lost: tuple[OperationId, ...] = ()
    done: Done | None = None
    failure: Failure | None = None

    def after_intent(self, intent: Intent) -> StepState:
        return replace(self, attempts=intent.attempt, open=intent)

    def after_outcome(self, outcome: Outcome) -> StepState:
        match outcome.result:
            case Done() as done:
                found = self.open.operation if self.open else None
                lost = tuple(one for one in self.lost if one != found)
                return replace(
                    self, done=done, open=None, failure=None, doubt=frozenset(), lost=lost
                )
            case Refused(failure=failure):
                doubt = self.doubt - {outcome.attempt}
                return replace(self, failure=failure, open=None, doubt=doubt)
            case Unanswered():
                lost = (*self.lost, *((self.open.operation,) if self.open else ()))
                doubt = self.doubt | {outcome.attempt}
                lost = tuple(dict.fromkeys(lost))
                return replace(self, was_unknown=True, doubt=doubt, lost=lost)


class Kind(StrEnum):
    """A RUNG's plan takes the place of what was left of its component."""

    FORWARD = "forward"
    UNDO = "undo"
    REPAIR = "repair"
    RUNG = "rung"

    @property
    def is_wanted(self) -> bool:
        """It leads to what the stack wants."""
        return self in (Kind.FORWARD, Kind.RUNG)


class Course:
    """One plan being carried out: the first, a rollback's, a repair's, or a rung's.

    `mends`: the step of another course for which a repair is made. `rung`: the one it is of.
    """

    def __init__(
        self, plan: Plan, kind: Kind, *, mends: StepId | None = None, rung: OnRung | None = None
    ) -> None:
        self.plan = plan
        self.kind = kind
        self.mends = mends
        self.rung = rung
        self.is_given_up = False
        self.steps = {step.id: step for step in plan.steps}
        self.addresses = frozenset(step.address for step in plan.steps)
        self._states = {step.id: StepState() for step in plan.steps}
        self._unmet = {step.id: len({edge.step for edge in step.depends_on}) for step in plan.steps}
        self._later: dict[StepId, list[StepId]] = {}
        for step in plan.steps:
            for before in {edge.step for edge in step.depends_on}:
                self._later.setdefault(before, []).append(step.id)
        self._startable = {one for one, count in self._unmet.items() if count == 0}

    def state(self, step: StepId) -> StepState:
        return self._states[step]

    def put(self, step: StepId, state: StepState) -> None:
        """A step that is done stays done."""
        was_done = self.is_done(step)
        assert not was_done or state.status is Status.DONE, step
        self._states[step] = state
        if state.status is Status.DONE and not was_done:
            for later in self._later.get(step, ()):
                self._unmet[later] -= 1
                self._recount(later)
        self._recount(step)

    def set(self, step: StepId, status: Status) -> None:
        self.put(step, replace(self._states[step], status=status))

    def fail(self, step: StepId, failure: Failure) -> None:
        self.put(step, replace(self._states[step], status=Status.FAILED, failure=failure))

    def with_status(self, *statuses: Status) -> tuple[StepId, ...]:
        """In plan order."""
        return tuple(one for one, state in self._states.items() if state.status in statuses)

    def is_done(self, step: StepId) -> bool:
        return self._states[step].status is Status.DONE

    def is_executed(self, step: StepId) -> bool:
        """Done, or sent without a known end."""
        state = self._states[step]
        return self.is_done(step) or state.open is not None or bool(state.doubt)

    @property
    def is_all_done(self) -> bool:
        return all(state.status is Status.DONE for state in self._states.values())

    def startable(self) -> tuple[StepId, ...]:
        """Those whose turn has come, by id: not begun, and all that they wait for is done."""
        return tuple(sorted(self._startable))

    def _recount(self, step: StepId) -> None:
        is_unbegun = self._states[step].status in (Status.PENDING, Status.DOUBTFUL)
        if is_unbegun and self._unmet[step] == 0:
            self._startable.add(step)
        else:
            self._startable.discard(step)

    def is_self_funded(self, step: Step) -> bool:
        """Takes units that this run gave back, so that the account may show them late."""
        if not self.kind.is_wanted:
            return True
        waits = (self.steps[edge.step].task for edge in step.depends_on)
        return (
            any(isinstance(edge, Funded) for edge in step.depends_on)
            or any(isinstance(task, AwaitReleased | Probe) for task in waits)
            or any(grant.step == step.id and grant.source for grant in self.plan.funding)
        )

    def is_final(self, step: Step, failure: Failure) -> bool:
        """False: a journal that ends with this refusal is one in which it would be sent again."""
        if is_waiting(step.task):
            return True
        if failure.kind in (FailureClass.TRANSIENT, FailureClass.UNREACHABLE):
            return False
        return not (failure.kind == FailureClass.CAPACITY and self.is_self_funded(step))


class Bindings:
    """Which ids the labels of a plan stand for; grows as creating calls are answered."""

    def __init__(self, known: Iterable[Binding]) -> None:
        self._versions: dict[VersionRef, Bound] = {}
        self._functions: dict[Address, FunctionId] = {}
        self.add(known)

    def add(self, known: Iterable[Binding]) -> None:
        """Those of a rung's plan have labels of their own."""
        for binding in known:
            self._functions[binding.version.address] = binding.function_id
            if binding.version_id is not None:
                self._versions[binding.version] = (binding.function_id, binding.version_id)

    def absorb(self, task: Task, done: Done) -> None:
        if not isinstance(task, CreateFunction | CreateVersion):
            return
        assert done.function is not None, task
        assert done.version is not None, task
        self._functions[task.version.address] = done.function
        self._versions[task.version] = (done.function, done.version)

    def of(self, version: VersionRef) -> Bound | None:
        return self._versions.get(version)

    def for_call(self, task: Task) -> Bound | None:
        """Raises: AssertionError for a task on a version that no step before it made."""
        match task:
            case CreateFunction() | Probe():
                return None
            case CreateVersion(version=version):
                return (self._functions[version.address], None)
            case _:
                bound = self._versions.get(task.version)
                assert bound is not None, f"{task.version} has no id yet"
                return bound

    def known(self) -> tuple[tuple[VersionRef, Bound], ...]:
        return tuple(sorted(self._versions.items(), key=lambda pair: pair[0]))


def components(plan: Plan) -> tuple[frozenset[StepId], ...]:
    """Steps that stand or fall together: joined by an edge, by granted units, or by a function.

    In the order of their first steps in the plan.
    """
    leader: dict[str, str] = {step.id: step.id for step in plan.steps}

    def find(one: str) -> str:
        while leader.setdefault(one, one) != one:
            leader[one] = leader[leader[one]]
            one = leader[one]
        return one

    for step in plan.steps:
        if not isinstance(step.task, Probe):
            leader[find(step.id)] = find(f"address {step.address}")
        for edge in step.depends_on:
            leader[find(step.id)] = find(edge.step)
    for grant in plan.funding:
        if grant.source is not None:
            leader[find(grant.step)] = find(grant.source)
    groups: dict[str, list[StepId]] = {}
    for step in plan.steps:
        groups.setdefault(find(step.id), []).append(step.id)
    return tuple(frozenset(group) for group in groups.values())
