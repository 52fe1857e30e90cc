"""Sorts what differs between the account and what we left there into findings.

What the service owns (instance counts, defaults, order) is compared away below; what the stack
wants and nobody has applied yet is a plan's matter, and here no more than a name.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.capacity import with_declared
from nvcfplan.differences import CompareOptions, Holdings, compare_function, conceal, find_owned
from nvcfplan.drifting.findings import Drift, Finding, FindingClass, finding_order
from nvcfplan.drifting.standing import (
    find_deleted,
    find_edits,
    find_health,
    find_others_serving,
)
from nvcfplan.drifting.surroundings import (
    find_late,
    find_shortfalls,
    find_withdrawn,
    limits_of,
    note_oversubscribed,
    orphan,
    oversubscribed,
)
from nvcfplan.model import Account, LiveFunction, Stack, State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.differences import OwnedFunction
    from nvcfplan.model import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """All that is looked at. `state` None: what is ours is told by tags, what was applied by none.

    `fingerprints`: of wanted secrets that could be resolved, by (function key, secret name).
    """

    stack: Stack
    account: Account
    live: Sequence[LiveFunction]
    state: State | None
    fingerprints: Mapping[tuple[str, str], str]


def classify(sight: Sight) -> Drift:
    """Every finding, once; an account as we left it has none that is more than a note."""
    stack = sight.stack
    holdings = conceal(find_owned(stack.name, stack.environment, sight.live, sight.state), stack)
    owned = tuple(holdings.owned.values())
    account = with_declared(sight.account, stack.quotas)
    limits = limits_of(account, sight.live, owned)
    pools = oversubscribed(limits, sight.account, owned)
    found = [
        *_of_functions(sight, holdings),
        *_orphans(stack, holdings),
        *find_shortfalls(limits),
        *note_oversubscribed(pools),
    ]
    return Drift(
        findings=tuple(sorted(found, key=finding_order)),
        unread=sight.account.unread,
        pending=_pending(sight, holdings),
        pools=pools,
    )


def _of_functions(sight: Sight, holdings: Holdings) -> Iterator[Finding]:
    missing = {one.key: one for one in holdings.missing}
    for desired in sight.stack.functions:
        owned = holdings.owned.get(desired.key)
        if owned is None:
            if desired.key in missing:
                yield find_deleted(missing[desired.key])
            continue
        yield from find_edits(desired, owned, compare_options(sight.stack, sight.fingerprints))
        yield from find_health(owned)
        yield from find_others_serving(owned)
        yield from find_withdrawn(desired, owned, sight.account)
        yield from find_late(owned)


def _orphans(stack: Stack, holdings: Holdings) -> Iterator[Finding]:
    """What our state knows was applied, and waits to be removed: that is a plan's matter."""
    wanted = {one.key for one in stack.functions}
    for key, owned in holdings.owned.items():
        if key in wanted or owned.managed is not None or _is_kept(key, owned, wanted):
            continue
        yield from find_late(owned) if owned.is_late else (orphan(owned, stack.name),)
    for twice in holdings.diagnostics:
        assert twice.subject is not None, twice
        yield Finding(
            kind=FindingClass.ORPHAN,
            code=twice.code,
            severity=twice.severity,
            address=twice.subject.address,
            subject="",
            summary=twice.summary,
            evidence=(twice.detail,),
            remedy=twice.remedy,
        )


def _is_kept(key: str, owned: OwnedFunction, wanted: Collection[str]) -> bool:
    """What failed is kept on purpose while its function is wanted: the next plan knows its time."""
    return bool(owned.failed) and owned.is_left_over and key.partition("~")[0] in wanted


def _pending(sight: Sight, holdings: Holdings) -> tuple[Address, ...]:
    """Functions of which the stack now wants something else than what was applied last."""
    found = []
    missing = {one.key for one in holdings.missing}
    for desired in sight.stack.functions:
        owned = holdings.owned.get(desired.key)
        if owned is None:
            is_pending = desired.key not in missing
        elif owned.managed is None:
            is_pending = False
        else:
            wanted = compare_function(
                desired, owned, compare_options(sight.stack, sight.fingerprints)
            ).change
            last = compare_function(
                owned.managed.applied, owned, compare_options(sight.stack, sight.fingerprints)
            ).change
            paths = {one.path for one in last.attributes}
            is_pending = any(one.path not in paths for one in wanted.attributes)
        if is_pending:
            found.append(desired.address)
    return tuple(found)


def compare_options(
    stack: Stack, fingerprints: Mapping[tuple[str, str], str] | None = None
) -> CompareOptions:
    """`now`: a name that somebody changed is a difference, whether or not it is worth a version."""
    return CompareOptions(
        stack=stack.name,
        environment=stack.environment,
        now=True,
        fingerprints=fingerprints or {},
    )
