"""What a look at the account found that nobody of us has asked for. Data only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Severity
from nvcfplan.model import Address, Json, Unread, canonical_json, digest_of

if TYPE_CHECKING:
    from nvcfplan.model import Digest


class FindingClass(StrEnum):
    """Source: product.md 11. The order is that of every report."""

    MISSING = "missing"
    HEALTH = "health"
    CONFIGURATION = "configuration"
    CAPACITY = "capacity"
    INVENTORY = "inventory"
    QUOTA = "quota"
    ORPHAN = "orphan"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """`code`: stable, kebab-case. `address` is empty for what is no function's alone.

    `subject`: what it is about within the address: an attribute's path, a version's id, a pool.
    `before`: as applied last, or as the stack has it where that is not known; `after`: as found.
    A NOTE tells and asks for nothing: it is no drift.
    """

    kind: FindingClass
    code: str
    severity: Severity
    address: Address
    subject: str
    summary: str
    evidence: tuple[str, ...] = ()
    remedy: str
    before: Json | None = None
    after: Json | None = None
    is_sensitive: bool = False

    @property
    def fingerprint(self) -> Digest:
        """The same from run to run: what was found there may move, where it was found does not."""
        return digest_of(canonical_json([self.kind, self.code, self.address, self.subject]))


@dataclass(frozen=True, slots=True, kw_only=True)
class Oversubscription:
    """`promised`: GPUs that run when all of ours is at its maximum; `limit`: the pool has."""

    pool: str
    promised: int
    limit: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """Findings in the order of every report. `unread`: what could not be looked at, with why.

    `pending`: functions of which the stack wants something else than was applied last: no drift.
    """

    findings: tuple[Finding, ...]
    unread: tuple[Unread, ...]
    pending: tuple[Address, ...]
    pools: tuple[Oversubscription, ...]

    @property
    def drifted(self) -> tuple[Finding, ...]:
        """Findings that ask for something."""
        return tuple(one for one in self.findings if one.severity is not Severity.NOTE)


def finding_order(finding: Finding) -> tuple[object, ...]:
    kinds = list(FindingClass)
    return (kinds.index(finding.kind), finding.address, finding.subject, finding.code)
