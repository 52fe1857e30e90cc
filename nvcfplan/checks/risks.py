"""What no reading can show, listed beside the proof and never folded into it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from nvcfplan.capacity import account_pools, place
from nvcfplan.diagnostics import Diagnostic, Severity, Subject, Verdict
from nvcfplan.model import Account, DesiredFunction, GpuCountSource, PoolId

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_GUESSED_BY: Final = {
    GpuCountSource.VIEW: "the capacity view",
    GpuCountSource.SUFFIX: "its name",
}


def check_risks(function: DesiredFunction, account: Account) -> Iterator[Diagnostic]:
    for one in function.specifications:
        wanted = one.specification
        subject = Subject(function.address, f"deployment.specifications.{one.key}")
        placement = place(wanted, account)
        if placement.is_partial:
            yield Diagnostic(
                code="targeting-not-checked",
                severity=Severity.NOTE,
                summary="backend, regions or attributes not checked: the inventory does not show "
                "all of them",
                detail="clusterGroups has neither regions nor attributes, the hosted capacity view "
                "neither groups nor attributes; the allocator's view of clusters has all",
                remedy="make the capacity view readable, or name the cluster under `clusters:`",
                subject=subject,
                verdict=Verdict.NOT_CHECKED,
            )
        if placement.pools and placement.gpus_each is None:
            yield Diagnostic(
                code="capacity-not-checked",
                severity=Severity.NOTE,
                summary=f"capacity for {wanted.instance_type} not checked: nothing says how many "
                "GPUs one instance has",
                detail="it is never taken to be 1",
                remedy="make the capacity view readable, or use a type whose name ends in _<n>x",
                subject=subject,
                verdict=Verdict.NOT_CHECKED,
            )
        if placement.pools and placement.source.is_guess:
            yield Diagnostic(
                code="gpu-count-guessed",
                severity=Severity.WARNING,
                summary=f"GPUs per instance of {wanted.instance_type} are read off "
                f"{_GUESSED_BY[placement.source]}: {placement.gpus_each}",
                detail="the allocator's view did not say",
                remedy="make the capacity view readable",
                subject=subject,
                verdict=Verdict.AT_RISK,
            )


def check_packing(functions: Sequence[DesiredFunction], account: Account) -> Iterator[Diagnostic]:
    """Once for the plan: free GPUs spread over nodes look like room and are not.

    Source: nvcf-api.md 8.1.
    """
    sizes = {
        one.specification.instance_type: each
        for function in functions
        for one in function.specifications
        if (each := place(one.specification, account).gpus_each) is not None and each > 1
    }
    if sizes:
        words = ", ".join(f"{name} ({each})" for name, each in sorted(sizes.items()))
        yield Diagnostic(
            code="node-packing",
            severity=Severity.NOTE,
            summary=f"an instance of these types needs its GPUs free on one node: {words}",
            detail="readings count free GPUs per cluster, not per node",
            remedy="nothing to do; if one fails for capacity in spite of the proof, this is why",
            verdict=Verdict.AT_RISK,
        )


def check_growth(functions: Sequence[DesiredFunction], account: Account) -> Iterator[Diagnostic]:
    """Only minima are proved: up to their maxima functions compete with everybody.

    Source: nvcf-api.md 8.3.
    """
    most: Counter[PoolId] = Counter()
    for function in functions:
        for one in function.specifications:
            placement = place(one.specification, account)
            if len(placement.pools) == 1:
                gpus = one.specification.max_instances * (placement.gpus_each or 0)
                most[placement.pools[0]] += gpus
    for pool in account_pools(account):
        if pool.capacity is not None and most[pool.id] > pool.capacity:
            yield Diagnostic(
                code="autoscaling-may-not-fit",
                severity=Severity.NOTE,
                summary=f"at their maxima the functions want {most[pool.id]} {pool.id.gpu} in "
                f"{pool.id.cluster}, which has {pool.capacity}",
                detail="the proof counts what is deployed and runs, not what autoscaling may add",
                remedy="lower maxInstances, or accept that not all can scale out at once",
                verdict=Verdict.AT_RISK,
            )
