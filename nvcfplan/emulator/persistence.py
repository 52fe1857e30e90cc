"""Where a world is kept: in memory, or in a SQLite file that several processes may share.

Every turn is one transaction: what others changed is read, the turn is done, what it changed is
written. A process killed at any point leaves the turn done or not done.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from nvcfplan.emulator.codec import from_text, to_text
from nvcfplan.emulator.ledger import LedgerEntry, expired
from nvcfplan.emulator.pages import Pages
from nvcfplan.emulator.refusals import EmulatorError
from nvcfplan.emulator.rules import WorldFile
from nvcfplan.emulator.settling import let_go, settle, stir_concerned
from nvcfplan.emulator.world import Event, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 2
_PATIENCE_SECONDS = 30.0
_TRIES = 20
_HELD = ("SQLITE_BUSY", "SQLITE_LOCKED")
_MOST_GONE = 1000
"""Pages of rows that are gone, before they are cleared away."""

_TABLES = """
CREATE TABLE world (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,
  revision INTEGER NOT NULL, whole_since INTEGER NOT NULL, time REAL NOT NULL,
  rules TEXT NOT NULL);
CREATE TABLE pages (n INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL,
  revision INTEGER NOT NULL, content TEXT, UNIQUE (kind, id));
CREATE INDEX pages_by_revision ON pages (revision);
CREATE INDEX pages_gone ON pages (revision) WHERE content IS NULL;
CREATE TABLE events (n INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE ledger (n INTEGER PRIMARY KEY, content TEXT NOT NULL);
"""


_CHANGE_PAGE = """
UPDATE pages SET revision = ?, content = ? WHERE kind = ? AND id = ? AND content IS NOT NULL
"""
# It comes after all others, even where one of its id was before.
_ADD_PAGE = "INSERT OR REPLACE INTO pages (revision, content, kind, id) VALUES (?, ?, ?, ?)"


class Store(Protocol):
    @property
    def world(self) -> World:
        """As the last turn left it."""
        ...

    @contextmanager
    def turn(self) -> Iterator[World]:
        """Kept when the block ends, dropped when it raises."""
        ...

    def events(self) -> tuple[Event, ...]: ...

    def ledger(self) -> tuple[LedgerEntry, ...]: ...

    def reset(self) -> None:
        """Back to what the rules say; nothing has happened yet."""
        ...

    def close(self) -> None: ...


class MemoryStore:
    def __init__(self, rules: WorldFile) -> None:
        self.world = World.of(rules)
        self._events: list[Event] = []
        self._ledger: list[LedgerEntry] = []

    @contextmanager
    def turn(self) -> Iterator[World]:
        yield self.world
        self.world.end_turn()
        self._events.extend(self.world.events)
        self.world.events.clear()
        ledger = self.world.ledger
        self._ledger.extend(ledger.new)
        ledger.new.clear()
        for position in ledger.expired:
            self._ledger[position] = expired(self._ledger[position])
        ledger.expired.clear()

    def events(self) -> tuple[Event, ...]:
        return tuple(self._events)

    def ledger(self) -> tuple[LedgerEntry, ...]:
        return tuple(self._ledger)

    def reset(self) -> None:
        self.world = World.of(self.world.rules)
        self._events.clear()
        self._ledger.clear()

    def close(self) -> None:
        return None


class FileStore:
    """Raises EmulatorError wherever the file lets it down."""

    def __init__(self, path: Path, rules: WorldFile) -> None:
        """An existing world wins over `rules`."""
        self._path = path
        self._revision = -1
        self.world = World.of(rules)
        self._pages = Pages(self.world)
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            created = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            self._file = os.fstat(created)
            os.close(created)
            self._database = sqlite3.connect(
                path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
            )
        self._finalizer = weakref.finalize(self, self._database.close)
        self._prepare()
        with self.turn():
            pass

    def _write_ahead(self) -> None:
        """Of two that open a new file at once SQLite turns one away without letting it wait.

        So that one waits for its turn, and asks again.
        """
        for left in reversed(range(_TRIES)):
            try:
                self._database.execute("PRAGMA journal_mode = WAL")
            except sqlite3.OperationalError:
                if not left:
                    raise
                self._database.execute("BEGIN IMMEDIATE")
                self._database.execute("ROLLBACK")
            else:
                return

    def _prepare(self) -> None:
        """WAL: whoever reads the histories does not wait for whoever writes. NORMAL does not flush
        at every commit: what a killed process committed is with the operating system and lives on.
        Only a power cut can take the last turns back, whole ones, and nobody keeps more than an
        exercise here; flushing would cost every read over HTTP a flush, for time has passed in it.
        """
        with self._translated():
            self._write_ahead()
            self._database.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            tables = self._database.execute("SELECT name FROM sqlite_master").fetchall()
            if not tables:
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._database.execute(statement)
                row = (FORMAT, to_text(self.world.rules))
                columns = "id, revision, whole_since, format, time, rules"
                values = "1, 0, 0, ?, 0.0, ?"
                self._database.execute(f"INSERT INTO world ({columns}) VALUES ({values})", row)
                self._revision = 0
                self._write_pages()
            elif ("world",) not in tables:
                raise self._foreign("it is a database of something else")

    @contextmanager
    def turn(self) -> Iterator[World]:
        is_whole = False
        try:
            with self._transaction():
                self._load()
                yield self.world
                self._save()
            is_whole = True
        finally:
            if not is_whole:
                self._revision = -1  # half a turn may be in memory: the next reads it again

    def _load(self) -> None:
        row = self._database.execute("SELECT format FROM world").fetchone()
        if row is None or row[0] != FORMAT:
            written = f"format {row[0]}" if row is not None else "no format"
            raise self._unreadable(f"it is written in {written}, this version reads {FORMAT}")
        columns = "revision, whole_since, time"
        row = self._database.execute(f"SELECT {columns} FROM world").fetchone()
        revision, whole_since, time = row
        if revision == self._revision:
            return
        try:
            if self._revision < whole_since:
                self._begin_again()
            self._read_pages()
        except (ValueError, TypeError, KeyError) as error:
            raise self._unreadable("its world does not read") from error
        self.world.time = time
        self.world.pass_ticks()
        self._revision = revision

    def _begin_again(self) -> None:
        (rules,) = self._database.execute("SELECT rules FROM world").fetchone()
        self.world = World.of(from_text(WorldFile, rules))
        self._pages = Pages(self.world)
        self._revision = -1

    def _read_pages(self) -> None:
        """What has changed since this process was here last."""
        columns, since = "kind, id, content", (self._revision,)
        # By +n, so that the index finds the rows: in the order of n all would be looked at.
        query = f"SELECT {columns} FROM pages WHERE revision > ? ORDER BY +n"
        for kind, id_, content in self._database.execute(query, since):
            self._pages.put(kind, id_, content)
        if self.world.is_stirring:
            stir_concerned(self.world)  # before the turn ends: what it only read, it lets go
        else:
            settle(self.world)
            let_go(self.world)  # no tick has anything to follow up
        self.world.end_turn(others=True)

    def _save(self) -> None:
        world, database = self.world, self._database
        (time,) = database.execute("SELECT time FROM world").fetchone()
        if not (world.is_changed or world.events or time != world.time):
            world.end_turn()
            return
        self._revision += 1
        row = (self._revision, world.time)
        database.execute("UPDATE world SET revision = ?, time = ?", row)
        if world.is_changed:
            self._write_pages()
        self._save_history()
        world.end_turn()

    def _write_pages(self) -> None:
        database = self._database
        is_any_gone = False
        for kind, id_, content in self._pages.changed():
            row = (self._revision, content, kind, id_)
            if not database.execute(_CHANGE_PAGE, row).rowcount:
                database.execute(_ADD_PAGE, row)
            is_any_gone = is_any_gone or content is None
        if is_any_gone:
            self._prune()

    def _prune(self) -> None:
        """Pages of what is gone tell other processes of it; those who missed many begin again."""
        database = self._database
        (count,) = database.execute("SELECT count(*) FROM pages WHERE content IS NULL").fetchone()
        if count > _MOST_GONE:
            database.execute("DELETE FROM pages WHERE content IS NULL")
            database.execute("UPDATE world SET whole_since = revision")

    def _save_history(self) -> None:
        world, ledger = self.world, self.world.ledger
        events = [(to_text(one),) for one in world.events]
        self._database.executemany("INSERT INTO events (content) VALUES (?)", events)
        world.events.clear()
        first = ledger.count - len(ledger.new)
        entries = [(first + index, to_text(one)) for index, one in enumerate(ledger.new)]
        self._database.executemany("INSERT INTO ledger (n, content) VALUES (?, ?)", entries)
        ledger.new.clear()
        for position in ledger.expired:
            self._expire(position)
        ledger.expired.clear()

    def _expire(self, position: int) -> None:
        found = self._database.execute("SELECT content FROM ledger WHERE n = ?", (position,))
        entry = expired(from_text(LedgerEntry, found.fetchone()[0]))
        row = (to_text(entry), position)
        self._database.execute("UPDATE ledger SET content = ? WHERE n = ?", row)

    def events(self) -> tuple[Event, ...]:
        return tuple(from_text(Event, text) for text in self._contents("events"))

    def ledger(self) -> tuple[LedgerEntry, ...]:
        return tuple(from_text(LedgerEntry, text) for text in self._contents("ledger"))

    def _contents(self, table: str) -> list[str]:
        with self._translated():
            rows = self._database.execute(f"SELECT content FROM {table} ORDER BY n")
            return [row[0] for row in rows]

    def reset(self) -> None:
        with self.turn():
            self.world = World.of(self.world.rules)
            self.world.is_changed = True
            self._pages = Pages(self.world)
            for table in ("pages", "events", "ledger"):
                self._database.execute(f"DELETE FROM {table}")
            self._database.execute("UPDATE world SET whole_since = revision + 1")

    def close(self) -> None:
        self._finalizer()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                self._refuse_removed()
                yield
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    def _refuse_removed(self) -> None:
        """A file without a name still takes everything, and keeps it for nobody."""
        try:
            is_there = os.path.samestat(self._file, os.stat(self._path))
        except FileNotFoundError:
            is_there = False
        if not is_there:
            raise EmulatorError(
                f"the emulator's world {self._path} was removed under it",
                detail="or another file was put in its place",
                remedy="start the emulator anew: it begins with what is there then",
            )

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            is_held = getattr(error, "sqlite_errorname", "").startswith(_HELD)
            raise EmulatorError(
                f"the emulator's world {self._path} cannot be used: {error}",
                remedy="end the other process that uses it, or name another file"
                if is_held
                else "see that it can be written and that its disk has room; what was answered"
                " is in it",
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._foreign(str(error)) from error
        except OSError as error:
            raise EmulatorError(
                f"the emulator's world {self._path} cannot be opened: {error.strerror or error}",
                remedy="name a file in a directory that can be written",
            ) from error

    def _foreign(self, why: str) -> EmulatorError:
        """Somebody's file, it may be their stack: they must not be told to delete it."""
        return EmulatorError(
            f"{self._path} is not a world of this emulator",
            detail=why,
            remedy="it is no emulator file: name another path, free or of an emulator",
        )

    def _unreadable(self, why: str) -> EmulatorError:
        return EmulatorError(
            f"{self._path} is not a world of this emulator that can be read",
            detail=why,
            remedy="name another file, or remove this one to begin with a new world",
        )
