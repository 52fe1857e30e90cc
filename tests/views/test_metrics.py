"""Metrics, as a parser of OpenMetrics that is not ours reads them back."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as older_families

from nvcfplan.diagnostics import Severity
from nvcfplan.drifting import FindingClass, Oversubscription
from nvcfplan.model import Readable
from nvcfplan.reports import LookOutcome
from nvcfplan.views.metrics import MOST_AGES, LookCount, render_metrics
from tests.budget import examples
from tests.documents.drifts import REPORTS
from tests.drifting.findings import acknowledged, at, finding
from tests.notices.notices import looked
from tests.views.hostile import HOSTILE

if TYPE_CHECKING:
    from nvcfplan.reports import DriftReport

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
WHO = {"account": "https://nvcf.example acme nca-1", "stack": "shop", "environment": "prod"}


def parsed(text: str) -> Samples:
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = frozenset((k, v) for k, v in sample.labels.items() if k not in WHO)
            assert (sample.name, labels) not in found
            found[sample.name, labels] = sample.value
    return found


def of(report: DriftReport, name: str, **labels: str) -> float:
    """The one sample with these labels among its own, at the time of the look."""
    samples = parsed(render_metrics((report,), at=report.looked_at))
    (found,) = (
        value
        for (named, own), value in samples.items()
        if named == f"nvcfplan_drift{name}" and labels.items() <= dict(own).items()
    )
    return found


@pytest.mark.parametrize("name", [one for one in REPORTS if one != "skipped"])
def test_every_class_is_there_so_that_an_alert_ends(name: str) -> None:
    samples = parsed(render_metrics((REPORTS[name],), at=REPORTS[name].looked_at))
    counted = [dict(labels)["class"] for named, labels in samples if named == "nvcfplan_drift"]
    assert sorted(counted) == sorted(2 * [one.value for one in FindingClass])
    for what in ("inventory", "capacity", "quota"):
        assert ("nvcfplan_drift_not_checked", frozenset({("what", what)})) in samples


def test_what_counts_is_told_from_what_is_acknowledged() -> None:
    known = acknowledged(finding("limit"), minutes=0)
    grave = finding("deployment", severity=Severity.ERROR)
    report, _ = looked(finding(), grave, finding("limit"), acknowledgements=(known,))
    assert of(report, "", **{"class": "configuration", "severity": "warning"}) == 1
    assert of(report, "", **{"class": "configuration", "severity": "error"}) == 1
    assert of(report, "_acknowledged", **{"class": "configuration"}) == 1
    assert of(report, "", **{"class": "missing", "severity": "error"}) == 0


def test_how_long_a_finding_has_stood_is_told() -> None:
    _, memory = looked(finding())
    report, _ = looked(finding(), finding("limit"), memory=memory, minutes=90)
    fingerprint = finding().fingerprint.removeprefix("sha256:")[:12]
    assert of(report, "_age_seconds", fingerprint=fingerprint, acknowledged="false") == 5400
    later = parsed(render_metrics((report,), at=at(120)))
    ages = sorted(value for (name, _), value in later.items() if name.endswith("_age_seconds"))
    assert ages == [1800, 7200]


def test_what_could_not_be_read_keeps_the_time_it_was_read_last() -> None:
    _, memory = looked(minutes=0)
    report, memory = looked(memory=memory, minutes=30, unread=[Readable.QUOTA])
    last = "_last_success_timestamp_seconds"
    assert of(report, last, what="functions") == at(30).timestamp()
    assert of(report, last, what="inventory") == at(30).timestamp()
    assert of(report, last, what="quota") == at(0).timestamp()
    assert of(report, "_not_checked", what="quota") == 1
    report, _ = looked(memory=memory, minutes=60)
    assert of(report, last, what="quota") == at(60).timestamp()


def test_of_what_was_never_read_there_is_no_time_to_be_alarmed_by() -> None:
    report, _ = looked(unread=[Readable.QUOTA])
    text = render_metrics((report,), at=report.looked_at)
    assert "timestamp_seconds{" in text
    assert 'what="quota"} 1\n' in text
    assert not [one for one in text.splitlines() if "timestamp" in one and "quota" in one]


def test_what_was_found_before_and_cannot_be_looked_at_still_counts() -> None:
    quota = finding("gpus", kind=FindingClass.QUOTA)
    _, memory = looked(quota)
    report, _ = looked(memory=memory, minutes=30, unread=[Readable.QUOTA])
    assert of(report, "", **{"class": "quota", "severity": "warning"}) == 1


def test_pools_are_told_with_what_is_promised_of_them() -> None:
    report, _ = looked()
    assert report.drift is not None
    pools = (
        Oversubscription(pool="gcp-1/H100", promised=12, limit=8),
        Oversubscription(pool="gcp-2/H100", promised=1, limit=0),
    )
    report = replace(report, drift=replace(report.drift, pools=pools))
    assert of(report, "_pool_oversubscription_ratio", pool="gcp-1/H100") == 1.5
    assert of(report, "_pool_oversubscription_ratio", pool="gcp-2/H100") == math.inf


def test_a_look_that_was_skipped_says_nothing() -> None:
    assert render_metrics((REPORTS["skipped"],), at=at(0)) == "# EOF\n"


def test_looks_are_counted_by_how_they_ended() -> None:
    counts = (
        LookCount(stack="shop@prod", account="a", outcome=LookOutcome.DRIFTED, number=3),
        LookCount(stack="shop@prod", account="a", outcome=None, number=2),
    )
    samples = parsed(render_metrics((), at=at(0), looks=counts))
    assert sorted(samples.values()) == [2, 3]
    assert {name for name, _ in samples} == {"nvcfplan_drift_looks_total"}


def test_many_stacks_stand_beside_each_other() -> None:
    first, _ = looked(finding())
    second = replace(first, stack="shop@test")
    text = render_metrics((first, second), at=first.looked_at)
    environments = {
        sample.labels["environment"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert environments == {"prod", "test"}


def test_of_very_many_findings_the_oldest_have_an_age_and_all_are_counted() -> None:
    report, _ = looked(*(finding(f"tag-{number}") for number in range(MOST_AGES + 20)))
    text = render_metrics((report,), at=report.looked_at)
    assert text.count("\nnvcfplan_drift_age_seconds{") == MOST_AGES
    assert of(report, "", **{"class": "configuration", "severity": "warning"}) == MOST_AGES + 20


def test_readers_of_the_older_text_take_it_too() -> None:
    report = REPORTS["drifted"]
    text = render_metrics((report,), at=report.looked_at)
    found = {one.name: one for one in older_families(text)}
    assert found["nvcfplan_drift"].type == "gauge"
    assert {sample.name for one in found.values() for sample in one.samples} == {
        f"nvcfplan_drift{one}"
        for one in (
            "", "_acknowledged", "_age_seconds", "_not_checked", "_pool_oversubscription_ratio",
            "_last_success_timestamp_seconds",
        )
    }  # fmt: skip


@settings(max_examples=examples(500))
@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)))
def test_no_name_breaks_out_of_its_label(text: str) -> None:
    report, _ = looked(finding())
    assert report.drift is not None
    pools = (Oversubscription(pool=text, promised=1, limit=2),)
    report = replace(report, account=text, drift=replace(report.drift, pools=pools))
    drawn = render_metrics((report,), at=report.looked_at)
    drawn.encode("utf-8")
    plain, _ = looked(finding())
    assert len(parsed(drawn)) == len(parsed(render_metrics((plain,), at=plain.looked_at))) + 1
