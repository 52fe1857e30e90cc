"""`unlock`, and waiting for a lock: by the clock on the wall, whatever clock a run goes by."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.documents import encode_lock
from nvcfplan.errors import LockHeld
from nvcfplan.frontends.assembly import acting_from, place_of_state
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.prompts import UNLOCK, is_approved
from nvcfplan.frontends.stacks import Known, identify
from nvcfplan.frontends.terminal import Terminal
from nvcfplan.frontends.wall_clock import WallClock
from nvcfplan.views.text import render_lock, safe
from nvcfplan.workflows import Lock, Patience, Pulse, look_at_lock, take_pulse

if TYPE_CHECKING:
    from nvcfplan.applying import LeaseSeen
    from nvcfplan.frontends.assembly import ChosenAccount
    from nvcfplan.frontends.commands.unlock import UnlockArguments
    from nvcfplan.frontends.running_options import RunningArguments

_GONE: Final = "the lock was given back in the meantime"


def patience_of(
    arguments: RunningArguments, account: ChosenAccount, terminal: Terminal
) -> Patience | None:
    if not arguments.lock_timeout:
        return None
    return Patience(
        seconds=arguments.lock_timeout,
        locks=LocalStore(account.keeps_state_in),
        clock=WallClock(),
        waits=lambda lease: terminal.say(f"waiting for the lock, held by {safe(lease.holder)}"),
    )


def unlock_command(terminal: Terminal, arguments: UnlockArguments) -> Exit:
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    store = LocalStore(place_of_state(arguments, known.root))
    lock = asyncio.run(look_at_lock(known.scope, store, store))
    unlocking = _Unlocking(terminal, known, store, lock)
    if not terminal.wants_json:
        unlocking.show()
    if lease := lock.lease:
        return unlocking.of(lease, is_forced=arguments.force)
    unlocking.report("not-locked", Exit.OK, "Nothing to unlock.")
    return Exit.OK


@dataclass(frozen=True, slots=True)
class _Unlocking:
    terminal: Terminal
    known: Known
    store: LocalStore
    lock: Lock

    def of(self, lease: LeaseSeen, *, is_forced: bool) -> Exit:
        if not is_forced and not lease.is_dead:
            watch = f"watching its heartbeat for up to {lease.ttl_seconds} s"
            self.terminal.say(f"{watch} (-force does not)...")
            match asyncio.run(take_pulse(self.known.scope, lease, self.store, WallClock())):
                case Pulse.GONE:
                    self.report("not-locked", Exit.OK, f"Nothing to unlock: {_GONE}.")
                    return Exit.OK
                case Pulse.BEATING:
                    raise _still_alive(self.known, lease)
                case Pulse.STILL | Pulse.DEAD:
                    pass
        if not is_approved(self.terminal, UNLOCK, auto_approve=is_forced or lease.is_dead):
            self.terminal.say("Unlock cancelled.")
            return Exit.ERROR
        actor = acting_from(self.known.root, self.terminal.environment)
        asyncio.run(self.store.break_lease(str(self.known.scope), lease, actor.name))
        what = "The lock is taken away; whoever held it can write nothing any more."
        after = " Settle the run with `nvcfplan resume` or `nvcfplan rollback`."
        self.report("unlocked", Exit.OK, what + (after if self.lock.open_run else ""))
        return Exit.OK

    def show(self) -> None:
        lock, scope = self.lock, str(self.known.scope)
        colour, width = self.terminal.report_in_colour(), self.terminal.report_width()
        self.terminal.report(
            render_lock(scope, lock.lease, lock.open_run, colour=colour, width=width)
        )

    def report(self, outcome: str, code: Exit, said: str) -> None:
        if not self.terminal.wants_json:
            self.terminal.report(said)
            return
        lock, scope = self.lock, str(self.known.scope)
        document = encode_lock(scope, lock.lease, lock.open_run, outcome=outcome, exit_code=code)
        self.terminal.report(document.decode("utf-8"))


def _still_alive(known: Known, lease: LeaseSeen) -> LockHeld:
    link = f" at {lease.errand.link}" if lease.errand.link else ""
    return LockHeld(
        f"{known.scope} is held by a run that lives: its heartbeat has just risen",
        holder=lease.holder,
        since=lease.since,
        epoch=lease.epoch,
        remedy=f"wait for it, or end it{link}; -force takes the lock away from a living run, which"
        " then stops before its next request",
    )
