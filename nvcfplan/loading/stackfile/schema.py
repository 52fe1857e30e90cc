"""The JSON Schema of a stack file, for editors; readers of draft-07 can use it."""

from __future__ import annotations

from typing import Final, TypeAlias

from nvcfplan.loading.stackfile.stack import StackFile

Schema: TypeAlias = dict[str, object]

_TEMPLATE: Final[Schema] = {"type": "string", "pattern": r"\{\{.*\}\}"}
_UNCONSTRAINED: Final[Schema] = {"type": "string"}
_FIXED: Final = frozenset({"apiVersion", "functions", "vars"})
"""Properties that a template cannot give."""


def stack_json_schema() -> Schema:
    """Wherever a template can give the value, a text with a template in it is accepted too."""
    found: Schema = StackFile.model_json_schema(ref_template="#/definitions/{model}")
    definitions = found.pop("$defs")
    adapted = _adapted({**found, "definitions": definitions})
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        **adapted,
        "title": "nvcfplan stack",
    }


def _adapted(schema: Schema) -> Schema:
    """Without pydantic's titles and null defaults; draft-07 ignores what stands beside a $ref."""
    kept = {
        key: _adapted_part(key, value)
        for key, value in schema.items()
        if key != "title" and not (key == "default" and value is None)
    }
    if "$ref" in kept and len(kept) > 1:
        kept["allOf"] = [{"$ref": kept.pop("$ref")}]
    if "patternProperties" in kept:
        kept["additionalProperties"] = False
    return kept


def _adapted_part(key: str, value: object) -> object:
    if isinstance(value, dict):
        if key == "definitions":
            return {name: _adapted(one) for name, one in value.items()}
        if key == "properties":
            return {name: _adapted_property(name, one) for name, one in value.items()}
        if key == "patternProperties":
            return {name: _templated(_adapted(one)) for name, one in value.items()}
        return _templated(_adapted(value)) if key == "items" else _adapted(value)
    if isinstance(value, list):
        return [_adapted(one) if isinstance(one, dict) else one for one in value]
    return value


def _adapted_property(name: str, schema: Schema) -> Schema:
    adapted = _adapted(schema)
    return adapted if name in _FIXED else _templated(adapted)


def _templated(schema: Schema) -> Schema:
    outside: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    inside = {key: value for key, value in schema.items() if key not in outside}
    if inside == _UNCONSTRAINED:
        return schema
    if inside.keys() == {"anyOf"} and isinstance(inside["anyOf"], list):
        return {"anyOf": [*inside["anyOf"], _TEMPLATE], **outside}
    return {"anyOf": [inside, _TEMPLATE], **outside}
