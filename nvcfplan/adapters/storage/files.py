"""Files that survive a power cut and are nobody else's: atomic writes, bounded reads, locks.

Every failure of the disk becomes a `StoreError` that names the path and what to do.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import stat
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

_LOCK_ATTEMPTS: Final = 500
_LOCK_PAUSE_SECONDS: Final = 0.02
_READ = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


def read_file(path: Path, *, most_bytes: int) -> bytes | None:
    """None: there is no such file. Raises: StoreError."""
    with store_errors(path, "read"):
        try:
            descriptor = os.open(path, _READ)
        except FileNotFoundError:
            return None
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise StoreError(f"{path} is not a regular file", remedy="move it away")
            if status.st_size > most_bytes:
                raise StoreError(
                    f"{path} is larger than {most_bytes // 1_048_576} MiB",
                    remedy="it was not written by nvcfplan: move it away",
                )
            return _whole(descriptor)
        finally:
            os.close(descriptor)


def replace_file(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """All or nothing, durable on return. Raises: StoreError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    with store_errors(path, "write"):
        try:
            descriptor = os.open(temporary, _CREATE | os.O_TRUNC, mode)
            try:
                os.fchmod(descriptor, mode)
                write_whole(descriptor, content)
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            os.replace(temporary, path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_directory(path.parent)


def open_to_append(path: Path) -> int:
    """A descriptor, positioned nowhere: the caller says where it writes. Raises: StoreError."""
    with store_errors(path, "write"):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)


def write_whole(descriptor: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def make_directory(path: Path) -> None:
    """Ours alone (0700), with its parents. Raises: StoreError, when others may write in it."""
    with store_errors(path, "make"):
        for missing in reversed([one for one in (path, *path.parents) if not one.exists()]):
            try:
                missing.mkdir(mode=0o700)
            except FileExistsError:
                continue
            sync_directory(missing.parent)
        mode = path.stat().st_mode
    if mode & stat.S_IWOTH:
        raise StoreError(
            f"{path} may be written by everybody on this machine",
            detail="state that others can change is not believed",
            remedy=f"chmod 700 {path}",
        )


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@asynccontextmanager
async def exclusive(path: Path) -> AsyncIterator[None]:
    """One at a time, between processes too; the system frees it when a process dies.

    Raises: StoreError, when another holds it for ten seconds: such an operation takes milliseconds.
    """
    with store_errors(path, "lock"):
        descriptor = os.open(path, _CREATE, 0o600)
    try:
        for _ in range(_LOCK_ATTEMPTS):
            with store_errors(path, "lock"):
                is_ours = try_lock(descriptor)
            if is_ours:
                break
            await asyncio.sleep(_LOCK_PAUSE_SECONDS)
        else:
            raise StoreError(
                f"{path} has been locked by another process for ten seconds",
                detail="no operation on the state takes that long: the process may be stopped",
                remedy="look for a stopped nvcfplan (Ctrl-Z) and end it",
            )
        yield
    finally:
        os.close(descriptor)


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EAGAIN, errno.EACCES):
            return False
        raise
    return True


@contextmanager
def store_errors(path: Path, doing: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"cannot {doing} {path}: {os.strerror(error.errno or 0)}",
            remedy=_remedy(error.errno, path),
        ) from error


def _remedy(number: int | None, path: Path) -> str:
    match number:
        case errno.ENOSPC | errno.EDQUOT:
            return "make room on the disk, then go on with `nvcfplan resume`"
        case errno.EACCES | errno.EPERM:
            return f"run as the owner of {path}, or correct its permissions"
        case errno.EROFS:
            return "the file system is read-only: run from a directory that can be written"
        case errno.ELOOP:
            return "a symbolic link stands there: put the file itself in its place"
        case _:
            return "check the path and the disk"


def _whole(descriptor: int) -> bytes:
    parts = bytearray()
    while part := os.read(descriptor, 1_048_576):
        parts += part
    return bytes(parts)
