"""Whether a saved plan still holds: pre-images equal, inventory rows there, capacity proved again.

Numbers may move as long as the proof holds with the fresh ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.capacity import Involved, find_limits
from nvcfplan.differences import conceal, find_owned, has_row
from nvcfplan.errors import Moved
from nvcfplan.model import (
    Account,
    GpuSpecification,
    Json,
    LiveFunction,
    LiveVersion,
    ResourceId,
    State,
    VersionId,
    parse_json,
)
from nvcfplan.planning.fingerprints import image_of, inventory_row
from nvcfplan.plans import Deploy, Plan, PreImage, Resource, Shortage, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MISSING = Json('"not there"')


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """`moved`: fields that are not what the plan saw. `shortages`: what no longer proves."""

    moved: tuple[Moved, ...]
    shortages: tuple[Shortage, ...]

    @property
    def is_fresh(self) -> bool:
        return not self.moved and not self.shortages


def check_freshness(
    plan: Plan, account: Account, live: Sequence[LiveFunction], state: State | None
) -> Freshness:
    """A moved serial alone is no reason: the pre-images tell. Another lineage is."""
    name, _, environment = plan.stack.partition("@")
    holdings = conceal(find_owned(name, environment, live, state), plan.desired)
    versions = {
        version.version_id: version
        for owned in holdings.owned.values()
        for version in owned.versions
    }
    moved = [*_lineage(plan, state)]
    for image in plan.fingerprint.live:
        moved += _moved_fields(image, versions)
    moved += _new_functions(plan, tuple(holdings.owned))
    ours = [one for one in versions.values() if has_row(one)]
    others = [
        version
        for function in live
        for version in function.versions
        if version.is_deployed and version.version_id not in versions
    ]
    involved = Involved(wanted=_wanted(plan), ours=tuple(ours), others=tuple(others))
    fresh = {one.id: one for one in find_limits(account, involved).resources}
    moved += _inventory(plan, account, fresh)
    return Freshness(moved=tuple(moved), shortages=tuple(_unproved(plan, fresh)))


def _lineage(plan: Plan, state: State | None) -> Iterator[Moved]:
    lineage = state.lineage if state else ""
    if plan.fingerprint.lineage and lineage != plan.fingerprint.lineage:
        yield Moved(
            address=plan.stack,
            field="state lineage",
            planned=plan.fingerprint.lineage,
            found=lineage or "no state",
        )


def _moved_fields(image: PreImage, versions: Mapping[VersionId, LiveVersion]) -> Iterator[Moved]:
    version = versions.get(image.version)
    if version is None:
        yield Moved(
            address=image.address, field="version", planned=image.version, found="not there"
        )
        return
    planned, found = (_fields(text) for text in (image.fields, image_of(version)))
    for field in sorted(planned.keys() | found.keys()):
        before, after = planned.get(field, "absent"), found.get(field, "absent")
        if before != after:
            yield Moved(address=image.address, field=field, planned=str(before), found=str(after))


def _fields(text: Json) -> dict[str, object]:
    fields = parse_json(text)
    assert isinstance(fields, dict), "an image is an object"
    return fields


def _new_functions(plan: Plan, keys: Sequence[str]) -> Iterator[Moved]:
    """A function of ours that the plan did not see: an earlier run, or a late arrival."""
    seen = {image.address for image in plan.fingerprint.live}
    created = {one.address for one in plan.changes} - seen
    for key in keys:
        address = next((one for one in created if one.endswith(f".{key}")), None)
        if address is not None:
            yield Moved(address=address, field="function", planned="not there", found="there")


def _wanted(plan: Plan) -> tuple[GpuSpecification, ...]:
    found: set[GpuSpecification] = set()
    for step in plan.steps:
        match step.task:
            case Deploy(specifications=specifications):
                found.update(specifications)
            case UpdateDeployment(specification=specification):
                found.add(specification)
            case _:
                pass
    return tuple(sorted(found, key=repr))


def _inventory(
    plan: Plan, account: Account, fresh: Mapping[ResourceId, Resource]
) -> Iterator[Moved]:
    """Only rows of resources that a step takes of: others may come and go."""
    used = {charge.resource for step in plan.steps for charge in step.acquire}
    for name, row in plan.fingerprint.inventory:
        if name in used:
            now = inventory_row(fresh[name], account) if name in fresh else MISSING
            if now != row:
                yield Moved(address=str(name), field="inventory", planned=row, found=now)


def _unproved(plan: Plan, fresh: Mapping[ResourceId, Resource]) -> Iterator[Shortage]:
    """Units the plan takes as free at the start must be free now."""
    needed: Counter[ResourceId] = Counter()
    for grant in plan.funding:
        if grant.source is None:
            needed[grant.resource] += grant.units
    for name, units in sorted(needed.items()):
        now = fresh.get(name)
        if now is None or now.limit is None:
            continue
        missing = units - (now.limit - now.before - now.headroom)
        if missing > 0:
            users = (("others (running)", now.before - now.ours), ("this stack", now.ours))
            yield Shortage(resource=name, missing=missing, users=users)
