"""`nvcfplan emulator serve` as a process on loopback."""

from __future__ import annotations

import json
import os
import re
import ssl
import subprocess
import urllib.request
from dataclasses import dataclass
from pathlib import Path

ORG = "acme"
KEY = "nvapi-interop"
TLS = Path(__file__).parents[1] / "adapters" / "tls"
"""`localhost.pem`: a certificate and its key; `ca.pem`: who signed it."""

_DIRECT = urllib.request.ProxyHandler({})


@dataclass(frozen=True)
class Served:
    """An emulator at `url`."""

    url: str
    process: subprocess.Popen[str]

    def tell(self, call: str, **body: object) -> None:
        """One of the emulator's own calls: what time, operators and other tenants do."""
        request = urllib.request.Request(
            f"{self.url}/emulator/{call}",
            data=json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {KEY}"},
        )
        context = ssl.create_default_context(cafile=TLS / "ca.pem")
        opener = urllib.request.build_opener(_DIRECT, urllib.request.HTTPSHandler(context=context))
        with opener.open(request) as answer:
            answer.read()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=10)


def serve(place: Path, *options: str) -> Served:
    """`place`: where the emulator keeps its world; there is none yet.

    Of the nvcfplan under test, which `make interop` names; else the one on the path.
    """
    program = os.environ.get("NVCFPLAN", "nvcfplan")
    process = subprocess.Popen(
        [program, "emulator", "serve", "-port=0", *options, str(place / "emulator.db")],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.readline()
    address = re.search(r" on (https?)://127\.0\.0\.1:(\d+) ", said)
    assert address, said + process.stdout.read()
    return Served(f"{address[1]}://localhost:{address[2]}", process)
