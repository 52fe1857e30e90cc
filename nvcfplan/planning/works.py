"""Differences -> works: what must be done for each function, and who could lend room meanwhile.

A function that stays as it is lends by going down and coming back the same; only where its stack
allows downtime and no other function uses it. It is a change like any other then, with a reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.model import Address, Downtime, Status, UpdateOrder, function_key
from nvcfplan.planning.dependencies import dependencies
from nvcfplan.planning.expansion import expand
from nvcfplan.planning.parts import Draft, Work
from nvcfplan.plans import Action, Means, Undeploy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.differences import Difference
    from nvcfplan.planning.context import Context

LENDS_ROOM: Final = "lends-room"


def find_works(differences: Sequence[Difference], context: Context) -> tuple[Work, ...]:
    """Of every function that changes, and of every one that may lend (`is_optional`), by key."""
    uses, used_by = dependencies(differences)
    drafts = {function_key(one.change.address): expand(one, context) for one in differences}
    lenders = {
        function_key(one.change.address): expand(one, context)
        for one in find_lenders(differences).values()
    }
    all_drafts = {key: some for key, some in (drafts | lenders).items() if some}
    leaving = {key for key, some in all_drafts.items() if _undeploys(some)}
    return tuple(
        Work(
            key=key,
            drafts=all_drafts[key],
            uses=tuple(sorted(all_drafts.keys() & {*uses.get(key, ())} - {key})),
            users=tuple(sorted(leaving & {*used_by.get(key, ())} - {key})),
            is_optional=key in lenders,
        )
        for key in sorted(all_drafts)
    )


def find_lenders(differences: Sequence[Difference]) -> Mapping[Address, Difference]:
    """Functions with nothing to do that may go down and come back, as they would then change."""
    used = {key for one in differences if one.desired for key in one.desired.depends_on}
    return {
        one.change.address: replace(
            one,
            change=replace(
                one.change, action=Action.UPDATE, means=(Means.REDEPLOY,), reason=LENDS_ROOM
            ),
        )
        for one in differences
        if _may_lend(one) and function_key(one.change.address) not in used
    }


def _may_lend(difference: Difference) -> bool:
    desired, owned = difference.desired, difference.owned
    if desired is None or owned is None or difference.change.action is not Action.NO_OP:
        return False
    return (
        desired.update.downtime is Downtime.ALLOWED
        and desired.update.order is not UpdateOrder.CREATE_FIRST
        and "deployment" in desired.managed
        and bool(difference.specifications)
        and not difference.change.attributes
        and owned.current.status is Status.ACTIVE
    )


def _undeploys(drafts: Sequence[Draft]) -> bool:
    return any(isinstance(step.task, Undeploy) for draft in drafts for step in draft.steps)
