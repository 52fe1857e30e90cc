from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import pytest

from nvcfplan.documents import drift_json_schema, encode_drift_report
from nvcfplan.views.drift_text import render_drift
from tests.documents.drifts import REPORTS

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
    golden(f"text/drift-{name}.txt", render_drift(REPORTS[name], colour=False) + "\n")


def test_a_sensitive_value_is_in_no_rendering() -> None:
    report = REPORTS["drifted"]
    assert any(one.is_sensitive for one in report.drifted)
    document = encode_drift_report(report, exit_code=2).decode("ascii")
    assert "canary" not in document + render_drift(report, colour=False)
