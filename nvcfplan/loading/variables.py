"""Variables of a stack: defaults in the files, overridden by what the command line gives.

Each has a typed value, and the texts it was written as: `1.10` within a text stays `1.10`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from nvcfplan.diagnostics import Diagnostic, Related, Severity
from nvcfplan.loading.findings import Finding, located
from nvcfplan.loading.wording import nearest
from nvcfplan.located import (
    Located,
    MappingNode,
    Node,
    ScalarNode,
    SequenceNode,
    Source,
    core_scalar,
    parse_source,
    to_plain,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Texts: TypeAlias = "str | dict[str, Texts] | list[Texts] | None"
"""A variable with every scalar as it was written; None for null."""
TEMPLATE_MARKS: Final = ("{{", "{%")


@dataclass(frozen=True, slots=True)
class Variable:
    """`document` is where its default was written."""

    name: str
    value: object
    texts: Texts
    document: Located


def declared_variables(
    documents: Iterable[Located],
) -> tuple[Mapping[str, Variable], tuple[Diagnostic, ...]]:
    """Of all `vars` blocks, by name. A name that stands in two of them is an error."""
    variables: dict[str, Variable] = {}
    faults: list[Diagnostic] = []
    for document in documents:
        block = document.node(("vars",))
        for entry in block.entries if isinstance(block, MappingNode) else ():
            variable = Variable(
                entry.key, to_plain(entry.node), _texts(document.source, entry.node), document
            )
            if _holds_template(variable.texts):
                faults.append(_not_plain(variable))
            if (first := variables.setdefault(entry.key, variable)) is not variable:
                faults.append(_twice(variable, first))
    return variables, tuple(faults)


def overridden(
    variables: Mapping[str, Variable], given: Sequence[tuple[str, str]]
) -> tuple[Mapping[str, Variable], tuple[Diagnostic, ...]]:
    """With the values given by name; a later one wins. A value takes the type of the default."""
    result = dict(variables)
    faults: list[Diagnostic] = []
    for name, text in given:
        default = variables.get(name)
        if default is None:
            faults.append(_unknown(name, variables))
            continue
        replacement = _converted(default, text)
        if replacement is None:
            faults.append(_mistyped(default))
        else:
            result[name] = replacement
    return result, tuple(faults)


def _converted(default: Variable, text: str) -> Variable | None:
    if default.value is None or isinstance(default.value, str):
        return Variable(default.name, text, text, default.document)
    if isinstance(default.value, list | dict):
        return _parsed(default, text)
    try:
        value = core_scalar(text)
    except ValueError:
        return None
    is_wider = isinstance(default.value, float) and type(value) is int
    if type(value) is not type(default.value) and not is_wider:
        return None
    return Variable(default.name, value, text, default.document)


def _parsed(default: Variable, text: str) -> Variable | None:
    """A list or a mapping, written as YAML."""
    parsed = parse_source(Source(f"--var {default.name}", text))
    if parsed.diagnostics or len(parsed.documents) != 1:
        return None
    (document,) = parsed.documents
    value = document.to_plain()
    if type(value) is not type(default.value):
        return None
    return Variable(default.name, value, _texts(document.source, document.root), default.document)


def _texts(source: Source, node: Node) -> Texts:
    if isinstance(node, SequenceNode):
        return [_texts(source, child) for child in node.nodes]
    if isinstance(node, MappingNode):
        return {entry.key: _texts(source, entry.node) for entry in node.entries}
    return _text(source, node)


def _text(source: Source, node: ScalarNode) -> str | None:
    if node.value is None or isinstance(node.value, str):
        return node.value
    return source.parsed[node.start : node.end]


def _holds_template(texts: Texts) -> bool:
    if isinstance(texts, str):
        return any(mark in texts for mark in TEMPLATE_MARKS)
    if isinstance(texts, dict):
        return any(_holds_template(text) for text in texts.values())
    return any(_holds_template(text) for text in texts or ())


def _not_plain(variable: Variable) -> Diagnostic:
    finding = Finding(
        code="template-in-vars",
        path=("vars", variable.name),
        summary=f"the variable `{variable.name}` holds a template",
        detail="variables do not refer to each other, so that each is known by its own line",
        remedy="write the value, or put the parts together where the variable is used",
    )
    return located(finding, variable.document)


def _twice(variable: Variable, first: Variable) -> Diagnostic:
    path = ("vars", variable.name)
    return Diagnostic(
        code="duplicate-variable",
        severity=Severity.ERROR,
        summary=f"the variable `{variable.name}` is defined twice",
        remedy="remove one of the two",
        span=variable.document.key_span(path),
        related=(Related(message="first defined here", span=first.document.key_span(path)),),
    )


def _unknown(name: str, variables: Iterable[str]) -> Diagnostic:
    meant = nearest(name, variables)
    return Diagnostic(
        code="unknown-variable",
        severity=Severity.ERROR,
        summary=f"the stack has no variable `{name}`"
        + (f"; did you mean `{meant}`?" if meant else ""),
        detail="only variables with a default under `vars` can be set",
        remedy=f"set `{meant}`" if meant else f"add `{name}` under `vars`, or do not set it",
    )


def _mistyped(default: Variable) -> Diagnostic:
    kinds = {bool: "true or false", int: "a whole number", float: "a number", list: "a list"}
    wanted = kinds.get(type(default.value), "a mapping")
    return Diagnostic(
        code="variable-type",
        severity=Severity.ERROR,
        summary=f"the value given for the variable `{default.name}` must be {wanted}",
        detail="a variable keeps the type of its default",
        remedy=f"give {wanted}" + (" written as YAML" if wanted[-1] in "tg" else ""),
        related=(
            Related(message="the default", span=default.document.span(("vars", default.name))),
        ),
    )
