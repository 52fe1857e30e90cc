"""The plan document: `{format_version, plan, provenance}`. Digest and byte equality cover `plan`.

What is derived in it is computed again when it is read: a document that says otherwise, or whose
digest does not match, is refused as altered.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from nvcfplan.documents.laws import broken_law
from nvcfplan.documents.plan_body import body_schema, decode_body, encode_body
from nvcfplan.documents.reading import (
    Unreadable,
    canonical_bytes,
    first_difference,
    parse_object,
)
from nvcfplan.documents.records import record_of
from nvcfplan.documents.shapes import Definitions, ShapeError, object_schema
from nvcfplan.errors import DocumentError
from nvcfplan.model import Digest, canonical_json, digest_of
from nvcfplan.plans import Infeasible, Plan, Provenance

FORMAT_VERSION: Final = "1.0"
_AGAIN: Final = "make the plan again, with `nvcfplan plan -out FILE`"


def encode_plan(plan: Plan | Infeasible) -> bytes:
    """Raises: TypeError when a secret value is in it, which is a bug of the caller."""
    made = plan.plan if isinstance(plan, Infeasible) else plan
    body = encode_body(plan)
    return canonical_bytes(
        {
            "format_version": FORMAT_VERSION,
            "plan": body | {"digest": _digest(body)},
            "provenance": record_of(Provenance).encode(made.provenance),
        }
    )


def plan_digest(plan: Plan | Infeasible) -> Digest:
    """Of all but the provenance: equal for equal inputs and readings, whenever they were read."""
    return _digest(encode_body(plan))


def decode_plan(data: bytes) -> Plan:
    """A plan that can be carried out. Raises: DocumentError."""
    found = decode_document(data)
    if isinstance(found, Infeasible):
        raise DocumentError(
            "this plan cannot be applied: no order of its steps fits",
            detail="it was saved for review only (`feasible: false`)",
            remedy="look at what is missing with `nvcfplan show FILE`, then plan again",
        )
    return found


def decode_document(data: bytes) -> Plan | Infeasible:
    """A plan document as it was written. Raises: DocumentError."""
    examined = examine_document(data)
    for altered in examined.altered:
        raise DocumentError(
            "the plan was altered after it was made",
            detail=altered,
            remedy=f"never edit a saved plan: {_AGAIN}",
        )
    return examined.found


@dataclass(frozen=True, slots=True)
class Examined:
    """`altered`: what is not as it was written, in words; empty: nothing was altered."""

    found: Plan | Infeasible
    altered: tuple[str, ...]


def examine_document(data: bytes) -> Examined:
    """Reads an altered plan too, as long as it is one. Raises: DocumentError."""
    body, provenance, is_genuine = _open(data)
    altered = [] if is_genuine else ["its digest does not match its contents"]
    try:
        made = decode_body(body, provenance)
    except ShapeError as error:
        raise _refused(f"it does not read at `{error.path}`: expected {error.expected}") from error
    broken = broken_law(made.plan if isinstance(made, Infeasible) else made)
    if broken is not None:
        raise _refused(broken)
    again = encode_body(made)
    if _digest(again) != _digest(body):
        place = first_difference(again, body) or ""
        altered.append(f"{_named(place, body)} is not what the rest of the plan gives")
    return Examined(made, tuple(altered))


def _named(place: str, body: dict[str, object]) -> str:
    """`steps[3].reversible` (deploy:function.chat@new), as far as what stands there has a name."""
    found = re.match(r"(\w+)\[(\d+)\]", place)
    listed = body.get(found[1]) if found else None
    if found is None or not isinstance(listed, list):
        return f"`{place}`"
    entry = listed[int(found[2])]
    names = [entry.get(name) for name in ("id", "address")] if isinstance(entry, dict) else []
    known = next((one for one in names if isinstance(one, str)), None)
    return f"`{place}`" if known is None else f"`{place}` ({known})"


def plan_json_schema() -> dict[str, object]:
    """Draft-07, as published in `schemas/plan.schema.json`."""
    definitions: Definitions = {}
    document = object_schema(
        {
            "format_version": {"const": FORMAT_VERSION},
            "plan": body_schema(definitions),
            "provenance": record_of(Provenance).schema(definitions),
        }
    )
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "nvcfplan plan document",
        "description": "What `nvcfplan plan -out FILE` and `plan -json` write. `plan.digest` "
        "covers `plan` without itself; `provenance` holds times and is covered by nothing.",
        **document,
        "definitions": dict(sorted(definitions.items())),
    }


def _digest(body: dict[str, object]) -> Digest:
    return digest_of(canonical_json(body))


def _open(data: bytes) -> tuple[dict[str, object], object, bool]:
    """The `plan` part without its digest, the provenance, and whether that digest is right."""
    try:
        document = parse_object(data)
    except Unreadable as error:
        raise _refused(str(error)) from error
    _check_version(document.get("format_version"))
    body = document.get("plan")
    if not isinstance(body, dict) or document.keys() != {"format_version", "plan", "provenance"}:
        raise _refused("it is not `{format_version, plan, provenance}`")
    digest = body.pop("digest", None)
    return body, document["provenance"], digest == _digest(body)


def _check_version(version: object) -> None:
    parts = version.split(".") if isinstance(version, str) else []
    if len(parts) != 2 or not all(part.isdecimal() and len(part) < 5 for part in parts):
        raise _refused("it has no `format_version`")
    if tuple(map(int, parts)) > tuple(map(int, FORMAT_VERSION.split("."))):
        raise DocumentError(
            f"the plan is of format {version}; this nvcfplan reads up to {FORMAT_VERSION}",
            detail="it was made by a newer nvcfplan",
            remedy=f"apply it with the version that made it, or {_AGAIN}",
        )
    if version != FORMAT_VERSION:
        raise _refused(f"there is no format {version}")


def _refused(why: str) -> DocumentError:
    return DocumentError("this is not a plan that nvcfplan can read", detail=why, remedy=_AGAIN)
