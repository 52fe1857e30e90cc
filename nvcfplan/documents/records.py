"""Which shape a type has in documents: frozen dataclasses by their annotations.

Unions carry the tag `type`; values that mirror the API keep its camelCase names. A `Secret` has no
shape: meeting one is a bug, and a TypeError.
"""

from __future__ import annotations

import base64
import re
import types
from dataclasses import MISSING, fields, is_dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache
from typing import TYPE_CHECKING, Final, NewType, Union, get_args, get_origin, get_type_hints

from nvcfplan.documents.shapes import (
    Choice,
    Field,
    Fixed,
    Many,
    Nullable,
    Number,
    Plain,
    Record,
    Shape,
    Text,
    Word,
)
from nvcfplan.model import (
    Artifact,
    FunctionConfig,
    GpuSpecification,
    Health,
    Json,
    Metadata,
    RateLimit,
    Secret,
    Telemetries,
    canonical_json,
    iso_duration,
    parse_duration,
    parse_json,
)
from nvcfplan.plans import VERBS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMED_AS_THE_API: Final = frozenset(
    {Artifact, FunctionConfig, GpuSpecification, Health, Metadata, RateLimit, Telemetries}
)
_HOLD_FIELD_NAMES: Final = frozenset({"managed"})
"""Fields whose values are names of fields: written as those are."""


@cache
def shape_of(hint: object) -> Shape:
    """Raises: TypeError for a type that no document may hold."""
    if isinstance(hint, NewType):
        return _JSON_TEXT if hint is Json else shape_of(hint.__supertype__)
    if get_origin(hint) is tuple:
        return _tuple_shape(get_args(hint))
    if isinstance(hint, types.UnionType) or get_origin(hint) is Union:
        return _union_shape(get_args(hint))
    if isinstance(hint, type):
        return _class_shape(hint)
    raise TypeError(f"no document may hold {hint!r}")


@cache
def record_of(kind: type) -> Record:
    """The shape of a frozen dataclass. Raises: TypeError for a field that cannot be written."""
    hints = get_type_hints(kind)
    is_named_as_the_api = kind in _NAMED_AS_THE_API
    members = tuple(
        Field(
            attribute=one.name,
            name=_camel(one.name) if is_named_as_the_api else one.name,
            shape=_FIELD_NAMES if one.name in _HOLD_FIELD_NAMES else shape_of(hints[one.name]),
            is_optional=one.default is not MISSING or one.default_factory is not MISSING,
        )
        for one in fields(kind)
    )
    return Record(kind, members, kind)


def choice_of(union: object) -> Choice:
    """The shape of a union of dataclasses, such as `Task`."""
    shape = shape_of(union)
    assert isinstance(shape, Choice)
    return shape


def _tag(kind: type) -> str:
    """The word under `type`: a task's verb, else the class in kebab case."""
    verbs: Mapping[type, str] = VERBS
    return verbs.get(kind) or re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind.__name__).lower()


def _tuple_shape(arguments: tuple[object, ...]) -> Shape:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return Many(shape_of(arguments[0]))
    return Fixed(tuple(shape_of(one) for one in arguments))


def _union_shape(arguments: tuple[object, ...]) -> Shape:
    members = [one for one in arguments if one is not type(None) and one is not Secret]
    shape = shape_of(members[0]) if len(members) == 1 else _choice(members)
    return Nullable(shape) if type(None) in arguments else shape


def _choice(members: Sequence[object]) -> Choice:
    kinds = [one for one in members if isinstance(one, type) and is_dataclass(one)]
    others = [one for one in members if one not in kinds]
    if any(one is not str for one in others):
        raise TypeError(f"no document can tell {members} apart")
    tags = {kind: _tag(kind) for kind in kinds}
    records = {tag: record_of(kind) for kind, tag in tags.items()}
    return Choice(tags, records, _TEXT if others else None)


def _class_shape(kind: type) -> Shape:
    if issubclass(kind, StrEnum):
        return Word(kind)
    if is_dataclass(kind):
        return record_of(kind)
    if kind in _SCALARS:
        return _SCALARS[kind]
    raise TypeError(f"no document may hold {kind.__name__}")


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)


def _write_time(value: object) -> str:
    """Always UTC, ending in Z. Raises: TypeError for a time without a zone."""
    assert isinstance(value, datetime)
    if value.tzinfo is None:
        raise TypeError("a document holds times with a zone only")
    return value.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"


def _write_duration(value: object) -> str:
    """The API's form, or plain seconds where that would lose digits."""
    assert isinstance(value, timedelta)
    text = iso_duration(value)
    return text if parse_duration(text) == value else f"PT{value / timedelta(seconds=1):.6f}S"


def _parse_duration(text: str) -> timedelta:
    found = parse_duration(text)
    if found is None:
        raise ValueError("not a duration")
    return found


def _write_bytes(value: object) -> str:
    assert isinstance(value, bytes)
    return base64.b64encode(value).decode("ascii")


def _parse_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _write_json(value: object) -> str:
    assert isinstance(value, str)
    return value


def _parse_canonical(text: str) -> str:
    return canonical_json(parse_json(Json(text)))


def _write_field_name(value: object) -> str:
    assert isinstance(value, str)
    return _camel(value)


_TEXT: Final = Plain(str, "string")
_JSON_TEXT: Final = Text(str, "canonical JSON, as text", _write_json, _parse_canonical)
_FIELD_NAMES: Final = Many(Text(str, "the name of a field", _write_field_name, _snake))
_SCALARS: Final[Mapping[type, Shape]] = {
    str: _TEXT,
    int: Plain(int, "integer"),
    bool: Plain(bool, "boolean"),
    float: Number(),
    bytes: Text(bytes, "base64", _write_bytes, _parse_bytes),
    datetime: Text(datetime, "a time in UTC", _write_time, datetime.fromisoformat, "date-time"),
    timedelta: Text(timedelta, "an ISO 8601 duration", _write_duration, _parse_duration),
}
