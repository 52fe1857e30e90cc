"""One step, one mutating request: what is sent, what its answer means, and what is never shown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from nvcfplan.applying import Done, FailureClass, Refused, Unanswered
from nvcfplan.model import (
    Artifact,
    EffectId,
    EnvironmentVariable,
    FunctionConfig,
    GpuSpecification,
    Health,
    Json,
    Metadata,
    RateLimit,
    Secret,
    SecretOrigin,
    SecretReference,
    VersionId,
)
from nvcfplan.plans import (
    AwaitActive,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    SetAuthorizations,
    SetSecrets,
    Task,
    Undeploy,
    UpdateMetadata,
)
from tests.adapters.calls import (
    CONFIG,
    CREATE,
    FUNCTION,
    H100,
    LIVE_ROW,
    REF,
    ROOT,
    ROW,
    TOKEN,
    VALUE,
    VERSION,
    VERSIONS,
    F,
    V,
    deployment,
    mutating,
    perform,
)
from tests.adapters.fakes import answer, payload, problem


def create(config: FunctionConfig, *secrets: SecretReference) -> CreateFunction:
    return CreateFunction(REF, config, secrets)


def test_a_new_function_is_sent_whole_and_its_ids_come_back() -> None:
    config = replace(
        CONFIG,
        inference_port=9000,
        container_args="--a",
        container_environment=(EnvironmentVariable("LOG", "info"),),
        models=(Artifact("m", "1", "/m"),),
        resources=(Artifact("r", "2", "/r"),),
        health=Health(
            protocol="HTTP",
            uri="/h",
            port=9000,
            timeout=timedelta(seconds=90),
            expected_status_code=204,
        ),
        tags=("nvcfplan:op=STALE", "nvcfplan:stack=s", "team:a"),
        description="d",
        rate_limit=RateLimit(rate_limit="100-S", exempted_nca_ids=("x",)),
    )
    result, script = perform(
        create(config, TOKEN),
        {CREATE: [answer(FUNCTION)]},
        secrets={"HF_TOKEN": VALUE},
        bound=None,
    )
    assert result == Done(EffectId(7), F, V)
    assert script.bodies() == [
        {
            "name": "chat",
            "inferenceUrl": "/chat",
            "inferencePort": 9000,
            "containerImage": "acme/chat:1",
            "containerArgs": "--a",
            "containerEnvironment": [{"key": "LOG", "value": "info"}],
            "models": [{"name": "m", "version": "1", "uri": "/m"}],
            "resources": [{"name": "r", "version": "2", "uri": "/r"}],
            "health": {
                "protocol": "HTTP",
                "uri": "/h",
                "port": 9000,
                "timeout": "PT1M30S",
                "expectedStatusCode": 204,
            },
            "tags": ["nvcfplan:op=01OP", "nvcfplan:stack=s", "team:a"],
            "description": "d",
            "secrets": [{"name": "HF_TOKEN", "value": VALUE}],
            "rateLimit": {
                "rateLimit": "100-S",
                "exemptedNcaIds": ["x"],
                "syncCheck": False,
            },
        }
    ]


def test_what_is_not_stated_is_not_sent() -> None:
    _, script = perform(create(CONFIG), {CREATE: [answer(FUNCTION)]}, bound=None)
    assert script.bodies() == [
        {
            "name": "chat",
            "inferenceUrl": "/chat",
            "containerImage": "acme/chat:1",
            "tags": ["nvcfplan:op=01OP"],
        }
    ]


def test_a_new_version_goes_to_its_function() -> None:
    made = {"function": {**FUNCTION["function"], "versionId": "v2"}}
    result, _ = perform(CreateVersion(REF, CONFIG, ()), {VERSIONS: [answer(made)]}, bound=(F, None))
    assert result == Done(EffectId(7), F, VersionId("v2"))


def test_an_answer_for_another_function_is_not_believed() -> None:
    made = {"function": {**FUNCTION["function"], "id": "f9"}}
    result, _ = perform(CreateVersion(REF, CONFIG, ()), {VERSIONS: [answer(made)]}, bound=(F, None))
    assert isinstance(result, Unanswered)


@pytest.mark.parametrize(
    ("origin", "named"),
    [
        (SecretOrigin.ENV, "the environment variable WHERE is not set"),
        (SecretOrigin.FILE, "WHERE is not a readable file"),
        (SecretOrigin.STACK, "no longer in the stack's files (WHERE)"),
        (SecretOrigin.LIVE, "cannot be read back from the service (WHERE)"),
    ],
)
def test_a_secret_that_cannot_be_found_stops_the_step_before_anything_is_sent(
    origin: SecretOrigin, named: str
) -> None:
    result, script = perform(create(CONFIG, SecretReference("T", origin, "WHERE")), {}, bound=None)
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.SECRET_UNAVAILABLE
    assert named in result.failure.message
    assert script.sent == []


def test_a_masked_variable_is_carried_on_from_the_version_that_has_it() -> None:
    reference = SecretReference("DB_PASSWORD", SecretOrigin.LIVE, "f1/v1/DB_PASSWORD")
    config = replace(CONFIG, container_environment=(EnvironmentVariable("DB_PASSWORD", reference),))
    result, script = perform(
        CreateVersion(REF, config, ()),
        {f"GET {VERSION}": [answer(FUNCTION)], VERSIONS: [answer(FUNCTION)]},
        bound=(F, None),
    )
    assert isinstance(result, Done)
    (body,) = script.bodies()
    assert isinstance(body, dict)
    assert body["containerEnvironment"] == [{"key": "DB_PASSWORD", "value": "live-password"}]


def test_a_version_that_cannot_be_read_refuses_the_step_that_needs_it() -> None:
    reference = SecretReference("DB_PASSWORD", SecretOrigin.LIVE, "f1/v1/DB_PASSWORD")
    config = replace(CONFIG, container_environment=(EnvironmentVariable("DB_PASSWORD", reference),))
    result, script = perform(
        CreateVersion(REF, config, ()),
        {f"GET {VERSION}": [problem(503, "down")]},
        bound=(F, None),
    )
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.TRANSIENT
    assert mutating(script) == []


def test_a_deployment_is_sent_with_all_its_specifications() -> None:
    l40s = GpuSpecification(
        key="l40s",
        gpu="L40S",
        instance_type="l40s",
        min_instances=0,
        max_instances=4,
        clusters=("c1",),
        regions=("r1",),
        attributes=("SOC2",),
        configuration=Json('{"a":1}'),
        autoscaling_configuration=Json('{"scaleUpDetails":{"factor":1.2}}'),
    )
    result, script = perform(
        Deploy(REF, (H100, l40s)), {f"POST {ROW}": [answer(deployment(LIVE_ROW))]}
    )
    assert result == Done(EffectId(7), F, V)
    assert script.bodies() == [
        {
            "deploymentSpecifications": [
                {
                    "gpu": "H100",
                    "instanceType": "a3_2x",
                    "minInstances": 1,
                    "maxInstances": 2,
                    "maxRequestConcurrency": 8,
                    "backend": "GCP",
                },
                {
                    "gpu": "L40S",
                    "instanceType": "l40s",
                    "minInstances": 0,
                    "maxInstances": 4,
                    "clusters": ["c1"],
                    "regions": ["r1"],
                    "attributes": ["SOC2"],
                    "configuration": {"a": 1},
                    "autoscalingConfiguration": {"scaleUpDetails": {"factor": 1.2}},
                },
            ]
        }
    ]


def test_no_capacity_in_the_answer_is_a_refusal_that_says_so() -> None:
    full = answer(payload("error-capacity-sync.problem.json"), 400)
    result, _ = perform(Deploy(REF, (H100,)), {f"POST {ROW}": [full]})
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.CAPACITY
    assert "no available clusters with capacity" in result.failure.message


def test_a_gateway_error_that_reverted_the_deployment_is_a_refusal() -> None:
    reverted = problem(
        502, "Failed to deploy, reverting state to 'INACTIVE': under reconfiguration"
    )
    result, _ = perform(Deploy(REF, (H100,)), {f"POST {ROW}": [reverted]})
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.TRANSIENT


@pytest.mark.parametrize(
    "reply",
    [
        problem(500, "exception"),
        problem(502, "bad gateway"),
        httpx2.Response(504, content=b"<html>"),
        httpx2.ReadTimeout("slow"),
        httpx2.RemoteProtocolError("reset"),
        httpx2.Response(200, content=b"<html>ok</html>"),
        httpx2.Response(200, content=b'{"function": {"id'),
        answer({"function": {"id": "../x", "versionId": "v", "name": "n", "status": "s"}}),
        answer({}),
    ],
)
def test_an_answer_that_proves_nothing_is_unknown_and_never_sent_again(
    reply: httpx2.Response | Exception,
) -> None:
    result, script = perform(create(CONFIG), {CREATE: [reply]}, bound=None)
    assert isinstance(result, Unanswered)
    assert result.why
    assert len(script.sent) == 1


def test_a_request_that_never_left_is_a_refusal() -> None:
    result, _ = perform(create(CONFIG), {CREATE: [httpx2.ConnectError("refused")]}, bound=None)
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.UNREACHABLE


def test_slow_down_is_a_refusal_with_the_time_asked_for() -> None:
    slow = httpx2.Response(429, headers={"Retry-After": "12"})
    result, _ = perform(create(CONFIG), {CREATE: [slow]}, bound=None)
    assert isinstance(result, Refused)
    assert result.failure.kind == FailureClass.TRANSIENT
    assert result.failure.retry_after_seconds == 12


def test_a_missing_scope_is_named_in_the_refusal() -> None:
    result, _ = perform(create(CONFIG), {CREATE: [problem(403, "Access Denied")]}, bound=None)
    assert isinstance(result, Refused)
    assert "register_function" in result.failure.message


@pytest.mark.parametrize(("graceful", "query"), [(True, b"graceful=true"), (False, b"")])
def test_undeploying_says_whether_to_drain(graceful: bool, query: bytes) -> None:
    result, script = perform(Undeploy(REF, graceful), {f"DELETE {ROW}": [answer(FUNCTION)]})
    assert isinstance(result, Done)
    assert script.sent[0].url.query == query


@pytest.mark.parametrize(
    ("task", "route"),
    [(Undeploy(REF, False), f"DELETE {ROW}"), (DeleteVersion(REF), f"DELETE {VERSION}")],
)
def test_what_is_gone_already_is_done_but_only_the_service_can_say_so(
    task: Task, route: str
) -> None:
    gone, _ = perform(task, {route: [problem(404, "Deployment not found")]})
    assert gone == Done(EffectId(7), F, V)
    lost, _ = perform(task, {route: [httpx2.Response(404, content=b"<html>")]})
    assert isinstance(lost, Refused)


def test_a_deleted_version_answers_with_nothing() -> None:
    result, _ = perform(DeleteVersion(REF), {f"DELETE {VERSION}": [httpx2.Response(204)]})
    assert result == Done(EffectId(7), F, V)


def test_new_tags_keep_the_one_by_which_a_lost_create_is_found() -> None:
    task = UpdateMetadata(REF, Metadata(tags=("nvcfplan:stack=s", "team:b")))
    result, script = perform(
        task, {f"GET {VERSION}": [answer(FUNCTION)], f"PUT {VERSION}": [answer(FUNCTION)]}
    )
    assert isinstance(result, Done)
    assert script.bodies() == [{"tags": ["nvcfplan:op=OLD", "nvcfplan:stack=s", "team:b"]}]


@pytest.mark.parametrize("kept", [(), ("team:b",)])
def test_a_version_that_is_forgotten_keeps_no_tag_of_ours(kept: tuple[str, ...]) -> None:
    _, script = perform(
        UpdateMetadata(REF, Metadata(tags=kept)),
        {f"GET {VERSION}": [answer(FUNCTION)], f"PUT {VERSION}": [answer(FUNCTION)]},
    )
    assert script.bodies() == [{"tags": list(kept)}]


def test_a_rate_limit_alone_leaves_the_tags_as_they_are() -> None:
    task = UpdateMetadata(REF, Metadata(rate_limit=RateLimit(rate_limit="5-M")))
    _, script = perform(task, {f"PUT {VERSION}": [answer(FUNCTION)]})
    assert script.bodies() == [
        {"rateLimit": {"rateLimit": "5-M", "exemptedNcaIds": [], "syncCheck": False}}
    ]


def test_secrets_are_sent_by_value() -> None:
    result, script = perform(
        SetSecrets(REF, (TOKEN,)),
        {f"PUT {ROOT}/secrets/functions/f1/versions/v1": [httpx2.Response(204)]},
        secrets={"HF_TOKEN": VALUE},
    )
    assert isinstance(result, Done)
    assert script.bodies() == [{"secrets": [{"name": "HF_TOKEN", "value": VALUE}]}]


def test_sharing_is_replaced_or_cleared() -> None:
    route = f"{ROOT}/authorizations/functions/f1"
    told = {"function": {"id": "f1", "ncaId": "nca"}}
    done, shared = perform(SetAuthorizations(REF, ("x",)), {f"POST {route}": [answer(told)]})
    assert isinstance(done, Done)
    assert shared.bodies() == [{"authorizedParties": [{"ncaId": "x"}]}]
    cleared, _ = perform(SetAuthorizations(REF, ()), {f"DELETE {route}": [answer(told)]})
    assert isinstance(cleared, Done)


def test_a_sign_in_page_in_place_of_an_answer_shares_nothing_for_sure() -> None:
    route = f"{ROOT}/authorizations/functions/f1"
    result, _ = perform(
        SetAuthorizations(REF, ("x",)), {f"POST {route}": [httpx2.Response(200, text="<html>")]}
    )
    assert isinstance(result, Unanswered)


def test_a_task_that_only_waits_is_never_performed() -> None:
    with pytest.raises(AssertionError, match="not one request"):
        perform(AwaitActive(REF), {})


@pytest.mark.parametrize("status", [400, 422, 500, 502])
def test_values_that_the_service_echoes_are_masked(status: int) -> None:
    literal = Secret("literal-password", SecretReference("P", SecretOrigin.STACK, "chat/P"))
    config = replace(CONFIG, container_environment=(EnvironmentVariable("P", literal),))
    echo = problem(
        status,
        "Validation failed: rejected=[hf-secret-value\\nwith-more, literal-password] "
        + VALUE
        + " hf-secret-value%0Awith-more",
    )
    result, _ = perform(
        create(config, TOKEN), {CREATE: [echo]}, secrets={"HF_TOKEN": VALUE}, bound=None
    )
    assert "hf-secret" not in repr(result)
    assert "literal-password" not in repr(result)
    assert "(sensitive value)" in repr(result)
