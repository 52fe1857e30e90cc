"""One event loop and one pool of connections for a command, with room to ask in between.

The loop is not running while a person is asked something, so that Ctrl-C works at a prompt.
"""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nvcfplan.applying import Interrupted
from nvcfplan.frontends.assembly import acting_from, connected
from nvcfplan.frontends.exits import Terminated
from nvcfplan.workflows import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from pathlib import Path

    from nvcfplan.applying import Event
    from nvcfplan.frontends.assembly import ChosenAccount
    from nvcfplan.frontends.narrating import Narrator
    from nvcfplan.model import Stack
    from nvcfplan.workflows import Actor, RunPorts

T = TypeVar("T")

_TICK_SECONDS: Final = 0.5
_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Session:
    """`was_terminated`: the last run was told to stop by SIGTERM or SIGHUP."""

    def __init__(self, runner: asyncio.Runner, ports: RunPorts, actor: Actor) -> None:
        self._runner = runner
        self.ports = ports
        self.actor = actor
        self.was_terminated = False

    def read(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def carry_out(self, work: Callable[[Shell], Coroutine[Any, Any, T]], narrator: Narrator) -> T:
        """Once the run begins, signals are told to it, and it ends in its own time.

        Raises: KeyboardInterrupt for a signal before that: nothing has been begun.
        """
        # A run may wait for hours: from here on the collector is worth its price.
        gc.freeze()
        gc.enable()
        return self._runner.run(self._narrated(work, narrator))

    async def _narrated(
        self, work: Callable[[Shell], Coroutine[Any, Any, T]], narrator: Narrator
    ) -> T:
        ticking = asyncio.get_running_loop().create_task(_ticking(narrator))
        try:
            return await self._interruptible(work, narrator.hear)
        finally:
            ticking.cancel()
            narrator.close()

    async def _interruptible(
        self, work: Callable[[Shell], Coroutine[Any, Any, T]], listener: Callable[[Event], None]
    ) -> T:
        task = asyncio.current_task()
        assert task is not None
        interrupts: asyncio.Queue[Interrupted] = asyncio.Queue()
        seen, has_begun = 0, False

        def begins() -> None:
            nonlocal has_begun
            has_begun = True

        def interrupt(number: signal.Signals) -> None:
            nonlocal seen
            seen += 1
            self.was_terminated = number is not signal.SIGINT
            if has_begun:
                interrupts.put_nowait(Interrupted(seen))
            else:
                task.cancel()

        with _handling(interrupt):
            try:
                return await work(Shell(interrupts=interrupts, listener=listener, begins=begins))
            except asyncio.CancelledError:
                if not seen:
                    raise
                raise (Terminated if self.was_terminated else KeyboardInterrupt) from None


@contextmanager
def opened(
    account: ChosenAccount, stack: Stack | None, root: Path, environment: Mapping[str, str]
) -> Iterator[Session]:
    with asyncio.Runner() as runner:
        connection = connected(account, stack, root, environment)
        ports = runner.run(_awaited(connection.__aenter__()))
        try:
            yield Session(runner, ports, acting_from(root, environment))
        finally:
            runner.run(_awaited(connection.__aexit__(None, None, None)))


async def _ticking(narrator: Narrator) -> None:
    """Real seconds, whatever clock the run goes by: somebody looks at it."""
    while True:
        await asyncio.sleep(_TICK_SECONDS)
        narrator.tick()


async def _awaited(work: Coroutine[Any, Any, T]) -> T:
    return await work


@contextmanager
def _handling(handler: Callable[[signal.Signals], None]) -> Iterator[None]:
    """Signals reach the main thread alone; elsewhere there is nothing to handle."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    # What was ignored from the start, as under nohup, stays ignored.
    handled = [one for one in _SIGNALS if signal.getsignal(one) is not signal.SIG_IGN]
    for number in handled:
        loop.add_signal_handler(number, handler, number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
