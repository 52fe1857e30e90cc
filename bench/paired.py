"""Runs two commands in turns, A B A B, and prints how they compare: it measures, it never judges.

Each sample is a fresh process. Neighbours on the machine disturb both alike, so the figure to read
is the median of the pairwise ratios, not the milliseconds.
"""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

Command = Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    wall_seconds: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    name: str
    command: Command
    expected_exit: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """`ratios`: B's wall time over A's, pair by pair."""

    a: tuple[Sample, ...]
    b: tuple[Sample, ...]

    @property
    def ratios(self) -> tuple[float, ...]:
        return tuple(
            two.wall_seconds / one.wall_seconds for one, two in zip(self.a, self.b, strict=True)
        )


def compare(a: Side, b: Side, *, pairs: int) -> Comparison:
    """One warm-up of each, then `pairs` pairs in turns.

    Raises: SystemExit when a command does not exit as expected: then there is nothing to compare.
    """
    for side in (a, b):
        _sample(side)
    taken = [(_sample(a), _sample(b)) for _ in range(pairs)]
    return Comparison(a=tuple(one for one, _ in taken), b=tuple(two for _, two in taken))


def print_comparison(a: Side, b: Side, found: Comparison) -> None:
    for side, samples in ((a, found.a), (b, found.b)):
        walls = [one.wall_seconds * 1000 for one in samples]
        cpus = [one.cpu_seconds * 1000 for one in samples]
        print(
            f"  {side.name:<28} wall {statistics.median(walls):7.1f} ms"
            f" ({min(walls):.1f} to {max(walls):.1f})  cpu {statistics.median(cpus):7.1f} ms"
        )
    ratios = found.ratios
    print(
        f"  {b.name} / {a.name}: median {statistics.median(ratios):.2f}x"
        f" ({min(ratios):.2f} to {max(ratios):.2f}), {len(ratios)} pairs"
    )


def print_machine() -> None:
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    print(f"python {sys.version.split()[0]}, {os.cpu_count()} cores, load average {load}")


def _sample(side: Side) -> Sample:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    done = subprocess.run(
        list(side.command),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    wall = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != side.expected_exit:
        sys.exit(f"{side.name} exited {done.returncode}: {done.stderr.strip()[-500:]}")
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sample(wall_seconds=wall, cpu_seconds=cpu)
