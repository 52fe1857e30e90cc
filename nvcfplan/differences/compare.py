"""One function: what differs between wanted and live, with a reason and the means for each part.

Three-way: live against wanted decides; what was applied last only explains (somebody else's edit, a
field no longer managed). Values the service fills in are rebased before comparing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from nvcfplan.differences.flattening import MASK, Attribute, flatten_config, flatten_specification
from nvcfplan.differences.freeform import describe
from nvcfplan.differences.mutability import CONFIG_ROWS, PLACEMENT_ROWS, SPECIFICATION_ROWS
from nvcfplan.model import (
    DesiredFunction,
    FunctionConfig,
    GpuSpecification,
    Json,
    LiveVersion,
    Owner,
    Secret,
    canonical_json,
    ownership_tags,
    specification_with_defaults,
    user_tags,
    with_defaults,
    without_derived,
    without_derived_args,
)
from nvcfplan.plans import AttributeChange, Means

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.differences.specifications import Matching

NO_ATTRIBUTES: Final[Mapping[str, Attribute]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """`waiting`: differences that wait for the next version (name, description alone)."""

    attributes: tuple[AttributeChange, ...]
    waiting: tuple[AttributeChange, ...] = ()


def carried_config(desired: DesiredFunction, live: LiveVersion) -> FunctionConfig:
    """The wanted configuration of a new version: managed fields over what the live one has."""
    managed = {name: getattr(desired.config, name) for name in _config_fields(desired)}
    carried = replace(without_derived(live.config), **managed)
    return _of_one_kind(replace(carried, tags=user_tags(carried.tags)), desired)


def _of_one_kind(carried: FunctionConfig, desired: DesiredFunction) -> FunctionConfig:
    """A function is a container or a helm chart: of one that becomes the other, what only its old
    kind has is not carried forward. Source: nvcf-api.md 3.1.
    """
    wanted = desired.config
    if wanted.helm_chart is not None:
        return replace(carried, container_image=None, container_args=None, container_environment=())
    if wanted.container_image or wanted.container_args or wanted.container_environment:
        return replace(carried, helm_chart=None, helm_chart_service_name=None)
    return carried


def compare_config(
    desired: DesiredFunction, live: LiveVersion, applied: DesiredFunction | None
) -> Compared:
    """Managed fields only. `applied` is what we applied last, to tell somebody else's edits."""
    fields = {CONFIG_ROWS[name].path for name in _config_fields(desired)}
    carried = carried_config(desired, live)
    there = live.config if carried.container_args else without_derived_args(live.config)
    wanted, found = flatten_config(with_defaults(carried)), flatten_config(with_defaults(there))
    last = None if applied is None else flatten_config(with_defaults(applied.config))
    changes = [
        change
        for change in _differing(found, wanted, last)
        if change.path.partition(".")[0] in fields
    ]
    waits = {row.path for row in CONFIG_ROWS.values() if row.waits}
    return Compared(
        attributes=tuple(change for change in changes if change.path not in waits),
        waiting=tuple(change for change in changes if change.path in waits),
    )


def compare_secrets(desired: DesiredFunction, live: LiveVersion) -> tuple[AttributeChange, ...]:
    """By name: values are compared elsewhere, by fingerprint, where both are known.

    PUT merges and works once there is a secret; the first one, or a removal, needs a new version.
    Source: nvcf-api.md 3.5.
    """
    if "secrets" not in desired.managed or live.secret_names is None:
        return ()
    wanted, found = {one.name for one in desired.secrets}, set(live.secret_names)
    can_put = bool(found) and not found - wanted
    return tuple(
        secret_change(
            name,
            before=name in found,
            after=name in wanted,
            means=Means.SECRETS if can_put else Means.NEW_VERSION,
        )
        for name in sorted(wanted ^ found)
    )


def secret_change(name: str, *, before: bool, after: bool, means: Means) -> AttributeChange:
    """A secret that comes, goes or (both) has another value; neither side is ever shown."""
    return AttributeChange(
        path=f"secrets.{name}",
        before=MASK if before else None,
        after=MASK if after else None,
        live=None,
        means=means,
        reason="changed" if before and after else "added" if after else "removed",
        is_sensitive=True,
    )


def compare_specifications(
    matching: Matching, applied: DesiredFunction | None
) -> tuple[AttributeChange, ...]:
    """Bounds of those that stay, and the placements that come and go."""
    last = {one.key: one.specification for one in applied.specifications} if applied else {}
    changes: list[AttributeChange] = []
    for pair in (*matching.pairs, *matching.moved):
        changes += _specification_changes(
            pair.wanted.key,
            flatten_specification(specification_with_defaults(pair.live.specification)),
            flatten_specification(specification_with_defaults(pair.wanted)),
            _flatten_known(last.get(pair.wanted.key)),
        )
    for one in matching.added:
        wanted = flatten_specification(one)
        changes += _specification_changes(one.key, NO_ATTRIBUTES, wanted, None)
    for gone in matching.removed:
        found = flatten_specification(gone.specification)
        changes += _specification_changes(gone.specification.key, found, NO_ATTRIBUTES, None)
    return tuple(sorted(changes, key=lambda change: change.path))


def created_attributes(desired: DesiredFunction) -> tuple[AttributeChange, ...]:
    """Everything that is stated, as added."""
    changes = list(_differing(NO_ATTRIBUTES, flatten_config(desired.config), None))
    changes += (
        secret_change(one.name, before=False, after=True, means=Means.NEW_VERSION)
        for one in desired.secrets
    )
    for one in desired.specifications:
        wanted = flatten_specification(one.specification)
        changes += _specification_changes(one.key, NO_ATTRIBUTES, wanted, None)
    return tuple(sorted(changes, key=lambda change: change.path))


def removed_attributes(live: LiveVersion) -> tuple[AttributeChange, ...]:
    """Everything that is there, as removed."""
    changes = list(_differing(flatten_config(live.config), NO_ATTRIBUTES, None))
    for one in live.deployment.specifications if live.deployment else ():
        found = flatten_specification(one.specification)
        changes += _specification_changes(one.specification.key, found, NO_ATTRIBUTES, None)
    return tuple(sorted(changes, key=lambda change: change.path))


def compare_ownership(owner: Owner, live: LiveVersion) -> tuple[AttributeChange, ...]:
    """Tags of ours that somebody took off are put back: a drift, never a reason to destroy."""
    missing = sorted(set(ownership_tags(owner)) - set(live.config.tags))
    if not missing:
        return ()
    return (
        AttributeChange(
            path="ownershipTags",
            before=None,
            after=canonical_json(missing),
            live=None,
            means=Means.METADATA,
            reason="ownership-tags-missing",
        ),
    )


def _config_fields(desired: DesiredFunction) -> tuple[str, ...]:
    return tuple(name for name in desired.managed if name in CONFIG_ROWS)


def _flatten_known(specification: GpuSpecification | None) -> Mapping[str, Attribute] | None:
    if specification is None:
        return None
    return flatten_specification(specification_with_defaults(specification))


def _differing(
    before: Mapping[str, Attribute],
    after: Mapping[str, Attribute],
    applied: Mapping[str, Attribute] | None,
) -> Iterator[AttributeChange]:
    for path in sorted(before.keys() | after.keys()):
        old, new = before.get(path), after.get(path)
        if old is not None and new is not None and _is_same(old, new):
            continue
        yield AttributeChange(
            path=path,
            before=None if old is None else old.text,
            after=None if new is None else new.text,
            live=_edited(path, old, applied),
            means=_means(old, new, keeps_limit=any(one.startswith("rateLimit.") for one in after)),
            reason="changed" if old and new else "added" if new else "removed",
            is_sensitive=any(one is not None and one.is_sensitive for one in (old, new)),
        )


def _edited(
    path: str, found: Attribute | None, applied: Mapping[str, Attribute] | None
) -> Json | None:
    """The live text where it is not what we applied last. A masked value tells nothing."""
    if applied is None or found is None or found.is_sensitive:
        return None
    last = applied.get(path)
    return None if last is not None and last.text == found.text else found.text


def _is_same(old: Attribute, new: Attribute) -> bool:
    """A value may be a secret on one side only: the stack alone marks some."""
    return _plain_text(old) == _plain_text(new)


def _plain_text(attribute: Attribute) -> object:
    value = attribute.value
    return canonical_json(value.reveal()) if isinstance(value, Secret) else value


def _means(old: Attribute | None, new: Attribute | None, *, keeps_limit: bool) -> Means:
    """A rate limit that goes needs a new version: a metadata PUT can replace it, not remove it."""
    attribute = new or old
    assert attribute is not None
    if attribute.field == "rate_limit" and not keeps_limit:
        return Means.NEW_VERSION
    rows = {**CONFIG_ROWS, **PLACEMENT_ROWS, **SPECIFICATION_ROWS}
    return rows[attribute.field].means


def _specification_changes(
    key: str,
    before: Mapping[str, Attribute],
    after: Mapping[str, Attribute],
    applied: Mapping[str, Attribute] | None,
) -> Iterator[AttributeChange]:
    is_kept = bool(before) and bool(after)
    for change in _differing(before, after, applied):
        located = replace(change, path=f"deployment.specifications.{key}.{change.path}")
        if not is_kept:
            yield replace(located, means=Means.NEW_VERSION)
        elif change.path == "configuration" and change.before and change.after:
            yield from (
                replace(
                    located,
                    path=f"{located.path}.{leaf.path}".rstrip("."),
                    before=leaf.before,
                    after=leaf.after,
                    live=None,
                )
                for leaf in describe(change.before, change.after)
            )
        else:
            yield located
