"""Whether a saved plan still holds: pre-images equal, inventory rows there, capacity proved again.

Numbers may move as long as the proof holds with the fresh ones; so may all that no step touches.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.capacity import Involved, contains, find_limits, place, with_declared
from nvcfplan.differences import Holdings, OwnedFunction, conceal, find_owned, has_row
from nvcfplan.errors import READING, Moved
from nvcfplan.model import (
    Account,
    Address,
    GpuSpecification,
    Json,
    LiveFunction,
    LiveVersion,
    PoolId,
    ResourceId,
    State,
    Status,
    VersionId,
    function_key,
    parse_json,
)
from nvcfplan.planning.fingerprints import (
    ROWS,
    SECRETS,
    STANDING,
    image_of,
    inventory_row,
    returning_in,
    sharing_of,
    standing_of,
)
from nvcfplan.planning.refunding import find_lost_units
from nvcfplan.plans import (
    Action,
    Basis,
    Deploy,
    Plan,
    PreImage,
    Resource,
    Shortage,
    Unit,
    UpdateDeployment,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence


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
    holdings = _holdings(plan, live, state)
    versions = {
        version.version_id: version
        for owned in holdings.owned.values()
        for version in owned.versions
    }
    declared = with_declared(account, plan.desired.quotas)
    limits = find_limits(declared, involved_in(plan, live, holdings))
    unread = tuple(_unread(plan, account, {one.id: one for one in limits.resources}))
    moved = (
        *_lineage(plan, state),
        *_versions(plan, holdings),
        *_rows(plan, versions),
        *_new_functions(plan, holdings),
        *unread,
        *_inventory(plan, account),
    )
    return Freshness(moved=moved, shortages=find_lost_units(plan, limits, versions))


def find_moved(
    plan: Plan,
    live: Sequence[LiveFunction],
    state: State | None,
    addresses: Collection[Address],
) -> tuple[Moved, ...]:
    """Of these functions alone, what is not as the plan saw it."""
    holdings = _holdings(plan, live, state)
    found = (*_versions(plan, holdings), *_new_functions(plan, holdings))
    return tuple(one for one in found if one.address in addresses)


def _holdings(plan: Plan, live: Sequence[LiveFunction], state: State | None) -> Holdings:
    name, _, environment = plan.stack.partition("@")
    returning = returning_in(plan)
    found = find_owned(name, environment, live, state, returning=returning)
    return conceal(found, plan.desired)


def involved_in(plan: Plan, live: Sequence[LiveFunction], holdings: Holdings) -> Involved:
    ours = [version for owned in holdings.owned.values() for version in owned.versions]
    known = {version.version_id for version in ours}
    return Involved(
        wanted=_wanted(plan),
        ours=tuple(one for one in ours if has_row(one)),
        others=tuple(
            version
            for function in live
            for version in function.versions
            if version.is_deployed and version.version_id not in known
        ),
    )


def _lineage(plan: Plan, state: State | None) -> Iterator[Moved]:
    lineage = state.lineage if state else ""
    if plan.fingerprint.lineage and lineage != plan.fingerprint.lineage:
        yield Moved(
            address=plan.stack,
            field="state lineage",
            planned=plan.fingerprint.lineage,
            found=lineage or "no state",
        )


def _versions(plan: Plan, holdings: Holdings) -> Iterator[Moved]:
    """Of every function that changes, all versions of ours: come, gone, or not as they were."""
    images: dict[Address, list[PreImage]] = {}
    for image in plan.fingerprint.live:
        images.setdefault(image.address, []).append(image)
    for address, some in images.items():
        owned = holdings.owned.get(function_key(address))
        found = {one.version_id: one for one in owned.versions} if owned else {}
        for image in some:
            version = found.pop(image.version, None)
            if version is None or owned is None:
                yield Moved(
                    address=address, field="version", planned=image.version, found="not there"
                )
            else:
                yield from _moved_fields(image, version, owned)
                yield from _moved_current(image, owned)
        for appeared in found:
            yield Moved(address=address, field="version", planned="not there", found=appeared)


def _moved_fields(image: PreImage, version: LiveVersion, owned: OwnedFunction) -> Iterator[Moved]:
    planned = _fields(image.fields)
    is_whole = planned.keys() != STANDING
    whole = image_of(version, sharing_of(version, owned))
    found = _fields(whole if is_whole else standing_of(version))
    is_stored = planned.get("status") == found.get("status") == Status.INACTIVE
    has_drained = {ROWS} if is_stored and not found.get(ROWS) else set[str]()
    unread = {SECRETS} - planned.keys()  # names not read are not known to be none
    for field in sorted((planned.keys() | found.keys()) - has_drained - unread):
        before, after = planned.get(field, "absent"), found.get(field, "absent")
        if before != after:
            yield Moved(address=image.address, field=field, planned=str(before), found=str(after))


def _moved_current(image: PreImage, owned: OwnedFunction) -> Iterator[Moved]:
    """Which version carries the function also hangs on what the state remembers."""
    if image.is_current and owned.current.version_id != image.version:
        yield Moved(
            address=image.address,
            field="current version",
            planned=image.version,
            found=owned.current.version_id,
        )


def _rows(plan: Plan, versions: Mapping[VersionId, LiveVersion]) -> Iterator[Moved]:
    """An update means one row by its id; a deployment that looks the same may be another."""
    bound = {one.version: one.version_id for one in plan.bindings}
    for step in plan.steps:
        if isinstance(step.task, UpdateDeployment) and step.task.row is not None:
            version = versions.get(bound.get(step.task.version) or VersionId(""))
            rows = version.deployment.specifications if version and version.deployment else ()
            if step.task.row not in {one.id for one in rows}:
                yield Moved(
                    address=step.address,
                    field=f"specification {step.task.specification.key}",
                    planned=step.task.row,
                    found="not there",
                )


def _fields(text: Json) -> dict[str, object]:
    fields = parse_json(text)
    assert isinstance(fields, dict), "an image is an object"
    return fields


def _new_functions(plan: Plan, holdings: Holdings) -> Iterator[Moved]:
    """A function of ours that the plan did not see: an earlier run, or a late arrival."""
    for change in plan.changes:
        if change.action is Action.CREATE and function_key(change.address) in holdings.owned:
            yield Moved(
                address=change.address, field="function", planned="not there", found="there"
            )
    touched = {image.address for image in plan.fingerprint.live}
    for found in holdings.diagnostics:
        if found.subject is not None and found.subject.address in touched:
            yield Moved(
                address=found.subject.address,
                field="function",
                planned="one",
                found=found.summary,
            )


def _wanted(plan: Plan) -> tuple[GpuSpecification, ...]:
    """What steps take units for. Where an old version only shrinks nothing is wanted."""
    found: set[GpuSpecification] = set()
    for step in plan.steps:
        match step.task:
            case Deploy(specifications=specifications):
                found.update(specifications)
            case UpdateDeployment(specification=specification) if step.acquire:
                found.add(specification)
            case _:
                pass
    return tuple(sorted(found, key=repr))


def _used(plan: Plan) -> tuple[Resource, ...]:
    """The resources that a step takes of: others may come and go."""
    used = {charge.resource for step in plan.steps for charge in step.acquire}
    return tuple(one for one in plan.resources if one.id in used)


def _unread(plan: Plan, account: Account, fresh: Mapping[ResourceId, Resource]) -> Iterator[Moved]:
    """What was proved by a reading needs that reading again; numbers nobody sees prove nothing."""
    reasons = {one.what.value: one.reason for one in account.unread}
    for one in _used(plan):
        if one.limit is None or not _is_unread(one, account, fresh.get(one.id)):
            continue
        reading = one.reading.id if one.reading else "capacity"
        yield Moved(
            address=one.id,
            field=f"{reading}{READING}",
            planned="read",
            found=reasons.get(reading, "not known"),
        )


def _is_unread(one: Resource, account: Account, fresh: Resource | None) -> bool:
    """A quota that is gone limits nothing any more; a pool that is gone is told by its row."""
    if fresh is not None:
        return fresh.limit is None
    if one.unit is Unit.VERSIONS:
        return account.version_limit is None
    return account.quotas is None if one.basis is not Basis.HELD else account.clusters is None


def _inventory(plan: Plan, account: Account) -> Iterator[Moved]:
    """Each type asked for is offered still where the plan saw it; other types come and go."""
    if account.clusters is None:
        return
    wanted = _wanted(plan)
    lost = sorted({one for row in _used(plan) for one in _lost(plan, row, account, wanted)})
    yield from (
        Moved(address=f"pool:{pool}", field="instance type", planned=name, found="not offered")
        for pool, name in lost
    )
    told = {name for _, name in lost}
    for one in wanted:
        was_offered = any(_offered(plan, row, one) for row in plan.resources)
        if was_offered and one.instance_type not in told and not place(one, account).pools:
            yield Moved(
                address=f"{one.gpu} {one.instance_type}",
                field="placement",
                planned="offered",
                found="no cluster matches",
            )


def _lost(
    plan: Plan, row: Resource, account: Account, wanted: Sequence[GpuSpecification]
) -> Iterator[tuple[PoolId, str]]:
    now = _fields(inventory_row(row, account))
    for one in wanted:
        for pool in _offered(plan, row, one):
            offered = now[str(pool)]
            if isinstance(offered, list) and not contains(offered, one.instance_type):
                yield pool, one.instance_type


def _offered(plan: Plan, row: Resource, wanted: GpuSpecification) -> tuple[PoolId, ...]:
    """The pools of a resource that had the wanted type when the plan was made."""
    planned = _fields(dict(plan.fingerprint.inventory).get(row.id, Json("{}")))
    return tuple(
        pool
        for pool in row.pools
        if pool.gpu.casefold() == wanted.gpu.casefold()
        for offered in (planned.get(str(pool)),)
        if isinstance(offered, list) and contains(offered, wanted.instance_type)
    )
