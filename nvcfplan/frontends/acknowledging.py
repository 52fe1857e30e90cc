"""`drift ack` and `unack`: neither an account nor a key is needed to say what is known."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.documents import encode_acknowledgements
from nvcfplan.drifting import LEAST_PREFIX, hexadecimal
from nvcfplan.frontends.assembly import acting_from, clock_beside, place_of_state
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.options import usage_error
from nvcfplan.frontends.stacks import identify
from nvcfplan.views.text import render_acknowledgements
from nvcfplan.workflows import Knowing, acknowledge_finding, acknowledgements_of, take_back

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.drift_ack import AckArguments, UnackArguments
    from nvcfplan.frontends.stacks import Known
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.model import Acknowledgement

_MOST_WORDS: Final = 500
_DIGITS: Final = re.compile(r"[0-9a-f]{1,64}")


def ack_command(terminal: Terminal, arguments: AckArguments) -> Exit:
    if arguments.shows_list:
        return _list(terminal, arguments)
    prefix, why = _prefix(arguments.paths[0]), _why(arguments.why)
    rest = replace(arguments, paths=arguments.paths[1:] or (Path(),))
    known = identify(rest, terminal)
    if known is None:
        return Exit.ERROR
    now = clock_beside(arguments, known.root).now()
    said = Knowing(
        prefix=prefix,
        why=why,
        by=acting_from(known.root, terminal.environment).name,
        at=now,
        until=_moment(arguments.until, now),
    )
    store = LocalStore(place_of_state(arguments, known.root))
    made = asyncio.run(acknowledge_finding(known.scope, store, said))
    _report(terminal, known, (made,), "acknowledged", "Acknowledged")
    return Exit.OK


def unack_command(terminal: Terminal, arguments: UnackArguments) -> Exit:
    prefix = _prefix(arguments.paths[0])
    known = identify(replace(arguments, paths=arguments.paths[1:] or (Path(),)), terminal)
    if known is None:
        return Exit.ERROR
    store = LocalStore(place_of_state(arguments, known.root))
    now = clock_beside(arguments, known.root).now()
    made = asyncio.run(take_back(known.scope, store, prefix=prefix, now=now))
    _report(terminal, known, (made,), "taken-back", "No longer acknowledged")
    return Exit.OK


def _list(terminal: Terminal, arguments: AckArguments) -> Exit:
    """Raises: click.UsageError for what it would not heed."""
    if arguments.why is not None or arguments.until is not None:
        raise usage_error("-list only shows; -why and -until are for acknowledging.")
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    store = LocalStore(place_of_state(arguments, known.root))
    now = clock_beside(arguments, known.root).now()
    found = asyncio.run(acknowledgements_of(known.scope, store, now=now))
    if not found and not terminal.wants_json:
        terminal.say(f"nothing is acknowledged of {known.scope}")
        return Exit.OK
    _report(terminal, known, found, "listed", "")
    return Exit.OK


def _report(
    terminal: Terminal, known: Known, found: tuple[Acknowledgement, ...], outcome: str, head: str
) -> None:
    if terminal.wants_json:
        document = encode_acknowledgements(str(known.scope), found, outcome=outcome)
        terminal.report(document.decode("ascii"))
        return
    shown = render_acknowledgements(
        found, colour=terminal.report_in_colour(), width=terminal.report_width()
    )
    terminal.report(f"{head}: {shown}" if head else shown)


def _prefix(word: Path) -> str:
    """Raises: click.UsageError for what is no beginning of a fingerprint."""
    text = hexadecimal(str(word).lower())
    if not _DIGITS.fullmatch(text):
        raise usage_error(
            f"'{word}' is no fingerprint; `nvcfplan drift` shows that of each finding, such as"
            " 1f0c3b2a9d4e, and the stack comes after it."
        )
    if len(text) < LEAST_PREFIX:
        raise usage_error(f"'{word}' is too short: type at least {LEAST_PREFIX} of its digits.")
    return text


def _why(text: str | None) -> str:
    """Raises: click.UsageError without one."""
    words = " ".join((text or "").split())
    if not words:
        raise usage_error("Missing option '-why': who sees the finding wants to know what of it.")
    if len(words) > _MOST_WORDS:
        raise usage_error(f"-why is longer than {_MOST_WORDS} characters; link to the rest.")
    return words


def _moment(until: datetime | timedelta | None, now: datetime) -> datetime | None:
    """Raises: click.UsageError for one that has passed."""
    if until is None:
        return None
    try:
        moment = now + until if isinstance(until, timedelta) else until.astimezone(UTC)
    except OverflowError:
        raise usage_error("-until lies beyond the calendar; leave it out.") from None
    if moment <= now:
        raise usage_error(f"-until {moment:%Y-%m-%d %H:%M} UTC has passed.")
    return moment
