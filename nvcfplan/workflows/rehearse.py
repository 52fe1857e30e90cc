"""What a rehearsal begins from: the account as it is read for an apply, and what is remembered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import Document
from nvcfplan.capacity import with_declared
from nvcfplan.model import Account, LiveFunction
from nvcfplan.planning import ApplyNeeds
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.reading import (
    read_live,
    refuse_other_label,
    refuse_unbound_account,
)
from nvcfplan.workflows.runs import current_state

if TYPE_CHECKING:
    from nvcfplan.plans import Plan
    from nvcfplan.workflows.ports import Actor, LookPorts

_LEASE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """`state`: the document as stored; None: there is none."""

    account: Account
    functions: tuple[LiveFunction, ...]
    state: bytes | None


async def look_at_scene(plan: Plan, ports: LookPorts) -> Seen:
    """Reads only. Raises: AccountMismatch; RemoteError; StateCorrupt."""
    scope = scope_of(plan.desired)
    refuse_unbound_account(plan.desired.account, ports.identity)
    state = (await current_state(scope, ports)).state
    account, functions = await read_live(scope, ports.reader, ApplyNeeds(plan=plan, state=state))
    refuse_other_label(plan.account, account.identity)
    stored = await ports.store.read(str(scope), Document.STATE)
    return Seen(
        account=with_declared(account, plan.desired.quotas),
        functions=functions,
        state=stored.content if stored else None,
    )


async def put_state(plan: Plan, state: bytes | None, ports: LookPorts, actor: Actor) -> None:
    """Into an empty store, as it was where the plan was made."""
    if state is None:
        return
    scope = str(scope_of(plan.desired))
    lease = await ports.store.acquire(scope, actor.name, _LEASE_SECONDS)
    await ports.store.write(scope, Document.STATE, state, expected=None, lease=lease)
    await ports.store.release(lease)
