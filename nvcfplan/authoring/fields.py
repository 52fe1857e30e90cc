"""A function of a stack file as it would have to be written for what is live to be wanted.

Only what is to be taken over is: the rest stays as the file has it, and so does what says the same
in other words.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from nvcfplan.differences import PLACEMENT_ROWS, SHARING, SPECIFICATION_ROWS
from nvcfplan.model import Json, parse_duration, parse_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nvcfplan.differences import Matching
    from nvcfplan.model import GpuSpecification
    from nvcfplan.plans import AttributeChange

Plain = dict[str, object]
"""What a mapping of the file comes to."""

_ROWS: Final = {**PLACEMENT_ROWS, **SPECIFICATION_ROWS}
_NAMES: Final = {row.path: name for name, row in _ROWS.items()}
_FREE_FORM: Final = frozenset({"configuration", "autoscalingConfiguration"})
_SPECIFICATIONS: Final = "deployment.specifications."


def taken_over(
    plain: Plain, changes: Sequence[AttributeChange], matching: Matching | None
) -> Plain:
    """The function `plain`, with `before` of each of the changes: what is there."""
    found = dict(plain)
    for change in changes:
        field, _, below = change.path.partition(".")
        if field != "deployment":
            found[field] = _field(field, found.get(field), below, change)
    placed = [one for one in changes if one.path.startswith(_SPECIFICATIONS)]
    if placed and matching is not None:
        deployment = _mapping(found["deployment"])
        some = _specifications(_mapping(deployment["specifications"]), placed, matching)
        found["deployment"] = {**deployment, "specifications": some}
    return found


def variable_of(secret: str) -> str:
    """The variable that a secret is written to come from, of which nobody knows another source."""
    return re.sub(r"\W", "_", secret)


def _field(field: str, old: object, below: str, change: AttributeChange) -> object:
    value = _value(change.before)
    match field:
        case "tags" | SHARING.path:
            return _ordered(old, value)
        case "containerEnvironment":
            return _variables(_mapping(old), below, value)
        case "models" | "resources":
            return _artifacts(old, below, value)
        case "health" | "rateLimit" | "telemetries":
            return _parts(_mapping(old), below, value)
        case "secrets":
            known = {key: one for key, one in _mapping(old).items() if key != below}
            return known if value is None else {**known, below: {"fromEnv": variable_of(below)}}
        case _:
            return value


def _variables(old: Plain, name: str, value: object) -> Plain:
    if value is None:
        return {key: one for key, one in old.items() if key != name}
    before = old.get(name)
    return {**old, name: {**before, "value": value} if isinstance(before, dict) else value}


def _artifacts(old: object, name: str, value: object) -> list[object]:
    known = [_mapping(one) for one in (old if isinstance(old, list) else [])]
    if value is None:
        return [one for one in known if one["name"] != name]
    there = _mapping(value)
    if any(one["name"] == name for one in known):
        return [{**one, **there} if one["name"] == name else one for one in known]
    new = {"name": name, "version": there["version"], "uri": there["uri"]}
    return [*known, new]


def _parts(old: Plain, part: str, value: object) -> Plain | None:
    """What it cannot be without takes the rest with it when it goes."""
    if value is not None:
        before = old.get(part)
        new = _ordered(before, value) if isinstance(value, list) else _alike(before, value)
        return {**old, part: new}
    match part:
        case "syncCheck":
            return {**old, part: False} if old.get(part) else old
        case "exemptedNcaIds":
            return {**old, part: []} if old.get(part) else old
        case _:
            rest = {key: one for key, one in old.items() if key != part}
            is_whole = all(key.endswith("TelemetryId") for key in rest) and bool(rest)
            return rest if is_whole else None


def _specifications(old: Plain, changes: Sequence[AttributeChange], matching: Matching) -> Plain:
    """By key; one that somebody added gets a key made of its GPU's name."""
    found = dict(old)
    by_key: dict[str, list[AttributeChange]] = {}
    for change in changes:
        by_key.setdefault(change.path.removeprefix(_SPECIFICATIONS).partition(".")[0], []).append(
            change
        )
    for pair in (*matching.pairs, *matching.moved):
        key = pair.wanted.key
        if key in by_key and key in old:
            prefix = f"{_SPECIFICATIONS}{key}."
            paths = {one.path.removeprefix(prefix).partition(".")[0] for one in by_key[key]}
            values = {one.path.removeprefix(prefix): _value(one.before) for one in by_key[key]}
            live = pair.live.specification
            found[key] = _specification(_mapping(old[key]), sorted(paths), values, live)
    for gone in matching.added:
        if gone.key in by_key:
            del found[gone.key]
    for row in matching.removed:
        if row.specification.key in by_key:
            found[_new_key(row.specification.gpu, found)] = _all_of(row.specification)
    return found


def _specification(
    old: Plain, paths: Iterable[str], values: Plain, live: GpuSpecification
) -> Plain:
    found = dict(old)
    for path in paths:
        value = _stated(live, path) if path in _FREE_FORM else values[path]
        before = found.get(path)
        if isinstance(before, list) or isinstance(value, list):
            found[path] = _ordered(before, value)
        elif path == "autoscalingConfiguration":
            found[path] = _alike(before, value)
        else:
            found[path] = value
    return found


def _all_of(live: GpuSpecification) -> Plain:
    stated = ((row.path, _stated(live, row.path)) for row in _ROWS.values())
    return {path: value for path, value in stated if value not in (None, [])}


def _stated(live: GpuSpecification, path: str) -> object:
    value = getattr(live, _NAMES[path])
    if path in _FREE_FORM:
        return _value(value)
    return list(value) if isinstance(value, tuple) else value


def _new_key(gpu: str, taken: Plain) -> str:
    base = re.sub(r"[^a-z0-9]+", "-", gpu.lower()).strip("-")
    base = base if base[:1].isalpha() else f"gpu-{base}".rstrip("-")
    number, key = 1, base[:36]
    while key in taken:
        number += 1
        key = f"{base[:36]}-{number}"
    return key


def _ordered(old: object, new: object) -> list[object]:
    """What both have stays in its place."""
    before, after = (one if isinstance(one, list) else [] for one in (old, new))
    return [*(one for one in before if one in after), *(one for one in after if one not in before)]


def _alike(old: object, new: object) -> object:
    """`90s` stays where `PT1M30S` is meant."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {
            **{key: _alike(one, new[key]) for key, one in old.items() if key in new},
            **{key: one for key, one in new.items() if key not in old},
        }
    if isinstance(old, str) and isinstance(new, str):
        length = parse_duration(old)
        return old if length is not None and length == parse_duration(new) else new
    return new


def _mapping(value: object) -> Plain:
    return dict(value) if isinstance(value, dict) else {}


def _value(text: Json | None) -> object:
    return None if text is None else parse_json(text)
