"""Deployments: deploy with its checks in their order, read, update, undeploy.

Source: nvcf-api.md 2.1 (rows 10 to 15), 3.3 to 3.5, 4.3, 4.4, 6.1.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NoReturn

from nvcfplan.emulator.allocation import ask, demand, fits_without_troubles, pin, wish
from nvcfplan.emulator.artifacts import check_artifacts
from nvcfplan.emulator.bodies import one_deployment, one_function
from nvcfplan.emulator.deployment_bounds import deployment_faults
from nvcfplan.emulator.failures import (
    BROKEN,
    REFUSED,
    UNSERVED,
    USUAL_ABSENCE,
    USUAL_BREAK,
    USUAL_REFUSAL,
    broken_text,
)
from nvcfplan.emulator.inventory import matching, offering, visible_groups
from nvcfplan.emulator.ledger import Cause, Service
from nvcfplan.emulator.placement import placed, refuse_kind, usage_of
from nvcfplan.emulator.prospects import Doom
from nvcfplan.emulator.quota import breached
from nvcfplan.emulator.reconcile import drain, enter, provider_of, undeploy
from nvcfplan.emulator.refusals import Refusal, bad_request, not_found
from nvcfplan.emulator.rules import Fault, Trouble
from nvcfplan.emulator.settling import settle
from nvcfplan.emulator.sharing import refuse_foreign, refuse_public
from nvcfplan.emulator.turns import Turn, subject
from nvcfplan.emulator.validation import parsed, require
from nvcfplan.emulator.world import DEPLOYED, Deployment, Specification, Status, Version, World
from nvcfplan.wire.deployments import DeployRequest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.wire.deployments import SpecificationEntry


def deploy(turn: Turn) -> dict[str, object]:
    """The checks stand in the service's order. Source: nvcf-api.md 4.3."""
    request = parsed(DeployRequest, turn.content)
    require(DeployRequest, deployment_faults(request))
    refuse_foreign(turn, verb="deploy")
    version = turn.version()
    _refuse_deployed(version)
    specifications = _specifications(turn.world, version, request.deployment_specifications)
    check_artifacts(turn.world, version)
    _refuse_over_quota(turn, specifications)
    for one in specifications:
        if one.min:
            _refuse_without_clusters(turn, version, one)
    _allocate(turn, version, specifications)
    assert version.deployment is not None
    return one_deployment(turn.world, version, version.deployment)


def _specifications(
    world: World, version: Version, entries: Sequence[SpecificationEntry]
) -> list[Specification]:
    """Names against what the account sees, of all first; then what the function's kind allows."""
    groups = visible_groups(world, usage_of(version))
    if not groups:
        where = subject(version.function_id, version.id)
        raise bad_request(f"{where}: No Backends defined for account '{world.rules.nca_id}'")
    found = [placed(version, groups, entry) for entry in entries]
    for entry in entries:
        refuse_kind(world, version, entry)
    named = [replace(one, id=world.new_id()) for one in found]
    return sorted(named, key=lambda one: one.id)


def _refuse_deployed(version: Version) -> None:
    where = subject(version.function_id, version.id)
    if version.status is Status.INACTIVE and version.deployment is not None:
        raise bad_request(
            f"{where}: Function deployment found for INACTIVE function."
            " Wait for the graceful undeployment to end."
        )
    if version.status in DEPLOYED:
        raise bad_request(
            f"{where}: Status {version.status}, use PATCH endpoint to update gpu-specification"
        )
    if version.status is Status.ERROR:
        raise bad_request(f"{where}: Function already has a deployment with errors")


def _refuse_over_quota(turn: Turn, specifications: list[Specification]) -> None:
    world = turn.world
    settle(world)
    rule = breached(world, specifications)
    if rule is None:
        return
    for one in specifications:
        if one.gpu.casefold() == rule.gpu.casefold():
            entry = demand(world, one, count=one.min)
            world.ledger.append(replace(entry, outcome=Service.REFUSED, cause=Cause.QUOTA))
    world.stir()
    raise bad_request(REFUSED["quota"].text)


def _refuse_without_clusters(turn: Turn, version: Version, specification: Specification) -> None:
    """The allocator's own look at a request. Source: nvcf-api.md 6.1, 8.2."""
    word = _obstacle(turn.world, specification)
    scripted = turn.met.hit(Trouble.CAPACITY_SYNC, specification.instance_type)
    if word in _UNFIT or scripted is None:
        is_scripted = False
    else:
        word, is_scripted = scripted.failure or USUAL_REFUSAL, True
    if word is None:
        return
    known = REFUSED[word]
    text = known.text.format(gpu=specification.gpu, type=specification.instance_type)
    inner = _allocator_says(text) if known.status == 400 else Refusal(known.status, text)
    refusal = Refusal(known.status, text) if known.is_bare else reverted(version, inner)
    _refuse(turn, specification, refusal, cause=_cause(word), is_scripted=is_scripted)


_UNFIT = ("no-access", "no-cluster")
"""Said of a specification that no cluster is made for: no fault is needed to refuse it."""


def _obstacle(world: World, specification: Specification) -> str | None:
    """A word of `REFUSED`; None: it may be asked for."""
    if world.down_since is not None:
        return "allocator-down"
    if specification.backend is not None and not offering(world, specification):
        return "no-access"
    clusters = matching(world, specification)
    if not clusters:
        return "no-cluster"
    if all(world.free(one, specification.gpu) <= 0 for one in clusters):
        return USUAL_REFUSAL
    return None


def _cause(word: str) -> Cause:
    if word in ("quota", "payment-required"):
        return Cause.QUOTA
    return Cause.PLACEMENT if word.startswith(_UNFIT) else Cause.CAPACITY


def _allocator_says(text: str) -> Refusal:
    return bad_request(
        "400 BAD_REQUEST, ProblemDetail[type='urn:nv-boot:problem-details:bad-request', "
        f"title='Bad Request', status=400, detail='{{\"error\":\"{text}\"}}', "
        "instance='null', properties='null']"
    )


def reverted(version: Version, inner: Refusal) -> Refusal:
    """As the service passes on what the allocator refused. Source: nvcf-api.md 6.1."""
    where = subject(version.function_id, version.id)
    outer = f"{where}: Failed to deploy, reverting state to 'INACTIVE': "
    return Refusal(inner.status, outer + inner.detail)


def _refuse(
    turn: Turn, specification: Specification, refusal: Refusal, *, cause: Cause, is_scripted: bool
) -> NoReturn:
    world = turn.world
    count = specification.min
    wanted = wish(world, specification, count)
    entry = replace(
        demand(world, specification, count=count),
        outcome=Service.REFUSED,
        cause=cause,
        is_injected=is_scripted or fits_without_troubles(world, specification, wanted),
    )
    world.ledger.append(entry)
    world.tell("refused", refusal.detail.rsplit("'INACTIVE': ", 1)[-1], _owner(turn))
    world.stir()
    raise refusal


def _owner(turn: Turn) -> Version | None:
    return turn.world.versions.get(turn.target.version or "")


def _allocate(turn: Turn, version: Version, specifications: list[Specification]) -> None:
    world = turn.world
    version.deployment = Deployment(
        id=world.new_id(),
        created_at=world.time,
        updated_at=world.time,
        specifications=specifications,
    )
    wanting = [one for one in specifications if one.min]
    enter(world, version, Status.DEPLOYING if wanting else Status.ACTIVE)
    for one in specifications:
        pin(world, one)
        doom(turn, one)
        if one.min:
            ask(world, one, count=one.min)


def doom(turn: Turn, specification: Specification) -> None:
    """By a fault, if this request meets one: it befalls what is asked for from now on."""
    kind = specification.instance_type
    starved = turn.met.hit(Trouble.CAPACITY_ASYNC, kind)
    broken = turn.met.hit(Trouble.BREAK, kind)
    if starved is not None:
        specification.doom = _starvation(turn.world, specification, starved)
    elif broken is not None:
        specification.doom = _breakage(turn.world, broken)


def _starvation(world: World, specification: Specification, fault: Fault) -> Doom:
    known = UNSERVED[fault.failure or USUAL_ABSENCE]
    usual = world.rules.queue_timeout if known.seconds is None else known.seconds
    seconds = _delay(world, fault, usual)
    text = known.text.format(
        provider=provider_of(world, specification),
        gpu=specification.gpu,
        type=specification.instance_type,
        minutes=round(usual / 60),
    )
    return Doom(
        text=fault.text or text,
        seconds=None if fault.is_silent else seconds,
        instances=fault.instances,
    )


def _breakage(world: World, fault: Fault) -> Doom:
    known = BROKEN[fault.failure or USUAL_BREAK]
    return Doom(
        text=fault.text or broken_text(known),
        seconds=_delay(world, fault, known.seconds),
        instances=fault.instances,
        is_started=True,
    )


def _delay(world: World, fault: Fault, usual: float) -> float:
    if fault.seconds is not None:
        return fault.seconds
    return 0.0 if world.rules.instant else usual


def read_deployment(turn: Turn) -> dict[str, object]:
    version, deployment = turn.deployment()
    return one_deployment(turn.world, version, deployment)


def find_deployment(turn: Turn) -> dict[str, object]:
    version, deployment = deployment_by_id(turn)
    return one_deployment(turn.world, version, deployment)


def deployment_by_id(turn: Turn) -> tuple[Version, Deployment]:
    """Raises Refusal."""
    world = turn.world
    settle(world)
    version = world.versions.get(world.outlook.deployments.get(turn.target.deployment or "", ""))
    if version is not None and version.deployment is not None:
        return version, version.deployment
    raise not_found(f"Deployment id '{turn.target.deployment}': Missing deployment")


def remove_deployment(turn: Turn) -> dict[str, object]:
    """By force, unless it is graceful and callers still wait; again, then by force."""
    is_graceful = turn.flag("graceful")
    refuse_public(turn, verb="undeploy")
    version, deployment = turn.deployment()
    if not is_graceful or version.queue.at(turn.world.time) == 0:
        undeploy(turn.world, version)
    elif not deployment.is_draining:
        drain(turn.world, version, deployment)
    return one_function(version)
