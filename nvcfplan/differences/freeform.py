"""Describes two free-form values that are known to differ: which leaves, before and after.

deepdiff is imported only then; its path strings never leave this module.
"""

from __future__ import annotations

from dataclasses import dataclass

from nvcfplan.model import Json, canonical_json, parse_json


@dataclass(frozen=True, slots=True, order=True)
class Leaf:
    """`path` in dots below the value, empty for the value itself; None: absent on that side."""

    path: str
    before: Json | None
    after: Json | None


def describe(before: Json, after: Json) -> tuple[Leaf, ...]:
    """The leaves in which two JSON values differ, by path. Empty only when the texts are equal."""
    if before == after:
        return ()
    from deepdiff import DeepDiff

    tree = DeepDiff(parse_json(before), parse_json(after), view="tree", verbose_level=2)
    leaves = {
        ".".join(str(key) for key in level.path(output_format="list")): level
        for kind in tree
        for level in tree[kind]
    }
    return tuple(
        Leaf(path, _side(level.t1), _side(level.t2)) for path, level in sorted(leaves.items())
    )


def _side(value: object) -> Json | None:
    """deepdiff has an object of its own for "not there"."""
    is_absent = type(value).__name__ == "NotPresent"
    return None if is_absent else canonical_json(value)
