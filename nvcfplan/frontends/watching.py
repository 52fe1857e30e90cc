"""`drift watch`: from stacks on the command line to looks without end, and who is told of them."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import signal
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.client import Allowance
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.diagnostics import Severity
from nvcfplan.drifting import Rota
from nvcfplan.errors import NvcfplanError, SettingsError
from nvcfplan.frontends.assembly import (
    ChosenAccount,
    choose_account,
    look_ports,
    place_of_state,
    secrets_for,
)
from nvcfplan.frontends.commands.drift_watch import WatchArguments
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.notifying import Notifying, notify, read_notifying, write_metrics_of
from nvcfplan.frontends.options import is_address
from nvcfplan.frontends.reporting import say_diagnostics
from nvcfplan.frontends.terminal import Terminal
from nvcfplan.frontends.wall_clock import WallClock
from nvcfplan.frontends.watch_answers import Answers, answering
from nvcfplan.loading import StackSource
from nvcfplan.reports import DriftReport, NotLooked, RoundReport
from nvcfplan.views.round_text import render_round, round_json
from nvcfplan.workflows import (
    DriftRequest,
    Look,
    OneReading,
    Post,
    Tick,
    Watch,
    look_at_each,
    read_stack_files,
    scope_of,
    watch,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from nvcfplan.workflows import LookPorts


def watch_command(terminal: Terminal, arguments: WatchArguments) -> Exit:
    """Raises: SettingsError."""
    posts = _posts(terminal, arguments)
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


@dataclass(frozen=True, slots=True)
class AccountPost(Post):
    """`files`: of each stack, as they were named."""

    account: ChosenAccount
    files: tuple[Path, ...]
    arguments: WatchArguments
    notifying: Notifying
    terminal: Terminal

    @property
    def name(self) -> str:
        return self.account.target.root

    async def look(self) -> RoundReport:
        began = self.account.clock.now()
        allowance = Allowance(self.arguments.max_requests)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(self.account.client(allowance))
            reader = OneReading(NvcfReader(client))
            looks = [self._look(path, reader, stack) for path in self.files]
            return await look_at_each(
                looks, self._told, began=began, requests=lambda: allowance.spent
            )

    def _look(self, path: Path, reader: OneReading, stack: AsyncExitStack) -> Look | NotLooked:
        arguments, label = self.arguments, str(path)
        try:
            reading = read_stack_files(
                StackSource(
                    paths=(path,),
                    environment=arguments.environment,
                    variables=arguments.variables,
                )
            )
        except NvcfplanError as error:
            return NotLooked(label=label, code=error.code, summary=error.summary)
        loaded = reading.stack.value
        if loaded is None:
            first = next(one for one in reading.stack.diagnostics if one.severity is Severity.ERROR)
            return NotLooked(
                label=label,
                code=first.code,
                summary=f"its files do not read: {first.summary}",
                remedy=f"nvcfplan validate {label}",
            )
        account = replace(self.account, keeps_state_in=place_of_state(arguments, loaded.root))
        store = LocalStore(account.keeps_state_in)
        stack.callback(store.close)
        secrets = secrets_for(account, loaded.stack, loaded.root, self.terminal.environment)
        ports: LookPorts = look_ports(account, reader, store, secrets)
        request = DriftRequest(stack=loaded.stack, compares_secrets=arguments.with_secrets)
        return Look(label=label, request=request, ports=ports)

    async def _told(self, report: DriftReport, look: Look) -> DriftReport:
        scope = scope_of(look.request.stack)
        untold = await notify(report, scope, look.ports.store, self.notifying, self.terminal)
        return replace(report, warnings=(*report.warnings, *untold))


def _posts(terminal: Terminal, arguments: WatchArguments) -> tuple[AccountPost, ...]:
    """One for each account: of a rehearsal, one for each emulator's file.

    Raises: SettingsError.
    """
    notifying = read_notifying(arguments, terminal, WallClock())
    files: dict[Path | None, list[Path]] = {}
    for path in arguments.paths or (Path(),):
        if not path.exists():
            raise SettingsError(f"there is no {path}", remedy="name files or directories of stacks")
        root = path if path.is_dir() else path.parent
        is_kept_here = arguments.emulator is not None and not is_address(arguments.emulator)
        files.setdefault(place_of_state(arguments, root) if is_kept_here else None, []).append(path)
    posts = []
    for group in files.values():
        root = group[0] if group[0].is_dir() else group[0].parent
        account = choose_account(arguments, root, terminal)
        say_diagnostics(terminal, account.warnings)
        posts.append(AccountPost(account, tuple(group), arguments, notifying, terminal))
    return tuple(posts)


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
