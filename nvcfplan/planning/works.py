"""Differences -> works: what must be done for each function, and who could lend room meanwhile.

A function that stays as it is lends what runs above its minimum; or, where its stack allows
downtime, it goes down and comes back the same. It is a change like any other then, with a reason.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.differences import Difference
from nvcfplan.model import (
    Downtime,
    Status,
    UpdateOrder,
    UpdatePolicy,
    function_address,
    function_key,
)
from nvcfplan.planning.dependencies import dependencies
from nvcfplan.planning.expansion import expand
from nvcfplan.planning.gaps import judge_gap, within_downtime
from nvcfplan.planning.lowering import lower_for_a_while
from nvcfplan.planning.parts import Draft, Work
from nvcfplan.plans import Action, Means, Undeploy

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from nvcfplan.diagnostics import Diagnostic
    from nvcfplan.planning.context import Context

LENDS_ROOM: Final = "lends-room"

Loans = tuple[tuple[Difference, Draft], ...]
"""What a lender's change would be, and how it is carried out."""


def find_works(differences: Sequence[Difference], context: Context) -> tuple[Work, ...]:
    """Of every function that changes, and of every one that may lend (`is_optional`), by key."""
    uses, used_by = dependencies(differences)
    lenders = {
        key: tuple(draft for _, draft in loans)
        for key, loans in find_loans(differences, context).items()
    }
    all_drafts: dict[str, tuple[Draft, ...]] = {}
    judged: dict[str, tuple[Diagnostic, ...]] = {}
    for one in differences:
        key, drafts = function_key(one.change.address), expand(one, context)
        kept, gap = within_downtime(drafts, _policy(one))
        if gap is not None:
            address = function_address(key)
            judged[key] = (judge_gap(address, _policy(one), gap, is_last=not kept),)
        if drafts:
            all_drafts[key] = kept or drafts
    all_drafts |= lenders
    leaving = {key for key, some in all_drafts.items() if _undeploys(some)}
    return tuple(
        Work(
            key=key,
            drafts=all_drafts[key],
            uses=tuple(sorted(all_drafts.keys() & {*uses.get(key, ())} - {key})),
            users=tuple(sorted(leaving & {*used_by.get(key, ())} - {key})),
            is_optional=key in lenders,
            diagnostics=judged.get(key, ()),
        )
        for key in sorted(all_drafts)
    )


def find_loans(differences: Sequence[Difference], context: Context) -> Mapping[str, Loans]:
    """What functions with nothing to do could lend, as they would then change; by key.

    Without downtime first. Nobody lends that another function uses.
    """
    used = {key for one in differences if one.desired for key in one.desired.depends_on}
    return {
        key: loans
        for one in differences
        if _has_nothing_to_do(one) and (key := function_key(one.change.address)) not in used
        if (loans := tuple(_loans(one, context)))
    }


def _loans(difference: Difference, context: Context) -> Iterator[tuple[Difference, Draft]]:
    lowered = lower_for_a_while(difference, context)
    if lowered is not None:
        yield _as_lender(difference, Means.SPECIFICATION), lowered
    if _may_pause(difference):
        stopped = _as_lender(difference, Means.REDEPLOY)
        kept, _ = within_downtime(expand(stopped, context), _policy(difference))
        yield from ((stopped, draft) for draft in kept)


def _as_lender(difference: Difference, means: Means) -> Difference:
    change = replace(difference.change, action=Action.UPDATE, means=(means,), reason=LENDS_ROOM)
    return replace(difference, change=change)


def _has_nothing_to_do(difference: Difference) -> bool:
    desired, owned = difference.desired, difference.owned
    if desired is None or owned is None or difference.change.action is not Action.NO_OP:
        return False
    return (
        "deployment" in desired.managed
        and bool(difference.specifications)
        and not difference.change.attributes
        and owned.current.status is Status.ACTIVE
    )


def _policy(difference: Difference) -> UpdatePolicy:
    return difference.desired.update if difference.desired else UpdatePolicy()


def _may_pause(difference: Difference) -> bool:
    policy = _policy(difference)
    is_create_first = policy.replacing_order is UpdateOrder.CREATE_FIRST
    return policy.downtime is Downtime.ALLOWED and not is_create_first


def _undeploys(drafts: Sequence[Draft]) -> bool:
    return any(isinstance(step.task, Undeploy) for draft in drafts for step in draft.steps)
