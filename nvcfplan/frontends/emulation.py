"""Where the embedded emulator is kept, and opening it: shared by every command that may use it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from nvcfplan.emulator.faults import fault_of
from nvcfplan.emulator.serving import Emulator, load_worldfile
from nvcfplan.emulator.sheets import Sheet
from nvcfplan.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from nvcfplan.emulator.serving import Fault, WorldFile

FILE_NAME: Final = "emulator.db"


def emulator_file(place: Path) -> Path:
    """The file itself, or `.nvcfplan/emulator.db` in a stack's directory or beside its file."""
    if place.is_dir():
        return place / ".nvcfplan" / FILE_NAME
    if place.suffix in (".yaml", ".yml"):
        return place.parent / ".nvcfplan" / FILE_NAME
    return place


def open_emulator(path: Path, world: Path | None) -> Emulator:
    """Makes it, and the directory, when there is none.

    Raises: SettingsError when `world` does not read or would be ignored, or the directory cannot
    be made.
    """
    with _told_of(path):
        is_there = path.exists()
    if world is not None and is_there:
        raise SettingsError(
            f"the emulator in {path} has a world already; --world is for a new one",
            remedy=f"leave --world out, or remove the file {path} first",
        )
    rules = None if world is None else read_world(world)
    with _told_of(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Emulator.open(path, rules)


@contextmanager
def existing_emulator(place: Path) -> Iterator[Emulator]:
    """Raises: SettingsError when nothing is kept there: a typo must not make a new world."""
    with _told_of(place):
        path = emulator_file(place)
        is_there = path.exists()
    if not is_there:
        raise SettingsError(
            f"there is no emulator in {path}",
            remedy="name the stack's directory or the emulator's file; `plan --emulator` or"
            " `emulator serve` makes one",
        )
    emulator = Emulator.open(path, None)
    try:
        yield emulator
    finally:
        emulator.close()


@contextmanager
def _told_of(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        at = error.filename or path.parent
        raise SettingsError(
            f"the emulator cannot be kept in {path}",
            detail=f"{at}: {error.strerror or error}",
            remedy=f"make {path.parent} a directory that can be written, or name a file elsewhere"
            " with --emulator=FILE",
        ) from error


def fault_from(stated: Mapping[str, object]) -> Fault:
    """From the words of a world file. Raises: SettingsError, with all that is wrong."""
    sheet = Sheet(stated, faults=[])
    found = fault_of(sheet)
    if found is None:
        raise SettingsError(
            "that is not a fault the emulator could act out",
            detail="\n".join(one.summary for one in sheet.faults),
            remedy=sheet.faults[0].remedy,
        )
    return found


def read_world(path: Path) -> WorldFile:
    from nvcfplan.frontends.reporting import plain_text

    checked = load_worldfile(path)
    if checked.value is None:
        raise SettingsError(
            f"the world in {path} does not read",
            detail="\n".join(plain_text(fault) for fault in checked.diagnostics),
            remedy="mend the file; examples/worlds/ shows every key",
        )
    return checked.value
