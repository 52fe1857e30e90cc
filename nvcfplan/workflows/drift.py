"""Looks at the account for what has drifted. Changes nothing there, and locks nothing.

What it found is remembered, so that the next look knows what is new; without a memory it looks
just as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.drifting import DriftNeeds, Sight, classify, recollect
from nvcfplan.errors import JournalCorrupt, RunOpen, StoreError
from nvcfplan.model import Stack
from nvcfplan.planning import PlanNeeds
from nvcfplan.reports import Circumstances, DriftReport, LastRun, drift_report
from nvcfplan.workflows.apply import RunUnderWay, refuse_open_run
from nvcfplan.workflows.memory import MEMORY_UNWRITTEN, read_memory, revise_memory
from nvcfplan.workflows.plan import fingerprints_of, scope_of
from nvcfplan.workflows.reading import read_live, refuse_unbound_account
from nvcfplan.workflows.runs import current_state

if TYPE_CHECKING:
    from nvcfplan.drifting import Drift, Recollection
    from nvcfplan.model import Memory, State
    from nvcfplan.workflows.ports import LookPorts
    from nvcfplan.workflows.reading import Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRequest:
    """`compares_secrets`: fingerprints are compared where a value can be resolved here.

    `remembers` False: what earlier looks found is neither read nor written.
    """

    stack: Stack
    compares_secrets: bool = False
    remembers: bool = True


async def look_for_drift(request: DriftRequest, ports: LookPorts) -> DriftReport:
    """Works with an open journal, after a failed apply, without state, with numbers unread.

    While a run of ours is at work, what differs is its doing: then nothing is looked for.
    Raises: RemoteError when functions or deployments cannot be read; AccountMismatch; StateCorrupt.
    """
    stack, scope = request.stack, scope_of(request.stack)
    refuse_unbound_account(stack.account, ports.identity)
    last_run, words = await _last_run(scope, ports)
    state = (await current_state(scope, ports)).state
    around = Circumstances(
        stack=str(scope),
        account=str(ports.identity),
        last_run=last_run,
        run_words=words,
        looked_at=ports.clock.now(),
        has_state=state is not None,
    )
    if last_run is LastRun.UNDER_WAY:
        return drift_report(None, around)
    drift = classify(await take_sight(request, state, ports))
    if not request.remembers:
        return drift_report(drift, around)
    return await _remembered(drift, around, scope, ports)


async def take_sight(request: DriftRequest, state: State | None, ports: LookPorts) -> Sight:
    """Raises: RemoteError when functions or deployments cannot be read."""
    stack = request.stack
    needs = DriftNeeds(stack=stack, state=state)
    account, functions = await read_live(scope_of(stack), ports.reader, needs)
    known = fingerprints_of(stack, state, ports.secrets) if request.compares_secrets else {}
    stack = PlanNeeds(stack=stack, state=state).as_it_stands(functions)
    return Sight(stack=stack, account=account, live=functions, state=state, fingerprints=known)


async def _remembered(
    drift: Drift, around: Circumstances, scope: Scope, ports: LookPorts
) -> DriftReport:
    """A memory that cannot be written is a warning, and what is in it is used all the same."""

    def change(memory: Memory) -> tuple[Memory, Recollection]:
        recalled = recollect(memory, drift, around.looked_at)
        return recalled.memory, recalled

    try:
        recalled = await revise_memory(scope, ports.store, change)
    except StoreError as error:
        _, recalled = change(await read_memory(scope, ports.store))
        return drift_report(drift, around, recalled, warnings=(_unkept(scope, error),))
    return drift_report(drift, around, recalled)


def _unkept(scope: Scope, error: StoreError) -> Diagnostic:
    return Diagnostic(
        code=MEMORY_UNWRITTEN,
        severity=Severity.WARNING,
        summary=f"what was found of {scope} cannot be remembered: {error.summary}",
        detail="the next look will not know what is new, and nobody is told of what was found",
        remedy=error.remedy
        or "give a directory that can be written with -state-dir, or look with -no-memory",
    )


async def _last_run(scope: Scope, ports: LookPorts) -> tuple[LastRun, str]:
    try:
        await refuse_open_run(scope, ports)
    except RunUnderWay as error:
        return LastRun.UNDER_WAY, error.summary
    except (RunOpen, JournalCorrupt) as error:
        return LastRun.OPEN, error.summary
    return LastRun.SETTLED, ""
