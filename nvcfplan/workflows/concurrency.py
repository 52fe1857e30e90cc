"""Reads side by side: all or the first failure, and none left running behind it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from nvcfplan.errors import NvcfplanError

if TYPE_CHECKING:
    from collections.abc import Coroutine, Sequence

T = TypeVar("T")
U = TypeVar("U")


async def both(one: Coroutine[Any, Any, T], two: Coroutine[Any, Any, U]) -> tuple[T, U]:
    """Raises: the first failure of the world, by itself rather than in a group."""
    try:
        async with asyncio.TaskGroup() as group:
            first, second = group.create_task(one), group.create_task(two)
    except* NvcfplanError as failed:
        raise _first(failed) from None
    return first.result(), second.result()


async def each(reads: Sequence[Coroutine[Any, Any, T]]) -> tuple[T, ...]:
    """Results in the order of `reads`. Raises: as `both`."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(read) for read in reads]
    except* NvcfplanError as failed:
        raise _first(failed) from None
    return tuple(task.result() for task in tasks)


def _first(failed: BaseExceptionGroup[NvcfplanError]) -> BaseException:
    found: BaseException = failed
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
