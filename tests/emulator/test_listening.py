"""Clients that are slow, silent, hasty or rude over HTTP: the others do not notice."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.emulator.asgi import application
from nvcfplan.emulator.listening import listen, run
from nvcfplan.emulator.rules import Fault, Trouble
from nvcfplan.emulator.serving import Emulator
from tests.emulator.account import container, world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from nvcfplan.emulator.messages import Incoming
    from nvcfplan.emulator.mishaps import Served

LIST = b"GET /v2/nvcf/functions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n\r\n"
HEAD = (
    b"POST /v2/nvcf/functions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
)


class Plain:
    def __init__(self) -> None:
        stuck = Fault(kind=Trouble.STUCK, route="function-ids", every=True)
        self.emulator = Emulator.open(None, world(function_limit=1000, faults=(stuck,)))

    def exchange(self, incoming: Incoming) -> Served:
        return self.emulator.exchange(incoming)


@dataclass(frozen=True)
class Line:
    """A connection, byte by byte."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def send(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def answer(self) -> tuple[int, bytes]:
        """Status and body of the next reply; status 0: the connection is closed."""
        try:
            head = await self.reader.readline()
        except ConnectionResetError:
            head = b""
        if not head:
            return 0, b""
        length = 0
        while (line := await self.reader.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return int(head.split()[1]), await self.reader.readexactly(length)

    async def names(self) -> list[str]:
        self.send(LIST)
        status, body = await self.answer()
        assert status == 200
        return [one["name"] for one in json.loads(body)["functions"]]


@asynccontextmanager
async def listening(upload_seconds: float) -> AsyncIterator[Callable[[], Awaitable[Line]]]:
    """Opens connections; all are closed in the end, and the server has stopped."""
    lines: list[Line] = []
    listener = listen("127.0.0.1", 0)
    app = application(Plain(), speed=1.0, is_local=True)
    server = asyncio.create_task(run(app, listener, upload_seconds=upload_seconds))

    async def opened() -> Line:
        line = Line(*await asyncio.open_connection(*listener.getsockname()))
        lines.append(line)
        return line

    try:
        yield opened
    finally:
        for line in lines:
            line.writer.close()
        server.cancel()
        await asyncio.wait([server])
        listener.close()


def with_server(
    act: Callable[[Callable[[], Awaitable[Line]]], Awaitable[None]], *, upload_seconds: float = 30.0
) -> None:
    async def main() -> None:
        async with listening(upload_seconds) as opened:
            await asyncio.wait_for(act(opened), 20)

    asyncio.run(main())


def creation(name: str) -> bytes:
    return json.dumps(container(name)).encode()


def test_slow_uploads_hold_nobody_up_and_end_in_408() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        body = creation("late")
        slow = [await opened() for _ in range(50)]
        for line in slow:
            line.send(HEAD % len(body), body[:10])
        assert await (await opened()).names() == []
        for line in slow:
            assert (await line.answer())[0] == 408
            assert (await line.answer())[0] == 0
        assert await (await opened()).names() == []

    with_server(act, upload_seconds=0.4)


def test_upload_in_pieces_is_served_once_whole() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        body = creation("in-pieces")
        line, other = await opened(), await opened()
        line.send(HEAD % len(body), body[:10])
        assert await other.names() == []
        line.send(body[10:])
        assert (await line.answer())[0] == 200
        assert await other.names() == ["in-pieces"]

    with_server(act)


def test_silent_connections_are_closed_in_time() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        nothing, half = await opened(), await opened()
        half.send(LIST[:20])
        once, again = await opened(), await opened()
        for line in (once, again):
            assert await line.names() == []
        again.send(LIST[:20])
        for line in (nothing, half, again):
            assert (await line.answer())[0] == 0
        assert await once.names() == []

    with_server(act, upload_seconds=0.4)


def test_call_that_is_stuck_is_not_answered_even_then() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        stuck = await opened()
        stuck.send(LIST.replace(b"functions", b"functions/ids"))
        answer = asyncio.create_task(stuck.answer())
        assert await (await opened()).names() == []
        silent = await opened()
        assert (await silent.answer())[0] == 0  # by then its time is over, and that of the other
        assert not answer.done()
        stuck.writer.close()
        await answer

    with_server(act, upload_seconds=0.3)


def test_request_of_a_client_that_left_halfway_is_not_served() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        line, other = await opened(), await opened()
        line.send(HEAD.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked"))
        body = creation("gone")
        line.send(b"%x\r\n" % len(body), body, b"\r\n")
        await line.writer.drain()
        line.writer.close()
        await line.writer.wait_closed()
        for _ in range(3):
            assert await other.names() == []

    with_server(act)


def test_pipelined_requests_are_answered_in_their_order() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        line = await opened()
        parts = [HEAD % len(creation(name)) + creation(name) for name in "abc"]
        line.send(*parts, LIST)
        for name in "abc":
            status, body = await line.answer()
            assert (status, json.loads(body)["function"]["name"]) == (200, name)
        assert [one["name"] for one in json.loads((await line.answer())[1])["functions"]] == [
            "a",
            "b",
            "c",
        ]

    with_server(act)


def test_rude_requests_are_refused_and_the_server_lives() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        for rude in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            LIST.replace(b"\r\n\r\n", b"\r\nContent-Length: nonsense\r\n\r\n"),
        ):
            line = await opened()
            line.send(rude)
            assert (await line.answer())[0] == 400
            await line.reader.read()  # until it is closed
        assert await (await opened()).names() == []

    with_server(act)


def test_endless_heads_are_read_or_refused_and_the_server_lives() -> None:
    async def act(opened: Callable[[], Awaitable[Line]]) -> None:
        many = b"".join(b"X-%d: y\r\n" % index for index in range(10_000))
        for endless in (
            LIST.replace(b"\r\n\r\n", b"\r\n" + many + b"\r\n"),
            LIST.replace(b"/v2", b"/" + b"x" * 10_000_000),
        ):
            line = await opened()
            line.send(endless)
            assert (await line.answer())[0] in (0, 200, 400)  # what comes in one piece is read
            assert await (await opened()).names() == []

    with_server(act)
