"""Who must come before whom because one uses the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nvcfplan.model import function_key

if TYPE_CHECKING:
    from nvcfplan.differences import Difference

Uses = Mapping[str, tuple[str, ...]]


def dependencies(differences: Sequence[Difference]) -> tuple[Uses, Uses]:
    """By function key: what each depends on, and who depended on those that go."""
    uses = {one.desired.key: one.desired.depends_on for one in differences if one.desired}
    gone = {function_key(one.change.address) for one in differences if one.desired is None}
    used_by: dict[str, list[str]] = {}
    for one in differences:
        managed = one.owned.managed if one.owned else None
        user = function_key(one.change.address)
        for needed in managed.applied.depends_on if managed else ():
            if needed in gone and not _reaches(used_by, user, needed):
                used_by.setdefault(needed, []).append(user)
    return uses, {key: tuple(sorted(users)) for key, users in sorted(used_by.items())}


def _reaches(used_by: Mapping[str, Sequence[str]], start: str, goal: str) -> bool:
    """Functions applied at different times may depend on each other in a circle: it is cut."""
    pending, seen = [start], set[str]()
    while pending:
        key = pending.pop()
        if key == goal:
            return True
        if key not in seen:
            seen.add(key)
            pending += used_by.get(key, ())
    return False
