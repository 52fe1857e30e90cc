"""Calls on the version that is there: tags, bounds of specifications, secrets."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

from nvcfplan.capacity import growth_charges, shrink_charges
from nvcfplan.model import (
    GpuSpecification,
    LiveVersion,
    Metadata,
    operation_of,
    own_tags,
    ownership_tags,
    specification_with_defaults,
    user_tags,
)
from nvcfplan.planning.context import Context, current_of, owner
from nvcfplan.planning.drafts import (
    FREE,
    Waits,
    await_active_step,
    await_released_step,
    metadata_step,
    secrets_step,
    update_step,
)
from nvcfplan.plans import (
    Means,
    SetSecrets,
    Step,
    UpdateDeployment,
    UpdateMetadata,
    VersionRef,
)

if TYPE_CHECKING:
    from nvcfplan.differences import Difference, Pairing


def metadata(difference: Difference, context: Context, current: LiveVersion) -> tuple[Step, ...]:
    """Tags of ours go with every call that sends tags: what is not sent again is lost."""
    desired = difference.desired
    if desired is None or Means.METADATA not in difference.change.means:
        return ()
    kept = [tag for tag in own_tags(current.config.tags) if operation_of((tag,)) is not None]
    ours = ownership_tags(owner(difference, context))
    wanted = user_tags(desired.config.tags if "tags" in desired.managed else current.config.tags)
    metadata = Metadata(
        tags=tuple(sorted({*wanted, *kept, *ours})),
        rate_limit=desired.config.rate_limit if "rate_limit" in desired.managed else None,
    )
    before = Metadata(tags=current.config.tags, rate_limit=current.config.rate_limit)
    old = VersionRef(difference.change.address, "old")
    return (metadata_step(UpdateMetadata(old, metadata), FREE, before=before),)


def updates(
    difference: Difference, context: Context, first: tuple[Step, ...]
) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
    """One step per specification that differs: what shrinks with its release, then what grows."""
    matching = difference.matching
    changed = [pair for pair in (matching.pairs if matching else ()) if _is_changed(pair)]
    lowered = [pair for pair in changed if _is_shrinking(pair)]
    shrinking: list[Step] = []
    for pair in lowered:
        shrinking += _calls(difference, context, pair, (*first, *shrinking)[-1:])
    shrinking += _released(difference, context, lowered, tuple(shrinking[-1:]))
    growing: list[Step] = []
    for pair in changed:
        if pair not in lowered:
            growing += _calls(difference, context, pair, (*first, *shrinking, *growing)[-1:])
    if any(pair.wanted.min_instances > pair.live.specification.min_instances for pair in changed):
        old = VersionRef(difference.change.address, "old")
        waits = Waits(steps=(*shrinking, *growing)[-1:])
        growing.append(await_active_step(old, waits))
    return tuple(shrinking), tuple(growing)


def _released(
    difference: Difference,
    context: Context,
    shrinking: list[Pairing],
    last: tuple[Step, ...],
) -> tuple[Step, ...]:
    """One wait for all that the shrinking updates of the version give back together."""
    after = {pair.live.id: pair.wanted for pair in shrinking}
    release = shrink_charges(context.limits, current_of(difference), after)
    if not release:
        return ()
    old = VersionRef(difference.change.address, "old")
    return (await_released_step(old, Waits(steps=last), release=release),)


def set_secrets(difference: Difference, first: tuple[Step, ...]) -> tuple[Step, ...]:
    """Last of its function: values that were there before cannot be put back."""
    desired = difference.desired
    if desired is None or Means.SECRETS not in difference.change.means:
        return ()
    changed = {
        one.path.removeprefix("secrets.")
        for one in difference.change.attributes
        if one.path.startswith("secrets.")
    }
    secrets = tuple(one for one in desired.secrets if one.name in changed)
    old = VersionRef(difference.change.address, "old")
    return (secrets_step(SetSecrets(old, secrets), Waits(steps=first)),)


def _calls(
    difference: Difference, context: Context, pair: Pairing, first: tuple[Step, ...]
) -> list[Step]:
    """No single call carries both concurrency and autoscaling: PUT takes the one, PATCH the other.

    Source: nvcf-api.md 3.5.
    """
    before = specification_with_defaults(replace(pair.live.specification, key=pair.wanted.key))
    after = specification_with_defaults(pair.wanted)
    between = replace(after, autoscaling_configuration=before.autoscaling_configuration)
    is_two = after.max_request_concurrency != before.max_request_concurrency and between != after
    stages = (before, between, after) if is_two else (before, after)
    steps: list[Step] = []
    for bounds in pairwise(stages):
        steps.append(_update(difference, context, (pair, bounds), (*first, *steps)[-1:]))
    return steps


def _update(
    difference: Difference,
    context: Context,
    found: tuple[Pairing, tuple[GpuSpecification, GpuSpecification]],
    first: tuple[Step, ...],
) -> Step:
    pair, (before, after) = found
    row, limits, current = pair.live.id, context.limits, current_of(difference)
    old = VersionRef(difference.change.address, "old")
    return update_step(
        UpdateDeployment(old, after, before, row=row),
        Waits(steps=first),
        acquire=growth_charges(limits, current, row, (before, after)),
        needs=shrink_charges(limits, current, {row: after}),
    )


def _is_shrinking(pair: Pairing) -> bool:
    return pair.wanted.max_instances < pair.live.specification.max_instances


def _is_changed(pair: Pairing) -> bool:
    wanted, live = (
        replace(specification_with_defaults(one), key="")
        for one in (pair.wanted, pair.live.specification)
    )
    return wanted != live
