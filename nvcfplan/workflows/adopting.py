"""State that was lost, written again from what the account's own tags say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.applying import Adopted, adopt, state_with
from nvcfplan.diagnostics import Severity
from nvcfplan.differences import find_owned
from nvcfplan.errors import ClaimedTwice
from nvcfplan.model import State
from nvcfplan.plans import Infeasible
from nvcfplan.workflows.journals import last_journal, refuse_open
from nvcfplan.workflows.locking import held
from nvcfplan.workflows.plan import PlanRequest, make_plan, scope_of
from nvcfplan.workflows.reading import read_state
from nvcfplan.workflows.runs import first_remembered, write_state

if TYPE_CHECKING:
    from nvcfplan.workflows.ports import Actor, LookPorts, Minted


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """`adopted` empty: the state knows all there is, and nothing was written."""

    adopted: tuple[Adopted, ...]
    state: State | None


async def adopt_functions(
    request: PlanRequest, actor: Actor, minted: Minted, ports: LookPorts
) -> Adoption:
    """Only looks at the account. What the state has is left as it is; what it lacks is added.

    Raises: ClaimedTwice; LockHeld; RunOpen: the journal knows more than the tags; RemoteError;
    AccountMismatch; StateCorrupt.
    """
    scope = scope_of(request.stack)
    async with held(scope, ports.store, actor, operation="adopt", patience=None) as lease:
        refuse_open(await last_journal(scope, ports.store), scope)
        remembered = await read_state(scope, ports)
        found = await make_plan(replace(request, target=None), ports)
        plan = found.plan if isinstance(found, Infeasible) else found
        live = await ports.reader.functions()
        owned = find_owned(scope.stack, scope.environment, live, remembered.state)
        for fault in owned.diagnostics:
            if fault.severity is Severity.ERROR:
                raise ClaimedTwice(fault.summary, detail=fault.detail, remedy=fault.remedy)
        adopted = adopt(plan, owned.owned)
        if not adopted:
            return Adoption(adopted=(), state=remembered.state)
        if remembered.state is None:
            remembered = await first_remembered(scope, ports, lease, minted)
        assert remembered.state is not None
        state = state_with(remembered.state, [one.entry for one in adopted])
        await write_state(state, remembered, ports, lease)
        return Adoption(adopted=adopted, state=state)
