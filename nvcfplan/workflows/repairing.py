"""What would put back what has drifted: looked for as `drift` does, planned as `plan` does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.drifting import classify, find_repair
from nvcfplan.workflows.acknowledging import acknowledgements_of
from nvcfplan.workflows.drift import DriftRequest, take_sight
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.reading import read_state, refuse_other_claims, refuse_unbound_account

if TYPE_CHECKING:
    from nvcfplan.drifting import Repair
    from nvcfplan.model import Stack
    from nvcfplan.workflows.ports import LookPorts


async def look_for_repair(stack: Stack, ports: LookPorts) -> Repair:
    """What of the drift a plan puts right, and what the plan is to be made of.

    Raises: RemoteError when functions or deployments cannot be read; AccountMismatch; StateCorrupt;
    ClaimedTwice.
    """
    scope = scope_of(stack)
    refuse_unbound_account(stack.account, ports.identity)
    state = (await read_state(scope, ports)).state
    sight = await take_sight(DriftRequest(stack=stack), state, ports)
    refuse_other_claims(scope, sight.live, state)
    known = await acknowledgements_of(scope, ports.store, now=ports.clock.now())
    return find_repair(sight, classify(sight), {one.fingerprint for one in known})
