"""Plain values against the models; what is wrong comes back as complaints, not as pydantic's text.

pydantic's own messages quote the input, which may be a secret. Source: reliability.md E.
"""

from __future__ import annotations

import re
import types
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Final, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError

from nvcfplan.loading.stackfile.base import MAPPING_KIND, PATTERN_WORDS, TEXT_KIND, Strict
from nvcfplan.loading.stackfile.function import FunctionFile
from nvcfplan.loading.stackfile.reserved import RESERVED
from nvcfplan.loading.stackfile.stack import StackHead
from nvcfplan.located import Path

if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN_KEY: Final = "extra_forbidden"
Model = TypeVar("Model", bound=Strict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """`kind` is pydantic's word. `found` is what stands there: whoever shows it judges whether.

    `allowed`: keys or values that could stand there; `is_reserved`: known, but not acted on yet.
    `is_key`: the key itself is at fault. `limit`: the bound, or the pattern's words.
    """

    path: Path
    kind: str
    found: object
    limit: str = ""
    allowed: tuple[str, ...] = ()
    is_key: bool = False
    is_reserved: bool = False


def validate_head(plain: object) -> tuple[StackHead | None, tuple[Complaint, ...]]:
    return _validate(StackHead, plain)


def validate_function(plain: object) -> tuple[FunctionFile | None, tuple[Complaint, ...]]:
    return _validate(FunctionFile, plain)


def _validate(model: type[Model], plain: object) -> tuple[Model | None, tuple[Complaint, ...]]:
    try:
        return model.model_validate(plain), ()
    except ValidationError as error:
        return None, tuple(
            _complaint(model, one["loc"], one["type"], found=one["input"], facts=one.get("ctx", {}))
            for one in error.errors(include_url=False)
        )


_BOUNDS = ("ge", "le", "gt", "lt", "max_length", "min_length")


def _complaint(
    model: type[Strict], location: Path, kind: str, *, found: object, facts: Mapping[str, object]
) -> Complaint:
    steps = [step for step in location if step not in (TEXT_KIND, MAPPING_KIND)]
    is_key = bool(steps) and steps[-1] == "[key]"
    path = tuple(steps[:-1] if is_key else steps)
    limit = next((str(facts[bound]) for bound in _BOUNDS if bound in facts), "")
    allowed: tuple[str, ...] = ()
    is_reserved = False
    if kind == "string_pattern_mismatch":
        limit = PATTERN_WORDS[str(facts["pattern"])]
    elif kind == "literal_error":
        allowed = tuple(re.findall(r"'([^']*)'", str(facts["expected"])))
    elif kind == UNKNOWN_KEY:
        is_key = True
        owner = _model_at(model, path[:-1])
        allowed = tuple(str(field.alias) for field in owner.model_fields.values()) if owner else ()
        is_reserved = owner is not None and path[-1] in RESERVED.get(owner, ())
    return Complaint(
        path=path,
        kind=kind,
        found=None if kind == "missing" else found,
        limit=limit,
        allowed=allowed,
        is_key=is_key,
        is_reserved=is_reserved,
    )


def _model_at(model: type[Strict], path: Path) -> type[Strict] | None:
    """The model that describes the mapping at `path`; None where it is free-form."""
    found: list[object] = [model]
    for step in path:
        found = [inner for one in found for inner in _below(one, step)]
    return next((one for one in found if isinstance(one, type) and issubclass(one, Strict)), None)


def _below(annotation: object, step: str | int) -> list[object]:
    """What may stand under a key or an index of a value so annotated."""
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        fields = annotation.model_fields.values()
        return [
            inner
            for field in fields
            if field.alias == step
            for inner in _alternatives(field.annotation)
        ]
    return [inner for one in get_args(annotation)[-1:] for inner in _alternatives(one)]


def _alternatives(annotation: object) -> list[object]:
    """Without `Annotated`, and each member of a union by itself."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _alternatives(get_args(annotation)[0])
    if origin is Union or origin is types.UnionType:
        return [inner for one in get_args(annotation) for inner in _alternatives(one)]
    return [annotation]
