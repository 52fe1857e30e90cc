"""What a plan says of itself, laid out for questions: what it saw, and what comes before what.

Read from the plan's value alone: its fingerprint, bindings, steps and stack.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeVar

from nvcfplan.model import (
    Address,
    DesiredFunction,
    GpuSpecificationId,
    Status,
    StepId,
    VersionId,
    parse_json,
)
from nvcfplan.plans import Change, Failed, Plan, PreImage, Probe, Step, Task, VersionRef

if TYPE_CHECKING:
    from collections.abc import Iterator

OLD: Final = "old"
NEW: Final = "new"
BOUNCE: Final = "bounce"
"""A version that lives only while the function moves."""

TaskT = TypeVar("TaskT", bound=Task)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A live version as the fingerprint shows it. `rows`: the specifications it is deployed with.

    `is_current`: it carries the function. `is_late`: nobody waits for it. `failed`: it is only
    looked at. `running`: instances by specification.
    """

    version: VersionId
    status: str
    rows: int
    is_current: bool
    is_late: bool
    failed: Failed | None
    running: Mapping[GpuSpecificationId, int]

    @property
    def is_deployed(self) -> bool:
        return self.status != Status.INACTIVE

    @property
    def has_row(self) -> bool:
        """Also of one that is INACTIVE and still drains."""
        return self.is_deployed or self.rows > 0

    @property
    def may_serve(self) -> bool:
        return self.status not in (Status.INACTIVE, Status.ERROR)


@dataclass(frozen=True, slots=True)
class Ancestry:
    """All that must have ended before a step starts, as one bit per step: fleets have thousands."""

    places: Mapping[StepId, int]
    masks: Sequence[int]

    def precedes(self, first: StepId, second: StepId) -> bool:
        """`first` has ended whenever `second` starts."""
        place = self.places.get(first)
        return place is not None and bool(self.masks[self.places[second]] >> place & 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One function: what changes, what is wanted (None: it goes), what was seen, what is done."""

    change: Change
    desired: DesiredFunction | None
    seen: tuple[Seen, ...]
    steps: tuple[Step, ...]

    @property
    def current(self) -> Seen | None:
        return next((one for one in self.seen if one.is_current), None)

    def ref(self, label: str) -> VersionRef:
        return VersionRef(self.change.address, label)

    def ref_of(self, seen: Seen) -> VersionRef:
        return self.ref(OLD if seen.is_current else seen.version)

    def steps_of(self, kind: type[Task], version: VersionRef) -> tuple[Step, ...]:
        return tuple(
            one
            for one in self.steps
            if isinstance(one.task, kind) and version_of(one.task) == version
        )

    def tasks(self, kind: type[TaskT], version: VersionRef) -> tuple[TaskT, ...]:
        return tuple(
            one.task
            for one in self.steps
            if isinstance(one.task, kind) and version_of(one.task) == version
        )

    def has(self, kind: type[Task], version: VersionRef) -> bool:
        return bool(self.steps_of(kind, version))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    plan: Plan
    order: Ancestry
    seen: Mapping[Address, tuple[Seen, ...]]
    desired: Mapping[Address, DesiredFunction]
    steps: Mapping[Address, tuple[Step, ...]]
    bound: Mapping[VersionRef, VersionId]

    def cases(self) -> Iterator[Case]:
        for change in self.plan.changes:
            yield Case(
                change=change,
                desired=self.desired.get(change.address),
                seen=self.seen.get(change.address, ()),
                steps=self.steps.get(change.address, ()),
            )

    def seen_as(self, version: VersionRef) -> Seen | None:
        """None: it is still to come, or the plan did not look at it."""
        wanted = self.bound.get(version)
        return next((o for o in self.seen.get(version.address, ()) if o.version == wanted), None)


def gather(plan: Plan) -> Evidence:
    """The steps stand after all they wait for."""
    seen: dict[Address, list[Seen]] = {}
    for image in plan.fingerprint.live:
        seen.setdefault(image.address, []).append(_seen(image))
    steps: dict[Address, list[Step]] = {}
    for step in plan.steps:
        steps.setdefault(step.address, []).append(step)
    return Evidence(
        plan=plan,
        order=ancestry(plan.steps),
        seen={address: tuple(some) for address, some in seen.items()},
        desired={one.address: one for one in plan.desired.functions},
        steps={address: tuple(some) for address, some in steps.items()},
        bound={o.version: o.version_id for o in plan.bindings if o.version_id is not None},
    )


def version_of(task: Task) -> VersionRef | None:
    return None if isinstance(task, Probe) else task.version


def ancestry(steps: Sequence[Step]) -> Ancestry:
    places = {step.id: place for place, step in enumerate(steps)}
    masks: list[int] = []
    for step in steps:
        mask = 0
        for source in {edge.step for edge in step.depends_on}:
            mask |= masks[places[source]] | 1 << places[source]
        masks.append(mask)
    return Ancestry(places, masks)


def _seen(image: PreImage) -> Seen:
    fields = parse_json(image.fields)
    known = fields if isinstance(fields, dict) else {}
    rows = known.get("deployment.specifications", [])
    return Seen(
        version=image.version,
        status=str(known.get("status", Status.UNKNOWN)),
        rows=len(rows) if isinstance(rows, list) else 0,
        is_current=image.is_current,
        is_late=image.late is not None,
        failed=image.failed,
        running=dict(image.running),
    )
