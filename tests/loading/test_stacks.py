"""Files to a stack: what is managed, how files join, and what does not depend on order."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.diagnostics import Subject
from nvcfplan.loading import StackSource, load_stack, read_stack
from nvcfplan.model import (
    Address,
    Downtime,
    EnvironmentVariable,
    Secret,
    SecretOrigin,
    SecretReference,
    UpdateOrder,
    UpdatePolicy,
)
from tests.budget import examples
from tests.loading.builders import (
    HEAD,
    codes,
    function_of,
    load,
    only,
    read,
    stack_of,
    with_function,
    with_specification,
)

if TYPE_CHECKING:
    import random


HETEROGENEOUS = Path("examples/stacks/heterogeneous")


def test_only_what_is_written_is_managed() -> None:
    function = function_of("description:\ntags: []\n")
    assert function.managed == ("container_image", "description", "inference_url", "tags")
    assert (function.config.description, function.config.tags) == (None, ())


def test_null_and_empty_are_managed_and_the_function_wanted_undeployed() -> None:
    function = function_of("deployment: null\nsecrets: {}\n")
    assert {"deployment", "secrets"} <= set(function.managed)
    assert (function.specifications, function.secrets) == ((), ())


def test_an_absent_deployment_is_not_managed() -> None:
    assert "deployment" not in function_of("").managed


def test_a_specification_manages_what_is_written() -> None:
    (function,) = stack_of(
        with_specification(
            "gpu: H100\ninstanceType: x\nminInstances: 0\nmaxInstances: 1\nregions: [b, a, b]\n"
        )
    ).functions
    (one,) = function.specifications
    assert one.key == "h100"
    assert one.managed == ("gpu", "instance_type", "max_instances", "min_instances", "regions")
    assert one.specification.regions == ("a", "b")
    assert one.specification.max_request_concurrency is None


def test_the_name_is_the_key_unless_given() -> None:
    assert function_of("").config.name == "chat"
    assert function_of("name: Chat_2\n").config.name == "Chat_2"


def test_values_arrive_in_the_domain() -> None:
    function = function_of(
        """\
        health: { protocol: gRPC, uri: /h, port: 50051, timeout: PT10S, expectedStatusCode: 200 }
        rateLimit: { rateLimit: "100-S,5-M", exemptedNcaIds: [b, a] }
        models:
          - { name: z, version: "1", uri: /z }
          - { name: a, version: "1", uri: /a }
        telemetries: { logsTelemetryId: abc }
        secrets: { B: { fromFile: ./b.txt }, A: { fromEnv: A_VALUE } }
        update: { order: delete-first, downtime: allowed, keepVersions: 0, drainTimeout: 1h30m }
        lifecycle: { preventDestroy: true }
        """
    )
    config = function.config
    assert config.health is not None
    assert config.rate_limit is not None
    assert config.telemetries is not None
    assert config.health.timeout == timedelta(seconds=10)
    assert config.rate_limit.exempted_nca_ids == ("a", "b")
    assert [one.name for one in config.models] == ["a", "z"]
    assert config.telemetries.logs_telemetry_id == "abc"
    assert function.secrets == (
        SecretReference("A", SecretOrigin.ENV, "A_VALUE"),
        SecretReference("B", SecretOrigin.FILE, "./b.txt"),
    )
    assert function.update == UpdatePolicy(
        order=UpdateOrder.DELETE_FIRST,
        downtime=Downtime.ALLOWED,
        keep_versions=0,
        drain_timeout=timedelta(minutes=90),
    )
    assert function.lifecycle.prevent_destroy


def test_free_form_values_are_kept_as_canonical_text() -> None:
    base = "helmChart: https://h.io/c.tgz\nhelmChartServiceName: svc\ninferenceUrl: /x\n"
    body = (
        "deployment: {specifications: {a: {gpu: H100, instanceType: x, minInstances: 0, "
        "maxInstances: 1, configuration: {b: [1, 1.5, null], a: {x: yes}}, "
        "autoscalingConfiguration: {scaleUpDetails: {threshold: 60, factor: 2}}}}}\n"
    )
    (one,) = function_of(body, base=base).specifications
    assert one.specification.configuration == '{"a":{"x":"yes"},"b":[1,1.5,null]}'
    assert one.specification.autoscaling_configuration is not None
    assert json.loads(one.specification.autoscaling_configuration) == {
        "scaleUpDetails": {"factor": 2.0, "threshold": 60}
    }


def test_durations_of_autoscaling_are_written_as_the_api_writes_them() -> None:
    body = (
        "deployment: {specifications: {a: {gpu: H100, instanceType: x, minInstances: 0, "
        "maxInstances: 1, autoscalingConfiguration: {scaleDownDetails: {threshold: 5, "
        "factor: 0.5, metric: m, stickiness: {size: PT60M, threshold: 90s}}}}}}\n"
    )
    (one,) = function_of(body).specifications
    assert one.specification.autoscaling_configuration == (
        '{"scaleDownDetails":{"factor":0.5,"metric":"m",'
        '"stickiness":{"size":"PT1H","threshold":"PT1M30S"},"threshold":5}}'
    )


def test_secret_looking_variables_are_wrapped() -> None:
    function = function_of(
        """\
        containerEnvironment:
          LOG_LEVEL: info
          MAX_TOKENS: "100"
          apiKey: sample-value
          NOTE: { value: sample-note, sensitive: true }
          OPEN: { value: open, sensitive: false }
        """
    )
    reference = SecretReference("apiKey", SecretOrigin.STACK, "chat/apiKey")
    note = SecretReference("NOTE", SecretOrigin.STACK, "chat/NOTE")
    assert function.config.container_environment == (
        EnvironmentVariable("LOG_LEVEL", "info"),
        EnvironmentVariable("MAX_TOKENS", "100"),
        EnvironmentVariable("NOTE", Secret("sample-note", note)),
        EnvironmentVariable("OPEN", "open"),
        EnvironmentVariable("apiKey", Secret("sample-value", reference)),
    )
    wrapped = function.config.container_environment[-1].value
    assert isinstance(wrapped, Secret)
    assert wrapped.reference == reference


def test_functions_of_several_files_and_documents_join() -> None:
    more = "apiVersion: nvcfplan/v1\nfunctions: {z: {containerImage: r.io/z:1, inferenceUrl: /z}}\n"
    stack = stack_of(with_function("") + "---\n" + more.replace("z", "y"), more)
    assert [one.key for one in stack.functions] == ["chat", "y", "z"]


def test_a_function_defined_twice_names_both_files() -> None:
    fault = only(with_function(""), with_function("", head="apiVersion: nvcfplan/v1\n"))
    assert fault.code == "duplicate-function"
    assert fault.span is not None
    assert fault.related[0].span is not None
    assert fault.span.file.endswith("1.yaml")
    assert fault.related[0].span.file.endswith("0.yaml")


def test_two_stacks_in_one_place_are_told() -> None:
    other = "apiVersion: nvcfplan/v1\nstack: other\nfunctions: {}\n"
    assert codes(with_function(""), other) == ["two-stacks"]


def test_the_account_is_given_once() -> None:
    bound = "account: {endpoint: https://api.ngc.nvidia.com/, org: acme}\n"
    account = stack_of(with_function("", head=HEAD + bound)).account
    assert (account.endpoint, account.org) == ("https://api.ngc.nvidia.com", "acme")
    other = f"apiVersion: nvcfplan/v1\n{bound}"
    assert codes(with_function("", head=HEAD + bound), other) == ["duplicate-account"]


def test_the_environment_must_fit_into_tags() -> None:
    assert [one.code for one in read(with_function(""), environment="Prod!").stack.diagnostics] == [
        "malformed-name"
    ]


def test_a_missing_path_an_empty_directory_and_a_pipe_are_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "empty").mkdir()
    names = ("missing.yaml", "empty", "pipe.yaml")
    checked = load_stack(StackSource(paths=tuple(tmp_path / name for name in names)))
    assert sorted(one.code for one in checked.diagnostics) == [
        "file-unreadable", "no-stack-files", "stack-not-found",
    ]  # fmt: skip


def test_a_directory_stands_for_its_own_yaml_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(with_function(""))
    for name in ("notes.txt", ".hidden.yaml", "sub/b.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("not: a stack")
    loaded = load_stack(StackSource(paths=(tmp_path, tmp_path / "a.yaml"))).value
    assert loaded is not None
    assert loaded.root == tmp_path


def test_files_are_named_as_the_user_named_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.yaml").write_text("stack: [\n")
    monkeypatch.chdir(tmp_path)
    for paths in ((), (Path(),), (Path("a.yaml"),)):
        (fault,) = load_stack(StackSource(paths=paths)).diagnostics
        assert fault.span is not None
        assert fault.span.file == "a.yaml"


def test_the_source_map_leads_from_a_subject_to_its_place() -> None:
    text = with_specification("gpu: H100\ninstanceType: x\nminInstances: 0\nmaxInstances: 1\n")
    sources = read(text).sources
    lines = text.splitlines()

    def line(address: str, path: str) -> str:
        span = sources.locate(Subject(Address(address), path))
        assert span is not None
        return lines[span.start.line - 1][span.start.column - 1 :]

    below = "deployment.specifications.h100"
    assert line("function.chat", f"{below}.maxInstances") == "1"
    assert line("function.chat.specification.h100", "gpu") == "H100"
    assert line("function.chat.specification.h100", "backend") == "h100:"
    assert line("function.chat", "rateLimit.rateLimit") == "chat:"
    assert line("", "stack") == "demo"
    assert sources.locate(Subject(Address("function.gone"))) is None


def test_a_key_with_dots_is_found() -> None:
    text = with_function("containerEnvironment: {a.b: x, a: y}\n")
    span = read(text).sources.locate(Subject(Address("function.chat"), "containerEnvironment.a.b"))
    assert span is not None
    assert text.encode()[span.start.byte : span.end.byte] == b"x"


def _shuffled(value: object, dice: random.Random) -> object:
    if not isinstance(value, dict):
        return value
    keys = list(value)
    dice.shuffle(keys)
    return {key: _shuffled(value[key], dice) for key in keys}


@settings(max_examples=examples(200))
@given(st.randoms(use_true_random=False))
def test_the_order_of_files_and_keys_changes_nothing(dice: random.Random) -> None:
    """JSON is YAML, so that shuffled documents are written without a second emitter."""
    from nvcfplan.located import load_documents

    texts = [path.read_text() for path in sorted(HETEROGENEOUS.glob("*.yaml"))]
    documents = [load_documents(text, "f.yaml").value for text in texts]
    plain = [one[0].to_plain() for one in documents if one]
    dice.shuffle(plain)
    shuffled = load(*(json.dumps(_shuffled(one, dice)) for one in plain)).value
    ordered = load_stack(StackSource(paths=(HETEROGENEOUS,))).value
    assert shuffled is not None
    assert ordered is not None
    assert shuffled.stack == ordered.stack
    assert shuffled.inputs == ordered.inputs


def test_the_digest_moves_with_the_content_and_not_with_secrets() -> None:
    def digest(body: str) -> str:
        loaded = load(with_function(body)).value
        assert loaded is not None
        return loaded.inputs

    assert digest("description: a\n") != digest("description: b\n")
    assert digest("description: a\n") != digest("tags: [a]\n")
    assert digest("description:\n") != digest("")
    token = "containerEnvironment: {{A: x, API_TOKEN: {}}}\n"
    assert digest(token.format("one")) == digest(token.format("two"))


def test_the_digest_is_that_of_the_rendered_stack() -> None:
    text = with_function('description: "{{ vars.a }}"\n', head=HEAD + "vars: {a: x}\n")
    first, same, other = (
        load(text, variables=variables).value for variables in ((), (("a", "x"),), (("a", "y"),))
    )
    assert first is not None
    assert same is not None
    assert other is not None
    assert first.inputs == same.inputs != other.inputs


def test_a_reading_has_its_sources_even_without_a_stack(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_text(with_function("inferencePort: x\n"))
    reading = read_stack(StackSource(paths=(path,)))
    assert reading.stack.value is None
    span = reading.stack.diagnostics[0].span
    assert span is not None
    assert reading.sources.snippet(span) == "    inferencePort: x"


@pytest.mark.parametrize(
    ("texts", "name"),
    [
        (["stack: shop\nfunctions: [\n"], "shop"),
        (["stack: 'shop'   # ours\nfunctions: {\n"], "shop"),
        (["a: [\n", "apiVersion: nvcfplan/v1\nstack: shop\n"], "shop"),
        (["stack: shop\na: [\n", "stack: other\na: [\n"], ""),
        (["functions: {}\n"], ""),
        (["stack: Not A Name\nfunctions: [\n"], ""),
        (["functions:\n  stack: shop\n  a: [\n"], ""),
        ([], ""),
    ],
)
def test_what_a_stack_is_called_is_told_also_where_it_does_not_read(
    tmp_path: Path, texts: list[str], name: str
) -> None:
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yaml").write_text(text, encoding="utf-8")
    reading = read_stack(StackSource(paths=(tmp_path,), environment="default", variables=()))
    assert reading.stack.value is None
    assert reading.name == name


def test_no_link_in_a_directory_shows_a_file_from_elsewhere(tmp_path: Path) -> None:
    """A request may bring one, to have a file of the runner quoted in a message about it."""
    (tmp_path / "elsewhere.yaml").write_text("canary: [", encoding="utf-8")
    shop = tmp_path / "shop"
    shop.mkdir()
    (shop / "stack.yaml").symlink_to("../elsewhere.yaml")
    reading = read_stack(StackSource(paths=(shop,)))
    (fault,) = reading.stack.diagnostics
    assert fault.code == "file-outside-stack"
    assert "canary" not in str(fault)
    (named,) = read_stack(StackSource(paths=(shop / "stack.yaml",))).stack.diagnostics
    assert named.code == "yaml-syntax"


def test_links_within_a_directory_are_as_good_as_files(tmp_path: Path) -> None:
    """As a mounted ConfigMap has them."""
    kept = tmp_path / "..2026_11_24"
    kept.mkdir()
    text = Path("examples/stacks/quickstart/stack.yaml").read_text(encoding="utf-8")
    (kept / "stack.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "..data").symlink_to(kept.name)
    (tmp_path / "stack.yaml").symlink_to("..data/stack.yaml")
    assert read_stack(StackSource(paths=(tmp_path,))).stack.value is not None
