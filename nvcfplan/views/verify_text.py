"""What a check of a saved plan found, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from nvcfplan.reports import Fit, Proof, no_snippets
from nvcfplan.views.capacity_text import draw_capacity, draw_interruptions
from nvcfplan.views.diagnostic_text import render_diagnostics
from nvcfplan.views.ink import WIDTH, Ink
from nvcfplan.views.wording import counted

if TYPE_CHECKING:
    from nvcfplan.reports import VerifyReport


def render_verify(report: VerifyReport, *, colour: bool, width: int = WIDTH) -> str:
    ink = Ink(colour, width)
    parts = [
        [render_diagnostics(report.faults, no_snippets, colour=colour, width=width)]
        if report.faults
        else [],
        _verdict(report, ink),
    ]
    if report.verdict is not Proof.REFUSED:
        parts += [draw_interruptions(report.plan, ink), draw_capacity(report.plan, ink)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _verdict(report: VerifyReport, ink: Ink) -> list[str]:
    counts = (
        f"{counted(len(report.plan.steps), 'step')}, {counted(report.edges, 'edge')}, "
        f"{counted(report.grants, 'grant')}"
    )
    match report.verdict:
        case Proof.REFUSED:
            return [ink.red(f"Refused: {counted(len(report.faults), 'fault')} in the plan.")]
        case Proof.PROVED:
            head = ink.green(f"Proved: {counts}.")
        case Proof.AT_RISK:
            risky = sum(row.fit is Fit.AT_RISK for row in report.plan.rows)
            head = ink.yellow(f"Proved but for {counted(risky, 'limit')} at risk: {counts}.")
        case _:
            assert_never(report.verdict)
    why = (
        "In every order that its edges permit no limit below is exceeded, every function serves "
        "as its policy demands, and the steps end where the plan's changes say."
    )
    return [head, *ink.folded(why, first="", rest="")]
