"""Do declared quotas speak of anything that is there? A misspelt one limits nothing, unseen."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from nvcfplan.capacity import account_pools, contains, quota_pools
from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.model import Account, Address, DeclaredQuota

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def check_quotas(quotas: tuple[DeclaredQuota, ...], account: Account) -> Iterator[Diagnostic]:
    """Nothing when the inventory could not be read: that is said once, for the account."""
    for one in quotas if account.clusters is not None else ():
        yield from _check(one, account)


def _check(declared: DeclaredQuota, account: Account) -> Iterator[Diagnostic]:
    quota, clusters = declared.quota, account.clusters or ()
    pools = account_pools(account)
    gpus = [pool.id.gpu for pool in pools]
    if not contains(gpus, quota.gpu):
        yield _unknown(declared, "gpu", quota.gpu, gpus)
        return
    names = [name for one in clusters for name in (one.name, *(one.groups or ()))]
    if all(one.groups is not None for one in clusters):
        for name in quota.names:
            if not contains(names, name):
                yield _unknown(declared, "cluster or group", name, names)
    counted = quota_pools(quota, account)
    types = [kind.name for pool in pools if pool.id in counted for kind in pool.instance_types]
    if types and quota.instance_type and not contains(types, quota.instance_type):
        yield _unknown(declared, "instanceType", quota.instance_type, types)


def _unknown(declared: DeclaredQuota, what: str, name: str, offered: Sequence[str]) -> Diagnostic:
    known = sorted(set(offered))
    near = get_close_matches(name, known, n=3, cutoff=0.5)
    field = f".{what}" if what in ("gpu", "instanceType") else ""
    return Diagnostic(
        code="quota-unknown-name",
        severity=Severity.WARNING,
        summary=f"the quota `{declared.key}` names the {what} {name!r}, which is not offered here",
        detail=f"so it limits nothing there; offered: {', '.join(known[:12]) or 'none'}",
        remedy=f"did you mean {' or '.join(near)}?" if near else "compare it with the inventory",
        subject=Subject(Address(""), f"quotas.{declared.key}{field}"),
    )
