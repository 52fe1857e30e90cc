"""Stack files that are written anew: all of them or none, each whole, with the mode it had."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from nvcfplan.adapters.storage.files import replace_file, store_errors
from nvcfplan.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Mapping


def rewrite_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """By name. Raises: StoreError; then every file is as it was, whoever changed it.

    One that does not hold what it was read with is somebody's work of this moment.
    """
    places = {name: Path(os.path.realpath(name)) for name in after}
    for name, place in places.items():
        with store_errors(place, "read"):
            content = place.read_bytes()
        if content != before[name]:
            raise StoreError(
                f"{name} has changed since it was read",
                detail="nothing was written",
                remedy="run the command again",
            )
    written: list[str] = []
    try:
        for name, place in places.items():
            _rewrite(place, after[name])
            written.append(name)
    except StoreError:
        for name in written:
            _rewrite(places[name], before[name])
        raise


def _rewrite(path: Path, content: bytes) -> None:
    with store_errors(path, "read"):
        mode = stat.S_IMODE(path.stat().st_mode)
    replace_file(path, content, mode=mode)
