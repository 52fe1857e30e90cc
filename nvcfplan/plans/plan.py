"""The plan: what is wanted, what was seen, what will be done in which order, and why that fits.

It survives being saved, compared and shown, and carries all that the ladder, the rollback and
`verify` need. Times stand in `provenance`, which no digest covers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from nvcfplan.diagnostics import Diagnostic
from nvcfplan.model import (
    Address,
    Digest,
    FunctionId,
    GpuSpecificationId,
    Json,
    OperationId,
    PoolId,
    ResourceId,
    Stack,
    StepId,
    VersionId,
)
from nvcfplan.plans.changes import Change
from nvcfplan.plans.resources import Charge, Resource
from nvcfplan.plans.steps import Step, VersionRef


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Where `units` that `step` acquires come from. `source` None: free at the start."""

    step: StepId
    resource: ResourceId
    units: int
    source: StepId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """Where what a step takes for one specification, named by its key, may land: the service picks.

    `units`: GPUs in all, `gpus_each` of them for an instance. `is_pinned`: to one of the pools,
    before anybody looks for room there. Source: nvcf-api.md 8.2.
    """

    step: StepId
    specification: str
    pools: tuple[PoolId, ...]
    gpus_each: int
    units: int
    is_pinned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """`version_id` None: the function is known, the version still to come."""

    version: VersionRef
    function_id: FunctionId
    version_id: VersionId | None


class Failed(StrEnum):
    """Of a version that failed. OVER: it was kept for long enough."""

    KEPT = "kept"
    OVER = "over"


@dataclass(frozen=True, slots=True, kw_only=True)
class PreImage:
    """What a touched version was when the plan was made, so that a refusal names the field.

    Of a version that no step touches only its status. `is_current`: it carried the function.
    `running`: instances by specification, as counted then; they move by themselves, so a plan is
    not stale for them. `late`: the call that made it, where nobody waits for that any more.
    `failed`: it failed, and is kept only to be looked at. `is_returning`: it was kept, and carries
    the function again after this plan, in place of the one that did.
    """

    address: Address
    function: FunctionId
    version: VersionId
    fields: Json
    is_current: bool = False
    running: tuple[tuple[GpuSpecificationId, int], ...] = ()
    late: OperationId | None = None
    failed: Failed | None = None
    is_returning: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Fingerprint:
    """`inventory`: the rows relied on, by resource.

    Not in `live[].fields`: instance counts, times, healthy-to-degraded and back.
    """

    inputs: Digest
    lineage: str
    serial: int
    live: tuple[PreImage, ...]
    inventory: tuple[tuple[ResourceId, Json], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Outside the digest. `read_at` is keyed by reading id."""

    tool_version: str
    created_at: datetime
    read_at: tuple[tuple[str, datetime], ...]
    actor: str
    root: str = ""
    """The directory of the stack's files, where sensitive literals can be found again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """GPUs of a pool that the stack holds with its minima, and may hold with its maxima.

    So many GPU-hours an hour, too. `capacity` None: not known.
    """

    pool: PoolId
    least: int
    most: int
    capacity: int | None


class Strategy(StrEnum):
    """What gives way where a replacement does not fit beside what it replaces."""

    AUTO = "auto"
    NO_DOWNTIME = "no-downtime"
    NO_EXTRA_GPUS = "no-extra-gpus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What a strategy costs. `refusal`: why it cannot be had; empty: it can.

    `interrupted`: who is down meanwhile, `unavailable_seconds` in all. `extra`: units at the peak
    beyond what is used before and after.
    """

    strategy: Strategy
    is_chosen: bool
    interrupted: tuple[Address, ...] = ()
    unavailable_seconds: int = 0
    extra: tuple[Charge, ...] = ()
    refusal: str = ""


class AlternativeKind(StrEnum):
    RAISE = "raise-limit"
    DOWNTIME = "allow-downtime"
    STEPPED = "replace-in-steps"
    BOUNCE = "bounce-placement"
    PLACE = "place-elsewhere"
    PIN = "pin-clusters"
    LOWER = "lower-minimum"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """`path`: of a key in the stack's files, or a pool or quota; `value` None: without that key."""

    path: str
    value: Json | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alternative:
    """What would make a plan fit, all edits together: it was planned and proved with them.

    `interrupted`: who would be down meanwhile, `unavailable_seconds` in all.
    """

    kind: AlternativeKind
    edits: tuple[Edit, ...]
    interrupted: tuple[Address, ...] = ()
    unavailable_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Steps in topological order, ties by id.

    Law: grants per (step, resource) add up to its acquire; every source is an ancestor; no released
    unit is granted twice. `proving` re-checks that, and the end state, from this value alone.
    `desired` and all step configurations are sealed: they hold secret references, never values.
    `placements`: of every specification that gets GPUs, by step and key. `demand`: of the
    whole stack as wanted, by pool. `strategies` and `alternatives`: what other plans would have
    cost; nothing in this one rests on them.
    """

    account: str
    stack: str
    desired: Stack
    changes: tuple[Change, ...]
    resources: tuple[Resource, ...]
    steps: tuple[Step, ...]
    bindings: tuple[Binding, ...]
    funding: tuple[Grant, ...]
    point_of_no_return: tuple[StepId, ...]
    is_proved_minimal: bool
    diagnostics: tuple[Diagnostic, ...]
    fingerprint: Fingerprint
    provenance: Provenance
    placements: tuple[Placed, ...] = ()
    demand: tuple[Demand, ...] = ()
    strategies: tuple[Candidate, ...] = ()
    alternatives: tuple[Alternative, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Shortage:
    """`missing` more units than `resource` has would be needed; `users` by what each holds."""

    resource: ResourceId
    missing: int
    users: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Infeasible:
    """No order fits. `plan` has no steps, all changes, and the errors among its diagnostics."""

    plan: Plan
    shortages: tuple[Shortage, ...]
