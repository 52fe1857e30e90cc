"""One document: rendered, validated, judged by its rules. Functions are judged one by one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic
from nvcfplan.loading.findings import Finding, located
from nvcfplan.loading.rules import findings_of
from nvcfplan.loading.stackfile import (
    UNKNOWN_KEY,
    FunctionFile,
    StackHead,
    validate_function,
    validate_head,
)
from nvcfplan.loading.templates import render
from nvcfplan.loading.wording import findings_for
from nvcfplan.located import Located, ScalarNode

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from nvcfplan.loading.variables import Variable
    from nvcfplan.located import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """`plain`: every function as written, faulty ones too. `functions`: those of the right form,
    were it not for unknown keys. `head` None: it is not of the right form.
    """

    tree: Located
    head: StackHead | None
    plain: Mapping[str, object]
    functions: Mapping[str, FunctionFile]
    diagnostics: tuple[Diagnostic, ...]


def read_document(
    tree: Located, variables: Mapping[str, Variable], known_faults: Iterable[Diagnostic]
) -> Document:
    """`known_faults` of the file: what stands at their places is not complained about again."""
    rendered = render(tree, variables)
    findings = list(rendered.findings)
    head, complaints = validate_head(rendered.plain)
    findings += findings_for(complaints, tree, ())
    plain = _functions_in(rendered.plain)
    functions: dict[str, FunctionFile] = {}
    for key, one in plain.items():
        function, complaints = validate_function(one)
        findings += findings_for(complaints, tree, ("functions", key))
        if function is None and all(complaint.kind == UNKNOWN_KEY for complaint in complaints):
            unknown = [complaint.path for complaint in complaints]
            function, _ = validate_function(_without(one, unknown))
        if function is not None:
            functions[key] = function
            findings += findings_of(key, function)
    return Document(
        tree=tree,
        head=head,
        plain=plain,
        functions=functions,
        diagnostics=_located(tree, findings, known_faults),
    )


def _without(plain: object, paths: Collection[Path]) -> object:
    """Unknown keys left out, so that a misspelt one does not keep the rules from being applied."""
    if isinstance(plain, list):
        below = {
            index: [path[1:] for path in paths if path[0] == index] for index in range(len(plain))
        }
        return [_without(one, below[index]) for index, one in enumerate(plain)]
    if not isinstance(plain, dict):
        return plain
    return {
        key: _without(one, _below(paths, key)) for key, one in plain.items() if (key,) not in paths
    }


def _below(paths: Iterable[Path], step: str | int) -> list[Path]:
    return [path[1:] for path in paths if path[0] == step]


def _functions_in(plain: object) -> Mapping[str, object]:
    functions = plain.get("functions") if isinstance(plain, dict) else None
    return functions if isinstance(functions, dict) else {}


def _located(
    tree: Located, findings: Collection[Finding], known_faults: Iterable[Diagnostic]
) -> tuple[Diagnostic, ...]:
    templates = {one.path for one in findings if one.code.startswith(("template", "undefined"))}
    faulty = {fault.span for fault in known_faults}
    found = (
        located(one, tree)
        for one in findings
        if (one.path not in templates or one.code.startswith(("template", "undefined")))
        and not (one.code == "literal-secret" and _is_given(tree, one.path))
    )
    return tuple(one for one in found if one.span not in faulty)


def _is_given(tree: Located, path: Path) -> bool:
    """The value comes from a variable, so what stands here is no literal."""
    node = tree.node(path)
    return node is None or (isinstance(node, ScalarNode) and "{{" in str(node.value))
