from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.plans import Deploy, Funded
from nvcfplan.reports import plan_report
from nvcfplan.views.graph import GraphForm, render_graph
from tests.documents import builders

if TYPE_CHECKING:
    from tests.documents.builders import Golden

ENDINGS = {GraphForm.MERMAID: "mmd", GraphForm.DOT: "dot", GraphForm.JSON: "json"}


@pytest.mark.parametrize("form", GraphForm)
def test_a_graph_reads_as_reviewed(form: GraphForm, golden: Golden) -> None:
    drawn = render_graph(plan_report(builders.rolling()), form)
    golden(f"text/graph-rolling.{ENDINGS[form]}", drawn)


def test_programs_get_every_step_and_every_edge_with_its_reason() -> None:
    plan = builders.rolling()
    document = json.loads(render_graph(plan_report(plan), GraphForm.JSON))
    assert [node["id"] for node in document["nodes"]] == [step.id for step in plan.steps]
    edges = {(one["from"], one["to"]) for one in document["edges"]}
    assert edges == {(edge.step, step.id) for step in plan.steps for edge in step.depends_on}
    (funding,) = [one for one in document["edges"] if one["reason"] == "funds"]
    (funded,) = [e for step in plan.steps for e in step.depends_on if isinstance(e, Funded)]
    assert (funding["resource"], funding["units"]) == (funded.resource, funded.units)


@pytest.mark.parametrize("form", [GraphForm.MERMAID, GraphForm.DOT])
def test_an_edge_of_funding_names_its_units_in_a_picture(form: GraphForm) -> None:
    drawn = render_graph(plan_report(builders.rolling()), form)
    assert "2 H100 of nvcf-gcp-prod-asiase1-a" in drawn


@pytest.mark.parametrize("form", [GraphForm.MERMAID, GraphForm.DOT])
def test_a_foreign_name_cannot_leave_its_label(form: GraphForm) -> None:
    plan = builders.rolling()
    evil = 'x"]; click n1 <script>\\'
    steps = tuple(
        replace(
            step,
            task=replace(
                step.task,
                specifications=tuple(
                    replace(one, instance_type=evil) for one in step.task.specifications
                ),
            ),
        )
        if isinstance(step.task, Deploy)
        else step
        for step in plan.steps
    )
    drawn = render_graph(plan_report(replace(plan, steps=steps)), form)
    assert evil not in drawn
    for line in drawn.splitlines():
        assert len(re.findall(r'(?<!\\)(?:\\\\)*"', line)) % 2 == 0, line
