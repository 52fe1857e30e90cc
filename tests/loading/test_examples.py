"""The example stacks: all but one load, fit the example world, and the broken one tells all."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.loading import StackSource, load_stack

if TYPE_CHECKING:
    from nvcfplan.model import Stack

STACKS = Path("examples/stacks")
GOOD = ("heterogeneous", "ladder", "quickstart", "rolling", "seed", "updates")
FILES = sorted(STACKS.rglob("*.yaml"))

ROOM = {"GCP-ASIASE1-A": 8, "nvcf-azure-westus2-1": 8, "byoc": 16, "OCI-EU-FRANKFURT": 16}
"""GPUs in the pools of examples/worlds/demo.yaml that the examples use."""


def loaded(name: str, *variables: tuple[str, str]) -> Stack:
    checked = load_stack(StackSource(paths=(STACKS / name,), variables=variables))
    assert checked.value is not None
    assert checked.diagnostics == ()
    return checked.value.stack


def gpus(stack: Stack, *, at_max: bool) -> Counter[tuple[str, str]]:
    """By function and pool."""
    held: Counter[tuple[str, str]] = Counter()
    for function in stack.functions:
        for one in (wanted.specification for wanted in function.specifications):
            pool = one.backend or next(iter(one.clusters), "byoc")
            pool = {"byoc-cluster-1": "byoc", "nvcf-gcp-prod-asiase1-a": "GCP-ASIASE1-A"}.get(
                pool, pool
            )
            count = re.search(r"_(\d)x$", one.instance_type)
            assert count is not None
            instances = one.max_instances if at_max else one.min_instances
            held[function.key, pool] += instances * int(count[1])
    return held


def in_pool(held: Counter[tuple[str, str]], pool: str) -> list[int]:
    return [units for (_, where), units in held.items() if where == pool]


@pytest.mark.parametrize("name", GOOD)
def test_an_example_loads_and_its_minima_fit(name: str) -> None:
    held = gpus(loaded(name), at_max=False)
    for pool, room in ROOM.items():
        assert sum(in_pool(held, pool)) <= room


@pytest.mark.parametrize("at_max", [False, True])
def test_any_one_function_of_heterogeneous_can_be_doubled(at_max: bool) -> None:
    held = gpus(loaded("heterogeneous"), at_max=at_max)
    assert len({function for function, _ in held}) >= 6
    for pool, room in ROOM.items():
        assert sum(in_pool(held, pool)) + max(in_pool(held, pool)) <= room


def test_heterogeneous_has_what_it_promises() -> None:
    functions = loaded("heterogeneous").functions
    wanted = [one.specification for function in functions for one in function.specifications]
    assert {one.gpu for one in wanted} == {"H100", "L40S", "A100_80GB"}
    assert sum(function.config.helm_chart is not None for function in functions) == 2
    assert any(one.min_instances == 0 for one in wanted)


def test_rolling_leaves_room_for_one_new_version_at_a_time() -> None:
    held = in_pool(gpus(loaded("rolling"), at_max=False), "GCP-ASIASE1-A")
    free = ROOM["GCP-ASIASE1-A"] - sum(held)
    assert max(held) <= free < sum(sorted(held)[:2])


def test_rolling_is_bumped_by_one_variable() -> None:
    before, after = loaded("rolling"), loaded("rolling", ("tag", "2.2.0"))
    changed = [
        old.config.container_image != new.config.container_image
        for old, new in zip(before.functions, after.functions, strict=True)
    ]
    assert changed == [True, True, True]


def test_seed_uses_the_four_types_of_the_documentation() -> None:
    functions = loaded("seed").functions
    types = {one.specification.instance_type for f in functions for one in f.specifications}
    assert {f"a3-highgpu-8g_{count}x" for count in (1, 2, 4, 8)} <= types


def test_broken_tells_every_planted_mistake_at_its_line() -> None:
    path = STACKS / "broken" / "stack.yaml"
    expected = {
        (number, match[1])
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if (match := re.search(r"# expect: (\S+)", line))
    }
    checked = load_stack(StackSource(paths=(path.parent,)))
    found = {(one.span.start.line, one.code) for one in checked.diagnostics if one.span}
    assert len(expected) >= 12
    assert found == expected
    assert len(checked.diagnostics) == len(expected)


@pytest.mark.parametrize("path", FILES, ids=str)
def test_every_example_names_its_schema(path: Path) -> None:
    first = path.read_text().splitlines()[0]
    match = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", first)
    assert match is not None
    assert (path.parent / match[1]).resolve() == Path("schemas/stack.schema.json").resolve()
