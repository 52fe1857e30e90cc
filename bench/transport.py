"""How fast our client reads, against a bare asyncio loop that sends the same over raw streams.

    python -m bench.transport [PAIRS]

1,000 GETs, 50 at a time, from a server in another process that takes 50 ms for each. Every sample
is a process of its own and times its requests alone, without start-up. The aims: at most 1.25
times the bare loop, and 1.6 times with each answer read into its wire model.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from bench.paired import print_machine

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUESTS, CONCURRENCY, DELAY_SECONDS = 1000, 50, 0.05
AIMS = {"ours": 1.25, "decoded": 1.6}
_PATH = (
    "/v2/nvcf/deployments/functions/5c1b7f0e-2f0d-4a6a-9d1c-6a1f6f6b0a01"
    "/versions/7be21c64-13a7-47d7-a1a0-5f2d8f0f6c12"
)


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    print_machine()
    print(f"{REQUESTS} GETs, {CONCURRENCY} at a time, {DELAY_SECONDS * 1000:g} ms each")
    with _server() as port:
        for side, aim in AIMS.items():
            _sample(side, port)
            taken = [(_sample("bare", port), _sample(side, port)) for _ in range(pairs)]
            _print(side, aim, taken)


def _print(side: str, aim: float, taken: list[tuple[float, float]]) -> None:
    ratios = [ours / bare for bare, ours in taken]
    bare, ours = (statistics.median(column) * 1000 for column in zip(*taken, strict=True))
    print(
        f"  {side:<8} {ours:7.1f} ms, bare {bare:7.1f} ms: median {statistics.median(ratios):.2f}x"
        f" ({min(ratios):.2f} to {max(ratios):.2f}), {len(ratios)} pairs; aim: at most {aim:g}x"
    )


@contextmanager
def _server() -> Iterator[int]:
    command = [sys.executable, "-m", "bench.fixed_delay", str(DELAY_SECONDS)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.communicate()


def _sample(side: str, port: int) -> float:
    """Raises: SystemExit when a request was not answered: then there is nothing to compare."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.transport", side, str(port)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(f"{side} exited {done.returncode}: {done.stderr.strip()[-500:]}")
    return float(done.stdout)


async def _bare(port: int) -> None:
    request = (
        f"GET {_PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAccept: application/json\r\n"
        "Accept-Encoding: gzip, deflate\r\nConnection: keep-alive\r\n"
        "User-Agent: bench\r\nAuthorization: Bearer bench-key\r\n\r\n"
    ).encode()
    left = iter(range(REQUESTS))

    async def work() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
            assert len(await reader.readexactly(length)) > 100
        writer.close()

    await asyncio.gather(*(work() for _ in range(CONCURRENCY)))


async def _ours(port: int, *, is_decoded: bool) -> None:
    from nvcfplan.adapters.nvcf.client import Client
    from nvcfplan.adapters.nvcf.raw import RawAnswer, RawRequest
    from nvcfplan.adapters.nvcf.target import Target
    from nvcfplan.frontends.wall_clock import WallClock
    from nvcfplan.model import Secret, SecretOrigin, SecretReference
    from nvcfplan.wire.deployments import OneDeployment

    key = Secret("bench-key", SecretReference("key", SecretOrigin.ENV, "KEY"))
    target = Target(base_url=f"http://127.0.0.1:{port}/v2/nvcf", token=key, concurrency=CONCURRENCY)
    request = RawRequest(method="GET", path=_PATH.removeprefix("/v2/nvcf"), scope="")

    async def one(client: Client) -> None:
        if is_decoded:
            found = await client.read(request, OneDeployment)
            assert found.deployment.function_status == "ACTIVE"
        else:
            outcome = await client.send(request)
            assert isinstance(outcome, RawAnswer), outcome
            assert outcome.status == 200, outcome

    async with Client(target, clock=WallClock()) as client:
        begun = time.perf_counter()
        await asyncio.gather(*(one(client) for _ in range(REQUESTS)))
        print(time.perf_counter() - begun)


async def _timed_bare(port: int) -> None:
    begun = time.perf_counter()
    await _bare(port)
    print(time.perf_counter() - begun)


def _run_side(side: str, port: int) -> None:
    if side == "bare":
        asyncio.run(_timed_bare(port))
    else:
        asyncio.run(_ours(port, is_decoded=side == "decoded"))


if __name__ == "__main__":
    if len(sys.argv) > 2:
        _run_side(sys.argv[1], int(sys.argv[2]))
    else:
        main()
