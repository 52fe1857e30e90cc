"""`quotas:` of a stack: limits that no reading shows."""

from __future__ import annotations

import pytest

from nvcfplan.model import DeclaredQuota, Quota, QuotaCount, QuotaUnit
from tests.loading.builders import HEAD, codes, load, stack_of, with_function


def with_quotas(body: str) -> str:
    return with_function("", head=f"{HEAD}quotas:\n{body}")


def test_a_quota_is_read_with_its_unit_and_where_it_holds() -> None:
    text = with_quotas(
        "  h100: { gpu: H100, limit: 8, unit: instances, instanceType: x_8x, "
        "backends: [GCP], clusters: [b, a], counts: maxInstances }\n"
        "  all: { gpu: L40S, limit: 2 }\n"
    )
    assert stack_of(text).quotas == (
        DeclaredQuota("all", Quota(gpu="L40S", names=(), limit=2)),
        DeclaredQuota(
            "h100",
            Quota(
                gpu="H100",
                names=("GCP", "a", "b"),
                limit=8,
                unit=QuotaUnit.INSTANCES,
                instance_type="x_8x",
                counts=QuotaCount.MAX,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("{ gpu: H100 }", "missing-key"),
        ("{ gpu: H100, limit: -1 }", "out-of-range"),
        ("{ gpu: H100, limit: 1, unit: GPUs }", "unknown-value"),
        ("{ gpu: H100, limit: 1, counts: min }", "unknown-value"),
        ("{ gpu: H100, limit: 1, cluster: [a] }", "unknown-key"),
        ('{ gpu: H100, limit: "8" }', "wrong-type"),
    ],
)
def test_a_faulty_quota_is_told_where_it_stands(body: str, code: str) -> None:
    (fault,) = load(with_quotas(f"  h100: {body}\n")).diagnostics
    assert fault.code == code
    assert fault.span is not None
    assert fault.span.start.line == 4


def test_a_quota_stands_in_one_file_only() -> None:
    one = with_quotas("  h100: { gpu: H100, limit: 8 }\n")
    other = f"{HEAD}quotas:\n  h100: {{ gpu: H100, limit: 9 }}\n"
    assert codes(one, other) == ["duplicate-quota"]


def test_what_is_declared_is_part_of_what_a_plan_was_made_from() -> None:
    digests = set()
    for limit in (8, 9):
        checked = load(with_quotas(f"  h100: {{ gpu: H100, limit: {limit} }}\n"))
        assert checked.value is not None
        digests.add(checked.value.inputs)
    assert len(digests) == 2
