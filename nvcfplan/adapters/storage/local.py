"""The `StateStore` port on this machine's disk.

<root>/.nvcfplan/state/<stack>@<env>/
    state.json  memory.json   the documents, as they were given
    history/                  what they replaced; their number makes the token; broken leases
    lease.json  epoch         who holds the stack, and how often it has been held
    journal/<run>.jsonl       one framed record a line
    lock                      held by the system's lock for each operation, never removed
"""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
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
from nvcfplan.adapters.storage.lease_files import (
    beat,
    break_lease,
    give_back,
    lease_of,
    refuse_held,
    require,
    take_lease,
)
from nvcfplan.applying import (
    NO_ERRAND,
    Document,
    Errand,
    Lease,
    LeaseBreaker,
    LeaseSeen,
    StateStore,
    Stored,
)
from nvcfplan.errors import (
    JournalCorrupt,
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

STACK: Final = re.compile(r"[a-z][a-z0-9-]{0,39}@[a-z][a-z0-9-]{0,39}")
_RUN = re.compile(r"[0-9A-Za-z][0-9A-Za-z_.-]{0,127}")


@dataclass(slots=True)
class _OpenJournal:
    descriptor: int
    records: int
    length: int


class LocalStore(StateStore, LeaseBreaker):
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
        if not STACK.fullmatch(stack):
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
                require(directory, lease)
            elif document is Document.STATE:
                refuse_held(directory)
            stored = _stored(directory, document)
            found = None if stored is None else stored.token
            if found != expected:
                raise _conflict(directory, document)
            if stored is not None:
                _keep(directory, document, stored)
            replace_file(_path(directory, document), content)
            return _token(directory, document, content)

    async def acquire(
        self, stack: str, owner: str, ttl_seconds: int, errand: Errand = NO_ERRAND
    ) -> Lease:
        """A lease whose process is known to be dead is taken over at once.

        Raises: LockHeld, StoreError.
        """
        directory = self._prepared(stack)
        async with exclusive(directory / "lock"):
            refuse_held(directory)
            record = take_lease(
                directory, owner, since=self._time(), ttl_seconds=ttl_seconds, errand=errand
            )
            return Lease(stack, record.epoch, owner, Token(record.token))

    async def refuse_held(self, stack: str) -> None:
        refuse_held(self.directory(stack))

    async def renew(self, lease: Lease) -> Lease:
        directory = self.directory(lease.stack)
        async with exclusive(directory / "lock"):
            beat(directory, lease)
            return lease

    async def release(self, lease: Lease) -> None:
        """Also ends well when it has been lost: there is nothing left to let go."""
        self._close_journals(lease.stack)
        directory = self.directory(lease.stack)
        async with exclusive(directory / "lock"):
            give_back(directory, lease)

    async def lease(self, stack: str) -> LeaseSeen | None:
        record = lease_of(self.directory(stack))
        return None if record is None else record.seen()

    async def break_lease(self, stack: str, seen: LeaseSeen, by: str) -> None:
        directory = self._prepared(stack)
        async with exclusive(directory / "lock"):
            break_lease(directory, seen, by=by, at=self._time())

    async def append(self, lease: Lease, run: RunId, sequence: int, record: bytes) -> None:
        """`sequence` counts from 0 within the run: a gap or a repetition is refused.

        Raises: LeaseLostError, JournalCorrupt, StoreError.
        """
        directory = self.directory(lease.stack)
        async with exclusive(directory / "lock"):
            require(directory, lease)
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

    def _time(self) -> str:
        return self._now().isoformat(timespec="seconds")

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
            intact=found.records,
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
            remedy=f"put the newest file of {directory / 'history'} in its place, or remove it:"
            " `nvcfplan adopt` rebuilds it from the account",
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


def _ignore_in_git(directory: Path) -> None:
    path = directory / ".gitignore"
    if not path.exists():
        replace_file(path, b"# made by nvcfplan: nothing in here belongs into a repository\n*\n")
