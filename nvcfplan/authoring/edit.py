"""Changes values where they are written in a YAML document, and leaves every other character.

Comments, order, quotes, indentation and line breaks stay. What cannot be changed without changing
more than was asked for is refused, with its place: nothing is ever guessed.
"""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final, NamedTuple

from nvcfplan.authoring.flow import Part, reflowed
from nvcfplan.authoring.scalars import (
    WIDEST,
    block_lines,
    entry_lines,
    flow_text,
    is_writable,
    item_lines,
    scalar_text,
)
from nvcfplan.authoring.splicing import (
    Splice,
    break_of,
    line_end,
    line_start,
    new_lines,
    without_all,
    without_lines,
)
from nvcfplan.authoring.spots import Spot
from nvcfplan.located import BREAK, Entry, MappingNode, ScalarNode, SequenceNode
from nvcfplan.model import canonical_json

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.authoring.origins import Origins
    from nvcfplan.diagnostics import Span
    from nvcfplan.located import Located, Node


_UNWRITABLE: Final = (
    "it has characters in it that a stack file cannot",
    "change it in the account, or put the old one back",
)


class Refused(NamedTuple):
    """`path`: in dots, elements of a list by their names."""

    path: str
    span: Span
    why: str
    remedy: str


class Editor:
    """`splices` by file, in the order in which they came."""

    def __init__(self, document: Located, origins: Origins) -> None:
        self._document = document
        self._text = document.source.text
        self._origins = origins
        self._step = _step(document)
        self.splices: dict[str, list[Splice]] = {document.source.file: []}
        self.refused: list[Refused] = []

    def change(self, spot: Spot, wanted: object) -> None:
        """Afterwards the value is `wanted`, as far as nothing in there was refused."""
        if is_same(spot.plain, wanted):
            return
        node, plain = spot.node, spot.plain
        if isinstance(node, ScalarNode) and self._origins.is_template(node):
            self._change_origin(spot, node, wanted)
        elif isinstance(node, MappingNode) and isinstance(wanted, dict) and wanted:
            assert isinstance(plain, dict), spot
            self._change_mapping(spot, node, plain, wanted)
        elif isinstance(node, SequenceNode) and isinstance(wanted, list) and wanted:
            assert isinstance(plain, list), spot
            self._change_sequence(spot, node, plain, wanted)
        else:
            self._replace(spot, wanted)

    def _change_mapping(
        self,
        spot: Spot,
        node: MappingNode,
        plain: Mapping[str, object],
        wanted: Mapping[str, object],
    ) -> None:
        begun = len(self._own)
        kept = [entry for entry in node.entries if entry.key in wanted]
        for entry in kept:
            colon = self._text.index(":", entry.end) + 1
            path = (*spot.path, entry.key)
            below = Spot(entry.node, plain[entry.key], path, colon, self._is_within(spot))
            self.change(below, wanted[entry.key])
        gone = [entry for entry in node.entries if entry.key not in wanted]
        added = {
            key: one
            for key, one in wanted.items()
            if node.entry(key) is None and self._is_written(spot, key, {key: one})
        }
        if not gone and not added:
            return
        if self._is_flow(node):
            parts = [Part((one.start, _end(one)), one in kept) for one in node.entries]
            texts = [flow_text({key: one})[2:-2] for key, one in added.items()]
            self._reflow(node, parts, texts, begun)
        elif not all(self._is_first(entry.start) for entry in gone):
            self._take_back(begun)
            self._replace(spot, dict(wanted))
        else:
            self._own.extend(without_all(self._text, [(one.start, _end(one)) for one in gone]))
            indent = node.entries[0].start - line_start(self._text, node.entries[0].start)
            lines = [
                line
                for key, one in added.items()
                for line in entry_lines(key, one, indent=indent, step=self._step)
            ]
            last = node.entries[-1]
            self._append(_end(last), lines, instead=last.key not in wanted)

    def _change_sequence(
        self, spot: Spot, node: SequenceNode, plain: Sequence[object], wanted: Sequence[object]
    ) -> None:
        begun = len(self._own)
        aligned = _aligned(plain, wanted)
        if aligned is None:
            self._replace(spot, list(wanted))
            return
        pairs, added = aligned
        for index, other in pairs.items():
            name = _name(plain[index], index)
            path = (*spot.path, name)
            below = Spot(node.nodes[index], plain[index], path, None, self._is_within(spot))
            self.change(below, wanted[other])
        gone = [one for index, one in enumerate(node.nodes) if index not in pairs]
        added = [one for one in added if self._is_written(spot, _identity(one), one)]
        if not gone and not added:
            return
        if self._is_flow(node):
            parts = [
                Part((one.start, one.end), index in pairs) for index, one in enumerate(node.nodes)
            ]
            self._reflow(node, parts, [flow_text(one) for one in added], begun)
        elif not all(self._is_dashed(one) for one in node.nodes):
            self._take_back(begun)
            self._replace(spot, list(wanted))
        else:
            self._own.extend(without_all(self._text, [(one.start, one.end) for one in gone]))
            begin = line_start(self._text, node.nodes[0].start)
            indent = self._text.index("-", begin) - begin
            lines = [
                line for one in added for line in item_lines(one, indent=indent, step=self._step)
            ]
            is_gone = len(node.nodes) - 1 not in pairs
            self._append(node.nodes[-1].end, lines, instead=is_gone)

    def _replace(self, spot: Spot, wanted: object) -> None:
        node, text = spot.node, self._text
        if not is_writable(wanted):
            self._refuse(spot, *_UNWRITABLE)
        elif isinstance(node, ScalarNode):
            self._own.append(self._instead(spot, node, wanted))
        elif self._is_flow(node) or spot.key_end is None:
            self._own.append(Splice(node.start, node.end, _inline(wanted)))
        else:
            self._own.append(Splice(spot.key_end, spot.key_end, f" {_inline(wanted)}"))
            self._own.append(without_lines(text, node.start, node.end))

    def _instead(self, spot: Spot, node: ScalarNode, wanted: object) -> Splice:
        """Of one value another one; where nothing is written, behind the key."""
        text = self._text
        start, end = node.start, node.end
        like = text[start:end]
        gap = ""
        if start == end:
            assert spot.key_end is not None, spot
            start = end = spot.key_end
            gap = " "
        if not isinstance(wanted, dict | list):
            return Splice(start, end, gap + scalar_text(wanted, like=like, in_flow=spot.in_flow))
        line, begin = flow_text(wanted), line_start(text, start)
        is_narrow = start - begin + len(line) <= WIDEST
        if is_narrow or spot.in_flow or spot.key_end is None or BREAK.search(like):
            return Splice(start, end, gap + line)
        indent = len(text[begin:start]) - len(text[begin:start].lstrip(" ")) + self._step
        cut = break_of(text)
        lines = block_lines(wanted, indent=indent, step=self._step)
        return Splice(spot.key_end, end, cut + cut.join(lines))

    def _change_origin(self, spot: Spot, node: ScalarNode, wanted: object) -> None:
        """A template: the variable that it names is changed, if nothing else rests on it."""
        origin = self._origins.change(node, wanted)
        if isinstance(origin, str):
            remedy = f"write {flow_text(wanted)} there by hand, or change what it is made from"
            self._refuse(spot, origin, remedy)
            return
        variable, value = origin
        editor = Editor(variable.document, self._origins)
        place = self._origins.place(variable)
        editor.change(place, value)
        self.refused += [one._replace(path=".".join(spot.path)) for one in editor.refused]
        for file, some in editor.splices.items():
            self.splices.setdefault(file, []).extend(some)

    def _is_written(self, spot: Spot, name: str, added: object) -> bool:
        if is_writable(added):
            return True
        self._refuse(spot._replace(path=(*spot.path, name)), *_UNWRITABLE)
        return False

    def _refuse(self, spot: Spot, why: str, remedy: str) -> None:
        node = spot.node
        end = min(node.end, line_end(self._text, node.start))
        span = self._document.source.span(node.start, end)
        self.refused.append(Refused(".".join(spot.path), span, why, remedy))

    def _reflow(
        self,
        node: MappingNode | SequenceNode,
        parts: Sequence[Part],
        added: Sequence[str],
        begun: int,
    ) -> None:
        """What was changed within it becomes part of the one splice."""
        since = self._own[begun:]
        inner = [one for one in since if node.start <= one.start and one.end <= node.end]
        self._own[begun:] = [one for one in since if one not in inner]
        self._own.extend(reflowed(self._text, (node.start, node.end), parts, added, inner))

    def _append(self, after: int, lines: Sequence[str], *, instead: bool) -> None:
        if lines:
            self._own.append(new_lines(self._text, after, lines, instead=instead))

    def _take_back(self, begun: int) -> None:
        del self._own[begun:]

    @property
    def _own(self) -> list[Splice]:
        return self.splices[self._document.source.file]

    def _is_flow(self, node: Node) -> bool:
        return self._text[node.start : node.start + 1] in ("{", "[")

    def _is_within(self, spot: Spot) -> bool:
        return spot.in_flow or self._is_flow(spot.node)

    def _is_first(self, offset: int) -> bool:
        """In its line."""
        return not self._text[line_start(self._text, offset) : offset].strip(" ")

    def _is_dashed(self, node: Node) -> bool:
        """Alone behind the dash of its line."""
        return self._text[line_start(self._text, node.start) : node.start].strip(" ") == "-"


def is_same(one: object, other: object) -> bool:
    """A number and a truth value are not, though Python says so."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(is_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return one == other and isinstance(one, bool) is isinstance(other, bool)


def _aligned(
    plain: Sequence[object], wanted: Sequence[object]
) -> tuple[Mapping[int, int], Sequence[object]] | None:
    """Which of the old ones become which of the wanted, and what is added behind them all.

    None: it takes more than leaving some out and adding others at the end.
    """
    names = [_identity(one) for one in plain], [_identity(one) for one in wanted]
    is_named = any(isinstance(one, dict) and "name" in one for one in (*plain, *wanted))
    matcher = difflib.SequenceMatcher(None, *names, autojunk=False)
    pairs: dict[int, int] = {}
    added: list[object] = []
    for kind, start, end, first, last in matcher.get_opcodes():
        if kind == "equal" or (kind == "replace" and end - start == last - first and not is_named):
            pairs |= zip(range(start, end), range(first, last), strict=True)
        elif kind != "delete":
            added += wanted[first:last]
    is_behind = not added or list(pairs.values()) == list(range(len(pairs)))
    return (pairs, added) if is_behind else None


def _identity(one: object) -> str:
    """What is named stays the same, whatever else is said of it."""
    name = one.get("name") if isinstance(one, dict) else None
    return name if isinstance(name, str) else canonical_json(one)


def _name(one: object, index: int) -> str:
    name = one.get("name") if isinstance(one, dict) else None
    return name if isinstance(name, str) else str(index)


def _end(entry: Entry) -> int:
    return max(entry.end, entry.node.end)


def _inline(value: object) -> str:
    return flow_text(value) if isinstance(value, dict | list) else scalar_text(value)


def _step(document: Located) -> int:
    """By how much the document indents."""
    root = document.root
    for entry in root.entries if isinstance(root, MappingNode) else ():
        if isinstance(entry.node, MappingNode) and entry.node.entries:
            text, start = document.source.text, entry.node.entries[0].start
            column = start - line_start(text, start)
            if not text[line_start(text, start) : start].strip(" ") and column:
                return column
    return 2
