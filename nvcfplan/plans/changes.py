"""What differs between the account and what is wanted, and by which means it can be carried out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from nvcfplan.model import Address, Json


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"
    IMPORT = "import"
    FORGET = "forget"
    NO_OP = "no-op"


class Means(StrEnum):
    """The rows of the difference table; they pick the steps, in one place."""

    METADATA = "metadata"
    SECRETS = "secrets"
    SHARING = "sharing"
    SPECIFICATION = "specification"
    DEPLOYMENT = "deployment"
    NEW_VERSION = "new-version"
    REDEPLOY = "redeploy"
    REMOVE = "remove"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """`before`/`after` are None when absent.

    `live` is set when it differs from last applied: somebody else's edit.
    """

    path: str
    before: Json | None
    after: Json | None
    live: Json | None
    means: Means
    reason: str
    is_unknown: bool = False
    is_sensitive: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """At most one per function. A new version or another placement is an UPDATE: the id stays.

    `means` says how it is carried out, sorted. Reasons explain, they never steer.
    """

    address: Address
    action: Action
    means: tuple[Means, ...]
    reason: str
    attributes: tuple[AttributeChange, ...]
