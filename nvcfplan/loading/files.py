"""From paths to parsed files: which files belong to the stack, and what could not be read of them.

Files are named as the user named them, so that a message can be followed with a click.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.loading.mending import parse_mending
from nvcfplan.located import MOST_BYTES, Parsed, Source, decode_source

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

MOST_STACK_BYTES: Final = 64 * 1024 * 1024
_SUFFIXES: Final = frozenset({".yaml", ".yml"})


@dataclass(frozen=True, slots=True)
class StackFiles:
    """`root`: the directory that holds them all. Files are sorted by name.

    `is_complete`: all documents of all files are there, if not all without fault.
    """

    files: tuple[Parsed, ...]
    root: Path
    is_complete: bool
    diagnostics: tuple[Diagnostic, ...]


def read_files(paths: Iterable[Path], instead: Mapping[str, bytes]) -> StackFiles:
    """Directories stand for the YAML files in them, not for those further down.

    `instead`: what is taken to stand in files, by name.
    """
    given = tuple(paths) or (Path(),)
    faults: list[Diagnostic] = []
    found: dict[str, Path] = {}
    for path in given:
        for one in _files_of(path, faults):
            found.setdefault(os.path.realpath(one), one)
    parsed: list[Parsed] = []
    left = MOST_STACK_BYTES
    for path in sorted(found.values(), key=str):
        content = instead.get(str(path)) or _content(path, faults)
        if content is None:
            continue
        left -= len(content)
        if left < 0:
            faults.append(_stack_too_large())
            break
        parsed.append(_parsed(content, path))
    is_complete = not faults and all(one.documents or not one.diagnostics for one in parsed)
    faults += [fault for one in parsed for fault in one.diagnostics]
    return StackFiles(tuple(parsed), _root(given), is_complete, tuple(faults))


def _files_of(path: Path, faults: list[Diagnostic]) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    try:
        names = sorted(os.listdir(path))
    except OSError as error:
        faults.append(_unreadable(path, error))
        return
    files = [
        path / name
        for name in names
        if Path(name).suffix in _SUFFIXES and not name.startswith(".") and (path / name).is_file()
    ]
    if not files:
        faults.append(
            _fault(
                "no-stack-files",
                f"{path}: the directory has no YAML files",
                "name a file, or a directory with `*.yaml` or `*.yml` files in it",
            )
        )
    yield from (one for one in files if not _leads_away(one, path, faults))


def _leads_away(file: Path, directory: Path, faults: list[Diagnostic]) -> bool:
    """A link that nobody named could show any file of the machine in a message, and on a request:
    who wrote the stack need not be who plans it.
    """
    target = os.path.realpath(file)
    if Path(target).is_relative_to(os.path.realpath(directory)):
        return False
    faults.append(
        _fault(
            "file-outside-stack",
            f"{file}: this link leads out of the stack's directory",
            "copy the file into it, or name the file itself beside the directory",
        )
    )
    return True


def _content(path: Path, faults: list[Diagnostic]) -> bytes | None:
    """At most one byte more than is allowed; a pipe or a device is never opened."""
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            faults.append(
                _fault("file-unreadable", f"{path}: this is no regular file", "name a YAML file")
            )
            return None
        with path.open("rb") as stream:
            return stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        faults.append(
            _fault(
                "stack-not-found",
                f"{path}: no such file or directory",
                "check the path; it is relative to the directory you are in",
            )
        )
    except OSError as error:
        faults.append(_unreadable(path, error))
    return None


def _parsed(content: bytes, path: Path) -> Parsed:
    decoded = decode_source(content, str(path))
    if decoded.value is None:
        return Parsed(Source(str(path), ""), (), decoded.diagnostics)
    return parse_mending(decoded.value)


def _root(given: Iterable[Path]) -> Path:
    directories = [path if path.is_dir() else path.parent for path in given]
    if len(directories) == 1:
        return directories[0]
    return Path(os.path.commonpath([directory.absolute() for directory in directories]))


def _unreadable(path: Path, error: OSError) -> Diagnostic:
    reason = error.strerror or type(error).__name__
    return _fault("file-unreadable", f"{path}: {reason}", "check the path and its permissions")


def _stack_too_large() -> Diagnostic:
    return _fault(
        "stack-too-large",
        f"the files of the stack have more than {MOST_STACK_BYTES} bytes",
        "split it into several stacks",
    )


def _fault(code: str, summary: str, remedy: str) -> Diagnostic:
    return Diagnostic(code=code, severity=Severity.ERROR, summary=summary, remedy=remedy)
