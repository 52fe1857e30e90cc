"""A look at all stacks of an account, in a line for each that has something to say."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from nvcfplan.reports import LookOutcome
from nvcfplan.views.neutralise import safe
from nvcfplan.views.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from nvcfplan.reports import DriftReport, RoundReport

WORDS: Final = {
    LookOutcome.IN_STEP: "in step",
    LookOutcome.DRIFTED: "drifted",
    LookOutcome.ACKNOWLEDGED: "acknowledged",
    LookOutcome.NOT_CHECKED: "not checked",
    LookOutcome.SKIPPED: "left to a run",
}


def render_round(report: RoundReport, *, account: str, at: datetime, seconds: float) -> str:
    """`at`: when it ended. First the whole, then what is new, has gone, or could not be looked at.

    What stood before is counted and not told again: `nvcfplan drift` tells all of it.
    """
    return "\n".join((_headline(report, account, at, seconds), *_news(report)))


def round_json(
    report: RoundReport, *, account: str, at: datetime, seconds: float
) -> dict[str, object]:
    """An object for a line of its own."""
    return {
        "type": "look",
        "at": at.isoformat(),
        "account": account,
        "seconds": round(seconds, 3),
        "requests": report.requests,
        "stacks": [_stack_json(one) for one in report.looks],
        "failed": [
            {"stack": one.label, "code": one.code, "summary": one.summary, "remedy": one.remedy}
            for one in report.failed
        ],
    }


def render_totals(rounds: Sequence[RoundReport]) -> str:
    """Of one look at several accounts."""
    return f"{_totals(rounds)}."


def _headline(report: RoundReport, account: str, at: datetime, seconds: float) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}  {safe(account)}: {_totals((report,))}, {seconds:.1f} s"


def _totals(rounds: Sequence[RoundReport]) -> str:
    looks = Counter(look.outcome for one in rounds for look in one.looks)
    failed = sum(len(one.failed) for one in rounds)
    counts = [f"{looks[outcome]} {words}" for outcome, words in WORDS.items() if looks[outcome]]
    counts += [f"{failed} not looked at"] if failed else []
    requests = sum(one.requests for one in rounds)
    return (
        f"{counted(looks.total() + failed, 'stack')}:"
        f" {', '.join(counts)}; {counted(requests, 'request')}"
    )


def _news(report: RoundReport) -> Iterator[str]:
    for failed in report.failed:
        words = f"  {failed.label}: {failed.summary} [{failed.code}]"
        yield safe(f"{words}; {failed.remedy}" if failed.remedy else words)
    unread = {one.what: one for look in report.looks if look.drift for one in look.drift.unread}
    for what in sorted(unread):
        yield safe(f"  not read: {what}: {unread[what].reason}")
    for look in report.looks:
        for one in look.standing:
            if one.is_new and one.counts:
                yield safe(f"  {look.stack}: new: {one.finding.summary} [{one.finding.code}]")
        for gone in look.cleared:
            yield safe(f"  {look.stack}: gone: {gone.summary} [{gone.code}]")
        for warning in look.warnings:
            yield safe(f"  {look.stack}: {warning.summary} [{warning.code}]")


def _stack_json(look: DriftReport) -> dict[str, object]:
    return {
        "stack": look.stack,
        "outcome": look.outcome.value,
        "standing": [
            {
                "fingerprint": one.finding.fingerprint,
                "class": one.finding.kind.value,
                "code": one.finding.code,
                "address": one.finding.address,
                "summary": one.finding.summary,
                "first_seen": one.first_seen.isoformat(),
                "is_new": one.is_new,
                "is_acknowledged": not one.counts,
            }
            for one in look.standing
        ],
        "cleared": [one.fingerprint for one in look.cleared],
        "not_checked": sorted({one.what.value for one in look.drift.unread} if look.drift else ()),
        "warnings": [one.summary for one in look.warnings],
    }
