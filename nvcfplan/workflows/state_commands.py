"""What is remembered of a stack: all of it, or one function."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.errors import SettingsError
from nvcfplan.model import function_address
from nvcfplan.workflows.reading import stored_state

if TYPE_CHECKING:
    from nvcfplan.applying import StateStore
    from nvcfplan.model import ManagedFunction, State
    from nvcfplan.workflows.reading import Scope


async def read_remembered(scope: Scope, store: StateStore) -> State | None:
    """None: nothing has been applied yet. Raises: StateCorrupt, StoreError."""
    return (await stored_state(scope, store)).state


def find_function(state: State | None, address: str) -> ManagedFunction:
    """Raises: SettingsError, naming what there is."""
    functions = state.functions if state else ()
    for function in functions:
        if address in (function_address(function.key), function.key):
            return function
    known = ", ".join(function_address(function.key) for function in functions)
    raise SettingsError(
        f"the state has no {address}",
        detail=f"it has: {known}" if known else "it is empty: nothing has been applied",
        remedy="see `nvcfplan state list`",
    )
