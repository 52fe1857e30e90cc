"""One function that is to be replaced, for each way to do that: what runs, what is wanted, where.

Each is as tight as it must be for its way, and no tighter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.emulator.rules import (
    ClusterRule,
    GpuRule,
    GroupRule,
    InstanceTypeRule,
    QuotaRule,
    WorldFile,
)
from nvcfplan.model import DesiredFunction, Downtime, Quota, UpdateOrder, UpdatePolicy, Warm
from tests.planning.builders import (
    account,
    cluster,
    plan,
    running,
    specification,
    wanted,
)

if TYPE_CHECKING:
    from nvcfplan.plans import Infeasible, Plan

POOL = "pool:a/H100"
LIMIT = "quota:H100@a"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """`runs`: instances of the old version, on cluster a. `gpus`: by cluster. `expects`: a step
    that only this way has.
    """

    old: DesiredFunction
    new: DesiredFunction
    runs: int
    gpus: tuple[tuple[str, int], ...]
    quota: int | None = None
    expects: str

    def plan(self) -> Plan | Infeasible:
        clusters = [
            cluster(name, gpus=gpus, free=gpus - (self.runs if name == "a" else 0))
            for name, gpus in self.gpus
        ]
        quotas = () if self.quota is None else (Quota(gpu="H100", names=("a",), limit=self.quota),)
        live = running(self.old, instances=self.runs)
        return plan([self.new], account(*clusters, quotas=quotas), [live])

    def world(self) -> WorldFile:
        types = tuple(InstanceTypeRule(name=f"type_{n}x", gpu_count=n) for n in (1, 2, 4, 8))
        return WorldFile(
            clusters=tuple(
                ClusterRule(
                    name=name,
                    groups=(name,),
                    region="here",
                    provider="GCP",
                    gpus=(GpuRule(name="H100", capacity=gpus, instance_types=types),),
                )
                for name, gpus in self.gpus
            ),
            groups=tuple(GroupRule(name=name, nca_id="nca-demo-0001") for name, _ in self.gpus),
            quotas=()
            if self.quota is None
            else (QuotaRule(gpu="H100", names=("a",), limit=self.quota),),
        )

    @property
    def scaled_out(self) -> DesiredFunction:
        """The old function with as many instances as are to run: applied before, it makes them."""
        (one,) = self.old.specifications
        grown = replace(one.specification, min_instances=self.runs)
        return replace(self.old, specifications=(replace(one, specification=grown),))


def replaced(policy: UpdatePolicy, *, low: int, high: int) -> tuple[DesiredFunction, ...]:
    """The function on cluster a, and the same with another image."""
    return (
        wanted("chat", specification(low=low, high=high), policy=policy),
        wanted("chat", specification(low=low, high=high), policy=policy, image="app:2"),
    )


def _way(
    policy: UpdatePolicy, bounds: tuple[int, int], runs: int, gpus: int, **rest: object
) -> Way:
    old, new = replaced(policy, low=bounds[0], high=bounds[1])
    return Way(old=old, new=new, runs=runs, gpus=(("a", gpus),), **rest)  # type: ignore[arg-type]  # names are checked by the call


LOWERED = "update-deployment:function.chat@new.main"
BOUNCING = UpdatePolicy(
    min_serving=1.0, bounce=(specification("bounce-1", low=1, high=4, clusters=("c",)),)
)
GAP = UpdatePolicy(downtime=Downtime.ALLOWED, min_serving=1.0)

WAYS = {
    "warm": _way(UpdatePolicy(), (1, 6), 4, 8, expects=LOWERED),
    "cold": _way(UpdatePolicy(warm=Warm.MIN), (1, 6), 4, 8, expects="deploy:function.chat@new"),
    "warm under a quota": _way(
        UpdatePolicy(), (1, 6), 4, 16, quota=9, expects="await-released:function.chat@old~2"
    ),
    "cold under a quota": _way(
        UpdatePolicy(warm=Warm.MIN), (1, 6), 4, 16, quota=6, expects=f"{LOWERED}"
    ),
    "shown to work": _way(UpdatePolicy(), (0, 6), 0, 2, expects=LOWERED),
    "in steps": _way(UpdatePolicy(), (8, 8), 8, 8, expects="await-active:function.chat@new~2"),
    "in steps, scaled out": _way(
        UpdatePolicy(), (2, 8), 6, 7, expects="update-deployment:function.chat@new.main~2"
    ),
    "by way of another place": replace(
        _way(BOUNCING, (2, 2), 2, 2, expects="delete-version:function.chat@bounce"),
        gpus=(("a", 2), ("c", 2)),
    ),
    "old one first": _way(GAP, (5, 5), 5, 8, expects="deploy:function.chat@new"),
    "never two at once": _way(
        UpdatePolicy(coexist=False, downtime=Downtime.ALLOWED, order=UpdateOrder.AUTO),
        (1, 2),
        1,
        8,
        expects="deploy:function.chat@new",
    ),
}
