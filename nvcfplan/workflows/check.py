"""Does a saved plan still hold against the account as it is now? Looks only, and takes no lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.documents import plan_digest
from nvcfplan.planning import ApplyNeeds, check_freshness
from nvcfplan.reports import CheckReport, check_report
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.publishing import counting_others
from nvcfplan.workflows.reading import (
    read_live,
    refuse_other_account,
    refuse_other_label,
    refuse_unbound_account,
)
from nvcfplan.workflows.runs import current_state

if TYPE_CHECKING:
    from nvcfplan.model import State
    from nvcfplan.planning import Freshness
    from nvcfplan.plans import Plan
    from nvcfplan.workflows.ports import LookPorts


async def check_saved_plan(plan: Plan, ports: LookPorts) -> CheckReport:
    """Fields that moved make it stale; numbers only where the proof fails with the fresh ones.

    Raises: RemoteError when functions or deployments cannot be read; AccountMismatch; StateCorrupt.
    """
    refuse_unbound_account(plan.desired.account, ports.identity)
    state = (await current_state(scope_of(plan.desired), ports)).state
    counting = counting_others(scope_of(plan.desired), ports)
    freshness = await freshness_of(plan, state, counting)
    return check_report(plan, freshness, digest=plan_digest(plan), at=ports.clock.now())


async def freshness_of(plan: Plan, state: State | None, ports: LookPorts) -> Freshness:
    """Raises: AccountMismatch; RemoteError."""
    if state is not None:
        owner = f"the state of {scope_of(plan.desired)}"
        refuse_other_account(owner, state.account, ports.identity)
    needs = ApplyNeeds(plan=plan, state=state)
    account, functions = await read_live(scope_of(plan.desired), ports.reader, needs)
    refuse_other_label(plan.account, account.identity)
    return check_freshness(plan, account, functions, state)
