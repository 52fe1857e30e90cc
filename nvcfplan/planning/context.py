"""What expansion is told besides the difference itself, and two questions it keeps asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.capacity import Limits
from nvcfplan.model import LiveVersion, Owner, function_key

if TYPE_CHECKING:
    from nvcfplan.differences import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    limits: Limits
    stack: str
    environment: str


def current_of(difference: Difference) -> LiveVersion:
    assert difference.owned is not None, "only a new function has no live version"
    return difference.owned.current


def owner(difference: Difference, context: Context) -> Owner:
    return Owner(context.stack, context.environment, function_key(difference.change.address))
