"""`-inject KIND@STEP`: a trouble of the emulator for the request that one step of a plan sends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.emulator.rules import Fault, Trouble
from nvcfplan.frontends.options import usage_error
from nvcfplan.model import function_key
from nvcfplan.plans import (
    AwaitActive,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    SetAuthorizations,
    SetSecrets,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
    is_waiting,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nvcfplan.plans import Plan, Step, Task

_ROUTES: Final[Mapping[type[Task], str]] = {
    CreateFunction: "create-function",
    CreateVersion: "create-version",
    Deploy: "deploy",
    UpdateDeployment: "update-specification",
    UpdateMetadata: "metadata",
    SetSecrets: "secrets",
    SetAuthorizations: "authorize",
    Undeploy: "undeploy",
    DeleteVersion: "delete-version",
}

AGAIN: Final = 1000
"""So often a refusal is repeated that is meant to last."""
TWICE: Final = 2

_ASKING: Final = frozenset({"deploy", "update-specification"})
"""Routes by which GPUs are asked for."""


def _no_capacity(fault: Fault, route: str) -> Fault:
    if route == "deploy":
        return _with(fault, kind=Trouble.CAPACITY_SYNC, count=AGAIN)
    return _with(fault, kind=Trouble.CAPACITY_ASYNC)


KINDS: Final[Mapping[str, tuple[Callable[[Fault, str], Fault], bool]]] = {
    "no-capacity": (_no_capacity, True),
    "late-capacity": (
        lambda one, _: _with(one, kind=Trouble.CAPACITY_SYNC, count=TWICE),
        True,
    ),
    "unserved": (
        lambda one, _: _with(one, kind=Trouble.CAPACITY_ASYNC),
        True,
    ),
    "stuck": (
        lambda one, _: _with(one, kind=Trouble.CAPACITY_ASYNC, is_silent=True),
        True,
    ),
    "broken": (lambda one, _: _with(one, kind=Trouble.BREAK), True),
    "drop-reply": (
        lambda one, _: _with(one, kind=Trouble.DROP_REPLY),
        False,
    ),
    "5xx": (lambda one, _: _answer(one, 503), False),
    "429": (lambda one, _: _answer(one, 429), False),
    "refused": (lambda one, _: _answer(one, 400), False),
    "kill": (lambda one, _: _with(one, kind=Trouble.KILL), False),
}
"""By name: how it is made, and whether only a step that asks for GPUs can meet it.

`grab` stands apart: another tenant takes what is free of the step's pools just before it.
"""
GRAB: Final = "grab"


def faults_of(plan: Plan, words: str) -> tuple[Fault, ...]:
    """Raises: click.UsageError, saying what there is instead."""
    kind, at, wanted = words.partition("@")
    if not at or (kind not in KINDS and kind != GRAB):
        known = ", ".join((*KINDS, GRAB))
        raise usage_error(f"'{words}' is not KIND@STEP with a kind among: {known}.")
    step = _step(plan, wanted)
    route = _route(step)
    if route is None:
        raise usage_error(f"{step.id} only looks: name the step whose request is to meet '{kind}'.")
    base = Fault(
        kind=Trouble.PAUSE, route=route, function=_name(plan, step), nth=_nth(plan, step, route)
    )
    if kind == GRAB:
        return _grabs(plan, step, base)
    make, is_for_gpus = KINDS[kind]
    if is_for_gpus and route not in _ASKING:
        raise usage_error(f"{step.id} asks for no GPUs, so it cannot meet '{kind}'.")
    if kind == "late-capacity" and route != "deploy":
        raise usage_error(f"'{kind}' is for a step that deploys; {step.id} updates.")
    return (make(base, route),)


def _step(plan: Plan, wanted: str) -> Step:
    """By its number in the plan's list, or by its id; a wait for ACTIVE stands for its request."""
    steps = plan.steps
    if wanted.isascii() and wanted.isdigit() and 0 < int(wanted) <= len(steps):
        found = steps[int(wanted) - 1]
    else:
        by_id = [one for one in steps if one.id == wanted]
        if not by_id:
            raise usage_error(
                f"the plan has no step '{wanted}': give a number from 1 to {len(steps)}, or an id"
                " such as deploy:function.chat@new."
            )
        (found,) = by_id
    if not isinstance(found.task, AwaitActive):
        return found
    version, place = found.task.version, steps.index(found)
    asking = [
        one
        for one in steps[:place]
        if isinstance(one.task, Deploy | UpdateDeployment) and one.task.version == version
    ]
    return asking[-1] if asking else found


def _route(step: Step) -> str | None:
    """The emulator's word for the request; None: it sends none."""
    return None if is_waiting(step.task) else _ROUTES[type(step.task)]


def _name(plan: Plan, step: Step) -> str:
    """The function's name in NVCF: its key in the stack where it does not say."""
    key = function_key(step.address)
    return next((one.config.name for one in plan.desired.functions if one.key == key), key)


def _nth(plan: Plan, step: Step, route: str) -> int:
    """Of this function's requests of the kind, in the order of the plan."""
    before = plan.steps[: plan.steps.index(step)]
    return 1 + sum(one.address == step.address and _route(one) == route for one in before)


def _grabs(plan: Plan, step: Step, base: Fault) -> tuple[Fault, ...]:
    taken = {charge.resource for charge in step.acquire}
    pools = {
        pool
        for one in plan.resources
        if one.id in taken and len(one.pools) == 1
        for pool in one.pools
    }
    if not pools:
        raise usage_error(f"{step.id} takes of no pool, so nothing can be grabbed before it.")
    return tuple(
        replace(base, kind=Trouble.GRAB, cluster=pool.cluster, gpu=pool.gpu)
        for pool in sorted(pools)
    )


def _answer(fault: Fault, status: int) -> Fault:
    return replace(fault, kind=Trouble.ANSWER, status=status)


def _with(fault: Fault, *, kind: Trouble, count: int = 1, is_silent: bool = False) -> Fault:
    return replace(fault, kind=kind, count=count, is_silent=is_silent)
