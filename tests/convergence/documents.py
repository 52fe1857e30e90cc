"""Seeded stack files with every key that one may have, and edits as somebody would make them."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.convergence.places import Telemetries

Json = dict[str, object]
Make = Callable[[random.Random], object]

ENVIRONMENT: Final = {f"SECRET_{number}": f"value-{number}" for number in range(4)}
"""What references to variables resolve to."""
LENGTH: Final = 5
"""Stacks of a history."""
KEYS: Final = ("chat", "rerank", "embed", "a", "z9", "long-name-with-hyphens")
PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "clusters": ("c1", "c2", "c3"),
    "regions": ("us-east-1", "us-west-2"),
    "attributes": ("SOC2", "HIPAA"),
}


def stack_of(seed: int, telemetries: Telemetries, *, least: int = 1, most: int = 3) -> Json:
    """`least`, `most`: functions."""
    throw = random.Random(f"stack {seed}")
    functions: Json = {}
    for key in throw.sample(KEYS, throw.randint(least, most)):
        functions[key] = _function(throw, telemetries, list(functions))
    return {"apiVersion": "nvcfplan/v1", "stack": "prod", "functions": functions}


def with_ladders(document: Json, seed: int) -> Json:
    """Half of the functions that are deployed may fall back, one specification to the other GPU."""
    throw = random.Random(f"ladders {seed}")
    found = copy.deepcopy(document)
    functions = found["functions"]
    assert isinstance(functions, dict)
    for one in functions.values():
        deployment = one.get("deployment")
        if not deployment or throw.random() < 0.5:
            continue
        key = throw.choice(sorted(deployment["specifications"]))
        other = "L40S" if deployment["specifications"][key]["gpu"] == "H100" else "H100"
        rung = {"fallback": {key: {"gpu": other, "instanceType": f"{other}_1x"}}}
        deployment["onNoCapacity"] = [rung]
    return found


def history(seed: int, telemetries: Telemetries) -> Iterator[Json]:
    """A stack, and what becomes of it."""
    document = stack_of(seed, telemetries)
    yield document
    for number in range(1, LENGTH):
        document = edited(document, seed * LENGTH + number, telemetries)
        yield document


def edited(document: Json, seed: int, telemetries: Telemetries) -> Json:
    """One to three edits: a key of a function, a function more or less, or all of one anew."""
    throw = random.Random(f"edit {seed}")
    found = copy.deepcopy(document)
    functions = found["functions"]
    assert isinstance(functions, dict)
    for _ in range(throw.randint(1, 3)):
        _edit(throw, functions, telemetries)
    return found


def _edit(throw: random.Random, functions: Json, telemetries: Telemetries) -> None:
    key = throw.choice(sorted(functions))
    one = functions[key]
    assert isinstance(one, dict)
    odds = throw.random()
    if odds < 0.08 and len(functions) < len(KEYS):
        new = throw.choice([name for name in KEYS if name not in functions])
        # One of that key may have been let stand: values that it has are in nobody's hands.
        functions[new] = {"secrets": {}} | _function(throw, telemetries, [])
    elif odds < 0.14 and len(functions) > 1:
        del functions[key]
        for other in functions.values():
            assert isinstance(other, dict)
            other.pop("dependsOn", None)
    elif odds < 0.2:
        functions[key] = _function(throw, telemetries, []) | _secrets_of(one)
    elif odds < 0.3:
        free = sorted(one.keys() - _kept(one))
        one.pop(throw.choice(free), None) if free else None
    elif odds < 0.36:
        name = throw.choice(NULLABLE)
        one |= {name: None} if name in one else {}
    else:
        _change(throw, one, telemetries)


def _secrets_of(one: Json) -> Json:
    return {"secrets": one["secrets"]} if "secrets" in one else {}


def _kept(one: Json) -> set[str]:
    """What a function of its kind cannot do without: a value that is live is in nobody's hands."""
    kind = {"containerImage"} if "containerImage" in one else {"models"}
    chart = {"helmChart", "helmChartServiceName"}
    return {"inferenceUrl", "secrets"} | (chart if "helmChart" in one else kind)


def _change(throw: random.Random, one: Json, telemetries: Telemetries) -> None:
    deployment = one.get("deployment")
    if isinstance(deployment, dict) and throw.random() < 0.45:
        specifications = deployment["specifications"]
        assert isinstance(specifications, dict)
        _change_specifications(throw, specifications, is_chart="helmChart" in one)
        return
    makers = _makers(one, telemetries)
    name = throw.choice(sorted(makers))
    one[name] = makers[name](throw)


def _change_specifications(throw: random.Random, some: Json, *, is_chart: bool) -> None:
    key = throw.choice(sorted(some))
    one = some[key]
    assert isinstance(one, dict)
    odds = throw.random()
    if odds < 0.12 and len(some) < 3:
        some["extra"] = _specification(throw, is_chart=is_chart)
    elif odds < 0.2 and len(some) > 1:
        del some[key]
    elif odds < 0.3:
        some[key] = _specification(throw, is_chart=is_chart)
    elif odds < 0.4:
        free = sorted(one.keys() - {"gpu", "instanceType", "minInstances", "maxInstances"})
        one.pop(throw.choice(free), None) if free else None
    elif odds < 0.7:
        low = throw.randint(0, 4)
        one |= {"minInstances": low, "maxInstances": max(1, low + throw.randint(0, 3))}
    else:
        name = throw.choice(("maxRequestConcurrency", "autoscalingConfiguration"))
        one[name] = SPECIFICATION[name](throw)


def _function(throw: random.Random, telemetries: Telemetries, others: list[str]) -> Json:
    one: Json = {"inferenceUrl": throw.choice(("/v1/chat/completions", "/grpc", "/"))}
    kind = throw.choices(("container", "chart", "models"), (7, 2, 1))[0]
    if kind == "container":
        one["containerImage"] = _image(throw)
    elif kind == "chart":
        one |= {"helmChart": _chart(throw), "helmChartServiceName": "entry"}
    else:
        one["models"] = _artifacts(throw)
    for name, make in _makers(one, telemetries).items():
        if name not in one and throw.random() < 0.35:
            one[name] = make(throw)
    if throw.random() < 0.9:
        is_chart = kind == "chart"
        names = throw.sample(("main", "h100", "l40s"), throw.choice((1, 1, 1, 2, 3)))
        specifications = {name: _specification(throw, is_chart=is_chart) for name in names}
        one["deployment"] = {"specifications": specifications}
    elif throw.random() < 0.5:
        one["deployment"] = None
    if others and throw.random() < 0.3:
        one["dependsOn"] = [throw.choice(others)]
    return one


def _makers(one: Json, telemetries: Telemetries) -> Mapping[str, Make]:
    """Of the keys that its kind may have."""
    found: dict[str, Make] = dict(FUNCTION)
    if "helmChart" in one:
        found["helmChart"] = _chart
    else:
        found |= CONTAINER
        if "containerImage" not in one:
            del found["containerImage"]
    found["telemetries"] = lambda throw: _telemetries(throw, telemetries)
    return found


def _specification(throw: random.Random, *, is_chart: bool) -> Json:
    low = throw.choice((0, 0, 1, 1, 2, 3))
    gpu = throw.choice(("H100", "L40S"))
    one: Json = {
        "gpu": gpu,
        "instanceType": f"{gpu}_{throw.choice((1, 2))}x",
        "minInstances": low,
        "maxInstances": max(1, low + throw.choice((0, 1, 3))),
    }
    odds = throw.random()
    if odds < 0.25:
        one["backend"] = throw.choice(("g1", "g2"))
    elif odds < 0.55:
        one["clusters"] = throw.sample(PLACES["clusters"], throw.randint(1, 2))
    if odds >= 0.55 and throw.random() < 0.3:
        one["regions"] = throw.sample(PLACES["regions"], throw.randint(1, 2))
    if odds >= 0.55 and throw.random() < 0.3:
        one["attributes"] = ["SOC2" if "regions" in one else throw.choice(PLACES["attributes"])]
    for name, make in SPECIFICATION.items():
        if throw.random() < 0.3 and (is_chart or name != "configuration"):
            one[name] = make(throw)
    return one


def _image(throw: random.Random) -> str:
    tag = throw.choice((":1", ":2", ":latest", "@sha256:" + "ab" * 32))
    return f"nvcr.io/acme/{throw.choice(('chat', 'rerank'))}{tag}"


def _chart(throw: random.Random) -> str:
    return f"https://helm.example/charts/rerank-0.{throw.randint(1, 9)}.0.tgz"


def _artifacts(throw: random.Random) -> list[Json]:
    return [
        {"name": name, "version": str(throw.randint(1, 3)), "uri": f"/v2/org/demo/models/{name}"}
        for name in throw.sample(("llama", "bert", "clip"), throw.randint(1, 2))
    ]


def _environment(throw: random.Random) -> Json:
    found: Json = {}
    for name in throw.sample(("LOG_LEVEL", "EMPTY", "WORKERS", "API_TOKEN", "ODD"), 3):
        value = throw.choice(("info", "", "1", "a b=c", 'quoted "x"', "ünïcode"))
        is_marked = throw.random() < 0.2 or name == "API_TOKEN"
        found[name] = {"value": value or "x", "sensitive": True} if is_marked else value
    return found


def _secrets(throw: random.Random) -> Json:
    names = throw.sample(("HF_TOKEN", "NGC_API_KEY", "other.secret"), throw.randint(1, 2))
    return {name: {"fromEnv": throw.choice(sorted(ENVIRONMENT))} for name in names}


def _health(throw: random.Random) -> Json:
    return {
        "protocol": throw.choice(("HTTP", "gRPC")),
        "uri": throw.choice(("/health", "/v1/health/ready")),
        "port": throw.choice((8000, 9000)),
        "timeout": throw.choice(("PT10S", "PT1M", "90s")),
        "expectedStatusCode": throw.choice((200, 204)),
    }


def _rate_limit(throw: random.Random) -> Json:
    found: Json = {"rateLimit": throw.choice(("100-S", "5-M", "10-S,100-M"))}
    if throw.random() < 0.4:
        found["exemptedNcaIds"] = throw.sample(("nca-a", "nca-b"), throw.randint(1, 2))
    if throw.random() < 0.4:
        found["syncCheck"] = throw.random() < 0.5
    return found


def _telemetries(throw: random.Random, known: Telemetries) -> Json:
    names = throw.sample(sorted(known), throw.randint(1, 3))
    return {name: known[name] for name in names}


def _autoscaling(throw: random.Random) -> Json:
    up: Json = {"factor": throw.choice((1.5, 2.0)), "threshold": throw.randint(50, 100)}
    down: Json = {"factor": throw.choice((0.5, 0.75)), "threshold": throw.randint(0, 40)}
    if throw.random() < 0.5:
        up["stickiness"] = {"size": throw.choice(("5m", "PT10M")), "threshold": "PT2M"}
    if throw.random() < 0.3:
        down["metric"] = "gpu-utilization"
    found = {"scaleUpDetails": up, "scaleDownDetails": down}
    names = throw.choice((tuple(found), ("scaleUpDetails",), ("scaleDownDetails",)))
    return {name: found[name] for name in names}


def _update(throw: random.Random) -> Json:
    found: Json = {
        "order": throw.choice(("auto", "create-first", "delete-first")),
        "downtime": throw.choice(("never", "allowed")),
        "warm": throw.choice(("match-running", "min")),
        "prove": throw.choice(("one", "none")),
        "keepVersions": throw.randint(0, 2),
        "drain": throw.random() < 0.7,
        "minServing": throw.choice((0, 0.5, 1)),
    }
    kept = throw.sample(sorted(found), throw.randint(1, len(found)))
    return {name: found[name] for name in sorted(kept)}


FUNCTION: Final[Mapping[str, Make]] = {
    "name": lambda throw: throw.choice(("Chat", "chat_2", "x")),
    "description": lambda throw: throw.choice(("", "what it is", "ünïcode & more")),
    "inferenceUrl": lambda throw: throw.choice(("/v1/chat/completions", "/grpc", "/v2")),
    "inferencePort": lambda throw: throw.choice((8000, 50051, 9000)),
    "health": _health,
    "apiBodyFormat": lambda throw: throw.choice(("CUSTOM", "PREDICT_V2")),
    "functionType": lambda throw: throw.choice(("DEFAULT", "STREAMING")),
    "tags": lambda throw: throw.sample(("team:ml", "tier=gold", "b", "a"), throw.randint(0, 3)),
    "rateLimit": _rate_limit,
    "resources": _artifacts,
    "authorizedParties": lambda throw: throw.choice(([], ["nca-x"], ["nca-y", "nca-x"])),
    "secrets": _secrets,
    "update": _update,
    "lifecycle": lambda throw: {"onRemove": throw.choice(("delete", "undeploy", "forget"))},
}
CONTAINER: Final[Mapping[str, Make]] = {
    "containerImage": _image,
    "containerArgs": lambda throw: throw.choice(("", "--port 8000", "serve 'a b'")),
    "containerEnvironment": _environment,
    "models": _artifacts,
}
SPECIFICATION: Final[Mapping[str, Make]] = {
    "maxRequestConcurrency": lambda throw: throw.choice((1, 8, 100)),
    "autoscalingConfiguration": _autoscaling,
    "configuration": lambda throw: throw.choice(({"a": {"b": [1, None]}}, {"x": 1.5, "y": ""}, {})),
}
NULLABLE: Final = (
    *("description", "health", "tags", "rateLimit", "resources", "secrets", "telemetries"),
    *("containerArgs", "containerEnvironment", "authorizedParties", "deployment", "inferencePort"),
)
