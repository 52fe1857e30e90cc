"""The components of a run: what of its plans belongs to each, and how far each has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvcfplan.applying.events import Cause
from nvcfplan.applying.journal import OnRung
from nvcfplan.applying.retracing import carried_out
from nvcfplan.applying.rollback import irreversible
from nvcfplan.applying.tracking import Course, components
from nvcfplan.model import StepId, function_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.tracking import Bindings
    from nvcfplan.model import Address
    from nvcfplan.plans import Step


@dataclass(slots=True, eq=False)
class Part:
    """A component of the first plan, and the rungs that took the place of what was left of it.

    `courses`: each with the steps that are the part's, oldest first. `cause`: the first failure;
    `last`: the one that is to be answered. `is_condemned`: nothing of it is begun any more.
    `is_settled`: its rollback has been taken up, or it needs none. `is_left`: it failed, and stays
    where it is: what was carried out of it cannot be undone, or is not to be. `tried`, `taken`: by
    function key, the number of the last rung, and of the one that it is wanted on. `deadlines`:
    until when a wait is climbed again.
    """

    courses: list[tuple[Course, frozenset[StepId]]]
    cause: Cause | None = None
    last: Cause | None = None
    is_condemned: bool = False
    is_settled: bool = False
    is_left: bool = False
    tried: dict[str, int] = field(default_factory=dict)
    taken: dict[str, int] = field(default_factory=dict)
    deadlines: dict[OnRung, float] = field(default_factory=dict)

    @property
    def course(self) -> Course:
        """The one that is carried out now; those before it are not gone on with."""
        return self.courses[-1][0]

    @property
    def steps(self) -> frozenset[StepId]:
        """Of that course."""
        return self.courses[-1][1]

    @property
    def addresses(self) -> frozenset[Address]:
        forward, steps = self.courses[0]
        return frozenset(forward.steps[one].address for one in steps)

    @property
    def is_done(self) -> bool:
        return all(self.course.is_done(one) for one in self.steps)

    @property
    def is_begun(self) -> bool:
        """Something of it was carried out, or sent without a known end."""
        return any(course.is_executed(one) for course, steps in self.courses for one in steps)

    def stuck(self, bindings: Bindings) -> tuple[Step, ...]:
        """What was carried out of it and cannot be undone: it can only go on."""
        executed = carried_out(self.courses, bindings)
        return irreversible(executed.plan, executed.steps)

    def stand_on(self, course: Course) -> None:
        """A rung has been taken up."""
        assert course.rung is not None
        rung = course.rung
        self.courses.append((course, frozenset(course.steps)))
        self.tried[rung.function] = self.taken[rung.function] = rung.number
        self.is_condemned = False


def parts_of(courses: Sequence[Course]) -> tuple[Part, ...]:
    """In the order of the first plan, each with the rungs taken for it."""
    if not courses:
        return ()
    forward, *later = courses
    parts = tuple(Part([(forward, steps)]) for steps in components(forward.plan))
    for course in later:
        if course.rung is not None:
            address = function_address(course.rung.function)
            next(one for one in parts if address in one.addresses).stand_on(course)
    return parts
