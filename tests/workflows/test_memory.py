"""Memory is written by looks and runs side by side: without a lease, and nothing of it is lost."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.errors import StateConflict, StoreError
from nvcfplan.model import Durations, Memory, StepKind, Token
from nvcfplan.workflows import read_memory, revise_memory
from tests.drifting.findings import finding
from tests.fakes import MemoryStore
from tests.workflows.channels import FakeChannel
from tests.workflows.rounds import SCOPE, Round

if TYPE_CHECKING:
    from pathlib import Path

    from nvcfplan.applying import Document, Lease

TAGS = finding("tags")


def with_kind(memory: Memory, name: str) -> Memory:
    kind = StepKind(task=name, gpu="", instance_type="")
    return replace(memory, durations=(*memory.durations, Durations(kind=kind, seconds=(1,))))


def test_of_many_who_write_at_once_each_is_remembered(tmp_path: Path) -> None:
    """While a run of somebody else holds the stack."""
    stores = [LocalStore(tmp_path) for _ in range(8)]

    async def write(number: int) -> None:
        await revise_memory(
            SCOPE, stores[number], lambda memory: (with_kind(memory, f"k{number}"), None)
        )

    async def all_at_once() -> Memory:
        await stores[0].acquire(str(SCOPE), "ada@desk", 60)
        async with asyncio.TaskGroup() as group:
            for number in range(len(stores)):
                group.create_task(write(number))
        return await read_memory(SCOPE, stores[0])

    memory = asyncio.run(all_at_once())
    assert sorted(one.kind.task for one in memory.durations) == [f"k{n}" for n in range(8)]


def test_where_nothing_changes_nothing_is_written() -> None:
    store = MemoryStore()
    assert asyncio.run(revise_memory(SCOPE, store, lambda memory: (memory, "found"))) == "found"
    assert store.documents == {}


@dataclass
class FullStore(MemoryStore):
    """Takes so many writes, and then raises `failure`."""

    writes_left: int = 0
    failure: StoreError = field(default_factory=lambda: StoreError("no space left on the disk"))

    async def write(
        self,
        stack: str,
        document: Document,
        content: bytes,
        *,
        expected: Token | None,
        lease: Lease | None,
    ) -> Token:
        if not self.writes_left:
            raise self.failure
        self.writes_left -= 1
        return await super().write(stack, document, content, expected=expected, lease=lease)


def test_a_store_that_never_takes_it_is_said_to_be_broken_in_the_end() -> None:
    store = FullStore(failure=StateConflict("somebody else was faster"))
    with pytest.raises(StateConflict):
        asyncio.run(revise_memory(SCOPE, store, lambda memory: (with_kind(memory, "k"), None)))


def test_what_cannot_be_noted_is_not_told_and_is_told_once_it_can_be() -> None:
    hook, store = FakeChannel(), FullStore(writes_left=1)
    looks = Round((hook,), store=store)
    (delivery,) = looks.look(0, TAGS)
    assert isinstance(delivery.failure, StoreError)
    assert hook.heard == []
    store.writes_left = 9
    looks.look(5, TAGS)
    assert hook.news == [(["tags"], [], False)]


def test_what_was_told_and_could_not_be_noted_comes_again_with_the_same_id() -> None:
    hook, store = FakeChannel(), FullStore(writes_left=2)
    looks = Round((hook,), store=store)
    (delivery,) = looks.look(0, TAGS)
    assert isinstance(delivery.failure, StoreError)
    store.writes_left = 9
    looks.look(5, TAGS)
    first, again = hook.heard
    assert first.id == again.id
