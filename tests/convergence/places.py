"""Accounts with room for everything, and stacks written down, read, planned and applied there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from nvcfplan.applying import ApplySettings
from nvcfplan.diagnostics import has_errors
from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    WorldFile,
)
from nvcfplan.loading import LoadedStack, StackSource, load_stack
from nvcfplan.model import Secret, SecretOrigin, Stack
from tests import rehearsal
from tests.convergence.documents import ENVIRONMENT
from tests.emulator.account import Account as Api
from tests.fakes import MemoryStore

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Telemetries = Mapping[str, str]
"""Ids by the key of a stack file."""
PATIENT = ApplySettings(parallelism=32, first_poll=120, longest_poll=600)
KINDS = {"logsTelemetryId": "LOGS", "metricsTelemetryId": "METRICS", "tracesTelemetryId": "TRACES"}


@contextmanager
def account() -> Iterator[rehearsal.Account]:
    with rehearsal.account(world(), MemoryStore()) as where:
        where.environment |= ENVIRONMENT
        yield where


def world() -> WorldFile:
    clusters = (
        _cluster("c1", "g1", "us-east-1", ("SOC2",)),
        _cluster("c2", "g1", "us-west-2", ()),
        _cluster("c3", "g2", "us-west-2", ("SOC2", "HIPAA")),
    )
    nca_id = WorldFile().nca_id
    groups = tuple(GroupRule(name=name, nca_id=nca_id) for name in ("g1", "g2"))
    return WorldFile(clusters=clusters, groups=groups, function_limit=1_000)


def _cluster(name: str, group: str, region: str, attributes: tuple[str, ...]) -> ClusterRule:
    return ClusterRule(
        name=name,
        groups=(group,),
        region=region,
        provider="GCP",
        attributes=attributes,
        gpus=tuple(
            GpuRule(
                name=gpu,
                capacity=1_000,
                instance_types=tuple(
                    InstanceTypeRule(name=f"{gpu}_{count}x", gpu_count=count) for count in (1, 2)
                ),
            )
            for gpu in ("H100", "L40S")
        ),
    )


def telemetries_of(where: rehearsal.Account) -> Telemetries:
    api = Api(where.emulator)
    found = {}
    for key, kind in KINDS.items():
        body = {
            "endpoint": "https://telemetry.example",
            "protocol": "HTTP",
            "provider": "DATADOG",
            "types": [kind],
            "secret": {"name": kind.lower(), "value": "any"},
        }
        answer = api.call("POST", "/v2/nvcf/telemetries", body)
        assert answer.status == 200, answer.body
        telemetry = answer.json["telemetry"]
        assert isinstance(telemetry, dict)
        found[key] = str(telemetry["telemetryId"])
    return found


def literals_of(stack: Stack) -> dict[str, Secret]:
    """The stack's own sensitive values, by locator."""
    return {
        one.value.reference.locator: one.value
        for function in stack.functions
        for one in function.config.container_environment
        if isinstance(one.value, Secret) and one.value.reference.origin is SecretOrigin.STACK
    }


def read(document: dict[str, object], directory: Path) -> LoadedStack:
    path = directory / "stack.yaml"
    path.write_text(json.dumps(document, ensure_ascii=False), encoding="utf-8")
    checked = load_stack(StackSource(paths=(path,)))
    assert not has_errors(checked.diagnostics), [one.summary for one in checked.diagnostics]
    assert checked.value is not None
    return checked.value
