"""What is bound to happen: failures in store, what is on the schedule, requests still on their way.

Plain state, kept with the world. Times are virtual seconds since its start.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nvcfplan.emulator.rules import Fault, ScheduleRule

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(slots=True, kw_only=True)
class Script:
    """A fault and how far it is: requests it has matched, and whether it is over."""

    fault: Fault
    matched: int = 0
    is_over: bool = False


@dataclass(slots=True, kw_only=True)
class Doom:
    """What becomes of the instances that a specification asks for from now on.

    `text`: what the service will say, None: the usual. `seconds`: until it shows, None: never.
    `instances`: so many of them only, None: all. `is_started`: they start first, and so hold GPUs.
    """

    text: str | None = None
    seconds: float | None = None
    instances: int | None = None
    is_started: bool = False

    @property
    def is_spent(self) -> bool:
        return self.instances is not None and self.instances <= 0

    def take(self, wanted: int) -> int:
        """How many of so many it befalls; they are not befallen again."""
        if self.instances is None:
            return wanted
        taken = min(wanted, self.instances)
        self.instances -= taken
        return taken


@dataclass(slots=True, kw_only=True)
class Load:
    """The autoscaler goes to so many running instances per specification then."""

    at: float
    running: int


@dataclass(slots=True, kw_only=True)
class Planned:
    """One entry of the schedule. `is_end`: it undoes what it did; `gpus`: what it took.

    `left`: how often it comes after this time, None: without end.
    """

    rule: ScheduleRule
    at: float
    left: int | None = 0
    is_end: bool = False
    gpus: int = 0


@dataclass(slots=True, kw_only=True)
class Standing:
    """The status that a cluster has had since then."""

    since: float
    status: str


@dataclass(slots=True, kw_only=True)
class Arrival:
    """A request whose caller has given up on it, and which is still going to be served."""

    at: float
    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    body: str = ""


def first_of(rule: ScheduleRule) -> Planned:
    left = 0 if rule.every is None else None if rule.times is None else rule.times - 1
    return Planned(rule=rule, at=rule.at, left=left)


def status_at(changes: Sequence[Standing], moment: float, before: str) -> str:
    """The status at a moment; `before` the first change."""
    if not changes:
        return before
    past = [one.status for one in changes if one.since <= moment]
    return past[-1] if past else before
