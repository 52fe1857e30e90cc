"""What a world file says of who may call: the good tokens, by their digests.

Source: nvcf-api.md 1.2.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

EVERYTHING = "*"


class KeyKind(StrEnum):
    """`OTHER`: a credential that authenticates but is of no use here."""

    API_KEY = "api-key"
    JWT = "jwt"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """A token that is good, by its SHA-256.

    `scopes` None: every one its kind can have. `functions`: an API key is for these alone, by id
    of function or version, or by name. Source: nvcf-api.md 1.2.
    """

    digest: str
    kind: KeyKind = KeyKind.JWT
    scopes: tuple[str, ...] | None = None
    functions: tuple[str, ...] = (EVERYTHING,)
