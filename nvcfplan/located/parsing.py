"""YAML text to located documents, all structural faults at once; the only door to PyYAML.

No anchors, aliases, tags, merge keys or complex keys; bounded in every direction. The C parser's
events are read directly: seven times faster than loading, and they know positions.
Source: reliability.md C3, performance.md 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import yaml

from nvcfplan.diagnostics import Checked, Diagnostic, Related, Severity, has_errors
from nvcfplan.located.scalars import Plain, core_scalar
from nvcfplan.located.sources import HIDDEN, MOST_BYTES, Range, Source, too_large
from nvcfplan.located.tree import Entry, Located, MappingNode, Node, ScalarNode, SequenceNode
from nvcfplan.located.wording import words_for

MOST_NODES: Final = 1_000_000
DEEPEST: Final = 64
LONGEST_SCALAR: Final = 64 * 1024
MOST_FAULTS: Final = 100
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader


class ComplexKey(NamedTuple):
    """`in_flow`: the mapping it is a key of stands itself in a flow mapping or sequence."""

    start: int
    in_flow: bool


@dataclass(frozen=True, slots=True)
class Parsed:
    """All that could be made of one file. With errors it is fit only for finding more of them.

    `complex_keys`: where containers stand as keys, such as an unquoted `{{ vars.x }}`.
    """

    source: Source
    documents: tuple[Located, ...]
    diagnostics: tuple[Diagnostic, ...]
    complex_keys: tuple[ComplexKey, ...] = ()


def load_documents(text: str, file: str) -> Checked[tuple[Located, ...]]:
    """The documents of one file, in order. An empty file, or one of comments, has none."""
    parsed = parse_source(Source(file, text))
    documents = None if has_errors(parsed.diagnostics) else parsed.documents
    return Checked(documents, parsed.diagnostics)


def parse_source(source: Source) -> Parsed:
    """Never raises. After a syntax error there are no documents, only the faults found so far."""
    size = len(source.text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        return Parsed(source, (), (too_large(source, size),))
    builder = _Builder(source)
    is_whole = builder.run()
    documents = tuple(Located(source, root) for root in builder.roots) if is_whole else ()
    return Parsed(source, documents, tuple(builder.diagnostics), tuple(builder.complex_keys))


class _TooMuch(Exception):
    """Reading on makes no sense: a cap is reached."""


class _Open:
    """A container being read. `keys` is None in a sequence; `key` waits for its value."""

    __slots__ = ("entries", "key", "keys", "nodes", "start")

    def __init__(self, start: int, keys: dict[str, Range] | None) -> None:
        self.start = start
        self.keys = keys
        self.key: tuple[str, int, int] | None = None
        self.entries: list[Entry] = []
        self.nodes: list[Node] = []


_REFUSED: Final = ("", -1, -1)
"""Stands for a key that was refused: its value is read and dropped."""


class _Builder:
    """Events to nodes. Iterative, so that depth costs nothing before it is refused."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._stack: list[_Open] = []
        self._count = 0
        self.roots: list[Node] = []
        self.diagnostics: list[Diagnostic] = []
        self.complex_keys: list[ComplexKey] = []

    def run(self) -> bool:
        """False when the text could not be read to its end."""
        try:
            for found in HIDDEN.finditer(self._source.text):
                self._hidden(found.group(), (found.start(), found.end()))
            self._read()
        except yaml.YAMLError as error:
            self._syntax(error)
            return False
        except _TooMuch:
            return False
        return True

    def _read(self) -> None:
        parser = _LOADER(self._source.parsed)
        while (event := parser.get_event()) is not None:
            if isinstance(event, yaml.ScalarEvent):
                self._scalar(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._close(_range(event)[1])
            elif isinstance(event, yaml.CollectionStartEvent):
                self._open(event)
            elif isinstance(event, yaml.AliasEvent):
                self._alias(event)
            elif isinstance(event, yaml.DocumentStartEvent):
                self._directive(event)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = at = _range(event)
        style, value = event.style, event.value
        if event.anchor is not None or event.tag is not None:
            self._anchor_or_tag(event.anchor, at)
        if len(value) > LONGEST_SCALAR:
            self._too_long(len(value), at)
        if style == '"' and (found := HIDDEN.search(value)):
            self._hidden(found.group(), at)
        top = self._stack[-1] if self._stack else None
        if top is not None and top.keys is not None and top.key is None:
            self._key(top, value, is_plain=not style, at=at)
        elif style:
            if style in "|>":
                end = start + len(self._source.parsed[start:end].rstrip())
            self._add(ScalarNode(value, start, end, False))
        else:
            self._add(ScalarNode(self._resolved(value, at), start, end, True))

    def _resolved(self, text: str, at: Range) -> Plain:
        try:
            return core_scalar(text)
        except ValueError as error:
            self._fault("yaml-number", f"{error} is not accepted", at, "quote it if it is a text")
            return text

    def _key(self, top: _Open, name: str, *, is_plain: bool, at: Range) -> None:
        assert top.keys is not None
        top.key = _REFUSED
        if name == "":
            self._fault("yaml-empty-key", "a key is empty", at, "write the key before the colon")
        elif name == "<<" and is_plain:
            remedy = "write the keys out; NVCF's defaults need no repetition"
            self._fault("yaml-merge-key", "merge keys (`<<`) are not accepted", at, remedy)
        elif name in top.keys:
            first = Related(message="first defined here", span=self._source.span(*top.keys[name]))
            self._fault(
                "duplicate-key",
                f"the key `{name}` is defined twice",
                at,
                "remove one of the two",
                detail="a later definition would silently replace the earlier one",
                related=(first,),
            )
        else:
            top.keys[name] = at
            top.key = (name, *at)

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        start, _ = at = _range(event)
        if event.anchor is not None or event.tag is not None:
            self._anchor_or_tag(event.anchor, at)
        if len(self._stack) >= DEEPEST:
            summary = f"the nesting is deeper than {DEEPEST}"
            self._fault("yaml-too-deep", summary, at, "flatten the document")
            raise _TooMuch
        top = self._stack[-1] if self._stack else None
        if top is not None and top.keys is not None and top.key is None:
            below = self._stack[-2] if len(self._stack) > 1 else None
            self.complex_keys.append(ComplexKey(start, below is not None and self._is_flow(below)))
            remedy = "write the key as one word or as quoted text"
            self._fault("yaml-complex-key", "a key must be a text", at, remedy)
        self._stack.append(_Open(start, {} if isinstance(event, yaml.MappingStartEvent) else None))

    def _close(self, end: int) -> None:
        done = self._stack.pop()
        if done.keys is None:
            nodes = tuple(done.nodes)
            self._add(SequenceNode(nodes, done.start, self._end(done, end)))
        else:
            self._add(MappingNode(tuple(done.entries), done.start, self._end(done, end)))

    def _end(self, done: _Open, end: int) -> int:
        """A block container's end event stands at the next token: take its last child's end."""
        if self._is_flow(done):
            return end
        if done.entries:
            return max(done.entries[-1].node.end, done.entries[-1].end)
        return max(done.nodes[-1].end, done.start) if done.nodes else done.start

    def _is_flow(self, container: _Open) -> bool:
        return self._source.parsed[container.start : container.start + 1] in ("{", "[")

    def _add(self, node: Node) -> None:
        self._count += 1
        if self._count > MOST_NODES:
            summary = f"the file has more than {MOST_NODES} values"
            self._fault(
                "yaml-too-many-nodes", summary, (node.start, node.end), "split it into files"
            )
            raise _TooMuch
        if not self._stack:
            self.roots.append(node)
            return
        top = self._stack[-1]
        if top.keys is None:
            top.nodes.append(node)
        elif top.key is None:
            top.key = _REFUSED
        else:
            if top.key is not _REFUSED:
                top.entries.append(Entry(*top.key, node))
            top.key = None

    def _alias(self, event: yaml.AliasEvent) -> None:
        at = _range(event)
        self._fault("yaml-alias", "aliases (`*name`) are not accepted", at, "write the value out")
        self._add(ScalarNode(None, *at, True))

    def _anchor_or_tag(self, anchor: str | None, at: Range) -> None:
        if anchor is not None:
            self._fault("yaml-alias", "anchors (`&name`) are not accepted", at, "remove the anchor")
        else:
            self._fault("yaml-tag", "tags (`!name`) are not accepted", at, "remove the tag")

    def _directive(self, event: yaml.DocumentStartEvent) -> None:
        if not event.tags and event.version in (None, (1, 2)):
            return
        start, _ = _range(event)
        at = (start, start)
        summary = "directives are not accepted: stacks are YAML 1.2"
        self._fault("yaml-directive", summary, at, "remove the line that begins with `%`")

    def _hidden(self, character: str, at: Range) -> None:
        code = ord(character)
        name = f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
        summary = f"the character {name} cannot be seen or reorders the text around it"
        self._fault("hidden-character", summary, at, "delete it, and retype what was pasted")

    def _too_long(self, length: int, at: Range) -> None:
        summary = f"a text of {length} characters; at most {LONGEST_SCALAR} are accepted"
        self._fault("yaml-scalar-too-long", summary, at, "shorten it, or mount it as a resource")

    def _syntax(self, error: yaml.YAMLError) -> None:
        mark, words = getattr(error, "problem_mark", None), words_for(None, None)
        if isinstance(error, yaml.MarkedYAMLError):
            words = words_for(error.context, error.problem)
            if words.at_context and error.context_mark is not None:
                mark = error.context_mark
        index = 0 if mark is None else mark.index
        self._fault("yaml-syntax", words.summary, (index, index), words.remedy)

    def _fault(
        self,
        code: str,
        summary: str,
        at: Range,
        remedy: str,
        *,
        detail: str = "",
        related: tuple[Related, ...] = (),
    ) -> None:
        self.diagnostics.append(
            Diagnostic(
                code=code,
                severity=Severity.ERROR,
                summary=summary,
                detail=detail,
                remedy=remedy,
                span=self._source.span(*at),
                related=related,
            )
        )
        if len(self.diagnostics) >= MOST_FAULTS:
            raise _TooMuch


def _range(event: yaml.Event) -> Range:
    start, end = event.start_mark, event.end_mark
    assert start is not None
    assert end is not None
    return start.index, end.index
