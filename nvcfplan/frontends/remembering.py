"""`state`, `history` and `show`: neither an account nor a key is needed to look at a file."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.adapters.storage.planfile import read_plan
from nvcfplan.documents import decode_document, encode_history, encode_run, stated_function
from nvcfplan.frontends.assembly import place_of_state
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.options import usage_error
from nvcfplan.frontends.reporting import report_plan
from nvcfplan.frontends.stacks import identify
from nvcfplan.frontends.terminal import Form
from nvcfplan.model import RunId, function_address
from nvcfplan.reports import RunReport
from nvcfplan.views.text import (
    render_failure,
    render_history,
    render_run,
    render_state_list,
    render_state_show,
)
from nvcfplan.workflows import (
    UnreadRun,
    find_function,
    read_history,
    read_remembered,
    read_run,
)

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.history import HistoryArguments
    from nvcfplan.frontends.commands.show import ShowArguments as AnyArguments
    from nvcfplan.frontends.commands.state import ListArguments, ShowArguments
    from nvcfplan.frontends.options import AccountArguments
    from nvcfplan.frontends.stacks import Known
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.model import ManagedFunction, State


_RUN: Final = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
"""What a run's id looks like."""


def list_command(terminal: Terminal, arguments: ListArguments) -> Exit:
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    state = _read(known, arguments)
    if terminal.wants_json:
        functions = [_row(one) for one in state.functions] if state else []
        terminal.report(json.dumps({"format_version": "1.0", "functions": functions}, indent=2))
    elif state is None or not state.functions:
        terminal.say(f"nothing is remembered of {known.scope}")
    else:
        terminal.report(render_state_list(state))
    return Exit.OK


def show_command(terminal: Terminal, arguments: ShowArguments) -> Exit:
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    function = find_function(_read(known, arguments), arguments.address)
    if terminal.wants_json:
        shown = {"format_version": "1.0", **_stated(function)}
        terminal.report(json.dumps(shown, indent=2, sort_keys=True))
    else:
        terminal.report(render_state_show(function))
    return Exit.OK


def history_command(terminal: Terminal, arguments: HistoryArguments) -> Exit:
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    store = LocalStore(place_of_state(arguments, known.root))
    found = asyncio.run(read_history(known.scope, store, most=arguments.limit))
    unread = [one for one in found if isinstance(one, UnreadRun)]
    runs = [one for one in found if isinstance(one, RunReport)]
    for one in unread:
        terminal.say(render_failure(one.error, colour=terminal.say_in_colour()))
    if terminal.wants_json:
        ids = [one.run for one in unread]
        document = encode_history(str(known.scope), runs, unread=ids)
        terminal.report(document.decode("utf-8"))
    elif runs:
        terminal.report(
            render_history(runs, colour=terminal.report_in_colour(), width=terminal.report_width())
        )
    elif not unread:
        terminal.say(f"nothing has been applied to {known.scope}")
    return Exit.ERROR if unread else Exit.OK


def show_any_command(terminal: Terminal, arguments: AnyArguments) -> Exit:
    """What the first argument is: a file is a plan, an id a run; all else leads to a stack."""
    first = arguments.paths[0]
    if _RUN.fullmatch(str(first)) and not first.exists():
        _refuse_forms_of_plans(terminal)
        rest = replace(arguments, paths=arguments.paths[1:] or (Path(),))
        return _show_run(terminal, rest, RunId(str(first)))
    if first.is_dir() or first.suffix in (".yaml", ".yml"):
        _refuse_forms_of_plans(terminal)
        return _show_state(terminal, arguments)
    if arguments.paths[1:]:
        raise usage_error(
            f"{first} is taken for a saved plan, and a plan needs no stack beside it."
        )
    report_plan(terminal, decode_document(read_plan(first)), None, first)
    return Exit.OK


def _refuse_forms_of_plans(terminal: Terminal) -> None:
    """Raises: click.UsageError: runs and state are drawn as text and as JSON alone."""
    if terminal.form not in (Form.TEXT, Form.JSON) or terminal.level != "default":
        asked = f"-{terminal.level}" if terminal.form is Form.TEXT else f"-format={terminal.form}"
        raise usage_error(f"{asked} is for a saved plan; a run and the state have no such form.")


def _show_run(terminal: Terminal, arguments: AnyArguments, run: RunId) -> Exit:
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    store = LocalStore(place_of_state(arguments, known.root))
    found = asyncio.run(read_run(known.scope, store, run))
    if terminal.wants_json:
        terminal.report(encode_run(found).decode("utf-8"))
    else:
        terminal.report(
            render_run(found, colour=terminal.report_in_colour(), width=terminal.report_width())
        )
    return Exit.OK


def _show_state(terminal: Terminal, arguments: AnyArguments) -> Exit:
    known = identify(arguments, terminal)
    if known is None:
        return Exit.ERROR
    state = _read(known, arguments)
    functions = state.functions if state else ()
    if terminal.wants_json:
        head = {"lineage": state.lineage, "serial": state.serial} if state else {}
        rows = [_stated(one) for one in functions]
        shown = {"format_version": "1.0", **head, "functions": rows}
        terminal.report(json.dumps(shown, indent=2, sort_keys=True))
    elif not functions:
        terminal.say(f"nothing is remembered of {known.scope}")
    else:
        terminal.report("\n\n".join(render_state_show(one) for one in functions))
    return Exit.OK


def _read(known: Known, arguments: AccountArguments) -> State | None:
    store = LocalStore(place_of_state(arguments, known.root))
    return asyncio.run(read_remembered(known.scope, store))


def _stated(function: ManagedFunction) -> dict[str, object]:
    return _row(function) | {"applied": stated_function(function.applied)}


def _row(function: ManagedFunction) -> dict[str, object]:
    return {
        "address": function_address(function.key),
        "functionId": function.function_id,
        "versionId": function.version_id,
    }
