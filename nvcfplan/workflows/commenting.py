"""Says on a request what its plan is: one comment for each stack and environment, kept up to date.

The plan comes as a document, and may come from anybody: it is read as data, never carried out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol, TypeAlias

from nvcfplan.documents import (
    decode_claims,
    decode_document,
    decode_validate_report,
    encode_claims,
    plan_digest,
)
from nvcfplan.errors import DocumentError, RemoteMissing
from nvcfplan.model import is_name
from nvcfplan.plans import Infeasible, Plan
from nvcfplan.reports import (
    Board,
    CommentFrame,
    CommitState,
    CommitStatus,
    Conflict,
    Deed,
    Forge,
    Outlook,
    PlanReport,
    Posted,
    ValidateReport,
    find_claims,
    find_conflicts,
    find_wants,
    plan_report,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.reports import Claims, OpenRequest

_ROOM_FOR_STALE: Final = 320
"""Bytes under the limit that are left for `outdated` to say why."""
_MOST_OPEN: Final = 1_000


class Drawing(Protocol):
    def marker(self, stack: str, environment: str) -> str:
        """The first line of the comment that it is found by."""
        ...

    def comment(
        self, report: PlanReport | ValidateReport, frame: CommentFrame, *, budget: int
    ) -> str:
        """At most `budget` bytes of UTF-8, beginning with the marker."""
        ...

    def outdated(self, body: str, why: str) -> str:
        """A comment of ours, said to be stale. Once said it is not said again.

        It grows by 320 bytes at most.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgePorts:
    forge: Forge
    board: Board


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentOrder:
    """`request`: where to; never taken from the document. `budget` None: the forge's limit.

    `is_silent`: where nothing changes and nothing was said so far, nothing is said.
    `sets_status`: on the commit, as well.
    """

    request: int
    frame: CommentFrame
    budget: int | None = None
    is_silent: bool = False
    sets_status: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewed:
    """A plan document that reads: what it says, under which digest."""

    plan: Plan | Infeasible
    report: PlanReport
    frame: CommentFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class Unplanned:
    """In the place of a plan: what `validate` found in a stack of which none was made."""

    report: ValidateReport
    frame: CommentFrame


Statement: TypeAlias = Reviewed | Unplanned
"""What is said on a request."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commented:
    frame: CommentFrame
    posted: Posted


def review(data: bytes, known: CommentFrame) -> Statement:
    """`known`: beside the document. Its stack and environment are what the document says; they
    stay where that does not know.

    Raises: DocumentError.
    """
    faults = decode_validate_report(data)
    if faults is None:
        return _reviewed(decode_document(data), known)
    frame = replace(
        known,
        stack=faults.stack or known.stack,
        environment=faults.environment or known.environment,
    )
    return Unplanned(report=faults, frame=_named(frame))


def _reviewed(plan: Plan | Infeasible, known: CommentFrame) -> Reviewed:
    made = plan.plan if isinstance(plan, Infeasible) else plan
    frame = replace(
        known,
        stack=made.desired.name,
        environment=made.desired.environment,
        digest=plan_digest(plan),
        tool_version=made.provenance.tool_version,
    )
    return Reviewed(plan=plan, report=plan_report(plan), frame=_named(frame))


def _named(frame: CommentFrame) -> CommentFrame:
    """Raises: DocumentError."""
    if is_name(frame.stack) and is_name(frame.environment):
        return frame
    raise DocumentError(
        "it is not known which stack this is about",
        detail="what the document says of it is no name of a stack and of an environment"
        if frame.stack
        else "where the files do not read, they may not tell the stack's name either",
        remedy="say which one with -stack=STACK, or make the document again",
    )


async def comment_plan(
    reviewed: Statement, order: CommentOrder, ports: ForgePorts, drawing: Drawing
) -> Commented:
    """Adds the plans of other open requests, and leaves this one's claims for theirs.

    Raises: RemoteError.
    """
    frame = reviewed.frame
    mark = drawing.marker(frame.stack, frame.environment)
    requests = await ports.forge.open_requests()
    frame = replace(frame, stale=frame.stale or _overtaken(requests, order.request, frame.commit))
    budget = min(order.budget or ports.forge.limit, ports.forge.limit) - _ROOM_FOR_STALE
    claims, is_quiet = "", False
    if isinstance(reviewed, Reviewed):
        others = await _claims_of_others(requests, order.request, mark, ports)
        frame = replace(frame, conflicts=find_conflicts(find_wants(reviewed.plan), others))
        claims = encode_claims(find_claims(reviewed.plan, frame.digest), most_bytes=budget // 4)
        is_quiet = reviewed.report.outlook is Outlook.NO_CHANGES
    text = drawing.comment(reviewed.report, frame, budget=budget - len(claims) - 2)
    posted = await ports.board.post(
        order.request,
        f"{text.rstrip()}\n{claims}".rstrip() + "\n",
        marker=mark,
        only_edits=order.is_silent and is_quiet,
    )
    if order.sets_status and frame.commit:
        await ports.forge.set_status(frame.commit, _status(reviewed.report, frame))
    return Commented(frame=frame, posted=posted)


async def mark_outdated(
    scope: tuple[str, str], why: str, base: str, ports: ForgePorts, drawing: Drawing
) -> tuple[int, ...]:
    """The open requests whose comment on a stack and environment now says that it is stale.

    For when `base` has moved: no run of those requests would notice, and those for another branch
    do not rest on it. `base` empty: whatever they are for. Raises: RemoteError.
    """
    mark = drawing.marker(*scope)
    marked = []
    for one in await ports.forge.open_requests(_MOST_OPEN):
        if base and one.base != base:
            continue
        try:
            found = await ports.board.ours(one.number, mark)
        except RemoteMissing:  # deleted since they were listed
            continue
        body = drawing.outdated(found[0].body, why) if found else ""
        if found and body != found[0].body:
            posted = await ports.board.post(one.number, body, marker=mark, only_edits=True)
            marked += [one.number] if posted.deed is Deed.EDITED else []
    return tuple(marked)


async def find_request(commit: str, source: str, forge: Forge) -> int | None:
    """The open request that proposes this commit from there; None: it has moved on, or is closed.

    Raises: RemoteError.
    """
    found = [
        one.number
        for one in await forge.open_requests(_MOST_OPEN)
        if one.head == commit and one.source == source
    ]
    return min(found, default=None)


async def _claims_of_others(
    requests: Sequence[OpenRequest], ours: int, mark: str, ports: ForgePorts
) -> Mapping[str, Claims]:
    """Of comments written by us; what is in them came from their requests, and is data.

    Plans of other stacks count as well: they take of the same GPUs.
    """
    ours_begin, _, _ = mark.partition("stack=")
    found: dict[str, Claims] = {}
    for one in requests:
        if one.number == ours:
            continue
        try:
            comments = await ports.forge.comments(one.number)
        except RemoteMissing:  # deleted since they were listed
            continue
        author = await ports.forge.author()
        for comment in comments:
            if comment.author != author or not comment.body.startswith(ours_begin):
                continue
            claims = decode_claims(comment.body)
            if claims is not None:
                name = ports.forge.reference(one.number)
                found[name] = _added(found.get(name), claims)
    return found


def _added(known: Claims | None, more: Claims) -> Claims:
    """One request may have plans of several stacks."""
    return more if known is None else replace(known, claims=(*known.claims, *more.claims))


def _overtaken(requests: Sequence[OpenRequest], ours: int, commit: str) -> str:
    head = next((one.head for one in requests if one.number == ours), "")
    if not commit or not head or head == commit:
        return ""
    return f"the request has moved on to commit {head}."


def _status(report: PlanReport | ValidateReport, frame: CommentFrame) -> CommitStatus:
    state, words = (
        _outlook(report)
        if isinstance(report, PlanReport)
        else (CommitState.BAD, _unplanned(report))
    )
    if frame.stale:
        state, words = CommitState.BAD, "Stale: plan again"
    return CommitStatus(
        context=f"nvcfplan/{frame.stack}@{frame.environment}",
        state=state,
        description=words + _conflicting(frame.conflicts),
        url=frame.full_url,
    )


def _outlook(report: PlanReport) -> tuple[CommitState, str]:
    counts = report.counts
    said = f"{counts.added} to add, {counts.changed} to change, {counts.destroyed} to destroy"
    match report.outlook:
        case Outlook.NO_CHANGES:
            return CommitState.GOOD, "No changes"
        case Outlook.CHANGES:
            return CommitState.GOOD, f"Plan: {said}"
        case Outlook.REFUSED:
            return CommitState.BAD, f"The plan cannot be applied: {said}"
        case Outlook.INFEASIBLE:
            return CommitState.BAD, "No order was found in which these changes fit"


def _unplanned(report: ValidateReport) -> str:
    if report.is_valid:
        return "Nothing was planned"
    noun = "error" if report.errors == 1 else "errors"
    return f"The stack does not read: {report.errors} {noun}"


def _conflicting(conflicts: Sequence[Conflict]) -> str:
    if not conflicts:
        return ""
    noun = "conflict" if len(conflicts) == 1 else "conflicts"
    return f"; {len(conflicts)} {noun} with other requests"
