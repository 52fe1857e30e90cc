"""Accounts and the stacks in them, as a command line names them: what is looked at together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.adapters.nvcf.client import Allowance
from nvcfplan.adapters.nvcf.reader import NvcfReader
from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.diagnostics import Severity
from nvcfplan.errors import NvcfplanError, SettingsError
from nvcfplan.frontends.assembly import (
    ChosenAccount,
    choose_account,
    look_ports,
    place_of_state,
    secrets_for,
)
from nvcfplan.frontends.notice_options import LookArguments
from nvcfplan.frontends.notifying import Notifying, notify, read_notifying
from nvcfplan.frontends.options import is_address
from nvcfplan.frontends.reporting import say_diagnostics
from nvcfplan.frontends.terminal import Terminal
from nvcfplan.frontends.wall_clock import WallClock
from nvcfplan.loading import StackSource
from nvcfplan.reports import DriftReport, NotLooked, RoundReport
from nvcfplan.workflows import (
    DriftRequest,
    Look,
    OneReading,
    Post,
    look_at_each,
    read_stack_files,
    scope_of,
)

if TYPE_CHECKING:
    from nvcfplan.workflows import LookPorts


@dataclass(frozen=True, slots=True)
class AccountPost(Post):
    """`files`: of each stack, as they were named. `most_requests` None: as many as it takes.

    `remembers` False: what earlier looks found is neither read nor written.
    """

    account: ChosenAccount
    files: tuple[Path, ...]
    arguments: LookArguments
    notifying: Notifying
    terminal: Terminal
    most_requests: int | None = None
    remembers: bool = True

    @property
    def name(self) -> str:
        return self.account.target.root

    async def look(self) -> RoundReport:
        began = self.account.clock.now()
        allowance = Allowance(self.most_requests)
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
        request = DriftRequest(
            stack=loaded.stack,
            compares_secrets=arguments.with_secrets,
            remembers=self.remembers,
        )
        return Look(label=label, request=request, ports=ports)

    async def _told(self, report: DriftReport, look: Look) -> DriftReport:
        scope = scope_of(look.request.stack)
        untold = await notify(report, scope, look.ports.store, self.notifying, self.terminal)
        return replace(report, warnings=(*report.warnings, *untold))


def posts_for(
    terminal: Terminal,
    arguments: LookArguments,
    *,
    most_requests: int | None = None,
    remembers: bool = True,
) -> tuple[AccountPost, ...]:
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
        posts.append(
            AccountPost(
                account=account,
                files=tuple(group),
                arguments=arguments,
                notifying=notifying,
                terminal=terminal,
                most_requests=most_requests,
                remembers=remembers,
            )
        )
    return tuple(posts)
