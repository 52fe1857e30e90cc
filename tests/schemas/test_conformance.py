"""The served emulator held against its published document, by calls nobody would think of.

Each operation alone, with good and bad input; then sequences along the document's links.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import CHECKS
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode

from tests.budget import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from schemathesis import Case
    from schemathesis.checks import CheckFunction
    from schemathesis.core.transport import Response
    from schemathesis.hooks import HookContext
    from schemathesis.schemas import APIOperation, BaseSchema

    Operation: TypeAlias = APIOperation[Any, Any, Any, Any]

Json = dict[str, object]
ROOT = Path(__file__).parents[2]
WORLD = ROOT / "tests" / "schemas" / "world.yaml"
IS_LONG = bool(os.environ.get("NVCFPLAN_TORTURE"))
SERVICE = r"^/v2/nvcf/(?!accounts/)"
LIFE = r"^/v2/nvcf/(functions$|functions/\{function\}/versions/|deployments)"
"""Of the service's, those that lead from one to the next most."""
FRONT = r"^/(?!v2/nvcf/|v2/orgs/\{org\}/(teams/\{team\}/)?nvcf/|token)"
LAYOUTS = r"^/v2/(nvcf/accounts/|orgs/\{org\}/(teams/\{team\}/)?nvcf/)"


def _checks(*names: str) -> list[CheckFunction]:
    return cast("list[CheckFunction]", CHECKS.get_by_names(list(names)))


CONFORMANCE = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served emulator, in a process of its own; its clock all but stands still."""
    command = [sys.executable, "-m", "nvcfplan", "emulator", "serve", "-port=0", "-speed=1e-6"]
    command += [f"-world={WORLD}", str(tmp_path_factory.mktemp("emulator") / "emulator.db")]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        line = process.stderr.readline()
        found = re.search(r"http://[0-9.]+:\d+", line)
        assert found is not None, line
        yield found[0]
        process.terminate()
        process.communicate()


@pytest.fixture(scope="module")
def published(address: str) -> BaseSchema:
    """The document as it is served, for what is served there."""
    schema = schemathesis.openapi.from_url(f"{address}/v3/openapi")
    schema.config.update(base_url=address)
    schema.hook(map_path_parameters)
    schema.hook(map_body)
    schema.hook(map_headers)
    return schema


KNOWN = {"org": "demo", "account": "nca-demo-0001"}
SECRET = {"name": "hub", "value": "dXNlcjpwYXNzd29yZA=="}
OFFERED = [("H100", "LAB.H100_1x"), ("L40S", "LAB.L40S_1x"), ("H100", "LAB.H100_8x")]


def map_path_parameters(context: HookContext, path_parameters: Json) -> Json:
    """No other org or account is there."""
    del context
    given = path_parameters if isinstance(path_parameters, dict) else {}
    return {name: KNOWN.get(name, value) for name, value in given.items()}


FRAMING = frozenset({"connection", "content-length", "expect", "host", "transfer-encoding"})


def map_headers(context: HookContext, headers: object) -> object:
    """What frames a request belongs to HTTP: spoilt, it never is a request of this document."""
    del context
    if not isinstance(headers, dict):
        return headers
    return {name: value for name, value in headers.items() if name.lower() not in FRAMING}


def map_body(context: HookContext, body: object) -> object:
    """Of what is to be had, so that more than misspelt GPUs and registries is tried."""
    del context
    if isinstance(body, dict) and "registryHostname" in body:
        return body | {"registryHostname": "docker.io", "secret": SECRET}
    entries = body.get("deploymentSpecifications") if isinstance(body, dict) else None
    if isinstance(entries, list) and all(isinstance(one, dict) for one in entries):
        body = {"deploymentSpecifications": [_offered(*one) for one in enumerate(entries)]}
    return body


def _offered(number: int, entry: Json) -> Json:
    """The counts are as they were drawn; what no schema can say is put right in the first one."""
    gpu, instance_type = OFFERED[number % len(OFFERED)]
    offered = {**entry, "gpu": gpu, "instanceType": instance_type}
    if number or not {"minInstances", "maxInstances"} <= entry.keys():
        return offered
    counts = [entry["minInstances"], entry["maxInstances"]]
    least, most = sorted(one if isinstance(one, int) else 1 for one in counts)
    kept = {name: offered[name] for name in ("gpu", "instanceType")}
    return {**kept, "minInstances": least, "maxInstances": most}


def _session() -> requests.Session:
    session = requests.Session()
    session.headers["Authorization"] = "Bearer key"
    session.trust_env = False
    return session


def _settings(count: int, *, steps: int = 1) -> settings:
    return settings(
        max_examples=count,
        stateful_step_count=steps,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


def conforms(operation: Operation, mode: GenerationMode, *, count: int) -> None:
    """Raises what schemathesis finds, with the request that shows it."""
    with _session() as session:

        @given(case=operation.as_strategy(generation_mode=mode))
        @_settings(count)
        def tried(case: Case[Operation]) -> None:
            response = case.call(session=session)
            case.validate_response(response, checks=_checks(*CONFORMANCE))

        tried()


@pytest.mark.parametrize("mode", list(GenerationMode), ids=str)
@pytest.mark.parametrize("part", [SERVICE, FRONT, LAYOUTS], ids=["service", "front", "layouts"])
def test_operation_conforms_to_the_document(
    published: BaseSchema, part: str, mode: GenerationMode
) -> None:
    """The layouts are the service's routes once more: one example each is enough of a sample."""
    count = examples(60) if IS_LONG else 1 if part == LAYOUTS else 4
    found = [
        one.ok()
        for one in published.include(path_regex=part).get_all_operations()
        if isinstance(one, Ok)
    ]
    assert found
    for operation in found:
        if mode is GenerationMode.POSITIVE or _can_be_wrong(operation):
            conforms(operation, mode, count=count)


def _after_deletion(case: Case[Operation]) -> tuple[str, ...]:
    """DELETE of a list of authorized accounts empties it: it reads as before. nvcf-api.md 2.4."""
    return () if "/authorizations/" in case.operation.path else ("use_after_free",)


def _can_be_wrong(operation: Operation) -> bool:
    """Where nothing is asked for, nothing can be sent wrong."""
    return bool(operation.body) or any(True for _ in operation.iter_parameters())


@pytest.mark.parametrize("part", [LIFE, SERVICE], ids=["life", "service"])
def test_sequences_along_the_links_conform_and_use_nothing_after_it_is_deleted(
    published: BaseSchema, address: str, part: str
) -> None:
    machine = published.include(path_regex=part).as_state_machine()
    session = _session()
    answered: set[tuple[str, int]] = set()

    class Sequences(machine):  # type: ignore[misc,valid-type] # made from the document
        def setup(self) -> None:
            """An account in which nothing has happened: each sequence can be told again."""
            session.post(f"{address}/emulator/reset").raise_for_status()

        def get_call_kwargs(self, case: Case[Operation]) -> Json:
            del case
            return {"session": session}

        def validate_response(
            self, response: Response, case: Case[Operation], **kwargs: object
        ) -> None:
            answered.add((case.operation.definition.raw["operationId"], response.status_code))
            case.validate_response(
                response,
                checks=_checks(*CONFORMANCE, *_after_deletion(case)),
                transport_kwargs=kwargs,
                recorder=self.recorder,
            )

    with session:
        run_state_machine_as_test(
            Sequences, settings=_settings(examples(300), steps=30 if IS_LONG else 12)
        )
    reached = {("create-function", 200), *([("deploy", 200)] if IS_LONG else [])}
    assert part != LIFE or reached <= answered
