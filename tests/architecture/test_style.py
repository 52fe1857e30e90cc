"""The rules of the house that a machine can check: sizes, purity of calls, honest tests."""

from __future__ import annotations

import ast
import importlib
import re
from typing import TYPE_CHECKING

import pytest

import nvcfplan
from nvcfplan import errors
from tests.architecture.source import ROOT, modules, tree_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONGEST_MODULE = 400
LONGEST_FUNCTION = 60

CLOCKS_AND_DICE = frozenset(
    {
        "time.time", "time.monotonic", "time.sleep", "time.perf_counter", "datetime.now",
        "datetime.utcnow", "datetime.today", "date.today", "uuid.uuid4", "uuid4", "uuid.uuid1",
        "random.random", "random.Random", "secrets.token_hex", "os.urandom", "asyncio.sleep",
    }
)  # fmt: skip
MAY_READ_THEM = ("nvcfplan.adapters", "nvcfplan.frontends", "nvcfplan.emulator")

BANNED_NAMES = re.compile(r"(Manager|Helper|Util|Data|Info|Item|Object)$")


def _sources() -> list[Path]:
    return [module.path for module in modules()]


def _tests() -> list[Path]:
    return sorted(path for path in (ROOT / "tests").rglob("*.py"))


def _functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def _where(path: Path, node: ast.stmt | ast.expr | ast.excepthandler) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def test_no_module_is_too_long() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf-8").splitlines())
        for path in _sources()
    }
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_no_function_is_too_long() -> None:
    long = [
        f"{_where(path, node)} {node.name}"
        for path in _sources()
        for node in _functions(path)
        if (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert long == []


def test_every_module_says_what_it_answers() -> None:
    assert [str(path) for path in _sources() if not ast.get_docstring(tree_of(path))] == []


def test_every_module_postpones_annotations() -> None:
    def postpones(path: Path) -> bool:
        body = [n for n in tree_of(path).body if not isinstance(n, ast.Expr)]
        return not body or (isinstance(body[0], ast.ImportFrom) and body[0].module == "__future__")

    but = {"__main__.py"}
    assert [str(path) for path in _sources() if path.name not in but and not postpones(path)] == []


def test_no_class_has_a_name_that_says_nothing() -> None:
    named = [
        f"{_where(path, node)} {node.name}"
        for path in _sources()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef) and BANNED_NAMES.search(node.name)
    ]
    assert named == []


def test_clocks_and_dice_stand_at_the_edge() -> None:
    used = [
        f"{_where(module.path, node)} {ast.unparse(node.func)}"
        for module in modules()
        if not module.name.startswith(MAY_READ_THEM)
        for node in ast.walk(tree_of(module.path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCKS_AND_DICE
    ]
    assert used == []


def test_only_the_outermost_loop_catches_everything() -> None:
    broad = [
        _where(module.path, node)
        for module in modules()
        if module.room != "frontends"
        for node in ast.walk(tree_of(module.path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in {"Exception", "BaseException"})
    ]
    assert broad == []


def test_every_exception_to_a_check_gives_its_reason() -> None:
    pattern = re.compile(r"#\s*(?:type:\s*ignore|noqa|pragma)[^#\n]*$", re.MULTILINE)
    silent = [
        f"{path.relative_to(ROOT)}: {match.group().strip()}"
        for path in (*_sources(), *_tests(), *sorted((ROOT / "bench").rglob("*.py")))
        if path.name != "test_style.py"
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
        if not re.search(r"(\]|\d)\s+\S", match.group())
    ]
    assert silent == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    pattern = re.compile(r"pytest\.(skip|xfail|importorskip)|mark\.(skip|xfail)|SkipTest")
    evading = [
        str(path.relative_to(ROOT))
        for path in _tests()
        if path.name != "test_style.py" and pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert evading == []


def test_no_test_patches_our_own_code_or_sleeps() -> None:
    pattern = re.compile(r"unittest\.mock|monkeypatch\.setattr|\btime\.sleep\(|asyncio\.sleep\(")
    patching = [
        str(path.relative_to(ROOT))
        for path in _tests()
        if path.name != "test_style.py" and pattern.search(path.read_text(encoding="utf-8"))
    ]
    assert patching == []


def test_the_tree_of_errors_is_drawn_in_full() -> None:
    drawn = set(re.findall(r"[A-Z]\w+", (errors.__doc__ or "").split("\n\n")[1]))
    classes = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.NvcfplanError)
    }
    assert classes - drawn == set()


def test_every_error_has_its_own_code() -> None:
    classes = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.NvcfplanError)
    ]
    codes = [one.code for one in classes]
    assert sorted(codes) == sorted(set(codes))


def _faces() -> list[str]:
    return [module.name for module in modules() if module.is_package]


@pytest.mark.parametrize("package", _faces())
def test_the_public_list_is_sorted_and_resolves(package: str) -> None:
    face = importlib.import_module(package)
    names: list[str] = getattr(face, "__all__", [])
    assert names == sorted(names, key=_ruff_order)
    assert [name for name in names if not hasattr(face, name)] == []


def _ruff_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as ruff sorts `__all__`."""
    rank = 0 if name.isupper() else 1 if name[:1].isupper() else 2
    return (rank, name)


def test_the_package_names_its_version() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", nvcfplan.__version__)
    assert f'version = "{nvcfplan.__version__}"' in (ROOT / "pyproject.toml").read_text("utf-8")
