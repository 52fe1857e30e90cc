"""Changes in Terraform's shape, so that policies and tools written for it read our plans.

`before` and `after` show what the stack states, under the names of the stack file; they are drawn
from the attributes and from `desired`, and are never read back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from nvcfplan.documents.records import record_of
from nvcfplan.documents.shapes import ShapeError
from nvcfplan.model import (
    DesiredFunction,
    FunctionConfig,
    FunctionId,
    GpuSpecification,
    Json,
    function_key,
    parse_json,
    user_tags,
)
from nvcfplan.plans import Action, AttributeChange, Change, Plan

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ACTIONS: Final[Mapping[Action, str]] = {
    Action.CREATE: "create",
    Action.UPDATE: "update",
    Action.DELETE: "delete",
    Action.IMPORT: "update",
    Action.FORGET: "forget",
    Action.NO_OP: "no-op",
}
"""Terraform's word; an import is told by `importing`."""
_OPEN_MAPS: Final = frozenset({"containerEnvironment", "models", "resources", "secrets"})
"""Below these stands one key of the user's, which may have dots in it."""

Nested = dict[str, object]


def encode_changes(plan: Plan) -> list[dict[str, object]]:
    """`resource_changes`."""
    wanted = {function.address: function for function in plan.desired.functions}
    return [_encode_change(change, plan, wanted.get(change.address)) for change in plan.changes]


def _encode_change(change: Change, plan: Plan, wanted: DesiredFunction | None) -> dict[str, object]:
    return {
        "address": change.address,
        "type": "function",
        "name": function_key(change.address),
        "change": _change(change, plan, wanted),
        "carried_out_by": [means.value for means in change.means],
        "reason": change.reason,
        "attributes": [record_of(AttributeChange).encode(one) for one in change.attributes],
    }


def plain_change(raw: object) -> dict[str, object]:
    """An entry without what is derived: as a `Change` is written. Raises: ShapeError."""
    if not isinstance(raw, dict) or not isinstance(raw.get("change"), dict):
        raise ShapeError("a change in Terraform's shape", "resource_changes")
    if not isinstance(raw.get("address"), str) or "." not in raw["address"]:
        raise ShapeError("the address of a function", "resource_changes")
    return {
        "address": raw["address"],
        "action": _action(raw["change"]),
        "means": raw.get("carried_out_by"),
        "reason": raw.get("reason"),
        "attributes": raw.get("attributes"),
    }


def change_schema(definitions: dict[str, object]) -> dict[str, object]:
    fields = record_of(Change).properties(definitions)
    nested: dict[str, object] = {"type": ["object", "null"]}
    marks: dict[str, object] = {"type": "object"}
    importing = {
        "type": ["object", "null"],
        "properties": {"id": {"type": "string"}},
        "required": ["id"],
    }
    change = {
        "actions": {"type": "array", "items": {"enum": sorted(set(_ACTIONS.values()))}},
        "importing": importing,
        "before": nested,
        "after": nested,
        "after_unknown": marks,
        "before_sensitive": marks,
        "after_sensitive": marks,
    }
    return {
        "address": fields["address"],
        "type": {"const": "function"},
        "name": {"type": "string"},
        "change": {
            "type": "object",
            "properties": change,
            "required": sorted(change),
            "additionalProperties": False,
        },
        "carried_out_by": fields["means"],
        "reason": fields["reason"],
        "attributes": fields["attributes"],
    }


def _action(change: Mapping[str, object]) -> object:
    if change.get("importing") is not None:
        return Action.IMPORT.value
    actions = change.get("actions")
    if not isinstance(actions, list) or len(actions) != 1:
        raise ShapeError("one action", "change.actions")
    return actions[0]


def _change(change: Change, plan: Plan, wanted: DesiredFunction | None) -> dict[str, object]:
    is_gone = change.action in (Action.DELETE, Action.FORGET)
    stated = {} if is_gone or wanted is None else stated_function(wanted)
    attributes = change.attributes
    after = None if is_gone else _overlaid(stated, [(one.path, one.after) for one in attributes])
    before = _overlaid(stated, [(one.path, one.before) for one in attributes])
    sensitive = [one for one in attributes if one.is_sensitive]
    return {
        "actions": [_ACTIONS[change.action]],
        "importing": _importing(change, plan),
        "before": None if change.action is Action.CREATE else before,
        "after": after,
        "after_unknown": _marks([one for one in attributes if one.is_unknown]),
        "before_sensitive": _marks([one for one in sensitive if one.before is not None]),
        "after_sensitive": _marks([one for one in sensitive if one.after is not None]),
    }


def _importing(change: Change, plan: Plan) -> dict[str, object] | None:
    if change.action is not Action.IMPORT:
        return None
    ids = (one.function_id for one in plan.bindings if one.version.address == change.address)
    return {"id": next(ids, FunctionId(""))}


def stated_function(function: DesiredFunction) -> Nested:
    """What the stack states of a function, in its own words; secrets by name of their source."""
    made = _stated_config(function.config)
    if function.authorized_parties:
        made["authorizedParties"] = list(function.authorized_parties)
    if function.secrets:
        made["secrets"] = {
            one.name: {"origin": one.origin.value, "locator": one.locator}
            for one in function.secrets
        }
    if function.specifications:
        specifications = {
            one.key: _stated_specification(one.specification) for one in function.specifications
        }
        made["deployment"] = {"specifications": specifications}
    return made


def _stated_config(config: FunctionConfig) -> Nested:
    made = _without_absent(record_of(FunctionConfig).encode(config))
    tags = user_tags(config.tags)
    made.pop("tags", None)
    if tags:
        made["tags"] = list(tags)
    if config.container_environment:
        made["containerEnvironment"] = {
            one.key: one.value if isinstance(one.value, str) else "(sensitive value)"
            for one in config.container_environment
        }
    for name, artifacts in (("models", config.models), ("resources", config.resources)):
        if artifacts:
            made[name] = {one.name: {"uri": one.uri, "version": one.version} for one in artifacts}
    return made


def _stated_specification(specification: GpuSpecification) -> Nested:
    made = _without_absent(record_of(GpuSpecification).encode(specification))
    del made["key"]
    for name, text in (
        ("configuration", specification.configuration),
        ("autoscalingConfiguration", specification.autoscaling_configuration),
    ):
        if text is not None:
            made[name] = parse_json(text)
    return made


def _without_absent(value: Mapping[str, object]) -> Nested:
    return {
        name: _without_absent(one) if isinstance(one, dict) else one
        for name, one in value.items()
        if one is not None and one != []
    }


def _overlaid(stated: Nested, values: Sequence[tuple[str, Json | None]]) -> Nested:
    """A copy of `stated` with JSON texts put in (None: taken out) at their paths."""
    made = _copy(stated)
    for path, text in values:
        *parents, last = path_parts(path)
        place: Nested | None = made
        for part in parents:
            place = None if place is None else _inner(place, part, is_made=text is not None)
        if place is not None and text is None:
            place.pop(last, None)
        elif place is not None and text is not None:
            place[last] = parse_json(text)
    return made


def _inner(place: Nested, part: str, *, is_made: bool) -> Nested | None:
    inner = place.get(part)
    if isinstance(inner, dict):
        return inner
    if not is_made:
        return None
    made: Nested = {}
    place[part] = made
    return made


def _marks(attributes: Sequence[AttributeChange]) -> Nested:
    return _overlaid({}, [(one.path, Json("true")) for one in attributes])


def _copy(value: Nested) -> Nested:
    return {name: _copy(one) if isinstance(one, dict) else one for name, one in value.items()}


def path_parts(path: str) -> tuple[str, ...]:
    """`containerEnvironment.a.b` names the variable `a.b`; elsewhere each dot goes deeper.

    A change of `deployment` itself is one of its status.
    """
    if path == "deployment":
        return ("status",)
    head, _, rest = path.partition(".")
    return (head, rest) if head in _OPEN_MAPS and rest else tuple(path.split("."))
