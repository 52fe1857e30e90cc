"""Reads our own source as data: which module imports what, how long it is, what it calls."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "nvcfplan"

ROOMS_OF_ONE_FOLDER_EACH = frozenset({"adapters"})
"""Packages whose subfolders are rooms of their own: `adapters/nvcf`."""


@dataclass(frozen=True, slots=True)
class Import:
    """`target` is the module's full name; `line` where the statement begins."""

    module: Module
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.module.path.relative_to(ROOT)}:{self.line} imports {self.target}"


@dataclass(frozen=True, slots=True)
class Module:
    """`name` is dotted; a package's `__init__` has the package's name."""

    name: str
    path: Path
    is_package: bool

    @property
    def room(self) -> str:
        return room_of(self.name)


@cache
def modules() -> tuple[Module, ...]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found.append(Module(name, path, is_package))
    return tuple(found)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


@cache
def imports() -> tuple[Import, ...]:
    """Every import statement, those under TYPE_CHECKING and inside functions too."""
    return tuple(
        Import(module, target, node.lineno)
        for module in modules()
        for node in ast.walk(tree_of(module.path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for target in _targets(node, module)
    )


def targets_of(path: Path) -> tuple[str, ...]:
    """What a file imports, by full name: `package.name` for each name taken from one."""
    return tuple(
        f"{node.module}.{alias.name}" if isinstance(node, ast.ImportFrom) else alias.name
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    )


@cache
def module_names() -> frozenset[str]:
    return frozenset(module.name for module in modules())


def room_of(name: str) -> str:
    """`nvcfplan.model.stack` is in `model`; the package itself is in `nvcfplan`."""
    parts = name.split(".")
    if parts[0] != "nvcfplan" or len(parts) == 1:
        return parts[0]
    if parts[1] == "__main__":
        return "nvcfplan"
    if parts[1] in ROOMS_OF_ONE_FOLDER_EACH and len(parts) > 2:
        return "/".join(parts[1:3])
    return parts[1]


def _targets(node: ast.Import | ast.ImportFrom, module: Module) -> tuple[str, ...]:
    if isinstance(node, ast.Import):
        return tuple(alias.name for alias in node.names)
    assert node.level == 0, f"{module.path}:{node.lineno}: relative imports hide the room"
    base = node.module or ""
    return tuple(sorted({_module_named(base, alias.name) for alias in node.names}))


def _module_named(base: str, name: str) -> str:
    """`from nvcfplan.adapters.nvcf import client` means the module, unless the face names it so."""
    dotted = f"{base}.{name}"
    return dotted if dotted in module_names() and name not in _face_of(base) else base


@cache
def _face_of(package: str) -> frozenset[str]:
    """The names in the package's `__all__`."""
    found = next((one for one in modules() if one.name == package and one.is_package), None)
    for node in tree_of(found.path).body if found else ():
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return frozenset(ast.literal_eval(node.value))
    return frozenset()
