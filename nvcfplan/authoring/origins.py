"""Where a value comes from that a template stands for, and whether it can be changed there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvcfplan.authoring.spots import Spot
from nvcfplan.located import MappingNode, ScalarNode, to_plain

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from nvcfplan.loading import Variable
    from nvcfplan.located import Located, Node

_MARK: Final = "{{"
_REFERENCE: Final = re.compile(r"\{\{\s*vars\.([A-Za-z_][A-Za-z0-9_]*)\s*\}\}")
_NAMED: Final = re.compile(r"\bvars\s*(?:\.\s*|\[\s*['\"])([A-Za-z_][A-Za-z0-9_]*)")


class Origins:
    """`given`: variables that the command line sets, so that the files do not decide."""

    def __init__(
        self,
        variables: Mapping[str, Variable],
        documents: Sequence[Located],
        given: Collection[str] = (),
    ) -> None:
        self._variables = variables
        self._given = given
        self._uses = [name for one in documents for name in _named_in(one.root)]

    def is_template(self, node: ScalarNode) -> bool:
        return isinstance(node.value, str) and (_MARK in node.value or "{%" in node.value)

    def change(self, node: ScalarNode, wanted: object) -> tuple[Variable, object] | str:
        """The variable, and what it must be for the value to be `wanted`; or why there is none."""
        text = str(node.value)
        found = list(_REFERENCE.finditer(text))
        if len(found) != 1 or _MARK in text.replace(found[0].group(), ""):
            return "it is put together by a template"
        (reference,) = found
        name = reference[1]
        value = _solved(text, reference, wanted)
        if value is None:
            return f"`vars.{name}` is but a part of it, and the rest is other than the file has it"
        if name in self._given:
            return f"the variable `{name}` is set from outside"
        count = self._uses.count(name)
        if count != 1:
            return f"the variable `{name}` stands in {count} places"
        return self._variables[name], value

    def place(self, variable: Variable) -> Spot:
        block = variable.document.node(("vars",))
        assert isinstance(block, MappingNode), variable.name
        entry = block.entry(variable.name)
        assert entry is not None, variable.name
        colon = variable.document.source.text.index(":", entry.end) + 1
        return Spot(entry.node, to_plain(entry.node), ("vars", variable.name), colon)


def _solved(text: str, reference: re.Match[str], wanted: object) -> object:
    """What stands for the reference when the whole is `wanted`; None: nothing can."""
    before, after = text[: reference.start()], text[reference.end() :]
    if not before and not after:
        return wanted
    if not isinstance(wanted, str) or len(wanted) <= len(before) + len(after):
        return None
    if not (wanted.startswith(before) and wanted.endswith(after)):
        return None
    return wanted[len(before) : len(wanted) - len(after)]


def _named_in(node: Node) -> Iterator[str]:
    """Every mention of a variable."""
    if isinstance(node, ScalarNode):
        if isinstance(node.value, str) and ("{{" in node.value or "{%" in node.value):
            yield from (found[1] for found in _NAMED.finditer(node.value))
    elif isinstance(node, MappingNode):
        for entry in node.entries:
            yield from _named_in(entry.node)
    else:
        for one in node.nodes:
            yield from _named_in(one)
