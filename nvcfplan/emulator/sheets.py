"""Strict reading of plain YAML or JSON values, field by field, with every fault and its place.

A sheet is one mapping. It remembers which keys were asked for; the others are faults.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

Path = tuple[str | int, ...]

_SECONDS = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)", re.ASCII)
_PER_UNIT = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True, slots=True)
class Fault:
    """`code`: a diagnostic's. `path`: of the value, or of the mapping that lacks one."""

    code: str
    path: Path
    summary: str
    remedy: str


class Sheet:
    """Getters return the default when the key is absent or its value is at fault."""

    def __init__(
        self, content: Mapping[str, object], *, faults: list[Fault], path: Path = ()
    ) -> None:
        self._content = content
        self._asked: dict[str, None] = {}
        self.faults = faults
        self.path = path

    def fault(self, code: str, key: str, summary: str, *, remedy: str) -> None:
        where = (*self.path, key) if key else self.path
        self.faults.append(Fault(code, where, summary, remedy))

    def text(self, key: str, default: str) -> str:
        return self._get(key, str, default)

    def optional_text(self, key: str) -> str | None:
        return self.text(key, "") or None

    def required_text(self, key: str) -> str:
        if self._content.get(key) is None:
            self._missing(key)
        return self.text(key, "")

    def whole(self, key: str, default: int, *, least: int = 0) -> int:
        value = self._get(key, int, default)
        if value < least:
            self._out_of_range(key, f"{value} is below {least}")
            return default
        return value

    def required_whole(self, key: str, *, least: int = 0) -> int:
        if self._content.get(key) is None:
            self._missing(key)
        return self.whole(key, least, least=least)

    def optional_whole(self, key: str, *, least: int = 0) -> int | None:
        absent = self._content.get(key) is None
        value = self.whole(key, least, least=least)
        return None if absent else value

    def number(self, key: str, default: float, *, least: float = 0.0) -> float:
        value = float(self._get(key, (int, float), default))
        if not least <= value < float("inf"):
            self._out_of_range(key, f"{value:g} is below {least:g} or not finite")
            return default
        return value

    def seconds(self, key: str, default: float, *, least: float = 0.0) -> float:
        """A number of seconds, or such as `90s`, `5m`, `2h`, `7d`."""
        value = self._content.get(key)
        found = _SECONDS.fullmatch(value) if isinstance(value, str) else None
        if found is None:
            return self.number(key, default, least=least)
        self._asked[key] = None
        seconds = float(found[1]) * _PER_UNIT[found[2]]
        if seconds < least:
            self._out_of_range(key, f"{value} is below {least:g} s")
            return default
        return seconds

    def optional_seconds(self, key: str) -> float | None:
        absent = self._content.get(key) is None
        value = self.seconds(key, 0.0)
        return None if absent else value

    def flag(self, key: str, *, default: bool) -> bool:
        return self._get(key, bool, default)

    def choice(self, key: str, kind: type[E], default: E) -> E:
        value = self.text(key, default)
        choices = {str(one): one for one in kind}
        if value not in choices:
            self._unknown(key, value, list(choices))
        return choices.get(value, default)

    def texts(self, key: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        if self._content.get(key) is None:
            self._asked[key] = None
            return default
        found: list[str] = []
        for index, one in enumerate(self._get(key, list, [])):
            if isinstance(one, str):
                found.append(one)
            else:
                self._wrong(f"{key}.{index}", "a string", one)
        return tuple(found)

    def entries(self, key: str) -> tuple[str | Sheet, ...]:
        """The strings and mappings of a sequence that may hold both."""
        found: list[str | Sheet] = []
        for index, value in enumerate(self._get(key, list, [])):
            if isinstance(value, str):
                found.append(value)
            elif isinstance(value, Mapping):
                found.append(Sheet(value, faults=self.faults, path=(*self.path, key, index)))
            else:
                self._wrong(f"{key}.{index}", "a string or a mapping", value)
        return tuple(found)

    def wholes(self, key: str, *, least: int = 0) -> tuple[int, ...]:
        """Of a list of whole numbers; empty where there is none."""
        found: list[int] = []
        for one in self._get(key, list, []):
            if isinstance(one, int) and not isinstance(one, bool) and one >= least:
                found.append(one)
            else:
                self._wrong(key, f"a list of whole numbers from {least} on", one)
        return tuple(found)

    def rows(self, key: str) -> tuple[Sheet, ...]:
        """The mappings of a sequence."""
        values = self._get(key, list, [])
        return tuple(
            sheet
            for index, value in enumerate(values)
            if (sheet := self._sheet((*self.path, key, index), value)) is not None
        )

    def named(self, key: str) -> tuple[tuple[str, Sheet], ...]:
        """The mappings of a mapping, by name; a null is an empty one."""
        values = self._get(key, dict, {})
        return tuple(
            (name, sheet)
            for name, value in values.items()
            if (sheet := self._sheet((*self.path, key, name), value or {})) is not None
        )

    def pairs(self, key: str) -> tuple[tuple[str, object], ...]:
        return tuple(self._get(key, dict, {}).items())

    def finish(self) -> None:
        """Reports keys nobody asked for."""
        for key in self._content:
            if key not in self._asked:
                self._unknown(key, key, list(self._asked))

    def _get(self, key: str, kind: type[T] | tuple[type[T], ...], default: T) -> T:
        self._asked[key] = None
        value = self._content.get(key)
        if value is None:
            return default
        is_bool_by_mistake = isinstance(value, bool) and kind is not bool
        if is_bool_by_mistake or not isinstance(value, kind):
            self._wrong(key, _EXPECTED.get(kind, "a number"), value)
            return default
        return value

    def _sheet(self, path: Path, value: object) -> Sheet | None:
        if isinstance(value, Mapping):
            return Sheet(value, faults=self.faults, path=path)
        summary = f"{path[-1]}: a mapping is expected, not {_a(value)}"
        self.faults.append(Fault("world-wrong-type", path, summary, "write keys and values"))
        return None

    def _wrong(self, key: str, expected: str, value: object) -> None:
        summary = f"{key}: {expected} is expected, not {_a(value)}"
        self.fault("world-wrong-type", key, summary, remedy=f"write {expected}")

    def _missing(self, key: str) -> None:
        path = self.path
        where = f"{path[-1]}: " if path else ""
        self.faults.append(
            Fault("world-missing", path, f"{where}`{key}` is missing", f"add `{key}`")
        )

    def _out_of_range(self, key: str, why: str) -> None:
        self.fault("world-out-of-range", key, f"{key}: {why}", remedy="change the number")

    def _unknown(self, key: str, value: str, known: Sequence[str]) -> None:
        near = difflib.get_close_matches(value, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"one of: {', '.join(known)}"
        summary = f"`{value}` is not known here"
        self.fault("world-unknown-word", key, summary, remedy=hint)


_EXPECTED: dict[object, str] = {
    str: "a string",
    int: "a whole number",
    bool: "true or false",
    list: "a list",
    dict: "a mapping",
}


def _a(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true or false"
    return _EXPECTED.get(type(value), "a number")
