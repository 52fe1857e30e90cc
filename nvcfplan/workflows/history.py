"""What was done to a stack, run by run; and who holds it now, with what it has in flight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.applying import LeaseSeen
from nvcfplan.documents import decode_plan, decode_stamped
from nvcfplan.errors import DocumentError, JournalCorrupt, SettingsError
from nvcfplan.model import RunId
from nvcfplan.reports import RunReport, run_report

if TYPE_CHECKING:
    from nvcfplan.applying import LeaseBreaker, StateStore
    from nvcfplan.workflows.reading import Scope

_OPEN_IS_AMONG: Final = 20
"""An open run is the last one, for none is begun beside it; but clocks are set back at times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreadRun:
    """A journal that does not read: the others are told all the same."""

    run: RunId
    error: JournalCorrupt | DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """`lease` None: nobody holds the stack. `open_run`: the run that is not settled, if any."""

    lease: LeaseSeen | None
    open_run: RunReport | None


async def read_history(
    scope: Scope, store: StateStore, *, most: int
) -> tuple[RunReport | UnreadRun, ...]:
    """Newest first, by the leases they were begun under; those that do not read come first."""
    runs = (await store.runs(str(scope)))[:most]
    found = [await _read(scope, store, run) for run in runs]
    unread = [one for one in found if isinstance(one, UnreadRun)]
    read = [one for one in found if isinstance(one, RunReport)]
    return (*unread, *sorted(read, key=_order, reverse=True))


async def read_run(scope: Scope, store: StateStore, run: RunId) -> RunReport:
    """Raises: SettingsError when there is no such run; JournalCorrupt, DocumentError."""
    if not await store.records(str(scope), run):
        raise SettingsError(
            f"there is no run {run} of {scope}",
            detail="runs are kept beside the stack's files, a rehearsal's beside its emulator's",
            remedy="see `nvcfplan history`, with the same options",
        )
    found = await _read(scope, store, run)
    if isinstance(found, UnreadRun):
        raise found.error
    return found


async def look_at_lock(scope: Scope, store: StateStore, locks: LeaseBreaker) -> Lock:
    lease = await locks.lease(str(scope))
    newest = await read_history(scope, store, most=_OPEN_IS_AMONG)
    open_runs = [one for one in newest if isinstance(one, RunReport) and one.is_open]
    return Lock(lease=lease, open_run=open_runs[0] if open_runs else None)


async def _read(scope: Scope, store: StateStore, run: RunId) -> RunReport | UnreadRun:
    try:
        stored = await store.records(str(scope), run)
        decoded = (decode_stamped(record) for record in stored)
        journal = [one for one in decoded if one is not None]
        return run_report(run, str(scope), journal, decode_plan)
    except (JournalCorrupt, DocumentError) as error:
        return UnreadRun(run=run, error=error)


def _order(report: RunReport) -> tuple[int, RunId]:
    return (report.parts[0].epoch if report.parts else 0, report.run)
