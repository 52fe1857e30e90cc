"""Notices of running applies, beside the states of all stacks that share a directory.

<root>/.nvcfplan/accounts/<account>/
    <stack>@<env>.json   what that stack's run still will take
    number  lock         how many runs have published; held for each operation
A notice counts as long as its run holds its stack: the lease says so, and nobody else.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.files import (
    exclusive,
    make_directory,
    read_file,
    replace_file,
    store_errors,
)
from nvcfplan.adapters.storage.lease_files import lease_of, require
from nvcfplan.adapters.storage.local import STACK, LocalStore
from nvcfplan.applying import Lease, Notice, NoticeBoard
from nvcfplan.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MOST_BYTES: Final = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class _Written:
    epoch: int
    number: int
    content: str


class LocalBoard(NoticeBoard):
    """`root`: the store's."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._store = LocalStore(root)

    async def publish(self, account: str, lease: Lease, content: bytes) -> int:
        require(self._store.directory(lease.stack), lease)
        directory = self._directory(account)
        make_directory(directory)
        async with exclusive(directory / "lock"):
            path = directory / f"{lease.stack}.json"
            before = _read(path)
            is_same = before is not None and before.epoch == lease.epoch
            number = before.number if before and is_same else _next_number(directory)
            fields = {"epoch": lease.epoch, "number": number, "content": content.decode("utf-8")}
            replace_file(path, json.dumps(fields, sort_keys=True).encode("utf-8") + b"\n")
            return number

    async def withdraw(self, account: str, lease: Lease) -> None:
        """Also ends well when there is nothing, or it is another run's."""
        directory = self._directory(account)
        path = directory / f"{lease.stack}.json"
        found = _read(path)
        if found is None or found.epoch != lease.epoch:
            return
        async with exclusive(directory / "lock"):
            with store_errors(path, "remove"):
                path.unlink(missing_ok=True)

    async def notices(self, account: str) -> Sequence[Notice]:
        directory = self._directory(account)
        with store_errors(directory, "read"):
            paths = sorted(directory.glob("*.json"))
        found = [
            Notice(stack=path.stem, number=one.number, content=one.content.encode("utf-8"))
            for path in paths
            if STACK.fullmatch(path.stem)
            and (one := _read(path)) is not None
            and self._is_under_way(path.stem, one.epoch)
        ]
        return tuple(sorted(found, key=lambda one: one.number))

    def _is_under_way(self, stack: str, epoch: int) -> bool:
        record = lease_of(self._store.directory(stack))
        return record is not None and record.epoch == epoch and not record.process.is_known_dead()

    def _directory(self, account: str) -> Path:
        name = hashlib.sha256(account.encode("utf-8")).hexdigest()[:32]
        return self._root / ".nvcfplan" / "accounts" / name


def _next_number(directory: Path) -> int:
    content = read_file(directory / "number", most_bytes=64) or b"0"
    number = (int(content) if content.strip().isdigit() else 0) + 1
    replace_file(directory / "number", b"%d\n" % number)
    return number


def _read(path: Path) -> _Written | None:
    """Raises: StoreError, also for what does not read: it could be a claim."""
    content = read_file(path, most_bytes=_MOST_BYTES)
    if content is None:
        return None
    try:
        found = _Written(**json.loads(content))
    except (ValueError, TypeError, RecursionError):
        raise _unreadable(path) from None
    if type(found.epoch) is not int or type(found.number) is not int:
        raise _unreadable(path)
    if not isinstance(found.content, str):
        raise _unreadable(path)
    return found


def _unreadable(path: Path) -> StoreError:
    return StoreError(
        f"{path} does not read",
        detail="it says what a running apply of another stack still will take",
        remedy=f"when no other nvcfplan is at work on {path.stem}, remove it",
    )
