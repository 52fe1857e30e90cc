"""What the README shows is what comes out: its commands are typed in order, in a copy of examples/.

A line `...` stands for any lines left out; what is between two of them must come out as shown.
"""

from __future__ import annotations

import re
import shlex
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.scenarios.conftest import ROOT, Workshop

if TYPE_CHECKING:
    from collections.abc import Iterator

README = ROOT / "README.md"


@dataclass(frozen=True, slots=True)
class Shown:
    command: str
    output: str


def _shown() -> Iterator[Shown]:
    text = README.read_text(encoding="utf-8")
    for block in re.findall(r"^```\n(\$ .*?)^```$", text, re.MULTILINE | re.DOTALL):
        for one in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, output = one.partition("\n")
            yield Shown(command, output)


def _pieces(output: str) -> list[str]:
    return [one.strip("\n") for one in re.split(r"^\.\.\.$", output, flags=re.MULTILINE)]


def test_every_command_of_the_readme_prints_what_the_readme_shows(workshop: Workshop) -> None:
    shutil.copytree(ROOT / "examples", workshop.directory / "examples")
    code = 0
    compared = 0
    for shown in _shown():
        name, *words = shlex.split(shown.command)
        if shown.command == "echo $?":
            assert str(code) == shown.output.strip()
        if name != "nvcfplan":
            continue
        said = workshop.type(*words)
        code, printed, place = said.code, said.err + said.out, 0
        for piece in filter(None, _pieces(shown.output)):
            found = printed.find(piece, place)
            assert found >= 0, f"$ {shown.command}\n{piece}\n\nis not in\n\n{printed}"
            place = found + len(piece)
            compared += 1
    assert compared > 8
