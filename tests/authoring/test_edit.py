"""An edited document reads as what was wanted, and every other character is where it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from nvcfplan.authoring.edit import Editor, is_same
from nvcfplan.authoring.origins import Origins
from nvcfplan.authoring.splicing import spliced
from nvcfplan.authoring.spots import Spot
from nvcfplan.located import MappingNode, SequenceNode, Source, parse_source
from tests.authoring.writing import written
from tests.budget import examples
from tests.convergence.documents import edited, stack_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from nvcfplan.located import Entry, Located, Node

DOCUMENTS = 5_000
SHARDS = 2
KEY = "chat"
TELEMETRIES = {"logsTelemetryId": "l-1", "metricsTelemetryId": "m-1", "tracesTelemetryId": "t-1"}
Json = dict[str, object]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_only_what_differs_is_changed_however_it_was_written(shard: int) -> None:
    structural = 0
    for seed in range(shard, examples(DOCUMENTS), SHARDS):
        before = _function_of(stack_of(seed, TELEMETRIES, least=1, most=1))
        after = _in_order(before, _function_of(edited(_stack(before), seed, TELEMETRIES)))
        assert isinstance(after, dict)
        text = written(_stack(before), seed)
        changed, refused = edit(text, before, after)
        assert not refused, (seed, refused)
        tree = _read(changed)
        assert is_same(tree.to_plain(), _stack(after)), (seed, text, changed)
        _keeps_the_rest(text, changed, before, after)
        structural += before.keys() != after.keys()
    assert structural > 0


@pytest.mark.parametrize(
    ("text", "wanted", "found"),
    [
        ("f: [a, b]", ["a"], "f: [a]"),
        ("f: [a, b]", ["b", "c"], "f: [b, c]"),
        ("f: [ a, b ]  # why", ["a", "b", "c"], "f: [ a, b, c ]  # why"),
        ("f: [a]", [], "f: []"),
        ("f: []", ["a"], "f: [a]"),
        ("f: {}", {"a": 1}, "f: { a: 1 }"),
        ("f: {a: 1, b: 2}", {"a": 3}, "f: {a: 3}"),
        ("f:\n  - a  # first\n  - b\n# end", ["b"], "f:\n  - b\n# end"),
        ("f:\n- a\n- b\n", ["a", "b", "c"], "f:\n- a\n- b\n- c\n"),
        ("f:\r\n  - a\r\n", ["a", "b"], "f:\r\n  - a\r\n  - b\r\n"),
        ("f:\n  - a\n  - b", ["a", "b", "c"], "f:\n  - a\n  - b\n  - c"),
        ("f:\n  - a\n  - b", ["a"], "f:\n  - a\n"),
        ("f:\n  - a\n  - b", ["a", "c"], "f:\n  - a\n  - c"),
        ("f:\n  a: 1\n  b: 2  # two\ng: 3\n", {"a": 1}, "f:\n  a: 1\ng: 3\n"),
        ("f:\n  a: 1\n", {}, "f: {}\n"),
        ("f:  # here\n  a: 1\n", {}, "f: {}  # here\n"),
        ("f:\n", {"a": "x"}, "f: { a: x }\n"),
        ("f: 'it''s'\n", "it's not", "f: 'it''s not'\n"),
        ('f: "1"\n', "2", 'f: "2"\n'),
        ("f: one\n", "1", 'f: "1"\n'),
        ("f: one\n", "a: b", 'f: "a: b"\n'),
        ("f: one\n", "yes # no", 'f: "yes # no"\n'),
        ("f: one\n", None, "f: null\n"),
        ("f: |\n  many\n  lines\ng: 1\n", "few", "f: few\ng: 1\n"),
        ("f: [\n  a,\n  b,  # why\n]\n", ["a", "c"], "f: [\n  a,\n  c,  # why\n]\n"),
        ("f: [\n  a,\n  b\n]\n", ["a", "b", "c"], "f: [\n  a,\n  b,\n  c,\n]\n"),
        ("f: [a,\n    b]\n", ["a", "b", "c"], "f: [a,\n    b,\n    c]\n"),
        (
            "f:\n  - name: a\n    version: '1'\n  - name: b\n    version: '2'\n",
            [{"name": "b", "version": "3"}],
            "f:\n  - name: b\n    version: '3'\n",
        ),
    ],
)
def test_a_value_is_changed_in_its_own_style(text: str, wanted: object, found: str) -> None:
    document = _read(text)
    plain = document.to_plain()
    assert isinstance(plain, dict)
    editor = Editor(document, Origins({}, (document,)))
    editor.change(Spot(document.root, plain, (), None), {**plain, "f": wanted})
    changed = spliced(document.source.text, editor.splices["f.yaml"])
    assert changed == found
    assert is_same(_read(changed).to_plain(), {**plain, "f": wanted})


@pytest.mark.parametrize("value", ["{{ vars.x }}", "a\u200bb", {"{% x": 1}])
def test_what_a_stack_file_would_read_otherwise_is_refused(value: object) -> None:
    text = "f: 1\n"
    document = _read(text)
    editor = Editor(document, Origins({}, (document,)))
    editor.change(Spot(document.root, {"f": 1}, (), None), {"f": value})
    (refused,) = editor.refused
    assert (refused.path, refused.span.start.column) == ("f", 4)
    assert spliced(text, editor.splices["f.yaml"]) == text


def _in_order(before: object, after: object) -> object:
    """What both have stays in its place, as who takes something over has it."""
    if isinstance(before, dict) and isinstance(after, dict):
        return {key: _in_order(before.get(key), one) for key, one in after.items()}
    if isinstance(before, list) and isinstance(after, list):
        wanted = {_identity(one): one for one in after}
        known = [name for name in map(_identity, before) if name in wanted]
        return [wanted[name] for name in dict.fromkeys((*known, *wanted))]
    return after


def _identity(one: object) -> str:
    return str(one["name"] if isinstance(one, dict) and "name" in one else one)


def edit(text: str, before: Json, after: Json) -> tuple[str, object]:
    document = _read(text)
    node = document.node(("functions", KEY))
    assert node is not None
    editor = Editor(document, Origins({}, (document,)))
    editor.change(Spot(node, before, (), None), after)
    return spliced(document.source.text, editor.splices["f.yaml"]), editor.refused


def _read(text: str) -> Located:
    parsed = parse_source(Source("f.yaml", text))
    assert parsed.diagnostics == (), (parsed.diagnostics, text)
    (document,) = parsed.documents
    return document


def _keeps_the_rest(text: str, changed: str, before: Json, after: Json) -> None:
    """Lines in which nothing stands that differs are all there, in their order."""
    document = _read(text)
    node = document.node(("functions", KEY))
    assert node is not None
    source = document.source
    touched: set[int] = set()
    for start, end in _differing(text, node, before, after):
        span = source.span(start, max(start, end - 1))
        touched |= {*range(span.start.line, span.end.line + 1)}
    lines = enumerate(text.splitlines(), start=1)
    rest = iter(changed.splitlines())
    for number, line in lines:
        assert number in touched or line in rest, (number, line, text, changed)


def _differing(text: str, node: Node, before: object, after: object) -> Iterator[tuple[int, int]]:
    """Where what differs was written, with its key."""
    if is_same(before, after):
        return
    if isinstance(node, MappingNode) and isinstance(before, dict) and isinstance(after, dict):
        is_flow = text[node.start] == "{"
        if not before.keys() & after.keys() or (is_flow and after.keys() - before.keys()):
            yield node.start, node.end
        for entry in node.entries:
            yield from _differing_entry(text, entry, before, after)
    elif isinstance(node, SequenceNode) and isinstance(before, list) and isinstance(after, list):
        if text[node.start] == "[" and any(one not in before for one in after):
            yield node.start, node.end
        for one, old in zip(node.nodes, before, strict=True):
            if old not in after:
                yield one.start, one.end
    else:
        yield node.start, node.end


def _differing_entry(
    text: str, entry: Entry, before: Json, after: Json
) -> Iterator[tuple[int, int]]:
    wanted = after.get(entry.key)
    if isinstance(entry.node, MappingNode | SequenceNode) and wanted:
        yield from _differing(text, entry.node, before[entry.key], wanted)
    elif entry.key not in after or not is_same(before[entry.key], wanted):
        yield entry.start, max(entry.end, entry.node.end)


def _function_of(document: Json) -> Json:
    functions = document["functions"]
    assert isinstance(functions, dict)
    found = functions.get(KEY) or next(iter(functions.values()))
    assert isinstance(found, dict)
    return found


def _stack(function: Json) -> Json:
    return {"apiVersion": "nvcfplan/v1", "stack": "prod", "functions": {KEY: function}}
