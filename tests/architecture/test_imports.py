"""The import table of the house, as data: who may know whom, and through which door."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.architecture.source import (
    ROOT,
    Import,
    imports,
    module_names,
    modules,
    room_of,
    targets_of,
)

BASE = frozenset({"model", "diagnostics", "errors"})
PLANNING = BASE | {"plans", "differences", "capacity", "proving"}
CHECKS = PLANNING | {"planning"}
APPLYING = CHECKS | {"checks"}
DRIFTING = BASE | {"plans", "checks", "planning", "differences", "capacity"}
REPORTS = APPLYING | DRIFTING | {"applying", "drifting"}
AUTHORING = BASE | {"loading", "located", "drifting", "differences", "plans"}
WORKFLOWS = REPORTS | {"reports", "documents", "loading", "located", "authoring"}

ALLOWED = {
    "nvcfplan": frozenset({"frontends"}),
    "model": frozenset(),
    "wire": frozenset(),
    "diagnostics": frozenset({"model"}),
    "errors": frozenset({"diagnostics", "model"}),
    "located": frozenset({"diagnostics"}),
    "plans": BASE,
    "proving": BASE | {"plans"},
    "differences": BASE | {"plans"},
    "capacity": BASE | {"plans"},
    "planning": PLANNING,
    "checks": CHECKS,
    "applying": APPLYING,
    "drifting": DRIFTING,
    "reports": REPORTS,
    "documents": BASE | {"reports", "applying", "drifting", "plans"},
    "loading": BASE | {"located"},
    "authoring": AUTHORING,
    "workflows": WORKFLOWS,
    # Reports are made of the plan's own types, so who draws them has to know these.
    "views": BASE | {"documents", "reports", "applying", "plans"},
    "adapters": frozenset(),
    "adapters/nvcf": BASE | {"wire", "applying", "plans"},
    "adapters/storage": BASE | {"documents", "applying"},
    "adapters/settings": BASE | {"located", "applying"},
    "adapters/forges": BASE | {"documents", "reports"},
    "adapters/notices": BASE | {"documents", "reports", "applying"},
    "emulator": frozenset({"wire", "located", "diagnostics"}),
    "frontends": WORKFLOWS
    | {"workflows", "views", "emulator", "adapters/nvcf", "adapters/storage", "adapters/settings"}
    | {"adapters/forges", "adapters/notices"},
}
"""Room -> the rooms it may import, besides itself. `nvcfplan` alone is for `__version__`."""

READ_THE_VERSION = frozenset(
    {"frontends", "adapters/nvcf", "adapters/forges", "adapters/notices", "documents", "emulator"}
)

FACELESS = frozenset({"wire", "views", "adapters", "emulator", "frontends"})
"""Packages imported by module, so that importing one of them loads no library."""

DOORS = {
    "pydantic": ("nvcfplan.wire", "nvcfplan.loading.stackfile", "nvcfplan.documents"),
    "httpx2": ("nvcfplan.adapters", "nvcfplan.emulator.serving"),
    "yaml": ("nvcfplan.located",),
    "jinja2": ("nvcfplan.loading.templates", "nvcfplan.views"),
    "click": ("nvcfplan.frontends", "nvcfplan.views"),
    "rich": ("nvcfplan.frontends", "nvcfplan.views"),
    "markupsafe": ("nvcfplan.views",),
    "uvicorn": ("nvcfplan.emulator.listening", "nvcfplan.frontends.watch_answers"),
    "apprise": ("nvcfplan.adapters.notices.apprise",),
    "deepdiff": ("nvcfplan.differences.freeform",),
}
"""Library -> the modules, or packages, through which alone it comes in."""

PURE = frozenset(
    {"model", "plans", "proving", "differences", "capacity", "planning", "checks", "applying"}
)
IMPURE_MODULES = frozenset({"nvcfplan.applying.executor"})
WORLDLY = frozenset(
    {
        "asyncio", "concurrent", "http", "io", "logging", "multiprocessing", "os", "pathlib",
        "random", "secrets", "select", "shutil", "signal", "socket", "sqlite3", "ssl",
        "subprocess", "sys", "tempfile", "threading", "time", "urllib", "uuid",
    }
)  # fmt: skip


def _is_ours(found: Import) -> bool:
    return found.target.split(".")[0] == "nvcfplan"


def test_a_room_imports_only_what_the_table_allows() -> None:
    forbidden = [
        str(found)
        for found in imports()
        if _is_ours(found) and not _is_allowed(found.module.room, room_of(found.target))
    ]
    assert forbidden == []


def _is_allowed(room: str, target: str) -> bool:
    if room == target:
        return True
    if target == "nvcfplan":
        return room in READ_THE_VERSION
    return target in ALLOWED[room]


def test_every_room_stands_in_the_table() -> None:
    assert {module.room for module in modules()} <= ALLOWED.keys()


def test_the_table_has_no_cycle() -> None:
    settled: set[str] = set()
    rooms = {room: targets - {"frontends"} for room, targets in ALLOWED.items()}
    while ready := {
        room
        for room, targets in rooms.items()
        if room not in settled and targets & rooms.keys() <= settled
    }:
        settled |= ready
    assert settled == rooms.keys()


def test_other_packages_are_imported_by_their_face() -> None:
    past_the_face = [
        str(found)
        for found in imports()
        if _is_ours(found)
        and found.target.count(".") >= 2
        and room_of(found.target).split("/")[0] not in FACELESS
        and room_of(found.target) != found.module.room
    ]
    assert past_the_face == []


def test_every_imported_module_of_ours_exists() -> None:
    missing = [str(found) for found in imports() if _is_ours(found)]
    assert [line for line in missing if line.split(" imports ")[1] not in module_names()] == []


@pytest.mark.parametrize("library", sorted(DOORS))
def test_a_library_comes_in_through_its_door(library: str) -> None:
    elsewhere = [
        str(found)
        for found in imports()
        if found.target.split(".")[0] == library
        and not any(_is_inside(found.module.name, door) for door in DOORS[library])
    ]
    assert elsewhere == []


def _is_inside(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def test_every_library_has_a_door() -> None:
    known = set(sys.stdlib_module_names) | DOORS.keys() | {"nvcfplan"}
    assert [str(found) for found in imports() if found.target.split(".")[0] not in known] == []


def test_pure_packages_know_nothing_of_the_world() -> None:
    worldly = [
        str(found)
        for found in imports()
        if found.module.room in PURE
        and found.module.name not in IMPURE_MODULES
        and found.target.split(".")[0] in WORLDLY
    ]
    assert worldly == []


PROBE = """
import sys
before = set(sys.modules)
import {what}
loaded = {{name.split('.')[0] for name in set(sys.modules) - before}}
print(' '.join(sorted(loaded - set(sys.stdlib_module_names) - {{'nvcfplan'}})))
"""


def _libraries_loaded_by(what: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROBE.format(what=what)],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(done.stdout.split())


def test_importing_the_package_loads_no_library() -> None:
    assert _libraries_loaded_by("nvcfplan") == set()


def test_the_command_line_starts_with_click_alone() -> None:
    assert _libraries_loaded_by("nvcfplan.frontends.cli") == {"click"}


def test_the_contract_is_tried_without_our_wire_models() -> None:
    """It would agree with itself otherwise."""
    cases = sorted((ROOT / "tests" / "contract").rglob("*.py"))
    named = [f"{path.name}: {target}" for path in cases for target in targets_of(path)]
    assert cases
    assert [one for one in named if "nvcfplan.wire" in one] == []
