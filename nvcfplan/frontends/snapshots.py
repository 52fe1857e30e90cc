"""`snapshot`, and `plan -offline` that is made from one: no account, no key, no secret."""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from nvcfplan.adapters.storage.planfile import read_snapshot, write_plan
from nvcfplan.documents import decode_snapshot, encode_plan, encode_snapshot
from nvcfplan.frontends.assembly import choose_account
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.options import usage_error
from nvcfplan.frontends.planning import exit_of_plan, refuse_overwriting, request_of
from nvcfplan.frontends.reporting import report_plan, report_snapshot, say_diagnostics
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import load
from nvcfplan.frontends.wall_clock import WallClock
from nvcfplan.workflows import make_offline_plan, take_snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from nvcfplan.frontends.commands.plan import PlanArguments
    from nvcfplan.frontends.commands.snapshot import SnapshotArguments
    from nvcfplan.frontends.options import AccountArguments
    from nvcfplan.frontends.terminal import Terminal


def snapshot_command(terminal: Terminal, arguments: SnapshotArguments) -> Exit:
    refuse_overwriting(arguments.out, "snapshot")
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        work = take_snapshot(loaded.stack, secrets.token_bytes(16), session.ports.look)
        found = session.read(work)
    write_plan(arguments.out, encode_snapshot(found))
    report_snapshot(terminal, found, arguments.out)
    return Exit.OK


def offline_command(terminal: Terminal, arguments: PlanArguments, path: Path) -> Exit:
    refuse_account(arguments, more={"-with-secrets": arguments.with_secrets})
    if arguments.out is not None:
        refuse_overwriting(arguments.out, "plan")
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    request = request_of(arguments, loaded, destroys=arguments.destroy)
    snapshot = decode_snapshot(read_snapshot(path))
    plan = asyncio.run(make_offline_plan(request, snapshot, WallClock()))
    if arguments.out is not None:
        write_plan(arguments.out, encode_plan(plan))
    report_plan(terminal, plan, loaded.sources, arguments.out)
    return exit_of_plan(plan, is_detailed=arguments.detailed_exitcode)


def refuse_account(arguments: AccountArguments, more: Mapping[str, bool] | None = None) -> None:
    """Raises: click.UsageError for what would be asked, or resolved, somewhere."""
    given = {
        "-endpoint": arguments.endpoint is not None,
        "-emulator": arguments.emulator is not None,
        **(more or {}),
    }
    ignored = [name for name, is_given in given.items() if is_given]
    if ignored:
        raise usage_error(f"{', '.join(ignored)}: -offline asks nobody but the snapshot.")
