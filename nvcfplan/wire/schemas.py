"""What the models look like as JSON Schema, for the published document: one name, one schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

from pydantic.json_schema import models_json_schema

from nvcfplan.wire.protocol import SENT_AS_NULL, Answer, AnswerModel, Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Schema = dict[str, object]

_Mode = Literal["validation", "serialization"]


def schemas_of(kinds: Iterable[AnswerModel], *, refs: str) -> dict[str, Schema]:
    """Of the models and all that they are made of, by name. `refs`: where they will stand.

    What an answer may be without is absent in it, never null. Source: nvcf-api.md 1.3.
    """
    asked: list[tuple[AnswerModel, _Mode]] = [
        (kind, "validation" if issubclass(kind, Request) else "serialization")
        for kind in sorted(set(kinds), key=lambda kind: kind.__name__)
    ]
    _, found = models_json_schema(asked, by_alias=True, ref_template=f"{refs}{{model}}")
    answers = {kind.__name__ for kind in _subclasses(Answer)}
    return {
        name: _bare(schema, is_answer=name in answers)
        for name, schema in sorted(cast("dict[str, Schema]", found["$defs"]).items())
    }


def reference(kind: AnswerModel, *, refs: str) -> Schema:
    return {"$ref": f"{refs}{kind.__name__}"}


def _subclasses(kind: type) -> set[type]:
    direct: set[type] = set(kind.__subclasses__())
    return direct.union(*map(_subclasses, direct))


def _bare(schema: Schema, *, is_answer: bool) -> Schema:
    """Without the titles and defaults that pydantic derives from our own names."""
    properties = cast("Mapping[str, Schema]", schema.get("properties", {}))
    kept = {key: value for key, value in schema.items() if key != "title"}
    if properties:
        kept["properties"] = {
            name: _property(one, is_answer=is_answer) for name, one in properties.items()
        }
    return kept


def _property(schema: Schema, *, is_answer: bool) -> Schema:
    marks = {"title", "default", *SENT_AS_NULL}
    kept = {key: value for key, value in schema.items() if key not in marks}
    if not is_answer or SENT_AS_NULL.keys() & schema.keys():
        return kept
    choices = [one for one in cast("list[Schema]", kept.pop("anyOf", [])) if one != _NULL]
    if len(choices) == 1:
        return {**choices[0], **kept}
    return {**kept, "anyOf": choices} if choices else kept


_NULL: Schema = {"type": "null"}
