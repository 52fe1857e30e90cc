"""Where the embedded emulator is kept, and opening it: shared by every command that may use it."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.adapters.settings.credentials import VARIABLES
from nvcfplan.diagnostics import has_errors
from nvcfplan.emulator.faults import fault_of
from nvcfplan.emulator.operating import ServedEmulator
from nvcfplan.emulator.serving import Emulator, load_worldfile
from nvcfplan.emulator.sheets import Sheet
from nvcfplan.errors import SettingsError
from nvcfplan.frontends.options import is_address
from nvcfplan.located import decode_source, parse_source

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from nvcfplan.emulator.operating import Operated
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


def spoken_of(place: str) -> str:
    return f"at {place}" if is_address(place) else f"in {emulator_file(Path(place))}"


@contextmanager
def operated(place: str, environment: Mapping[str, str]) -> Iterator[Operated]:
    """The emulator at an address that is served, else kept in a file.

    Raises: SettingsError when nothing is kept there: a typo must not make a new world.
    """
    if is_address(place):
        found = (environment.get(name, "").strip() for name in VARIABLES)
        token = next((one for one in found if one), "any")
        yield ServedEmulator(place.rstrip("/"), token=token)
        return
    with existing_emulator(Path(place)) as emulator:
        yield emulator


@contextmanager
def existing_emulator(place: Path) -> Iterator[Emulator]:
    """Raises: SettingsError when nothing is kept there: a typo must not make a new world."""
    with _told_of(place):
        path = emulator_file(place)
        is_there = path.exists()
    if not is_there:
        raise SettingsError(
            f"there is no emulator in {path}",
            remedy="name the stack's directory, the emulator's file or its address;"
            " `plan --emulator` or `emulator serve` makes one",
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


def faults_in(path: Path) -> list[Fault]:
    """Of a YAML or JSON file: one fault, a list of them, or a list under `faults`.

    Raises: SettingsError, when it cannot be read or states none.
    """
    with _told_of_faults(path):
        source = decode_source(path.read_bytes(), str(path))
    parsed = parse_source(source.value) if source.value is not None else None
    if parsed is None or has_errors(parsed.diagnostics) or len(parsed.documents) != 1:
        found = (*source.diagnostics, *(parsed.diagnostics if parsed is not None else ()))
        detail = "\n".join(one.summary for one in found) or "one document is expected"
        raise _no_faults(path, detail)
    content = parsed.documents[0].to_plain()
    if isinstance(content, dict):
        content = content.get("faults", [content])
    if not isinstance(content, list) or not content:
        raise _no_faults(path, "no list of faults was found")
    rows = [one for one in content if isinstance(one, dict)]
    if len(rows) != len(content):
        raise _no_faults(path, "each fault is a mapping of keys and values")
    return [fault_from({str(key): value for key, value in row.items()}) for row in rows]


@contextmanager
def _told_of_faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _no_faults(path, error.strerror or str(error)) from error


def _no_faults(path: Path, detail: str) -> SettingsError:
    return SettingsError(
        f"no faults can be read from {path}",
        detail=detail,
        remedy="write them as under `faults` of a world file; examples/worlds/ shows every key",
    )


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
