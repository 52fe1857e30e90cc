"""`onNoCapacity`: what a ladder comes to, and every rung that makes no sense is refused."""

from __future__ import annotations

from datetime import timedelta

import pytest

from nvcfplan.model import Fallback, LastResort, Shrink, Wait
from tests.loading.builders import codes, function_of, load, only, pointed_at, told, with_function

H100 = "gpu: H100, instanceType: a3_1x, backend: east, minInstances: 2, maxInstances: 4"


def _body(ladder: str, *, base: str = H100) -> str:
    return f"deployment:\n  specifications:\n    h100: {{{base}}}\n  onNoCapacity: {ladder}\n"


@pytest.mark.parametrize(
    ("ladder", "code", "place"),
    [
        ("[{fallback: {h10: {backend: west}}}]", "unknown-specification", "h10"),
        ("[{shrink: {l40s: {minInstances: 0}}}]", "unknown-specification", "l40s"),
        ("[{shrink: {h100: {minInstances: 2}}}]", "shrink-not-smaller", "h100"),
        ("[{shrink: {h100: {maxInstances: 3}}}]", "shrink-not-smaller", "h100"),
        ("[{shrink: {h100: {minInstances: 1, maxInstances: 9}}}]", "shrink-not-smaller", "h100"),
        ("[{shrink: {h100: {backend: west}}}]", "unknown-key", "backend"),
        ("[{fallback: {h100: {backend: east}}}]", "fallback-like-the-base", "h100"),
        ("[{fallback: {h100: {}}}]", "fallback-like-the-base", "h100"),
        ("[{fallback: {h100: {gpu: A100}}}]", "gpu-without-instance-type", "A100"),
        ("[{fallback: {h100: {minInstances: 5}}}]", "min-above-max", "h100"),
        ("[{fallback: {h100: {backend: w, clusters: [c]}}}]", "backend-with-clusters", "clusters"),
        ("[{fallback: {h100: {beckend: w}}}]", "unknown-key", "beckend"),
        ("[rollback, {wait: 5m}]", "rung-after-the-last", "rollback"),
        ("[keep, rollback]", "rung-after-the-last", "keep"),
        ("[{wait: 5m}, {wait: 5m}]", "same-rung", "{wait: 5m}"),
        ("[{wait: 0s}]", "out-of-range", "0s"),
        ("[{wait: soon}]", "malformed-value", "soon"),
        ("[{}]", "malformed-rung", "{}"),
        ("[{wait: 5m, shrink: {h100: {minInstances: 0}}}]", "malformed-rung", None),
        ("[give-up]", "unknown-value", "give-up"),
        ("[{climb: 5m}]", "unknown-key", "climb"),
    ],
)
def test_a_ladder_that_makes_no_sense_is_refused_at_its_place(
    ladder: str, code: str, place: str | None
) -> None:
    text = with_function(_body(ladder))
    (found,) = (one for one in load(text).diagnostics if one.code == code)
    assert place is None or pointed_at(text, found) == place


def test_attributes_stay_hard_through_a_fallback() -> None:
    base = f"{H100}, attributes: [SOC2]"
    lost = _body("[{fallback: {h100: {backend: west, attributes: [HIPAA]}}}]", base=base)
    more = _body("[{fallback: {h100: {backend: west, attributes: [HIPAA, SOC2]}}}]", base=base)
    assert codes(with_function(lost)) == ["attributes-stay-hard"]
    assert codes(with_function(more)) == []


def test_a_misspelt_specification_is_told_what_was_meant() -> None:
    found = only(with_function(_body("[{fallback: {h10: {backend: west}}}]")))
    assert "did you mean `h100`?" in told(found)


def test_a_rung_is_laid_over_the_base_and_keeps_what_it_does_not_restate() -> None:
    function = function_of(
        _body(
            "[{fallback: {h100: {clusters: [c]}}}, {wait: 20m}, "
            "{shrink: {h100: {minInstances: 1}}}, keep]",
            base=f"{H100}, attributes: [SOC2], regions: [us]",
        )
    )
    first, wait, shrink = function.on_no_capacity.rungs
    assert isinstance(first, Fallback)
    assert isinstance(shrink, Shrink)
    (elsewhere,), (fewer,) = first.specifications, shrink.specifications
    assert (elsewhere.specification.clusters, elsewhere.specification.backend) == (("c",), None)
    assert (elsewhere.specification.attributes, elsewhere.specification.regions) == (
        ("SOC2",),
        ("us",),
    )
    assert wait == Wait(duration=timedelta(minutes=20))
    assert (fewer.specification.backend, fewer.specification.min_instances) == ("east", 1)
    assert function.on_no_capacity.last is LastResort.KEEP


@pytest.mark.parametrize("ladder", ["null", "[]", "[rollback]"])
def test_without_rungs_the_ladder_ends_in_rollback(ladder: str) -> None:
    function = function_of(_body(ladder))
    assert function.on_no_capacity == function_of("deployment: null").on_no_capacity


def test_a_null_where_a_number_is_needed_leaves_the_base_as_it_is() -> None:
    checked = load(with_function(_body("[{fallback: {h100: {minInstances: null}}}]")))
    assert [one.code for one in checked.diagnostics] == ["fallback-like-the-base"]
