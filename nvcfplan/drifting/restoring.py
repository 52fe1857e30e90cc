"""A function as it was left: what was applied last, where nobody has taken up what is there now.

Where the stack says by now what somebody did by hand, the edit stands.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nvcfplan.differences import (
    CONFIG_ROWS,
    PLACEMENT_ROWS,
    SHARING,
    SPECIFICATION_ROWS,
    compare_function,
)
from nvcfplan.model import (
    Artifact,
    EnvironmentVariable,
    Health,
    RateLimit,
    SecretReference,
    Telemetries,
)

if TYPE_CHECKING:
    from collections.abc import Collection

    from nvcfplan.differences import CompareOptions, OwnedFunction
    from nvcfplan.model import (
        DesiredFunction,
        DesiredSpecification,
        FunctionConfig,
        GpuSpecification,
        LiveVersion,
    )

Element = TypeVar("Element", bound=EnvironmentVariable | Artifact | SecretReference)
_DEPLOYMENT: Final = "deployment"


def restored(
    desired: DesiredFunction,
    owned: OwnedFunction,
    drifted: Collection[str],
    options: CompareOptions,
) -> DesiredFunction:
    """What was applied last, but for what the stack has taken up. `drifted`: paths that have not
    been. A field that the stack no longer manages is nobody's to put back.
    """
    assert owned.managed is not None, owned.key
    left = as_last_seen(desired, owned.managed.applied)
    last = compare_function(owned.managed.applied, owned, options).change
    taken = frozenset(one.path for one in last.attributes if one.path not in drifted)
    if SHARING.path in taken:
        left = replace(left, authorized_parties=desired.authorized_parties)
    left = replace(
        left,
        config=_as_it_is(_config(left.config, desired.config, taken), owned.current),
        secrets=_elements("secrets", left.secrets, desired.secrets, taken),
    )
    return _placed(left, desired, taken, drifted)


def as_last_seen(desired: DesiredFunction, applied: DesiredFunction) -> DesiredFunction:
    """What was applied last, under the policies that hold now. Values that are kept nowhere but in
    the stack's own files come from there.
    """
    known = {one.key: one for one in desired.config.container_environment}
    variables = tuple(
        one if isinstance(one.value, str) else known.get(one.key, one)
        for one in applied.config.container_environment
    )
    return replace(
        applied,
        config=replace(applied.config, container_environment=variables),
        managed=tuple(sorted({*applied.managed} & {*desired.managed})),
        update=desired.update,
        lifecycle=desired.lifecycle,
        depends_on=desired.depends_on,
    )


def _config(left: FunctionConfig, new: FunctionConfig, taken: Collection[str]) -> FunctionConfig:
    changes = {
        name: _field(row.path, getattr(left, name), getattr(new, name), taken)
        for name, row in CONFIG_ROWS.items()
        if any(path == row.path or path.startswith(f"{row.path}.") for path in taken)
    }
    return replace(left, **changes)


def _field(path: str, old: object, new: object, taken: Collection[str]) -> Any:  # of any type
    """Of a field of parts, those that were taken up."""
    if path in taken:
        return new
    match old, new:
        case tuple(), tuple():
            return _elements(path, old, new, taken)
        case Health() | RateLimit() | Telemetries(), Health() | RateLimit() | Telemetries():
            names = [one.name for one in fields(old) if f"{path}.{_camel(one.name)}" in taken]
            return replace(old, **{name: getattr(new, name) for name in names})
        case _:
            return new


def _elements(
    path: str, old: tuple[Element, ...], new: tuple[Element, ...], taken: Collection[str]
) -> tuple[Element, ...]:
    """Sorted by name, as all of these are."""
    found = {_name(one): one for one in old if f"{path}.{_name(one)}" not in taken}
    found |= {_name(one): one for one in new if f"{path}.{_name(one)}" in taken}
    return tuple(found[name] for name in sorted(found))


def _name(element: Element) -> str:
    return element.key if isinstance(element, EnvironmentVariable) else element.name


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(one.capitalize() for one in rest)


def _as_it_is(config: FunctionConfig, live: LiveVersion) -> FunctionConfig:
    """A value that is found nowhere but in the account stays what it is there."""
    there = {one.key: one for one in live.config.container_environment}
    variables = tuple(
        there.get(one.key, one) if isinstance(one.value, SecretReference) else one
        for one in config.container_environment
    )
    return replace(config, container_environment=variables)


def _placed(
    left: DesiredFunction,
    desired: DesiredFunction,
    taken: Collection[str],
    drifted: Collection[str],
) -> DesiredFunction:
    if not any(_is_placement(path) for path in taken):
        return left
    if not any(_is_placement(path) for path in drifted):
        return replace(
            left,
            specifications=desired.specifications,
            on_no_capacity=desired.on_no_capacity,
            rung=desired.rung,
        )
    wanted = {one.key: one.specification for one in desired.specifications}
    return replace(
        left,
        specifications=tuple(
            replace(one, specification=_specification(one, wanted[one.key], taken))
            if one.key in wanted
            else one
            for one in left.specifications
        ),
    )


def _specification(
    left: DesiredSpecification, new: GpuSpecification, taken: Collection[str]
) -> GpuSpecification:
    changes = {
        name: getattr(new, name)
        for name, row in {**PLACEMENT_ROWS, **SPECIFICATION_ROWS}.items()
        if f"{_DEPLOYMENT}.specifications.{left.key}.{row.path}" in taken
    }
    return replace(left.specification, **changes)


def _is_placement(path: str) -> bool:
    return path.partition(".")[0] == _DEPLOYMENT
