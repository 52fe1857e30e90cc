"""`nvcfplan schema`: the published JSON Schemas, as this version reads and writes them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from nvcfplan.frontends.click_parts import TeachingCommand

if TYPE_CHECKING:
    from nvcfplan.frontends.terminal import Terminal


@click.command(
    cls=TeachingCommand,
    epilog="""
Examples:
  nvcfplan schema stack > stack.schema.json
  nvcfplan schema plan > plan.schema.json

In an editor, the first line of a stack file names the schema:
  # yaml-language-server: $schema=stack.schema.json

Exit codes: 0; 64 for a document without a schema.
""",
)
@click.argument("document", type=click.Choice(["stack", "plan"]))
@click.pass_obj
def schema(terminal: Terminal, document: str) -> int:
    """Prints the JSON Schema of stack files, or of saved plans."""
    if document == "stack":
        from nvcfplan.loading import stack_json_schema

        found = stack_json_schema()
    else:
        from nvcfplan.documents import plan_json_schema

        found = plan_json_schema()
    terminal.report(json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False))
    return 0
