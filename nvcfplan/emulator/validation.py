"""Bean validation of request bodies: how a body is read, and how its faults are told.

What the bounds are is in `function_bounds` and `deployment_bounds`. Source: nvcf-api.md 1.3, 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from nvcfplan.emulator.refusals import Refusal
from nvcfplan.wire.deployments import DeployRequest, UpdateDeploymentRequest
from nvcfplan.wire.functions import SecretsRequest
from nvcfplan.wire.protocol import Request
from nvcfplan.wire.shapes import BadShape, Misfit, read_as

R = TypeVar("R", bound=Request)

_FREE_FORM = frozenset({"configuration", "value"})
_DEEPEST = 8
"""Deeper than any body of the API goes; what lies below is somebody's free-form JSON."""

MIN_ABOVE_MAX = "Invalid request: 'minInstances' must be lesser than or equal to 'maxInstances'"


@dataclass(frozen=True, slots=True)
class Fault:
    """`rejected` never holds the value of a secret."""

    field: str
    rejected: object
    message: str


Faults = Iterator[Fault]


def parsed(kind: type[R], body: Mapping[str, object]) -> R:
    """Raises Refusal with all faults of shape: `Validation failed: ...`."""
    given = _without_nulls(body, deepest=_DEEPEST)
    assert isinstance(given, dict)
    try:
        return read_as(kind, given)
    except BadShape as error:
        faults = [fault for one in error.misfits for fault in _shape_faults(one)]
    raise refusal_of(kind, faults)


def _without_nulls(value: object, *, deepest: int) -> object:
    """A field that is null is a field that was not sent."""
    if isinstance(value, Mapping) and deepest:
        return {
            key: one if key in _FREE_FORM else _without_nulls(one, deepest=deepest - 1)
            for key, one in value.items()
            if one is not None
        }
    if isinstance(value, list) and deepest:
        return [_without_nulls(one, deepest=deepest - 1) for one in value]
    return value


def _shape_faults(misfit: Misfit) -> Faults:
    rejected = "null" if misfit.is_missing else "***"
    yield Fault(misfit.path, rejected, misfit.message)
    if misfit.is_missing and misfit.path.endswith((".minInstances", ".maxInstances")):
        yield Fault("deploymentSpecifications", "null", MIN_ABOVE_MAX)


def require(kind: type[Request], faults: Iterator[Fault]) -> None:
    """Raises Refusal if there is any fault."""
    found = list(faults)
    if found:
        raise refusal_of(kind, found)


def refusal_of(kind: type[Request], faults: Sequence[Fault]) -> Refusal:
    name = _OBJECTS.get(kind, kind.__name__[:1].lower() + kind.__name__[1:])
    groups = ", ".join(
        f"[object={name}, field={one.field}, rejected=[{one.rejected}], message={one.message}]"
        for one in faults
    )
    return Refusal(400, f"Validation failed: {groups}", is_validation=True)


_OBJECTS: dict[type[Request], str] = {
    SecretsRequest: "updateSecretsRequest",
    DeployRequest: "functionDeploymentRequest",
    UpdateDeploymentRequest: "updateFunctionDeploymentRequest",
}


def canonical(value: str, choices: Sequence[str]) -> str | None:
    """Enums parse in any case. Source: nvcf-api.md 1.3."""
    return next((one for one in choices if one.casefold() == value.casefold()), None)


def choice_faults(name: str, value: str | None, choices: Sequence[str]) -> Faults:
    if value is not None and canonical(value, choices) is None:
        yield Fault(name, value[:100], f"must be one of {', '.join(choices)}")


_DURATION = re.compile(
    r"P(?=[\dT])((?P<d>\d+)D)?"
    r"(T(?=\d)((?P<h>\d+)H)?((?P<m>\d+)M)?((?P<s>\d+([.]\d{1,9})?)S)?)?",
    re.ASCII | re.IGNORECASE,
)
_LONGEST_DURATION = 40
_MOST_SECONDS = 2**63 - 1
"""Characters, and seconds: what Java's durations hold."""


def seconds_of(duration: str) -> Decimal | None:
    """Of an ISO-8601 duration such as `PT10S`, exactly; None: it is none, or too long."""
    found = _DURATION.fullmatch(duration) if len(duration) <= _LONGEST_DURATION else None
    if found is None:
        return None
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    total = sum((Decimal(found[unit] or 0) * per for unit, per in units.items()), Decimal(0))
    return total if total <= _MOST_SECONDS else None


def shown_duration(duration: str) -> str:
    """As Java prints it: no days, no more minutes or seconds than 59. `PT90M` is `PT1H30M`."""
    seconds = seconds_of(duration)
    if seconds is None:
        return duration
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    parts = ((hours, "H"), (minutes, "M"), (rest, "S"))
    text = "".join(f"{_plain(value)}{unit}" for value, unit in parts if value)
    return f"PT{text or '0S'}"


def _plain(value: Decimal) -> str:
    """Without an exponent and without zeros at its end."""
    text = f"{value:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
