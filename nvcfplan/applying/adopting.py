"""State from the account's tags alone: what is ours, which version carries it, what is not known.

What was applied last stands nowhere in the account. Of a function that is as the stack wants it
that is the stack's own word; of any other nothing counts as applied by us.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.applying.remembering import unknown_before
from nvcfplan.differences import seal_config
from nvcfplan.model import DesiredFunction, ManagedFunction, Status, function_key
from nvcfplan.plans import Action

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.differences import OwnedFunction
    from nvcfplan.plans import Change, Plan


class Likeness(StrEnum):
    """UNWANTED: ours by its tags, and not in the stack: the next apply removes it."""

    AS_WANTED = "as-wanted"
    DIFFERS = "differs"
    UNWANTED = "unwanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopted:
    """`kept`: versions of ours beside the one that carries the function; `foreign`: of others.

    `uncompared`: names of secrets whose values nobody can compare, for no fingerprint is known.
    """

    entry: ManagedFunction
    likeness: Likeness
    status: Status
    kept: int
    foreign: int
    uncompared: tuple[str, ...]


def adopt(plan: Plan, owned: Mapping[str, OwnedFunction]) -> tuple[Adopted, ...]:
    """`plan`: what would be done, as far as it was planned; `owned`: by key, late arrivals too.

    Sorted by key. What the state knows already is left out.
    """
    changes = {function_key(change.address): change for change in plan.changes}
    desired = {one.key: one for one in plan.desired.functions}
    return tuple(
        _adopted(found, desired.get(key), changes.get(key))
        for key, found in sorted(owned.items())
        if found.managed is None and not found.is_left_over
    )


def _adopted(
    found: OwnedFunction, desired: DesiredFunction | None, change: Change | None
) -> Adopted:
    likeness = _likeness(desired, change)
    applied = desired
    if desired is None:
        applied = DesiredFunction(
            key=found.key, config=seal_config(found.current.config), managed=()
        )
    elif likeness is Likeness.DIFFERS:
        applied = unknown_before(desired)
    assert applied is not None
    return Adopted(
        entry=ManagedFunction(
            key=found.key,
            function_id=found.function_id,
            version_id=found.current.version_id,
            applied=replace(applied, key=found.key),
        ),
        likeness=likeness,
        status=found.current.status,
        kept=len(found.versions) - len(found.failed) - 1,
        foreign=len(found.foreign),
        uncompared=tuple(one.name for one in desired.secrets) if desired else (),
    )


def _likeness(desired: DesiredFunction | None, change: Change | None) -> Likeness:
    if desired is None:
        return Likeness.UNWANTED
    is_so = change is not None and change.action is Action.NO_OP and not change.attributes
    return Likeness.AS_WANTED if is_so else Likeness.DIFFERS
