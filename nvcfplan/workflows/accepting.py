"""What the stack's files would have to say to ask for what others have made of the account."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.authoring import Draft, draft_acceptance, judge_acceptance
from nvcfplan.diagnostics import Diagnostic, has_errors
from nvcfplan.drifting import classify
from nvcfplan.errors import DocumentError
from nvcfplan.loading import LoadedStack, read_stack
from nvcfplan.planning import PlanNeeds
from nvcfplan.workflows.drift import DriftRequest, take_sight
from nvcfplan.workflows.plan import scope_of
from nvcfplan.workflows.reading import read_state, refuse_other_claims, refuse_unbound_account

if TYPE_CHECKING:
    from nvcfplan.drifting import Sight
    from nvcfplan.loading import StackSource
    from nvcfplan.workflows.ports import LookPorts


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """`edited`: the stack as the edited files have it; None: there is nothing to edit."""

    draft: Draft
    edited: LoadedStack | None


async def look_for_acceptance(
    source: StackSource, loaded: LoadedStack, ports: LookPorts
) -> Acceptance:
    """Nothing is written: the edited files are read in memory, and compared with the account.

    Raises: RemoteError when functions or deployments cannot be read; AccountMismatch; StateCorrupt;
    ClaimedTwice; DocumentError when the edited files would ask for anything else than what is
    there.
    """
    stack = loaded.stack
    scope = scope_of(stack)
    refuse_unbound_account(stack.account, ports.identity)
    state = (await read_state(scope, ports)).state
    sight = await take_sight(DriftRequest(stack=stack), state, ports)
    refuse_other_claims(scope, sight.live, state)
    given = [name for name, _ in source.variables]
    draft = draft_acceptance(sight, classify(sight), loaded, given)
    if not draft.files:
        return Acceptance(draft=draft, edited=None)
    return Acceptance(draft=draft, edited=_edited(source, sight, draft))


def _edited(source: StackSource, sight: Sight, draft: Draft) -> LoadedStack:
    reading = read_stack(source, draft.files)
    edited = reading.stack.value
    if edited is None:
        faults = [one for one in reading.stack.diagnostics if has_errors((one,))]
        raise _unfit("the edited files would not read", "\n".join(map(_told, faults)))
    needs = PlanNeeds(stack=edited.stack, state=sight.state)
    astray = judge_acceptance(sight, draft, needs.as_it_stands(sight.live))
    if astray:
        raise _unfit(f"the edited files would ask for something else of {', '.join(astray)}", "")
    return edited


def _unfit(what: str, detail: str) -> DocumentError:
    return DocumentError(
        f"what drifted cannot be taken into the files: {what}",
        detail=detail or "the files were left as they are",
        remedy="edit them by hand; `nvcfplan drift` shows both values of each field",
    )


def _told(fault: Diagnostic) -> str:
    where = f"{fault.span.file}:{fault.span.start.line}: " if fault.span else ""
    return f"{where}{fault.summary}"
