"""What has drifted, as one page that needs nothing else, in the looks of a plan's."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, assert_never

from nvcfplan.diagnostics import Severity
from nvcfplan.reports import Finding, FindingClass, LookOutcome
from nvcfplan.views import drift_sentences as sentences
from nvcfplan.views.ink import WIDTH
from nvcfplan.views.templating import Medium, compiled, html_quoting, html_text
from nvcfplan.views.wording import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jinja2 import Template

    from nvcfplan.reports import DriftReport, Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """`sides`: sign, kind and text of each line. Empty texts are left out."""

    finding: Finding
    name: str
    tone: str
    sides: tuple[tuple[str, str, str], ...]
    story: str = ""
    acknowledged: str = ""

    @property
    def severity(self) -> str:
        return self.finding.severity.value

    @property
    def sensitive(self) -> str:
        return sentences.SENSITIVE


def draw_drift_page(report: DriftReport) -> str:
    """Ends in a newline. The same report gives the same bytes."""
    drawn = _template().render(
        title=f"Drift of {report.stack}",
        report=report,
        verdict=sentences.verdict(report),
        tone=_tone(report.outcome),
        last_run=sentences.last_run(report),
        not_checked=sentences.not_checked(report),
        cleared=[sentences.cleared(report, one) for one in report.cleared],
        groups=list(_groups(report)),
        pools=report.drift.pools if report.drift else (),
        pending=sentences.pending(report),
        looked=moment(report.looked_at),
        previous=moment(report.previous) if report.previous else "",
    )
    return drawn.rstrip("\n") + "\n"


def _groups(report: DriftReport) -> Iterator[tuple[str, list[_Entry]]]:
    """By class, in the order of the report; what is known, and notes, by themselves."""
    for kind in FindingClass:
        counting = [one for one in report.standing if one.counts and one.finding.kind is kind]
        if counting:
            yield f"{kind.value.capitalize()}: {len(counting)}", [_entry(one) for one in counting]
    if report.acknowledged:
        known = [_entry(one) for one in report.acknowledged]
        yield f"Acknowledged: {len(known)}", known
    if report.notes:
        yield f"Notes: {len(report.notes)}", [_bare(one) for one in report.notes]


def _entry(standing: Standing) -> _Entry:
    said = standing.acknowledgement
    return _bare(
        standing.finding,
        story=sentences.story(standing),
        acknowledged=sentences.acknowledged(said) if said else "",
    )


def _bare(finding: Finding, *, story: str = "", acknowledged: str = "") -> _Entry:
    sides = sentences.sides(finding, WIDTH) or ()
    return _Entry(
        finding=finding,
        name=sentences.print_of(finding.fingerprint),
        tone="note" if acknowledged else _tone_of(finding.severity),
        sides=tuple(
            (sign, kind, line)
            for (sign, kind), text in zip((("-", "del"), ("+", "add")), sides, strict=False)
            if text != sentences.ABSENT
            for line in text.split("\n")
        ),
        story=story,
        acknowledged=acknowledged,
    )


def _tone(outcome: LookOutcome) -> str:
    match outcome:
        case LookOutcome.IN_STEP:
            return "good"
        case LookOutcome.DRIFTED:
            return "bad"
        case LookOutcome.NOT_CHECKED | LookOutcome.SKIPPED | LookOutcome.ACKNOWLEDGED:
            return "warn"
        case _:
            assert_never(outcome)


def _tone_of(severity: Severity) -> str:
    match severity:
        case Severity.ERROR:
            return "bad"
        case Severity.WARNING:
            return "warn"
        case Severity.NOTE:
            return "note"
        case _:
            assert_never(severity)


@cache
def _template() -> Template:
    return compiled("drift.html.j2", Medium(draw=html_text, filters={"quoting": html_quoting}))
