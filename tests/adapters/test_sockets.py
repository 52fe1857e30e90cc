"""Over real connections on this machine: what was never sent, what was lost, what came whole."""

from __future__ import annotations

import asyncio
import socket
import ssl
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.nvcf import reads, requests
from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.raw import Lost, NotSent, RawAnswer, RawOutcome
from nvcfplan.adapters.nvcf.target import Patience, Target
from nvcfplan.errors import RemoteError, RemoteUnavailable, Unreachable
from nvcfplan.model import FunctionId, Secret, SecretOrigin, SecretReference, VersionId
from nvcfplan.wire.functions import FunctionList
from tests.adapters.fakes import CANARY, FakeClock, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TLS_HELLO = b"\x16"
TLS = Path(__file__).parent / "tls"
WRITE = requests.delete_version(FunctionId("f"), VersionId("v"))
TOKEN = Secret(CANARY, SecretReference("k", SecretOrigin.ENV, "k"))


def client_at(address: str) -> Client:
    patience = Patience(connect=5, read=0.2, whole=10)
    target = Target(base_url=f"{address}/v2/nvcf", token=TOKEN, patience=patience)
    return Client(target, clock=FakeClock())


@asynccontextmanager
async def server(reply: bytes | None) -> AsyncIterator[tuple[str, list[bytes]]]:
    """Reads one request's head, answers these bytes and hangs up; None: never answers."""
    heard: list[bytes] = []
    serving: list[asyncio.Task[None]] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            first = await reader.readexactly(1)
            if first != TLS_HELLO:
                heard.append(first + await reader.readuntil(b"\r\n\r\n"))
            writer.write(reply or b"")
            await writer.drain()
            if reply is None:
                await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(answer(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield f"http://127.0.0.1:{port}", heard
        await asyncio.gather(*serving)


def sent_to(reply: bytes | None) -> tuple[RawOutcome, list[bytes]]:
    async def send() -> tuple[RawOutcome, list[bytes]]:
        async with server(reply) as (address, heard), client_at(address) as client:
            return await client.send(WRITE), heard

    return run(send())


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", RawAnswer),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", RawAnswer),
        (b"", Lost),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}", Lost),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}", Lost),
        (b"this is not HTTP\r\n\r\n", Lost),
        (None, Lost),
    ],
)
def test_a_write_that_left_is_answered_or_lost_and_never_repeated(
    reply: bytes | None, kind: type
) -> None:
    outcome, heard = sent_to(reply)
    assert isinstance(outcome, kind)
    assert len(heard) == 1


def test_the_key_goes_straight_to_this_machine_whatever_proxy_is_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    outcome, heard = sent_to(b"HTTP/1.1 204 No Content\r\n\r\n")
    assert isinstance(outcome, RawAnswer)
    assert f"Bearer {CANARY}".encode() in heard[0]


def test_a_port_that_nobody_listens_at_is_told_as_unreachable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"

        async def both() -> tuple[RawOutcome, Unreachable]:
            async with client_at(address) as client:
                outcome = await client.send(WRITE)
                with pytest.raises(Unreachable) as caught:
                    await client.read(reads.list_functions(), FunctionList)
                return outcome, caught.value

        outcome, error = run(both())
    assert isinstance(outcome, NotSent)
    assert outcome.why
    assert address in error.summary
    assert CANARY not in f"{error!r}{error.remedy}{outcome}"


def test_a_server_without_tls_at_an_https_address_was_sent_nothing() -> None:
    async def send() -> RawOutcome:
        async with server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as (address, _):
            client = client_at(address.replace("http:", "https:"))
            async with client:
                return await client.send(WRITE)

    outcome = run(send())
    assert isinstance(outcome, NotSent)
    assert "SSL" in outcome.why


@asynccontextmanager
async def tls_server() -> AsyncIterator[str]:
    """Answers every request with an empty list of functions, under a certificate of our own."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving: list[asyncio.Task[None]] = []
    context.load_cert_chain(TLS / "localhost.pem")
    body = b'{"functions":[]}'
    reply = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(reply + body)
            await writer.drain()
        writer.close()
        with suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(answer(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield f"https://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await asyncio.gather(*serving)


def listed_over_tls() -> FunctionList | RemoteError:
    async def read() -> FunctionList | RemoteError:
        async with tls_server() as address, client_at(address) as client:
            try:
                return await client.read(reads.list_functions(), FunctionList)
            except RemoteError as error:
                return error

    return run(read())


def test_an_authority_of_ones_own_is_named_by_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "ca.pem"))
    assert listed_over_tls() == FunctionList(functions=[])


def test_a_certificate_that_nobody_vouches_for_is_refused_and_the_variable_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    found = listed_over_tls()
    assert isinstance(found, Unreachable)
    assert "CERTIFICATE_VERIFY_FAILED" in found.summary
    assert "SSL_CERT_FILE" in found.remedy


def test_an_https_address_is_reached_through_the_proxy_that_is_set_and_the_key_is_not_told_to_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def send() -> tuple[RawOutcome, list[bytes]]:
        async with server(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n") as (proxy, heard):
            monkeypatch.setenv("HTTPS_PROXY", proxy)
            async with client_at("https://nvcf.example") as client:
                return await client.send(WRITE), heard

    outcome, heard = run(send())
    assert isinstance(outcome, NotSent)
    (head,) = heard
    assert head.startswith(b"CONNECT nvcf.example:443 ")
    assert CANARY.encode() not in head


def test_no_proxy_takes_an_address_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(TLS / "ca.pem"))
    assert listed_over_tls() == FunctionList(functions=[])


def test_a_server_that_never_answers_is_given_up_in_the_end_and_the_waits_are_told() -> None:
    told: list[str] = []
    patience = Patience(connect=5, read=0.05, whole=10, total=30)

    async def read() -> RemoteError:
        async with silent_server() as address:
            target = Target(base_url=f"{address}/v2/nvcf", token=TOKEN, patience=patience)
            clock = FakeClock()
            async with Client(target, clock=clock, listener=told.append) as client:
                with pytest.raises(RemoteUnavailable) as caught:
                    await client.read(reads.list_functions(), FunctionList)
                return caught.value

    error = run(read())
    assert "asked 5 times" in error.detail
    assert told
    assert all(one.startswith("waiting for the service: GET /v2/nvcf/functions") for one in told)
    assert CANARY not in " ".join(told)


@asynccontextmanager
async def silent_server() -> AsyncIterator[str]:
    """Takes every connection and says nothing on it."""
    serving: list[asyncio.Task[None]] = []

    async def ignore(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await reader.read()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(ignore(reader, writer)))

    listening = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with listening:
        yield f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await asyncio.gather(*serving)


def connections_for(*, reads_: int, concurrency: int, at_once: bool) -> int:
    """How many connections a server saw that keeps each open."""
    serving: list[asyncio.Task[None]] = []
    body = b'{"functions":[]}'
    reply = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                writer.write(reply)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.append(asyncio.ensure_future(answer(reader, writer)))

    async def read_all() -> None:
        listening = await asyncio.start_server(accept, "127.0.0.1", 0)
        async with listening:
            port = listening.sockets[0].getsockname()[1]
            target = Target(
                base_url=f"http://127.0.0.1:{port}/v2/nvcf", token=TOKEN, concurrency=concurrency
            )
            async with Client(target, clock=FakeClock()) as client:
                waiting = [client.read(reads.list_functions(), FunctionList) for _ in range(reads_)]
                if at_once:
                    await asyncio.gather(*waiting)
                for one in () if at_once else waiting:
                    await one
            await asyncio.gather(*serving)

    run(read_all())
    return len(serving)


def test_one_read_after_the_other_uses_one_connection() -> None:
    assert connections_for(reads_=10, concurrency=50, at_once=False) == 1


def test_many_reads_at_once_use_as_many_connections_as_may_be_in_flight() -> None:
    assert connections_for(reads_=40, concurrency=4, at_once=True) == 4
