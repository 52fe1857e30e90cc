"""A value of a document: where it stands, and what it comes to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from nvcfplan.located import Node


class Spot(NamedTuple):
    """A value: as it is written, and what it is once its templates are replaced.

    `key_end`: behind the colon of its key; None: it has none. `in_flow`: somewhere within braces.
    """

    node: Node
    plain: object
    path: tuple[str, ...]
    key_end: int | None
    in_flow: bool = False
