"""Requests and answers as bytes see them: what the client sends, and how a sending can end."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Literal

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRequest:
    """`path` is below the base (up to `/v2/nvcf`), or below the host when `is_rooted`.

    `scope`: what the service wants the key to be allowed. `body` may carry secret values.
    """

    method: Method
    path: str
    scope: str
    query: tuple[tuple[str, str], ...] = ()
    body: dict[str, object] | None = field(default=None, repr=False)
    is_rooted: bool = False

    def content(self) -> bytes | None:
        if self.body is None:
            return None
        return json.dumps(self.body, allow_nan=False).encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawAnswer:
    """`retry_after_seconds` is the `Retry-After` header, in whichever form it came."""

    status: int
    body: bytes = field(repr=False)
    retry_after_seconds: float | None = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class NotSent:
    """No byte of the request left: name, connection, TLS, no free connection."""

    why: str


@dataclass(frozen=True, slots=True)
class Lost:
    """Sent at least in part, and no whole answer came: the service may have acted."""

    why: str
    is_repeatable: bool = True


RawOutcome = RawAnswer | NotSent | Lost
