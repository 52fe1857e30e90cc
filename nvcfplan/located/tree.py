"""A YAML document as a tree in which every key and every value knows where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from nvcfplan.located.sources import BREAK, Range, Source

if TYPE_CHECKING:
    from nvcfplan.diagnostics import Span
    from nvcfplan.located.scalars import Plain

Path: TypeAlias = tuple[str | int, ...]
"""Keys and indices from the root of a document."""


class ScalarNode(NamedTuple):
    """`start == end` where nothing was written (`key:`); then `value` is None."""

    value: Plain
    start: int
    end: int
    is_plain: bool


class SequenceNode(NamedTuple):
    nodes: tuple[Node, ...]
    start: int
    end: int


class Entry(NamedTuple):
    """`start` and `end` are the key's."""

    key: str
    start: int
    end: int
    node: Node


class MappingNode(NamedTuple):
    """Keys are unique: of a duplicate the first is kept."""

    entries: tuple[Entry, ...]
    start: int
    end: int

    def entry(self, key: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.key == key), None)


Node: TypeAlias = ScalarNode | SequenceNode | MappingNode


def to_plain(node: Node) -> object:
    """dict, list, str, int, float, bool, None."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, MappingNode):
        return {entry.key: to_plain(entry.node) for entry in node.entries}
    return [to_plain(child) for child in node.nodes]


@dataclass(frozen=True, slots=True)
class Located:
    """One YAML document. Spans are made when they are asked for."""

    source: Source
    root: Node

    def to_plain(self) -> object:
        """dict, list, str, int, float, bool, None."""
        return to_plain(self.root)

    def node(self, path: Path) -> Node | None:
        steps = self._walk(path)
        return steps[-1][0] if len(steps) == len(path) + 1 else None

    def span(self, path: Path) -> Span:
        """The value's; of a missing or empty one, or one of several lines, the nearest key's."""
        steps = self._walk(path)
        node, key = steps[-1]
        if len(steps) <= len(path) or node.start == node.end or self._is_long(node):
            return self.source.span(*(key or self._first(node)))
        return self.source.span(node.start, node.end)

    def key_span(self, path: Path) -> Span:
        """The key's, or the nearest one's above it; of an entry of a sequence, the entry's."""
        node, key = self._walk(path)[-1]
        return self.source.span(*(key or self._first(node)))

    def _walk(self, path: Path) -> list[tuple[Node, Range | None]]:
        """Every node from the root towards `path`, as far as there are any, each with its key."""
        steps: list[tuple[Node, Range | None]] = [(self.root, None)]
        for step in path:
            found = _child(steps[-1][0], step)
            if found is None:
                break
            steps.append(found)
        return steps

    def _is_long(self, node: Node) -> bool:
        return BREAK.search(self.source.parsed, node.start, node.end) is not None

    def _first(self, node: Node) -> Range:
        if isinstance(node, MappingNode) and node.entries:
            return node.entries[0].start, node.entries[0].end
        found = BREAK.search(self.source.parsed, node.start, node.end)
        return node.start, found.start() if found else node.end


def _child(node: Node, step: str | int) -> tuple[Node, Range] | None:
    if isinstance(node, MappingNode):
        entry = node.entry(str(step))
        return (entry.node, (entry.start, entry.end)) if entry else None
    if isinstance(node, SequenceNode) and str(step).isdecimal() and int(step) < len(node.nodes):
        child = node.nodes[int(step)]
        return child, (child.start, child.end)
    return None
