"""How many examples a law is tried on: a tenth by default, all of them under `make torture`."""

from __future__ import annotations

import os


def examples(full: int) -> int:
    """`full` under torture, else a tenth, at least ten."""
    return full if os.environ.get("NVCFPLAN_TORTURE") else max(10, full // 10)
