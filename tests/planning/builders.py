"""Short builders: an account with pools, functions wanted, and versions that run."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from nvcfplan.model import (
    Account,
    AccountIdentity,
    Cluster,
    ClusterGroup,
    DeclaredQuota,
    DeploymentId,
    DesiredFunction,
    DesiredSpecification,
    Downtime,
    FunctionConfig,
    FunctionId,
    GpuCountSource,
    GpuOffer,
    GpuSpecification,
    GpuSpecificationId,
    InstanceType,
    LiveDeployment,
    LiveFunction,
    LiveInstance,
    LiveSpecification,
    LiveVersion,
    Owner,
    Pool,
    PoolId,
    Prove,
    Quota,
    Readable,
    Stack,
    State,
    Status,
    Taken,
    UpdateOrder,
    UpdatePolicy,
    VersionId,
    VersionLimit,
    Warm,
    digest_of,
    ownership_tags,
)
from nvcfplan.planning import Inputs, PlanOptions, plan_stack
from nvcfplan.plans import Infeasible, Plan, Provenance

if TYPE_CHECKING:
    from collections.abc import Sequence

START = datetime(2026, 1, 1, tzinfo=UTC)
STACK, ENVIRONMENT = "prod", "default"
COUNTS = (1, 2, 4, 8)


def instance_types(
    counts: Sequence[int] = COUNTS, source: GpuCountSource = GpuCountSource.ALLOCATOR
) -> tuple[InstanceType, ...]:
    return tuple(
        InstanceType(name=f"type_{count}x", gpu_count=count, gpu_count_source=source)
        for count in counts
    )


def cluster(
    name: str,
    *,
    gpus: int = 8,
    free: int | None = None,
    gpu: str = "H100",
    group: str = "",
    source: GpuCountSource = GpuCountSource.ALLOCATOR,
) -> Cluster:
    """`free` None: all of it."""
    types = instance_types(source=source)
    available = gpus if free is None else free
    pool = Pool(id=PoolId(name, gpu), capacity=gpus, available=available, instance_types=types)
    return Cluster(name=name, groups=(group or name,), region="here", attributes=(), pools=(pool,))


def account(
    *clusters: Cluster, quotas: tuple[Quota, ...] = (), limit: VersionLimit | None = None
) -> Account:
    groups = tuple(
        ClusterGroup(
            name=group,
            clusters=tuple(one.name for one in clusters if group in (one.groups or ())),
            gpus=(GpuOffer(name="H100", instance_types=instance_types()),),
        )
        for group in sorted({group for one in clusters for group in one.groups or ()})
    )
    taken = tuple(Taken(what=what, source=f"/{what}", read_at=START) for what in Readable)
    return Account(
        identity=AccountIdentity(endpoint="https://nvcf.example", org=None, nca_id="nca-1"),
        groups=groups,
        clusters=tuple(sorted(clusters, key=lambda one: one.name)),
        quotas=quotas,
        version_limit=limit,
        taken=taken,
    )


def specification(
    key: str = "main",
    *,
    low: int = 1,
    high: int | None = None,
    gpus: int = 1,
    clusters: tuple[str, ...] = ("a",),
    backend: str | None = None,
) -> GpuSpecification:
    return GpuSpecification(
        key=key,
        gpu="H100",
        instance_type=f"type_{gpus}x",
        min_instances=low,
        max_instances=max(1, low) if high is None else high,
        backend=backend,
        clusters=() if backend else clusters,
    )


def wanted(
    key: str,
    *specifications: GpuSpecification,
    image: str = "nvcr.io/acme/app:1",
    order: UpdateOrder = UpdateOrder.AUTO,
    downtime: Downtime = Downtime.NEVER,
    depends_on: tuple[str, ...] = (),
    policy: UpdatePolicy | None = None,
) -> DesiredFunction:
    """`policy` None: of this order and downtime, and for the rest as in a stack without one."""
    managed = ["container_image", "deployment", "inference_url", "name"]
    fields = ("gpu", "instance_type", "min_instances", "max_instances", "backend", "clusters")
    return DesiredFunction(
        key=key,
        config=FunctionConfig(name=key, inference_url="/v1", container_image=image),
        managed=tuple(managed),
        specifications=tuple(
            DesiredSpecification(specification=one, managed=fields) for one in specifications
        ),
        update=policy or UpdatePolicy(order=order, downtime=downtime),
        depends_on=depends_on,
    )


def shared(function: DesiredFunction, *parties: str) -> DesiredFunction:
    """Who may call it is managed: these."""
    managed = tuple(sorted({*function.managed, "authorized_parties"}))
    return replace(function, authorized_parties=parties, managed=managed)


def whole(
    downtime: Downtime = Downtime.NEVER, order: UpdateOrder = UpdateOrder.AUTO
) -> UpdatePolicy:
    """A new version has its minimum from the start, and all that runs must serve at every moment:
    replaced neither warm nor in steps, and nothing is shown to work.
    """
    return UpdatePolicy(
        downtime=downtime, order=order, min_serving=1.0, warm=Warm.MIN, prove=Prove.NONE
    )


def running(
    function: DesiredFunction,
    *,
    status: Status = Status.ACTIVE,
    instances: int | None = None,
    location: str = "a",
    version: int = 1,
) -> LiveFunction:
    """The function as applied, each specification with `instances` (None: its minimum) running."""
    function_id, version_id = (
        FunctionId(f"f-{function.key}"),
        VersionId(f"v{version}-{function.key}"),
    )
    tags = ownership_tags(Owner(STACK, ENVIRONMENT, function.key))
    rows = tuple(
        LiveSpecification(
            id=GpuSpecificationId(f"g-{one.key}"),
            specification=replace(one.specification, key=f"g-{one.key}", max_request_concurrency=1),
        )
        for one in function.specifications
    )
    is_up = status not in (Status.INACTIVE, Status.ERROR)
    running_now = tuple(
        LiveInstance(
            id=f"{function.key}-{row.id}-{number}",
            gpu=row.specification.gpu,
            instance_type=row.specification.instance_type,
            location=row.specification.clusters[0] if row.specification.clusters else location,
            is_running=True,
            created_at=START + timedelta(seconds=number),
        )
        for row in rows
        for number in range(row.specification.min_instances if instances is None else instances)
    )
    deployment = LiveDeployment(
        function_id=function_id,
        version_id=version_id,
        deployment_id=DeploymentId(f"d-{function.key}"),
        status=status,
        specifications=rows,
    )
    live = LiveVersion(
        function_id=function_id,
        version_id=version_id,
        nca_id="nca-1",
        status=status,
        config=replace(function.config, tags=tags),
        created_at=START,
        deployment=None if status is Status.INACTIVE else deployment,
        instances=running_now if is_up else (),
        secret_names=(),
    )
    return LiveFunction(id=function_id, versions=(live,))


def plan(
    functions: Sequence[DesiredFunction],
    account: Account,
    live: Sequence[LiveFunction] = (),
    *,
    state: State | None = None,
    options: PlanOptions | None = None,
    quotas: tuple[DeclaredQuota, ...] = (),
) -> Plan | Infeasible:
    stack = Stack(
        name=STACK,
        environment=ENVIRONMENT,
        functions=tuple(sorted(functions, key=lambda one: one.key)),
        quotas=quotas,
    )
    inputs = Inputs(
        stack=stack,
        account=account,
        live=live,
        state=state,
        digest=digest_of("inputs"),
        provenance=Provenance(tool_version="test", created_at=START, read_at=(), actor="test"),
    )
    return plan_stack(inputs, options or PlanOptions())


def feasible(result: Plan | Infeasible) -> Plan:
    assert isinstance(result, Plan), [one.summary for one in result.plan.diagnostics]
    return result


def step_names(result: Plan | Infeasible) -> list[str]:
    return [step.id for step in feasible(result).steps]
