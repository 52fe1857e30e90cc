"""An emulated account to open and use: in process over an httpx2 transport, or over HTTP."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import httpx2

from nvcfplan.emulator.admin import PREFIX as ADMIN
from nvcfplan.emulator.admin import clear_faults, refuse_beyond
from nvcfplan.emulator.allocation import give_back, grab
from nvcfplan.emulator.asgi import application
from nvcfplan.emulator.auth import refuse_operator
from nvcfplan.emulator.clock import EmulatorClock, WallClock
from nvcfplan.emulator.codec import to_plain
from nvcfplan.emulator.defaults import DEFAULT_WORLD
from nvcfplan.emulator.faults import objection
from nvcfplan.emulator.ledger import Cause, LedgerEntry, Service
from nvcfplan.emulator.messages import Incoming, Reply, incoming, reply_of, reply_to
from nvcfplan.emulator.mishaps import Ending, Served
from nvcfplan.emulator.overview import Overview, overview
from nvcfplan.emulator.persistence import FileStore, MemoryStore, Store
from nvcfplan.emulator.prospects import Script
from nvcfplan.emulator.refusals import EmulatorError, Refusal
from nvcfplan.emulator.routes import advance
from nvcfplan.emulator.routes import serve as serve_request
from nvcfplan.emulator.rules import Fault, WorldFile
from nvcfplan.emulator.staging import StagedVersion, stage, stage_telemetries
from nvcfplan.emulator.world import Event, Holding, World, starting_moment
from nvcfplan.emulator.worldfile import load_worldfile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

__all__ = [
    "Cause",
    "Emulator",
    "EmulatorError",
    "Event",
    "Fault",
    "LedgerEntry",
    "Service",
    "WorldFile",
    "load_worldfile",
    "serve",
]

HOST = "http://emulator.local"
_BUGS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What a mistake of ours in serving a request raises; the next request must be served again."""
_LONGEST_PATIENCE = 600.0
_log = logging.getLogger(__name__)


class Emulator:
    """One emulated account. Its methods take effect at once, at the world's present time.

    `die`: what is done when a fault kills the process.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self.is_open = False
        self.die: Callable[[], None] = _kill_this_process
        self.base_url = f"{HOST}/v2/nvcf"
        self.clock = EmulatorClock(
            starts_at=lambda: starting_moment(self._store.world.rules),
            time=lambda: self._store.world.time,
            advance_to=self.advance_to,
        )

    @classmethod
    def open(cls, path: Path | None, worldfile: WorldFile | None) -> Emulator:
        """Without a path in memory. A world that is kept already wins over `worldfile`.

        Raises EmulatorError when the file is not a world, or cannot be used.
        """
        rules = worldfile or DEFAULT_WORLD
        return cls(FileStore(path, rules) if path else MemoryStore(rules))

    def close(self) -> None:
        self._store.close()

    def stage(self, versions: Sequence[StagedVersion], telemetries: Sequence[str] = ()) -> None:
        """What was there before: oldest first, and the telemetries that are named in it, by id.

        Raises EmulatorError where it could not be.
        """
        with self._settled() as world:
            stage_telemetries(world, telemetries)
        stage(lambda incoming: self.exchange(incoming).reply, self._settled, versions)

    def ask_for_no_key(self) -> None:
        """Any token is good from now on, whatever keys the world names; they stay in its file."""
        self.is_open = True

    @property
    def nca_id(self) -> str:
        return self._store.world.rules.nca_id

    @property
    def org(self) -> str:
        return self._store.world.rules.org

    @property
    def worldfile(self) -> WorldFile:
        return self._store.world.rules

    def transport(self) -> httpx2.AsyncBaseTransport:
        """Requests by it are served in this process; the host name is not looked at."""
        return _InProcessTransport(self)

    def advance(self, seconds: float) -> datetime:
        """What time it is then. Raises EmulatorError where the calendar ends."""
        with self._settled() as world:
            until = world.time + seconds
        self.advance_to(until)
        return self.clock.now()

    def advance_to(self, monotonic: float) -> None:
        """Never backwards: another process may have come further. Others have turns meanwhile."""
        while not self._has_come_to(monotonic):
            pass

    def _has_come_to(self, monotonic: float) -> bool:
        with self._settled() as world:
            refuse_beyond(world, monotonic)
            advance(world, max(world.time, monotonic))
            return world.time >= monotonic

    def grab(self, cluster: str, gpu: str, gpus: int, *, tenant: str = "other") -> None:
        """Another tenant takes free GPUs. Raises EmulatorError when there are not so many."""
        holding = Holding(tenant=tenant, cluster=cluster, gpu=gpu, gpus=gpus, is_scripted=True)
        with self._settled() as world:
            grab(world, holding)

    def give_back(self, cluster: str, gpu: str, gpus: int, *, tenant: str = "other") -> None:
        """Raises EmulatorError when the tenant does not hold so many."""
        with self._settled() as world:
            give_back(world, Holding(tenant=tenant, cluster=cluster, gpu=gpu, gpus=gpus))

    @contextmanager
    def _settled(self, wall: WallClock | None = None) -> Iterator[World]:
        """A turn in which all that is due has happened; a refusal in it is an EmulatorError."""
        try:
            with self._store.turn() as world:
                if self.is_open and world.rules.api_keys:
                    world.rules = replace(world.rules, api_keys=())
                due = wall.due_time(world.time) if wall else world.time
                advance(world, min(due, world.last_time()))
                yield world
                if wall is not None:
                    wall.leave(world.time)
        except Refusal as refusal:
            raise EmulatorError(refusal.detail, remedy="see what `snapshot` shows") from None

    def add_fault(self, fault: Fault) -> None:
        """Raises EmulatorError for one that could never act."""
        why = objection(fault)
        if why is not None:
            raise EmulatorError(f"this fault cannot act: {why}", remedy="change the fault")
        with self._settled() as world:
            world.scripts.append(Script(fault=fault))
            world.is_changed = True

    def clear_faults(self, numbers: Sequence[int] = ()) -> int:
        """Those of the overview; without any number, all. How many there were.

        Raises EmulatorError for a number that none has.
        """
        with self._settled() as world:
            return clear_faults(world, numbers)

    def ledger(self) -> tuple[LedgerEntry, ...]:
        """Oldest first."""
        with self._settled():
            pass
        return self._store.ledger()

    def events(self) -> tuple[Event, ...]:
        """Oldest first."""
        with self._settled():
            pass
        return self._store.events()

    def overview(self) -> Overview:
        with self._settled() as world:
            return overview(world)

    def snapshot(self) -> dict[str, object]:
        """Everything there is but the history, as JSON values. Secrets are digests."""
        with self._settled() as world:
            state = to_plain(world)
        assert isinstance(state, dict)
        return {"time": world.time, **state}

    def reset(self) -> None:
        self._store.reset()

    def exchange(self, incoming: Incoming, *, wall: WallClock | None = None) -> Served:
        """Serves one request as one turn. A bug of ours answers 500, and leaves no half in a file.

        `wall`: moves the world's time; None where time is virtual.
        """
        history = self._history(incoming, wall)
        if history is not None:
            return Served(reply=history)
        try:
            with self._settled(wall) as world:
                served = serve_request(world, incoming, speed=wall.speed if wall else None)
        except _BUGS as error:
            _log.exception("internal error in %s %s", incoming.method, incoming.path)
            refusal = Refusal(500, f"Internal error: {type(error).__name__}")
            return Served(reply=reply_to(refusal, incoming.path))
        if served.is_killed:
            self.die()
        return served

    def _history(self, incoming: Incoming, wall: WallClock | None) -> Reply | None:
        """The admin calls that need more than the world as it is; None: another call."""
        call = (incoming.method, incoming.path.removeprefix(ADMIN))
        if not incoming.path.startswith(ADMIN) or call not in _HISTORY:
            return None
        with self._settled(wall):
            pass
        refused = refuse_operator(self.worldfile, incoming)
        return refused or reply_of(_HISTORY[call](self))


def _kill_this_process() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class _ByTheWall:
    """The emulator as it is served: its time goes by the clock on the wall."""

    def __init__(self, emulator: Emulator, wall: WallClock) -> None:
        self._emulator = emulator
        self._wall = wall

    def exchange(self, incoming: Incoming) -> Served:
        return self._emulator.exchange(incoming, wall=self._wall)


def _reset(emulator: Emulator) -> object:
    emulator.reset()
    return {}


_HISTORY: dict[tuple[str, str], Callable[[Emulator], object]] = {
    ("GET", "ledger"): lambda emulator: {"ledger": to_plain(emulator.ledger())},
    ("GET", "events"): lambda emulator: {"events": to_plain(emulator.events())},
    ("GET", "overview"): lambda emulator: to_plain(emulator.overview()),
    ("GET", "snapshot"): Emulator.snapshot,
    ("POST", "reset"): _reset,
}


class _InProcessTransport(httpx2.AsyncBaseTransport):
    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        clock = self._emulator.clock
        with clock.request_in_flight():
            asked = await _incoming(request)
            await asyncio.sleep(0)
            served = self._emulator.exchange(asked)
            until = clock.monotonic() + served.pause_seconds
        if served.pause_seconds:
            await clock.sleep_until(until)
        if served.ending is Ending.STUCK:
            await clock.sleep_until(clock.monotonic() + _read_patience(request))
            raise httpx2.ReadTimeout("no reply came", request=request)
        if served.ending is Ending.DROPPED:
            raise httpx2.ReadError("the connection was cut before the reply", request=request)
        return _response(served)


def _read_patience(request: httpx2.Request) -> float:
    """Seconds that the caller waits for a reply that does not come."""
    seconds = request.extensions.get("timeout", {}).get("read")
    return float(seconds) if seconds is not None else _LONGEST_PATIENCE


def _response(served: Served) -> httpx2.Response:
    reply = served.reply
    headers = dict(reply.headers)
    if reply.body:
        headers["Content-Type"] = reply.media_type
    if served.ending is Ending.CUT:
        return httpx2.Response(reply.status, headers=headers, stream=_CutStream(reply.body))
    return httpx2.Response(reply.status, headers=headers, content=reply.body)


class _CutStream(httpx2.AsyncByteStream):
    """The first half of a body, and then the end of the connection."""

    def __init__(self, body: bytes) -> None:
        self._half = body[: len(body) // 2]

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._half
        raise httpx2.RemoteProtocolError("the connection was cut in the middle of the reply")


async def _incoming(request: httpx2.Request) -> Incoming:
    return incoming(
        request.method,
        request.url.path,
        query=request.url.params.multi_items(),
        headers=dict(request.headers),
        body=await request.aread(),
    )


async def serve(
    emulator: Emulator,
    *,
    host: str,
    port: int,
    speed: float,
    started: Callable[[str], None] | None = None,
    certificate: Path | None = None,
) -> None:
    """Serves until interrupted. `port` 0: any free one; `started` is told the address.

    `certificate`: PEM of a certificate and its key, for https. Raises EmulatorError: it is not
    that, the address is taken, or it is open to others and no key is asked for.
    """
    from nvcfplan.emulator.listening import check_certificate, listen, run  # heavy, of use here

    is_local = host in ("127.0.0.1", "::1", "localhost")
    if not (is_local or emulator.is_open or emulator.worldfile.api_keys):
        raise EmulatorError(
            f"{host} can be reached by others, and this world asks for no key",
            remedy="set apiKeys in the world file, serve on 127.0.0.1, or say --open",
        )
    if not 0 < speed < float("inf"):
        raise EmulatorError(f"a clock cannot run at speed {speed:g}", remedy="give one above 0")
    if certificate is not None:
        check_certificate(certificate)
    listener = listen(host, port)
    scheme = "https" if certificate else "http"
    address = f"{scheme}://{f'[{host}]' if ':' in host else host}:{listener.getsockname()[1]}"
    served = _ByTheWall(emulator, WallClock(emulator.clock.monotonic(), speed=speed))
    app = application(served, speed=speed, is_local=is_local)
    if started is not None:
        started(address)
    with listener:
        await run(app, listener, certificate=certificate)
