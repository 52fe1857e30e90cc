"""Many small stacks in one account, edited by others now and then, behind an unreliable network."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import httpx2

from nvcfplan.emulator.serving import Emulator
from nvcfplan.model import Stack
from tests.convergence.places import read
from tests.emulator.account import Account, Deployable, cluster, spec, world
from tests.workflows.channels import Killed

if TYPE_CHECKING:
    import random

ENVIRONMENT = "default"


@dataclass
class Fleet:
    """`edited`: keys of stacks whose function somebody has tagged, and nobody untagged since."""

    emulator: Emulator
    stacks: tuple[Stack, ...]
    functions: dict[str, Deployable]
    edited: set[str] = field(default_factory=set)

    def edit(self, name: str) -> None:
        """Somebody adds a tag, or takes it off again."""
        self.edited ^= {name}
        tags = [*_tags(name), *(["by-hand"] if name in self.edited else [])]
        target = self.functions[name]
        path = f"/v2/nvcf/metadata/functions/{target.function}/versions/{target.version}"
        assert Account(self.emulator).call("PUT", path, {"tags": tags}).status == 200


def fleet(size: int) -> Fleet:
    emulator = Emulator.open(None, world(cluster(capacity=4 * size), function_limit=5 * size))
    account, functions, stacks = Account(emulator), {}, []
    with TemporaryDirectory() as directory:
        for number in range(size):
            name = f"s{number}"
            functions[name] = account.create(name=f"chat-{number}", tags=_tags(name))
            account.deploy(functions[name], spec(1, 2, backend="lab"))
            stacks.append(read(_document(name, number), Path(directory)).stack)
    emulator.advance(1200)
    return Fleet(emulator, tuple(stacks), functions)


def _tags(name: str) -> list[str]:
    ours = {"stack": name, "env": ENVIRONMENT, "key": "chat", "op": f"op-{name}"}
    return ["team:search", *(f"nvcfplan:{key}={value}" for key, value in ours.items())]


def _document(name: str, number: int) -> dict[str, object]:
    specification = {
        "gpu": "H100",
        "instanceType": "LAB.H100_1x",
        "backend": "lab",
        "minInstances": 1,
        "maxInstances": 2,
    }
    function = {
        "name": f"chat-{number}",
        "containerImage": "nvcr.io/acme/chat:1",
        "inferenceUrl": "/v1/chat/completions",
        "tags": ["team:search"],
        "deployment": {"specifications": {"h100": specification}},
    }
    return {"apiVersion": "nvcfplan/v1", "stack": name, "functions": {"chat": function}}


@dataclass
class Weather(httpx2.AsyncBaseTransport):
    """Between us and the account. Seconds are the account's.

    `outages`: (from, to) in which nobody answers. `bursts`: answers of 429 that are still to come.
    `dies`: the process is killed at this request from now; None: it is not.
    """

    fleet: Fleet
    outages: tuple[tuple[float, float], ...]
    bursts: int = 0
    dies: int | None = None

    def is_out(self, seconds: float) -> bool:
        return any(begin <= seconds < end for begin, end in self.outages)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.dies is not None:
            self.dies -= 1
            if self.dies < 0:
                self.dies = None
                raise Killed
        if self.is_out(self.fleet.emulator.clock.monotonic()):
            raise httpx2.ConnectError("nobody answers", request=request)
        if self.bursts > 0:
            self.bursts -= 1
            body = json.dumps({"requestStatus": {"statusDescription": "slow down"}}).encode()
            return httpx2.Response(429, headers={"Retry-After": "2"}, content=body, request=request)
        return await self.fleet.emulator.transport().handle_async_request(request)


def outages(throw: random.Random, seconds: float) -> tuple[tuple[float, float], ...]:
    """About one in two hours, of a few minutes to an hour and a half."""
    found, at = [], throw.uniform(3_000, 9_000)
    while at < seconds:
        length = throw.choice([200, 900, 2_000, 5_400])
        found.append((at, at + length))
        at += length + throw.uniform(3_000, 12_000)
    return tuple(found)
