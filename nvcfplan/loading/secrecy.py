"""Which values of a stack file must not be shown: by their keys, and by where they stand."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvcfplan.located import MappingNode, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.located import Node, Parsed, Range

_SECRET_WORDS: Final = frozenset(
    {"token", "key", "keys", "secret", "secrets", "password", "passwords"}
)
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_KEY = re.compile(r"([\w.-]+)[\"']?\s*:")


def looks_secret(key: str) -> bool:
    """True for `HF_TOKEN`, `apiKey`, `db.password`; false for `MAX_TOKENS` and `MONKEY`."""
    return any(word.lower() in _SECRET_WORDS for word in _WORD.findall(key))


def concealed_ranges(parsed: Parsed) -> Sequence[Range]:
    """What a shown line must not give away. A file that does not parse is judged line by line."""
    if parsed.documents:
        return [at for document in parsed.documents for at in _in_node(document.root)]
    return list(_in_text(parsed.source.parsed))


def _in_node(node: Node) -> Iterator[Range]:
    if isinstance(node, ScalarNode):
        return
    if not isinstance(node, MappingNode):
        for child in node.nodes:
            yield from _in_node(child)
        return
    is_sensitive = node.entry("sensitive") is not None
    for entry in node.entries:
        is_secret = looks_secret(entry.key) or (is_sensitive and entry.key == "value")
        if isinstance(entry.node, ScalarNode) and is_secret:
            yield entry.node.start, entry.node.end
        elif isinstance(entry.node, MappingNode) and looks_secret(entry.key):
            yield from _values_in(entry.node)
        yield from _in_node(entry.node)


def _values_in(node: MappingNode) -> Iterator[Range]:
    """The texts under a secret-looking key, other than references."""
    for entry in node.entries:
        if isinstance(entry.node, ScalarNode) and entry.key not in ("fromEnv", "fromFile"):
            yield entry.node.start, entry.node.end


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
                if looks_secret(found[1]) or found[1] == "value":
                    yield offset + found.end(), offset + len(line.rstrip())
                    hidden_below = indent
                    break
        offset += len(line)
