"""What we remember between runs. Small on purpose: it can be rebuilt from the account's tags."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from nvcfplan.model.account import AccountIdentity
from nvcfplan.model.addresses import FunctionId, OperationId, VersionId
from nvcfplan.model.stack import DesiredFunction


@dataclass(frozen=True, slots=True, kw_only=True)
class ManagedFunction:
    """`version_id` is the version that carries the function now; `applied` has no secret value."""

    key: str
    function_id: FunctionId
    version_id: VersionId
    applied: DesiredFunction
    secret_fingerprints: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """`secret_key` is random, hexadecimal, and made once: fingerprints under it tell equality only.

    `watched`: creating calls of ours for whose work nobody waits any more; a late arrival is
    surplus. `watched_since`: from when on, as far as that is known.
    """

    lineage: str
    serial: int
    account: AccountIdentity
    stack: str
    environment: str
    secret_key: str
    functions: tuple[ManagedFunction, ...] = ()
    watched: tuple[OperationId, ...] = ()
    watched_since: tuple[tuple[OperationId, datetime], ...] = ()
