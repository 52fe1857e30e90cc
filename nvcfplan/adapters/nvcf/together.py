"""Reads side by side: all of them, or the first failure alone with none left running."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable, Sequence

ResultT = TypeVar("ResultT")
FirstT = TypeVar("FirstT")
SecondT = TypeVar("SecondT")


async def both_of(
    first: Coroutine[object, object, FirstT], second: Coroutine[object, object, SecondT]
) -> tuple[FirstT, SecondT]:
    one, other = asyncio.ensure_future(first), asyncio.ensure_future(second)
    try:
        return await asyncio.gather(one, other)
    finally:
        await _ended((one,))
        await _ended((other,))


async def all_of(
    coroutines: Iterable[Coroutine[object, object, ResultT]],
) -> list[ResultT]:
    """Together; the first failure ends the others and is raised alone."""
    tasks = [asyncio.ensure_future(one) for one in coroutines]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await _ended(tasks)


async def _ended(tasks: Sequence[asyncio.Future[ResultT]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
