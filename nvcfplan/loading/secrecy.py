"""Which values of a stack file must not be shown: by their keys, and by where they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvcfplan.located import ScalarNode, SequenceNode
from nvcfplan.model import is_sensitive_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.located import Node, Parsed, Range

_KEY = re.compile(r"([\w.-]+)[\"']?\s*:")


def concealed_ranges(parsed: Parsed) -> Sequence[Range]:
    """What a shown line must not give away. Where the tree is not whole, the text is judged too."""
    found = [at for document in parsed.documents for at in _in_node(document.root, "")]
    return [*found, *_in_text(parsed.source.parsed)] if parsed.diagnostics else found


_NAMING: Final = frozenset({"functions", "specifications"})
"""Under these, keys are names of the user's, and say nothing of what is below."""


def _in_node(node: Node, parent: str) -> Iterator[Range]:
    if isinstance(node, ScalarNode):
        return
    if isinstance(node, SequenceNode):
        for child in node.nodes:
            yield from _in_node(child, parent)
        return
    # A value beside any other key is one whose owner meant to mark it, however it was spelled.
    is_sensitive = len(node.entries) > 1
    for entry in node.entries:
        is_secret = is_sensitive_key(entry.key) and parent not in _NAMING
        if is_secret or (is_sensitive and entry.key == "value"):
            yield from _values_in(entry.node)
        else:
            yield from _in_node(entry.node, entry.key)


def _values_in(node: Node) -> Iterator[Range]:
    """Every value in there but the references."""
    if isinstance(node, ScalarNode):
        yield node.start, node.end
    elif isinstance(node, SequenceNode):
        for child in node.nodes:
            yield from _values_in(child)
    else:
        for entry in node.entries:
            if not (entry.key in ("fromEnv", "fromFile") and isinstance(entry.node, ScalarNode)):
                yield from _values_in(entry.node)


def _in_text(text: str) -> Iterator[Range]:
    """The rest of a line after a secret-looking key, and the deeper lines that may continue it."""
    hidden_below: int | None = None
    offset = 0
    for line in text.splitlines(keepends=True):
        indent = len(line) - len(line.lstrip(" \t"))
        if hidden_below is not None and line.strip() and indent > hidden_below:
            yield offset + indent, offset + len(line.rstrip())
        else:
            hidden_below = None
            for found in _KEY.finditer(line):
                if is_sensitive_key(found[1]) or found[1] == "value":
                    yield offset + found.end(), offset + len(line.rstrip())
                    hidden_below = indent
                    break
        offset += len(line)
