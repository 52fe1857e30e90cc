"""LLM functions: what their models must say, what may change, what all versions have in common."""

from __future__ import annotations

from typing import cast

import pytest

from tests.emulator.account import NOBODY, Account, Answer, Deployable, Json, rows, spec, world

FUNCTIONS = "/v2/nvcf/functions"


@pytest.fixture
def account() -> Account:
    return Account.of(world())


def model(name: str = "meta/llama", **config: object) -> Json:
    return {"name": name, "llmConfig": {"uris": ["/v1/chat/completions"], **config}}


def llm(*models: Json, **fields: object) -> Json:
    return {"functionType": "LLM", "models": list(models or (model(),)), **fields}


def config(account: Account, made: Deployable, name: str = "meta/llama") -> Json:
    found = {one["name"]: one for one in rows(account.get(made.path).function, "models")}
    return cast("Json", found[name]["llmConfig"])


def put(account: Account, made: Deployable, **fields: object) -> Answer:
    return account.call("PUT", made.path, fields)


def update(name: str = "meta/llama", **settings: object) -> Json:
    return {"modelUpdates": [{"modelName": name, "llmConfig": settings}]}


def test_model_of_an_llm_function_is_shown_as_sent(account: Account) -> None:
    sent = model(tokenRateLimit="1000-S,1000000-W", tokenizer="hf:x", routingMethod="Round_Robin")
    made = account.create("chat", **llm(sent))
    assert rows(account.get(made.path).function, "models") == [sent]
    assert account.get(made.path).function["functionType"] == "LLM"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"functionType": "LLM"}, "models"),
        ({"functionType": "LLM", "models": []}, "models"),
        ({"functionType": "LLM", "models": [{"name": "m"}]}, "models.llmConfig.uris"),
        ({"functionType": "LLM", "models": [model(uris=[])]}, "models.llmConfig.uris"),
        ({"functionType": "LLM", "models": [model(), model()]}, "models"),
        ({"models": [model()]}, "models"),
        (llm(model(tokenRateLimit="100")), "llmConfig.tokenRateLimit"),
        (llm(model(tokenRateLimit="0-S")), "llmConfig.tokenRateLimit"),
        (llm(model(tokenRateLimit="1-S,2-S")), "llmConfig.tokenRateLimit"),
        (llm(model(routingMethod="nearest")), "llmConfig.routingMethod"),
        (llm(llmInvocationConfig={"priority": {"defaultPriority": -1}}), "llmInvocationConfig"),
        (llm(llmInvocationConfig={"priority": {"defaultPriority": 2**32}}), "llmInvocationConfig"),
        (
            llm(llmInvocationConfig={"priority": {"perAccountPriority": {"a": 1}}}),
            "llmInvocationConfig.priority.defaultPriority",
        ),
        (
            llm(
                llmInvocationConfig={
                    "priority": {
                        "defaultPriority": 1,
                        "perAccountPriority": {f"nca-{one}": 1 for one in range(65)},
                    }
                }
            ),
            "llmInvocationConfig.priority.perAccountPriority",
        ),
    ],
)
def test_llm_function_out_of_bounds_is_refused(account: Account, fields: Json, field: str) -> None:
    body: Json = {"name": "chat", "inferenceUrl": "/v1", "containerImage": "nvcr.io/a/b:1"}
    answer = account.call("POST", FUNCTIONS, {**body, **fields})
    assert answer.status == 400
    assert answer.detail.startswith("Validation failed: ")
    assert f"field={field}" in answer.detail


@pytest.mark.parametrize("method", ["", " ", "power_of_two", "PULSAR-WAIT-AND-WIDEN", "random"])
def test_routing_methods_are_read_as_the_router_does(account: Account, method: str) -> None:
    account.create("chat", **llm(model(routingMethod=method)))


def test_invocation_config_is_for_llm_functions(account: Account) -> None:
    priority: Json = {"priority": {"defaultPriority": 5, "perAccountPriority": {"nca-a": 0}}}
    made = account.create("chat", **llm(llmInvocationConfig=priority))
    assert account.get(made.path).function["llmInvocationConfig"] == priority
    body: Json = {"name": "chat", "inferenceUrl": "/v1", "containerImage": "nvcr.io/a/b:1"}
    refused = account.call("POST", FUNCTIONS, {**body, "llmInvocationConfig": priority})
    assert (refused.status, "Only LLM functions support" in refused.detail) == (400, True)
    plain = account.create("plain")
    answer = put(account, plain, llmInvocationConfig=priority)
    assert (answer.status, "Only LLM functions support" in answer.detail) == (400, True)


def test_rates_and_routing_change_in_place_and_in_every_version(account: Account) -> None:
    first = account.create("chat", **llm(model(tokenRateLimit="1-S")))
    second = account.create_version(first, "chat", **llm())
    account.deploy(second, spec())
    answer = put(account, second, **update(tokenRateLimit="5-M"))
    assert answer.status == 200
    for made in (first, second):
        assert config(account, made)["tokenRateLimit"] == "5-M"
    put(account, first, **update(routingMethod="random"))
    assert config(account, second) == {
        "uris": ["/v1/chat/completions"],
        "tokenRateLimit": "5-M",
        "routingMethod": "random",
    }


def test_invocation_config_is_one_for_all_versions(account: Account) -> None:
    first = account.create("chat", **llm(llmInvocationConfig={"priority": {"defaultPriority": 1}}))
    second = account.create_version(first, "chat", **llm())
    shown = account.get(second.path).function["llmInvocationConfig"]
    assert shown == {"priority": {"defaultPriority": 1}}
    third: Json = {"priority": {"defaultPriority": 3}}
    account.create_version(first, "chat", **llm(llmInvocationConfig=third))
    assert account.get(first.path).function["llmInvocationConfig"] == third
    put(account, second, llmInvocationConfig={"priority": {"defaultPriority": 7}})
    shown = account.get(first.path).function["llmInvocationConfig"]
    assert shown == {"priority": {"defaultPriority": 7}}


def test_new_version_brings_its_rates_to_the_older_ones(account: Account) -> None:
    first = account.create("chat", **llm(model(tokenRateLimit="1-S", routingMethod="random")))
    account.create_version(first, "chat", **llm(model(tokenRateLimit="9-S")))
    assert config(account, first)["tokenRateLimit"] == "9-S"
    assert config(account, first)["routingMethod"] == "random"


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (model(uris=["/v1/other"]), "'llmConfig.uris' for model 'meta/llama' must match"),
        (model(tokenizer="hf:y"), "'llmConfig.tokenizer' for model 'meta/llama' must match"),
    ],
)
def test_uris_and_tokenizer_of_a_model_stay(account: Account, models: Json, message: str) -> None:
    first = account.create("chat", **llm(model(tokenizer="hf:x")))
    body: Json = {"name": "chat", "inferenceUrl": "/v1", "containerImage": "nvcr.io/a/b:1"}
    path = f"{FUNCTIONS}/{first.function}/versions"
    if "tokenizer" not in cast("Json", models["llmConfig"]):
        cast("Json", models["llmConfig"])["tokenizer"] = "hf:x"
    answer = account.call("POST", path, {**body, **llm(models)})
    assert (answer.status, message in answer.detail) == (400, True)
    assert len(rows(account.get(path).json, "functions")) == 1


def test_llm_and_other_versions_do_not_mix(account: Account) -> None:
    body: Json = {"name": "chat", "inferenceUrl": "/v1", "containerImage": "nvcr.io/a/b:1"}
    for made, other in (
        (account.create("chat", **llm()), body),
        (account.create(), {**body, **llm()}),
    ):
        path = f"{FUNCTIONS}/{made.function}/versions"
        answer = account.call("POST", path, other)
        assert answer.status == 400
        assert "all versions must share the same functionType" in answer.detail


def test_streaming_and_default_versions_may_mix(account: Account) -> None:
    made = account.create()
    account.create_version(made, functionType="STREAMING")


@pytest.mark.parametrize(
    ("sent", "status", "message"),
    [
        ({"modelUpdates": []}, 400, "at least one property"),
        ({"modelUpdates": [{"modelName": "meta/llama"}]}, 400, "at least one of 'tokenRateLimit'"),
        (update(), 400, "at least one of 'tokenRateLimit'"),
        (update(name=" ", routingMethod="random"), 400, "must not be blank"),
        (update(tokenRateLimit="many"), 400, "field=llmConfig.tokenRateLimit"),
        (update(routingMethod="nearest"), 400, "field=llmConfig.routingMethod"),
        (update(name="other", routingMethod="random"), 404, "Model 'other' not found"),
        (
            {"modelUpdates": [{"modelName": "m", "llmConfig": {"routingMethod": "random"}}] * 2},
            400,
            "names must be unique",
        ),
    ],
)
def test_model_update_that_makes_no_sense_changes_nothing(
    account: Account, sent: Json, status: int, message: str
) -> None:
    made = account.create("chat", **llm(model(tokenRateLimit="1-S")))
    before = account.get(made.path).json
    answer = (
        put(account, made, tags=["new"], **sent) if status == 404 else put(account, made, **sent)
    )
    assert (answer.status, message in answer.detail) == (status, True)
    assert account.get(made.path).json == before


def test_models_of_other_functions_have_nothing_to_update(account: Account) -> None:
    made = account.create(models=[{"name": "m", "version": "1", "uri": "/m"}])
    answer = put(account, made, **update(name="m", routingMethod="random"))
    assert answer.status == 400
    assert "Only LLM functions support model config updates" in answer.detail


def test_models_without_an_image_are_served_by_triton(account: Account) -> None:
    model_only: Json = {
        "containerImage": None,
        "models": [{"name": "m", "version": "1", "uri": "/m"}],
    }
    made = account.create("chat", **model_only)
    assert str(account.get(made.path).function["containerArgs"]).startswith("tritonserver ")
    own = account.create("chat", **model_only, containerArgs="serve --all")
    assert account.get(own.path).function["containerArgs"] == "serve --all"


RATES = "/v2/nvcf/ratelimit/functions"


def rates(made: Deployable) -> str:
    return f"{RATES}/{made.function}/versions/{made.version}"


def test_rate_limit_is_set_the_old_way_and_deleted(account: Account) -> None:
    made = account.create()
    answer = account.call("PUT", rates(made), {"rateLimit": {"rateLimit": "5-S"}})
    assert (answer.status, answer.body) == (204, b"")
    assert account.get(made.path).function["rateLimit"] == {"rateLimit": "5-S"}
    for _ in range(2):
        answer = account.call("DELETE", rates(made))
        assert (answer.status, answer.body) == (204, b"")
        assert "rateLimit" not in account.get(made.path).function
    assert account.call("DELETE", rates(Deployable(made.function, NOBODY))).status == 404


@pytest.mark.parametrize(
    "limit",
    [
        {"rateLimit": "100-S, 5000-D"},
        {"perUserRate": "3-M"},
        {"perNcaIdRate": {"nca-a": "1-S", "nca-b": "2-H"}},
        {"rateLimit": "1-S", "perNcaIdRate": {"nca-a": "5-S"}, "exemptedNcaIds": ["nca-b"]},
        {"rateLimit": "1-S", "perUserRate": "1-M", "syncCheck": True},
    ],
)
def test_every_form_of_rate_limit_is_kept_as_sent(account: Account, limit: Json) -> None:
    made = account.create(rateLimit=limit)
    assert account.get(made.path).function["rateLimit"] == limit
    other = account.create("other")
    assert put(account, other, rateLimit=limit).function["rateLimit"] == limit


@pytest.mark.parametrize(
    ("limit", "field"),
    [
        ({}, "rateLimit"),
        ({"syncCheck": True}, "rateLimit"),
        ({"rateLimit": "100-W"}, "rateLimit"),
        ({"rateLimit": " 100-S"}, "rateLimit"),
        ({"rateLimit": "100-S,"}, "rateLimit"),
        ({"perUserRate": "x"}, "rateLimit.perUserRate"),
        ({"perNcaIdRate": {"nca-a": "x"}}, "rateLimit.perNcaIdRate"),
        ({"perUserRate": "1-S", "exemptedNcaIds": ["nca-a"]}, "rateLimit.exemptedNcaIds"),
        (
            {"rateLimit": "1-S", "exemptedNcaIds": ["nca-a"], "perNcaIdRate": {"nca-a": "1-S"}},
            "rateLimit.perNcaIdRate",
        ),
        ({"perNcaIdRate": {f"nca-{one}": "1-S" for one in range(33)}}, "rateLimit.perNcaIdRate"),
    ],
)
def test_rate_limit_that_makes_no_sense_is_refused(
    account: Account, limit: Json, field: str
) -> None:
    made = account.create()
    answer = put(account, made, rateLimit=limit)
    assert answer.status == 400
    assert f"field={field}, rejected=[" in answer.detail
    assert "rateLimit" not in account.get(made.path).function
