"""HTTP on a socket: patient with many clients at once, with none of them for ever.

What a client leaves half done must not hold anybody else up, nor keep the server from stopping.
"""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from nvcfplan.emulator.refusals import EmulatorError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from nvcfplan.emulator.asgi import Application, Message, Receive, Send

IDLE_SECONDS = 75
"""Kept longer than clients keep theirs: else a request may meet a connection just being closed."""

UPLOAD_SECONDS = 30.0
"""For a request to arrive, head and body, from its connection or its head on."""

_STOPPING_SECONDS = 2
_MOST_HEAD_BYTES = 64 * 1024
_STOPS = (signal.SIGINT, signal.SIGTERM)


def listen(host: str, port: int) -> socket.socket:
    """Raises EmulatorError: the address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        if not 0 <= port <= 65535:
            raise OSError("ports go from 0 to 65535")
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise EmulatorError(
            f"cannot listen on {host}:{port}: {error}",
            remedy="name another port, or 0 for any free one",
        ) from error
    # Connections inherit it; asyncio sets it only on sockets that name their protocol.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def check_certificate(pem: Path) -> None:
    """Raises EmulatorError: the file is not a certificate and its key, both in PEM, no password."""
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(pem, password=lambda: "")
    except OSError as error:
        raise EmulatorError(
            f"{pem} cannot be served with: {error}",
            detail="it holds a certificate and its key, both in PEM, the key without a password",
            remedy="openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=localhost"
            " -addext subjectAltName=DNS:localhost -keyout emulator.pem -out - >> emulator.pem",
        ) from error


async def run(
    app: Application,
    listener: socket.socket,
    *,
    certificate: Path | None = None,
    upload_seconds: float = UPLOAD_SECONDS,
) -> None:
    """Until SIGINT or SIGTERM; what is being answered then has two seconds more.

    `certificate`: speaks TLS with it.
    """

    class Protocol(_Patient):
        head_seconds = upload_seconds

    config = uvicorn.Config(
        _punctual(app, upload_seconds),
        http=Protocol,
        ws="none",
        lifespan="off",
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=_STOPPING_SECONDS,
        h11_max_incomplete_event_size=_MOST_HEAD_BYTES,
        ssl_certfile=certificate,
    )
    await _Server(config).serve(sockets=[listener])


class _Server(uvicorn.Server):
    """Stops in good order by signal, and that is the end of it: the signal is not raised again."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        former = {one: signal.signal(one, self.handle_exit) for one in _STOPS}
        try:
            yield
        finally:
            for one, action in former.items():
                signal.signal(one, action)


class _Patient(H11Protocol):
    """Closes connections on which no request has come together in time.

    Its base watches over those that were answered once, and only until the next byte.
    """

    head_seconds = UPLOAD_SECONDS
    _waits_until: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as its base has it
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self._waits_until = None

    def _wait(self) -> None:
        if self.transport.is_closing():
            return
        if self._waits_until is None:
            self._waits_until = self.loop.time() + self.head_seconds
        self._unset_keepalive_if_required()
        self.timeout_keep_alive_task = self.loop.call_at(
            self._waits_until, self.timeout_keep_alive_handler
        )


class _Left(Exception):
    """The client is gone, or was too slow."""


def _punctual(app: Application, upload_seconds: float) -> Application:
    """Half a request is not served: its client has left, or is told 408 in the end."""

    async def serve(scope: Message, receive: Receive, send: Send) -> None:
        until: float | None = asyncio.get_running_loop().time() + upload_seconds

        async def receive_in_time() -> Message:
            nonlocal until
            async with asyncio.timeout_at(until):
                message = await receive()
            if message["type"] == "http.disconnect":
                raise _Left
            if not message.get("more_body", False):
                until = None  # it is whole: whoever waits on now waits for its client to leave
            return message

        try:
            await app(scope, receive_in_time, send)
        except _Left:
            return
        except TimeoutError:
            headers = [(b"connection", b"close"), (b"content-length", b"0")]
            await send({"type": "http.response.start", "status": 408, "headers": headers})
            await send({"type": "http.response.body", "body": b""})

    return serve
