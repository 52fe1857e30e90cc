"""A server that answers every GET with one deployment after a fixed delay, in its own process.

    python -m bench.fixed_delay DELAY_SECONDS

Prints its port, and serves until its standard input ends.
"""

from __future__ import annotations

import asyncio
import json
import sys

BODY = json.dumps(
    {
        "deployment": {
            "functionId": "5c1b7f0e-2f0d-4a6a-9d1c-6a1f6f6b0a01",
            "functionVersionId": "7be21c64-13a7-47d7-a1a0-5f2d8f0f6c12",
            "deploymentId": "0d3f1f0a-8c55-4a6e-8f5f-0f9a3c2b1d11",
            "functionName": "chat",
            "ncaId": "nca-demo-0001",
            "functionStatus": "ACTIVE",
            "deploymentSpecifications": [
                {
                    "gpuSpecificationId": "31c9a2f4-5d6e-4f70-8192-a3b4c5d6e731",
                    "gpu": "H100",
                    "instanceType": "a3-highgpu-8g_2x",
                    "minInstances": 1,
                    "maxInstances": 2,
                    "maxRequestConcurrency": 8,
                    "backend": "GCP-ASIASE1-A",
                    "cpuArch": "amd64",
                    "os": "linux",
                }
            ],
            "createdAt": "2026-03-01T10:15:30.123456Z",
            "lastUpdatedAt": "2026-03-01T10:17:30.123456Z",
        }
    }
).encode()
_REPLY = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
    + BODY
)


async def _serve(delay: float) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await asyncio.sleep(delay)
                writer.write(_REPLY)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=512)
    async with server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve(float(sys.argv[1])))
