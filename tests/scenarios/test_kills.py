"""kill -9 of a real process, before, within and after each of its writes to the disk.

A child is forked for each cut, so that no interpreter has to start. It is the system's `write` that
kills it: the code under test knows nothing of it.
"""

from __future__ import annotations

import os
import shutil
import signal
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from tests.scenarios.conftest import Workshop, function, h100, stack

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

IS_TORTURE: Final = bool(os.environ.get("NVCFPLAN_TORTURE"))
SHARES: Final = (0.0, 0.5, 1.0)
"""How much of the write is on the disk when the process dies."""
_POLICY: Final = "update: { keepVersions: 0 }"

STORIES: Final = {
    "create": ([], [function("embed")]),
    "replace": ([h100("chat")], [h100("chat", image="2")]),
    "update": ([h100("chat")], [h100("chat", instances=2)]),
    "delete": ([h100("chat")], []),
    "both": (
        [h100("chat", more=_POLICY)],
        [h100("chat", image="2", more=_POLICY), function("embed")],
    ),
}
"""From one stack to another, beside a function that stays."""
FOR_GOOD: Final = frozenset({"delete", "both"})
"""A version is deleted at the end: past that the function can only go on."""
APPLY: Final = ("apply", "-auto-approve", "--emulator", ".")
RESUME: Final = ("resume", "--emulator", ".")


@dataclass(frozen=True, slots=True)
class Cut:
    """The `at`-th write of the store, from 1. `share`: of its bytes that are written."""

    at: int
    share: float


def forked(workshop: Workshop, words: Sequence[str], cut: Cut | None) -> tuple[bool, int]:
    """Whether it was killed, and else how many writes it made."""
    report = workshop.directory / "writes"
    child = os.fork()
    if child == 0:
        made = _armed(workshop.directory / ".nvcfplan", cut)
        workshop.type(*words)
        report.write_text(str(made[0]))
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True, 0
    assert os.WEXITSTATUS(status) == 0
    return False, int(report.read_text())


def _armed(below: Path, cut: Cut | None) -> list[int]:
    """Of this process, which is the child: the number of writes so far, and its death at one."""
    made, write = [0], os.write

    def deadly(descriptor: int, content: bytes) -> int:
        if not os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(below)):
            return write(descriptor, content)
        made[0] += 1
        if cut is not None and made[0] == cut.at:
            whole = bytes(content)
            write(descriptor, whole[: int(len(whole) * cut.share)])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(descriptor, content)

    os.write = deadly  # type: ignore[assignment]  # of a child that is about to die
    return made


class Stage:
    """A stack that has been applied, kept aside, so that each cut begins from the same files."""

    def __init__(self, workshop: Workshop, kept: Path, name: str) -> None:
        before, self.after = STORIES[name]
        self.workshop = workshop
        self._kept = kept
        workshop.write("stack.yaml", stack(function("keep"), *before))
        assert workshop.apply(".").code == 0
        self.before = self.shown()
        shutil.copytree(workshop.directory, kept)
        self.again()
        _, self.writes = forked(workshop, APPLY, None)
        self.planned = self.shown()

    def again(self) -> None:
        """All as it was, but for the stack file, which says what is wanted now."""
        shutil.rmtree(self.workshop.directory / ".nvcfplan")
        shutil.copytree(self._kept / ".nvcfplan", self.workshop.directory / ".nvcfplan")
        self.workshop.write("stack.yaml", stack(function("keep"), *self.after))

    def shown(self) -> list[tuple[object, ...]]:
        return sorted(
            (
                str(one["name"]),
                str(one["containerImage"]),
                str(one["status"]),
                _bounds(one["deployment"]),
            )
            for one in self.workshop.account()
        )


def _bounds(deployment: object) -> list[tuple[int, int]]:
    if deployment is None:
        return []
    assert isinstance(deployment, dict)
    return [
        (one["minInstances"], one["maxInstances"]) for one in deployment["deploymentSpecifications"]
    ]


@pytest.fixture
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("stage") / "kept"


def cuts_of(stage: Stage, name: str, most: int) -> list[Cut]:
    """Every one under torture, else so many, spread over them, other ones for each story."""
    cuts = [Cut(at, share) for at in range(1, stage.writes + 1) for share in SHARES]
    if IS_TORTURE:
        return cuts
    return sorted(Random(name).sample(cuts, most), key=lambda cut: (cut.at, cut.share))


@pytest.mark.parametrize("name", STORIES)
def test_killed_anywhere_it_is_resumed_or_undone(workshop: Workshop, kept: Path, name: str) -> None:
    stage = Stage(workshop, kept, name)
    for number, cut in enumerate(cuts_of(stage, name, 12)):
        stage.again()
        assert forked(workshop, APPLY, cut) == (True, 0)
        if number % 2:
            _is_resumed(stage)
        else:
            _is_undone(stage, is_for_good=name in FOR_GOOD)


def _is_resumed(stage: Stage) -> None:
    """What had not begun is not begun by `resume`; a rollback that had begun is ended by it (3)."""
    assert stage.workshop.type(*RESUME).code in (0, 3)
    _is_settled(stage)
    assert stage.workshop.apply(".").code == 0
    assert stage.shown() == stage.planned


def _is_settled(stage: Stage) -> None:
    """Each function by itself: what is there for good stays when another one is undone."""
    shown = stage.shown()
    for name in {str(one[0]) for one in (*shown, *stage.before, *stage.planned)}:
        before, planned = _named(name, stage.before), _named(name, stage.planned)
        assert _named(name, shown) in (before, planned), shown


def _named(name: str, shown: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    return [one for one in shown if one[0] == name]


def _is_undone(stage: Stage, *, is_for_good: bool) -> None:
    """Without approval only a run that is open is undone; one that had not begun is no matter."""
    said = stage.workshop.type("rollback", "--emulator", ".")
    if said.code == 4:
        assert is_for_good, said
        assert stage.workshop.type(*RESUME).code in (0, 3)
    elif said.code == 0:
        assert stage.shown() == stage.before
    else:
        assert said.code == 1, said
        assert stage.shown() in (stage.before, stage.planned)
    assert stage.workshop.apply(".").code == 0
    assert stage.shown() == stage.planned


def test_killed_twice_it_is_gone_on_with_all_the_same(workshop: Workshop, kept: Path) -> None:
    """The second time while it is resumed, or undone."""
    stage, random = Stage(workshop, kept, "both"), Random(5)
    for _ in range(500 if IS_TORTURE else 8):
        stage.again()
        first = Cut(random.randint(1, stage.writes), random.choice(SHARES))
        second = Cut(random.randint(1, stage.writes), random.choice(SHARES))
        assert forked(workshop, APPLY, first) == (True, 0)
        words = random.choice([RESUME, ("rollback", "--emulator", ".")])
        forked(workshop, words, second)
        _is_resumed(stage)
