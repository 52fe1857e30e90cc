"""Where the parts of a picture stand: what is told beside it can be read."""

from __future__ import annotations

from itertools import pairwise

import pytest

from nvcfplan.reports import find_curves, plan_report
from nvcfplan.views.charts import capacity_chart
from tests.views.situations import SITUATIONS, thousand

PLANS = {**SITUATIONS, "thousand": thousand()}
SIGN = 2.4
"""As wide as one sign is on a telephone, in hundredths of the picture."""


@pytest.mark.parametrize("name", PLANS)
def test_labels_of_steps_never_lie_upon_each_other(name: str) -> None:
    report = plan_report(PLANS[name])
    for curve in find_curves(report):
        chart = capacity_chart(curve, float(report.expected_seconds))
        for left, right in pairwise(chart.steps):
            assert right.at - left.at >= SIGN * (len(left.text) + len(right.text)) / 2


@pytest.mark.parametrize("name", PLANS)
def test_marks_of_steps_never_become_a_wall(name: str) -> None:
    report = plan_report(PLANS[name])
    for curve in find_curves(report):
        chart = capacity_chart(curve, float(report.expected_seconds))
        assert len(chart.marks) <= 60
        assert {label.at for label in chart.steps} <= set(chart.marks)
