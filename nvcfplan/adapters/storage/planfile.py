"""Saved plans: bytes in, bytes out, whole or not at all. What they say is `documents`' matter."""

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
    """Mode 0600; what stood there stays until the new plan is whole. Raises: StoreError."""
    if path.exists() and not path.is_file():
        raise StoreError(
            f"{path} is not a regular file", remedy="give -out the name of a file to be made"
        )
    replace_file(path, content)


def read_plan(path: Path) -> bytes:
    """Raises: DocumentError, when there is no such file, or it cannot be a plan."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except (OSError, ValueError) as error:
        why = os.strerror(error.errno or 0) if isinstance(error, OSError) else "not a path"
        raise _not_a_plan(path, why) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise _not_a_plan(path, "it is not a regular file")
        if status.st_size > MOST_BYTES:
            raise _not_a_plan(path, f"it is larger than {MOST_BYTES // 1_048_576} MiB")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise _not_a_plan(path, os.strerror(error.errno or 0)) from error
    finally:
        os.close(descriptor)
    if not content or len(content) > MOST_BYTES:
        raise _not_a_plan(path, "it is empty" if not content else "it is too large")
    return content


def _not_a_plan(path: Path, why: str) -> DocumentError:
    return DocumentError(
        f"{path} cannot be read as a saved plan: {why}",
        remedy="make one with `nvcfplan plan -out=FILE`",
    )
