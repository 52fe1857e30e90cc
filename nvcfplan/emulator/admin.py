"""The emulator's own calls, under /emulator: what other tenants, callers and time do.

The same in process and over HTTP; not part of NVCF.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.emulator.allocation import give_back, grab, room_for_more, scale
from nvcfplan.emulator.codec import to_plain
from nvcfplan.emulator.faults import fault_of, schedule_of
from nvcfplan.emulator.messages import Incoming, json_object
from nvcfplan.emulator.prospects import Script, first_of
from nvcfplan.emulator.refusals import bad_request, not_found
from nvcfplan.emulator.sheets import Fault, Sheet
from nvcfplan.emulator.weather import set_status
from nvcfplan.emulator.world import DEPLOYED, Holding, Specification, Version, World

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from nvcfplan.emulator.rules import ClusterRule

PREFIX = "/emulator/"
_ADVANCE = "advance"


def serve(
    world: World, incoming: Incoming, advance: Callable[[World, float], None]
) -> dict[str, object]:
    """POST of one JSON object. `advance` lets time pass. Raises Refusal."""
    word = incoming.path[len(PREFIX) :]
    act = _ACTS.get(word)
    if incoming.method != "POST" or (act is None and word != _ADVANCE):
        known = ", ".join(sorted((*_ACTS, _ADVANCE)))
        raise not_found(f"POST {PREFIX} one of: {known}; GET ledger, events, overview, snapshot")
    faults: list[Fault] = []
    sheet = Sheet(json_object(incoming.body or b"{}"), faults=faults)
    return act(world, sheet) if act else _advance(world, sheet, advance)


def checked(sheet: Sheet) -> None:
    """Raises Refusal with everything that is wrong with the body."""
    sheet.finish()
    if sheet.faults:
        raise bad_request("; ".join(f"{one.summary} ({one.remedy})" for one in sheet.faults))


def _advance(
    world: World, sheet: Sheet, advance: Callable[[World, float], None]
) -> dict[str, object]:
    """`left`: seconds that a further call has to go, where much happens on the way."""
    seconds = sheet.seconds("seconds", 0.0)
    checked(sheet)
    until = world.time + seconds
    refuse_beyond(world, until)
    advance(world, until)
    return {"now": world.moment(world.time).isoformat(), "left": until - world.time}


def refuse_beyond(world: World, time: float) -> None:
    """Raises Refusal: that is no moment of the calendar."""
    if time > world.last_time():
        raise bad_request("time cannot go beyond the year 9999")


def _holding(sheet: Sheet) -> Holding:
    holding = Holding(
        tenant=sheet.text("tenant", "other"),
        cluster=sheet.required_text("cluster"),
        gpu=sheet.required_text("gpu"),
        gpus=sheet.required_whole("gpus", least=1),
        is_scripted=True,
    )
    checked(sheet)
    return holding


def _grab(world: World, sheet: Sheet) -> dict[str, object]:
    grab(world, _holding(sheet))
    return {}


def _give_back(world: World, sheet: Sheet) -> dict[str, object]:
    give_back(world, _holding(sheet))
    return {}


def _cordon(world: World, sheet: Sheet) -> dict[str, object]:
    """No new instance lands on it; those it has stay."""
    set_status(world, _cluster(world, sheet), "CORDON")
    return {}


def _uncordon(world: World, sheet: Sheet) -> dict[str, object]:
    set_status(world, _cluster(world, sheet), "READY")
    return {}


def _cluster(world: World, sheet: Sheet) -> ClusterRule:
    name = sheet.required_text("cluster")
    checked(sheet)
    cluster = world.cluster(name)
    if cluster is None:
        raise bad_request(f"no cluster '{name}'")
    return cluster


def _schedule(world: World, sheet: Sheet) -> dict[str, object]:
    """From now on: `at` counts from the call."""
    rule = schedule_of(sheet)
    checked(sheet)
    assert rule is not None
    if rule.cluster is not None and world.cluster(rule.cluster) is None:
        raise bad_request(f"no cluster '{rule.cluster}'")
    world.agenda.append(first_of(replace(rule, at=world.time + rule.at)))
    world.stir()
    return {"agenda": [to_plain(one) for one in world.agenda]}


def _fault(world: World, sheet: Sheet) -> dict[str, object]:
    fault = fault_of(sheet)
    checked(sheet)
    assert fault is not None
    world.scripts.append(Script(fault=fault))
    world.is_changed = True
    return {"faults": [to_plain(one) for one in world.scripts]}


def _clear_faults(world: World, sheet: Sheet) -> dict[str, object]:
    numbers = sheet.wholes("numbers", least=1)
    checked(sheet)
    return {"cleared": clear_faults(world, numbers)}


def clear_faults(world: World, numbers: Collection[int]) -> int:
    """By their place in the list, from 1; without any number, all. How many there were.

    Raises Refusal for a place where there is none.
    """
    unknown = sorted(one for one in numbers if one > len(world.scripts))
    if unknown:
        raise bad_request(f"there is no fault {unknown[0]}; there are {len(world.scripts)}")
    kept = [
        script
        for number, script in enumerate(world.scripts, start=1)
        if numbers and number not in numbers
    ]
    cleared = len(world.scripts) - len(kept)
    world.scripts = kept
    world.is_changed = True
    return cleared


def _load(world: World, sheet: Sheet) -> dict[str, object]:
    """The autoscaler goes to `running` instances, or nothing changes."""
    version = _meant(world, sheet)
    instance_type = sheet.text("instanceType", "")
    running = sheet.required_whole("running")
    checked(sheet)
    one = _specification(version, instance_type)
    if not one.min <= running <= one.max:
        raise bad_request(f"{running} is not within {one.min}..{one.max} of {one.instance_type}")
    most = len(world.live_instances(one.id)) + room_for_more(world, one)
    if running > most:
        raise bad_request(f"there is room for {most} {one.instance_type}, not for {running}")
    return {"running": scale(world, one, target=running)}


def _queue(world: World, sheet: Sheet) -> dict[str, object]:
    version = _meant(world, sheet)
    depth = sheet.required_whole("depth")
    per_minute = sheet.number("perMinute", 60.0)
    checked(sheet)
    version.queue.depth = depth
    version.queue.since = world.time
    version.queue.per_minute = per_minute
    world.stir()
    return {"depth": depth}


def _meant(world: World, sheet: Sheet) -> Version:
    """By version id, or by function name where one version of it is deployed."""
    id_, name = sheet.text("version", ""), sheet.text("function", "")
    found = [
        one
        for one in world.versions.shown()
        if one.id == id_ or (not id_ and one.name == name and one.status in DEPLOYED)
    ]
    if len(found) != 1:
        raise bad_request(
            f"{len(found)} versions are meant by version '{id_}', function '{name}': name one"
            " by its version id, or a function with one deployed version"
        )
    return world.versions[found[0].id]


def _specification(version: Version, instance_type: str) -> Specification:
    deployed = version.deployment.specifications if version.deployment else []
    found = [one for one in deployed if not instance_type or one.instance_type == instance_type]
    if len(found) != 1:
        types = ", ".join(one.instance_type for one in deployed)
        raise bad_request(f"name one instanceType of: {types}")
    return found[0]


_ACTS: Mapping[str, Callable[[World, Sheet], dict[str, object]]] = {
    "grab": _grab,
    "give-back": _give_back,
    "cordon": _cordon,
    "uncordon": _uncordon,
    "fault": _fault,
    "clear-faults": _clear_faults,
    "schedule": _schedule,
    "load": _load,
    "queue": _queue,
}
