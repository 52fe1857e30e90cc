"""When a function's list of who may call it is set: before its next version, after its first.

A new version has the list that its function has by then, so one call does for both; and an account
that the service does not know is refused before anything is deployed. Source: nvcf-api.md 2.4.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.planning.drafts import FREE, Waits, sharing_step
from nvcfplan.planning.parts import Draft, Part
from nvcfplan.plans import (
    After,
    CreateFunction,
    Means,
    Order,
    SetAuthorizations,
    Step,
    VersionRef,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from nvcfplan.differences import Difference


def with_sharing(draft: Draft, difference: Difference) -> Draft:
    """The same, with the call in its place where the change asks for one."""
    desired = difference.desired
    if desired is None or Means.SHARING not in difference.change.means:
        return draft
    create = next((one for one in draft.steps if isinstance(one.task, CreateFunction)), None)
    ref = VersionRef(difference.change.address, "old") if create is None else _made_by(create)
    live = difference.owned.sharing if difference.owned else None
    share = sharing_step(
        SetAuthorizations(ref, desired.authorized_parties),
        FREE if create is None else Waits(steps=(create,)),
        before=None if live is None else live.parties,
    )
    first, *rest = draft.parts or (Part(steps=()),)
    steps = _waiting(first.steps, create, share)
    begun = (share, *steps) if create is None else (steps[0], share, *steps[1:])
    return replace(
        draft,
        parts=(
            replace(first, steps=begun),
            *(replace(part, steps=_waiting(part.steps, create, share)) for part in rest),
        ),
        deletes=_waiting(draft.deletes, create, share),
    )


def _made_by(create: Step) -> VersionRef:
    assert isinstance(create.task, CreateFunction), create.id
    return create.task.version


def _waiting(steps: Iterable[Step], create: Step | None, share: Step) -> tuple[Step, ...]:
    """What waits for the new function, or for nothing at all, waits for the call as well."""
    return tuple(_behind(one, share) if _is_next(one, create) else one for one in steps)


def _is_next(step: Step, create: Step | None) -> bool:
    if create is None:
        return not step.depends_on
    return any(edge.step == create.id for edge in step.depends_on)


def _behind(step: Step, share: Step) -> Step:
    edges = {*step.depends_on, After(share.id, Order.REQUIRES)}
    ordered = sorted(edges, key=lambda edge: (edge.step, type(edge).__name__))
    return replace(step, depends_on=tuple(ordered))
