"""World files: what they say, and what is wrong with them, at its place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.emulator.defaults import DEFAULT_WORLD
from nvcfplan.emulator.keys import KeyKind, KeyRule
from nvcfplan.emulator.rules import (
    EmptyInventory,
    Fault,
    FaultBody,
    Happening,
    Landing,
    LoadRule,
    QuotaRule,
    ScheduleRule,
    TenantRule,
    TrafficRule,
    Trouble,
    When,
    WorldFile,
)
from nvcfplan.emulator.worldfile import digest_of, load_worldfile

if TYPE_CHECKING:
    from nvcfplan.diagnostics import Diagnostic

WORLDS = Path(__file__).parents[2] / "examples" / "worlds"


def read(tmp_path: Path, text: str) -> WorldFile:
    path = tmp_path / "world.yaml"
    path.write_text(text, encoding="utf-8")
    checked = load_worldfile(path)
    assert checked.value is not None, checked.diagnostics
    return checked.value


def faults(tmp_path: Path, text: str) -> list[tuple[str, int]]:
    """Code and line of each, in the order of the lines."""
    return sorted(
        ((one.code, one.span.start.line if one.span else 0) for one in diagnostics(tmp_path, text)),
        key=lambda fault: (fault[1], fault[0]),
    )


def diagnostics(tmp_path: Path, text: str) -> tuple[Diagnostic, ...]:
    path = tmp_path / "world.yaml"
    path.write_text(text, encoding="utf-8")
    checked = load_worldfile(path)
    assert checked.value is None
    return checked.diagnostics


def test_demo_world_is_the_one_that_is_built_in() -> None:
    assert load_worldfile(WORLDS / "demo.yaml").value == DEFAULT_WORLD


@pytest.mark.parametrize("path", sorted(WORLDS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_example_reads(path: Path) -> None:
    checked = load_worldfile(path)
    assert checked.diagnostics == ()
    assert checked.value is not None


def test_examples_use_every_key_there_is() -> None:
    worlds = [load_worldfile(path).value for path in WORLDS.glob("*.yaml")]
    unused = {
        name
        for name in WorldFile.__dataclass_fields__
        if all(getattr(one, name) == getattr(WorldFile(), name) for one in worlds)
    }
    text = "".join(path.read_text("utf-8") for path in WORLDS.glob("*.yaml"))
    assert {name for name in unused if camel(name) not in text} == set()


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)


def test_empty_mapping_is_a_world_of_defaults(tmp_path: Path) -> None:
    assert read(tmp_path, "{}") == WorldFile()


def test_knobs_are_read(tmp_path: Path) -> None:
    text = """
seed: 7
landing: random
batchSize: 1
bootTime: 0
bootSpread: 1m
releaseLag: 90s
queueTimeout: 1.5m
tick: 2h
functionLimit: 3
hideGpuCount: true
unreadable: { capacity: 403 }
apiKeys: [k, { key: n, scopes: [deploy_function], functions: [chat] }, { key: j, kind: jwt }]
gateway: true
quotaAsYaml: true
emptyInventory: list
"""
    assert read(tmp_path, text) == replace(
        WorldFile(),
        seed=7,
        landing=Landing.RANDOM,
        batch_size=1,
        boot_time=0.0,
        boot_spread=60.0,
        release_lag=90.0,
        queue_timeout=90.0,
        tick=7200.0,
        function_limit=3,
        hide_gpu_count=True,
        unreadable=(("capacity", 403),),
        api_keys=(
            KeyRule(digest=digest_of("k")),
            KeyRule(
                digest=digest_of("n"),
                kind=KeyKind.API_KEY,
                scopes=("deploy_function",),
                functions=("chat",),
            ),
            KeyRule(digest=digest_of("j"), kind=KeyKind.JWT),
        ),
        gateway=True,
        quota_as_yaml=True,
        empty_inventory=EmptyInventory.LIST,
    )


SMALL = """
groups: { lab: {} }
clusters: { lab-1: { groups: [lab], gpus: { H100: { capacity: 4 } } } }
"""


def test_tenants_quotas_traffic_and_faults_are_read(tmp_path: Path) -> None:
    text = (
        SMALL
        + """
tenants: [{ tenant: x, cluster: lab-1, gpu: H100, gpus: 4 }]
quotas: [{ gpu: H100, names: [lab, lab-1], limit: 3 }]
traffic: { chat: { running: 2, queueDepth: 5, drainedPerMinute: 0.5 } }
faults: [{ kind: kill, route: deploy, when: before, nth: 2, every: true }]
"""
    )
    world = read(tmp_path, text)
    assert world.tenants == (TenantRule(tenant="x", cluster="lab-1", gpu="H100", gpus=4),)
    assert world.quotas == (QuotaRule(gpu="H100", names=("lab", "lab-1"), limit=3),)
    assert world.traffic == (
        TrafficRule(function="chat", running=2, queue_depth=5, drained_per_minute=0.5),
    )
    assert world.faults == (
        Fault(kind=Trouble.KILL, route="deploy", when=When.BEFORE, nth=2, every=True),
    )


def test_instant_world_takes_no_time_but_what_it_is_told_to(tmp_path: Path) -> None:
    quick = replace(WorldFile(), instant=True, boot_time=0.0, release_lag=0.0, tick=0.0)
    assert read(tmp_path, "instant: true") == quick
    assert read(tmp_path, "instant: true\nbootTime: 5s") == replace(quick, boot_time=5.0)


def test_troubles_are_read(tmp_path: Path) -> None:
    text = """
groups: { lab: {} }
clusters:
  lab-1:
    groups: [lab]
    gpus:
      H100:
        capacity: 4
        misreported: -2
        instanceTypes: { X: { gpuCount: 1, phantom: true } }
inventoryCache: 1m
heartbeat: 5m
stuckInsteadOfError: true
patchUnsupported: 404
traffic: { chat: { load: [{ at: 2m, running: 1 }, { at: 1m, running: 3 }], idleAfter: 30m } }
schedule:
  - { at: 1h, what: grab, cluster: lab-1, gpu: h100, for: 5m, every: 10m, times: 3 }
  - { what: status, cluster: lab-1, status: CORDON }
faults:
  - { kind: break, route: deploy, failure: image-pull, instances: 2, count: 3 }
  - { kind: answer, route: any, every: true, from: 1m, until: 2m, status: 429, retryAfter: 9 }
  - { kind: capacity-async, route: deploy, silent: true }
  - { kind: garble, route: deploy }
"""
    found = read(tmp_path, text)
    (gpu,) = found.clusters[0].gpus
    assert gpu.misreported == -2
    assert gpu.instance_types[0].is_phantom
    assert (found.inventory_cache, found.heartbeat) == (60.0, 300.0)
    assert (found.stuck_instead_of_error, found.patch_unsupported) == (True, 404)
    load = (LoadRule(at=60.0, running=3), LoadRule(at=120.0, running=1))
    assert found.traffic == (TrafficRule(function="chat", load=load, idle_after=1800.0),)
    tenant = ScheduleRule(
        at=3600.0,
        what=Happening.GRAB,
        cluster="lab-1",
        gpu="h100",
        lasts=300.0,
        every=600.0,
        times=3,
    )
    closing = ScheduleRule(at=0.0, what=Happening.STATUS, cluster="lab-1", status="CORDON")
    assert found.schedule == (tenant, closing)
    assert found.faults == (
        Fault(kind=Trouble.BREAK, failure="image-pull", instances=2, count=3, route="deploy"),
        Fault(
            kind=Trouble.ANSWER,
            route="any",
            every=True,
            since=60.0,
            until=120.0,
            status=429,
            retry_after=9,
        ),
        Fault(kind=Trouble.CAPACITY_ASYNC, is_silent=True, route="deploy"),
        Fault(kind=Trouble.GARBLE, body=FaultBody.GARBAGE, route="deploy"),
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("landig: first", [("world-unknown-word", 1)]),
        ("landing: second", [("world-unknown-word", 1)]),
        ("seed: seven", [("world-wrong-type", 1)]),
        ("seed: true", [("world-wrong-type", 1)]),
        ("seed: -1", [("world-out-of-range", 1)]),
        ("batchSize: 0", [("world-out-of-range", 1)]),
        ("queueTimeout: 0", [("world-out-of-range", 1)]),
        ("tick: -5s", [("world-wrong-type", 1)]),
        ("bootTime: .inf", [("yaml-number", 1)]),
        ("startsAt: yesterday", [("world-wrong-type", 1)]),
        ('startsAt: "0001-01-01T00:00:00Z"', [("world-out-of-range", 1)]),
        ('startsAt: "9999-12-31T23:59:59-14:00"', [("world-out-of-range", 1)]),
        ("groups: [lab]", [("world-wrong-type", 1)]),
        ("groups:\n  lab: x", [("world-wrong-type", 2)]),
        ("clusters:\n  a:\n    gpus:\n      H100: {}", [("world-missing", 4)]),
        ("clusters:\n  a:\n    groups: [b]", [("world-unknown-name", 3)]),
        ("clusters:\n  a: { status: DOWN }", [("world-unknown-word", 2)]),
        (SMALL + "tenants:\n - { cluster: b, gpu: H100, gpus: 1 }", [("world-unknown-name", 5)]),
        (
            SMALL + "tenants:\n - { cluster: lab-1, gpu: H100, gpus: 5 }",
            [("world-out-of-range", 5)],
        ),
        (SMALL + "quotas:\n - { gpu: H100, names: [lap], limit: 1 }", [("world-unknown-name", 5)]),
        ("unreadable: { weather: 403 }", [("world-unknown-word", 1)]),
        ("unreadable: { quota: 200 }", [("world-out-of-range", 1)]),
        ("faults:\n - { kind: kill }", [("world-missing", 2)]),
        ("faults:\n - { kind: kill, route: x }", [("world-fault", 2)]),
        ("faults:\n - { kind: break, route: deploy, failure: x }", [("world-fault", 2)]),
        ("faults:\n - { kind: stuck, route: any, count: 0 }", [("world-out-of-range", 2)]),
        ("patchUnsupported: 500", [("world-out-of-range", 1)]),
        ("schedule:\n - { at: 1h }", [("world-missing", 2)]),
        ("schedule:\n - { what: rain }", [("world-unknown-word", 2)]),
        ("schedule:\n - { what: grab, gpu: H100 }", [("world-schedule", 2)]),
        ("schedule:\n - { what: status, cluster: x }", [("world-unknown-name", 2)]),
        (
            SMALL + "schedule:\n - { what: grab, cluster: lab-1, gpu: T4 }",
            [("world-unknown-name", 5)],
        ),
        ("traffic:\n chat:\n  load: [{ at: 1m }]", [("world-missing", 3)]),
        ("apiKeys: [5]", [("world-wrong-type", 1)]),
        ("apiKeys:\n - { kind: jwt }", [("world-missing", 2)]),
        ("apiKeys:\n - { key: k, kind: basic }", [("world-unknown-word", 2)]),
        ("apiKeys:\n - { key: k, scopes: [deploy] }", [("world-unknown-word", 2)]),
        ("seed: 1\nseed: 2", [("duplicate-key", 2)]),
        ("a: [", [("yaml-syntax", 1)]),
        ("- a", [("world-wrong-type", 0)]),
        ("", [("world-wrong-type", 0)]),
        ("{}\n---\n{}", [("world-wrong-type", 0)]),
    ],
)
def test_fault_of_a_file_is_told_where_it_stands(
    tmp_path: Path, text: str, expected: list[tuple[str, int]]
) -> None:
    assert faults(tmp_path, text) == expected


def test_all_faults_of_a_file_come_at_once(tmp_path: Path) -> None:
    text = "seed: x\nlandig: first\nbatchSize: 0\nfaults:\n - { kind: kil, route: deploy }\n"
    assert [line for _, line in faults(tmp_path, text)] == [1, 2, 3, 5]


def test_misspelt_word_is_answered_with_the_nearest(tmp_path: Path) -> None:
    remedies = [one.remedy for one in diagnostics(tmp_path, "realeaseLag: 5m")]
    assert remedies == ["did you mean `releaseLag`?"]


def test_api_key_is_not_repeated(tmp_path: Path) -> None:
    for text in ("apiKeys: canary-key\nseed: x", "apiKeys: [{ key: [canary-key] }]"):
        found = diagnostics(tmp_path, text)
        assert found
        assert "canary" not in repr(found)


def test_file_that_cannot_be_read_is_a_diagnostic(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    for name, code in (("missing.yaml", "world-unreadable"), ("binary", "not-utf8")):
        checked = load_worldfile(tmp_path / name)
        assert checked.value is None
        assert [one.code for one in checked.diagnostics] == [code]
    (found,) = load_worldfile(tmp_path).diagnostics
    assert found.code == "world-unreadable"
