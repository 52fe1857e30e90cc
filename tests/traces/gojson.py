"""What Go's `encoding/json` makes of an answer, given the client's structs.

A field that is missing or null keeps its zero value, an unknown one is passed over, and a value of
another type is an error: `"8000"` is no `int`. A slice that was not sent is nil (None here), which
the Terraform provider tells from an empty one.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

Struct = dict[str, str]
"""JSON name of each field -> its Go type: `string`, `int`, `[]Model`, `any`."""

_SCALARS: Mapping[str, tuple[type, object]] = {
    "string": (str, ""),
    "int": (int, 0),
    "bool": (bool, False),
    "float": (float, 0.0),
    "map": (dict, None),
}
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
_STEP = re.compile(r"([^.\[\]]+)|\[([^\]]+)\]")


class Unreadable(AssertionError):
    """The client could not have read this answer."""


def decode(value: object, kind: str, structs: Mapping[str, Struct], at: str = "") -> object:
    """Structs come back as mappings with every field in them. Raises Unreadable."""
    if value is None:
        return _zero(kind, structs)
    if kind == "any":
        return value
    if kind.startswith("[]"):
        _demand(isinstance(value, list), value, kind, at)
        assert isinstance(value, list)
        return [decode(one, kind[2:], structs, f"{at}[{n}]") for n, one in enumerate(value)]
    if kind == "time":
        _demand(isinstance(value, str) and _is_rfc3339(value), value, kind, at)
        return value
    if kind in _SCALARS:
        _demand(_is_scalar(value, _SCALARS[kind][0]), value, kind, at)
        return value
    _demand(isinstance(value, dict), value, kind, at)
    assert isinstance(value, dict)
    sent = {str(name).lower(): one for name, one in value.items()}
    return {
        name: decode(sent.get(name.lower()), type_, structs, f"{at}.{name}")
        for name, type_ in structs[kind].items()
    }


def _zero(kind: str, structs: Mapping[str, Struct]) -> object:
    if kind in _SCALARS:
        return _SCALARS[kind][1]
    if kind == "any" or kind == "time" or kind.startswith("[]"):
        return None
    return {name: _zero(type_, structs) for name, type_ in structs[kind].items()}


def _is_scalar(value: object, type_: type) -> bool:
    if type_ is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, type_) and (type_ is bool or not isinstance(value, bool))


def _is_rfc3339(text: str) -> bool:
    if not _RFC3339.fullmatch(text):
        return False
    datetime.fromisoformat(re.sub(r"\.\d+", "", text))
    return True


def _demand(holds: bool, value: object, kind: str, at: str) -> None:
    if not holds:
        raise Unreadable(f"{at.lstrip('.') or 'answer'}: {value!r} is no Go {kind}")


def find(value: object, path: str) -> object:
    """`deployment.deploymentSpecifications[gpu=H100,instanceType=X.1x].gpuSpecificationId`.

    The one element of a list whose fields are as named. Raises AssertionError for no or several.
    """
    for name, choice in _STEP.findall(path):
        if name:
            assert isinstance(value, dict), f"{path}: {name} is asked of {value!r}"
            assert name in value, f"{path}: no {name} in {sorted(value)}"
            value = value[name]
        else:
            value = _the_one(value, choice, path)
    return value


def _the_one(value: object, choice: str, path: str) -> object:
    assert isinstance(value, list), f"{path}: [{choice}] is asked of {value!r}"
    wanted = dict(part.split("=", 1) for part in choice.split(","))
    found = [one for one in value if all(str(one.get(k)) == v for k, v in wanted.items())]
    assert len(found) == 1, f"{path}: {len(found)} of {len(value)} are [{choice}]: {value}"
    return found[0]
