"""`drift` of several stacks: each told as by itself, each account read once."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Final

from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.frontends.account_posts import posts_for
from nvcfplan.frontends.drawing import draw_drift
from nvcfplan.frontends.exits import Exit, exit_of_look
from nvcfplan.frontends.notifying import write_metrics_of
from nvcfplan.frontends.options import usage_error
from nvcfplan.frontends.reporting import say_diagnostics
from nvcfplan.frontends.terminal import Form
from nvcfplan.views.round_text import render_totals

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.frontends.account_posts import AccountPost
    from nvcfplan.frontends.commands.drift import DriftArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.reports import DriftReport, NotLooked, RoundReport

_WORST_FIRST: Final = (Exit.ERROR, Exit.CHANGES, Exit.OK)


def drift_of_each(terminal: Terminal, arguments: DriftArguments) -> Exit:
    """Raises: SettingsError; click.UsageError for a form that is of one stack."""
    if terminal.form is Form.HTML:
        raise usage_error("-format=html is a page of one stack; name one.")
    posts = posts_for(terminal, arguments, remembers=not arguments.no_memory)
    rounds = asyncio.run(_look(posts))
    looks = [look for one in rounds for look in one.looks]
    failed = [one for round_ in rounds for one in round_.failed]
    is_detailed = arguments.detailed_exitcode
    codes = [exit_of_look(one.outcome, is_detailed=is_detailed) for one in looks]
    say_diagnostics(terminal, [warning for one in looks for warning in one.warnings])
    say_diagnostics(terminal, [_not_looked(one) for one in failed])
    if looks:
        at = max(one.looked_at for one in looks)
        say_diagnostics(terminal, write_metrics_of(arguments.metrics_file, looks, at))
    _report(terminal, tuple(zip(looks, codes, strict=True)), rounds)
    codes += [Exit.ERROR for _ in failed]
    return next(code for code in _WORST_FIRST if code in codes)


async def _look(posts: Sequence[AccountPost]) -> tuple[RoundReport, ...]:
    return tuple([await post.look() for post in posts])


def _report(
    terminal: Terminal, looks: Sequence[tuple[DriftReport, Exit]], rounds: Sequence[RoundReport]
) -> None:
    """As JSON a document a line, each as that of one stack; else one after the other."""
    terminal.most_bytes //= max(1, len(looks))
    for look, code in looks:
        drawn = draw_drift(terminal, look, exit_code=code)
        terminal.report(json.dumps(json.loads(drawn)) if terminal.wants_json else drawn + "\n")
    if terminal.form is Form.TEXT:
        terminal.report(render_totals(rounds))


def _not_looked(one: NotLooked) -> Diagnostic:
    return Diagnostic(
        code=one.code,
        severity=Severity.ERROR,
        summary=f"{one.label} was not looked at: {one.summary}",
        detail=one.detail,
        remedy=one.remedy,
    )
