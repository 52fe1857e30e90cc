"""Small plans by hand, in the planner's manner, and the service as it is before them."""

from __future__ import annotations

import pickle
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from nvcfplan.applying import ApplySettings, PlanCodec, RunContext
from nvcfplan.model import (
    DesiredFunction,
    DesiredSpecification,
    Digest,
    FunctionConfig,
    FunctionId,
    GpuSpecification,
    Metadata,
    OnDrainTimeout,
    PoolId,
    ResourceId,
    RunId,
    SecretOrigin,
    SecretReference,
    Stack,
    StepId,
    VersionId,
    digest_of,
    function_address,
)
from nvcfplan.plans import (
    After,
    AwaitActive,
    AwaitReleased,
    Basis,
    Binding,
    Bound,
    Charge,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Drain,
    Edge,
    Fingerprint,
    Funded,
    Grant,
    Irreversible,
    Order,
    Plan,
    Probe,
    Provenance,
    Resource,
    Reversible,
    SetAuthorizations,
    SetSecrets,
    Step,
    Task,
    Undeploy,
    Unit,
    UpdateDeployment,
    UpdateMetadata,
    VersionRef,
    step_id,
)
from tests.applying.service import Service

POOL = PoolId("east", "H100")
H100 = ResourceId(f"pool:{POOL}")
NOW = datetime(2026, 7, 1, tzinfo=UTC)
RUN = RunContext(run=RunId("run-1"), lineage="l", serial=3, epoch=1, tool_version="0", at=NOW)
SETTINGS = ApplySettings()


class MemoryCodec(PlanCodec):
    """Plans are plain values, so bytes of them need no format here."""

    def encode(self, plan: Plan) -> bytes:
        return pickle.dumps(plan)

    def decode(self, document: bytes) -> Plan:
        plan = pickle.loads(document)
        assert isinstance(plan, Plan)
        return plan

    def digest(self, plan: Plan) -> Digest:
        return digest_of(repr(plan))


CODEC = MemoryCodec()


def spec(*, low: int = 1, high: int = 4, size: int = 1, key: str = "h100") -> GpuSpecification:
    return GpuSpecification(
        key=key,
        gpu="H100",
        instance_type=f"H100_{size}x",
        min_instances=low,
        max_instances=high,
        clusters=("east",),
    )


def config(key: str, *, tag: str = "1") -> FunctionConfig:
    return FunctionConfig(name=key, inference_url="/v1", container_image=f"image:{tag}")


def ref(key: str, label: str) -> VersionRef:
    return VersionRef(function_address(key), label)


def charge(units: int) -> tuple[Charge, ...]:
    return (Charge(resource=H100, units=units),) if units else ()


def units(*specifications: GpuSpecification) -> int:
    return sum(
        one.min_instances * int(one.instance_type.rpartition("_")[2][:-1]) for one in specifications
    )


def step(
    task: Task,
    *before: Step,
    undo: Sequence[Task] | str = (),
    needs: int = 0,
    acquire: int = 0,
    release: int = 0,
    limit: int = 0,
) -> Step:
    """`undo` as text: why it cannot be undone."""
    address = function_address("x") if isinstance(task, Probe) else task.version.address
    back = Irreversible(undo) if isinstance(undo, str) else Reversible(tuple(undo), charge(needs))
    return Step(
        id=step_id(task),
        address=address,
        task=task,
        depends_on=tuple(After(one.id, Order.REQUIRES) for one in sorted(before, key=_by_id)),
        acquire=charge(acquire),
        release=charge(release),
        undo=back,
        expected_seconds=3,
        limit_seconds=limit,
    )


def after(one: Step, *before: Step) -> Step:
    """Waits for those as well."""
    edges = {After(each.id, Order.REQUIRES) for each in before} | set(one.depends_on)
    return replace(one, depends_on=tuple(sorted(edges, key=lambda edge: edge.step)))


def _by_id(one: Step) -> str:
    return one.id


def created(key: str, specification: GpuSpecification, *after: Step) -> tuple[Step, ...]:
    """A new function: create, deploy, active."""
    new = ref(key, "new")
    create = step(CreateFunction(new, config(key), ()), undo=[DeleteVersion(new)])
    return (create, *_deployed(new, specification, create, *after))


def rolled(key: str, old: GpuSpecification, new: GpuSpecification) -> tuple[Step, ...]:
    """Create-first: the new version serves before the old one goes."""
    fresh = ref(key, "new")
    create = step(CreateVersion(fresh, config(key, tag="2"), ()), undo=[DeleteVersion(fresh)])
    deployed = _deployed(fresh, new, create)
    return (create, *deployed, *_retired(ref(key, "old"), old, deployed[-1]))


def swapped(key: str, old: GpuSpecification, new: GpuSpecification) -> tuple[Step, ...]:
    """Delete-first: the old version's GPUs pay for the new one."""
    fresh = ref(key, "new")
    create = step(CreateVersion(fresh, config(key, tag="2"), ()), undo=[DeleteVersion(fresh)])
    retired = _retired(ref(key, "old"), old, create)
    deployed = _deployed(fresh, new, create, retired[-1])
    paid = Funded(retired[-1].id, H100, min(units(old), units(new)))
    edges: tuple[Edge, ...] = (After(create.id, Order.REQUIRES), paid)
    return (create, *retired, replace(deployed[0], depends_on=edges), deployed[1])


def scaled(key: str, before: GpuSpecification, then: GpuSpecification) -> tuple[Step, ...]:
    """In place: one specification's bounds, and the wait for what grew or shrank."""
    old = ref(key, "old")
    grown = max(units(then) - units(before), 0)
    shrunk = max(before.min_instances - then.max_instances, 0)
    update = step(
        UpdateDeployment(old, then, before),
        undo=[UpdateDeployment(old, before, then)],
        acquire=grown,
        needs=shrunk,
    )
    waits: tuple[Step, ...] = (step(AwaitActive(old), update),) if grown else ()
    if then.max_instances < before.max_instances:
        waits = (*waits, step(AwaitReleased(old), (*waits, update)[-1], release=shrunk))
    return (update, *waits)


def retagged(key: str, *tags: str) -> tuple[Step, ...]:
    old = ref(key, "old")
    task = UpdateMetadata(old, Metadata(tags=tags))
    return (step(task, undo=[UpdateMetadata(old, Metadata(tags=("before",)))]),)


def reshared(key: str, *parties: str) -> tuple[Step, ...]:
    """Nobody might call it before."""
    old = ref(key, "old")
    return (step(SetAuthorizations(old, parties), undo=[SetAuthorizations(old, ())]),)


def rekeyed(key: str, *names: str) -> tuple[Step, ...]:
    """Secrets of these names are set, new ones or new values of old ones."""
    sent = tuple(
        SecretReference(name=one, origin=SecretOrigin.ENV, locator=one.upper()) for one in names
    )
    task = SetSecrets(ref(key, "old"), sent)
    return (step(task, undo="the service never shows the values it had"),)


def removed(key: str, old: GpuSpecification) -> tuple[Step, ...]:
    gone = ref(key, "old")
    retired = _retired(gone, old)
    return (*retired, step(DeleteVersion(gone), retired[-1], undo="it does not come back"))


def _deployed(
    version: VersionRef, specification: GpuSpecification, *after: Step
) -> tuple[Step, Step]:
    deploy = step(
        Deploy(version, (specification,)),
        *after,
        undo=[Undeploy(version, graceful=False), AwaitReleased(version)],
        acquire=units(specification),
    )
    return (deploy, step(AwaitActive(version), deploy))


def _retired(version: VersionRef, before: GpuSpecification, *after: Step) -> tuple[Step, Step]:
    undeploy = step(
        Undeploy(version, graceful=True),
        *after,
        undo=[Deploy(version, (before,)), AwaitActive(version)],
        needs=units(before),
    )
    drain = Drain(900, OnDrainTimeout.FAIL)
    return (undeploy, step(AwaitReleased(version, drain), undeploy, release=units(before)))


@dataclass
class Case:
    """A plan and the service it is made for. `old` functions have one version, deployed."""

    capacity: int
    parts: Sequence[tuple[Step, ...]]
    old: dict[str, GpuSpecification] = field(default_factory=dict)
    limit: int = 100

    def service(self) -> Service:
        made = Service(capacity={POOL: self.capacity})
        for key, specification in self.old.items():
            before = replace(config(key), tags=("before",))
            made.add(f"f-{key}", f"v-{key}", before, specification)
        return made

    @property
    def plan(self) -> Plan:
        steps = _in_order([one for part in self.parts for one in part])
        used = sum(units(one) for one in self.old.values())
        return Plan(
            account="http://fake",
            stack="demo@default",
            desired=Stack(
                name="demo", environment="default", functions=tuple(_desired(self._keys(steps)))
            ),
            changes=(),
            resources=(
                Resource(
                    id=H100,
                    pools=(POOL,),
                    unit=Unit.GPUS,
                    bound=Bound.EXACT,
                    basis=Basis.HELD,
                    limit=self.capacity,
                    before=used,
                    ours=used,
                    headroom=0,
                    reading=None,
                ),
            ),
            steps=steps,
            bindings=tuple(
                Binding(
                    version=ref(key, "old"),
                    function_id=FunctionId(f"f-{key}"),
                    version_id=VersionId(f"v-{key}"),
                )
                for key in sorted(self.old)
            ),
            funding=tuple(_grants(steps)),
            point_of_no_return=(),
            is_proved_minimal=False,
            diagnostics=(),
            fingerprint=Fingerprint(
                inputs=digest_of("inputs"), lineage="l", serial=3, live=(), inventory=()
            ),
            provenance=Provenance(
                tool_version="0",
                created_at=datetime(2026, 1, 1, tzinfo=UTC),
                read_at=(),
                actor="me",
            ),
        )

    def _keys(self, steps: Iterable[Step]) -> list[str]:
        return sorted({one.address.split(".")[1] for one in steps})


def _desired(keys: Iterable[str]) -> Iterable[DesiredFunction]:
    return (
        DesiredFunction(
            key=key,
            config=config(key, tag="2"),
            managed=("container_image", "deployment"),
            specifications=(DesiredSpecification(specification=spec(), managed=("gpu",)),),
        )
        for key in keys
    )


def _in_order(steps: Sequence[Step]) -> tuple[Step, ...]:
    left, done, ordered = sorted(steps, key=_by_id), set[StepId](), []
    while left:
        one = next(one for one in left if {edge.step for edge in one.depends_on} <= done)
        left.remove(one)
        done.add(one.id)
        ordered.append(one)
    return tuple(ordered)


def _grants(steps: Sequence[Step]) -> Iterable[Grant]:
    for one in steps:
        paid = {edge.step: edge.units for edge in one.depends_on if isinstance(edge, Funded)}
        for wanted in one.acquire:
            for source, count in paid.items():
                yield Grant(step=one.id, resource=wanted.resource, units=count, source=source)
            left = wanted.units - sum(paid.values())
            if left:
                yield Grant(step=one.id, resource=wanted.resource, units=left, source=None)
