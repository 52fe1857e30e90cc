"""Stack files, loaded for a command: their faults are reported here, once for all commands."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from nvcfplan.errors import SettingsError
from nvcfplan.frontends.reporting import report_faults
from nvcfplan.loading import StackSource
from nvcfplan.model import Stack
from nvcfplan.workflows import Scope, read_stack_files, scope_of

if TYPE_CHECKING:
    from nvcfplan.frontends.options import StackArguments
    from nvcfplan.frontends.terminal import Terminal
    from nvcfplan.loading import LoadedStack
    from nvcfplan.plans import Plan


class PlacedArguments(Protocol):
    """Which stack, and where what is remembered of it may lie."""

    @property
    def paths(self) -> tuple[Path, ...]: ...
    @property
    def environment(self) -> str: ...
    @property
    def variables(self) -> tuple[tuple[str, str], ...]: ...
    @property
    def state_dir(self) -> Path | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Enough to find what was begun: `stack` None when the files do not read any more."""

    scope: Scope
    root: Path
    stack: Stack | None


def source_of(arguments: StackArguments | PlacedArguments) -> StackSource:
    return StackSource(
        paths=arguments.paths, environment=arguments.environment, variables=arguments.variables
    )


def load(arguments: StackArguments, terminal: Terminal) -> LoadedStack | None:
    """None: it has errors, and they have been reported."""
    reading = read_stack_files(source_of(arguments))
    report_faults(terminal, reading)
    return reading.stack.value


def identify(arguments: PlacedArguments, terminal: Terminal) -> Known | None:
    """For commands that go on with what was begun: a mistake in the files must not stop them.

    Then the stack is the one of which something is remembered, if there is just one. None: it
    cannot be told, and why has been reported.
    """
    reading = read_stack_files(source_of(arguments))
    if reading.stack.value is not None:
        stack = reading.stack.value.stack
        return Known(scope=scope_of(stack), root=reading.root, stack=stack)
    found = _remembered(arguments.state_dir or reading.root, arguments.environment)
    if len(found) != 1:
        report_faults(terminal, reading)
        return None
    terminal.say(f"the stack's files do not read; going by what is remembered of {found[0]}")
    scope = Scope(stack=found[0], environment=arguments.environment)
    return Known(scope=scope, root=reading.root, stack=None)


def root_of_saved(plan: Plan, path: Path) -> Path:
    """The directory beside which its state is kept. Raises: SettingsError."""
    root = Path(plan.provenance.root)
    if not root.is_dir():
        raise SettingsError(
            f"{path} was made for the stack in {root}, which is not there",
            detail="the state and the journal are kept beside the stack's files",
            remedy="run this in the directory where the plan was made, or in a checkout like it",
        )
    return root


def _remembered(root: Path, environment: str) -> tuple[str, ...]:
    """Stacks with a state or a journal beside the files, rehearsed ones too; sorted."""
    suffix = f"@{environment}"
    found = (root / ".nvcfplan").glob(f"**/state/*{suffix}")
    return tuple(sorted({one.name.removesuffix(suffix) for one in found if one.is_dir()}))
