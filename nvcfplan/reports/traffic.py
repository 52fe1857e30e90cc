"""Which versions of a function take its calls at each moment of a plan, and how many each.

Calls are split evenly over the versions that serve, however many instances each has. Source:
nvcf-api.md 7.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from nvcfplan.model import Address, Status, StepId, parse_json
from nvcfplan.plans import AwaitActive, Deploy, Plan, Undeploy, VersionRef
from nvcfplan.reports.interruptions import was_serving

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from nvcfplan.plans import Step

_SERVING: Final = frozenset({Status.ACTIVE.value, Status.DEGRADING.value})


class Moment(StrEnum):
    """Of a step: a version stops serving when its undeploy starts, one serves when awaited."""

    START = "start"
    END = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """`version`: old, new, bounce, or the id of another one; `share` of the calls, 0 to 1."""

    version: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficShift:
    """From this moment on. `step` None: as it is before the plan. No shares: nobody serves."""

    address: Address
    step: StepId | None
    moment: Moment
    shares: tuple[Share, ...]


def find_traffic(plan: Plan) -> tuple[TrafficShift, ...]:
    """Of functions whose serving versions change, by address, in the order of the steps listed."""
    steps: dict[Address, list[Step]] = {}
    for step in plan.steps:
        steps.setdefault(step.address, []).append(step)
    seen = _seen_serving(plan)
    return tuple(
        shift
        for address in sorted(steps)
        for shift in _shifts(address, steps[address], _first(plan, address, steps[address], seen))
    )


def _first(
    plan: Plan, address: Address, steps: Sequence[Step], seen: Mapping[Address, Sequence[str]]
) -> list[str]:
    """The labels of what serves before the plan."""
    old = VersionRef(address, "old")
    is_undeployed = any(isinstance(o.task, Undeploy) and o.task.version == old for o in steps)
    is_carried = is_undeployed and was_serving(plan, old)
    others = [label for label in seen.get(address, ()) if label != "old"]
    return ["old", *others] if is_carried or "old" in seen.get(address, ()) else others


def _seen_serving(plan: Plan) -> Mapping[Address, Sequence[str]]:
    found: dict[Address, list[str]] = {}
    for image in plan.fingerprint.live:
        fields = parse_json(image.fields)
        if isinstance(fields, dict) and fields.get("status") in _SERVING:
            label = "old" if image.is_current else str(image.version)
            found.setdefault(image.address, []).append(label)
    return found


def _shifts(address: Address, steps: Sequence[Step], first: list[str]) -> list[TrafficShift]:
    deployed = {step.task.version for step in steps if isinstance(step.task, Deploy)}
    serving = list(first)
    found = [_shift(address, None, Moment.START, serving)] if serving else []
    for step in steps:
        match step.task:
            case AwaitActive(version=version) if version in deployed:
                moment = Moment.END
                after = [*serving, *([] if version.label in serving else [version.label])]
            case Undeploy(version=version):
                moment = Moment.START
                after = [label for label in serving if label != version.label]
            case _:
                continue
        if after != serving:
            serving = after
            found.append(_shift(address, step.id, moment, serving))
    return found if any(one.step is not None for one in found) else []


def _shift(
    address: Address, step: StepId | None, moment: Moment, serving: Sequence[str]
) -> TrafficShift:
    shares = tuple(Share(version=one, share=round(1 / len(serving), 4)) for one in serving)
    return TrafficShift(address=address, step=step, moment=moment, shares=shares)
