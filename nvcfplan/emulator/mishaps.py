"""What befalls a request on its way here, in being served, and its reply on the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from nvcfplan.emulator.allocation import grab_free
from nvcfplan.emulator.deployments import reverted
from nvcfplan.emulator.lifecycle import advance
from nvcfplan.emulator.messages import JSON, Incoming, Reply
from nvcfplan.emulator.prospects import Arrival
from nvcfplan.emulator.refusals import Refusal
from nvcfplan.emulator.rules import Fault, FaultBody, Happening, ScheduleRule, Trouble, When
from nvcfplan.emulator.turns import Turn
from nvcfplan.emulator.weather import lose_some
from nvcfplan.emulator.world import Holding, World

_UNSERVED = Reply(status=500)


class Ending(StrEnum):
    """What the caller gets: the reply, nothing and an end, half of it, or nothing and no end."""

    WHOLE = "whole"
    DROPPED = "dropped"
    CUT = "cut"
    STUCK = "stuck"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """`is_killed`: the emulator's own process dies once this is stored, before it replies."""

    reply: Reply
    pause_seconds: float = 0.0
    ending: Ending = Ending.WHOLE
    is_killed: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """How requests are served and refused where nothing befalls them."""

    answer: Callable[[Turn], Reply]
    refuse: Callable[[World, Refusal, Incoming], Reply]


def under_faults(turn: Turn, desk: Desk) -> Served:
    met = turn.met
    _befall_world(turn)
    if met.first(Trouble.KILL, When.BEFORE):
        return Served(reply=_UNSERVED, is_killed=True)
    if met.first(Trouble.DROP_REPLY, When.BEFORE):
        return Served(reply=_UNSERVED, ending=Ending.DROPPED)
    if met.first(Trouble.STUCK, When.BEFORE):
        return Served(reply=_UNSERVED, ending=Ending.STUCK)
    late = met.first(Trouble.LATE)
    if late is not None:
        _deliver_later(turn, desk, late.seconds or 0.0)
        return Served(reply=_UNSERVED, ending=Ending.DROPPED)
    return Served(
        reply=_reply(turn, desk),
        pause_seconds=met.pause_seconds,
        ending=_ending(turn),
        is_killed=met.first(Trouble.KILL) is not None,
    )


def _ending(turn: Turn) -> Ending:
    endings = {
        Trouble.STUCK: Ending.STUCK,
        Trouble.DROP_REPLY: Ending.DROPPED,
        Trouble.CUT_REPLY: Ending.CUT,
    }
    met = (ending for kind, ending in endings.items() if turn.met.first(kind))
    return next(met, Ending.WHOLE)


def _befall_world(turn: Turn) -> None:
    """What others do just before the request comes."""
    for fault in turn.met.of(Trouble.GRAB):
        wanted = Holding(
            tenant=fault.tenant,
            cluster=fault.cluster or "",
            gpu=fault.gpu or "",
            gpus=0,
            is_scripted=True,
        )
        grab_free(turn.world, wanted, gpus=fault.gpus)
    for fault in turn.met.of(Trouble.LOSE):
        lose_some(turn.world, _loss(fault, turn.world.time))


def _loss(fault: Fault, time: float) -> ScheduleRule:
    return ScheduleRule(
        at=time,
        what=Happening.LOSE,
        function=fault.function,
        cluster=fault.cluster,
        gpu=fault.gpu,
        instance_type=fault.instance_type,
        instances=fault.instances,
        failure=fault.failure,
    )


def _reply(turn: Turn, desk: Desk) -> Reply:
    scripted = turn.met.first(Trouble.ANSWER)
    if scripted is not None:
        return _scripted(scripted, turn, desk)
    spoilt = turn.met.first(Trouble.GARBLE)
    is_served = spoilt is None or spoilt.when is When.AFTER
    reply = _answers(turn, desk) if is_served else Reply(status=200, body=b"{}")
    return reply if spoilt is None else _garbled(reply, spoilt.body)


def _answers(turn: Turn, desk: Desk) -> Reply:
    """The answer; where the request is delivered twice, that of the delivery that was asked for."""
    copy = turn.met.first(Trouble.DUPLICATE)
    if copy is not None and copy.when is When.BEFORE:
        desk.answer(turn)
    reply = desk.answer(turn)
    if copy is not None and copy.when is When.AFTER:
        _deliver_later(turn, desk, copy.seconds or 0.0)
    return reply


def _deliver_later(turn: Turn, desk: Desk, seconds: float) -> None:
    """One that carries secrets is served at once: no file may keep those."""
    if not seconds or "secrets" in turn.content or "secret" in turn.content:
        desk.answer(turn)
        return
    incoming, world = turn.incoming, turn.world
    arrival = Arrival(
        at=world.time + seconds,
        method=incoming.method,
        path=incoming.path,
        query=dict(incoming.query),
        body=incoming.body.decode("latin-1"),
    )
    world.arrivals.append(arrival)
    world.tell("held-up", f"{arrival.method} {arrival.path} comes {seconds:g} s late")
    world.is_changed = True


def advance_with_arrivals(
    world: World, until: float, serve: Callable[[World, Incoming], None]
) -> None:
    """As `lifecycle.advance`, and requests that were held up are served when they come."""
    while due := [one for one in world.arrivals if one.at <= until]:
        first = min(due, key=lambda one: one.at)
        advance(world, first.at)
        if world.time < first.at:
            return
        world.arrivals.remove(first)
        world.tell("arrived", f"{first.method} {first.path}")
        serve(world, _incoming(first))
        world.stir()
    advance(world, until)


def _incoming(arrival: Arrival) -> Incoming:
    return Incoming(
        method=arrival.method,
        path=arrival.path,
        query=arrival.query,
        media_type=JSON,
        body=arrival.body.encode("latin-1"),
    )


_USUAL = {
    429: "too many requests. Slow down.",
    502: "Failed to get response from 'ICMS' after retries.",
}


def _scripted(fault: Fault, turn: Turn, desk: Desk) -> Reply:
    refusal = Refusal(fault.status, fault.text or _USUAL.get(fault.status, "Scripted by a fault"))
    if turn.target.route.name == "deploy" and fault.status == 502:
        refusal = reverted(turn.version(), refusal)
    reply = desk.refuse(turn.world, refusal, turn.incoming)
    if fault.retry_after is not None:
        headers = (*reply.headers, ("Retry-After", str(fault.retry_after)))
        reply = replace(reply, headers=headers)
    return reply if fault.body is FaultBody.PROBLEM else _garbled(reply, fault.body)


_GARBAGE = bytes(range(128, 256)) + b'{"function": '


def _garbled(reply: Reply, body: FaultBody) -> Reply:
    match body:
        case FaultBody.HTML:
            page = f"<html><body><h1>{reply.status}</h1></body></html>"
            return replace(reply, body=page.encode(), media_type="text/html")
        case FaultBody.GARBAGE:
            return replace(reply, body=_GARBAGE)
        case FaultBody.EMPTY:
            return replace(reply, body=b"")
        case FaultBody.TRUNCATED:
            return replace(reply, body=reply.body[: len(reply.body) // 2])
        case FaultBody.WRONG_TYPE:
            return replace(reply, media_type="text/plain")
        case FaultBody.PROBLEM:
            return reply
