"""Runs by hand: the events that each outcome of an apply tells."""

from __future__ import annotations

from dataclasses import replace

from nvcfplan.applying import (
    Blocked,
    Cause,
    Event,
    Failure,
    RepairBegan,
    RollbackBegan,
    RunBegan,
    RunFinished,
    RungName,
    RungRefused,
    RungTaken,
    RungWaiting,
    RunOutcome,
    RunStopping,
    StepFailed,
    StepRetried,
    StepStarted,
    StepSucceeded,
    StepWaiting,
)
from nvcfplan.model import RunId, StepId, function_address
from nvcfplan.plans import AwaitActive, Deploy, Plan, Shortage, Step, Undeploy, expected_ends
from tests.documents import builders
from tests.documents.builders import H100

RUN = RunId("01HVRUN0000000000000000000")
NO_ROOM = Failure(
    kind="capacity",
    message="No available capacity for instance type a3-highgpu-2g_2x",
    status=400,
    request_id="7f3a-11",
)
UNDO = StepId("undo:create-version:function.chat@new")


def began(plan: Plan, *done: Step) -> RunBegan:
    return RunBegan(
        at=0.0,
        run=RUN,
        planned=plan.steps,
        done=tuple(step.id for step in done),
        is_resumed=bool(done),
    )


def succeeded(step: Step, at: float) -> StepSucceeded:
    return StepSucceeded(
        at=at,
        step=step.id,
        address=step.address,
        task=step.task,
        elapsed_seconds=float(step.expected_seconds),
        is_adopted=False,
    )


def failed(step: Step, at: float, failure: Failure = NO_ROOM) -> StepFailed:
    return StepFailed(
        at=at,
        step=step.id,
        address=step.address,
        task=step.task,
        elapsed_seconds=12.0,
        failure=failure,
    )


def cause_of(step: Step, failure: Failure = NO_ROOM) -> Cause:
    return Cause(step=step.id, address=step.address, task=step.task, failure=failure)


def finished(
    at: float, outcome: RunOutcome, *causes: Cause, blocked: Blocked | None = None
) -> RunFinished:
    return RunFinished(at=at, outcome=outcome, causes=causes, blocked=blocked)


def applied(plan: Plan) -> tuple[Event, ...]:
    done = [succeeded(step, at=float(index)) for index, step in enumerate(plan.steps)]
    return (began(plan), *done, finished(615.0, RunOutcome.APPLIED))


def slower(plan: Plan, *, factor: float = 1.5) -> tuple[Event, ...]:
    """Every step took longer than it was expected to."""
    ends = expected_ends(plan.steps)
    done = [
        replace(
            succeeded(step, factor * ends[step.id]), elapsed_seconds=factor * step.expected_seconds
        )
        for step in sorted(plan.steps, key=lambda one: ends[one.id])
    ]
    return (began(plan), *done, finished(done[-1].at, RunOutcome.APPLIED))


def rolled_back(plan: Plan, *, is_asked_for: bool = False) -> tuple[Event, ...]:
    """The version was created, its deployment refused, the version deleted again."""
    create = next(step for step in plan.steps if step.id.startswith("create-version"))
    deploy = next(step for step in plan.steps if isinstance(step.task, Deploy))
    undo = StepSucceeded(
        at=15.0,
        step=UNDO,
        address=create.address,
        task=create.task,
        elapsed_seconds=1.0,
        is_adopted=False,
    )
    cause = cause_of(deploy)
    return (
        began(plan),
        succeeded(create, 3.0),
        failed(deploy, 12.0),
        RollbackBegan(at=12.5, cause=cause, steps=(UNDO,)),
        undo,
        finished(16.0, RunOutcome.ROLLED_BACK, *(() if is_asked_for else (cause,))),
    )


def incomplete(plan: Plan) -> tuple[Event, ...]:
    """The new version failed and there is no room any more for the old one."""
    deploy = next(step for step in plan.steps if isinstance(step.task, Deploy))
    again = StepId("undo:undeploy:function.chat@old")
    blocked = Blocked(
        step=again,
        failure=NO_ROOM,
        missing=(Shortage(resource=H100, missing=4, users=(("function.chat", 4),)),),
        remaining=(again, StepId("undo:await-active:function.chat@old")),
    )
    cause = cause_of(deploy)
    return (
        began(plan),
        *(succeeded(step, 9.0) for step in plan.steps[:3]),
        failed(deploy, 400.0),
        RollbackBegan(at=401.0, cause=cause, steps=(again,)),
        finished(950.0, RunOutcome.INCOMPLETE, cause, blocked=blocked),
    )


def nothing_changed(plan: Plan, outcome: RunOutcome) -> tuple[Event, ...]:
    first = plan.steps[0]
    denied = Failure(kind="authorization", message="scope deploy_function is missing", status=403)
    failure = NO_ROOM if outcome is RunOutcome.NO_CAPACITY else denied
    cause = cause_of(first, failure)
    return (began(plan), failed(first, 2.0, failure), finished(2.0, outcome, cause))


def interrupted(plan: Plan) -> tuple[Event, ...]:
    stopping = RunStopping(at=4.0, reason="interrupted", in_flight=(plan.steps[1].id,))
    return (
        began(plan),
        succeeded(plan.steps[0], 3.0),
        stopping,
        finished(6.0, RunOutcome.INTERRUPTED),
    )


def every_event() -> tuple[Event, ...]:
    plan = builders.delete_first()
    deploy = next(step for step in plan.steps if isinstance(step.task, Deploy))
    active = next(step for step in plan.steps if isinstance(step.task, AwaitActive))
    undeploy = next(step for step in plan.steps if isinstance(step.task, Undeploy))
    return (
        began(plan),
        began(plan, *plan.steps[:2]),
        *(
            StepStarted(at=0.0, step=step.id, address=step.address, task=step.task)
            for step in (*plan.steps, *builders.heterogeneous().steps)
        ),
        StepWaiting(
            at=30.0,
            step=active.id,
            address=active.address,
            task=active.task,
            reason="DEPLOYING, 1 of 2 instances running",
            elapsed_seconds=30.0,
        ),
        StepRetried(
            at=31.0,
            step=undeploy.id,
            address=undeploy.address,
            task=undeploy.task,
            attempt=2,
            reason="503 from the gateway \x1b[2J",
            pause_seconds=5.0,
        ),
        succeeded(active, 103.0),
        StepSucceeded(
            at=104.0,
            step=deploy.id,
            address=deploy.address,
            task=deploy.task,
            elapsed_seconds=1.5,
            is_adopted=True,
        ),
        failed(deploy, 105.0),
        RollbackBegan(at=106.0, cause=cause_of(deploy), steps=(UNDO,)),
        RollbackBegan(at=106.0, cause=None, steps=(UNDO, deploy.id)),
        RepairBegan(at=107.0, step=deploy.id, steps=(undeploy.id,), reason="it is dead"),
        RungRefused(at=107.2, rung=rung(1), reason="pool:b/H100 needs 2 more"),
        RungWaiting(at=107.4, rung=rung(2), reason="no capacity", left_seconds=900.0),
        RungTaken(at=107.6, rung=rung(3), cause=cause_of(deploy), planned=(undeploy, deploy)),
        RunStopping(at=108.0, reason="interrupted", in_flight=(deploy.id,)),
        RunStopping(at=108.0, reason="the lease was lost to ci@runner", in_flight=()),
        finished(109.0, RunOutcome.INTERRUPTED),
    )


def rung(number: int) -> RungName:
    words = ("fallback 1 of 1", "wait 1 of 1", "shrink 1 of 1")[number - 1]
    return RungName(address=CHAT, number=number, total=3, words=words)


CHAT = function_address("chat")
