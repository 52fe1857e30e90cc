"""Over real connections on this machine: what was never sent, what was lost, what came whole."""

from __future__ import annotations

import asyncio
import socket
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.nvcf import reads, requests
from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.raw import Lost, NotSent, RawAnswer, RawOutcome
from nvcfplan.adapters.nvcf.target import Patience, Target
from nvcfplan.errors import Unreachable
from nvcfplan.model import FunctionId, Secret, SecretOrigin, SecretReference, VersionId
from nvcfplan.wire.functions import FunctionList
from tests.adapters.fakes import CANARY, FakeClock, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

TLS_HELLO = b"\x16"
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
