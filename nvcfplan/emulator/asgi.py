"""The emulator as an ASGI application: it trusts nobody.

Only what a browser would not send is served: no `Origin`, and a `Host` that is this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Protocol
from urllib.parse import parse_qsl

from nvcfplan.emulator.messages import MOST_BYTES, Incoming, Reply, incoming, reply_to, too_large
from nvcfplan.emulator.mishaps import Ending, Served
from nvcfplan.emulator.refusals import EmulatorError, Refusal

Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class Exchanger(Protocol):
    """What answers, and lets time pass in its world first."""

    def exchange(self, incoming: Incoming) -> Served: ...


def application(emulator: Exchanger, *, speed: float, is_local: bool) -> Application:
    """`speed`: virtual seconds per second."""

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            _refuse_foreign(_headers(scope), is_local=is_local)
            asked = _incoming(scope, await _body(_headers(scope), receive))
        except Refusal as refusal:
            await _send(send, reply_to(refusal, str(scope["path"])))
            return
        served = _served(emulator, asked)
        if served.pause_seconds:
            await asyncio.sleep(served.pause_seconds / speed)
        match served.ending:
            case Ending.WHOLE:
                await _send(send, served.reply)
            case Ending.STUCK:
                await _disconnected(receive)
            case Ending.DROPPED:
                await _drop(send)
            case Ending.CUT:
                await _cut(send, served.reply)

    return serve


def _served(emulator: Exchanger, incoming: Incoming) -> Served:
    """A world that cannot be reached any more is an error of the server, not its end."""
    try:
        return emulator.exchange(incoming)
    except EmulatorError as error:
        return Served(reply=reply_to(Refusal(500, error.summary), incoming.path))


def _headers(scope: Message) -> dict[str, str]:
    pairs = scope["headers"]
    assert isinstance(pairs, list | tuple)
    return {bytes(name).decode("latin-1"): bytes(value).decode("latin-1") for name, value in pairs}


def _refuse_foreign(headers: dict[str, str], *, is_local: bool) -> None:
    """A page in a browser must not reach it, by rebinding a name or otherwise.

    Every name below `localhost` is this machine, so `api.localhost` and the like are served; and
    HTTP/1.0 may come without a name, as no browser does.
    """
    if "origin" in headers:
        raise Refusal(403, "Requests of web pages are not served")
    host = headers.get("host", "localhost")
    name = (host if host.endswith("]") else host.rpartition(":")[0] or host).lower()
    if is_local and name not in _LOCAL_HOSTS and not name.endswith(".localhost"):
        raise Refusal(403, "Requests for another host are not served")


async def _body(headers: dict[str, str], receive: Receive) -> bytes:
    """Raises Refusal as soon as it is too large; the server throws the rest away."""
    length = headers.get("content-length", "")
    if length.isascii() and length.isdigit() and int(length[:20]) > MOST_BYTES:
        raise too_large()
    body = bytearray()
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        if isinstance(chunk, bytes):
            body += chunk
        if len(body) > MOST_BYTES:
            raise too_large()
        if message["type"] == "http.disconnect" or not message.get("more_body", False):
            return bytes(body)


def _incoming(scope: Message, body: bytes) -> Incoming:
    query = scope["query_string"]
    assert isinstance(query, bytes)
    return incoming(
        str(scope["method"]),
        str(scope["path"]),
        query=parse_qsl(query.decode("latin-1"), keep_blank_values=True),
        headers=_headers(scope),
        body=body,
    )


async def _send(send: Send, reply: Reply) -> None:
    await _start(send, reply)
    await send({"type": "http.response.body", "body": reply.body})


async def _start(send: Send, reply: Reply) -> None:
    headers = [(name.lower().encode(), value.encode()) for name, value in reply.headers]
    if reply.body:
        headers.append((b"content-type", reply.media_type.encode()))
    if reply.status != 204:
        headers.append((b"content-length", str(len(reply.body)).encode()))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})


async def _disconnected(receive: Receive) -> None:
    """Until the caller has had enough."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cut(send: Send, reply: Reply) -> None:
    """Half of what is announced comes: the server then cuts the connection."""
    if len(reply.body) < 2:
        await _drop(send)
        return
    await _start(send, reply)
    half = reply.body[: len(reply.body) // 2]
    await send({"type": "http.response.body", "body": half, "more_body": True})


async def _drop(send: Send) -> None:
    """A reply that is announced and never comes: the server then cuts the connection."""
    headers = [(b"content-length", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
