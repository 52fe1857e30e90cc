"""A request's answer was lost: is what is seen what it asked for, what was before, or another's?

Source: reliability.md B1. Only what the request carries is compared, with the service's defaults.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from nvcfplan.applying.flows import version_in
from nvcfplan.model import (
    LiveSharing,
    Status,
    operation_of,
    parse_json,
    specification_with_defaults,
)
from nvcfplan.plans import (
    Deploy,
    Reversible,
    SetAuthorizations,
    SetSecrets,
    UpdateDeployment,
    UpdateMetadata,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.applying.effects import Observation
    from nvcfplan.model import GpuSpecification, Json, LiveDeployment, Metadata
    from nvcfplan.plans import Step, Task


class Trace(StrEnum):
    """FOREIGN: neither what was asked for nor what was before. UNTOLD: it does not show."""

    ASKED = "asked"
    BEFORE = "before"
    FOREIGN = "foreign"
    UNTOLD = "untold"


Compared = Deploy | UpdateDeployment | UpdateMetadata | SetSecrets | SetAuthorizations


@dataclass(frozen=True, slots=True)
class _Fields:
    """`plain` values are stored as sent. `freeform` ones the service may write in its own way."""

    plain: tuple[object, ...]
    freeform: tuple[object, ...] = ()


def trace_of(step: Step, task: Compared, found: Observation, image: Json | None) -> Trace:
    """`image`: what the plan saw of the version, as `PreImage.fields`."""
    match task:
        case Deploy():
            return _of_deployment(task, _row(found))
        case UpdateDeployment():
            return _of_update(task, _row(found))
        case UpdateMetadata():
            return _of_metadata(step, task, found)
        case SetSecrets():
            return _of_secrets(task, found, image)
        case SetAuthorizations():
            return _of_parties(step, task, found)


def is_as_asked(task: Deploy, row: LiveDeployment | None) -> bool:
    """Whether what is deployed may be what we asked for, and not what somebody else did.

    What was not stated the service chose. Specifications have no order. Source: nvcf-api.md 3.3.
    """
    there = [] if row is None else [one.specification for one in row.specifications]
    return len(there) == len(task.specifications) and _pair_up(task.specifications, there)


def in_words(task: Compared, found: Observation) -> str:
    """What is there instead of what was asked for."""
    match task:
        case Deploy() | UpdateDeployment():
            row = _row(found)
            rows = [] if row is None else [one.specification for one in row.specifications]
            told = sorted(map(_specification_in_words, rows))
            return "deployed is " + ("; ".join(told) or "nothing")
        case UpdateMetadata():
            version = version_in(found)
            return "its tags are " + (_listed(version.config.tags) if version else "gone")
        case SetSecrets():
            version = version_in(found)
            return "its secrets are " + _listed((version and version.secret_names) or ())
        case SetAuthorizations():
            parties = found.parties if isinstance(found, LiveSharing) else ()
            return f"it may be called by {_listed(parties)}"


def _row(found: Observation) -> LiveDeployment | None:
    version = version_in(found)
    return None if version is None else version.deployment


def _of_deployment(task: Deploy, row: LiveDeployment | None) -> Trace:
    """ERROR counts: the request had its effect. A row that only drains is still the one before."""
    if row is None or row.status is Status.INACTIVE:
        return Trace.BEFORE
    return Trace.ASKED if is_as_asked(task, row) else Trace.FOREIGN


def _of_update(task: UpdateDeployment, row: LiveDeployment | None) -> Trace:
    """Without the row to be changed nothing can have had an effect."""
    rows = () if row is None else row.specifications
    named = [one.specification for one in rows if one.id == task.row]
    placed = [one.specification for one in rows if _is_placed_as(task.before, one.specification)]
    meant = named or placed
    traces = [
        _judged(_bounds(task, one), _bounds(task, task.specification), _bounds(task, task.before))
        for one in meant
    ]
    order = (Trace.ASKED, Trace.BEFORE, Trace.UNTOLD, Trace.FOREIGN)
    return next((one for one in order if one in traces), Trace.BEFORE)


def _of_metadata(step: Step, task: UpdateMetadata, found: Observation) -> Trace:
    version = version_in(found)
    if version is None:
        return Trace.BEFORE
    wanted = task.metadata
    before = [one.metadata for one in _undoing(step) if isinstance(one, UpdateMetadata)]
    return _judged(
        _carried(wanted, version.config.tags, version.config.rate_limit),
        _carried(wanted, wanted.tags, wanted.rate_limit),
        _carried(wanted, before[0].tags, before[0].rate_limit) if before else None,
    )


def _of_secrets(task: SetSecrets, found: Observation, image: Json | None) -> Trace:
    """Names alone show, and those that are not sent stay. Source: nvcf-api.md 3.5."""
    version = version_in(found)
    if version is None or version.secret_names is None:
        return Trace.UNTOLD
    sent = {one.name for one in task.secrets}
    if not sent <= {*version.secret_names}:
        return Trace.BEFORE
    fields = parse_json(image) if image is not None else None
    before = fields.get("secrets") if isinstance(fields, dict) else None
    if isinstance(before, list) and not sent <= {*before}:
        return Trace.ASKED
    return Trace.UNTOLD


def _of_parties(step: Step, task: SetAuthorizations, found: Observation) -> Trace:
    if not isinstance(found, LiveSharing):
        return Trace.UNTOLD
    before = [one.parties for one in _undoing(step) if isinstance(one, SetAuthorizations)]
    return _judged(
        _Fields(found.parties), _Fields(task.parties), _Fields(before[0]) if before else None
    )


def _judged(live: _Fields, asked: _Fields, before: _Fields | None) -> Trace:
    if live == asked:
        return Trace.ASKED
    if live == before:
        return Trace.BEFORE
    if before is None or live.plain in (asked.plain, before.plain):
        return Trace.UNTOLD
    return Trace.FOREIGN


def _undoing(step: Step) -> tuple[Task, ...]:
    return step.undo.tasks if isinstance(step.undo, Reversible) else ()


def _carried(wanted: Metadata, tags: Sequence[str] | None, limit: object) -> _Fields:
    """Without the operation's tag: it is the service's copy of it that is sent again."""
    kept = frozenset(tag for tag in tags or () if operation_of((tag,)) is None)
    return _Fields(
        () if wanted.tags is None else (kept,), () if wanted.rate_limit is None else (limit,)
    )


def _bounds(task: UpdateDeployment, one: GpuSpecification) -> _Fields:
    """Both numbers are always sent, the rest where it differs. Source: nvcf-api.md 3.5."""
    is_sent = task.specification.max_request_concurrency is not None
    concurrency = specification_with_defaults(one).max_request_concurrency if is_sent else None
    return _Fields(
        (one.min_instances, one.max_instances, concurrency),
        () if _scales_alike(task) else (one.autoscaling_configuration,),
    )


def _scales_alike(task: UpdateDeployment) -> bool:
    before, after = task.before, task.specification
    return before.autoscaling_configuration == after.autoscaling_configuration


def _pair_up(wanted: Sequence[GpuSpecification], there: Sequence[GpuSpecification]) -> bool:
    if not wanted:
        return True
    first, rest = wanted[0], wanted[1:]
    return any(
        _may_be(first, one) and _pair_up(rest, [*there[:index], *there[index + 1 :]])
        for index, one in enumerate(there)
    )


def _may_be(wanted: GpuSpecification, there: GpuSpecification) -> bool:
    numbers = (wanted.min_instances, wanted.max_instances)
    if numbers != (there.min_instances, there.max_instances):
        return False
    concurrency = specification_with_defaults(there).max_request_concurrency
    if wanted.max_request_concurrency not in (None, concurrency):
        return False
    return _is_placed_as(wanted, there)


def _is_placed_as(wanted: GpuSpecification, there: GpuSpecification) -> bool:
    """As far as it was stated; names match in any case. Source: nvcf-api.md 4.3."""
    named = [(wanted.gpu, there.gpu), (wanted.instance_type, there.instance_type)]
    if wanted.backend:
        named.append((wanted.backend, there.backend or ""))
    chosen = [
        (wanted.clusters, there.clusters),
        (wanted.regions, there.regions),
        (wanted.attributes, there.attributes),
    ]
    return all(one.casefold() == other.casefold() for one, other in named) and all(
        not one or set(one) == set(other) for one, other in chosen
    )


def _specification_in_words(one: GpuSpecification) -> str:
    return f"{one.gpu} {one.instance_type} {one.min_instances} to {one.max_instances}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(sorted(names)) or "none"
