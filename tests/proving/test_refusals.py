"""A plan that was bent after it was made is not proved, whatever was bent; as made it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from nvcfplan.model import (
    OnRemove,
    ResourceId,
    StepId,
)
from nvcfplan.plans import (
    After,
    AwaitActive,
    AwaitReleased,
    Bound,
    Charge,
    CreateVersion,
    DeleteVersion,
    Deploy,
    Means,
    Order,
    Plan,
    SetAuthorizations,
    SetSecrets,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
)
from nvcfplan.proving import prove
from tests.proving.bending import (
    POOL,
    both,
    counting,
    deleting_all,
    free_of_charge,
    half_granted,
    idle_change,
    inflated,
    nothing,
    other_old,
    released_early,
    served_by_another,
    soft_ungranted,
    taking,
    task,
    uncharged,
    uncharged_and_unlisted,
    unhooked,
    unlisted,
    waiting_for,
    widened,
    without,
)
from tests.proving.plans import (
    QUOTA,
    bump,
    chain,
    choice,
    gap,
    leaving,
    making,
    mending,
    pair,
    quota_bump,
    removal,
    scaling,
    sharing,
    sharing_new,
    stopping,
    swap,
    tagging,
    trim,
    trim_and_bump,
)

CREATED = StepId("create-version:function.chat@new")
DEPLOYED = StepId("deploy:function.chat@new")


@dataclass(frozen=True)
class Case:
    """`words`: something that the refusal says, so that it is refused for this and no other."""

    made: Callable[[], Plan]
    bend: Callable[[Plan], Plan]
    words: str


CASES = {
    "a-no-steps-for-a-new-version": Case(bump, nothing, "needs a new version"),
    "a-no-steps-for-a-removal": Case(removal, nothing, "1 versions to delete"),
    "a-no-steps-for-a-scaling": Case(scaling, nothing, "changes main, and no step updates it"),
    "a-no-steps-for-a-redeploy": Case(mending, nothing, "leaves function.chat@old deployed"),
    "a-no-steps-for-surplus-versions": Case(trim, nothing, "1 versions to delete"),
    "a-no-steps-for-an-undeploy": Case(stopping, nothing, "leaves function.chat@old deployed"),
    "a-no-call-for-metadata": Case(tagging, without(UpdateMetadata), "changes by metadata"),
    "a-no-call-for-secrets": Case(tagging, without(SetSecrets), "changes by secrets"),
    "a-a-secret-is-not-sent": Case(
        tagging, task(SetSecrets, lambda one: replace(one, secrets=())), "changes secrets.NEW"
    ),
    "a-other-tags-than-wanted": Case(
        tagging,
        task(UpdateMetadata, lambda o: replace(o, metadata=replace(o.metadata, tags=("x",)))),
        "other metadata",
    ),
    "a-no-call-for-sharing": Case(sharing, without(SetAuthorizations), "changes by sharing"),
    "a-a-new-function-is-not-shared": Case(
        sharing_new, without(SetAuthorizations), "is wanted shared"
    ),
    "a-shared-with-others-than-wanted": Case(
        sharing,
        task(SetAuthorizations, lambda one: replace(one, parties=("nca-b", "nca-d"))),
        "is shared with others",
    ),
    "a-shared-though-nothing-says-so": Case(
        sharing,
        lambda plan: replace(
            plan, changes=tuple(replace(one, means=(Means.METADATA,)) for one in plan.changes)
        ),
        "its change does not say so",
    ),
    "a-shared-though-it-is-not-managed": Case(
        sharing,
        lambda plan: replace(
            plan,
            desired=replace(
                plan.desired,
                functions=tuple(replace(one, managed=()) for one in plan.desired.functions),
            ),
        ),
        "the stack does not manage that",
    ),
    "a-another-version-is-named-for-sharing": Case(
        sharing_new,
        task(SetAuthorizations, lambda o: replace(o, version=replace(o.version, label="old"))),
        "another version than the one that is there",
    ),
    "a-the-new-version-is-never-deployed": Case(
        bump, without(Deploy, AwaitActive), "is not deployed as wanted"
    ),
    "a-the-old-version-stays-deployed": Case(
        bump, without(Undeploy, AwaitReleased), "leaves function.chat@old deployed"
    ),
    "a-the-old-version-is-never-awaited": Case(
        bump, without(AwaitReleased), "nothing waits until it is released"
    ),
    "a-another-image-than-wanted": Case(
        bump,
        task(
            CreateVersion,
            lambda o: replace(o, config=replace(o.config, container_image="app:6")),
        ),
        "another configuration",
    ),
    "a-other-bounds-than-wanted": Case(
        scaling,
        task(
            UpdateDeployment,
            lambda o: replace(o, specification=replace(o.specification, min_instances=2)),
        ),
        "does not end with the bounds of main",
    ),
    "a-growth-is-not-awaited": Case(scaling, without(AwaitActive), "nothing waits for that"),
    "a-too-much-is-deleted": Case(trim, deleting_all, "its steps delete 2"),
    "a-steps-of-a-function-that-does-not-change": Case(bump, idle_change, "nothing to do"),
    "a-our-tags-stay-on-what-is-let-go": Case(
        lambda: leaving(OnRemove.FORGET), without(UpdateMetadata), "keeps our tags"
    ),
    "b-the-old-version-is-undeployed-at-once": Case(bump, unhooked(Undeploy), "serves"),
    "c-making-a-version-is-not-serving": Case(
        bump, waiting_for(Undeploy, After(CREATED, Order.CREATE_FIRST)), "serves"
    ),
    "c-another-function-does-not-serve-for-it": Case(pair, served_by_another, "serves"),
    "d-the-new-version-is-not-awaited": Case(bump, without(AwaitActive), "serves"),
    "d-the-deployed-version-is-not-awaited": Case(
        bump, waiting_for(Undeploy, After(DEPLOYED, Order.CREATE_FIRST)), "serves"
    ),
    "e-an-undeploy-gives-units": Case(swap, released_early, "only the wait for them may"),
    "e-a-wait-takes-units": Case(
        bump, taking(AwaitActive, Charge(resource=POOL, units=1)), "asks for nothing"
    ),
    "f-more-is-given-back-than-was-held": Case(swap, inflated, "50 of pool:a/H100 in all, 2 were"),
    "g-a-version-is-deleted-while-it-drains": Case(
        removal,
        both(
            without(AwaitReleased),
            waiting_for(DeleteVersion, After(StepId("undeploy:function.gone@old"), Order.REQUIRES)),
        ),
        "undeployed and released",
    ),
    "g-a-version-is-deleted-before-its-release-is-awaited": Case(
        removal, unhooked(DeleteVersion), "undeployed and released"
    ),
    "h-a-deployed-version-is-deleted": Case(
        removal, without(Undeploy, AwaitReleased), "undeployed and released"
    ),
    "h-a-version-that-nobody-looked-at-is-deleted": Case(
        trim,
        lambda plan: replace(
            plan,
            fingerprint=replace(
                plan.fingerprint, live=tuple(o for o in plan.fingerprint.live if o.is_current)
            ),
        ),
        "did not look at",
    ),
    "h-old-is-not-what-carries-the-function": Case(
        trim_and_bump, other_old, "does not carry the function"
    ),
    "i-a-soft-resource-is-not-granted-and-nobody-says-so": Case(
        choice, soft_ungranted, "may find no room for main"
    ),
    "i-a-resource-at-risk-is-granted-in-part": Case(choice, half_granted, "granted 1"),
    "j-a-deploy-takes-nothing": Case(bump, free_of_charge, "takes 0 H100 for them"),
    "j-a-deploy-takes-less-than-its-minimum": Case(
        bump,
        task(Deploy, lambda one: replace(one, specifications=widened(one.specifications))),
        "asks for 9 instances of type_1x and takes 2",
    ),
    "j-no-pool-is-listed-and-nobody-says-so": Case(
        bump, uncharged_and_unlisted, "takes 0 H100 for them"
    ),
    "k-a-user-is-deployed-before-what-it-uses": Case(
        chain, unhooked(Deploy, Order.DEPENDS_ON), "await-active:function.base@new"
    ),
    "m-what-is-queued-is-lost": Case(
        bump, task(Undeploy, lambda one: replace(one, graceful=False)), "loses what is queued"
    ),
    "m-draining-takes-another-time": Case(
        bump,
        task(AwaitReleased, lambda one: replace(one, drain=None)),
        "otherwise than `update.drainTimeout` says",
    ),
    "m-the-old-version-is-deleted-before-the-new-one-serves": Case(
        gap,
        waiting_for(
            DeleteVersion, After(StepId("await-released:function.chat@old"), Order.REQUIRES)
        ),
        "cannot be undone, and does not wait for await-active:function.chat@new",
    ),
    "n-headroom-makes-room": Case(bump, counting(POOL, headroom=-8), "keeps -8 of pool:a/H100"),
    "n-more-is-ours-than-is-in-use": Case(bump, counting(POOL, ours=9), "has 9 of the 2"),
    "n-a-pool-is-not-counted": Case(
        bump, counting(POOL, bound=Bound.NECESSARY), "no H100 there are counted"
    ),
    "o-the-version-limit-is-not-charged": Case(
        making, uncharged(ResourceId("limit:versions")), "and counts 1"
    ),
    "o-a-quota-is-not-charged": Case(
        quota_bump, uncharged(QUOTA), "takes 0 of quota:H100@a, and counts 2"
    ),
    "l-a-resource-that-is-not-listed-is-charged": Case(bump, unlisted, "is not listed"),
}


@pytest.mark.parametrize("name", CASES)
def test_a_bent_plan_is_refused(name: str) -> None:
    case = CASES[name]
    made = case.made()
    assert prove(made) == ()
    found = prove(case.bend(made))
    assert {one.code for one in found} == {"plan-not-proved"}
    assert any(case.words in one.summary for one in found), [one.summary for one in found]


@pytest.mark.parametrize("on_remove", list(OnRemove))
def test_a_removal_is_proved_whatever_its_policy(on_remove: OnRemove) -> None:
    assert prove(leaving(on_remove)) == ()
