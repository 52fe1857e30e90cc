"""A doubt that `-require` turned into an error is reported as one, not as a risk."""

from __future__ import annotations

from nvcfplan.checks import check_plan, require
from nvcfplan.model import GpuCountSource
from nvcfplan.plans import Plan
from nvcfplan.reports import plan_report
from tests.planning.builders import account, cluster, plan, specification, wanted


def test_a_required_doubt_stands_among_the_faults() -> None:
    where = account(cluster("a", source=GpuCountSource.SUFFIX))
    result = check_plan(plan([wanted("chat", specification())], where), where)
    assert isinstance(result, Plan)
    plain, strict = plan_report(result), plan_report(require(result, frozenset({"capacity"})))
    assert [one.code for one in plain.at_risk] == ["gpu-count-guessed"]
    assert [one.code for one in strict.faults] == ["gpu-count-guessed"]
    assert strict.at_risk == ()
