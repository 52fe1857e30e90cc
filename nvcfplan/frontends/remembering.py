"""`state list` and `state show`: neither an account nor a key is needed to look at a file."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

from nvcfplan.adapters.storage.local import LocalStore
from nvcfplan.documents import stated_function
from nvcfplan.frontends.assembly import place_of_state
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.stacks import identify
from nvcfplan.model import function_address
from nvcfplan.views.text import render_state_list, render_state_show
from nvcfplan.workflows import find_function, read_remembered

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.state import ListArguments, ShowArguments
    from nvcfplan.frontends.stacks import Known
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.model import ManagedFunction, State


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
        shown = _row(function) | {"applied": stated_function(function.applied)}
        terminal.report(json.dumps({"format_version": "1.0", **shown}, indent=2, sort_keys=True))
    else:
        terminal.report(render_state_show(function))
    return Exit.OK


def _read(known: Known, arguments: ListArguments | ShowArguments) -> State | None:
    store = LocalStore(place_of_state(arguments, known.root))
    return asyncio.run(read_remembered(known.scope, store))


def _row(function: ManagedFunction) -> dict[str, object]:
    return {
        "address": function_address(function.key),
        "functionId": function.function_id,
        "versionId": function.version_id,
    }
