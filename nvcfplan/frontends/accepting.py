"""`drift -accept`: what others changed, taken into the stack's files once that is approved."""

from __future__ import annotations

import difflib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.adapters.storage.stackfiles import rewrite_files
from nvcfplan.diagnostics import Diagnostic, Severity, Subject
from nvcfplan.documents import REPORT_FORMAT_VERSION
from nvcfplan.frontends.assembly import choose_account
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.prompts import ACCEPT, is_approved
from nvcfplan.frontends.reporting import report_document, say_diagnostics
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import load, source_of
from nvcfplan.views.text import render_difference, safe
from nvcfplan.views.wording import counted
from nvcfplan.workflows import look_for_acceptance, refuse_open_run, scope_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from nvcfplan.authoring import Unwritten
    from nvcfplan.frontends.commands.drift import DriftArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.loading import LoadedStack
    from nvcfplan.workflows import Acceptance


def accept_command(terminal: Terminal, arguments: DriftArguments) -> Exit:
    """Files that were given as they are now: what is written is what was looked at."""
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        look = session.ports.look
        session.read(refuse_open_run(scope_of(loaded.stack), look))
        found = session.read(look_for_acceptance(source_of(arguments), loaded, look))
    say_diagnostics(terminal, tuple(map(_warning, found.draft.unwritten)), loaded.sources.snippet)
    lines = tuple(_difference(loaded, found))
    if lines and not terminal.wants_json:
        terminal.report(render_difference(lines, colour=terminal.report_in_colour()))
    is_written = bool(lines) and not arguments.dry_run
    if is_written and not is_approved(terminal, ACCEPT, auto_approve=arguments.auto_approve):
        terminal.say("Nothing was written.")
        return Exit.ERROR
    if is_written:
        rewrite_files(_as_read(loaded, found), found.draft.files)
    _report(terminal, found, lines, is_written=is_written)
    return Exit.ERROR if found.draft.is_in_vain else Exit.OK


def _as_read(loaded: LoadedStack, found: Acceptance) -> dict[str, bytes]:
    sources = {one.source.file: one.source for one in loaded.written.documents}
    return {file: sources[file].encoded(sources[file].text) for file in found.draft.files}


def _difference(loaded: LoadedStack, found: Acceptance) -> Iterator[str]:
    """As `diff -u` has it; secrets that stand in the lines around are overwritten."""
    if found.edited is None:
        return
    for file in found.draft.files:
        before, after = loaded.sources.lines(file), found.edited.sources.lines(file)
        yield from difflib.unified_diff(before, after, file, file, lineterm="")


def _warning(unwritten: Unwritten) -> Diagnostic:
    finding = unwritten.finding
    return Diagnostic(
        code=finding.code,
        severity=Severity.WARNING,
        summary=f"not taken over: {finding.summary}",
        detail=unwritten.why,
        remedy=unwritten.remedy,
        subject=Subject(finding.address, finding.subject) if finding.address else None,
        span=unwritten.span,
    )


def _report(
    terminal: Terminal, found: Acceptance, lines: Sequence[str], *, is_written: bool
) -> None:
    draft = found.draft
    if terminal.wants_json:
        document = {
            "format_version": REPORT_FORMAT_VERSION,
            "outcome": "accepted" if is_written else "shown" if lines else "nothing-to-accept",
            "files": [str(Path(one)) for one in draft.files],
            "difference": list(lines),
            "accepted": [one.fingerprint for one in draft.taken],
            "not_accepted": [one.finding.fingerprint for one in draft.unwritten],
        }
        report_document(terminal, json.dumps(document, indent=2, sort_keys=True).encode("ascii"))
    elif is_written:
        files = ", ".join(safe(one) for one in draft.files)
        count = counted(len(draft.taken), "finding")
        terminal.report(f"\nTook {count} into {files}. The next plan leaves them alone.")
    elif not lines:
        terminal.report("Nothing to take into the files.")
