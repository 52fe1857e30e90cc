"""The tags by which a version says whose it is. Source for the tag rules: nvcf-api.md 3.1."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from nvcfplan.model.addresses import OperationId

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

PREFIX: Final = "nvcfplan:"
MOST_USER_TAGS: Final = 60
"""The service allows 64; four are ours."""
_MOMENT: Final = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True, order=True)
class Owner:
    stack: str
    environment: str
    key: str


def ownership_tags(owner: Owner) -> tuple[str, ...]:
    return (
        f"{PREFIX}env={owner.environment}",
        f"{PREFIX}key={owner.key}",
        f"{PREFIX}stack={owner.stack}",
    )


def may_be_of(tags: Container[str], stack: str, environment: str) -> bool:
    """Without reading a tag: False for nearly all that is not this stack's, whatever its key."""
    return f"{PREFIX}stack={stack}" in tags and f"{PREFIX}env={environment}" in tags


def operation_tag(operation: OperationId) -> str:
    return f"{PREFIX}op={operation}"


def owner_of(tags: Iterable[str]) -> Owner | None:
    """None unless stack, environment and key are all there."""
    ours = _our_tags(tags)
    if not {"stack", "env", "key"} <= ours.keys():
        return None
    return Owner(stack=ours["stack"], environment=ours["env"], key=ours["key"])


def operation_of(tags: Iterable[str]) -> OperationId | None:
    found = _our_tags(tags).get("op")
    return None if found is None else OperationId(found)


def tags_of_failed(tags: Iterable[str], until: datetime) -> tuple[str, ...]:
    """Those of a version that failed and is kept until then. Sorted.

    In place of its operation: nobody looks for the call that made it any more, and four are ours.
    """
    rest = {tag for tag in tags if not tag.startswith((f"{PREFIX}op=", f"{PREFIX}failed="))}
    return tuple(sorted((*rest, f"{PREFIX}failed={until.astimezone(UTC):{_MOMENT}}")))


def kept_until(tags: Iterable[str]) -> datetime | None:
    """Until when a version that failed is kept. None: it did not fail, or somebody garbled that."""
    try:
        moment = datetime.strptime(_our_tags(tags).get("failed", ""), _MOMENT)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC)


def user_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Without ours: what a difference may look at. Sorted."""
    return tuple(sorted(tag for tag in tags if not tag.startswith(PREFIX)))


def own_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Only ours: what every metadata PUT must send again. Sorted."""
    return tuple(sorted(tag for tag in tags if tag.startswith(PREFIX)))


def _our_tags(tags: Iterable[str]) -> dict[str, str]:
    pairs = (tag.removeprefix(PREFIX).partition("=") for tag in tags if tag.startswith(PREFIX))
    return {name: value for name, _, value in pairs}
