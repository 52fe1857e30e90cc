"""Any value of any of our frozen dataclasses, for laws: drawn by annotation, never by example."""

from __future__ import annotations

import types
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, NewType, Union, cast, get_args, get_origin, get_type_hints

from hypothesis import strategies as st

from nvcfplan.model import Address, Json, ResourceId, Secret, StepId, canonical_json
from nvcfplan.plans import After, Charge, Order, Plan, Reversible, Step

if TYPE_CHECKING:
    from collections.abc import Callable

_TEXT = st.text(max_size=12)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_TEXT, inner, max_size=2),
    max_leaves=4,
)
_SCALARS: dict[object, st.SearchStrategy[object]] = {
    str: _TEXT,
    int: st.integers(-(2**40), 2**40),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bytes: st.binary(max_size=20),
    datetime: st.datetimes(timezones=st.just(UTC)),
    timedelta: st.timedeltas(timedelta(), timedelta(days=40)),
}
_FIELD_NAMES = st.lists(st.sampled_from(["container_image", "secrets", "gpu"]), max_size=2)


def values_of(hint: object) -> st.SearchStrategy[object]:
    if isinstance(hint, NewType):
        return _JSON.map(canonical_json) if hint is Json else values_of(hint.__supertype__)
    if hint in _SCALARS:
        return _SCALARS[hint]
    if get_origin(hint) is tuple:
        return _tuples(get_args(hint))
    if isinstance(hint, types.UnionType) or get_origin(hint) is Union:
        members = [one for one in get_args(hint) if one is not Secret]
        return st.one_of([st.none() if one is type(None) else values_of(one) for one in members])
    assert isinstance(hint, type)
    if issubclass(hint, StrEnum):
        return st.sampled_from(list(hint))
    assert is_dataclass(hint)
    return _records(hint)


def plans() -> st.SearchStrategy[Plan]:
    """Arbitrary in all but the laws: order of steps, charges on listed resources, grants."""
    return st.composite(_draw_plan)()


def _tuples(arguments: tuple[object, ...]) -> st.SearchStrategy[object]:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    return st.tuples(*(values_of(one) for one in arguments))


def _records(kind: type) -> st.SearchStrategy[object]:
    hints = get_type_hints(kind)
    members = {
        one.name: _FIELD_NAMES.map(tuple) if one.name == "managed" else values_of(hints[one.name])
        for one in fields(kind)
    }
    build: Callable[..., object] = kind
    return st.fixed_dictionaries(members).map(lambda given: build(**given))


def _draw_plan(draw: st.DrawFn) -> Plan:
    plan = cast("Plan", draw(values_of(Plan)))
    resources = tuple(
        replace(one, id=ResourceId(f"r{index}")) for index, one in enumerate(plan.resources)
    )
    names = [one.id for one in resources]
    steps: list[Step] = []
    for index, one in enumerate(plan.steps):
        steps.append(_lawful_step(draw, one, StepId(f"s{index}"), names, steps))
    ids = [one.id for one in steps]
    return replace(
        plan,
        resources=resources,
        steps=tuple(steps),
        changes=tuple(
            replace(one, address=Address(f"function.f{index}"))
            for index, one in enumerate(plan.changes)
        ),
        funding=tuple(replace(one, step=ids[0], source=ids[-1]) for one in plan.funding if ids),
        point_of_no_return=tuple(ids[:1]),
    )


def _lawful_step(
    draw: st.DrawFn, step: Step, name: StepId, resources: list[ResourceId], before: list[Step]
) -> Step:
    charges = st.sets(st.sampled_from(resources)) if resources else st.just(set[ResourceId]())
    made = [
        tuple(Charge(resource=one, units=draw(st.integers(1, 9))) for one in sorted(draw(charges)))
        for _ in range(3)
    ]
    earlier = [one.id for one in before if draw(st.booleans())]
    undo = step.undo
    return replace(
        step,
        id=name,
        depends_on=tuple(After(one, draw(st.sampled_from(Order))) for one in earlier),
        acquire=made[0],
        release=made[1],
        undo=replace(undo, needs=made[2]) if isinstance(undo, Reversible) else undo,
        expected_seconds=draw(st.integers(0, 10**6)),
        limit_seconds=draw(st.integers(0, 10**6)),
    )
