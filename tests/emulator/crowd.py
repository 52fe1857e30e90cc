"""Clients of a served emulator that remember what they were told, and find fault with the rest.

Raw HTTP over one connection each, so that hundreds cost little. A call whose reply never came may
have been served or not; everything that was answered has to stay so.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.emulator.account import Json, container, rows, spec

if TYPE_CHECKING:
    from collections.abc import Callable

WEDGED_SECONDS = 30.0
_FUNCTIONS = "/v2/nvcf/functions"
_WRITES = ("create", "deploy", "tags", "undeploy", "delete")


class Unanswered(Exception):
    """The connection broke before the reply was whole."""


@dataclass(slots=True)
class Server:
    """`is_up` is cleared before it is killed, and set when it serves again on the same port."""

    port: int
    is_up: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Owned:
    """A version as its client was told it is. `doubt`: of its tags or deployment."""

    name: str
    path: str
    tags: list[str] = field(default_factory=list)
    is_deployed: bool = False
    doubt: set[str] = field(default_factory=set)

    @property
    def deployment(self) -> str:
        return self.path.replace("/nvcf/", "/nvcf/deployments/")


class Client:
    """`told`: called after each write that was answered."""

    def __init__(self, name: str, server: Server, *, told: Callable[[], None]) -> None:
        self.name = name
        self.owned: list[Owned] = []
        self.names_in_doubt: set[str] = set()
        self.gone: set[str] = set()
        self._told = told
        self._server = server
        self._random = random.Random(name)
        self._made = 0
        self._line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def act(self) -> None:
        """One call: a write, or a read that checks what is known."""
        word = self._random.choice([*_WRITES, "read", "read", "list"])
        if word == "create" or not self.owned:
            await self._create()
        elif word == "list":
            self._check_names(await self.listed())
        else:
            await self._act_on(self._random.choice(self.owned), word)

    async def check(self, listed: set[str]) -> None:
        """All that this client was told is still so."""
        self._check_names(listed)
        for one in list(self.owned):
            await self._read(one)

    async def listed(self) -> set[str]:
        """The names of all functions there are."""
        status, body = await self._sure("GET", _FUNCTIONS)
        assert status == 200
        return {str(one["name"]) for one in rows(body, "functions")}

    def _check_names(self, listed: set[str]) -> None:
        mine = {one for one in listed if one.startswith(f"{self.name}-")}
        known = {one.name for one in self.owned if "all" not in one.doubt}
        assert known <= mine
        assert not mine & self.gone
        assert mine <= {one.name for one in self.owned} | self.names_in_doubt

    def close(self) -> None:
        if self._line is not None:
            self._line[1].close()
            self._line = None

    async def _create(self) -> None:
        self._made += 1
        name = f"{self.name}-{self._made}"
        self.names_in_doubt.add(name)
        status, body = await self._call("POST", _FUNCTIONS, container(name))
        assert status == 200, body
        function = body["function"]
        assert isinstance(function, dict)
        path = f"{_FUNCTIONS}/{function['id']}/versions/{function['versionId']}"
        self.owned.append(Owned(name=name, path=path))
        self.names_in_doubt.discard(name)
        self._told()

    async def _act_on(self, one: Owned, word: str) -> None:
        if word == "read" or one.doubt:
            await self._read(one)
            return
        if word == "tags":
            tags = [f"t{self._random.randrange(1000)}"]
            await self._write(one, "tags", ("PUT", one.path, {"tags": tags}), 200)
            one.tags = tags
        elif word == "deploy" and not one.is_deployed:
            body = {"deploymentSpecifications": [spec(0, 1)]}
            await self._write(one, "deployment", ("POST", one.deployment, body), 200)
            one.is_deployed = True
        elif word == "undeploy" and one.is_deployed:
            await self._write(one, "deployment", ("DELETE", one.deployment, None), 200)
            one.is_deployed = False
        elif word == "delete":
            await self._write(one, "all", ("DELETE", one.path, None), 204)
            self.owned.remove(one)
            self.gone.add(one.name)

    async def _write(
        self, one: Owned, what: str, call: tuple[str, str, object], expected: int
    ) -> None:
        one.doubt.add(what)
        status, body = await self._call(*call)
        assert status == expected, (what, status, body)
        one.doubt.discard(what)
        self._told()

    async def _read(self, one: Owned) -> None:
        """Compares what is known, and learns what is in doubt."""
        status, body = await self._sure("GET", one.path)
        if status == 404 and "all" in one.doubt:
            self.owned.remove(one)
            self.gone.add(one.name)
            return
        assert status == 200, (one, body)
        function = body["function"]
        assert isinstance(function, dict)
        tags = function.get("tags") or []
        assert tags == one.tags or "tags" in one.doubt, (one, tags)
        status, _ = await self._sure("GET", one.deployment)
        assert status in (200, 404)
        assert (status == 200) == one.is_deployed or "deployment" in one.doubt, (one, status)
        one.tags, one.is_deployed = tags, status == 200
        one.doubt.clear()

    async def _sure(self, method: str, path: str) -> tuple[int, Json]:
        """A read may be asked again."""
        while True:
            try:
                return await self._call(method, path)
            except Unanswered:
                continue

    async def _call(self, method: str, path: str, body: object = None) -> tuple[int, Json]:
        """Raises Unanswered; a server error or no reply in time fails the test."""
        await self._server.is_up.wait()
        try:
            async with asyncio.timeout(WEDGED_SECONDS):
                status, content = await self._exchange(method, path, body)
        except (OSError, EOFError) as error:
            if isinstance(error, TimeoutError):
                raise AssertionError(f"wedged: {method} {path}") from error
            self.close()
            raise Unanswered from error
        assert status < 500, (method, path, status, content)
        return status, json.loads(content) if content else {}

    async def _exchange(self, method: str, path: str, body: object) -> tuple[int, bytes]:
        if self._line is None:
            self._line = await asyncio.open_connection("127.0.0.1", self._server.port)
        reader, writer = self._line
        content = b"" if body is None else json.dumps(body).encode()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer k\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        lengths = [
            int(line.split(b":")[1])
            for line in lines
            if line.lower().startswith(b"content-length:")
        ]
        status = int(lines[0].split()[1])
        return status, await reader.readexactly(lengths[0]) if lengths else b""
