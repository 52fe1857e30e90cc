"""What somebody, or the provider, can do to what an apply left: the table, with what it is called.

Two functions are left: `chat`, on H100, and `echo`, on L40S. The hands are at `chat` unless an act
says otherwise.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.emulator.rules import Fault, QuotaRule, Trouble
from tests.scenarios.hands import Hands, reorganise, without_cluster

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import ClusterRule, WorldFile

CLUSTER = "nvcf-gcp-prod-asiase1-a"
CHAT = """\
  chat:
    containerImage: "nvcr.io/acme/chat:1.0.0"
    inferenceUrl: /run
    inferencePort: 8000
    tags: [team-a, blue]
    rateLimit: { rateLimit: 100-S }
    authorizedParties: [nca-partner-1]
    secrets: { HF_TOKEN: { fromEnv: HF_TOKEN } }
    deployment:
      specifications:
        main:
          gpu: H100
          instanceType: a3-highgpu-8g_2x
          backend: GCP-ASIASE1-A
          minInstances: 1
          maxInstances: 2
          maxRequestConcurrency: 4
"""
ECHO = """\
  echo:
    containerImage: "nvcr.io/acme/echo:1.0.0"
    inferenceUrl: /run
    inferencePort: 8000
    deployment:
      specifications:
        main:
          gpu: L40S
          instanceType: ON-PREM.GPU.L40S_1x
          clusters: [byoc-cluster-1]
          minInstances: 1
          maxInstances: 2
"""
SECRETS = {"HF_TOKEN": "a-value-that-nobody-sees"}
SPEC = "deployment.specifications.main"


@dataclass(frozen=True, slots=True)
class Plant:
    """`subject` empty: an id that only the account knows. `also`: the codes it brings with it."""

    name: str
    act: Callable[[Hands], None]
    kind: str
    code: str
    subject: str = ""
    also: tuple[str, ...] = ()


def _lose(hands: Hands) -> None:
    """Its instance is lost, and there is no room for another."""
    _clusters(_shrunk)(hands)
    fault = Fault(kind=Trouble.LOSE, route="read-deployment", function=hands.key)
    hands.workshop.emulator().add_fault(fault)
    hands.deployment()
    hands.workshop.emulator().advance(600)


def _moved(hands: Hands) -> None:
    """The same version again, on another placement."""
    hands.undeploy()
    hands.deploy(instanceType="AZURE.GPU.H100_2x", backend="AZURE-WESTUS2", maxRequestConcurrency=4)


def _bigger(hands: Hands) -> None:
    hands.undeploy()
    hands.deploy(instanceType="a3-highgpu-8g_4x", maxRequestConcurrency=4)


def _anywhere(hands: Hands) -> None:
    """Echo is told to run on one cluster; now it may land on any."""
    echo = Hands(hands.workshop, "echo")
    echo.undeploy()
    echo.deploy(gpu="L40S", instanceType="ON-PREM.GPU.L40S_1x", backend=None)


def _two_more(hands: Hands) -> None:
    hands.publish()
    hands.publish()


def _lonely(hands: Hands) -> None:
    hands.unshare()
    hands.untag("blue")


def _error(hands: Hands) -> None:
    hands.undeploy()
    fault = Fault(kind=Trouble.BREAK, route="deploy", function=hands.key)
    hands.workshop.emulator().add_fault(fault)
    hands.deploy(maxRequestConcurrency=4)
    hands.workshop.emulator().advance(7200)


def _clusters(
    change: Callable[[ClusterRule], ClusterRule],
) -> Callable[[Hands], None]:
    def act(hands: Hands) -> None:
        def changed(world: WorldFile) -> WorldFile:
            rules = (change(one) if one.name == CLUSTER else one for one in world.clusters)
            return replace(world, clusters=tuple(rules))

        reorganise(hands.workshop, changed)

    return act


def _quota(limit: int) -> Callable[[Hands], None]:
    rule = QuotaRule(gpu="H100", names=(CLUSTER,), limit=limit)
    return lambda hands: reorganise(hands.workshop, lambda world: replace(world, quotas=(rule,)))


def _renamed_type(cluster: ClusterRule) -> ClusterRule:
    gpus = tuple(
        replace(
            gpu,
            instance_types=tuple(
                replace(one, name=one.name.replace("a3-highgpu-8g_2x", "a3-mega-8g_2x"))
                for one in gpu.instance_types
            ),
        )
        for gpu in cluster.gpus
    )
    return replace(cluster, gpus=gpus)


def _other_gpu(cluster: ClusterRule) -> ClusterRule:
    return replace(cluster, gpus=tuple(replace(one, name="H200") for one in cluster.gpus))


def _shrunk(cluster: ClusterRule) -> ClusterRule:
    return replace(cluster, gpus=tuple(replace(one, capacity=1) for one in cluster.gpus))


def _orphan(hands: Hands) -> None:
    """A function with our tags, under a key that no stack has."""
    tags = [one.replace("key=chat", "key=gone") for one in hands.tags()]
    hands.workshop.ask(
        "functions",
        method="POST",
        body={
            "name": "gone",
            "inferenceUrl": "/run",
            "inferencePort": 8000,
            "containerImage": "nvcr.io/acme/gone:1",
            "tags": [one for one in tags if not one.startswith("nvcfplan:op=")],
        },
    )
    Hands(hands.workshop, "gone").deploy()


def _twice(hands: Hands) -> None:
    """Another function that claims to be `chat`."""
    hands.workshop.ask(
        "functions",
        method="POST",
        body={
            "name": "chat-too",
            "inferenceUrl": "/run",
            "inferencePort": 8000,
            "containerImage": "nvcr.io/acme/chat:1.0.0",
            "tags": [one for one in hands.tags() if not one.startswith("nvcfplan:op=")],
        },
    )


def _takeover(hands: Hands) -> None:
    hands.undeploy()
    hands.publish()


PLANTS = (
    Plant("a tag added", lambda h: h.tag("green"), "configuration", "edited", "tags"),
    Plant("a tag removed", lambda h: h.untag("blue"), "configuration", "edited", "tags"),
    Plant(
        "a rate limit changed",
        lambda h: h.metadata(rateLimit={"rateLimit": "7-S"}),
        "configuration",
        "edited",
        "rateLimit.rateLimit",
    ),
    Plant(
        "a rate limit checked",
        lambda h: h.metadata(rateLimit={"rateLimit": "100-S", "syncCheck": True}),
        "configuration",
        "edited",
        "rateLimit.syncCheck",
    ),
    Plant(
        "an account exempted",
        lambda h: h.metadata(rateLimit={"rateLimit": "100-S", "exemptedNcaIds": ["nca-9"]}),
        "configuration",
        "edited",
        "rateLimit.exemptedNcaIds",
    ),
    Plant(
        "shared with one more",
        lambda h: h.share("nca-partner-1", "nca-partner-2"),
        "configuration",
        "edited",
        "authorizedParties",
    ),
    Plant(
        "shared with another",
        lambda h: h.share("nca-partner-3"),
        "configuration",
        "edited",
        "authorizedParties",
    ),
    Plant(
        "shared no more", lambda h: h.unshare(), "configuration", "edited", "authorizedParties"
    ),
    Plant(
        "a secret added",
        lambda h: h.secret("EXTRA", "unknown-to-all"),
        "configuration",
        "edited",
        "secrets.EXTRA",
    ),
    Plant(
        "min raised",
        lambda h: h.patch(minInstances=2),
        "configuration",
        "edited",
        f"{SPEC}.minInstances",
    ),
    Plant(
        "max raised",
        lambda h: h.patch(maxInstances=4),
        "configuration",
        "edited",
        f"{SPEC}.maxInstances",
    ),
    Plant(
        "max lowered",
        lambda h: h.patch(maxInstances=1),
        "configuration",
        "edited",
        f"{SPEC}.maxInstances",
    ),
    Plant(
        "min lowered to nothing",
        lambda h: h.patch(minInstances=0),
        "configuration",
        "edited",
        f"{SPEC}.minInstances",
    ),
    Plant(
        "concurrency changed",
        lambda h: h.put(maxRequestConcurrency=9),
        "configuration",
        "edited",
        f"{SPEC}.maxRequestConcurrency",
    ),
    Plant(
        "another version beside ours",
        lambda h: h.publish(),
        "configuration",
        "foreign-version-serving",
    ),
    Plant(
        "another version in place of ours",
        _takeover,
        "configuration",
        "foreign-version-serving",
        also=("undeployed",),
    ),
    Plant(
        "ours undeployed for another",
        _takeover,
        "missing",
        "undeployed",
        "deployment",
        ("foreign-version-serving",),
    ),
    Plant("undeployed", lambda h: h.undeploy(), "missing", "undeployed", "deployment"),
    Plant(
        "being undeployed",
        lambda h: h.undeploy(waits=False),
        "missing",
        "undeployed",
        "deployment",
    ),
    Plant("deleted", lambda h: h.delete(), "missing", "function-deleted"),
    Plant(
        "all our tags gone",
        lambda h: h.untag("nvcfplan:"),
        "missing",
        "ownership-tags-gone",
        "ownershipTags",
    ),
    Plant(
        "one of our tags gone",
        lambda h: h.untag("nvcfplan:key"),
        "missing",
        "ownership-tags-gone",
        "ownershipTags",
    ),
    Plant("failed", _error, "health", "error", "deployment"),
    Plant(
        "the cluster withdrawn",
        lambda h: reorganise(h.workshop, without_cluster(CLUSTER)),
        "inventory",
        "backend-withdrawn",
        f"{SPEC}.backend",
    ),
    Plant(
        "the GPU withdrawn",
        _clusters(_other_gpu),
        "inventory",
        "gpu-withdrawn",
        f"{SPEC}.gpu",
    ),
    Plant(
        "the instance type renamed",
        _clusters(_renamed_type),
        "inventory",
        "instance-type-withdrawn",
        f"{SPEC}.instanceType",
    ),
    Plant(
        "the group emptied",
        _clusters(lambda one: replace(one, groups=("GCP-ELSEWHERE",))),
        "inventory",
        "backend-withdrawn",
        f"{SPEC}.backend",
    ),
    Plant(
        "the pool shrunk",
        _clusters(_shrunk),
        "capacity",
        "cannot-be-placed-again",
    ),
    Plant(
        "lost and not made up for",
        _lose,
        "health",
        "degraded",
        "deployment",
        ("cannot-be-placed-again",),
    ),
    Plant(
        "moved elsewhere", _moved, "configuration", "edited", f"{SPEC}.backend", ("edited",)
    ),
    Plant("on bigger instances", _bigger, "configuration", "edited", f"{SPEC}.instanceType"),
    Plant("on any cluster", _anywhere, "configuration", "edited", f"{SPEC}.clusters"),
    Plant("unshared, untagged", _lonely, "configuration", "edited", "tags", ("edited",)),
    Plant(
        "min and max raised",
        lambda h: h.patch(minInstances=2, maxInstances=3),
        "configuration",
        "edited",
        f"{SPEC}.minInstances",
        ("edited",),
    ),
    Plant(
        "tags and rate limit",
        lambda h: h.metadata(tags=[*h.tags(), "red"], rateLimit={"rateLimit": "1-S"}),
        "configuration",
        "edited",
        "tags",
        ("edited",),
    ),
    Plant(
        "two versions beside ours",
        _two_more,
        "configuration",
        "foreign-version-serving",
        also=("foreign-version-serving",),
    ),
    Plant("a quota below our maxima", _quota(3), "quota", "quota-below-max"),
    Plant("a quota below our minima", _quota(1), "quota", "quota-below-min"),
    Plant("ours by tag, in no stack", _orphan, "orphan", "function-in-no-stack"),
    Plant("two claim to be one", _twice, "orphan", "function-claimed-twice"),
)  # fmt: skip
