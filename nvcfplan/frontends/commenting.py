"""`comment`: from saved plans and the job's own variables to one comment a stack on its request."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from nvcfplan import __version__
from nvcfplan.adapters.forges.environment import ForgeKind, Job, kind_of, read_job
from nvcfplan.adapters.forges.github import LIMIT as GITHUB_LIMIT
from nvcfplan.adapters.forges.github import GitHub
from nvcfplan.adapters.forges.gitlab import LIMIT as GITLAB_LIMIT
from nvcfplan.adapters.forges.gitlab import GitLab
from nvcfplan.adapters.forges.session import Pace, Session
from nvcfplan.adapters.forges.sticky import StickyComments
from nvcfplan.adapters.storage.planfile import read_plan, write_plan
from nvcfplan.errors import DocumentError, SettingsError
from nvcfplan.frontends.actions import add_summary, summary_room, write_outputs
from nvcfplan.frontends.assembly import choose_account
from nvcfplan.frontends.exits import Exit
from nvcfplan.frontends.options import usage_error
from nvcfplan.frontends.planning import exit_of_plan
from nvcfplan.frontends.reporting import say_diagnostics
from nvcfplan.frontends.sessions import opened
from nvcfplan.frontends.stacks import root_of_saved
from nvcfplan.model import Digest
from nvcfplan.plans import Infeasible
from nvcfplan.reports import CommentFrame, Deed, Outlook, ValidateReport, Validity
from nvcfplan.views.faults_markdown import draw_faults
from nvcfplan.views.markdown import draw_comment, mark_stale, marker
from nvcfplan.views.text import safe, stale_because
from nvcfplan.views.wording import counted
from nvcfplan.workflows import (
    CommentOrder,
    Drawing,
    ForgePorts,
    Reviewed,
    Unplanned,
    check_saved_plan,
    comment_plan,
    find_request,
    mark_outdated,
    review,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from nvcfplan.frontends.commands.comment import CommentArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.plans import Plan
    from nvcfplan.reports import PlanReport
    from nvcfplan.workflows import Commented, Statement

MOST_BYTES: Final = 32 * 1024 * 1024
"""Of a plan that somebody else may have made."""
_WHOLE: Final = 50_000_000
_LIMITS: Final = {ForgeKind.GITHUB: GITHUB_LIMIT, ForgeKind.GITLAB: GITLAB_LIMIT}


def comment_command(terminal: Terminal, arguments: CommentArguments) -> Exit:
    kind = _kind(arguments, terminal.environment)
    job = None if arguments.dry_run else read_job(kind, terminal.environment)
    reviewed = [_reviewed(terminal, arguments, path, job) for path in arguments.plans]
    _refuse_two_of_a_stack(reviewed)
    if arguments.full is not None:
        whole = "\n".join(_Markdown().comment(one.report, one.frame, budget=_WHOLE)
                          for one in reviewed)  # fmt: skip
        write_plan(arguments.full, whole.encode("utf-8"))
    said = () if job is None else asyncio.run(_said(terminal, arguments, job, reviewed))
    for one in reviewed:
        _summarise(terminal.environment, one)
    write_outputs(terminal.environment, _outputs(arguments.plans, reviewed, said))
    if job is not None:
        _report(terminal, said)
        return Exit.OK
    for one in reviewed:
        budget = arguments.budget or _LIMITS[kind]
        terminal.report(_Markdown().comment(one.report, one.frame, budget=budget))
    return Exit.OK


def mark_stale_command(terminal: Terminal, arguments: CommentArguments) -> Exit:
    job = read_job(_kind(arguments, terminal.environment), terminal.environment)
    name, _, environment = arguments.mark_stale.partition("@")
    moved = f" to commit {arguments.commit or job.commit}" if arguments.commit or job.commit else ""
    why = f"what it was planned on has moved{moved}."

    async def work() -> tuple[int, ...]:
        async with _connected(terminal, job) as ports:
            return await mark_outdated((name, environment), why, job.branch, ports, _Markdown())

    marked = asyncio.run(work())
    if terminal.wants_json:
        document = {"format_version": "1.0", "marked": list(marked)}
        terminal.report(json.dumps(document, indent=2, sort_keys=True))
    else:
        terminal.report(
            f"Marked as stale on {arguments.mark_stale}: {counted(len(marked), 'comment')}."
        )
    return Exit.OK


class _Markdown(Drawing):
    def marker(self, stack: str, environment: str) -> str:
        return marker(stack, environment)

    def comment(
        self, report: PlanReport | ValidateReport, frame: CommentFrame, *, budget: int
    ) -> str:
        if isinstance(report, ValidateReport):
            return draw_faults(report, frame, budget=budget)
        return draw_comment(report, frame, budget=budget)

    def outdated(self, body: str, why: str) -> str:
        return mark_stale(body, why)


def _kind(arguments: CommentArguments, environment: Mapping[str, str]) -> ForgeKind:
    """Raises: click.UsageError."""
    if arguments.github or arguments.gitlab:
        return ForgeKind.GITHUB if arguments.github else ForgeKind.GITLAB
    found = kind_of(environment)
    if found is None:
        raise usage_error("This is no job of a forge: say -github or -gitlab.")
    return found


def _reviewed(
    terminal: Terminal, arguments: CommentArguments, path: Path, job: Job | None
) -> Statement:
    """Raises: DocumentError, naming the file."""
    has_summary = bool(terminal.environment.get("GITHUB_STEP_SUMMARY"))
    known = CommentFrame(
        stack=arguments.stack,
        environment="default",
        digest=Digest(""),
        tool_version=__version__,
        commit=arguments.commit or (job.commit if job else ""),
        apply=arguments.apply,
        full_text="the summary of the job" if has_summary else "the job" if job else "",
        full_url=job.run_url if job else "",
    )
    try:
        found = review(read_plan(path, most_bytes=MOST_BYTES), known)
    except DocumentError as error:
        if str(path) in error.summary:
            raise
        raise DocumentError(
            f"{path}: {error.summary}", detail=error.detail, remedy=error.remedy
        ) from error
    if not arguments.check or isinstance(found, Unplanned) or isinstance(found.plan, Infeasible):
        return found
    why = _moved(terminal, arguments, found.plan, path)
    return replace(found, frame=replace(found.frame, stale=why))


def _moved(terminal: Terminal, arguments: CommentArguments, plan: Plan, path: Path) -> str:
    """Why the plan holds no more, by the account as it is now; empty: it holds."""
    root = root_of_saved(plan, path)
    account = choose_account(arguments, root, terminal)
    say_diagnostics(terminal, account.warnings)
    with opened(account, None, root, terminal.environment) as session:
        report = session.read(check_saved_plan(plan, session.ports.look))
    return "" if report.standing is Validity.VALID else stale_because(report)


def _refuse_two_of_a_stack(reviewed: Sequence[Statement]) -> None:
    """Raises: SettingsError: one would be said over the other."""
    seen: set[tuple[str, str]] = set()
    for one in reviewed:
        scope = (one.frame.stack, one.frame.environment)
        if scope in seen:
            raise SettingsError(
                f"two plans are of {scope[0]}@{scope[1]}",
                detail="there is one comment for each stack and environment",
                remedy="name the newer one alone",
            )
        seen.add(scope)


async def _said(
    terminal: Terminal,
    arguments: CommentArguments,
    job: Job,
    reviewed: Sequence[Statement],
) -> tuple[Commented, ...]:
    """Empty: there is no request to say it on."""
    async with _connected(terminal, job) as ports:
        request = arguments.request or job.request
        if request is None and job.commit and job.source:
            request = await find_request(job.commit, job.source, ports.forge)
            if request is None:
                terminal.say(f"no open request proposes {safe(job.commit)} any more; nothing said")
                return ()
        if request is None:
            raise SettingsError(
                "which request this is about is not known",
                detail="the event of this job names none",
                remedy="run it for a pull or merge request, or name one with -request",
            )
        found = []
        for one in reviewed:
            order = CommentOrder(
                request=request,
                frame=one.frame,
                budget=arguments.budget,
                is_silent=arguments.silent_on_no_changes,
                sets_status=arguments.status,
            )
            found.append(await comment_plan(one, order, ports, _Markdown()))
        return tuple(found)


@asynccontextmanager
async def _connected(terminal: Terminal, job: Job) -> AsyncIterator[ForgePorts]:
    pace = Pace(now=time.time, sleep=asyncio.sleep, tell=terminal.say)
    async with Session(job.target, pace) as session:
        forge = (
            GitHub(session, job.project)
            if job.kind is ForgeKind.GITHUB
            else GitLab(session, job.project)
        )
        yield ForgePorts(forge=forge, board=StickyComments(forge))


def _summarise(environment: Mapping[str, str], one: Statement) -> None:
    """As much of it as a summary still takes; nothing where that is next to nothing."""
    room = summary_room(environment)
    if room is not None and room > GITHUB_LIMIT // 4:
        frame = replace(one.frame, full_text="", full_url="")
        add_summary(environment, _Markdown().comment(one.report, frame, budget=room))


def _outputs(
    paths: Sequence[Path], reviewed: Sequence[Statement], said: Sequence[Commented]
) -> Mapping[str, str]:
    """Of several plans: counts added up, the rest a line for each, `exitcode` the worst.

    A stack of which there is no plan counts as an error.
    """
    plans = [one for one in reviewed if isinstance(one, Reviewed)]
    counts = [one.report.counts for one in plans]
    codes = [exit_of_plan(one.plan, is_detailed=True) for one in plans]
    codes += [Exit.ERROR] * (len(reviewed) - len(plans))
    worst = next((code for code in (Exit.ERROR, Exit.CHANGES) if code in codes), Exit.OK)
    has_changes = any(one.report.outlook is not Outlook.NO_CHANGES for one in plans)
    frames = [*(one.frame for one in reviewed), *(one.frame for one in said)]
    return {
        "changes": _word(has_changes),
        "to_add": str(sum(one.added for one in counts)),
        "to_change": str(sum(one.changed for one in counts)),
        "to_destroy": str(sum(one.destroyed for one in counts)),
        "plan_path": "\n".join(
            str(path)
            for path, one in zip(paths, reviewed, strict=True)
            if isinstance(one, Reviewed)
        ),
        "digest": "\n".join(one.frame.digest for one in plans),
        "exitcode": str(int(worst)),
        "comment_id": "\n".join(str(one.posted.id or "") for one in said),
        "stale": _word(any(one.stale for one in frames)),
    }


def _word(truth: bool) -> str:
    return "true" if truth else "false"


def _report(terminal: Terminal, said: Sequence[Commented]) -> None:
    if terminal.wants_json:
        rows = [
            {
                "stack": f"{one.frame.stack}@{one.frame.environment}",
                "digest": one.frame.digest,
                "comment": one.posted.id,
                "deed": one.posted.deed.value,
                "healed": one.posted.healed,
                "conflicts": len(one.frame.conflicts),
                "stale": bool(one.frame.stale),
            }
            for one in said
        ]
        document = {"format_version": "1.0", "comments": rows}
        terminal.report(json.dumps(document, indent=2, sort_keys=True))
        return
    for one in said:
        scope = f"{one.frame.stack}@{one.frame.environment}"
        healed = f", {counted(one.posted.healed, 'duplicate')} removed" if one.posted.healed else ""
        if one.posted.deed is Deed.NONE:
            terminal.report(f"{scope}: no changes, and nothing was said before; nothing said")
        else:
            terminal.report(f"{scope}: comment {one.posted.id} {one.posted.deed.value}{healed}")
