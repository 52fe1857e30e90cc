"""`drift watch`: from stacks on the command line to looks without end, and who is told of them."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import signal
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from nvcfplan.drifting import Rota
from nvcfplan.frontends.account_posts import AccountPost, posts_for
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.notifying import write_metrics_of
from nvcfplan.frontends.options import is_address
from nvcfplan.frontends.reporting import say_diagnostics
from nvcfplan.frontends.wall_clock import WallClock
from nvcfplan.frontends.watch_answers import Answers, answering
from nvcfplan.views.round_text import render_round, round_json
from nvcfplan.workflows import Tick, Watch, watch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvcfplan.frontends.commands.drift_watch import WatchArguments
    from nvcfplan.frontends.terminal import Terminal


def watch_command(terminal: Terminal, arguments: WatchArguments) -> Exit:
    """Raises: SettingsError."""
    posts = posts_for(terminal, arguments, most_requests=arguments.max_requests)
    gc.freeze()
    gc.enable()  # a command does without; what goes on for weeks must not
    return asyncio.run(_watch(terminal, arguments, posts))


async def _watch(
    terminal: Terminal, arguments: WatchArguments, posts: tuple[AccountPost, ...]
) -> Exit:
    stop, code = asyncio.Event(), Exit.INTERRUPTED
    clock = posts[0].account.clock if is_address(arguments.emulator or "") else WallClock()
    seconds = arguments.every.total_seconds()
    answers = Answers(every=seconds, posts=len(posts), clock=clock)

    def heard(tick: Tick) -> None:
        answers.hear(tick)
        _tell(terminal, tick)
        say_diagnostics(
            terminal, write_metrics_of(arguments.metrics_file, answers.reports(), clock.now())
        )

    def told(number: signal.Signals) -> None:
        nonlocal code
        code = Exit.INTERRUPTED if number is signal.SIGINT else Exit.TERMINATED
        stop.set()

    settings = Watch(
        rota=Rota(every=seconds), clock=clock, chance=random.Random().random, heard=heard
    )
    with _stopping_by(told):
        async with answering(arguments.listen, answers, terminal.say):
            await watch(posts, settings, stop)
    return code


def _tell(terminal: Terminal, tick: Tick) -> None:
    """`missed` turns are said where somebody reads it: a longer interval is the remedy."""
    at = datetime.now(UTC)
    if tick.missed:
        terminal.say(f"{tick.missed} turns were left out: the look took {tick.seconds:.0f} s")
    if terminal.wants_json:
        found = round_json(tick.report, account=tick.post, at=at, seconds=tick.seconds)
        terminal.report(json.dumps(found, sort_keys=True))
        return
    terminal.report(render_round(tick.report, account=tick.post, at=at, seconds=tick.seconds))


@contextmanager
def _stopping_by(told: Callable[[signal.Signals], None]) -> Iterator[None]:
    """SIGINT, SIGTERM and SIGHUP, unless what started us has them ignored."""
    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handled = [one for one in signals if signal.getsignal(one) is not signal.SIG_IGN]
    for number in handled:
        loop.add_signal_handler(number, told, number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
