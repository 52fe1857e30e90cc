"""Carries out a plan: refuses what is stale, held or cannot be sent, then runs it under a lease."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from nvcfplan.applying import (
    ApplySettings,
    start,
    state_with,
    still_to_take,
    unremembered,
)
from nvcfplan.errors import FREE_UNITS, LockHeld, Moved, RunOpen, SecretUnavailable, StalePlan
from nvcfplan.model import (
    Address,
    EnvironmentVariable,
    SecretOrigin,
    SecretReference,
    function_address,
)
from nvcfplan.plans import CreateFunction, CreateVersion, Plan, SetSecrets
from nvcfplan.workflows.check import freshness_of
from nvcfplan.workflows.climbing import replanner
from nvcfplan.workflows.journals import CODEC, last_journal, refuse_open
from nvcfplan.workflows.locking import Patience, held, wait_until_free
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.ports import Actor, Minted
from nvcfplan.workflows.publishing import counting_others, published
from nvcfplan.workflows.reading import refuse_unbound_account
from nvcfplan.workflows.runs import (
    Held,
    carry_out,
    current_state,
    first_remembered,
    remember_last,
    write_state,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractAsyncContextManager

    from nvcfplan.applying import Lease, SecretSource, StateStore
    from nvcfplan.planning import Freshness
    from nvcfplan.plans import Step
    from nvcfplan.workflows.ports import LookPorts, RunPorts
    from nvcfplan.workflows.reading import Remembered, Scope
    from nvcfplan.workflows.runs import RunResult, Shell


class RunUnderWay(LockHeld, RunOpen):
    """Open, and at work this moment: whoever can live with an open run can live with this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyRequest:
    """`operation`: the command's name, for whoever finds the stack locked.

    `patience` None: a lease that another holds is not waited for.
    """

    plan: Plan
    actor: Actor
    minted: Minted
    settings: ApplySettings
    operation: str = "apply"
    patience: Patience | None = None


async def apply_plan(request: ApplyRequest, ports: RunPorts, shell: Shell) -> RunResult:
    """Before the first mutation all that can be known to fail has been refused.

    Raises: LockHeld, RunOpen, AccountMismatch, StalePlan, SecretUnavailable; RemoteError while
    reading; StoreError when the journal cannot be written.
    """
    plan, look = request.plan, ports.look
    scope = scope_of(plan.desired)
    refuse_unbound_account(plan.desired.account, look.identity)
    async with _held(request, look.store) as lease:
        journal = await last_journal(scope, look.store)
        refuse_open(journal, scope)
        remembered = await remember_last(scope, look, lease, journal)
        async with published(partial(still_to_take, plan, ()), lease, look) as publishing:
            earlier = counting_others(scope, look, before=publishing.number)
            await refuse_moved(plan, remembered, earlier)
            refuse_unresolvable(plan.steps, look.secrets)
            if remembered.state is None:
                remembered = await first_remembered(scope, look, lease, request.minted)
            assert remembered.state is not None
            holding = Held(
                scope=scope,
                lease=lease,
                remembered=remembered,
                state=remembered.state,
                run=request.minted.run,
                recorded=0,
                actor=request.actor,
            )
            machine = start(
                plan,
                holding.context(look.clock),
                request.settings,
                CODEC,
                replan=replanner(plan, holding.state, look.secrets),
            )
            counting = replace(ports, look=counting_others(scope, look), steps=earlier.reader)
            async with publishing.kept_up():
                return await carry_out(
                    machine, holding, counting, publishing.heard(shell, machine.still_to_take)
                )


async def remember_plan(request: ApplyRequest, ports: LookPorts) -> tuple[Address, ...]:
    """Of a plan with nothing to do: writes down what is wanted, where the state has it otherwise.

    The functions whose entries were written. No run is begun, and nothing is locked for nothing.
    Raises: as `apply_plan`.
    """
    plan = request.plan
    scope = scope_of(plan.desired)
    refuse_unbound_account(plan.desired.account, ports.identity)
    if not unremembered((await current_state(scope, ports)).state, plan):
        return ()
    async with _held(request, ports.store) as lease:
        journal = await last_journal(scope, ports.store)
        refuse_open(journal, scope)
        remembered = await remember_last(scope, ports, lease, journal)
        await refuse_moved(plan, remembered, ports)
        found = unremembered(remembered.state, plan)
        if found:
            if remembered.state is None:
                remembered = await first_remembered(scope, ports, lease, request.minted)
            assert remembered.state is not None
            await write_state(state_with(remembered.state, found), remembered, ports, lease)
        return tuple(function_address(one.key) for one in found)


def _held(request: ApplyRequest, store: StateStore) -> AbstractAsyncContextManager[Lease]:
    return held(
        scope_of(request.plan.desired),
        store,
        request.actor,
        operation=request.operation,
        patience=request.patience,
    )


async def refuse_open_run(
    scope: Scope, ports: LookPorts, patience: Patience | None = None, *, owner: str = ""
) -> None:
    """Raises: RunUnderWay, RunOpen. Under a lease it is asked again: this is for a plan to come.

    The lease is looked at first: the journal of a run that lives reads like that of one cut off.
    """
    try:
        if patience is not None:
            await wait_until_free(scope, ports.store, patience, owner)
        await ports.store.refuse_held(str(scope))
    except LockHeld as error:
        raise RunUnderWay(
            f"a run is under way: {error.summary}",
            holder=error.holder,
            since=error.since,
            epoch=error.epoch,
            remedy=error.remedy,
        ) from error
    refuse_open(await last_journal(scope, ports.store), scope)


def refuse_unresolvable(steps: Sequence[Step], secrets: SecretSource) -> None:
    """Raises: SecretUnavailable, naming every step and value. Nothing has been sent then."""
    missing = [
        f"{step.id} needs {reference.name} from {_where(reference)}"
        for step in steps
        for reference in _needed(step)
        if reference.origin is not SecretOrigin.LIVE and secrets.resolve(reference) is None
    ]
    if missing:
        raise SecretUnavailable(
            f"{len(missing)} secret {'value' if len(missing) == 1 else 'values'} that the plan"
            " must send cannot be resolved here",
            detail="\n".join(missing),
            remedy="set the variables and make the files readable where apply runs; for values of"
            " the stack's own, name its files, unchanged, after the plan. Nothing was changed",
        )


def _needed(step: Step) -> Iterator[SecretReference]:
    match step.task:
        case (
            CreateFunction(config=config, secrets=references)
            | CreateVersion(config=config, secrets=references)
        ):
            yield from references
            for variable in config.container_environment:
                yield from _reference(variable)
        case SetSecrets(secrets=references):
            yield from references
        case _:
            return


def _reference(variable: EnvironmentVariable) -> Iterator[SecretReference]:
    if isinstance(variable.value, SecretReference):
        yield variable.value


def _where(reference: SecretReference) -> str:
    match reference.origin:
        case SecretOrigin.ENV:
            return f"the variable {reference.locator}"
        case SecretOrigin.FILE:
            return f"the file {reference.locator}"
        case SecretOrigin.STACK:
            return f"the stack's own files ({reference.locator})"
        case SecretOrigin.LIVE:
            return f"the live version ({reference.locator})"


async def refuse_moved(plan: Plan, remembered: Remembered, ports: LookPorts) -> None:
    """Raises: AccountMismatch, StalePlan. Numbers may move as long as the proof holds."""
    freshness = await freshness_of(plan, remembered.state, ports)
    if not freshness.is_fresh:
        raise StalePlan(
            "Saved plan is stale: the account is not what the plan saw",
            moved=_moved(freshness),
            remedy="run `nvcfplan plan` again and review what it says now; nothing was changed",
        )


def _moved(freshness: Freshness) -> tuple[Moved, ...]:
    """Capacity that no longer proves is a field like any other, with the exact units."""
    return (
        *freshness.moved,
        *(
            Moved(
                address=shortage.resource,
                field=FREE_UNITS,
                planned="enough for every step",
                found=f"{shortage.missing} too few",
            )
            for shortage in freshness.shortages
        ),
    )
