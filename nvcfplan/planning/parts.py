"""A way to carry out one function's change, cut where other functions may come in between."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from nvcfplan.diagnostics import Diagnostic
from nvcfplan.plans import AwaitActive, Step, Undeploy, UpdateDeployment

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.model import StepId


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Steps that are placed together, each after those it waits for.

    What the part gives may fund what it takes later on; nobody else comes in between.
    """

    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """`parts` in their order; other functions may be placed between two of them.

    `deletes` come last of all they are connected to. `has_gap`: a function that may serve now
    serves nothing for a while. `notes`: what is to be said of it where it is chosen.
    """

    parts: tuple[Part, ...]
    deletes: tuple[Step, ...] = ()
    has_gap: bool = False
    notes: tuple[Diagnostic, ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for part in self.parts for step in part.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One function's drafts, best first.

    `uses`: keys of works that must serve before this one deploys. `users`: keys of works that must
    have left before this one does. `is_optional`: nothing need be done, but it may lend room.
    `diagnostics`: of ways that its policy rules out.
    """

    key: str
    drafts: tuple[Draft, ...]
    uses: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    is_optional: bool = False
    diagnostics: tuple[Diagnostic, ...] = ()


def draft_of(*groups: Sequence[Step], has_gap: bool = False) -> Draft:
    """A part for every group that is not empty."""
    parts = tuple(Part(steps=tuple(group)) for group in groups if group)
    return Draft(parts=parts, has_gap=has_gap)


def with_steps(draft: Draft, steps: Sequence[Step]) -> Draft:
    """The same with more steps at its end, as part of its last part."""
    if not steps:
        return draft
    head, last = draft.parts[:-1], draft.parts[-1:]
    before = last[0].steps if last else ()
    return replace(draft, parts=(*head, Part(steps=(*before, *steps))))


def settling(steps: Sequence[Step]) -> list[StepId]:
    """The steps from whose end a function serves as wanted."""
    active = [step.id for step in steps if isinstance(step.task, AwaitActive)]
    return active or [step.id for step in steps if isinstance(step.task, UpdateDeployment)][-1:]


def undeploying(steps: Iterable[Step]) -> list[StepId]:
    return [step.id for step in steps if isinstance(step.task, Undeploy)]
