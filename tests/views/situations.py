"""The situations in which a plan is read, one plan for each."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Severity, Subject, Verdict
from nvcfplan.model import Json, Metadata, SecretOrigin, SecretReference, function_address
from nvcfplan.plans import (
    Action,
    AwaitReleased,
    DeleteVersion,
    Deploy,
    Funded,
    Grant,
    Means,
    SetSecrets,
    UpdateDeployment,
    UpdateMetadata,
    step_id,
)
from tests.documents import builders
from tests.documents.builders import (
    H100,
    L40S,
    QUOTA,
    VERSIONS,
    attribute,
    bound,
    charges,
    created,
    creating,
    deleted,
    desired,
    in_order,
    plan,
    removing,
    resource,
    specification,
    step,
    update,
    version,
)

if TYPE_CHECKING:
    from nvcfplan.plans import Change, Infeasible, Plan, Step

CHAT: Final = function_address("chat")


def create() -> Plan:
    return plan(
        desired("embed"),
        changes=(created("embed"), replace(update("chat"), action=Action.NO_OP)),
        resources=(
            resource(VERSIONS, limit=500, before=12, ours=3),
            resource(H100, limit=8, before=4, ours=2),
        ),
        steps=in_order(creating("embed", units=2)),
    )


def in_place() -> Plan:
    """More instances at most, and another tag; what runs goes on running."""
    raised = UpdateDeployment(
        version("chat", "old"), specification(high=4), specification(low=1, high=2)
    )
    tagged = UpdateMetadata(version("chat", "old"), Metadata(tags=("team-b",)))
    return plan(
        desired("chat", high=4),
        changes=(
            update(
                "chat",
                attribute("deployment.specifications.h100.maxInstances", 2, 4, Means.SPECIFICATION),
                attribute("tags", ["team-a"], ["team-b"], Means.METADATA),
            ),
        ),
        resources=(resource(QUOTA, limit=8, before=4, ours=4),),
        steps=in_order(
            (step(raised, CHAT, acquire=charges(4, QUOTA)), step(tagged, CHAT)),
        ),
        bindings=(bound("chat"),),
    )


def destroy() -> Plan:
    return plan(
        changes=(deleted("chat"), deleted("rerank")),
        resources=(resource(H100, limit=8, before=8, ours=8),),
        steps=in_order((*removing("chat", units=4), *removing("rerank", units=4))),
        bindings=(bound("chat"), bound("rerank")),
        point_of_no_return=(step_id(DeleteVersion(version("chat", "old"))),),
    )


def at_risk() -> Plan:
    """Two clusters match and only one of them has room for both GPUs."""
    risk = Diagnostic(
        code="capacity-at-risk",
        severity=Severity.WARNING,
        summary="function.embed may land where 1 L40S is free; it needs 2",
        detail="the service picks the cluster: byoc-cluster-1 (1 of 16 free) or np-lax-01 (6 free)",
        remedy="pin `clusters: [np-lax-01]`",
        subject=Subject(function_address("embed"), "deployment.specifications.l40s"),
        verdict=Verdict.AT_RISK,
    )
    return plan(
        desired("embed"),
        changes=(created("embed"),),
        resources=(resource(L40S, limit=16, before=15),),
        steps=in_order(creating("embed", units=2, pool=L40S)),
        diagnostics=(risk,),
    )


def not_checked() -> Plan:
    """The key may not read the quota, so that nobody knows it."""
    unread = Diagnostic(
        code="quota-not-checked",
        severity=Severity.NOTE,
        summary="the quota of H100 could not be read",
        detail="GET /v2/nvcf/quotas: 403, the scope `list_quotas` is missing",
        remedy="declare it under `quotas:`, or use a key with that scope",
        verdict=Verdict.NOT_CHECKED,
    )
    made = create()
    quota = replace(resource(QUOTA, limit=None, before=0), reading=None)
    steps = tuple(
        replace(one, acquire=(*one.acquire, *charges(4, QUOTA)))
        if isinstance(one.task, Deploy)
        else one
        for one in made.steps
    )
    return replace(made, resources=(*made.resources, quota), steps=steps, diagnostics=(unread,))


def secrets_changed() -> Plan:
    token = SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN")
    masked = replace(
        attribute("secrets.HF_TOKEN", "(sensitive value)", "(sensitive value)", Means.SECRETS),
        is_sensitive=True,
        reason="changed",
    )
    return plan(
        desired("chat"),
        changes=(replace(update("chat", masked), reason="secrets-changed"),),
        steps=(step(SetSecrets(version("chat", "old"), (token,)), CHAT),),
        bindings=(bound("chat"),),
    )


def drifted() -> Plan:
    """Somebody lowered the maximum on the console; the stack's value is put back."""
    path = "deployment.specifications.h100.maxInstances"
    edited = replace(attribute(path, 1, 2, Means.SPECIFICATION), live=Json("1"))
    back = UpdateDeployment(version("chat", "old"), specification(), specification(high=1))
    return plan(
        desired("chat"),
        changes=(update("chat", edited),),
        resources=(resource(QUOTA, limit=8, before=2, ours=2),),
        steps=(step(back, CHAT, acquire=charges(2, QUOTA)),),
        bindings=(bound("chat"),),
    )


SITUATIONS: Final[dict[str, Plan | Infeasible]] = {
    "create": create(),
    "no-op": builders.nothing_to_do(),
    "in-place": in_place(),
    "create-first": builders.rolling(),
    "delete-first": builders.delete_first(),
    "destroy": destroy(),
    "infeasible": builders.infeasible(),
    "at-risk": at_risk(),
    "not-checked": not_checked(),
    "secrets-changed": secrets_changed(),
    "drifted": drifted(),
    "heterogeneous": builders.heterogeneous(),
}


def thousand() -> Plan:
    """1,000 functions: 800 new images, handed on one after another, 150 new ones, 50 destroyed."""
    changes: list[Change] = []
    steps: list[Step] = []
    funding: list[Grant] = []
    before = None
    for number in range(800):
        key = f"fleet-{number:03}"
        changes.append(builders.bump(key))
        made = builders.rollout_steps(key, units=2)
        deploy = next(one for one in made if isinstance(one.task, Deploy))
        if before is not None:
            gift = Funded(before, H100, 2)
            made = tuple(
                replace(one, depends_on=(*one.depends_on, gift)) if one is deploy else one
                for one in made
            )
        funding.append(Grant(step=deploy.id, resource=H100, units=2, source=before))
        before = step_id(AwaitReleased(version(key, "old")))
        steps += made
    for number in range(150):
        changes.append(created(f"new-{number:03}"))
        steps += creating(f"new-{number:03}", units=2, pool=L40S)
    for number in range(50):
        changes.append(deleted(f"old-{number:03}"))
        steps += removing(f"old-{number:03}", units=2)
    return plan(
        *(desired(f"fleet-{number:03}") for number in range(800)),
        *(desired(f"new-{number:03}") for number in range(150)),
        changes=tuple(sorted(changes, key=lambda one: one.address)),
        resources=(
            resource(VERSIONS, limit=5_000, before=1_000, ours=850),
            resource(L40S, limit=400, before=20),
            resource(H100, limit=1_702, before=1_700, ours=1_700),
        ),
        steps=tuple(steps),
        funding=tuple(funding),
        point_of_no_return=(steps[-1].id,),
    )
