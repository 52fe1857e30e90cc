from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft4Validator

from nvcfplan.diagnostics import Diagnostic, Position, Related, Severity, Span
from nvcfplan.loading import StackSource, read_stack
from nvcfplan.reports import validate_report
from nvcfplan.views.annotations import MOST_SHOWN, render_annotations
from nvcfplan.views.sarif import MOST_RESULTS, SCHEMA, render_sarif
from tests.documents import builders
from tests.views.hostile import HOSTILE, poisoned

if TYPE_CHECKING:
    from tests.documents.builders import Golden

KEPT = Path(__file__).parents[1] / "schemas-of-others" / "sarif" / "sarif-schema-2.1.0.json"
PUBLISHED = json.loads(KEPT.read_text(encoding="utf-8"))
VALIDATOR = Draft4Validator(PUBLISHED)
FAULTY = """\
apiVersion: nvcfplan/v1
stack: shop
functions:
  chat:
    containerImage: "nvcr.io/acme/chat:1"
    inferenceUrl: /v1/chat
    inferencePort: 8000
    deployment:
      specifications:
        h100: { gpu: H100, instanceType: a3-highgpu-8g_1x, minInstances: 4, maxInstances: 2 }
    colour: "\N{SNOWMAN}"
"""


def sarif_of(*found: Diagnostic) -> Any:  # a document of JSON
    report = validate_report(found, lambda _: "      maxInstances: 8")
    return json.loads(render_sarif(report.diagnostics, tool_version="0.1.0"))


def test_diagnostics_are_told_as_reviewed(golden: Golden) -> None:
    report = validate_report(diagnostics(), lambda _: "      maxInstances: 8")
    golden("json/diagnostics.sarif", render_sarif(report.diagnostics, tool_version="0.1.0"))
    golden("text/annotations.txt", render_annotations(diagnostics()))


def diagnostics() -> tuple[Diagnostic, ...]:
    first = builders.infeasible().plan.diagnostics[0]
    assert first.span is not None
    elsewhere = Related(message="the other one", span=replace(first.span, file="b c.yaml"))
    return (
        replace(first, related=(elsewhere,)),
        *builders.heterogeneous().diagnostics,
    )


def test_a_document_follows_the_published_schema() -> None:
    document = sarif_of(*diagnostics())
    VALIDATOR.validate(document)
    assert document["$schema"] == PUBLISHED["id"] == SCHEMA
    VALIDATOR.validate(sarif_of())


@pytest.mark.parametrize("at", range(0, len(HOSTILE), 60))
def test_hostile_texts_leave_a_document_valid(at: int) -> None:
    for evil in HOSTILE[at : at + 60 : 6]:
        document = sarif_of(*poisoned(diagnostics(), evil))
        VALIDATOR.validate(document)


def test_every_rule_is_listed_once_and_found_by_its_index() -> None:
    (run,) = sarif_of(*diagnostics(), *diagnostics())["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    assert len(set(rules)) == len(rules) == 3
    assert all(rules[one["ruleIndex"]] == one["ruleId"] for one in run["results"])


def test_regions_and_annotations_point_at_the_words_themselves(tmp_path: Path) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text(FAULTY, encoding="utf-8")
    reading = read_stack(StackSource(paths=(file,), environment="default", variables=()))
    report = validate_report(reading.stack.diagnostics, reading.sources.snippet)
    (run,) = json.loads(render_sarif(report.diagnostics, tool_version="0.1.0"))["runs"]
    pointed: dict[str, str] = {}
    for result in run["results"]:
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == f"file://{file}"
        region = place["region"]
        line = FAULTY.split("\n")[region["startLine"] - 1]
        text = line[region["startColumn"] - 1 : region["endColumn"] - 1]
        assert region["snippet"]["text"] == text
        pointed[result["ruleId"]] = text
        mark = f"file={file},line={region['startLine']},col={region['startColumn']},"
        assert mark in render_annotations(reading.stack.diagnostics)
    assert pointed == {"unknown-key": "colour", "min-above-max": "4"}


def test_every_result_points_at_a_file_as_forges_demand() -> None:
    """One that does not has all of the upload refused."""
    placed, *rest = diagnostics()
    homeless = replace(placed, span=None, subject=None, related=())
    for found, expected in (((homeless, placed, *rest), "stack.yaml"), ((homeless,), ".")):
        document = sarif_of(*found)
        VALIDATOR.validate(document)
        for one in document["runs"][0]["results"]:
            (place,) = one["locations"]
            uri = place["physicalLocation"]["artifactLocation"]["uri"]
            assert uri == ("stack.yaml" if expected != "." else ".")


def test_a_document_holds_no_more_results_than_a_forge_takes_and_says_how_many_are_left() -> None:
    found = (Diagnostic(code="c", severity=Severity.NOTE, summary="s"),) * (MOST_RESULTS + 2)
    report = validate_report(found, lambda _: None)
    (run,) = json.loads(render_sarif(report.diagnostics, tool_version="0.1.0"))["runs"]
    assert len(run["results"]) == MOST_RESULTS
    assert run["properties"] == {"leftOut": 2}


def test_the_same_fault_on_another_line_is_the_same_to_a_forge() -> None:
    first = diagnostics()[0]
    moved = replace(first, span=Span("stack.yaml", Position(40, 1), Position(40, 5)))
    (run,) = sarif_of(first, moved)["runs"]
    prints = {one["partialFingerprints"]["nvcfplan/v1"] for one in run["results"]}
    assert len(prints) == 1


def test_a_forge_is_given_ten_annotations_and_told_of_the_rest() -> None:
    found = [
        Diagnostic(code="c", severity=Severity.WARNING, summary=f"number {number}")
        for number in range(MOST_SHOWN + 3)
    ]
    *shown, last = render_annotations(found).split("\n")
    assert len(shown) == MOST_SHOWN
    assert all(one.startswith("::warning title=c::number ") for one in shown)
    assert last == "3 more diagnostics, in the report of this step."
