"""Whether what a step sends is what the stack in the plan wants.

Only what the stack manages is compared: the rest is carried forward from what was there.
"""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Final

from nvcfplan.model import FunctionConfig, user_tags
from nvcfplan.plans import Action

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.model import (
        DesiredFunction,
        DesiredSpecification,
        GpuSpecification,
        Metadata,
    )
    from nvcfplan.plans import CreateFunction, CreateVersion
    from nvcfplan.proving.evidence import Case

CONFIG_FIELDS: Final = frozenset(one.name for one in fields(FunctionConfig))


def is_config_wanted(task: CreateFunction | CreateVersion, desired: DesiredFunction) -> bool:
    managed = CONFIG_FIELDS.intersection(desired.managed) - {"tags"}
    is_same = all(getattr(task.config, name) == getattr(desired.config, name) for name in managed)
    is_tagged = "tags" not in desired.managed or (
        user_tags(task.config.tags) == user_tags(desired.config.tags)
    )
    return is_same and is_tagged and task.secrets == desired.secrets


def is_metadata_wanted(metadata: Metadata, desired: DesiredFunction) -> bool:
    """None in a call leaves what is there."""
    is_tagged = (
        "tags" not in desired.managed
        or metadata.tags is None
        or user_tags(metadata.tags) == user_tags(desired.config.tags)
    )
    is_limited = (
        "rate_limit" not in desired.managed or metadata.rate_limit == desired.config.rate_limit
    )
    return is_tagged and is_limited


def is_placed_as_wanted(placed: Sequence[GpuSpecification], case: Case) -> bool:
    """A deployment that is not managed goes where the function is now, or nowhere."""
    desired, current = case.desired, case.current
    if desired is None:
        return not placed
    if "deployment" not in desired.managed and case.change.action is not Action.CREATE:
        there = current.rows if current is not None and current.is_deployed else 0
        return len(placed) == there
    found = {one.key: one for one in placed}
    wanted = {one.key: one for one in desired.specifications}
    return found.keys() == wanted.keys() and all(
        is_specification_wanted(found[key], wanted[key]) for key in wanted
    )


def is_specification_wanted(found: GpuSpecification, wanted: DesiredSpecification) -> bool:
    """What is managed and left empty is the service's default, which a call may spell out."""
    return all(
        value in (None, ()) or getattr(found, name) == value
        for name in wanted.managed
        for value in (getattr(wanted.specification, name),)
    )
