"""NVIDIA's Go clients against the emulator: what their sources send, and what they can read."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import httpx2
import pytest

from nvcfplan.emulator.serving import Emulator, load_worldfile, serve
from tests.traces.gojson import Unreadable, decode, find
from tests.traces.replay import TRACES, Replay, client, names, trace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from contextlib import AbstractAsyncContextManager

CLIENTS = ("terraform", "nvcf-cli")


def an_account() -> Emulator:
    checked = load_worldfile(TRACES / "world.yaml")
    assert checked.value is not None, checked.diagnostics
    return Emulator.open(None, checked.value)


@asynccontextmanager
async def in_process(emulator: Emulator) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(
        transport=emulator.transport(), base_url="http://emulator.local"
    ) as http:
        yield http


@asynccontextmanager
async def over_http(emulator: Emulator) -> AsyncIterator[httpx2.AsyncClient]:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    serving = asyncio.create_task(
        serve(emulator, host="127.0.0.1", port=0, speed=1.0, started=address.set_result)
    )
    async with httpx2.AsyncClient(base_url=await address, trust_env=False) as http:
        yield http
    serving.cancel()
    await asyncio.wait([serving])


@pytest.mark.parametrize("connect", [in_process, over_http])
@pytest.mark.parametrize("name", names())
def test_client_gets_what_its_source_can_read(
    name: str, connect: Callable[[Emulator], AbstractAsyncContextManager[httpx2.AsyncClient]]
) -> None:
    replayed = trace(name)

    async def run() -> None:
        async with connect(an_account()) as http:
            await Replay(replayed, http).run(replayed)

    asyncio.run(run())


@pytest.mark.parametrize("name", [one for one in names() if one.startswith("terraform/")])
def test_provider_that_is_given_a_team_gets_the_same(name: str) -> None:
    """`NvcfEndpoint` of nvcf_client.go: the segment comes between org and service."""
    without = trace(name)
    steps = tuple(
        step.model_copy(update={"sends": re.sub(r"/demo/nvcf", "/demo/teams/a/nvcf", step.sends)})
        for step in without.steps
    )

    async def run() -> None:
        async with in_process(an_account()) as http:
            replayed = without.model_copy(update={"steps": steps})
            await Replay(replayed, http).run(replayed)

    asyncio.run(run())


@pytest.mark.parametrize("folder", CLIENTS)
def test_every_request_the_client_can_send_is_replayed(folder: str) -> None:
    told = " ".join(
        step.source for name in names() if name.startswith(folder) for step in trace(name).steps
    )
    assert set(client(folder).functions) - set(re.findall(r"\w+", told)) == set()


@pytest.mark.parametrize("name", names())
def test_every_request_says_where_it_was_read(name: str) -> None:
    steps = trace(name).steps
    assert [one.sends for one in steps if one.sends and ".go " not in one.source] == []


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("int", "8000"),
        ("int", 1.0),
        ("int", True),
        ("string", 7),
        ("bool", "true"),
        ("time", "2026-01-01 00:00:00"),
        ("[]string", "one"),
        ("Health", []),
    ],
)
def test_answer_of_another_type_is_unreadable_to_go(kind: str, value: object) -> None:
    with pytest.raises(Unreadable):
        decode(value, kind, {"Health": {"port": "int"}})


def test_what_is_missing_has_its_zero_value_and_what_is_unknown_is_passed_over() -> None:
    structs = {"Health": {"port": "int", "uri": "string", "tags": "[]string", "on": "bool"}}
    seen = decode({"PORT": 1, "colour": "red", "tags": []}, "Health", structs)
    assert seen == {"port": 1, "uri": "", "tags": [], "on": False}
    assert decode(None, "Health", structs) == {"port": 0, "uri": "", "tags": None, "on": False}


def test_one_element_is_found_by_its_fields() -> None:
    rows = {"rows": [{"gpu": "H100", "id": "a.b"}, {"gpu": "L40S", "id": "c"}]}
    assert find(rows, "rows[gpu=H100,id=a.b].id") == "a.b"
    with pytest.raises(AssertionError, match="0 of 2"):
        find(rows, "rows[gpu=T10].id")
