"""Client and emulator, written apart from one contract, understand each other."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.performer import NvcfPerformer
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.applying import Call, Done, FailureClass, Refused, Unanswered
from nvcfplan.emulator.defaults import DEFAULT_WORLD
from nvcfplan.emulator.keys import KeyRule
from nvcfplan.emulator.rules import Trouble
from nvcfplan.emulator.serving import Emulator, Fault
from nvcfplan.errors import Unauthorized
from nvcfplan.model import (
    Address,
    EffectId,
    EnvironmentVariable,
    FunctionConfig,
    FunctionId,
    GpuCountSource,
    GpuSpecification,
    LiveVersion,
    Metadata,
    OperationId,
    PoolId,
    RateLimit,
    Secret,
    SecretOrigin,
    SecretReference,
    Status,
    StepId,
    VersionId,
    with_defaults,
)
from nvcfplan.plans import (
    CreateFunction,
    CreateVersion,
    DeleteVersion,
    Deploy,
    SetSecrets,
    Task,
    Undeploy,
    UpdateDeployment,
    UpdateMetadata,
    VersionRef,
)
from tests.adapters.fakes import CANARY, FakeSecrets, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

REF = VersionRef(Address("function.chat"), "new")
TOKEN = SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN")
CONFIG = FunctionConfig(
    name="chat",
    inference_url="/chat",
    container_image="acme/chat:1",
    container_environment=(
        EnvironmentVariable(
            "DB_PASSWORD",
            Secret("db-password", SecretReference("P", SecretOrigin.STACK, "chat/DB_PASSWORD")),
        ),
        EnvironmentVariable("LOG", "info"),
    ),
    tags=("nvcfplan:env=default", "nvcfplan:key=chat", "nvcfplan:stack=demo", "team:a"),
    rate_limit=RateLimit(rate_limit="100-S"),
)
H100 = GpuSpecification(
    key="h100",
    gpu="H100",
    instance_type="a3-highgpu-8g_2x",
    min_instances=1,
    max_instances=2,
    max_request_concurrency=8,
    backend="GCP-ASIASE1-A",
)
L40S = GpuSpecification(
    key="l40s",
    gpu="L40S",
    instance_type="ON-PREM.GPU.L40S_2x",
    min_instances=0,
    max_instances=4,
    max_request_concurrency=1,
    regions=("us-west-2",),
    attributes=("SOC2",),
)


class Account:
    """The ports on one emulated account, and what was made in it so far."""

    def __init__(self, emulator: Emulator, client: Client) -> None:
        self.emulator = emulator
        self.reader = NvcfReader(client)
        self._performer = NvcfPerformer(client, FakeSecrets({"HF_TOKEN": "hf-secret-value"}))
        self._calls = 0

    async def perform(
        self, task: Task, bound: tuple[FunctionId, VersionId | None] | None
    ) -> Done | Refused | Unanswered:
        self._calls += 1
        operation = OperationId(f"01OP{self._calls}")
        call = Call(EffectId(self._calls), StepId("step"), operation, task, bound)
        return await self._performer.perform(call)

    async def done(
        self, task: Task, bound: tuple[FunctionId, VersionId | None] | None = None
    ) -> tuple[FunctionId, VersionId]:
        result = await self.perform(task, bound)
        assert isinstance(result, Done), result
        assert result.function is not None
        assert result.version is not None
        return result.function, result.version

    async def deployed(self, *specifications: GpuSpecification) -> tuple[FunctionId, VersionId]:
        ids = await self.done(CreateFunction(REF, CONFIG, (TOKEN,)))
        await self.done(Deploy(REF, specifications), ids)
        self.emulator.advance(600)
        return ids

    async def version(self, ids: tuple[FunctionId, VersionId]) -> LiveVersion:
        found = await self.reader.version(*ids)
        assert found is not None
        return found


@asynccontextmanager
async def account_on(emulator: Emulator) -> AsyncIterator[Account]:
    target = Target(
        base_url=emulator.base_url,
        token=Secret(CANARY, TOKEN),
        org=emulator.org,
        nca_id=emulator.nca_id,
    )
    async with Client(target, clock=emulator.clock, transport=emulator.transport()) as client:
        yield Account(emulator, client)


@asynccontextmanager
async def fresh_account() -> AsyncIterator[Account]:
    async with account_on(Emulator.open(None, None)) as account:
        yield account


def test_a_created_function_reads_back_as_it_was_made_with_defaults_filled_in() -> None:
    async def scenario() -> LiveVersion:
        async with fresh_account() as account:
            ids = await account.done(CreateFunction(REF, CONFIG, (TOKEN,)))
            (function,) = await account.reader.functions()
            assert function.id == ids[0]
            assert function.versions[0].version_id == ids[1]
            return await account.version(ids)

    found = run(scenario())
    tags = tuple(sorted((*CONFIG.tags, "nvcfplan:op=01OP1")))
    assert found.config == with_defaults(replace(CONFIG, tags=tags))
    assert found.secret_names == ("HF_TOKEN",)
    assert (found.status, found.deployment, found.instances) == (Status.INACTIVE, None, ())


def test_a_deployment_comes_up_where_it_was_asked_for() -> None:
    async def scenario() -> LiveVersion:
        async with fresh_account() as account:
            return await account.version(await account.deployed(H100, L40S))

    found = run(scenario())
    assert found.status is Status.ACTIVE
    assert found.deployment is not None
    placed = {one.specification.gpu: one for one in found.deployment.specifications}
    for wanted in (H100, L40S):
        row = placed[wanted.gpu]
        assert row.specification == replace(wanted, key=row.id)
    assert found.instances is not None
    assert [(one.location, one.is_running) for one in found.instances] == [
        ("nvcf-gcp-prod-asiase1-a", True)
    ]


def test_the_account_shows_place_room_quota_and_limit() -> None:
    async def scenario() -> None:
        async with fresh_account() as account:
            await account.deployed(H100)
            account.emulator.advance(600)
            found = await account.reader.account()
            assert found.groups is not None
            assert found.clusters is not None
            clusters = {one.name: one for one in found.clusters}
            gcp = clusters["nvcf-gcp-prod-asiase1-a"]
            assert (gcp.region, gcp.groups) == ("ap-east-1", ("GCP-ASIASE1-A",))
            (pool,) = gcp.pools
            assert (pool.id, pool.capacity, pool.available) == (PoolId(gcp.name, "H100"), 8, 6)
            assert {one.name: one.gpu_count for one in pool.instance_types} == {
                f"a3-highgpu-8g_{count}x": count for count in (1, 2, 4, 8)
            }
            sources = {one.gpu_count_source for one in pool.instance_types}
            assert sources == {GpuCountSource.ALLOCATOR}
            assert clusters["byoc-cluster-1"].attributes == ("SOC2",)
            assert found.version_limit is not None
            assert (found.version_limit.limit, found.version_limit.stored) == (50, 1)
            assert found.quotas == ()
            assert found.unread == ()

    run(scenario())


def test_a_row_is_scaled_and_its_neighbour_left_alone() -> None:
    async def scenario() -> LiveVersion:
        async with fresh_account() as account:
            ids = await account.deployed(H100, L40S)
            wider = replace(H100, max_instances=3)
            await account.done(UpdateDeployment(REF, wider, H100), ids)
            broader = replace(wider, max_request_concurrency=16)
            await account.done(UpdateDeployment(REF, broader, wider), ids)
            return await account.version(ids)

    found = run(scenario())
    assert found.deployment is not None
    numbers = {
        one.specification.gpu: (
            one.specification.max_instances,
            one.specification.max_request_concurrency,
        )
        for one in found.deployment.specifications
    }
    assert numbers == {"H100": (3, 16), "L40S": (4, 1)}


def test_a_new_version_carries_a_masked_value_on_without_knowing_it() -> None:
    async def scenario() -> LiveVersion:
        async with fresh_account() as account:
            ids = await account.done(CreateFunction(REF, CONFIG, ()))
            live = (await account.version(ids)).config
            carried = replace(
                live,
                container_image="acme/chat:2",
                container_environment=tuple(
                    EnvironmentVariable(one.key, one.value.reference)
                    if isinstance(one.value, Secret)
                    else one
                    for one in live.container_environment
                ),
            )
            new = await account.done(CreateVersion(REF, carried, ()), (ids[0], None))
            assert new[0] == ids[0]
            return await account.version(new)

    password, _ = run(scenario()).config.container_environment
    assert isinstance(password.value, Secret)
    assert password.value.reveal() == "db-password"


def test_tags_and_secrets_change_in_place() -> None:
    async def scenario() -> LiveVersion:
        async with fresh_account() as account:
            ids = await account.done(CreateFunction(REF, CONFIG, (TOKEN,)))
            tags = ("nvcfplan:stack=s", "team:b")
            await account.done(UpdateMetadata(REF, Metadata(tags=tags)), ids)
            await account.done(SetSecrets(REF, (replace(TOKEN, name="OTHER"),)), ids)
            return await account.version(ids)

    found = run(scenario())
    assert found.config.tags == ("nvcfplan:op=01OP1", "nvcfplan:stack=s", "team:b")
    assert found.secret_names == ("HF_TOKEN", "OTHER")


def test_an_undeployed_version_has_no_row_and_a_deleted_one_is_gone() -> None:
    async def scenario() -> None:
        async with fresh_account() as account:
            ids = await account.deployed(H100)
            await account.done(Undeploy(REF, graceful=False), ids)
            assert (await account.version(ids)).deployment is None
            await account.done(Undeploy(REF, graceful=False), ids)
            await account.done(DeleteVersion(REF), ids)
            assert await account.reader.version(*ids) is None
            assert await account.reader.functions() == ()
            await account.done(DeleteVersion(REF), ids)

    run(scenario())


def test_no_room_is_told_as_no_room_at_once_and_later() -> None:
    async def scenario() -> None:
        async with fresh_account() as account:
            ids = await account.done(CreateFunction(REF, CONFIG, ()))
            account.emulator.grab("nvcf-gcp-prod-asiase1-a", "H100", 8)
            refused = await account.perform(Deploy(REF, (H100,)), ids)
            assert isinstance(refused, Refused)
            assert refused.failure.kind == FailureClass.CAPACITY
            assert (await account.version(ids)).deployment is None
            account.emulator.give_back("nvcf-gcp-prod-asiase1-a", "H100", 1)
            await account.done(Deploy(REF, (H100,)), ids)
            account.emulator.advance(3600)
            row = (await account.version(ids)).deployment
            assert row is not None
            assert row.status is Status.ERROR
            assert "Capacity not available" in row.health[0].error

    run(scenario())


def test_what_is_not_offered_is_told_as_placement() -> None:
    async def scenario() -> Done | Refused | Unanswered:
        async with fresh_account() as account:
            ids = await account.done(CreateFunction(REF, CONFIG, ()))
            elsewhere = replace(H100, backend="NO-SUCH-GROUP")
            return await account.perform(Deploy(REF, (elsewhere,)), ids)

    refused = run(scenario())
    assert isinstance(refused, Refused)
    assert refused.failure.kind == FailureClass.PLACEMENT


def test_a_lost_answer_is_unknown_and_the_function_is_found_by_its_operation() -> None:
    async def scenario() -> None:
        emulator = Emulator.open(None, None)
        emulator.add_fault(Fault(kind=Trouble.DROP_REPLY, route="create-function"))
        async with account_on(emulator) as account:
            result = await account.perform(CreateFunction(REF, CONFIG, ()), None)
            assert isinstance(result, Unanswered)
            (function,) = await account.reader.functions()
            assert "nvcfplan:op=01OP1" in function.versions[0].config.tags

    run(scenario())


def test_a_service_that_stumbles_is_read_all_the_same() -> None:
    async def scenario() -> None:
        emulator = Emulator.open(None, None)
        emulator.add_fault(Fault(kind=Trouble.ANSWER, route="list-functions", status=503))
        async with account_on(emulator) as account:
            assert await account.reader.functions() == ()
            assert emulator.clock.monotonic() > 0

    run(scenario())


def test_a_key_that_is_not_known_is_refused_and_not_shown() -> None:
    async def scenario() -> Unauthorized:
        emulator = Emulator.open(None, replace(DEFAULT_WORLD, api_keys=(KeyRule(digest="0" * 64),)))
        async with account_on(emulator) as account:
            with pytest.raises(Unauthorized) as caught:
                await account.reader.functions()
            return caught.value

    error = run(scenario())
    assert error.status == 401
    assert CANARY not in f"{error!r}{error.detail}{error.remedy}"
