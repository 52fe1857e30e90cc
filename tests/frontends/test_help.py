"""Every command teaches: what it does, an example, what its exit codes mean."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click
import pytest

from nvcfplan import __version__
from nvcfplan.checks import REQUIRABLE as CHECKED
from nvcfplan.frontends.cli import GROUP
from nvcfplan.frontends.click_parts import CommandWithVerbs, LazyGroup
from nvcfplan.frontends.options import REQUIRABLE

if TYPE_CHECKING:
    from tests.frontends.conftest import Typing


def _commands(group: LazyGroup, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        inner = _commands(command, (*path, name)) if isinstance(command, LazyGroup) else []
        if isinstance(command, CommandWithVerbs):
            inner = [(*path, name, verb.name) for verb in command.verbs]
        found += [(*path, name), *inner]
    return found


COMMANDS = _commands(GROUP)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(
    typed: Typing, capsys: pytest.CaptureFixture[str], path: tuple[str, ...]
) -> None:
    assert typed(*path, "--help").code == 0
    text = capsys.readouterr().out
    assert "Example" in text
    assert f"nvcfplan {' '.join(path)}" in text.split("Example")[1]
    assert "Commands:" in text or "Exit codes" in text
    assert max(map(len, text.splitlines())) <= 88


def test_the_help_of_all_lists_every_command_under_its_section(
    typed: Typing, capsys: pytest.CaptureFixture[str]
) -> None:
    assert typed("--help").code == 0
    text = capsys.readouterr().out
    assert [name for (name, *_) in COMMANDS if f"\n  {name} " not in text] == []
    titles = [text.index(f"\n{section.title}:") for section in GROUP.sections]
    assert titles == sorted(titles)


@pytest.mark.parametrize("spelling", ["--help", "-help", "-h"])
def test_help_may_be_spelled_in_three_ways(typed: Typing, spelling: str) -> None:
    assert typed("plan", spelling).code == 0


def test_the_version_is_told(typed: Typing, capsys: pytest.CaptureFixture[str]) -> None:
    assert typed("-version").code == 0
    assert capsys.readouterr().out == f"nvcfplan {__version__}\n"
    assert json.loads(typed("version", "-json").out)["nvcfplan"] == __version__


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_completes_nvcfplan(typed: Typing, shell: str) -> None:
    said = typed("completion", shell)
    assert said.code == 0
    assert "_NVCFPLAN_COMPLETE" in said.out


@pytest.mark.parametrize("document", ["stack", "plan"])
def test_a_schema_is_printed_as_json(typed: Typing, document: str) -> None:
    said = typed("schema", document)
    assert said.code == 0
    assert "$schema" in json.loads(said.out)


def test_what_may_be_required_is_what_the_checks_know() -> None:
    assert set(REQUIRABLE) == CHECKED.keys()
