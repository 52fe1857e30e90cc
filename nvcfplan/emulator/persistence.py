"""Where a world is kept: in memory, or in a SQLite file that several processes may share.

Every turn is one transaction: the world is read again if it moved, changed, written, committed.
A process killed at any point leaves the turn done or not done.
"""

from __future__ import annotations

import os
import sqlite3
import weakref
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from nvcfplan.emulator.codec import from_text, to_text
from nvcfplan.emulator.ledger import LedgerEntry, expired
from nvcfplan.emulator.refusals import EmulatorError
from nvcfplan.emulator.rules import WorldFile
from nvcfplan.emulator.world import Event, World

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT = 1
_PATIENCE_SECONDS = 30.0

_TABLES = """
CREATE TABLE world (id INTEGER PRIMARY KEY CHECK (id = 1), format INTEGER NOT NULL,
  revision INTEGER NOT NULL, time REAL NOT NULL, rules TEXT NOT NULL, state TEXT NOT NULL);
CREATE TABLE events (n INTEGER PRIMARY KEY AUTOINCREMENT, content TEXT NOT NULL);
CREATE TABLE ledger (n INTEGER PRIMARY KEY, content TEXT NOT NULL);
"""


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
        self.world.is_changed = False
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
        with self._translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._database = sqlite3.connect(
                path, timeout=_PATIENCE_SECONDS, isolation_level=None, check_same_thread=False
            )
        self._finalizer = weakref.finalize(self, self._database.close)
        self._prepare()
        with self.turn():
            pass

    def _prepare(self) -> None:
        with self._translated():
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
        with self._transaction():
            tables = self._database.execute("SELECT name FROM sqlite_master").fetchall()
            if not tables:
                for statement in filter(str.strip, _TABLES.split(";")):
                    self._database.execute(statement)
                self._insert_world()
            elif ("world",) not in tables:
                raise self._foreign("it is a database of something else")

    def _insert_world(self) -> None:
        row = (FORMAT, 0.0, to_text(self.world.rules), to_text(self.world))
        columns = "id, revision, format, time, rules, state"
        self._database.execute(f"INSERT INTO world ({columns}) VALUES (1, 0, ?, ?, ?, ?)", row)

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
        row = self._database.execute("SELECT format, revision, time FROM world").fetchone()
        if row is None or row[0] != FORMAT:
            raise self._unreadable("it was written by another version")
        if row[1] != self._revision:
            rules, state = self._database.execute("SELECT rules, state FROM world").fetchone()
            self.world = self._decoded(rules, state)
            self.world.time = row[2]
            self.world.pass_ticks()
            self._revision = row[1]

    def _decoded(self, rules: str, state: str) -> World:
        try:
            world = from_text(World, state)
            world.rules = from_text(WorldFile, rules)
            return world
        except (ValueError, TypeError, KeyError) as error:
            raise self._unreadable("its world does not read") from error

    def _save(self) -> None:
        world, database = self.world, self._database
        (time,) = database.execute("SELECT time FROM world").fetchone()
        if not (world.is_changed or world.events or time != world.time):
            return
        self._revision += 1
        row = (self._revision, world.time)
        if world.is_changed:
            state = to_text(world)
            database.execute("UPDATE world SET revision = ?, time = ?, state = ?", (*row, state))
        else:
            database.execute("UPDATE world SET revision = ?, time = ?", row)
        self._save_history()
        world.is_changed = False

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
            for table in ("events", "ledger"):
                self._database.execute(f"DELETE FROM {table}")

    def close(self) -> None:
        self._finalizer()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._translated():
            self._database.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._database.execute("COMMIT")
            finally:
                if self._database.in_transaction:
                    self._database.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise EmulatorError(
                f"the emulator's world {self._path} cannot be used: {error}",
                remedy="end the other process that uses it, or name another file",
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
