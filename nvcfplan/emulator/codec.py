"""Dataclasses <-> JSON text, for the world's own file. Shapes come from the annotations.

Reading is strict: what does not fit raises ValueError. Fields that are absent take their default.
"""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Callable, Hashable
from datetime import datetime
from enum import Enum
from functools import cache
from typing import TypeVar, Union, cast, get_args, get_origin, get_type_hints

from nvcfplan.emulator.tables import Table

T = TypeVar("T")
Reader = Callable[[object], object]

TRANSIENT = {"transient": True}
"""Metadata of a field that is not stored."""


def to_text(value: object) -> str:
    return json.dumps(value, default=_plain, separators=(",", ":"), ensure_ascii=False)


def to_plain(value: object) -> object:
    """As JSON values; the copy shares nothing with the original."""
    plain: object = json.loads(to_text(value))
    return plain


def from_text(kind: type[T], text: str) -> T:
    """Raises ValueError."""
    return cast("T", reader_of(cast("Hashable", kind))(json.loads(text)))


def fields_of(kind: type) -> dict[str, object]:
    """The annotations of what is stored of a dataclass, by name."""
    hints = get_type_hints(kind)
    return {name: hints[name] for name in _stored(kind)}


@cache
def _stored(kind: Hashable) -> tuple[str, ...]:
    assert isinstance(kind, type)
    assert dataclasses.is_dataclass(kind)
    return tuple(
        field.name
        for field in dataclasses.fields(kind)
        if not field.metadata.get("transient", False)
    )


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if dataclasses.is_dataclass(value):
        names = _stored(cast("Hashable", type(value)))
        return {name: getattr(value, name) for name in names}
    if isinstance(value, Table):
        return {one.id: one for one in value.shown()}
    raise TypeError(f"{type(value).__name__} has no JSON form")


@cache
def reader_of(kind: Hashable) -> Reader:
    """How a value of this annotation is read back."""
    origin = get_origin(kind)
    if origin in (Union, types.UnionType):
        return _optional(get_args(kind))
    if origin in (tuple, list):
        return _sequence(cast("type", origin), get_args(kind))
    if origin is dict:
        return _mapping(get_args(kind)[1])
    if kind is object:
        return lambda value: value
    if isinstance(kind, type):
        return _named(kind)
    raise TypeError(f"{kind!r} has no JSON form")


def _named(kind: type) -> Reader:
    if dataclasses.is_dataclass(kind):
        return _record(kind)
    if issubclass(kind, Enum):
        return kind
    if kind is datetime:
        return lambda value: datetime.fromisoformat(_exactly(str, value))
    if kind is float:
        return lambda value: float(_number(value))
    return lambda value: _exactly(kind, value)


def _optional(choices: tuple[object, ...]) -> Reader:
    (kind,) = (choice for choice in choices if choice is not types.NoneType)
    read = reader_of(kind)
    return lambda value: None if value is None else read(value)


def _sequence(build: type, arguments: tuple[object, ...]) -> Reader:
    if build is tuple and arguments[-1] is not Ellipsis:
        readers = tuple(reader_of(argument) for argument in arguments)
        return lambda value: tuple(
            read(one) for read, one in zip(readers, _exactly(list, value), strict=True)
        )
    read = reader_of(arguments[0])
    return lambda value: build(read(one) for one in _exactly(list, value))


def _mapping(kind: object) -> Reader:
    read = reader_of(kind)
    return lambda value: {key: read(one) for key, one in _exactly(dict, value).items()}


def _record(kind: type) -> Reader:
    names = _stored(kind)
    readers: dict[str, Reader] = {}

    def read(value: object) -> object:
        if not readers:
            hints = get_type_hints(kind)
            readers.update({name: reader_of(hints[name]) for name in names})
        given = _exactly(dict, value)
        return kind(**{name: readers[name](given[name]) for name in names if name in given})

    return read


def _exactly(kind: type[T], value: object) -> T:
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ValueError(f"{kind.__name__} expected, not {type(value).__name__}")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"number expected, not {type(value).__name__}")
    return value
