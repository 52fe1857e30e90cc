"""Reading a body into a model, with what does not fit as plain values: no pydantic beyond here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from pydantic import BaseModel, ValidationError

if TYPE_CHECKING:
    from collections.abc import Mapping

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Misfit:
    """`path`: JSON keys and indices joined by dots. The value itself is never in it."""

    path: str
    message: str
    is_missing: bool


class BadShape(ValueError):
    def __init__(self, misfits: tuple[Misfit, ...]) -> None:
        super().__init__("; ".join(f"{one.path} {one.message}" for one in misfits))
        self.misfits = misfits


def read_as(kind: type[M], body: Mapping[str, object]) -> M:
    """Raises BadShape with every misfit."""
    try:
        return kind.model_validate(body)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
    raise BadShape(tuple(_misfit(one["type"], one["loc"]) for one in found))


def _misfit(kind: str, location: tuple[int | str, ...]) -> Misfit:
    path = ".".join(str(part) for part in location)
    if kind == "missing":
        return Misfit(path, "must not be null", is_missing=True)
    expected = _EXPECTED.get(kind.split("_")[0], "valid")
    return Misfit(path, f"must be {expected}", is_missing=False)


_EXPECTED = {
    "int": "an integer",
    "float": "a number",
    "string": "a string",
    "bool": "true or false",
    "list": "an array",
    "dict": "an object",
    "model": "an object",
}
