"""Where a run comes from, for whoever reads its history: the commit, and the page of the CI job.

The repository's files are read as they lie; git itself is not run, so neither are its hooks.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_REFERENCE: Final = re.compile(r"refs/[^\s\\]{1,250}")
_MOST_BYTES: Final = 16 * 1024 * 1024
_PAGES: Final = ("CI_JOB_URL", "BUILD_URL", "CIRCLE_BUILD_URL", "BUILDKITE_BUILD_URL")


def commit_of(directory: Path) -> str:
    """What is checked out in the repository that `directory` stands in; empty: there is none.

    What is changed and not committed cannot be told.
    """
    for place in (one / ".git" for one in (directory.resolve(), *directory.resolve().parents)):
        if place.is_dir() or place.is_file():
            return _checked_out(place)
    return ""


def job_page(environment: Mapping[str, str]) -> str:
    """Empty outside of CI."""
    found = next((environment[one] for one in _PAGES if environment.get(one)), "")
    parts = [environment.get(f"GITHUB_{one}", "") for one in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    if not found and all(parts):
        found = f"{parts[0]}/{parts[1]}/actions/runs/{parts[2]}"
    return found if found.startswith(("https://", "http://")) else ""


def _checked_out(place: Path) -> str:
    """`place` is a directory, or a file that names one: of a linked worktree, or a submodule."""
    home = place
    if place.is_file():
        named = _text(place).removeprefix("gitdir:").strip()
        home = place.parent / named
    shared = _text(home / "commondir").strip()
    homes = (home, home / shared) if shared else (home,)
    head = _text(home / "HEAD").strip()
    for _ in range(5):  # one reference may name another
        if _COMMIT.fullmatch(head):
            return head
        name = head.removeprefix("ref:").strip()
        if not _REFERENCE.fullmatch(name) or ".." in name:
            return ""
        head = next((found for one in homes if (found := _loose_or_packed(one, name))), "")
    return ""


def _loose_or_packed(home: Path, name: str) -> str:
    loose = _text(home / name).strip()
    if loose:
        return loose
    for line in _text(home / "packed-refs").splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name:
            return commit
    return ""


def _text(path: Path) -> str:
    """Empty where it cannot be read."""
    try:
        if path.stat().st_size > _MOST_BYTES:
            return ""
        return path.read_text("utf-8", "replace")
    except (OSError, ValueError):
        return ""
