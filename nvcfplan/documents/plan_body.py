"""A plan <-> the `plan` part of its document.

What can be computed from the rest (peaks, downtime, exposure, before and after) is written for
readers; it is left out when read, and whoever reads compares with what would be written.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, cast

from nvcfplan.diagnostics import has_errors
from nvcfplan.documents.records import record_of, shape_of
from nvcfplan.documents.resource_changes import change_schema, encode_changes, plain_change
from nvcfplan.documents.shapes import Definitions, ShapeError, object_schema
from nvcfplan.model import StepId
from nvcfplan.plans import (
    Action,
    Charge,
    Infeasible,
    Plan,
    Resource,
    Shortage,
    Step,
    expected_ends,
)
from nvcfplan.reports import (
    CapacityRow,
    Exposure,
    Fit,
    Interruption,
    TrafficShift,
    Undoing,
    capacity_rows,
    critical_path,
    find_exposures,
    find_interruptions,
    find_retaken,
    find_traffic,
    undoing_of,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

_NAMES: Final[Mapping[str, str]] = {
    "account": "account",
    "stack": "stack",
    "desired": "desired",
    "bindings": "bindings",
    "funding": "funding",
    "placements": "placements",
    "point_of_no_return": "point_of_no_return",
    "is_proved_minimal": "proved_minimal",
    "diagnostics": "diagnostics",
    "fingerprint": "fingerprint",
    "demand": "demand",
    "strategies": "strategies",
    "alternatives": "alternatives",
}
"""Field of the plan -> its name in the document, for those that are written as they are."""
_SHORTAGES: Final = shape_of(tuple[Shortage, ...])
_DOWNTIME: Final = shape_of(tuple[Interruption, ...])
_EXPOSURE: Final = shape_of(tuple[Exposure, ...])
_TRAFFIC: Final = shape_of(tuple[TrafficShift, ...])
_CHARGES: Final = shape_of(tuple[Charge, ...])
_CHAIN: Final = shape_of(tuple[StepId, ...])
_OF_ROWS: Final = frozenset({"peak", "peak_step", "after", "verdict"})
_OF_STEPS: Final = frozenset({"reversible", "expected_start_seconds"})


def encode_body(plan: Plan | Infeasible) -> dict[str, object]:
    """All of it but the digest. Raises: TypeError when a secret value is in it: a bug."""
    shortages = plan.shortages if isinstance(plan, Infeasible) else ()
    made = plan.plan if isinstance(plan, Infeasible) else plan
    members = {one.attribute: one.shape for one in record_of(Plan).members}
    direct = {name: members[at].encode(getattr(made, at)) for at, name in _NAMES.items()}
    ends = expected_ends(made.steps)
    return direct | {
        "resource_changes": encode_changes(made),
        "resources": [_encode_row(row) for row in capacity_rows(plan)],
        "steps": [_encode_step(step, ends) for step in made.steps],
        "expected_seconds": max(ends.values(), default=0),
        "critical_path": _CHAIN.encode(critical_path(made.steps)),
        "traffic": _TRAFFIC.encode(find_traffic(made)),
        "retaken": _CHARGES.encode(find_retaken(made)),
        "downtime": _DOWNTIME.encode(find_interruptions(made)),
        "exposure": _EXPOSURE.encode(find_exposures(made)),
        "shortages": _SHORTAGES.encode(shortages),
        "feasible": not isinstance(plan, Infeasible),
        "applyable": is_applyable(plan),
        "complete": is_complete(plan),
        "errored": has_errors(made.diagnostics),
    }


def decode_body(body: Mapping[str, object], provenance: object) -> Plan | Infeasible:
    """Only what is not derived is looked at. Raises: ShapeError."""
    given = {at: body[name] for at, name in _NAMES.items() if name in body}
    plan = record_of(Plan).decode(
        given
        | {
            "changes": [plain_change(one) for one in _list(body, "resource_changes")],
            "resources": [_without(one, _OF_ROWS) for one in _list(body, "resources")],
            "steps": [_without(one, _OF_STEPS) for one in _list(body, "steps")],
            "provenance": provenance,
        }
    )
    assert isinstance(plan, Plan)
    if body.get("feasible") is True:
        return plan
    shortages = _SHORTAGES.decode(_list(body, "shortages"))
    return Infeasible(plan=plan, shortages=cast("tuple[Shortage, ...]", shortages))


def body_schema(definitions: Definitions) -> dict[str, object]:
    members = {one.attribute: one.shape for one in record_of(Plan).members}
    step = record_of(Step).properties(definitions)
    row = record_of(Resource).properties(definitions)
    reversible = {"enum": [word.value for word in Undoing]}
    computed = {
        "peak": {"type": "integer"},
        "peak_step": {"type": ["string", "null"]},
        "after": {"type": "integer"},
        "verdict": {"enum": [fit.value for fit in Fit]},
    }
    flag = {"type": "boolean"}
    return object_schema(
        {name: members[at].schema(definitions) for at, name in _NAMES.items()}
        | {
            "resource_changes": _array(change_schema(definitions)),
            "resources": _array(row | computed),
            "steps": _array(
                step | {"reversible": reversible, "expected_start_seconds": {"type": "integer"}}
            ),
            "expected_seconds": {"type": "integer"},
            "critical_path": _CHAIN.schema(definitions),
            "traffic": _TRAFFIC.schema(definitions),
            "retaken": _CHARGES.schema(definitions),
            "downtime": _DOWNTIME.schema(definitions),
            "exposure": _EXPOSURE.schema(definitions),
            "shortages": _SHORTAGES.schema(definitions),
            "feasible": flag,
            "applyable": flag,
            "complete": flag,
            "errored": flag,
            "digest": {"type": "string", "pattern": "^sha256:[0-9a-f]{64}$"},
        }
    )


def is_applyable(plan: Plan | Infeasible) -> bool:
    """As Terraform means it: there is something to do, and nothing is in the way."""
    if isinstance(plan, Infeasible) or has_errors(plan.diagnostics):
        return False
    return bool(plan.steps) or any(one.action is not Action.NO_OP for one in plan.changes)


def is_complete(plan: Plan | Infeasible) -> bool:
    """Whether the account would be as the stack says, once this is applied."""
    if isinstance(plan, Infeasible) or has_errors(plan.diagnostics):
        return False
    looked_at = {change.address for change in plan.changes}
    return all(function.address in looked_at for function in plan.desired.functions)


def _encode_row(row: CapacityRow) -> dict[str, object]:
    computed = {
        "peak": row.peak,
        "peak_step": row.peak_step,
        "after": row.after,
        "verdict": row.fit.value,
    }
    return record_of(Resource).encode(row.resource) | computed


def _encode_step(step: Step, ends: Mapping[StepId, int]) -> dict[str, object]:
    return {
        **record_of(Step).encode(step),
        "reversible": undoing_of(step).value,
        "expected_start_seconds": ends[step.id] - step.expected_seconds,
    }


def _without(raw: object, derived: Collection[str]) -> object:
    if not isinstance(raw, dict):
        return raw
    return {name: one for name, one in raw.items() if name not in derived}


def _list(body: Mapping[str, object], name: str) -> list[object]:
    found = body.get(name)
    if not isinstance(found, list):
        raise ShapeError("a list", name)
    return found


def _array(properties: dict[str, object]) -> dict[str, object]:
    return {"type": "array", "items": object_schema(properties)}
