"""An account of many deployed functions on the emulator, and a count of what is sent to it."""

from __future__ import annotations

import re
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import httpx2

from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.performer import NvcfPerformer
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.applying import Call, Done
from nvcfplan.emulator.defaults import DEFAULT_WORLD
from nvcfplan.emulator.rules import ClusterRule, GpuRule, GroupRule, InstanceTypeRule, WorldFile
from nvcfplan.model import (
    AccountIdentity,
    Address,
    DesiredFunction,
    DesiredSpecification,
    EffectId,
    FunctionConfig,
    GpuSpecification,
    OperationId,
    Owner,
    Secret,
    SecretOrigin,
    SecretReference,
    Stack,
    StepId,
    digest_of,
    ownership_tags,
)
from nvcfplan.plans import CreateFunction, Deploy, VersionRef
from nvcfplan.workflows import Actor, LookPorts, PlanRequest, make_plan
from tests.adapters.fakes import CANARY, FakeSecrets
from tests.fakes import MemoryStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from nvcfplan.emulator.serving import Emulator
    from nvcfplan.plans import Infeasible, Plan, Task

TOKEN = SecretReference("HF_TOKEN", SecretOrigin.ENV, "HF_TOKEN")
STACK, ENVIRONMENT = "big", "default"
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


@dataclass(slots=True)
class Counted(httpx2.AsyncBaseTransport):
    """`sent` counts by `METHOD /path`, ids as `*`."""

    inner: httpx2.AsyncBaseTransport
    sent: Counter[str]

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent[f"{request.method} {_ID.sub('*', request.url.path)}"] += 1
        return await self.inner.handle_async_request(request)


def world(gpus: dict[str, int]) -> WorldFile:
    """One group and one cluster for each name, with so many H100."""
    kind = InstanceTypeRule(name="h100_1x", gpu_count=1, is_default=True)
    return replace(
        DEFAULT_WORLD,
        groups=tuple(
            GroupRule(name=f"G-{name}", nca_id=DEFAULT_WORLD.nca_id, authorized=("*",))
            for name in gpus
        ),
        clusters=tuple(
            ClusterRule(
                name=name,
                groups=(f"G-{name}",),
                region="us-west-2",
                provider="GCP",
                gpus=(GpuRule(name="H100", capacity=count, instance_types=(kind,)),),
            )
            for name, count in gpus.items()
        ),
        function_limit=100_000,
    )


def function(
    number: int, *, cluster: str, high: int = 1, has_secret: bool = False, is_shared: bool = False
) -> DesiredFunction:
    """`is_shared`: who may call it is managed, and nobody may."""
    managed = ["container_image", "deployment", "inference_url", "name"]
    managed += [*(["secrets"] if has_secret else []), *(["authorized_parties"] * is_shared)]
    fields = ("clusters", "gpu", "instance_type", "max_instances", "min_instances")
    specification = GpuSpecification(
        key="main",
        gpu="H100",
        instance_type="h100_1x",
        min_instances=1,
        max_instances=high,
        clusters=(cluster,),
    )
    return DesiredFunction(
        key=f"f{number:04d}",
        config=FunctionConfig(
            name=f"f{number:04d}", inference_url="/v1", container_image="nvcr.io/acme/app:1"
        ),
        managed=tuple(sorted(managed)),
        secrets=(TOKEN,) if has_secret else (),
        specifications=(DesiredSpecification(specification=specification, managed=fields),),
    )


@asynccontextmanager
async def client_on(
    emulator: Emulator, sent: Counter[str], *, base_url: str | None = None
) -> AsyncIterator[Client]:
    target = Target(
        base_url=base_url or emulator.base_url,
        token=Secret(CANARY, SecretReference("NGC_API_KEY", SecretOrigin.ENV, "NGC_API_KEY")),
        org=emulator.org if base_url else None,
        nca_id=emulator.nca_id,
    )
    transport = Counted(emulator.transport(), sent)
    async with Client(target, clock=emulator.clock, transport=transport) as client:
        yield client


async def deploy_all(emulator: Emulator, functions: Sequence[DesiredFunction]) -> None:
    """Each as the stack wants it, by our own performer; they are ACTIVE when this returns."""
    async with client_on(emulator, Counter()) as client:
        performer = NvcfPerformer(client, FakeSecrets({"HF_TOKEN": "hf-secret-value"}))
        for number, one in enumerate(functions):
            tags = ownership_tags(Owner(STACK, ENVIRONMENT, one.key))
            ref = VersionRef(Address(f"function.{one.key}"), "new")
            create = CreateFunction(ref, replace(one.config, tags=tags), one.secrets)
            made = await _done(performer, create, number, None)
            specifications = tuple(row.specification for row in one.specifications)
            await _done(performer, Deploy(ref, specifications), number, made)
    emulator.advance(1200)


async def _done(performer: NvcfPerformer, task: Task, number: int, made: Done | None) -> Done:
    bound = (made.function, made.version) if made and made.function else None
    call = Call(EffectId(number), StepId("step"), OperationId(f"01OP{number}"), task, bound)
    result = await performer.perform(call)
    assert isinstance(result, Done), result
    return result


async def planned(
    emulator: Emulator, functions: Sequence[DesiredFunction], *, base_url: str | None = None
) -> tuple[Plan | Infeasible, Counter[str]]:
    """A plan by the real workflow, without state, and what it sent."""
    sent: Counter[str] = Counter()
    ordered = tuple(sorted(functions, key=lambda one: one.key))
    request = PlanRequest(
        stack=Stack(name=STACK, environment=ENVIRONMENT, functions=ordered),
        inputs=digest_of("inputs"),
        root="",
        actor=Actor(name="tester", tool_version="test"),
    )
    async with client_on(emulator, sent, base_url=base_url) as client:
        return await make_plan(request, looking(client, emulator)), sent


def looking(client: Client, emulator: Emulator) -> LookPorts:
    """Without state."""
    target = client.target
    return LookPorts(
        identity=AccountIdentity(endpoint=target.root, org=target.org, nca_id=target.nca_id),
        reader=NvcfReader(client),
        store=MemoryStore(),
        secrets=FakeSecrets({"HF_TOKEN": "hf-secret-value"}),
        clock=emulator.clock,
    )
