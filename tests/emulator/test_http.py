"""Over real HTTP on loopback: the same account, under a clock that runs by itself."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import httpx2
import pytest

from nvcfplan.emulator.keys import KeyRule
from nvcfplan.emulator.rules import Fault, Trouble, WorldFile
from nvcfplan.emulator.serving import Emulator, EmulatorError, serve
from nvcfplan.emulator.worldfile import digest_of
from tests.emulator.account import container, spec, world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

T = TypeVar("T")

TLS = Path(__file__).parents[1] / "adapters" / "tls"
"""Made for tests of TLS: `localhost.pem` is a certificate and its key, of `ca.pem`."""


@asynccontextmanager
async def served(emulator: Emulator, speed: float) -> AsyncIterator[httpx2.AsyncClient]:
    address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    task = asyncio.create_task(
        serve(emulator, host="127.0.0.1", port=0, speed=speed, started=address.set_result)
    )
    headers = {"Authorization": "Bearer any"}
    async with httpx2.AsyncClient(
        base_url=await address, headers=headers, trust_env=False
    ) as client:
        yield client
    task.cancel()
    await asyncio.wait([task])


def over_http(
    act: Callable[[httpx2.AsyncClient], Awaitable[T]],
    *,
    rules: WorldFile | None = None,
    speed: float = 1.0,
) -> T:
    async def run() -> T:
        async with served(Emulator.open(None, rules or world()), speed) as client:
            return await act(client)

    return asyncio.run(run())


def test_function_is_created_deployed_and_becomes_active_by_itself() -> None:
    async def act(client: httpx2.AsyncClient) -> str:
        made = (await client.post("/v2/nvcf/functions", json=container())).json()["function"]
        path = f"/v2/nvcf/deployments/functions/{made['id']}/versions/{made['versionId']}"
        answer = await client.post(path, json={"deploymentSpecifications": [spec()]})
        assert answer.json()["deployment"]["functionStatus"] == "DEPLOYING"
        while True:
            answer = await client.get(path)
            status: str = answer.json()["deployment"]["functionStatus"]
            if status != "DEPLOYING":
                return status

    assert over_http(act, speed=2000.0) == "ACTIVE"


def test_health_announces_the_speed() -> None:
    async def act(client: httpx2.AsyncClient) -> object:
        return (await client.get("/health")).json()

    assert over_http(act, speed=60.0) == {"status": "UP", "emulator": True, "speed": 60.0}


def test_no_content_and_problems_look_as_they_should() -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        made = (await client.post("/v2/nvcf/functions", json=container())).json()["function"]
        path = f"/v2/nvcf/functions/{made['id']}/versions/{made['versionId']}"
        gone = await client.delete(path)
        assert (gone.status_code, gone.content) == (204, b"")
        missing = await client.get(path)
        assert missing.status_code == 404
        assert missing.headers["content-type"] == "application/problem+json"

    over_http(act)


def test_query_and_admin_calls_work() -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        await client.post("/v2/nvcf/functions", json=container())
        listed = await client.get("/v2/nvcf/functions", params={"visibility": "public"})
        assert listed.json() == {"functions": []}
        body = {"cluster": "lab-1", "gpu": "H100", "gpus": 2}
        assert (await client.post("/emulator/grab", json=body)).status_code == 200
        kinds = [one["kind"] for one in (await client.get("/emulator/events")).json()["events"]]
        assert kinds == ["created", "grabbed"]

    over_http(act)


def test_missing_token_is_answered_with_an_empty_401() -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        del client.headers["Authorization"]
        answer = await client.get("/v2/nvcf/functions")
        assert (answer.status_code, answer.content) == (401, b"")
        assert answer.headers["www-authenticate"] == "Bearer"

    over_http(act)


def test_page_in_a_browser_cannot_reach_it() -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example:80"}):
            answer = await client.post("/emulator/reset", headers=headers)
            assert answer.status_code == 403
        for host in ("localhost", "127.0.0.1:1", "[::1]:8"):
            assert (await client.get("/health", headers={"Host": host})).status_code == 200

    over_http(act)


def test_dropped_reply_cuts_the_connection_after_serving() -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.post("/v2/nvcf/functions", json=container())
        assert len((await client.get("/v2/nvcf/functions")).json()["functions"]) == 1

    over_http(act, rules=world(faults=(Fault(kind=Trouble.DROP_REPLY, route="create-function"),)))


def test_pause_is_scaled_by_the_speed() -> None:
    async def act(client: httpx2.AsyncClient) -> None:
        assert (await client.get("/v2/nvcf/clusterGroups")).status_code == 200

    fault = Fault(kind=Trouble.PAUSE, route="inventory", seconds=3600.0)
    over_http(act, rules=world(faults=(fault,)), speed=360_000.0)


def refused(rules: WorldFile, host: str, port: int, speed: float) -> str:
    with pytest.raises(EmulatorError) as caught:
        asyncio.run(serve(Emulator.open(None, rules), host=host, port=port, speed=speed))
    return caught.value.summary


def test_serving_others_needs_a_key() -> None:
    assert "asks for no key" in refused(world(), "0.0.0.0", 0, 1)
    keyed = world(api_keys=(KeyRule(digest=digest_of("k")),))
    assert "cannot run at speed" in refused(keyed, "0.0.0.0", 0, 0)


def test_speed_must_be_a_positive_number() -> None:
    for speed in (0.0, -1.0, float("inf"), float("nan")):
        assert "cannot run at speed" in refused(world(), "127.0.0.1", 0, speed)


def test_port_that_cannot_be_had_is_refused() -> None:
    async def act(client: httpx2.AsyncClient) -> int:
        return client.base_url.port or 0

    async def taken() -> None:
        emulator = Emulator.open(None, world())
        async with served(emulator, 1) as client:
            port = await act(client)
            with pytest.raises(EmulatorError, match="cannot listen on"):
                await serve(emulator, host="127.0.0.1", port=port, speed=1)

    asyncio.run(taken())
    assert "cannot listen on" in refused(world(), "127.0.0.1", 99999, 1)


def test_file_that_is_no_certificate_is_refused_before_anything_is_served(tmp_path: Path) -> None:
    pem = tmp_path / "emulator.pem"
    pem.write_text("-----BEGIN CERTIFICATE-----\n", encoding="utf-8")
    for path in (pem, tmp_path / "missing.pem"):
        coming = serve(
            Emulator.open(None, world()), host="127.0.0.1", port=0, speed=1, certificate=path
        )
        with pytest.raises(EmulatorError, match="cannot be served with") as caught:
            asyncio.run(coming)
        assert str(path) in caught.value.summary


def test_https_is_spoken_with_the_certificate_given() -> None:
    async def run() -> str:
        address: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        serving = asyncio.create_task(
            serve(
                Emulator.open(None, world()),
                host="127.0.0.1",
                port=0,
                speed=1,
                started=address.set_result,
                certificate=TLS / "localhost.pem",
            )
        )
        url = await address
        trust = ssl.create_default_context(cafile=TLS / "ca.pem")
        async with httpx2.AsyncClient(verify=trust, trust_env=False) as client:
            answer = await client.get(f"{url}/health")
        serving.cancel()
        await asyncio.wait([serving])
        return f"{url.partition(':')[0]} {answer.status_code}"

    assert asyncio.run(run()) == "https 200"


def test_reply_may_be_cut_or_never_come_and_others_are_served_meanwhile() -> None:
    faults = (
        Fault(kind=Trouble.CUT_REPLY, route="list-functions"),
        Fault(kind=Trouble.STUCK, route="list-functions", nth=2),
    )

    async def act(client: httpx2.AsyncClient) -> int:
        with pytest.raises(httpx2.RemoteProtocolError):
            await client.get("/v2/nvcf/functions")
        stuck = asyncio.create_task(client.get("/v2/nvcf/functions", timeout=0.2))
        answer = await client.get("/v2/nvcf/functions/ids")
        with pytest.raises(httpx2.ReadTimeout):
            await stuck
        return answer.status_code

    assert over_http(act, rules=world(faults=faults)) == 200
