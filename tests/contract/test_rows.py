"""That the contract is covered: every row has a case, and every case is for a row there is."""

from __future__ import annotations

import importlib
import pkgutil
from typing import TYPE_CHECKING

import pytest
from _pytest.mark import ParameterSet

import tests.contract
from tests.contract.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator


def _covered() -> Iterator[str]:
    """The rows named by the cases of this package, in whatever order."""
    for found in pkgutil.iter_modules(tests.contract.__path__, "tests.contract."):
        if not found.name.startswith("tests.contract.test_"):
            continue
        module = importlib.import_module(found.name)
        for name, case in vars(module).items():
            if name.startswith("test_"):
                yield from _rows(getattr(case, "pytestmark", []))


def _rows(marks: list[pytest.Mark]) -> Iterator[str]:
    for mark in marks:
        if mark.name == "covers":
            yield from mark.args
        if mark.name == "parametrize":
            for values in mark.args[1]:
                if isinstance(values, ParameterSet):
                    yield from _rows(
                        [
                            one.mark if isinstance(one, pytest.MarkDecorator) else one
                            for one in values.marks
                        ]
                    )


def _mark(found: pytest.MarkDecorator | pytest.Mark) -> pytest.Mark:
    return found.mark if isinstance(found, pytest.MarkDecorator) else found


def test_every_row_has_a_case() -> None:
    covered = set(_covered())
    assert [f"{row}: {words}" for row, words in ROWS.items() if row not in covered] == []


def test_every_case_is_for_a_row() -> None:
    assert set(_covered()) - ROWS.keys() == set()
