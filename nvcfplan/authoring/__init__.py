"""Edits of stack files that keep everything else in them as its authors wrote it."""

from __future__ import annotations

from nvcfplan.authoring.accepting import (
    Draft,
    Unwritten,
    draft_acceptance,
    judge_acceptance,
)

__all__ = [
    "Draft",
    "Unwritten",
    "draft_acceptance",
    "judge_acceptance",
]
