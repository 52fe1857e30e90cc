"""Values <-> JSON values, strictly: one form for each value, nothing left over.

Every shape can encode, decode and state its JSON Schema; which shape a type has is decided in
`records.py`. Nothing here knows what a document is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

Definitions = dict[str, object]


class ShapeError(ValueError):
    """`path` into the document, `expected` in words. What was found is never repeated."""

    def __init__(self, expected: str, path: str = "") -> None:
        super().__init__(f"{path or 'the document'}: expected {expected}")
        self.expected = expected
        self.path = path

    def within(self, place: str) -> ShapeError:
        """The same fault, seen from one level further out."""
        is_flush = not self.path or self.path.startswith("[")
        return ShapeError(self.expected, place + ("" if is_flush else ".") + self.path)


class Shape(Protocol):
    def encode(self, value: object) -> object:
        """Raises: TypeError for what must not or cannot be written: a bug of the caller."""
        ...

    def decode(self, raw: object) -> object:
        """Raises: ShapeError."""
        ...

    def schema(self, definitions: Definitions) -> dict[str, object]:
        """Draft-07; named shapes are put into `definitions` and referred to."""
        ...


@dataclass(frozen=True, slots=True)
class Plain:
    """Text, whole numbers, true and false as JSON writes them. `kind` is exact: true is not 1."""

    kind: type
    word: str

    def encode(self, value: object) -> object:
        if type(value) is self.kind:
            return value
        if self.kind is str and isinstance(value, StrEnum):
            return value.value
        raise TypeError(f"a document holds {self.word} here, not {type(value).__name__}")

    def decode(self, raw: object) -> object:
        if type(raw) is not self.kind:
            raise ShapeError(f"{self.word}")
        return raw

    def schema(self, definitions: Definitions) -> dict[str, object]:
        del definitions
        return {"type": self.word}


@dataclass(frozen=True, slots=True)
class Number:
    """Always written with a fraction, so that equal values are equal bytes."""

    def encode(self, value: object) -> object:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise TypeError(f"a document holds a number here, not {type(value).__name__}")
        return float(value)

    def decode(self, raw: object) -> object:
        if type(raw) is not float:
            raise ShapeError("a number with a fraction")
        return raw

    def schema(self, definitions: Definitions) -> dict[str, object]:
        del definitions
        return {"type": "number"}


@dataclass(frozen=True, slots=True)
class Text:
    """A value written as text; only the text that `write` would give is read."""

    kind: type
    expected: str
    write: Callable[[object], str]
    parse: Callable[[str], object]
    form: str | None = None

    def encode(self, value: object) -> object:
        if not isinstance(value, self.kind):
            raise TypeError(f"a document holds {self.expected} here, not {type(value).__name__}")
        return self.write(value)

    def decode(self, raw: object) -> object:
        if not isinstance(raw, str):
            raise ShapeError(self.expected)
        try:
            value = self.parse(raw)
            is_canonical = self.write(value) == raw
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            raise ShapeError(self.expected) from error
        if not is_canonical:
            raise ShapeError(self.expected)
        return value

    def schema(self, definitions: Definitions) -> dict[str, object]:
        del definitions
        described: dict[str, object] = {"type": "string", "description": self.expected}
        return described if self.form is None else described | {"format": self.form}


@dataclass(frozen=True, slots=True)
class Word:
    kind: type[StrEnum]

    def encode(self, value: object) -> object:
        if not isinstance(value, self.kind):
            raise TypeError(f"a document holds a word of {self.kind.__name__} here")
        return value.value

    def decode(self, raw: object) -> object:
        try:
            return self.kind(raw) if isinstance(raw, str) else self._refuse()
        except ValueError:
            return self._refuse()

    def schema(self, definitions: Definitions) -> dict[str, object]:
        words = [word.value for word in self.kind]
        definitions[self.kind.__name__] = {"type": "string", "enum": words}
        return _reference(self.kind.__name__)

    def _refuse(self) -> object:
        raise ShapeError(f"one of {', '.join(self.kind)}")


@dataclass(frozen=True, slots=True)
class Many:
    element: Shape

    def encode(self, value: object) -> object:
        if not isinstance(value, tuple):
            raise TypeError(f"a document holds a tuple here, not {type(value).__name__}")
        encode = self.element.encode
        return [encode(one) for one in value]

    def decode(self, raw: object) -> object:
        if not isinstance(raw, list):
            raise ShapeError("a list")
        decode, values = self.element.decode, []
        try:
            for one in raw:
                values.append(decode(one))
        except ShapeError as error:
            raise error.within(f"[{len(values)}]") from error.__cause__
        return tuple(values)

    def schema(self, definitions: Definitions) -> dict[str, object]:
        return {"type": "array", "items": self.element.schema(definitions)}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A tuple of so many values, each of its own shape: a JSON list of that length."""

    elements: tuple[Shape, ...]

    def encode(self, value: object) -> object:
        if not isinstance(value, tuple) or len(value) != len(self.elements):
            raise TypeError(f"a document holds {len(self.elements)} values here")
        return [shape.encode(one) for shape, one in zip(self.elements, value, strict=True)]

    def decode(self, raw: object) -> object:
        if not isinstance(raw, list) or len(raw) != len(self.elements):
            raise ShapeError(f"a list of {len(self.elements)}")
        pairs = zip(self.elements, raw, strict=True)
        return tuple(shape.decode(one) for shape, one in pairs)

    def schema(self, definitions: Definitions) -> dict[str, object]:
        return {
            "type": "array",
            "items": [shape.schema(definitions) for shape in self.elements],
            "minItems": len(self.elements),
            "maxItems": len(self.elements),
        }


@dataclass(frozen=True, slots=True)
class Nullable:
    inner: Shape

    def encode(self, value: object) -> object:
        return None if value is None else self.inner.encode(value)

    def decode(self, raw: object) -> object:
        return None if raw is None else self.inner.decode(raw)

    def schema(self, definitions: Definitions) -> dict[str, object]:
        return {"anyOf": [self.inner.schema(definitions), {"type": "null"}]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """`attribute` in Python, `name` in the document. Only what has a default may be absent."""

    attribute: str
    name: str
    shape: Shape
    is_optional: bool


@dataclass(frozen=True, slots=True)
class Record:
    """A frozen dataclass: an object with exactly its fields."""

    kind: type
    members: tuple[Field, ...]
    build: Callable[..., object]

    def encode(self, value: object) -> dict[str, object]:
        if type(value) is not self.kind:
            raise TypeError(
                f"a document holds {self.kind.__name__} here, not {type(value).__name__}"
            )
        return {one.name: one.shape.encode(getattr(value, one.attribute)) for one in self.members}

    def decode(self, raw: object) -> object:
        if not isinstance(raw, dict):
            raise ShapeError("an object")
        given: dict[str, object] = {}
        for one in self.members:
            if one.name in raw:
                given[one.attribute] = self._member(one, raw[one.name])
            elif not one.is_optional:
                raise ShapeError(f"the field {one.name!r}")
        if len(given) < len(raw):
            unknown = raw.keys() - {one.name for one in self.members}
            raise ShapeError(f"no field {min(unknown)!r}")
        return self.build(**given)

    def schema(self, definitions: Definitions) -> dict[str, object]:
        name = self.kind.__name__
        if name not in definitions:
            definitions[name] = object_schema(self.properties(definitions))
        return _reference(name)

    def properties(self, definitions: Definitions) -> dict[str, object]:
        return {one.name: one.shape.schema(definitions) for one in self.members}

    @staticmethod
    def _member(member: Field, raw: object) -> object:
        try:
            return member.shape.decode(raw)
        except ShapeError as error:
            raise error.within(member.name) from error.__cause__


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several records, told apart by `type`; plain text may be among them."""

    tags: Mapping[type, str]
    records: Mapping[str, Record]
    text: Shape | None

    def encode(self, value: object) -> object:
        tag = self.tags.get(type(value))
        if tag is not None:
            return {"type": tag, **self.records[tag].encode(value)}
        if self.text is None or not isinstance(value, str):
            raise TypeError(f"a document cannot hold {type(value).__name__} here")
        return self.text.encode(value)

    def decode(self, raw: object) -> object:
        if self.text is not None and isinstance(raw, str):
            return self.text.decode(raw)
        tag = raw.get("type") if isinstance(raw, dict) else None
        if not isinstance(raw, dict) or not isinstance(tag, str) or tag not in self.records:
            raise ShapeError(f"an object with a type of {', '.join(self.records)}")
        rest = {name: one for name, one in raw.items() if name != "type"}
        return self.records[tag].decode(rest)

    def schema(self, definitions: Definitions) -> dict[str, object]:
        texts = [] if self.text is None else [self.text.schema(definitions)]
        return {"anyOf": [*texts, *(self._tagged(tag, definitions) for tag in self.records)]}

    def _tagged(self, tag: str, definitions: Definitions) -> dict[str, object]:
        record = self.records[tag]
        name = f"Tagged{record.kind.__name__}"
        if name not in definitions:
            properties = {"type": {"const": tag}, **record.properties(definitions)}
            definitions[name] = object_schema(properties)
        return _reference(name)


def object_schema(properties: dict[str, object]) -> dict[str, object]:
    """An object with exactly these properties."""
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _reference(name: str) -> dict[str, object]:
    return {"$ref": f"#/definitions/{name}"}
