"""A doubt that `-require` turned into an error is reported as one, not as a risk."""

from __future__ import annotations

from nvcfplan.checks import check_plan, require
from nvcfplan.plans import Plan
from nvcfplan.reports import plan_report
from tests.planning.builders import account, cluster, plan, specification, wanted


def test_a_required_doubt_stands_among_the_faults() -> None:
    where = account(cluster("a"))
    result = check_plan(plan([wanted("chat", specification(gpus=4))], where), where)
    assert isinstance(result, Plan)
    plain, strict = plan_report(result), plan_report(require(result, frozenset({"capacity"})))
    assert [one.code for one in plain.at_risk] == ["node-packing"]
    assert [one.code for one in strict.faults] == ["node-packing"]
    assert strict.at_risk == ()
