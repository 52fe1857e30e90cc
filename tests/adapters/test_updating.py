"""A deployment changed in place: which row, by PATCH or by PUT, and what no request carries."""

from __future__ import annotations

from dataclasses import replace

import httpx2
import pytest

from nvcfplan.applying import Done, FailureClass, Refused, Unanswered
from nvcfplan.model import (
    EffectId,
    GpuSpecificationId,
    Json,
)
from nvcfplan.plans import (
    UpdateDeployment,
)
from tests.adapters.calls import (
    H100,
    LIVE_ROW,
    OTHER_ROW,
    REF,
    ROOT,
    ROW,
    F,
    V,
    deployment,
    mutating,
    perform,
)
from tests.adapters.fakes import Script, answer, problem

PATCH = f"PATCH {ROOT}/deployments/d1/gpu-specifications/s1"
GET_ROW = f"GET {ROW}"
PUT_ROW = f"PUT {ROW}"
PATCHED = answer({"gpuSpecification": LIVE_ROW})


def update(**after: object) -> UpdateDeployment:
    return UpdateDeployment(REF, replace(H100, **after), H100)  # type: ignore[arg-type] # by name


def test_instance_counts_are_patched_in_their_own_row() -> None:
    result, script = perform(
        update(max_instances=6),
        {GET_ROW: [answer(deployment(OTHER_ROW, LIVE_ROW))], PATCH: [PATCHED]},
    )
    assert result == Done(EffectId(7), F, V)
    assert script.bodies() == [{"minInstances": 1, "maxInstances": 6}]


def test_names_match_in_any_case() -> None:
    row = {**LIVE_ROW, "gpu": "h100", "backend": "gcp"}
    result, _ = perform(
        update(max_instances=6), {GET_ROW: [answer(deployment(row))], PATCH: [PATCHED]}
    )
    assert isinstance(result, Done)


def test_of_equal_placements_the_one_that_was_planned_is_meant() -> None:
    twin = {**LIVE_ROW, "gpuSpecificationId": "s0", "maxInstances": 9}
    _, script = perform(
        update(max_instances=6),
        {GET_ROW: [answer(deployment(twin, LIVE_ROW))], PATCH: [PATCHED]},
    )
    assert mutating(script) == [PATCH]


def test_of_equal_placements_the_one_that_scales_as_it_was_planned_is_meant() -> None:
    twin = {
        **LIVE_ROW,
        "gpuSpecificationId": "s0",
        "autoscalingConfiguration": {"scaleUpDetails": {"factor": 2.0, "threshold": 50}},
    }
    _, script = perform(
        update(max_instances=6),
        {GET_ROW: [answer(deployment(twin, LIVE_ROW))], PATCH: [PATCHED]},
    )
    assert mutating(script) == [PATCH]


def test_of_equal_rows_the_one_that_the_plan_names_is_meant() -> None:
    twin = {**LIVE_ROW, "gpuSpecificationId": "s2"}
    patch = PATCH.replace("/s1", "/s2")
    _, script = perform(
        replace(update(max_instances=6), row=GpuSpecificationId("s2")),
        {GET_ROW: [answer(deployment(LIVE_ROW, twin))], patch: [PATCHED]},
    )
    assert mutating(script) == [patch]


def test_a_named_row_that_was_made_anew_is_found_by_its_placement() -> None:
    _, script = perform(
        replace(update(max_instances=6), row=GpuSpecificationId("gone")),
        {GET_ROW: [answer(deployment(OTHER_ROW, LIVE_ROW))], PATCH: [PATCHED]},
    )
    assert mutating(script) == [PATCH]


def test_autoscaling_is_patched_and_dropped_by_policy() -> None:
    scaling = Json('{"scaleUpDetails":{"factor":1.5}}')
    answers = {GET_ROW: [answer(deployment(LIVE_ROW))], PATCH: [PATCHED]}
    _, script = perform(update(autoscaling_configuration=scaling), answers)
    assert script.bodies() == [
        {
            "minInstances": 1,
            "maxInstances": 2,
            "autoscalingConfiguration": {"scaleUpDetails": {"factor": 1.5}},
        }
    ]
    task = UpdateDeployment(REF, H100, replace(H100, autoscaling_configuration=scaling))
    _, script = perform(task, answers)
    assert script.bodies() == [
        {
            "minInstances": 1,
            "maxInstances": 2,
            "autoscalingConfigurationPolicy": "PLATFORM_CONFIGURATION",
        }
    ]


def put_rows(script: Script) -> list[object]:
    body = script.bodies()[-1]
    assert isinstance(body, dict)
    rows = body["deploymentSpecifications"]
    assert isinstance(rows, list)
    return rows


def test_concurrency_is_put_with_the_other_rows_as_they_are_now() -> None:
    result, script = perform(
        update(max_request_concurrency=16, min_instances=2),
        {
            GET_ROW: [answer(deployment(OTHER_ROW, LIVE_ROW))],
            PUT_ROW: [answer(deployment(OTHER_ROW, LIVE_ROW))],
        },
    )
    assert isinstance(result, Done)
    assert mutating(script) == [PUT_ROW]
    assert put_rows(script) == [
        OTHER_ROW,
        {**LIVE_ROW, "minInstances": 2, "maxRequestConcurrency": 16},
    ]


@pytest.mark.parametrize("status", [404, 405, 501])
def test_where_patch_is_missing_the_whole_list_is_put(status: int) -> None:
    result, script = perform(
        update(max_instances=6),
        {
            GET_ROW: [answer(deployment(LIVE_ROW))],
            PATCH: [httpx2.Response(status)],
            PUT_ROW: [answer(deployment(LIVE_ROW))],
        },
    )
    assert isinstance(result, Done)
    assert put_rows(script) == [{**LIVE_ROW, "maxInstances": 6}]


def test_autoscaling_is_never_put_because_put_does_not_carry_it() -> None:
    result, script = perform(
        update(autoscaling_configuration=Json('{"a":1}')),
        {GET_ROW: [answer(deployment(LIVE_ROW))], PATCH: [httpx2.Response(405)]},
    )
    assert isinstance(result, Refused)
    assert mutating(script) == [PATCH]


def test_what_no_single_request_carries_is_refused_unsent() -> None:
    result, script = perform(
        update(autoscaling_configuration=Json('{"a":1}'), max_request_concurrency=9),
        {GET_ROW: [answer(deployment(LIVE_ROW))]},
    )
    assert isinstance(result, Refused)
    assert "one request" in result.failure.message
    assert mutating(script) == []


def test_a_row_that_is_not_there_is_named() -> None:
    result, script = perform(update(max_instances=6), {GET_ROW: [answer(deployment(OTHER_ROW))]})
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.NOT_FOUND
    assert "H100 a3_2x in GCP" in result.failure.message
    assert mutating(script) == []


def test_a_deployment_that_is_not_there_refuses_the_update() -> None:
    result, _ = perform(update(max_instances=6), {GET_ROW: [problem(404, "Missing deployment")]})
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.NOT_FOUND


def test_a_lost_answer_to_a_patch_is_unknown_and_not_followed_by_a_put() -> None:
    result, script = perform(
        update(max_instances=6),
        {GET_ROW: [answer(deployment(LIVE_ROW))], PATCH: [httpx2.ReadTimeout("slow")]},
    )
    assert isinstance(result, Unanswered)
    assert mutating(script) == [PATCH]
