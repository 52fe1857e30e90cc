"""What a step leaves for the rest of its job: outputs, and a summary that people read."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Final

from nvcfplan.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_SUMMARY_BYTES: Final = 1024 * 1024
"""Of one step, all writers together; beyond it nothing at all is shown."""


def write_outputs(environment: Mapping[str, str], outputs: Mapping[str, str]) -> None:
    """Nothing outside of Actions. Each value stands between lines that it cannot foresee.

    Raises: SettingsError.
    """
    path = environment.get("GITHUB_OUTPUT", "")
    if not path:
        return
    lines = []
    for name, value in outputs.items():
        end = f"end-{secrets.token_hex(16)}"
        lines.append(f"{name}<<{end}\n{value}\n{end}\n")
    _append(Path(path), "GITHUB_OUTPUT", "".join(lines))


def summary_room(environment: Mapping[str, str]) -> int | None:
    """Bytes that the step's summary may still take; None: there is no summary here."""
    path = environment.get("GITHUB_STEP_SUMMARY", "")
    if not path:
        return None
    try:
        used = Path(path).stat().st_size
    except OSError:
        used = 0
    return MOST_SUMMARY_BYTES - used - 2


def add_summary(environment: Mapping[str, str], text: str) -> None:
    """Raises: SettingsError."""
    _append(Path(environment["GITHUB_STEP_SUMMARY"]), "GITHUB_STEP_SUMMARY", f"{text.rstrip()}\n\n")


def _append(path: Path, name: str, text: str) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        raise SettingsError(
            f"{name} names {path}, which cannot be written",
            detail=error.strerror or str(error),
            remedy="run this in a step of the job it was made for, or unset the variable",
        ) from error
