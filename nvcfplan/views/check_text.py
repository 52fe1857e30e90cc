"""Whether a saved plan still holds, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.reports import Validity
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted, lasting, units

if TYPE_CHECKING:
    from nvcfplan.reports import CheckReport


def render_check(report: CheckReport, *, colour: bool, width: int = WIDTH) -> str:
    ink = Ink(colour, width)
    age = (report.checked_at - report.created_at).total_seconds()
    about = f"  plan: {safe(report.stack)}, made {lasting(age)} ago\n  {report.digest}"
    return "\n".join([*_verdict(report, ink), about])


def _verdict(report: CheckReport, ink: Ink) -> list[str]:
    match report.standing:
        case Validity.VALID:
            return [ink.green("Saved plan still holds: what it rests on has not moved.")]
        case Validity.STALE:
            head = f"Saved plan is stale: {counted(len(report.moved), 'field')} moved."
        case Validity.NO_CAPACITY:
            head = "Saved plan no longer fits: others have taken the room since."
        case _:
            assert_never(report.standing)
    lines = [ink.red(head)]
    for one in report.moved:
        text = f"{one.address} {one.field}: the plan saw {one.planned}, now it is {one.found}"
        lines += ink.folded(text, first="  * ", rest="    ")
    for short in report.shortages:
        lines += ink.folded(
            f"{units(short.missing, short.resource)} too few", first="  * ", rest="    "
        )
    return [*lines, "  fix: run `nvcfplan plan` again and review what it says now"]


def stale_because(report: CheckReport) -> str:
    """In one sentence, for where there is room for no more."""
    moved, short = report.moved, report.shortages
    if moved:
        first = f"{moved[0].address} {moved[0].field}: the plan saw {moved[0].planned}"
        more = f", and {len(moved) - 1} more" if len(moved) > 1 else ""
        return f"the account has moved since: {first}, now it is {moved[0].found}{more}."
    first = f"{units(short[0].missing, short[0].resource)} too few"
    more = f", and {len(short) - 1} more" if len(short) > 1 else ""
    return f"others have taken the room since: {first}{more}."
