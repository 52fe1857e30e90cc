"""What a stack is called, also where its files do not read: its comment has to be found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvcfplan.located import MappingNode, ScalarNode
from nvcfplan.model import is_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from nvcfplan.located import Parsed

_WRITTEN: Final = re.compile(r"""^stack:[ \t]+["']?([a-z][a-z0-9-]*)["']?[ \t]*(?:#.*)?$""", re.M)


def stack_name(files: Sequence[Parsed]) -> str:
    """Empty where none is written, or several are."""
    found = {name for one in files for name in _names(one) if is_name(name)}
    return found.pop() if len(found) == 1 else ""


def _names(parsed: Parsed) -> Iterable[str]:
    """Of a file with an error in its YAML there are no documents; its lines are there."""
    if not parsed.documents:
        return _WRITTEN.findall(parsed.source.text)
    return _stated(parsed)


def _stated(parsed: Parsed) -> Iterator[str]:
    for document in parsed.documents:
        node = document.node(("stack",)) if isinstance(document.root, MappingNode) else None
        if isinstance(node, ScalarNode) and isinstance(node.value, str):
            yield node.value
