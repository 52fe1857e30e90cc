"""Plans and applies desired stacks against an emulated account, in this process, without files."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.client import Client
from nvcfplan.adapters.nvcf.performer import NvcfPerformer
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.nvcf.target import Target
from nvcfplan.adapters.settings.secrets import LocalSecrets
from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.adapters.storage.notices import LocalBoard
from nvcfplan.applying import ApplySettings, Event, StateStore
from nvcfplan.emulator.serving import Emulator, LedgerEntry, Service, WorldFile
from nvcfplan.model import (
    AccountIdentity,
    DesiredFunction,
    RunId,
    Secret,
    SecretOrigin,
    SecretReference,
    Stack,
    digest_of,
)
from nvcfplan.workflows import (
    Actor,
    ApplyRequest,
    DriftRequest,
    LookPorts,
    Minted,
    PlanRequest,
    RunPorts,
    RunResult,
    Shell,
    apply_plan,
    look_for_drift,
    make_plan,
)
from tests.adapters.counted import Counted

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from nvcfplan.plans import Infeasible, Plan
    from nvcfplan.reports import DriftReport

ACTOR = Actor(name="tester@here", tool_version="test")
KEY = Secret("any-key", SecretReference("key", SecretOrigin.ENV, "KEY"))


@dataclass(slots=True)
class Account:
    """One emulated account and one place to keep state; `runs` numbers the runs.

    `store` None: state is kept in files under `state_root`. `environment`: what secrets are
    resolved from; `literals`: what the stack itself says, by locator. `sent`: requests so far, by
    `METHOD /path`, ids as `*`. `is_shared`: its applies tell one another what they will take.
    """

    emulator: Emulator
    state_root: Path
    store: StateStore | None = None
    runs: count[int] = field(default_factory=lambda: count(1))
    environment: dict[str, str] = field(default_factory=dict)
    literals: dict[str, Secret] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)
    is_shared: bool = False

    def plan(self, *functions: DesiredFunction, stack: str = "prod") -> Plan | Infeasible:
        ordered = tuple(sorted(functions, key=lambda one: one.key))
        return self.plan_stack(Stack(name=stack, environment="default", functions=ordered))

    def plan_stack(self, stack: Stack, *, compares_secrets: bool = False) -> Plan | Infeasible:
        request = PlanRequest(
            stack=stack,
            inputs=digest_of(repr(stack.functions)),
            root="",
            actor=ACTOR,
            compares_secrets=compares_secrets,
        )

        async def use() -> Plan | Infeasible:
            async with ports_of(self) as ports:
                return await make_plan(request, ports.look)

        return asyncio.run(use())

    def apply(self, plan: Plan, settings: ApplySettings | None = None) -> RunResult:
        async def use() -> RunResult:
            async with ports_of(self) as ports:
                return await self.carry_out(plan, ports, settings or ApplySettings())

        return asyncio.run(use())

    def drift(self, stack: Stack) -> DriftReport:
        async def use() -> DriftReport:
            async with ports_of(self) as ports:
                return await look_for_drift(DriftRequest(stack=stack), ports.look)

        return asyncio.run(use())

    def unserved(self) -> tuple[LedgerEntry, ...]:
        """Requests of ours that were refused or kept waiting with nothing injected."""
        return tuple(
            entry
            for entry in self.emulator.ledger()
            if entry.outcome is not Service.AT_ONCE and not entry.is_injected
        )

    async def carry_out(self, plan: Plan, ports: RunPorts, settings: ApplySettings) -> RunResult:
        minted = Minted(
            run=RunId(f"RUN{next(self.runs):06}"), lineage="lineage", secret_key="ab" * 16
        )
        request = ApplyRequest(plan=plan, actor=ACTOR, minted=minted, settings=settings)
        events: list[Event] = []
        shell = Shell(interrupts=asyncio.Queue(), listener=events.append, begins=lambda: None)
        return await apply_plan(request, ports, shell)


@asynccontextmanager
async def ports_of(account: Account) -> AsyncIterator[RunPorts]:
    emulator = account.emulator
    target = Target(base_url=emulator.base_url, token=KEY, org=emulator.org, nca_id=emulator.nca_id)
    secrets = LocalSecrets(account.environment, stack=account.literals, root=account.state_root)
    files = LocalStore(account.state_root)
    transport = Counted(emulator.transport(), account.sent)
    async with Client(target, clock=emulator.clock, transport=transport) as client:
        identity = AccountIdentity(endpoint=target.root, org=target.org, nca_id=target.nca_id)
        look = LookPorts(
            identity=identity,
            reader=NvcfReader(client),
            store=account.store or files,
            secrets=secrets,
            clock=emulator.clock,
            board=LocalBoard(account.state_root) if account.is_shared else None,
        )
        yield RunPorts(look=look, performer=NvcfPerformer(client, secrets))
    files.close()


@contextmanager
def account(world: WorldFile, store: StateStore | None = None) -> Iterator[Account]:
    with TemporaryDirectory() as directory:
        yield Account(Emulator.open(None, world), Path(directory), store)
