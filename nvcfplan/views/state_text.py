"""What is remembered, as text: the addresses, and one function with its ids and configuration."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from nvcfplan.documents import stated_function
from nvcfplan.model import function_address
from nvcfplan.views.neutralise import safe

if TYPE_CHECKING:
    from nvcfplan.model import ManagedFunction, State


def render_state_list(state: State) -> str:
    """One address a line, sorted; empty when nothing is managed."""
    return "\n".join(sorted(safe(function_address(one.key)) for one in state.functions))


def render_state_show(function: ManagedFunction) -> str:
    """What was last applied, in the words of the stack file; secrets by where they come from."""
    ids = {"functionId": function.function_id, "versionId": function.version_id}
    lines = [f"# {safe(function_address(function.key))}:"]
    lines.append(f'function "{safe(function.key)}" {{')
    for name, value in (ids | stated_function(function.applied)).items():
        text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True)
        first, *rest = text.split("\n")
        lines.append(f"    {safe(name)}: {safe(first)}")
        lines += [f"    {safe(line)}" for line in rest]
    return "\n".join([*lines, "}"])
