"""Documents: every span points at the text it names, however it was written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from nvcfplan.located import (
    Located,
    MappingNode,
    Node,
    Path,
    ScalarNode,
    Source,
    load_documents,
    parse_source,
)
from tests.budget import examples

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.diagnostics import Span

WORDS = st.text("abcdefgé😀ß-_. 0123456789", min_size=1, max_size=8)
SCALARS = (
    WORDS
    | st.integers(-999, 999)
    | st.booleans()
    | st.none()
    | st.floats(0, 9).map(lambda number: round(number, 2))
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)


def written(value: object, draw: st.DrawFn, indent: int = 0) -> str:
    """YAML, in a style drawn at random for each part; begins on the line of its key."""
    is_block = draw(st.booleans()) and indent >= 0
    pad = "\n" + " " * max(indent, 0)
    gap = draw(st.sampled_from(["", "  # é: {}", "\n# 😀"])) if is_block else ""
    if isinstance(value, dict) and value:
        pairs = [
            (_scalar(key, draw), written(one, draw, indent + 2 if is_block else -1))
            for key, one in value.items()
        ]
        if is_block:
            return gap + "".join(f"{pad}{key}: {one}" for key, one in pairs)
        return "{ " + ", ".join(f"{key}: {one}" for key, one in pairs) + " }"
    if isinstance(value, list) and value:
        if is_block:
            inner = [written(one, draw, -1) for one in value]
            return gap + "".join(f"{pad}- {one}" for one in inner)
        return "[" + ", ".join(written(one, draw, -1) for one in value) + "]"
    return _scalar(value, draw)


def _scalar(value: object, draw: st.DrawFn) -> str:
    if not isinstance(value, str):
        return json.dumps(value)
    if draw(st.booleans()):
        return "'" + value.replace("'", "''") + "'"
    # JSON writes what is beyond 16 bits as two escapes, which YAML does not join.
    return json.dumps(value, ensure_ascii=max(value) < "\U00010000" and draw(st.booleans()))


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, object]:
    value = draw(st.dictionaries(WORDS, TREES, min_size=1, max_size=5))
    text = "".join(f"{_scalar(key, draw)}: {written(one, draw, 2)}\n" for key, one in value.items())
    return draw(st.sampled_from(["", "\ufeff", "# 😀\n", "\r\n"])) + text, value


def nodes(node: Node, path: Path = ()) -> Iterator[tuple[Path, Node]]:
    yield path, node
    if isinstance(node, MappingNode):
        for entry in node.entries:
            yield from nodes(entry.node, (*path, entry.key))
    elif not isinstance(node, ScalarNode):
        for index, child in enumerate(node.nodes):
            yield from nodes(child, (*path, index))


def covered(text: str, span: Span) -> str:
    """By bytes; and lines and columns must say the same."""
    covered_text = text.encode()[span.start.byte : span.end.byte].decode()
    for position in (span.start, span.end):
        before = text.encode()[: position.byte].decode().removeprefix("\ufeff")
        lines = before.replace("\r\n", "\n").split("\n")
        assert (position.line, position.column) == (len(lines), len(lines[-1]) + 1)
    return covered_text


def read_alone(text: str) -> object:
    checked = load_documents(text, "alone")
    assert checked.value is not None
    return checked.value[0].to_plain() if checked.value else None


def only_document(text: str) -> Located:
    checked = load_documents(text, "f.yaml")
    assert checked.value is not None, checked.diagnostics
    (document,) = checked.value
    return document


@settings(max_examples=examples(1000))
@given(documents())
def test_every_span_points_at_the_text_it_names(drawn: tuple[str, object]) -> None:
    text, value = drawn
    document = only_document(text)
    assert document.to_plain() == value
    for path, node in nodes(document.root):
        span = document.source.span(node.start, node.end)
        if isinstance(node, ScalarNode) or covered(text, span)[:1] in ("{", "["):
            assert read_alone(covered(text, span)) == _at(value, path)
        if path and isinstance(path[-1], str):
            assert read_alone(covered(text, document.key_span(path))) == path[-1]


def _at(value: object, path: Path) -> object:
    for step in path:
        assert isinstance(value, dict | list)
        value = value[step]  # type: ignore[index]  # a path holds the steps that fit its tree
    return value


@settings(max_examples=examples(500))
@given(documents(), WORDS)
def test_what_is_missing_points_at_the_nearest_key_above(
    drawn: tuple[str, object], missing: str
) -> None:
    text, _ = drawn
    document = only_document(text)
    for path, node in nodes(document.root):
        if isinstance(node, MappingNode) and path and node.entry(missing) is None:
            assert document.span((*path, missing)) == document.key_span(path)


@settings(max_examples=examples(500))
@given(documents(), st.lists(st.integers(0, 200), max_size=5))
def test_insertions_move_no_position(drawn: tuple[str, object], places: list[int]) -> None:
    """Spaces put in before line breaks change nothing but offsets."""
    text, value = drawn
    source = Source("f.yaml", text)
    ends = [index for index, character in enumerate(source.text) if character == "\n"]
    chosen = sorted({ends[place % len(ends)] for place in places})
    moved = parse_source(source.with_insertions([(index, " ") for index in chosen]))
    assert moved.diagnostics == ()
    (document,) = moved.documents
    plain = only_document(text)
    assert document.to_plain() == value
    for path, _ in nodes(plain.root):
        assert document.span(path) == plain.span(path)
        assert document.key_span(path) == plain.key_span(path)
