"""Queues, telemetries and registries, read over the emulator."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.raw import RawAnswer, RawRequest
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.nvcf.resources import ResourceReader
from nvcfplan.emulator.serving import Emulator
from nvcfplan.model import FunctionId, VersionId
from tests.adapters.counted import client_on, deploy_all, function, world
from tests.adapters.fakes import run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import TypeVar

    from nvcfplan.adapters.nvcf.client import Client
    from nvcfplan.adapters.nvcf.raw import Method

    ResultT = TypeVar("ResultT")

NOBODY = FunctionId("00000000-0000-4000-8000-000000000000")
NO_VERSION = VersionId("00000000-0000-4000-8000-000000000001")


def on_an_account(use: Callable[[Client], Awaitable[ResultT]]) -> ResultT:
    async def scenario() -> ResultT:
        emulator = Emulator.open(None, world({"a": 8}))
        await deploy_all(emulator, [function(1, cluster="a")])
        async with client_on(emulator, Counter()) as client:
            return await use(client)

    return run(scenario())


async def write(client: Client, method: Method, path: str, body: dict[str, object]) -> None:
    outcome = await client.send(RawRequest(method=method, path=path, scope="", body=body))
    assert isinstance(outcome, RawAnswer), outcome
    assert outcome.is_success, outcome.body


async def the_version(client: Client) -> tuple[FunctionId, VersionId]:
    (found,) = await NvcfReader(client).functions()
    return found.id, found.versions[0].version_id


def test_a_version_that_serves_has_a_queue_and_one_that_is_not_there_has_none() -> None:
    async def use(client: Client) -> None:
        ids = await the_version(client)
        assert await ResourceReader(client).queue_depth(*ids) == 0
        assert await ResourceReader(client).queue_depth(NOBODY, NO_VERSION) is None

    on_an_account(use)


def test_telemetries_and_credentials_are_listed_without_their_secrets() -> None:
    async def use(client: Client) -> None:
        telemetry: dict[str, object] = {
            "endpoint": "https://telemetry.example",
            "protocol": "HTTP",
            "provider": "DATADOG",
            "types": ["METRICS", "LOGS"],
            "secret": {"name": "metrics", "value": "secret-value"},
        }
        await write(client, "POST", "/telemetries", telemetry)
        credential: dict[str, object] = {
            "registryHostname": "nvcr.io",
            "secret": {"name": "registry", "value": "JG9hdXRodG9rZW46c2VjcmV0LXZhbHVl"},
            "artifactTypes": ["CONTAINER"],
        }
        await write(client, "POST", "/registry-credentials", credential)
        reader = ResourceReader(client)
        (one,) = await reader.telemetries()
        assert (one.name, one.types) == ("metrics", ("LOGS", "METRICS"))
        (other,) = await reader.registry_credentials()
        assert (other.hostname, other.artifact_types) == (
            "nvcr.io",
            ("CONTAINER",),
        )
        assert "secret-value" not in repr((one, other))

    on_an_account(use)


def test_recognized_registries_are_told_by_artifact_type() -> None:
    async def use(client: Client) -> None:
        found = await ResourceReader(client).recognized_registries()
        assert "nvcr.io" in found["CONTAINER"]

    on_an_account(use)
