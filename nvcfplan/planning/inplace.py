"""Calls on the version that is there: tags, bounds of specifications, secrets."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.capacity import growth_charges, shrink_charges
from nvcfplan.differences import Difference, Pairing, specification_with_defaults
from nvcfplan.model import (
    GpuSpecification,
    LiveVersion,
    Metadata,
    ResourceId,
    own_tags,
    ownership_tags,
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
    Charge,
    Means,
    SetSecrets,
    Step,
    UpdateDeployment,
    UpdateMetadata,
    VersionRef,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def metadata(difference: Difference, context: Context, current: LiveVersion) -> tuple[Step, ...]:
    """Tags of ours go with every call that sends tags: what is not sent again is lost."""
    desired = difference.desired
    if desired is None or Means.METADATA not in difference.change.means:
        return ()
    kept = own_tags(current.config.tags)
    ours = ownership_tags(owner(difference, context))
    wanted = user_tags(desired.config.tags if "tags" in desired.managed else current.config.tags)
    metadata = Metadata(
        tags=tuple(sorted({*wanted, *kept, *ours})),
        rate_limit=desired.config.rate_limit if "rate_limit" in desired.managed else None,
    )
    before = Metadata(tags=current.config.tags, rate_limit=current.config.rate_limit)
    old = VersionRef(difference.change.address, "old")
    return (metadata_step(UpdateMetadata(old, metadata), FREE, before=before),)


def updates(difference: Difference, context: Context, first: tuple[Step, ...]) -> tuple[Step, ...]:
    """One step per specification that differs, then one wait for what grew, one for what shrank."""
    matching = difference.matching
    changed = [pair for pair in (matching.pairs if matching else ()) if _is_changed(pair)]
    steps: list[Step] = []
    for pair in changed:
        for before, after in _calls(pair):
            steps.append(_update(difference, context, (before, after), (*first, *steps)[-1:]))
    old = VersionRef(difference.change.address, "old")
    last = tuple(steps[-1:])
    current = current_of(difference)
    grown = any(
        pair.wanted.min_instances > pair.live.specification.min_instances for pair in changed
    )
    release = _sum(
        charge
        for pair in changed
        for charge in shrink_charges(context.limits, current, pair.live.specification, pair.wanted)
    )
    if grown:
        steps.append(await_active_step(old, Waits(steps=last)))
    if release:
        steps.append(
            await_released_step(
                old, Waits(steps=tuple(steps[-1:])), release=release, drain_seconds=0
            )
        )
    return tuple(steps)


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


def _update(
    difference: Difference,
    context: Context,
    bounds: tuple[GpuSpecification, GpuSpecification],
    first: tuple[Step, ...],
) -> Step:
    before, after = bounds
    current = current_of(difference)
    return update_step(
        UpdateDeployment(VersionRef(difference.change.address, "old"), after, before),
        Waits(steps=first),
        acquire=growth_charges(context.limits, current, before, after),
        needs=shrink_charges(context.limits, current, before, after),
    )


def _calls(pair: Pairing) -> Iterator[tuple[GpuSpecification, GpuSpecification]]:
    """No single call carries both concurrency and autoscaling: PUT takes the one, PATCH the other.

    Source: nvcf-api.md 3.5.
    """
    before = specification_with_defaults(replace(pair.live.specification, key=pair.wanted.key))
    after = specification_with_defaults(pair.wanted)
    between = replace(after, autoscaling_configuration=before.autoscaling_configuration)
    if after.max_request_concurrency != before.max_request_concurrency and between != after:
        yield before, between
        yield between, after
    else:
        yield before, after


def _is_changed(pair: Pairing) -> bool:
    wanted, live = (
        replace(specification_with_defaults(one), key="")
        for one in (pair.wanted, pair.live.specification)
    )
    return wanted != live


def _sum(charges: Iterable[Charge]) -> tuple[Charge, ...]:
    units: Counter[ResourceId] = Counter()
    for charge in charges:
        units[charge.resource] += charge.units
    return tuple(Charge(resource=one, units=units[one]) for one in sorted(units))
