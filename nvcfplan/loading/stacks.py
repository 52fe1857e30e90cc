"""From files to a desired stack, with every fault that can be found, at once.

The stack and its digest do not depend on the order of files, nor on that of the keys in them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Checked, Diagnostic, Severity, has_errors, sort_key
from nvcfplan.loading.files import StackFiles, read_files
from nvcfplan.loading.naming import stack_name
from nvcfplan.loading.secrecy import concealed_ranges
from nvcfplan.loading.variables import Variable, declared_variables, overridden
from nvcfplan.located import Located, MappingNode, Parsed, Place, ScalarNode, SourceMap
from nvcfplan.model import Digest, Stack, function_address, specification_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.loading.reading import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSource:
    """`paths`: files or directories; none: the current directory. `variables`: a later one wins."""

    paths: tuple[Path, ...]
    environment: str = "default"
    variables: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """How it was written: `functions` by key, each as plain values with its templates replaced.

    `variables`: their defaults, as the files have them.
    """

    documents: tuple[Located, ...]
    functions: Mapping[str, tuple[Located, object]]
    variables: Mapping[str, Variable]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedStack:
    """`root`: the directory that holds the files. `inputs`: digest of all but secret values."""

    stack: Stack
    sources: SourceMap
    root: Path
    inputs: Digest
    written: Written


@dataclass(frozen=True, slots=True, kw_only=True)
class StackReading:
    """The stack, and the sources that its diagnostics point into, also when there is no stack.

    `name`: what it is called; empty where that cannot be told.
    """

    stack: Checked[LoadedStack]
    sources: SourceMap
    root: Path
    name: str
    environment: str


def load_stack(request: StackSource) -> Checked[LoadedStack]:
    return read_stack(request).stack


def read_stack(
    request: StackSource, instead: Mapping[str, bytes] = MappingProxyType({})
) -> StackReading:
    """Nothing but files is read: no network, no environment, no secret.

    `instead`: what files are taken to hold, by name, in place of what they do.
    """
    from nvcfplan.loading.merging import environment_faults, inputs_digest, merge_faults, merged

    files = read_files(request.paths, instead)
    documents, faults = _documents(files, request)
    faults += merge_faults(documents, is_complete=files.is_complete)
    faults += environment_faults(request.environment)
    diagnostics = tuple(sorted(faults, key=sort_key))
    sources = SourceMap(files.files, _places(files.files), concealed_ranges)
    loaded = None
    if not has_errors(diagnostics):
        stack = merged(documents, request.environment)
        loaded = LoadedStack(
            stack=stack,
            sources=sources,
            root=files.root,
            inputs=inputs_digest(documents, stack),
            written=_written(documents),
        )
    return StackReading(
        stack=Checked(loaded, diagnostics),
        sources=sources,
        root=files.root,
        name=loaded.stack.name if loaded else stack_name(files.files),
        environment=request.environment,
    )


def _written(documents: Sequence[Document]) -> Written:
    trees = tuple(one.tree for one in documents)
    return Written(
        documents=trees,
        functions={key: (one.tree, plain) for one in documents for key, plain in one.plain.items()},
        variables=declared_variables(trees)[0],
    )


def _documents(
    files: StackFiles, request: StackSource
) -> tuple[Sequence[Document], list[Diagnostic]]:
    """Documents that hold something, read with the variables of all; and what is wrong so far."""
    from nvcfplan.loading.reading import read_document

    faults = list(files.diagnostics)
    trees = [tree for one in files.files for tree in one.documents if not _is_blank(tree)]
    faults += [_empty(one) for one in files.files if _is_empty(one)]
    declared, more = declared_variables(trees)
    faults += more
    variables, more = overridden(declared, request.variables)
    faults += [one for one in more if files.is_complete or one.code != "unknown-variable"]
    documents = [read_document(tree, variables, files.diagnostics) for tree in trees]
    faults += [fault for one in documents for fault in one.diagnostics]
    return documents, faults


def _is_blank(tree: Located) -> bool:
    return isinstance(tree.root, ScalarNode) and tree.root.value is None


def _is_empty(parsed: Parsed) -> bool:
    return not has_errors(parsed.diagnostics) and all(_is_blank(one) for one in parsed.documents)


def _empty(parsed: Parsed) -> Diagnostic:
    return Diagnostic(
        code="empty-file",
        severity=Severity.ERROR,
        summary="the file is empty",
        remedy="begin it with `apiVersion: nvcfplan/v1`, or leave it out of the stack",
        span=parsed.source.span(0, 0),
    )


def _places(files: Sequence[Parsed]) -> Mapping[str, Sequence[Place]]:
    """Where each address is written; the stack itself, in every document."""
    trees = [tree for one in files for tree in one.documents if not _is_blank(tree)]
    places: dict[str, Sequence[Place]] = {"": [Place(tree, ()) for tree in trees]}
    for tree in trees:
        functions = tree.node(("functions",))
        for entry in functions.entries if isinstance(functions, MappingNode) else ():
            path = ("functions", entry.key)
            places.setdefault(function_address(entry.key), [Place(tree, path)])
            below = (*path, "deployment", "specifications")
            specifications = Located(tree.source, entry.node).node(below[2:])
            for one in specifications.entries if isinstance(specifications, MappingNode) else ():
                address = specification_address(entry.key, one.key)
                places.setdefault(address, [Place(tree, (*below, one.key))])
    return places
