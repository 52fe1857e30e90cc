"""What looks for drift found, as OpenMetrics text: for a textfile collector, or to be scraped.

Gauges alone but for one counter, so that readers of Prometheus' older text take it as well; every
class is there with 0, so that an alert ends. Own words in place of `prometheus_client`: it is 60
lines, and a command would wait 0.1 s for the library. Source: OpenMetrics 1.0.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Severity
from nvcfplan.reports import LOOKED_AT, FindingClass, LookOutcome
from nvcfplan.views.drift_sentences import print_of
from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from nvcfplan.reports import DriftReport

MOST_AGES: Final = 1000
"""Of one stack: so many findings have a series of their own, those that stand longest first."""
_SEVERITIES: Final = (Severity.ERROR, Severity.WARNING)

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LookCount:
    """How many looks at a stack ended so, since this process began. `outcome` None: they failed."""

    stack: str
    account: str
    outcome: LookOutcome | None
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Family:
    """`samples`: of labels and value. `is_counter`: only ever grows."""

    name: str
    help: str
    samples: Iterable[tuple[Labels, float]]
    is_counter: bool = False
    unit: str = ""


def render_metrics(
    reports: Sequence[DriftReport], *, at: datetime, looks: Sequence[LookCount] = ()
) -> str:
    """Of each stack its last look that was not skipped. `at`: until when ages are counted."""
    looked = [one for one in reports if one.drift is not None]
    families = (
        _Family(
            name="nvcfplan_drift",
            help="Findings that stand and that nobody has acknowledged.",
            samples=_each(looked, _counts),
        ),
        _Family(
            name="nvcfplan_drift_acknowledged",
            help="Findings that stand and that somebody has acknowledged.",
            samples=_each(looked, _acknowledged),
        ),
        _Family(
            name="nvcfplan_drift_age_seconds",
            help="How long a finding has stood.",
            samples=[one for report in looked for one in _ages(report, at)],
            unit="seconds",
        ),
        _Family(
            name="nvcfplan_drift_not_checked",
            help="1: this could not be read at the last look.",
            samples=_each(looked, _not_checked),
        ),
        _Family(
            name="nvcfplan_drift_pool_oversubscription_ratio",
            help="GPUs that run with all of ours at their maxima, over those that the pool has.",
            samples=_each(looked, _pools),
            unit="ratio",
        ),
        _Family(
            name="nvcfplan_drift_last_success_timestamp_seconds",
            help="When this could be read last.",
            samples=_each(looked, _successes),
            unit="seconds",
        ),
        _Family(
            name="nvcfplan_drift_looks",
            help="Looks by how they ended.",
            samples=[_look(one) for one in looks],
            is_counter=True,
        ),
    )
    lines = [line for family in families for line in _drawn(family)]
    return "\n".join((*lines, "# EOF")) + "\n"


def _each(
    reports: Sequence[DriftReport],
    samples: Callable[[DriftReport], Iterator[tuple[Labels, float]]],
) -> Iterator[tuple[Labels, float]]:
    for report in reports:
        for labels, value in samples(report):
            yield (*_where(report), *labels), value


def _where(report: DriftReport) -> Labels:
    return _named(report.stack, report.account)


def _named(scope: str, account: str) -> Labels:
    stack, _, environment = scope.partition("@")
    return (("account", account), ("stack", stack), ("environment", environment))


def _counts(report: DriftReport) -> Iterator[tuple[Labels, float]]:
    """With what stood at the look before and could not be looked at since."""
    found = Counter((one.finding.kind, one.finding.severity) for one in report.standing
                    if one.counts)  # fmt: skip
    found.update((FindingClass(one.kind), Severity(one.severity)) for one in report.unseen)
    for kind, severity in product(FindingClass, _SEVERITIES):
        labels = (("class", kind.value), ("severity", severity.value))
        yield labels, found[kind, severity]


def _acknowledged(report: DriftReport) -> Iterator[tuple[Labels, float]]:
    found = Counter(one.finding.kind for one in report.acknowledged)
    for kind in FindingClass:
        yield (("class", kind.value),), found[kind]


def _ages(report: DriftReport, at: datetime) -> Iterator[tuple[Labels, float]]:
    oldest = sorted(report.standing, key=lambda one: (one.first_seen, one.finding.fingerprint))
    for one in oldest[:MOST_AGES]:
        labels = (
            ("class", one.finding.kind.value),
            ("severity", one.finding.severity.value),
            ("code", one.finding.code),
            ("address", one.finding.address),
            ("fingerprint", print_of(one.finding.fingerprint)),
            ("acknowledged", "false" if one.counts else "true"),
        )
        yield (*_where(report), *labels), max(0.0, (at - one.first_seen).total_seconds())


def _not_checked(report: DriftReport) -> Iterator[tuple[Labels, float]]:
    """Whether it was not, of all that a look reads."""
    unread = {one.what for one in report.drift.unread} if report.drift else frozenset()
    for what in LOOKED_AT:
        yield (("what", what.value),), what in unread


def _pools(report: DriftReport) -> Iterator[tuple[Labels, float]]:
    for one in report.drift.pools if report.drift else ():
        yield (("pool", one.pool),), one.promised / one.limit if one.limit else math.inf


def _successes(report: DriftReport) -> Iterator[tuple[Labels, float]]:
    """Of what was never read there is none."""
    yield (("what", "functions"),), report.looked_at.timestamp()
    for one in report.readings:
        yield (("what", one.what.value),), one.at.timestamp()


def _look(count: LookCount) -> tuple[Labels, float]:
    outcome = count.outcome.value if count.outcome else "failed"
    return (*_named(count.stack, count.account), ("outcome", outcome)), count.number


def _drawn(family: _Family) -> Iterator[str]:
    """Nothing of a family without samples."""
    suffix = "_total" if family.is_counter else ""
    samples = [f"{family.name}{suffix}{_labelled(labels)} {_number(value)}"
               for labels, value in family.samples]  # fmt: skip
    if not samples:
        return
    yield f"# HELP {family.name} {family.help}"
    yield f"# TYPE {family.name} {'counter' if family.is_counter else 'gauge'}"
    if family.unit:
        yield f"# UNIT {family.name} {family.unit}"
    yield from samples


def _labelled(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return safe(value).replace("\\", "\\\\").replace('"', '\\"')


def _number(value: float) -> str:
    """Whole numbers without a point; `+Inf` is OpenMetrics' word."""
    if math.isinf(value):
        return "+Inf"
    return str(int(value)) if value == int(value) else repr(value)
