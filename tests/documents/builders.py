"""Sample plans by hand: short to say, with every kind of step, edge, resource and verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from nvcfplan.diagnostics import Diagnostic, Position, Severity, Span, Subject, Verdict
from nvcfplan.model import (
    Address,
    Artifact,
    DesiredFunction,
    DesiredSpecification,
    Digest,
    EnvironmentVariable,
    FunctionConfig,
    FunctionId,
    GpuSpecification,
    Health,
    Json,
    PoolId,
    ResourceId,
    SecretOrigin,
    SecretReference,
    Stack,
    StepId,
    VersionId,
    canonical_json,
    function_address,
)
from nvcfplan.plans import (
    Action,
    After,
    Alternative,
    AlternativeKind,
    AttributeChange,
    AwaitActive,
    AwaitReleased,
    Basis,
    Binding,
    Bound,
    Candidate,
    Change,
    Charge,
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Demand,
    Deploy,
    Edge,
    Edit,
    Fingerprint,
    Funded,
    Grant,
    Infeasible,
    Irreversible,
    Means,
    Order,
    Plan,
    Provenance,
    Reading,
    Resource,
    Reversible,
    Shortage,
    Step,
    Strategy,
    Task,
    Undeploy,
    Unit,
    UpdateDeployment,
    VersionRef,
    step_id,
)

Golden = Callable[[str, str], None]
Make = Callable[[], Plan]
READ_AT = datetime(2026, 3, 2, 9, 29, 30, tzinfo=UTC)
POOL_A = PoolId("nvcf-gcp-prod-asiase1-a", "H100")
POOL_B = PoolId("byoc-cluster-1", "L40S")
H100 = ResourceId(f"pool:{POOL_A}")
L40S = ResourceId(f"pool:{POOL_B}")
QUOTA = ResourceId("quota:H100@GCP-ASIASE1-A")
VERSIONS = ResourceId("limit:versions")


def version(key: str, label: str) -> VersionRef:
    return VersionRef(function_address(key), label)


def specification(
    key: str = "h100", *, gpu: str = "H100", low: int = 1, high: int = 2
) -> GpuSpecification:
    return GpuSpecification(
        key=key,
        gpu=gpu,
        instance_type="a3-highgpu-2g_2x" if gpu == "H100" else "ON-PREM.GPU.L40S_1x",
        min_instances=low,
        max_instances=high,
        backend="GCP-ASIASE1-A" if gpu == "H100" else None,
        clusters=() if gpu == "H100" else ("byoc-cluster-1",),
        max_request_concurrency=8,
    )


def config(key: str, *, tag: str = "2.1.0") -> FunctionConfig:
    return FunctionConfig(
        name=key,
        inference_url="/v1/chat/completions",
        inference_port=8000,
        container_image=f"nvcr.io/acme/{key}:{tag}",
        container_environment=(
            EnvironmentVariable("API_TOKEN", SecretReference("API_TOKEN", SecretOrigin.STACK, key)),
            EnvironmentVariable("LOG_LEVEL", "info"),
        ),
        health=Health(
            protocol="HTTP",
            uri="/v1/health/ready",
            port=8000,
            timeout=timedelta(seconds=10),
            expected_status_code=200,
        ),
        models=(Artifact("llama-3.1", "1.0", "/v2/org/acme/models/llama-3.1/1.0/files"),),
        tags=("team-a",),
    )


def desired(key: str, *, tag: str = "2.1.0", low: int = 1, high: int = 2) -> DesiredFunction:
    wanted = specification(low=low, high=high)
    return DesiredFunction(
        key=key,
        config=config(key, tag=tag),
        managed=("container_image", "deployment", "inference_url", "secrets"),
        secrets=(SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN"),),
        specifications=(
            DesiredSpecification(specification=wanted, managed=("gpu", "max_instances")),
        ),
    )


def resource(
    name: ResourceId,
    *,
    limit: int | None,
    before: int,
    ours: int = 0,
    bound: Bound = Bound.EXACT,
    unit: Unit = Unit.GPUS,
) -> Resource:
    pools = {H100: (POOL_A,), QUOTA: (POOL_A,), L40S: (POOL_B,)}.get(name, ())
    return Resource(
        id=name,
        pools=pools,
        unit=unit,
        bound=bound,
        basis=Basis.MAX if name == QUOTA else Basis.HELD,
        limit=limit,
        before=before,
        ours=ours,
        headroom=0,
        reading=Reading(id="quota" if name == QUOTA else "capacity", source="GET /v2/nvcf/pools"),
    )


def step(
    task: Task,
    address: Address,
    *after: Edge,
    acquire: tuple[Charge, ...] = (),
    release: tuple[Charge, ...] = (),
    undo: Reversible | Irreversible | None = None,
    seconds: int = 5,
) -> Step:
    return Step(
        id=step_id(task),
        address=address,
        task=task,
        depends_on=tuple(sorted(after, key=lambda edge: (edge.step, type(edge).__name__))),
        acquire=acquire,
        release=release,
        undo=undo if undo is not None else Reversible(()),
        expected_seconds=seconds,
        limit_seconds=seconds * 10,
    )


def charges(units: int, resource: ResourceId = H100) -> tuple[Charge, ...]:
    return (Charge(resource=resource, units=units),)


def requires(task: Task) -> After:
    return After(step_id(task), Order.REQUIRES)


def attribute(path: str, before: object, after: object, means: Means) -> AttributeChange:
    return AttributeChange(
        path=path,
        before=None if before is None else canonical_json(before),
        after=None if after is None else canonical_json(after),
        live=None,
        means=means,
        reason="stack-changed",
    )


def plan(
    *functions: DesiredFunction,
    changes: tuple[Change, ...] = (),
    resources: tuple[Resource, ...] = (),
    steps: tuple[Step, ...] = (),
    funding: tuple[Grant, ...] = (),
    bindings: tuple[Binding, ...] = (),
    point_of_no_return: tuple[StepId, ...] = (),
    diagnostics: tuple[Diagnostic, ...] = (),
) -> Plan:
    return Plan(
        account="https://api.nvcf.nvidia.com acme nca-1",
        stack="inference@default",
        desired=Stack(name="inference", environment="default", functions=functions),
        changes=changes,
        resources=resources,
        steps=steps,
        bindings=bindings,
        funding=funding,
        point_of_no_return=point_of_no_return,
        is_proved_minimal=False,
        diagnostics=diagnostics,
        fingerprint=Fingerprint(
            inputs=Digest("sha256:" + "0" * 64),
            lineage="6d2f6b0e",
            serial=7,
            live=(),
            inventory=((H100, Json('{"capacity":8}')),),
        ),
        provenance=Provenance(
            tool_version="0.1.0",
            created_at=datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
            read_at=(("capacity", READ_AT), ("quota", READ_AT)),
            actor="ops@acme",
        ),
    )


def rollout_steps(key: str, *, units: int, is_gap: bool = False) -> tuple[Step, ...]:
    """Create a version, deploy it, retire the old one: create-first, or delete-first."""
    address, old, new = function_address(key), version(key, "old"), version(key, "new")
    create = CreateVersion(new, config(key), ())
    deploy, active = Deploy(new, (specification(),)), AwaitActive(new)
    undeploy, released = Undeploy(old, graceful=True), AwaitReleased(old)
    funded = Funded(step_id(released), H100, units)
    returns = Reversible((Deploy(old, (specification(),)),), charges(units))
    steps = (
        step(create, address, undo=Reversible((DeleteVersion(new),))),
        step(
            deploy,
            address,
            requires(create),
            *((After(step_id(released), Order.DELETE_FIRST), funded) if is_gap else ()),
            acquire=charges(units),
            undo=Reversible((Undeploy(new, graceful=False), AwaitReleased(new))),
        ),
        step(active, address, requires(deploy), seconds=180),
        step(
            undeploy,
            address,
            *(() if is_gap else (After(step_id(active), Order.CREATE_FIRST),)),
            undo=returns,
        ),
        step(released, address, requires(undeploy), release=charges(units), seconds=360),
    )
    return in_order(steps)


def in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """Topological, ties by id."""
    left, made = sorted(steps, key=lambda one: one.id), list[Step]()
    while left:
        done = {one.id for one in made}
        made.append(next(o for o in left if all(edge.step in done for edge in o.depends_on)))
        left.remove(made[-1])
    return tuple(made)


def update(key: str, *attributes: AttributeChange) -> Change:
    return Change(
        address=function_address(key),
        action=Action.UPDATE,
        means=tuple(sorted({one.means for one in attributes})),
        reason="stack-changed",
        attributes=attributes,
    )


def bump(key: str, before: str = "2.0.0", after: str = "2.1.0") -> Change:
    image = f"nvcr.io/acme/{key}"
    return update(
        key,
        attribute("containerImage", f"{image}:{before}", f"{image}:{after}", Means.NEW_VERSION),
    )


def bound(key: str) -> Binding:
    return Binding(
        version=version(key, "old"),
        function_id=FunctionId(f"0000-{key}"),
        version_id=VersionId(f"1111-{key}"),
    )


def rolling() -> Plan:
    """Two image bumps in a pool with room for one more deployment: the second waits."""
    first, second = rollout_steps("chat", units=2), rollout_steps("rerank", units=2)
    gives = step_id(AwaitReleased(version("chat", "old")))
    takes = step_id(Deploy(version("rerank", "new"), ()))
    waiting = tuple(
        replace(one, depends_on=(*one.depends_on, Funded(gives, H100, 2)))
        if one.id == takes
        else one
        for one in second
    )
    return plan(
        desired("chat"),
        desired("rerank"),
        changes=(bump("chat"), bump("rerank")),
        resources=(
            resource(H100, limit=8, before=6, ours=4),
            resource(QUOTA, limit=8, before=8, ours=8, bound=Bound.SUFFICIENT),
        ),
        steps=in_order((*first, *waiting)),
        funding=(
            Grant(
                step=step_id(Deploy(version("chat", "new"), ())),
                resource=H100,
                units=2,
                source=None,
            ),
            Grant(step=takes, resource=H100, units=2, source=gives),
        ),
        bindings=(bound("chat"), bound("rerank")),
    )


def delete_first() -> Plan:
    """One image bump in a full pool: a gap in service, allowed by the stack."""
    made = plan(
        desired("chat"),
        changes=(bump("chat"),),
        resources=(resource(H100, limit=8, before=8, ours=4),),
        steps=rollout_steps("chat", units=4, is_gap=True),
        bindings=(bound("chat"),),
    )
    candidates = (
        Candidate(
            strategy=Strategy.NO_DOWNTIME,
            is_chosen=False,
            refusal="needs 4 more H100 in pool nvcf-gcp-prod-asiase1-a/H100",
        ),
        Candidate(
            strategy=Strategy.NO_EXTRA_GPUS,
            is_chosen=True,
            interrupted=(function_address("chat"),),
            unavailable_seconds=550,
        ),
    )
    demand = (Demand(pool=POOL_A, least=4, most=12, capacity=8),)
    return replace(made, strategies=candidates, demand=demand)


def creating(key: str, *, units: int, pool: ResourceId = H100) -> tuple[Step, ...]:
    address, new = function_address(key), version(key, "new")
    create, deploy = CreateFunction(new, config(key), ()), Deploy(new, (specification(),))
    return (
        step(create, address, acquire=charges(1, VERSIONS)),
        step(
            deploy,
            address,
            requires(create),
            acquire=charges(units, pool),
            undo=Reversible((Undeploy(new, graceful=False), AwaitReleased(new))),
        ),
        step(AwaitActive(new), address, requires(deploy), seconds=240),
    )


def removing(key: str, *, units: int) -> tuple[Step, ...]:
    address, old = function_address(key), version(key, "old")
    undeploy, released, delete = (
        Undeploy(old, graceful=True),
        AwaitReleased(old),
        DeleteVersion(old),
    )
    return (
        step(
            undeploy,
            address,
            undo=Reversible((Deploy(old, (specification(),)),), charges(units)),
        ),
        step(released, address, requires(undeploy), release=charges(units), seconds=360),
        step(
            delete,
            address,
            requires(released),
            undo=Irreversible("a deleted version cannot be made again under its id"),
        ),
    )


def created(key: str) -> Change:
    wanted = desired(key)
    assert wanted.config.container_image is not None
    masked = replace(
        attribute("containerEnvironment.API_TOKEN", None, "(sensitive value)", Means.NEW_VERSION),
        is_sensitive=True,
    )
    return Change(
        address=wanted.address,
        action=Action.CREATE,
        means=(Means.DEPLOYMENT, Means.NEW_VERSION),
        reason="new",
        attributes=(
            masked,
            attribute("containerImage", None, wanted.config.container_image, Means.NEW_VERSION),
            attribute("deployment.specifications.h100.gpu", None, "H100", Means.DEPLOYMENT),
            attribute("deployment.specifications.h100.maxInstances", None, 2, Means.DEPLOYMENT),
            attribute(
                "models.llama-3.1",
                None,
                {"uri": "/v2/org/acme/models/llama-3.1/1.0/files", "version": "1.0"},
                Means.NEW_VERSION,
            ),
            replace(attribute("versionId", None, None, Means.NEW_VERSION), is_unknown=True),
        ),
    )


def deleted(key: str) -> Change:
    return Change(
        address=function_address(key),
        action=Action.DELETE,
        means=(Means.REMOVE,),
        reason="removed-from-stack",
        attributes=(attribute("containerImage", f"nvcr.io/acme/{key}:1.0.0", None, Means.REMOVE),),
    )


def shrinking(key: str, *, units: int) -> tuple[Step, ...]:
    """A specification's maximum lowered: what runs above it is given back."""
    address, old = function_address(key), version(key, "old")
    lower = UpdateDeployment(old, specification(high=1), specification(high=2))
    raise_again = UpdateDeployment(old, specification(high=2), specification(high=1))
    return (
        step(lower, address, undo=Reversible((raise_again,), charges(units))),
        step(AwaitReleased(old), address, requires(lower), release=charges(units), seconds=360),
    )


def heterogeneous() -> Plan:
    """One function added over two pools, one changed in place, one destroyed; every verdict."""
    steps = (
        *creating("embed", units=2, pool=L40S),
        *removing("old-chat", units=4),
        *shrinking("rerank", units=2),
    )
    return plan(
        desired("embed"),
        desired("rerank", high=1),
        changes=(
            created("embed"),
            deleted("old-chat"),
            update(
                "rerank",
                attribute("deployment.specifications.h100.maxInstances", 2, 1, Means.SPECIFICATION),
            ),
        ),
        resources=(
            resource(VERSIONS, limit=500, before=12, ours=3, unit=Unit.VERSIONS),
            resource(L40S, limit=16, before=15, ours=0, bound=Bound.SUFFICIENT),
            resource(H100, limit=8, before=8, ours=6),
            replace(resource(QUOTA, limit=None, before=0), reading=None),
        ),
        steps=in_order(steps),
        bindings=(bound("old-chat"), bound("rerank")),
        point_of_no_return=(step_id(DeleteVersion(version("old-chat", "old"))),),
        diagnostics=(
            Diagnostic(
                code="capacity-landing",
                severity=Severity.WARNING,
                summary="function.embed may land where 1 L40S is free; it needs 2",
                detail="the service picks the cluster: byoc-cluster-1 or np-lax-01",
                remedy="pin `clusters` to one of them",
                subject=Subject(function_address("embed"), "deployment.specifications.h100"),
                verdict=Verdict.AT_RISK,
            ),
            Diagnostic(
                code="quota-not-checked",
                severity=Severity.NOTE,
                summary="the quota of H100 could not be read",
                detail="GET /v2/nvcf/quotas: 403, the scope `list_quotas` is missing",
                remedy="declare it, or use a key with that scope",
                verdict=Verdict.NOT_CHECKED,
            ),
        ),
    )


def nothing_to_do() -> Plan:
    unchanged = replace(bump("chat"), action=Action.NO_OP, attributes=(), means=())
    return plan(desired("chat"), changes=(unchanged,), bindings=(bound("chat"),))


def infeasible() -> Infeasible:
    """A bump that cannot fit: the pool is full and no downtime is allowed."""
    span = Span("stack.yaml", Position(12, 7, 210), Position(12, 22, 225))
    made = plan(
        desired("chat"),
        changes=(bump("chat"),),
        resources=(resource(H100, limit=8, before=8, ours=4),),
        bindings=(bound("chat"),),
        diagnostics=(
            Diagnostic(
                code="capacity-exceeded",
                severity=Severity.ERROR,
                summary="replacing function.chat needs 4 more H100 in nvcf-gcp-prod-asiase1-a",
                detail="8 of 8 are in use: chat 4, others 4; the new version needs 4 beside them",
                remedy="free 4 H100, or accept a gap with `update: {downtime: allowed}`",
                subject=Subject(function_address("chat"), "deployment.specifications.h100"),
                span=span,
                verdict=Verdict.VIOLATION,
            ),
        ),
    )
    shortage = Shortage(
        resource=H100, missing=4, users=(("function.chat", 4), ("other tenants", 4))
    )
    down = Edit(path="functions.chat.update.downtime", value=Json('"allowed"'))
    place = "functions.chat.deployment.specifications.h100"
    alternatives = (
        Alternative(kind=AlternativeKind.RAISE, edits=(Edit(path=H100, value=Json("12")),)),
        Alternative(
            kind=AlternativeKind.DOWNTIME,
            edits=(down,),
            interrupted=(function_address("chat"),),
            unavailable_seconds=970,
        ),
        Alternative(
            kind=AlternativeKind.PLACE,
            edits=(
                Edit(path=f"{place}.clusters", value=Json('["byoc-cluster-1"]')),
                Edit(path=f"{place}.backend", value=None),
            ),
        ),
    )
    return Infeasible(plan=replace(made, alternatives=alternatives), shortages=(shortage,))
