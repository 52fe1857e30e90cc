"""Every rule: a stack that breaks it is told so, at the place; its like that keeps it is not."""

from __future__ import annotations

import pytest

from nvcfplan.diagnostics import Severity
from tests.loading.builders import (
    HEAD,
    codes,
    load,
    only,
    pointed_at,
    told,
    with_function,
    with_specification,
)

SPECIFICATION = "gpu: H100\ninstanceType: a3_1x\nminInstances: 0\nmaxInstances: 1\n"
CHART = "helmChart: https://helm.ngc.nvidia.com/acme/chat-1.0.tgz\ninferenceUrl: /v1/chat\n"


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("name: -chat", "malformed-value", "-chat"),
        ("name: " + "a" * 129, "malformed-value", "a" * 129),
        ("description: " + "a" * 257, "too-long", "a" * 257),
        ("inferencePort: 0", "out-of-range", "0"),
        ("inferencePort: 65536", "out-of-range", "65536"),
        ("inferencePort: true", "wrong-type", "true"),
        ("inferencePort: 8000.5", "wrong-type", "8000.5"),
        ("inferenceport: 8000", "unknown-key", "inferenceport"),
        ("colour: red", "unknown-key", "colour"),
        ("authorizedParties: nca-b", "wrong-type", "nca-b"),
        ("authorizedParties: [7]", "wrong-type", "7"),
        ("authorizedParties: [nca b]", "malformed-value", "nca b"),
        ("authorizedParties: ['**']", "malformed-value", "'**'"),
        ("authorizedParties: [nca-b, nca-c, nca-b]", "duplicate-name", "nca-b"),
        ("authorizedParties: [nca-b, '*']", "everyone-with-others", "'*'"),
        ("functionType: LLM", "not-supported-yet", "functionType"),
        ("functionType: stream", "unknown-value", "stream"),
        ("apiBodyFormat: custom", "unknown-value", "custom"),
        ("tags: [a b]", "malformed-value", "a b"),
        ('tags: ["nvcfplan:key=chat"]', "reserved-tag", '"nvcfplan:key=chat"'),
        (f"tags: [{', '.join(f't{n}' for n in range(61))}]", "too-long", None),
        ("containerArgs: --name 'x", "args-quoting", "--name 'x"),
        ("containerEnvironment: {A: 8192}", "wrong-type", "8192"),
        ("containerEnvironment: {A: true}", "wrong-type", "true"),
        ("containerEnvironment: {A: }", "wrong-type", "A"),
        ("containerEnvironment: {A B: x}", "malformed-name", "A B"),
        ("models: [{name: a, version: '1', uri: /a}, {name: a, version: '2', uri: /b}]",
         "duplicate-name", "a"),
        ("resources: [{name: a, version: '1'}]", "missing-key", "{name: a, version: '1'}"),
        ("health: {protocol: HTTP, uri: /h, port: 80, timeout: 10s}", "missing-key", "health"),
        ("health: {protocol: HTTP, uri: /h, port: 80, timeout: soon, expectedStatusCode: 200}",
         "malformed-value", "soon"),
        ("health: {protocol: HTTP, uri: /h, port: 80, timeout: 0s, expectedStatusCode: 200}",
         "out-of-range", "0s"),
        ("rateLimit: {rateLimit: 100/s}", "malformed-value", "100/s"),
        ("rateLimit: {rateLimit: '1-S,2-S'}", "rate-limit-units", "'1-S,2-S'"),
        ("rateLimit: {rateLimit: 1-S, perUserRate: 3}", "not-supported-yet", "perUserRate"),
        ("telemetries: {}", "empty-value", "telemetries"),
        ("secrets: {A: {}}", "secret-reference", "A"),
        ("secrets: {A: {fromEnv: X, fromFile: y}}", "secret-reference", "A"),
        ("secrets: {A: just-a-value}", "secret-literal", "A"),
        ("secrets: {-A: {fromEnv: X}}", "malformed-name", "-A"),
        ("helmChartServiceName: svc", "helm-chart-missing", "helmChartServiceName"),
        ("update: {order: fast}", "unknown-value", "fast"),
        ("update: {onDrainTimeout: kill}", "unknown-value", "kill"),
        ("update: {minServing: 1.5}", "out-of-range", "1.5"),
        ("update: {minServing: most}", "wrong-type", "most"),
        ("update: {bounce: [{minInstances: 0}]}", "out-of-range", "0"),
        ("update: {bounce: [{clusters: [x]}]}", "bounce-without-deployment", "bounce"),
        ("update: {drainTimeout: 0s}", "out-of-range", "0s"),
        ("update: {maxDowntime: 0s}", "out-of-range", "0s"),
        ("update: {maxDowntime: 99999999999h}", "out-of-range", "99999999999h"),
        ("update: {maxDowntime: soon}", "malformed-value", "soon"),
        ("update: {warm: hot}", "unknown-value", "hot"),
        ("update: {prove: all}", "unknown-value", "all"),
        ("update: {coexist: false}", "coexist-needs-downtime", "coexist"),
        ("update: {coexist: false, order: create-first}", "coexist-needs-downtime", "coexist"),
        ("update: {keepVersions: -1}", "out-of-range", "-1"),
        ("lifecycle: {onRemove: keep}", "unknown-value", "keep"),
        ("lifecycle: {keepFailed: 0s}", "out-of-range", "0s"),
        ("lifecycle: {keepFailed: 9000h}", "out-of-range", "9000h"),
        ("lifecycle: {ignoreChanges: [tags]}", "not-supported-yet", "ignoreChanges"),
        ("dependsOn: [chat]", "dependency-cycle", "chat"),
        ("dependsOn: [char]", "unknown-dependency", "char"),
        ("deployment: {}", "missing-key", "deployment"),
        ("deployment: {specifications: {}}", "empty-value", "{}"),
        ("forEach: [a]", "not-supported-yet", "forEach"),
    ],
)  # fmt: skip
def test_a_function_that_breaks_a_rule_is_told(body: str, code: str, place: str | None) -> None:
    text = with_function(body)
    fault = only(text)
    assert fault.code == code
    assert fault.severity is Severity.ERROR
    assert fault.summary
    assert fault.remedy
    assert place is None or pointed_at(text, fault) == place


@pytest.mark.parametrize(
    ("change", "code", "place"),
    [
        ("minInstances: -1", "out-of-range", "-1"),
        ("maxInstances: 0", "out-of-range", "0"),
        ("minInstances: 2", "min-above-max", "2"),
        ("maxRequestConcurrency: 16385", "out-of-range", "16385"),
        ("backend: A\nclusters: [b]", "backend-with-clusters", "clusters"),
        ("configuration: {a: 1}", "configuration-without-helm", "configuration"),
        ("instance_type: x", "unknown-key", "instance_type"),
        ("preferredOrder: 1", "not-supported-yet", "preferredOrder"),
        ("autoscalingConfiguration: {scaleUpDetails: {factor: 1, threshold: 50}}",
         "out-of-range", "1"),
        ("autoscalingConfiguration: {scaleDownDetails: {factor: 1.5, threshold: 50}}",
         "out-of-range", "1.5"),
        ("autoscalingConfiguration: {scaleUpDetails: {factor: 2, threshold: 101}}",
         "out-of-range", "101"),
        ("autoscalingConfiguration: {scaleUpDetails: {factor: 2, threshold: 62.5}}",
         "wrong-type", "62.5"),
        ("autoscalingConfiguration: {scaleUpDetails: {factor: 2, threshold: 1, stickiness: "
         "{size: 2h, threshold: 1m}}}", "out-of-range", "2h"),
        ("autoscalingConfiguration: {scaleUpDetails: {factor: 2, threshold: 1, stickiness: "
         "{size: 1m, threshold: 1m}}}", "out-of-range", "1m"),
    ],
)  # fmt: skip
def test_a_specification_that_breaks_a_rule_is_told(change: str, code: str, place: str) -> None:
    changed = {line.partition(":")[0] for line in change.splitlines()}
    kept = [one for one in SPECIFICATION.splitlines() if one.partition(":")[0] not in changed]
    text = with_specification("\n".join((*kept, change)))
    fault = only(text)
    assert (fault.code, pointed_at(text, fault)) == (code, place)


@pytest.mark.parametrize("missing", ["gpu", "instanceType", "minInstances", "maxInstances"])
def test_a_specification_needs_its_four_keys(missing: str) -> None:
    kept = [one for one in SPECIFICATION.splitlines() if not one.startswith(missing)]
    fault = only(with_specification("\n".join(kept)))
    assert fault.code == "missing-key"
    assert missing in fault.summary


def test_a_function_needs_something_to_run() -> None:
    assert codes(with_function("", base="inferenceUrl: /x\n")) == ["nothing-to-run"]


def test_models_alone_are_something_to_run() -> None:
    models = "models: [{name: a, version: '1', uri: /a}]\n"
    assert codes(with_function(models, base="inferenceUrl: /x\n")) == []


@pytest.mark.parametrize(
    "image",
    ["chat", "acme/chat:1", "nvcr.io/acme/chat", "nvcr.io/acme/chat:", "nvcr.io/a/b@sha256:1"],
)
def test_an_image_needs_registry_and_tag(image: str) -> None:
    base = f'containerImage: "{image}"\ninferenceUrl: /x\n'
    assert codes(with_function("", base=base)) == ["image-reference"]


@pytest.mark.parametrize(
    "image",
    [
        "nvcr.io/acme/chat:1",
        "localhost:5000/chat:1",
        "nvcr.io/a/b@sha256:" + "0" * 64,
        "r.io/a:1.2-b",
    ],
)
def test_a_full_image_reference_is_taken(image: str) -> None:
    base = f'containerImage: "{image}"\ninferenceUrl: /x\n'
    assert codes(with_function("", base=base)) == []


def test_a_chart_needs_its_service() -> None:
    assert codes(with_function("", base=CHART)) == ["helm-service-missing"]


@pytest.mark.parametrize(
    "key", ["containerImage: nvcr.io/a/b:1", "containerArgs: -x", "containerEnvironment: {A: b}"]
)
def test_a_chart_excludes_what_containers_have(key: str) -> None:
    text = with_function(f"helmChartServiceName: svc\n{key}\n", base=CHART)
    fault = only(text)
    assert fault.code == "helm-excludes-container"
    assert pointed_at(text, fault) == key.partition(":")[0]


def test_configuration_goes_with_a_chart() -> None:
    body = (
        "helmChartServiceName: svc\ndeployment: {specifications: {a: {gpu: H100, instanceType: x, "
        "minInstances: 0, maxInstances: 1, configuration: {replicas: 2}}}}\n"
    )
    assert codes(with_function(body, base=CHART)) == []


def test_two_specifications_with_one_placement_are_a_warning() -> None:
    body = (
        "deployment:\n  specifications:\n"
        "    a: {gpu: H100, instanceType: x, regions: [r, s], minInstances: 0, maxInstances: 1}\n"
        "    b: {gpu: h100, instanceType: x, regions: [s, r], minInstances: 1, maxInstances: 2}\n"
    )
    fault = only(with_function(body))
    assert (fault.code, fault.severity) == ("same-placement", Severity.WARNING)


def test_a_literal_that_looks_secret_is_a_warning_unless_it_is_meant() -> None:
    fault = only(with_function("containerEnvironment: {API_TOKEN: sample-value}\n"))
    assert (fault.code, fault.severity) == ("literal-secret", Severity.WARNING)
    assert "sample-value" not in told(fault)
    meant = "containerEnvironment: {API_TOKEN: {value: sample-value, sensitive: true}}\n"
    assert codes(with_function(meant)) == []


def test_a_misspelt_key_is_not_also_called_missing() -> None:
    text = with_function("inferenceURL: /x\n", base="containerImage: nvcr.io/a/b:1\n")
    fault = only(text)
    assert fault.code == "unknown-key"
    assert "did you mean `inferenceUrl`?" in fault.summary


def test_an_unknown_key_does_not_hide_what_the_rules_find() -> None:
    text = with_specification(SPECIFICATION + "colour: red\nbackend: A\nclusters: [b]\n")
    assert codes(text) == ["unknown-key", "backend-with-clusters"]


def test_a_fault_in_one_function_does_not_hide_those_of_another() -> None:
    text = with_function("inferencePort: x\n") + "  other: {inferenceUrl: /x}\n"
    assert codes(text) == ["wrong-type", "nothing-to-run"]


def test_a_circle_of_dependencies_is_told_once() -> None:
    body = "containerImage: nvcr.io/a/b:1\n    inferenceUrl: /x\n    dependsOn"
    text = (
        f"{HEAD}functions:\n  a:\n    {body}: [c, d]\n  b:\n    {body}: [a]\n"
        f"  c:\n    {body}: [b]\n  d:\n    {body}: []\n"
    )
    fault = only(text)
    assert fault.code == "dependency-cycle"
    assert "a -> c -> b -> a" in fault.summary
    assert fault.subject is not None
    assert fault.subject.address == "function.a"


@pytest.mark.parametrize(
    ("head", "code", "place"),
    [
        ("apiVersion: nvcfplan/v2\nstack: demo\n", "unknown-value", "nvcfplan/v2"),
        ("stack: demo\n", "missing-key", "stack"),
        ("apiVersion: nvcfplan/v1\n", "missing-key", "apiVersion"),
        ("apiVersion: nvcfplan/v1\nstack: Demo\n", "malformed-value", "Demo"),
        ("apiVersion: nvcfplan/v1\nstack:\n", "empty-value", "stack"),
        (HEAD + "guards: {maxDestroys: 1}\n", "not-supported-yet", "guards"),
        (HEAD + "overlays: {}\n", "not-supported-yet", "overlays"),
        (HEAD + "account: {endpoint: nvidia.com}\n", "malformed-value", "nvidia.com"),
        (HEAD + "account: {ncaID: x}\n", "unknown-key", "ncaID"),
        (HEAD + "vars: {a-b: 1}\n", "malformed-name", "a-b"),
    ],
)
def test_a_faulty_head_is_told(head: str, code: str, place: str) -> None:
    text = with_function("", head=head)
    fault = only(text)
    assert (fault.code, pointed_at(text, fault)) == (code, place)


@pytest.mark.parametrize("functions", ["", "functions:\n", "functions: []\n"])
def test_a_stack_is_empty_only_when_it_is_meant(functions: str) -> None:
    assert len(codes(HEAD + functions)) == 1
    assert load(HEAD + "functions: {}\n").value is not None


@pytest.mark.parametrize("text", ["just a text\n", "- a\n- b\n", "3\n"])
def test_a_document_that_is_no_mapping_is_told(text: str) -> None:
    assert "wrong-type" in codes(text)


def test_a_function_that_is_made_public_is_warned_about() -> None:
    fault = only(with_function("authorizedParties: ['*']"))
    assert (fault.code, fault.severity) == ("function-made-public", Severity.WARNING)


def test_the_account_that_a_stack_is_bound_to_is_not_shared_with() -> None:
    text = with_function("authorizedParties: [nca-b, nca-a]") + "account: { ncaId: nca-a }\n"
    fault = only(text)
    assert fault.code == "own-account-shared"
    assert pointed_at(text, fault) == "nca-a"


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        ("authorizedParties: [nca-c, nca-b]", ("nca-b", "nca-c")),
        ("authorizedParties: []", ()),
        ("authorizedParties: ", ()),
    ],
)
def test_a_list_of_who_may_call_is_managed_also_when_it_is_empty(
    body: str, wanted: tuple[str, ...]
) -> None:
    loaded = load(with_function(body)).value
    assert loaded is not None
    (function,) = loaded.stack.functions
    assert function.authorized_parties == wanted
    assert "authorized_parties" in function.managed
