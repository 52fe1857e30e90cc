"""From stack files to a desired stack, judged as far as files alone allow; offline, no secrets."""

from __future__ import annotations

from nvcfplan.loading.stacks import (
    LoadedStack,
    StackReading,
    StackSource,
    Written,
    load_stack,
    read_stack,
)
from nvcfplan.loading.variables import Variable

__all__ = [
    "LoadedStack",
    "StackReading",
    "StackSource",
    "Variable",
    "Written",
    "load_stack",
    "read_stack",
    "stack_json_schema",
]


def stack_json_schema() -> dict[str, object]:
    """The published schema of a stack file, for editors: JSON Schema draft-07."""
    # Here, and not above: pydantic is slow to load, and most who import this face need it later.
    from nvcfplan.loading.stackfile import stack_json_schema as generated

    return generated()
