"""What a plan would be made of that puts back what drifted, and nothing else.

What the stack asks for and nobody has applied yet stays as it is: a repair is no way to roll it
out. Where what was applied last is not known, the stack's own files say what is put back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from nvcfplan.differences import compare_function, conceal, find_owned
from nvcfplan.drifting.classify import Sight, compare_options
from nvcfplan.drifting.findings import Finding
from nvcfplan.drifting.restoring import as_last_seen, restored
from nvcfplan.model import Address, Stack, function_address

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from nvcfplan.differences import Holdings
    from nvcfplan.drifting.findings import Drift
    from nvcfplan.model import DesiredFunction, Digest

OLD_VERSION: Final = "old-version-serving"
FIXABLE: Final = frozenset(
    {
        "edited",
        "error",
        "function-deleted",
        OLD_VERSION,
        "ownership-tags-gone",
        "undeployed",
    }
)
"""Codes of findings that a plan can put right. The rest is the platform's, or somebody else's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unfixed:
    """`finding` is left as it is, and why."""

    finding: Finding
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Repair:
    """`stack`: with the functions at `addresses` wanted as they were left; only these are planned.

    `from_files`: those of them of which nothing is known to have been applied.
    """

    stack: Stack
    addresses: frozenset[Address]
    fixed: tuple[Finding, ...]
    unfixed: tuple[Unfixed, ...]
    from_files: tuple[Address, ...]


def find_repair(
    sight: Sight, drift: Drift, acknowledged: Collection[Digest] = frozenset()
) -> Repair:
    """Notes ask for nothing, and are neither fixed nor left.

    `acknowledged`: fingerprints of what somebody has said is meant to be as it is: it stays, and
    so does all of its function, for a plan is of whole functions.
    """
    known = frozenset(one.address for one in drift.drifted if one.fingerprint in acknowledged)
    stack = sight.stack
    holdings = conceal(find_owned(stack.name, stack.environment, sight.live, sight.state), stack)
    wanted = {one.address: one for one in stack.functions}
    fixable = _by_function(
        one
        for one in drift.drifted
        if one.code in FIXABLE and one.address not in known and not _is_undecided(one, wanted)
    )
    mended = {
        address: found
        for address, some in fixable.items()
        if (found := _mended(wanted[address], some, sight, holdings)) is not None
    }
    fixed = [one for address in mended for one in fixable[address]]
    remembered = {
        function_address(one.key) for one in (sight.state.functions if sight.state else ())
    }
    return Repair(
        stack=replace(
            stack, functions=tuple(mended.get(one.address, one) for one in stack.functions)
        ),
        addresses=frozenset(mended),
        fixed=tuple(one for one in drift.drifted if one in fixed),
        unfixed=tuple(
            Unfixed(finding=one, why=_why(one, known)) for one in drift.drifted if one not in fixed
        ),
        from_files=tuple(sorted(mended.keys() - remembered)),
    )


def _by_function(findings: Iterable[Finding]) -> Mapping[Address, Sequence[Finding]]:
    found: dict[Address, list[Finding]] = {}
    for one in findings:
        found.setdefault(one.address, []).append(one)
    return found


def _mended(
    desired: DesiredFunction, findings: Sequence[Finding], sight: Sight, holdings: Holdings
) -> DesiredFunction | None:
    """As it was left. None: no wish for the whole function changes what drifted, and no more."""
    owned = holdings.owned.get(desired.key)
    if owned is None:
        (missing,) = (one for one in holdings.missing if one.key == desired.key)
        return as_last_seen(desired, missing.applied)
    if owned.managed is None:
        return desired
    options = compare_options(sight.stack)
    drifted = {one.subject for one in findings if one.code != OLD_VERSION}
    found = restored(desired, owned, drifted, options)
    changed = {one.path for one in compare_function(found, owned, options).change.attributes}
    return found if changed == drifted else None


def _is_undecided(finding: Finding, wanted: Mapping[Address, DesiredFunction]) -> bool:
    """A sensitive variable that the stack does not have: whether it let go of it since, or somebody
    added it, nobody can tell, and the value is in the account alone.
    """
    field, _, name = finding.subject.partition(".")
    if not finding.is_sensitive or field != "containerEnvironment":
        return False
    variables = wanted[finding.address].config.container_environment
    return name not in {one.key for one in variables}


def _why(finding: Finding, acknowledged: Collection[Address]) -> str:
    if finding.code in FIXABLE and finding.address in acknowledged:
        return (
            f"something of {finding.address} is acknowledged: `nvcfplan drift ack -list` shows it,"
            " `nvcfplan drift unack` takes it back"
        )
    match finding.code:
        case "foreign-version-serving":
            return "what we did not make is never touched"
        case "function-in-no-stack" | "function-claimed-twice":
            return "nothing is deleted without being asked for"
        case code if code in FIXABLE:
            return (
                "it cannot be told apart from what the stack asks for by now: see `nvcfplan plan`"
            )
        case _:
            return finding.remedy
