"""`plan`, and the first half of `apply` and `destroy`: from files to a plan that was shown."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.storage.planfile import read_plan, write_plan
from nvcfplan.diagnostics import Severity
from nvcfplan.documents import decode_document, encode_plan
from nvcfplan.errors import JournalCorrupt, RunOpen
from nvcfplan.frontends.assembly import choose_account, this_actor
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.options import DEFAULT_ENVIRONMENT, is_typed, leading_back, usage_error
from nvcfplan.frontends.reporting import report_footer, report_plan, say_diagnostics
from nvcfplan.frontends.sessions import Session, opened
from nvcfplan.frontends.stacks import load
from nvcfplan.model import function_address
from nvcfplan.plans import Strategy
from nvcfplan.reports import failure_diagnostic, plan_report
from nvcfplan.views.graph import GraphForm, render_graph
from nvcfplan.workflows import (
    PlanRequest,
    has_changes,
    is_refused,
    make_plan,
    refuse_open_run,
    scope_of,
)

if TYPE_CHECKING:
    from nvcfplan.frontends.commands.apply import ApplyArguments
    from nvcfplan.frontends.commands.graph import GraphArguments
    from nvcfplan.frontends.commands.plan import PlanArguments
    from nvcfplan.frontends.options import PlanningArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.loading import LoadedStack
    from nvcfplan.model import Address
    from nvcfplan.plans import Infeasible, Plan

_SUFFIXES: Final = {"plan": "nvcfplan", "snapshot": "snapshot"}


def plan_command(terminal: Terminal, arguments: PlanArguments) -> Exit:
    if arguments.out is not None:
        refuse_overwriting(arguments.out, "plan")
    loaded = load(arguments, terminal)
    if loaded is None:
        return Exit.ERROR
    request = request_of(arguments, loaded, destroys=arguments.destroy)
    account = choose_account(arguments, loaded.root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
        _warn_of_open_run(terminal, session, loaded)
        plan = session.read(make_plan(request, session.ports.look))
    if arguments.out is not None:
        write_plan(arguments.out, encode_plan(plan))
    report_plan(terminal, plan, loaded.sources, arguments.out)
    if has_changes(plan) and not is_refused(plan):
        report_footer(terminal, arguments.out, leading_back(_of_the_account(arguments)))
    return exit_of_plan(plan, is_detailed=arguments.detailed_exitcode)


def graph_command(terminal: Terminal, arguments: GraphArguments) -> Exit:
    """A first path that is not YAML is a saved plan, as it is for `apply`."""
    first = arguments.paths[0]
    form = GraphForm.JSON if terminal.wants_json else GraphForm(arguments.form)
    if not first.is_dir() and first.suffix not in (".yaml", ".yml"):
        refuse_planning(arguments)
        plan: Plan | Infeasible = decode_document(read_plan(first))
    else:
        loaded = load(arguments, terminal)
        if loaded is None:
            return Exit.ERROR
        account = choose_account(arguments, loaded.root, terminal)
        say_diagnostics(terminal, account.warnings)
        request = request_of(arguments, loaded, destroys=False)
        with opened(account, loaded.stack, loaded.root, terminal.environment) as session:
            plan = session.read(make_plan(request, session.ports.look))
    report = plan_report(plan)
    say_diagnostics(terminal, report.faults)
    terminal.report(render_graph(report, form))
    return exit_of_plan(plan, is_detailed=False)


def refuse_planning(arguments: ApplyArguments | GraphArguments) -> None:
    """Raises: click.UsageError for what only the making of a plan could heed.

    Stack files named after the plan are read again, with their variables.
    """
    given = {
        "-var": is_typed("variables") and not arguments.paths[1:],
        "-target": arguments.target is not None,
        "-now": arguments.now,
        "-require": bool(arguments.require),
        "-with-secrets": arguments.with_secrets,
        "-strategy": arguments.strategy is not None,
        "-safe": arguments.is_safe,
        "-climb": arguments.climbs,
    }
    ignored = [name for name, is_given in given.items() if is_given]
    if ignored:
        raise usage_error(
            f"{', '.join(ignored)}: a saved plan is taken as it is;"
            " give such options to `nvcfplan plan -out=FILE`."
        )


def _of_the_account(arguments: PlanArguments) -> PlanArguments:
    """Without what a saved plan says itself."""
    return replace(arguments, paths=(), environment=DEFAULT_ENVIRONMENT)


def refuse_overwriting(out: Path, kind: str) -> None:
    """Raises: click.UsageError when a slip of the hand would cost a file that is no such document.

    An empty file, as mktemp makes it, may be filled. `kind`: the member of the document that holds
    what it says, `plan` or `snapshot`.
    """
    if out.suffix in (".yaml", ".yml"):
        raise usage_error(
            f"-out={out} names a stack file, and `apply` would read it as one;"
            f" give the {kind} another name, such as NAME.{_SUFFIXES[kind]}."
        )
    try:
        is_other = out.is_file() and not _is_document(out.read_bytes(), kind)
    except OSError as error:
        raise usage_error(f"-out={out} cannot be written: {error.strerror or error}.") from error
    if is_other:
        raise usage_error(
            f"-out={out} is a file that is not a saved {kind}, and would be overwritten;"
            " give another name, or remove the file first."
        )


def _is_document(content: bytes, kind: str) -> bool:
    if not content:
        return True
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(document, dict) and {"format_version", kind} <= document.keys()


def _warn_of_open_run(terminal: Terminal, session: Session, loaded: LoadedStack) -> None:
    """A plan may be looked at meanwhile; it cannot be applied before that run is settled."""
    try:
        session.read(refuse_open_run(scope_of(loaded.stack), session.ports.look))
    except (RunOpen, JournalCorrupt) as error:
        warning = replace(failure_diagnostic(error), severity=Severity.WARNING)
        say_diagnostics(terminal, (warning,))


def exit_of_plan(plan: Plan | Infeasible, *, is_detailed: bool) -> Exit:
    if is_refused(plan):
        return Exit.ERROR
    return Exit.CHANGES if is_detailed and has_changes(plan) else Exit.OK


def request_of(arguments: PlanningArguments, loaded: LoadedStack, *, destroys: bool) -> PlanRequest:
    return PlanRequest(
        stack=loaded.stack,
        inputs=loaded.inputs,
        root=portable(loaded.root),
        actor=this_actor(),
        destroys=destroys,
        target=None if arguments.target is None else _target(arguments.target),
        includes_cosmetic=arguments.now,
        compares_secrets=arguments.with_secrets,
        required=arguments.require,
        strategy=None if arguments.strategy is None else Strategy(arguments.strategy),
        is_safe=arguments.is_safe,
        climbs=arguments.climbs,
    )


def _target(text: str) -> Address:
    """Whether there is such a function, only what is read of the account can tell."""
    return function_address(text.removeprefix("function."))


def portable(root: Path) -> str:
    """Relative to where we stand, so that a plan saved in one checkout is found in another."""
    absolute, here = root.resolve(), Path.cwd()
    return str(absolute.relative_to(here)) if absolute.is_relative_to(here) else str(absolute)
