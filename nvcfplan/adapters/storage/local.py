"""The `StateStore` port on this machine's disk.

<root>/.nvcfplan/state/<stack>@<env>/
    state.json  memory.json   the documents, as they were given
    history/                  what they replaced; their number makes the token
    lease.json  epoch         who holds the stack, and how often it has been held
    journal/<run>.jsonl       one framed record a line
    lock                      held by the system's lock for each operation, never removed
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.files import (
    exclusive,
    make_directory,
    open_to_append,
    read_file,
    replace_file,
    store_errors,
    sync_directory,
    try_lock,
    write_whole,
)
from nvcfplan.adapters.storage.framing import Damaged, Framed, frame, unframe
from nvcfplan.adapters.storage.leases import LeaseRecord, Process, decode_lease
from nvcfplan.applying import Document, Lease, StateStore, Stored
from nvcfplan.errors import (
    JournalCorrupt,
    LeaseLostError,
    LockHeld,
    StateConflict,
    StateCorrupt,
    StoreError,
)
from nvcfplan.model import RunId, Token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

MOST_BYTES: Final = 256 * 1024 * 1024
KEPT: Final = {Document.STATE: 50, Document.MEMORY: 1}
"""How many replaced documents stay in `history/`."""

_STACK = re.compile(r"[a-z][a-z0-9-]{0,39}@[a-z][a-z0-9-]{0,39}")
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}")


@dataclass(slots=True)
class _OpenJournal:
    descriptor: int
    records: int
    length: int


class LocalStore(StateStore):
    """`root` is the directory of the stack's files. `now` dates a lease, for people to read."""

    def __init__(
        self, root: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._root = root
        self._now = now
        self._journals: dict[tuple[str, RunId], _OpenJournal] = {}

    def close(self) -> None:
        """Lets go of open journals; what was appended is durable already."""
        for journal in self._journals.values():
            os.close(journal.descriptor)
        self._journals.clear()

    def directory(self, stack: str) -> Path:
        if not _STACK.fullmatch(stack):
            raise StoreError(
                f"{stack!a} is not NAME@ENVIRONMENT",
                remedy="names begin with a letter and hold letters, digits and hyphens",
            )
        return self._root / ".nvcfplan" / "state" / stack

    async def read(self, stack: str, document: Document) -> Stored | None:
        """Takes no lock, so that a read-only copy can be planned from.

        A write in between can only give a token that no later write accepts.
        """
        return _stored(self.directory(stack), document)

    async def write(
        self,
        stack: str,
        document: Document,
        content: bytes,
        *,
        expected: Token | None,
        lease: Lease | None,
    ) -> Token:
        """The state is not written beside a lease that another holds.

        Raises: StateConflict, LeaseLostError, LockHeld, StoreError.
        """
        directory = self._prepared(stack)
        async with exclusive(directory / "lock"):
            if lease is not None:
                self._require(directory, lease)
            elif document is Document.STATE:
                self._refuse_held(directory)
            stored = _stored(directory, document)
            found = None if stored is None else stored.token
            if found != expected:
                raise _conflict(directory, document)
            if stored is not None:
                _keep(directory, document, stored)
            replace_file(_path(directory, document), content)
            return _token(directory, document, content)

    async def acquire(self, stack: str, owner: str, ttl_seconds: int) -> Lease:
        """A lease whose process is known to be dead is taken over at once.

        Raises: LockHeld, StoreError.
        """
        directory = self._prepared(stack)
        async with exclusive(directory / "lock"):
            self._refuse_held(directory)
            epoch = _last_epoch(directory) + 1
            replace_file(directory / "epoch", b"%d\n" % epoch)
            record = LeaseRecord(
                epoch=epoch,
                owner=owner,
                token=secrets.token_hex(16),
                since=self._now().isoformat(timespec="seconds"),
                ttl_seconds=ttl_seconds,
                process=Process.current(),
            )
            replace_file(directory / "lease.json", record.encode())
            return Lease(stack, epoch, owner, Token(record.token))

    async def refuse_held(self, stack: str) -> None:
        self._refuse_held(self.directory(stack))

    async def renew(self, lease: Lease) -> Lease:
        directory = self.directory(lease.stack)
        async with exclusive(directory / "lock"):
            record = self._require(directory, lease)
            beaten = replace(record, heartbeat=record.heartbeat + 1)
            replace_file(directory / "lease.json", beaten.encode())
            return lease

    async def release(self, lease: Lease) -> None:
        """Also ends well when it has been lost: there is nothing left to let go."""
        self._close_journals(lease.stack)
        directory = self.directory(lease.stack)
        async with exclusive(directory / "lock"):
            record = _lease_of(directory)
            if record is not None and record.token == lease.token:
                path = directory / "lease.json"
                with store_errors(path, "remove"):
                    path.unlink(missing_ok=True)
                    sync_directory(directory)

    async def append(self, lease: Lease, run: RunId, sequence: int, record: bytes) -> None:
        """`sequence` counts from 0 within the run: a gap or a repetition is refused.

        Raises: LeaseLostError, JournalCorrupt, StoreError.
        """
        directory = self.directory(lease.stack)
        async with exclusive(directory / "lock"):
            self._require(directory, lease)
            journal = self._journal(directory, lease.stack, run)
            if sequence != journal.records:
                raise StoreError(
                    f"record {sequence} of run {run} does not follow {journal.records} records",
                    remedy="another process has written to this run: look at it with "
                    "`nvcfplan resume`",
                )
            _append(_journal_path(directory, run), journal, frame(record))

    async def records(self, stack: str, run: RunId) -> Sequence[bytes]:
        """Empty for a run that is not there. Raises: JournalCorrupt, StoreError."""
        path = _journal_path(self.directory(stack), run)
        content = read_file(path, most_bytes=MOST_BYTES)
        return () if content is None else _unframed(path, content).records

    async def runs(self, stack: str) -> Sequence[RunId]:
        """By the time in their ids: those of one millisecond are in no order."""
        directory = self.directory(stack) / "journal"
        with store_errors(directory, "read"):
            names = sorted((one.stem for one in directory.glob("*.jsonl")), reverse=True)
        return tuple(RunId(name) for name in names)

    async def probe(self) -> None:
        """Raises: StoreError, when the file system lets two hold one lock (some network ones)."""
        directory = self._root / ".nvcfplan" / "state"
        make_directory(directory)
        path = directory / f"probe.{os.getpid()}"
        with store_errors(path, "lock"):
            first, second = open_to_append(path), open_to_append(path)
            try:
                is_honoured = try_lock(first) and not try_lock(second)
            finally:
                os.close(first)
                os.close(second)
                path.unlink()
        if not is_honoured:
            raise StoreError(
                f"the file system under {directory} does not honour locks",
                detail="two runs could change one stack at once",
                remedy="keep the stack on a local disk",
            )

    def _prepared(self, stack: str) -> Path:
        directory = self.directory(stack)
        if not directory.exists():
            make_directory(directory)
            _ignore_in_git(self._root / ".nvcfplan")
        make_directory(directory)
        return directory

    def _refuse_held(self, directory: Path) -> None:
        record = _lease_of(directory)
        if record is None or record.process.is_known_dead():
            return
        path = directory / "lease.json"
        raise LockHeld(
            f"{directory.name} is held by another run",
            holder=record.holder,
            since=record.since,
            epoch=record.epoch,
            remedy="wait until it has ended; if its machine is gone for good, remove "
            f"{path} and run `nvcfplan resume`",
        )

    def _require(self, directory: Path, lease: Lease) -> LeaseRecord:
        record = _lease_of(directory)
        if record is not None and record.token == lease.token:
            return record
        holder = record.holder if record else "nobody"
        raise LeaseLostError(
            f"the lease of {lease.stack} is no longer ours: held by {holder}",
            detail=f"ours was epoch {lease.epoch}",
            remedy="nothing more is sent; see how things stand with `nvcfplan resume`",
        )

    def _journal(self, directory: Path, stack: str, run: RunId) -> _OpenJournal:
        """Opened once a run; a torn tail is cut off, or the next record would follow rubbish."""
        known = self._journals.get((stack, run))
        if known is not None:
            return known
        make_directory(directory / "journal")
        path = _journal_path(directory, run)
        content = read_file(path, most_bytes=MOST_BYTES)
        framed = _unframed(path, content or b"")
        descriptor = open_to_append(path)
        opened = _OpenJournal(descriptor, len(framed.records), framed.length)
        with store_errors(path, "write"):
            os.ftruncate(descriptor, framed.length)
            sync_directory(path.parent)
        self._journals[stack, run] = opened
        return opened

    def _close_journals(self, stack: str) -> None:
        for key in [key for key in self._journals if key[0] == stack]:
            os.close(self._journals.pop(key).descriptor)


def _append(path: Path, journal: _OpenJournal, framed: bytes) -> None:
    with store_errors(path, "write"):
        try:
            os.lseek(journal.descriptor, journal.length, os.SEEK_SET)
            write_whole(journal.descriptor, framed)
            os.fdatasync(journal.descriptor)
        except OSError:
            os.ftruncate(journal.descriptor, journal.length)
            raise
    journal.records += 1
    journal.length += len(framed)


def _unframed(path: Path, content: bytes) -> Framed:
    found = unframe(content)
    if isinstance(found, Damaged):
        raise JournalCorrupt(
            f"{path}:{found.line}: the record does not read",
            detail="its length or checksum is not what was written; what was done in this run "
            "cannot be told from here on",
            remedy="compare the account with the records before that line, settle by hand what "
            "differs, then move the file away",
        )
    return found


def _path(directory: Path, document: Document) -> Path:
    return directory / f"{document.value}.json"


def _journal_path(directory: Path, run: RunId) -> Path:
    if not _RUN.fullmatch(run):
        raise StoreError(f"{run!a} is not the id of a run", remedy="list the runs first")
    return directory / "journal" / f"{run}.jsonl"


def _stored(directory: Path, document: Document) -> Stored | None:
    path = _path(directory, document)
    content = read_file(path, most_bytes=MOST_BYTES)
    if content is None:
        return None
    if not content.strip(b"\0 \r\n\t"):
        raise StateCorrupt(
            f"{path} is empty",
            detail="it was not written by nvcfplan like this, or the disk lost it",
            remedy=f"put the newest file of {directory / 'history'} in its place, or remove it: "
            "state is rebuilt from the account",
        )
    return Stored(content, _token(directory, document, content))


def _token(directory: Path, document: Document, content: bytes) -> Token:
    """The number of the write and what was written: equal content written again is another."""
    replaced = _kept(directory, document)
    number = replaced[-1] + 1 if replaced else 1
    return Token(f"{number}:{hashlib.sha256(content).hexdigest()}")


def _kept(directory: Path, document: Document) -> list[int]:
    """Numbers of the writes in `history/`, ascending."""
    pattern = re.compile(rf"{document.value}-(\d{{8,}})\.json")
    history = directory / "history"
    with store_errors(history, "read"):
        try:
            names = os.listdir(history)
        except FileNotFoundError:
            return []
    return sorted(int(found.group(1)) for name in names if (found := pattern.fullmatch(name)))


def _keep(directory: Path, document: Document, stored: Stored) -> None:
    history = directory / "history"
    make_directory(history)
    number = int(stored.token.partition(":")[0])
    replace_file(history / f"{document.value}-{number:08d}.json", stored.content)
    with store_errors(history, "write"):
        for old in _kept(directory, document)[: -KEPT[document]]:
            (history / f"{document.value}-{old:08d}.json").unlink(missing_ok=True)


def _conflict(directory: Path, document: Document) -> StateConflict:
    return StateConflict(
        f"the {document.value} of {directory.name} was written by somebody else in between",
        detail=f"{_path(directory, document)} is not what was read before",
        remedy="run plan again: it reads what is there now",
    )


def _lease_of(directory: Path) -> LeaseRecord | None:
    path = directory / "lease.json"
    content = read_file(path, most_bytes=65_536)
    return None if content is None else decode_lease(content, path)


def _last_epoch(directory: Path) -> int:
    """Kept beside the lease, so that it rises even when somebody removed that by hand."""
    content = read_file(directory / "epoch", most_bytes=64) or b"0"
    written = int(content) if content.strip().isdigit() else 0
    record = _lease_of(directory)
    return max(written, record.epoch if record else 0)


def _ignore_in_git(directory: Path) -> None:
    path = directory / ".gitignore"
    if not path.exists():
        replace_file(path, b"# made by nvcfplan: nothing in here belongs into a repository\n*\n")
