"""What a run that climbs a ladder needs of the planner and of the account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.applying import Survey, as_given_up
from nvcfplan.checks import check_plan
from nvcfplan.model import EnvironmentVariable, SecretReference, VersionId
from nvcfplan.planning import Inputs, PlanNeeds, PlanOptions, plan_stack, returning_in
from nvcfplan.workflows.reading import read_live

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nvcfplan.applying import ReadEverything, Replan, Replanning, SecretSource
    from nvcfplan.model import (
        DeclaredQuota,
        DesiredFunction,
        FunctionId,
        LiveFunction,
        Stack,
        State,
    )
    from nvcfplan.planning import PlanOutlook
    from nvcfplan.plans import Infeasible, Plan
    from nvcfplan.workflows.ports import LookPorts
    from nvcfplan.workflows.reading import Scope


def replanner(plan: Plan, state: State | None, secrets: SecretSource) -> Replan:
    """Pure but for the secrets, which the plan holds as references and comparing needs."""

    def replan(asked: Replanning) -> Plan | Infeasible:
        read_at = sorted((taken.what.value, taken.read_at) for taken in asked.account.taken)
        inputs = Inputs(
            stack=_unsealed(asked.stack, secrets),
            account=asked.account,
            live=asked.live,
            state=state,
            digest=plan.fingerprint.inputs,
            provenance=replace(plan.provenance, read_at=tuple(read_at)),
        )
        options = PlanOptions(only=asked.only, returning=returning_in(plan))
        return check_plan(plan_stack(inputs, options), asked.account)

    return replan


def surveyor(
    scope: Scope, state: State | None, ports: LookPorts
) -> Callable[[ReadEverything], Awaitable[Survey]]:
    async def survey(asked: ReadEverything) -> Survey:
        needs = PlanNeeds(
            stack=_unsealed(asked.stack, ports.secrets),
            state=state,
            options=PlanOptions(only=asked.only, climbs=True),
        )
        found = _RungNeeds(needs=needs, given_up=asked.given_up)
        account, functions = await read_live(scope, ports.reader, found)
        return Survey(account, functions)

    return survey


@dataclass(frozen=True, slots=True, kw_only=True)
class _RungNeeds:
    """Of a plan in which some deployments in progress count as failed."""

    needs: PlanNeeds
    given_up: frozenset[VersionId]

    @property
    def state(self) -> State | None:
        return self.needs.state

    @property
    def quotas(self) -> Sequence[DeclaredQuota]:
        return self.needs.quotas

    def first(self, live: Sequence[LiveFunction]) -> tuple[tuple[FunctionId, VersionId], ...]:
        return self.needs.first(live)

    def shared(self, live: Sequence[LiveFunction]) -> tuple[FunctionId, ...]:
        return self.needs.shared(live)

    def outlook(self, live: Sequence[LiveFunction]) -> PlanOutlook:
        return self.needs.outlook(as_given_up(live, self.given_up))


def _unsealed(stack: Stack, secrets: SecretSource) -> Stack:
    return replace(stack, functions=tuple(_opened(one, secrets) for one in stack.functions))


def _opened(function: DesiredFunction, secrets: SecretSource) -> DesiredFunction:
    """What cannot be resolved here stays a reference, and then differs from what is live."""
    variables = tuple(
        EnvironmentVariable(one.key, secrets.resolve(one.value) or one.value)
        if isinstance(one.value, SecretReference)
        else one
        for one in function.config.container_environment
    )
    return replace(function, config=replace(function.config, container_environment=variables))
