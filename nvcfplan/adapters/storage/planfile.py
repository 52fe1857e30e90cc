"""Saved plans and snapshots: bytes in, bytes out, whole or not at all.

What they say is `documents`' matter; where they come from is nobody's promise.
"""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.files import replace_file
from nvcfplan.errors import DocumentError, StoreError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 64 * 1024 * 1024


def write_plan(path: Path, content: bytes) -> None:
    """Mode 0600; what stood there stays until the new one is whole. Raises: StoreError."""
    if path.exists() and not path.is_file():
        raise StoreError(
            f"{path} is not a regular file", remedy="give -out the name of a file to be made"
        )
    replace_file(path, content)


def write_page(path: Path, content: bytes) -> None:
    """As `write_plan`: a report tells of an account what not everybody on the machine may know."""
    if path.exists() and not path.is_file():
        raise StoreError(
            f"{path} is not a regular file", remedy="give -report the name of a file to be made"
        )
    replace_file(path, content)


def write_metrics(path: Path, content: bytes) -> None:
    """Whole at any moment, and for a collector of another user's to read. Raises: StoreError."""
    if path.exists() and not path.is_file():
        raise StoreError(
            f"{path} is not a regular file",
            remedy="give -metrics-file the name of a file to be made",
        )
    replace_file(path, content, mode=0o644)


def read_plan(path: Path, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Raises: DocumentError, when there is no such file, or it cannot be a plan."""
    try:
        return _content(path, most_bytes)
    except _Unfit as why:
        raise DocumentError(
            f"{path} cannot be read as a saved plan: {why}",
            remedy="make one with `nvcfplan plan -out=FILE`",
        ) from why


def read_snapshot(path: Path) -> bytes:
    """Raises: DocumentError, when there is no such file, or it cannot be a snapshot."""
    try:
        return _content(path, MOST_BYTES)
    except _Unfit as why:
        raise DocumentError(
            f"{path} cannot be read as a snapshot: {why}",
            remedy="take one with `nvcfplan snapshot -out=FILE`",
        ) from why


class _Unfit(Exception):
    """Why a file is not read, in words."""


def _content(path: Path, most_bytes: int) -> bytes:
    """A pipe or a device is never waited for. Raises: _Unfit."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not a path"
        raise _Unfit(why) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _Unfit("it is not a regular file")
        if status.st_size > most_bytes:
            raise _Unfit(f"it is larger than {most_bytes // 1_048_576} MiB")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(most_bytes + 1)
    except OSError as error:
        raise _Unfit(os.strerror(error.errno or 0)) from error
    finally:
        os.close(descriptor)
    if not content or len(content) > most_bytes:
        raise _Unfit("it is empty" if not content else "it is too large")
    return content
