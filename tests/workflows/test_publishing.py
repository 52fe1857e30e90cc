"""What a run tells other stacks that it will take, from its beginning to its end."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from nvcfplan.adapters.storage.notices import LocalBoard
from nvcfplan.applying import ApplySettings, NoticeBoard, RunOutcome, still_to_take
from nvcfplan.documents import decode_publication
from nvcfplan.emulator.rules import Trouble
from nvcfplan.emulator.serving import Fault
from nvcfplan.model import (
    DesiredSpecification,
    Downtime,
    Fallback,
    OnNoCapacity,
    RunId,
    UpdateOrder,
)
from nvcfplan.plans import Plan
from nvcfplan.workflows import Minted, RecoverRequest, RunResult, Scope, Shell, roll_back_run
from tests.laws.test_promises import world
from tests.planning.builders import specification, wanted
from tests.rehearsal import ACTOR, Account, account, ports_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from nvcfplan.applying import Lease, Notice
    from nvcfplan.model import DesiredFunction
    from nvcfplan.workflows import NothingToDo, RunPorts

T = TypeVar("T")
Told = dict[tuple[str, ...], int]
"""GPUs, by the clusters in any of which they will land."""


class Listening(NoticeBoard):
    """Another board, the claims on it as they changed, and how often they were taken off."""

    def __init__(self, board: NoticeBoard) -> None:
        self._board = board
        self.told: list[Told] = []
        self.withdrawn = 0

    async def publish(self, account: str, lease: Lease, content: bytes) -> int:
        found = decode_publication(content, lease.stack)
        told = {tuple(pool.cluster for pool in one.pools): one.gpus for one in found.claims}
        if self.told[-1:] != [told]:
            self.told.append(told)
        return await self._board.publish(account, lease, content)

    async def withdraw(self, account: str, lease: Lease) -> None:
        self.withdrawn += 1
        await self._board.withdraw(account, lease)

    async def notices(self, account: str) -> Sequence[Notice]:
        return await self._board.notices(account)


def listened(where: Account, use: Callable[[RunPorts], Awaitable[T]]) -> tuple[T, Listening]:
    board = Listening(LocalBoard(where.state_root))

    async def run() -> T:
        async with ports_of(where) as ports:
            return await use(replace(ports, look=replace(ports.look, board=board)))

    return asyncio.run(run()), board


def applied(where: Account, *functions: DesiredFunction) -> tuple[RunResult, Listening]:
    plan = where.plan(*functions)
    assert isinstance(plan, Plan)

    async def use(ports: RunPorts) -> RunResult:
        return await where.carry_out(plan, ports, ApplySettings())

    return listened(where, use)


def test_what_has_landed_is_told_no_more() -> None:
    with account(world(8)) as where:
        result, board = applied(where, wanted("chat", specification(low=2)))

    assert result.outcome is RunOutcome.APPLIED
    assert board.told == [{("a",): 2}, {}]
    assert board.withdrawn == 1


def test_a_rung_tells_what_it_takes_in_place_of_what_it_stands_for() -> None:
    elsewhere = specification(low=2, clusters=("b",))
    rung = Fallback(
        specifications=(DesiredSpecification(specification=elsewhere, managed=("clusters",)),)
    )
    ladder = replace(
        wanted("chat", specification(low=2)), on_no_capacity=OnNoCapacity(rungs=(rung,))
    )
    with account(world(8, 8)) as where:
        where.emulator.add_fault(Fault(kind=Trouble.CAPACITY_SYNC, route="deploy"))
        result, board = applied(where, ladder)

    assert result.outcome is RunOutcome.APPLIED
    assert board.told == [{("a",): 2}, {("b",): 2}, {}]


def test_a_rollback_tells_what_it_takes_back() -> None:
    """The old version holds two; the new one is to have one of them, and starves."""
    with account(world(2)) as where:
        applied(where, wanted("chat", specification(low=2)))
        where.emulator.add_fault(Fault(kind=Trouble.CAPACITY_ASYNC, route="deploy"))
        new = wanted(
            "chat",
            specification(low=1),
            image="nvcr.io/acme/app:2",
            order=UpdateOrder.DELETE_FIRST,
            downtime=Downtime.ALLOWED,
        )
        result, board = applied(where, new)

    assert result.outcome is RunOutcome.ROLLED_BACK
    assert {("a",): 1} in board.told
    assert {("a",): 2} in board.told[board.told.index({("a",): 1}) :]
    assert board.told[-1] == {}


def test_a_rollback_that_was_asked_for_tells_it_as_well() -> None:
    with account(world(8)) as where:
        applied(where, wanted("chat", specification(low=3, high=3)))
        result, _ = applied(where, wanted("chat", specification(low=1, high=1)))
        assert result.outcome is RunOutcome.APPLIED
        minted = Minted(run=RunId("RUN000009"), lineage="lineage", secret_key="ab" * 16)
        request = RecoverRequest(
            scope=Scope("prod", "default"), actor=ACTOR, minted=minted, settings=ApplySettings()
        )

        async def use(ports: RunPorts) -> RunResult | NothingToDo:
            shell = Shell(interrupts=asyncio.Queue(), listener=lambda _: None, begins=lambda: None)
            return await roll_back_run(request, ports, shell)

        back, board = listened(where, use)

    assert isinstance(back, RunResult)
    assert back.outcome is RunOutcome.ROLLED_BACK
    assert board.told == [{("a",): 2}, {}]
    assert board.withdrawn == 1


def test_what_may_land_in_several_pools_is_told_for_all_of_them_once() -> None:
    anywhere = specification("wide", low=3, clusters=("a", "b"))
    with account(world(8, 8)) as where:
        plan = where.plan(wanted("chat", specification(low=2), anywhere))
    assert isinstance(plan, Plan)
    found = still_to_take(plan, ())

    told = {tuple(pool.cluster for pool in one.pools): one.gpus for one in found.claims}
    assert told == {("a",): 2, ("a", "b"): 3}
