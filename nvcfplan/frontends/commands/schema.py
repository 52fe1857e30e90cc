"""`nvcfplan schema`: the published schemas, as this version reads, writes and serves."""

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
  nvcfplan schema snapshot > snapshot.schema.json
  nvcfplan schema events > events.schema.json
  nvcfplan schema drift > drift.schema.json
  nvcfplan schema notice > notice.schema.json
  nvcfplan schema emulator > emulator.openapi.json

In an editor, the first line of a stack file names the schema:
  # yaml-language-server: $schema=stack.schema.json

Exit codes: 0; 64 for a document without a schema.
""",
)
@click.argument(
    "document",
    type=click.Choice(["stack", "plan", "snapshot", "events", "drift", "notice", "emulator"]),
)
@click.pass_obj
def schema(terminal: Terminal, document: str) -> int:
    """Prints the JSON Schema of stacks, saved plans, snapshots, events, drift or notices.

    Of the emulator it prints the OpenAPI document.
    """
    if document == "stack":
        from nvcfplan.loading import stack_json_schema

        found = stack_json_schema()
    elif document == "plan":
        from nvcfplan.documents import plan_json_schema

        found = plan_json_schema()
    elif document == "snapshot":
        from nvcfplan.documents import snapshot_json_schema

        found = snapshot_json_schema()
    elif document == "events":
        from nvcfplan.documents import events_json_schema

        found = events_json_schema()
    elif document == "drift":
        from nvcfplan.documents import drift_json_schema

        found = drift_json_schema()
    elif document == "notice":
        from nvcfplan.documents import notice_json_schema

        found = notice_json_schema()
    else:
        from nvcfplan.emulator.openapi import document as openapi_document

        found = openapi_document()
    terminal.report(json.dumps(found, indent=2, sort_keys=True, ensure_ascii=False))
    return 0
