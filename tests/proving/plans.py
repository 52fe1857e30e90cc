"""Plans as they are made: short to say, each with another kind of step."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.model import (
    Downtime,
    Lifecycle,
    LiveFunction,
    LiveSharing,
    ManagedFunction,
    OnRemove,
    Quota,
    RateLimit,
    ResourceId,
    SecretOrigin,
    SecretReference,
    State,
    Status,
    UpdatePolicy,
    VersionId,
    VersionLimit,
)
from tests.planning.builders import (
    ENVIRONMENT,
    STACK,
    account,
    cluster,
    feasible,
    plan,
    running,
    shared,
    specification,
    wanted,
)

if TYPE_CHECKING:
    from nvcfplan.plans import (
        Plan,
    )


QUOTA = ResourceId("quota:H100@a")


def bump(low: int = 2) -> Plan:
    """A new image, beside the old version."""
    old = wanted("chat", specification(low=low))
    new = wanted("chat", specification(low=low), image="app:2")
    return feasible(plan([new], account(cluster("a", free=6)), [running(old)]))


def gap() -> Plan:
    """A new image, in the room of the old version."""
    policy = UpdatePolicy(downtime=Downtime.ALLOWED, keep_versions=0)
    old = wanted("chat", specification(low=2), policy=policy)
    new = wanted("chat", specification(low=2), image="app:2", policy=policy)
    return feasible(plan([new], account(cluster("a", gpus=2, free=0)), [running(old)]))


def making() -> Plan:
    """A new function, where the account has a limit of versions."""
    chat = wanted("chat", specification())
    return feasible(plan([chat], account(cluster("a"), limit=VersionLimit(limit=9, stored=1))))


def quota_bump() -> Plan:
    """A new image under a quota with room for both versions."""
    old = wanted("chat", specification(low=2, high=2))
    new = wanted("chat", specification(low=2, high=2), image="app:2")
    quotas = (Quota(gpu="H100", names=("a",), limit=6),)
    return feasible(plan([new], account(cluster("a", free=6), quotas=quotas), [running(old)]))


def swap() -> Plan:
    """`gone` leaves a full pool, and `here` takes its place."""
    gone, here = wanted("gone", specification(low=2)), wanted("here", specification(low=2))
    return feasible(plan([here], account(cluster("a", gpus=2, free=0)), [running(gone)]))


def removal() -> Plan:
    gone = wanted("gone", specification(low=2))
    return feasible(plan([], account(cluster("a", gpus=2, free=0)), [running(gone)]))


def trim() -> Plan:
    """Two stored versions, of which one may be kept."""
    chat = wanted("chat", specification())
    return feasible(plan([chat], account(cluster("a")), [with_stored(running(chat), 2)]))


def scaling() -> Plan:
    low = running(wanted("chat", specification(low=1, high=4)))
    high = wanted("chat", specification(low=3, high=4))
    return feasible(plan([high], account(cluster("a", free=7)), [low]))


def stopping() -> Plan:
    """The stack wants `chat` undeployed."""
    chat = wanted("chat", specification())
    stopped = replace(chat, specifications=())
    return feasible(plan([stopped], account(cluster("a", free=7)), [running(chat)]))


def tagging() -> Plan:
    """New tags, a rate limit and another secret: three calls on the version that is there."""
    chat = wanted("chat", specification())
    secrets = tuple(SecretReference(one, SecretOrigin.ENV, one) for one in ("OLD", "NEW"))
    changed = replace(
        chat,
        config=replace(chat.config, tags=("team",), rate_limit=RateLimit(rate_limit="9-S")),
        managed=tuple(sorted({*chat.managed, "rate_limit", "secrets", "tags"})),
        secrets=secrets,
    )
    (live,) = running(chat).versions
    seen = LiveFunction(id=live.function_id, versions=(replace(live, secret_names=("OLD",)),))
    return feasible(plan([changed], account(cluster("a", free=7)), [seen]))


def sharing() -> Plan:
    """Another list of who may call what is there."""
    chat = shared(wanted("chat", specification()), "nca-b")
    live = replace(running(chat), sharing=LiveSharing(parties=("nca-c",)))
    return feasible(plan([chat], account(cluster("a", free=7)), [live]))


def sharing_new() -> Plan:
    chat = shared(wanted("chat", specification()), "nca-b")
    return feasible(plan([chat], account(cluster("a"))))


def mending() -> Plan:
    chat = wanted("chat", specification())
    broken = running(chat, status=Status.ERROR)
    return feasible(plan([chat], account(cluster("a")), [broken]))


def chain() -> Plan:
    """`user` depends on `base`; both are new."""
    functions = [
        wanted("user", specification(), depends_on=("base",)),
        wanted("base", specification()),
    ]
    return feasible(plan(functions, account(cluster("a"))))


def pair() -> Plan:
    """Two bumps at once, with room for both."""
    return feasible(
        plan(
            [wanted(key, specification(), image="app:2") for key in ("chat", "rank")],
            account(cluster("a", free=6)),
            [running(wanted(key, specification())) for key in ("chat", "rank")],
        )
    )


def choice() -> Plan:
    """Either pool may be picked, so each must have room: both are made free first."""
    return feasible(
        plan(
            [wanted("here", specification(low=2, clusters=("a", "b")))],
            account(cluster("a", gpus=2, free=0), cluster("b", gpus=2, free=0)),
            [running(wanted(key, specification(low=2, clusters=(key,)))) for key in ("a", "b")],
        )
    )


def trim_and_bump() -> Plan:
    chat = wanted("chat", specification())
    live = with_stored(running(chat), 2)
    new = replace(chat, config=replace(chat.config, container_image="app:2"))
    return feasible(plan([new], account(cluster("a", free=7)), [live]))


def with_stored(function: LiveFunction, count: int) -> LiveFunction:
    (current,) = function.versions
    stored = tuple(
        replace(
            running(wanted("chat"), status=Status.INACTIVE).versions[0],
            version_id=VersionId(f"stored-{number}"),
        )
        for number in range(count)
    )
    return replace(function, versions=(*stored, current))


def leaving(on_remove: OnRemove) -> Plan:
    """`gone` left the stack, and was applied with this policy."""
    gone = wanted("gone", specification(low=2))
    gone = replace(gone, lifecycle=Lifecycle(on_remove=on_remove))
    live, here = running(gone), account(cluster("a", gpus=2, free=0))
    state = State(
        lineage="lineage",
        serial=1,
        account=here.identity,
        stack=STACK,
        environment=ENVIRONMENT,
        secret_key="ab",
        functions=(
            ManagedFunction(
                key="gone",
                function_id=live.id,
                version_id=live.versions[-1].version_id,
                applied=gone,
            ),
        ),
    )
    return feasible(plan([], here, [live], state=state))
