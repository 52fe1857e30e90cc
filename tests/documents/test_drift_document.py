from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvcfplan.documents import drift_json_schema, encode_drift_report
from nvcfplan.views.drift_html import draw_drift_page
from nvcfplan.views.drift_markdown import draw_drift
from nvcfplan.views.drift_text import render_drift
from nvcfplan.views.markdown import GITHUB_LIMIT
from tests.documents.drifts import REPORTS, many

if TYPE_CHECKING:
    from nvcfplan.reports import DriftReport
    from tests.documents.builders import Golden

PATH = Path("schemas/drift.schema.json")


def test_the_committed_schema_is_current() -> None:
    """Rewrite it with `nvcfplan schema drift > schemas/drift.schema.json`."""
    assert json.loads(PATH.read_text("utf-8")) == drift_json_schema()


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_report_fits_the_schema(report: DriftReport) -> None:
    jsonschema.Draft7Validator.check_schema(drift_json_schema())
    document = json.loads(encode_drift_report(report, exit_code=0))
    jsonschema.Draft7Validator(drift_json_schema()).validate(document)


@pytest.mark.parametrize("name", REPORTS)
def test_a_look_for_drift_reads_as_reviewed(name: str, golden: Golden) -> None:
    report = REPORTS[name]
    golden(f"text/drift-{name}.txt", render_drift(report, colour=False) + "\n")
    page = draw_drift_page(report)
    style = re.compile(r"<style>.*?</style>", re.DOTALL)
    golden(f"drift/{name}.html", style.sub("<style>...</style>", page))


def test_a_sensitive_value_is_in_no_rendering() -> None:
    report = REPORTS["drifted"]
    assert any(one.is_sensitive for one in report.drifted)
    document = encode_drift_report(report, exit_code=2).decode("ascii")
    drawn = (render_drift(report, colour=False), draw_drift(report, budget=10**6))
    assert "canary" not in "".join((document, *drawn, draw_drift_page(report)))


@pytest.mark.parametrize("number", [6, 90, 3000])
def test_under_a_limit_details_go_before_the_verdict(number: int) -> None:
    whole = draw_drift(many(number), budget=10**8)
    for budget in (GITHUB_LIMIT, 16_384, 4_096):
        drawn = draw_drift(many(number), budget=budget)
        assert len(drawn.encode("utf-8")) <= budget
        assert f"{number} findings" in drawn
        assert ("Left out" in drawn) is (drawn != whole)
        assert drawn.count("<details") == drawn.count("</details>")
