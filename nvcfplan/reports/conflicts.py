"""Where this plan and the plan of another open request want the same units."""

from __future__ import annotations

from dataclasses import dataclass

from nvcfplan.model import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """`other`: the request as its forge writes it, such as `#123`.

    `ours` and `theirs`: what each adds; together with what is used they go beyond `limit`.
    """

    resource: ResourceId
    other: str
    ours: int
    theirs: int
    limit: int
