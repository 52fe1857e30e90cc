"""What is learnt by the way and may be lost at any time: it never makes a plan stale.

Unlike the state it raises no serial; whoever cannot read or write it goes on without.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class StepKind:
    """What is alike in how long it takes: the task's word, and what it is done on.

    `gpu` and `instance_type` are empty where the task is of none.
    """

    task: str
    gpu: str
    instance_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Durations:
    """Whole seconds, newest last."""

    kind: StepKind
    seconds: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """`durations`: each kind once; those that were seen last stand last."""

    durations: tuple[Durations, ...] = ()
