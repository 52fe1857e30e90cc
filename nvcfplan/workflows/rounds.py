"""One look at each of several stacks; what fails for one is said of it, and the others go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.errors import NvcfplanError
from nvcfplan.reports import DriftReport, NotLooked, RoundReport, not_looked
from nvcfplan.workflows.drift import DriftRequest, look_for_drift
from nvcfplan.workflows.ports import LookPorts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`label`: the stack's files, as they were named. `ports.reader`: best one for the round."""

    label: str
    request: DriftRequest
    ports: LookPorts


async def look_at_each(
    looks: Sequence[Look | NotLooked],
    tell: Callable[[DriftReport, Look], Awaitable[DriftReport]],
    *,
    began: datetime,
    requests: Callable[[], int],
) -> RoundReport:
    """`tell`: lets those know who are to be told, and gives the report with what went wrong there.

    One after the other: what is asked of the account is asked for the first, and then known.
    """
    reports: list[DriftReport] = []
    failed: list[NotLooked] = []
    for look in looks:
        if isinstance(look, NotLooked):
            failed.append(look)
            continue
        try:
            report = await look_for_drift(look.request, look.ports)
            reports.append(await tell(report, look))
        except NvcfplanError as error:
            failed.append(not_looked(look.label, error))
    return RoundReport(began=began, looks=tuple(reports), failed=tuple(failed), requests=requests())
