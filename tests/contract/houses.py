"""Emulated accounts that stand for a whole run: one per world, each in process and over HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import yaml

from nvcfplan.emulator.serving import HOST, Emulator, serve
from nvcfplan.emulator.sheets import Fault, Sheet
from nvcfplan.emulator.worldfile import world_of
from tests.contract.remote import Answer, Remote, Send

if TYPE_CHECKING:
    from nvcfplan.emulator.rules import WorldFile

_WORLDS = Path(__file__).parent / "worlds"
_STANDING_STILL = 1e-9
"""Speed of a clock that only `/emulator/advance` moves."""


@dataclass(frozen=True, slots=True)
class House:
    """One account; `sends`: by the way there."""

    emulator: Emulator
    sends: Mapping[str, Send]


class Houses:
    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._standing: dict[str, House] = {}
        self._servers: list[asyncio.Task[None]] = []
        self._clients: list[httpx2.AsyncClient] = []

    def remote(self, world: str, knobs: Mapping[str, object], way: str) -> Remote:
        """An account in which nothing has happened yet. `way`: a key of `House.sends`."""
        key = json.dumps([world, knobs], sort_keys=True)
        if key not in self._standing:
            self._standing[key] = self._build(rules_of(world, knobs))
        house = self._standing[key]
        house.emulator.reset()
        return Remote(house.sends[way])

    def _build(self, rules: WorldFile) -> House:
        emulator = Emulator.open(None, rules)
        inside = httpx2.AsyncClient(base_url=HOST, transport=emulator.transport())
        outside = httpx2.AsyncClient(
            base_url=self._runner.run(self._serve(emulator)), trust_env=False
        )
        self._clients += [inside, outside]
        return House(
            emulator, {"in process": self._sender(inside), "over http": self._sender(outside)}
        )

    async def _serve(self, emulator: Emulator) -> str:
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._servers.append(
            asyncio.create_task(
                serve(
                    emulator,
                    host="127.0.0.1",
                    port=0,
                    speed=_STANDING_STILL,
                    started=address.set_result,
                )
            )
        )
        return await address

    def _sender(self, client: httpx2.AsyncClient) -> Send:
        def send(method: str, path: str, headers: Mapping[str, str], content: bytes) -> Answer:
            asked = client.request(method, path, headers=headers, content=content)
            found = self._runner.run(asked)
            return Answer(
                status=found.status_code,
                headers={name.lower(): value for name, value in found.headers.items()},
                content=found.content,
            )

        return send

    def close(self) -> None:
        self._runner.run(self._leave())
        self._runner.close()

    async def _leave(self) -> None:
        for client in self._clients:
            await client.aclose()
        for server in self._servers:
            server.cancel()
        if self._servers:
            await asyncio.wait(self._servers)


def rules_of(world: str, knobs: Mapping[str, object]) -> WorldFile:
    """The world file of that name, with `knobs` in place of its own keys."""
    content = yaml.safe_load((_WORLDS / f"{world}.yaml").read_text(encoding="utf-8"))
    faults: list[Fault] = []
    rules = world_of(Sheet({**content, **knobs}, faults=faults))
    assert faults == []
    return rules
