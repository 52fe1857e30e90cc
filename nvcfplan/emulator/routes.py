"""Serves one request on a world: who is asking, what for, what befalls it, the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from nvcfplan.emulator import (
    admin,
    allocator,
    authorizations,
    deployments,
    front,
    functions,
    hosted,
    openapi,
    queues,
    readings,
    registries,
    telemetries,
    updates,
)
from nvcfplan.emulator.auth import (
    ANYONE,
    NOBODY,
    bearer,
    key_of,
    permit,
    refuse_operator,
    shortened,
    unauthenticated,
)
from nvcfplan.emulator.faults import meet
from nvcfplan.emulator.messages import JSON, Incoming, Reply, json_object, reply_of, reply_to
from nvcfplan.emulator.mishaps import Desk, Served, advance_with_arrivals, under_faults
from nvcfplan.emulator.refusals import Refusal, not_found
from nvcfplan.emulator.styles import Style, style_of
from nvcfplan.emulator.targets import Target, resolve
from nvcfplan.emulator.turns import Turn

if TYPE_CHECKING:
    from nvcfplan.emulator.keys import KeyRule
    from nvcfplan.emulator.rules import WorldFile
    from nvcfplan.emulator.world import World

_Handler = Callable[[Turn], dict[str, object] | list[object] | Reply | None]
"""JSON, None for 204, or a reply that is not JSON."""

HANDLERS: Mapping[str, _Handler] = {
    "inventory": readings.inventory,
    "capacity": readings.capacity,
    "quota": hosted.quota,
    "list-deployments": hosted.list_deployments,
    "capacity-view": hosted.capacity_view,
    "available-instance-types": hosted.available_instance_types,
    "skyway-instances": hosted.skyway_instances,
    "registered-clusters": hosted.registered_clusters,
    "cluster-versions": hosted.cluster_versions,
    "gpu-use": hosted.gpu_use,
    "account": front.account,
    "accounts": front.accounts,
    "logs": front.logs,
    "log-page": front.log_page,
    "caller-info": front.caller_info,
    "organizations": front.organizations,
    "token": front.token,
    "health": front.health,
    "info": front.info,
    "openapi": openapi.openapi,
    "allocator-groups": allocator.groups,
    "allocator-gpus": allocator.gpus,
    "allocator-regions": allocator.regions,
    "allocator-cluster-names": allocator.cluster_names,
    "allocator-attributes": allocator.attributes,
    "allocator-instance-types": allocator.instance_types,
    "allocator-availability": allocator.availability,
    "allocator-usage": allocator.usage,
    "allocator-deployment-usage": allocator.deployment_usage,
    "list-functions": functions.list_functions,
    "function-ids": functions.function_ids,
    "create-function": functions.create_function,
    "create-version": functions.create_version,
    "list-versions": functions.list_versions,
    "read-version": functions.read_version,
    "delete-version": functions.delete_version,
    "metadata": functions.update_metadata,
    "secrets": functions.update_secrets,
    "deploy": deployments.deploy,
    "read-deployment": deployments.read_deployment,
    "find-deployment": deployments.find_deployment,
    "undeploy": deployments.remove_deployment,
    "update-deployment": updates.update_deployment,
    "update-specification": updates.update_specification,
    "telemetry-secret": telemetries.update_telemetry_secret,
    "create-telemetry": telemetries.create_telemetry,
    "list-telemetries": telemetries.list_telemetries,
    "read-telemetry": telemetries.read_telemetry,
    "delete-telemetry": telemetries.delete_telemetry,
    "read-authorizations": authorizations.read_parties,
    "authorize": authorizations.replace_parties,
    "clear-authorizations": authorizations.clear_parties,
    "add-authorization": authorizations.add_party,
    "remove-authorization": authorizations.remove_party,
    "add-credential": registries.add_credential,
    "list-credentials": registries.list_credentials,
    "read-credential": registries.read_credential,
    "update-credential": registries.update_credential,
    "delete-credential": registries.delete_credential,
    "recognized-registries": registries.recognized_registries,
    "queues": queues.read_queues,
    "queue-position": queues.read_position,
    "supported-gpus": readings.supported_gpus,
    "rate-limit": functions.update_rate_limit,
    "delete-rate-limit": functions.delete_rate_limit,
}


def serve(world: World, incoming: Incoming, *, speed: float | None) -> Served:
    """A refusal is an answer; anything else that is raised is a bug of ours."""
    try:
        return _serve(world, incoming, speed=speed)
    except Refusal as refusal:
        return Served(reply=_refusing(world, refusal, incoming))


def _refusing(world: World, refusal: Refusal, incoming: Incoming) -> Reply:
    return reply_to(
        refusal, incoming.path, is_gateway=world.rules.gateway, nonce=_nonce(world, incoming)
    )


def _nonce(world: World, incoming: Incoming) -> str:
    return f"{world.rules.seed} {world.counter} {world.time} {incoming.method}"


def _serve(world: World, incoming: Incoming, *, speed: float | None) -> Served:
    if incoming.path.startswith(admin.PREFIX):
        refused = refuse_operator(world.rules, incoming)
        return Served(reply=refused or reply_of(admin.serve(world, incoming, advance)))
    key, target = key_of(world.rules, bearer(incoming.authorization)), _aim(incoming)
    if key is None and not (isinstance(target, Target) and target.route.is_open):
        nonce = _nonce(world, incoming)
        return Served(reply=unauthenticated(world.rules, incoming.path, nonce=nonce))
    if isinstance(target, Refusal):
        raise target
    turn = _turn(world, incoming, target=target, key=key or NOBODY)
    if not target.route.is_open:
        turn = replace(turn, met=meet(world, target.route.name, _names(turn)))
    return under_faults(replace(turn, speed=speed), _DESK)


def _aim(incoming: Incoming) -> Target | Refusal:
    """The service asks who is calling before it says that there is no such path."""
    try:
        return resolve(incoming.method, incoming.path)
    except Refusal as refusal:
        return refusal


def _turn(world: World, incoming: Incoming, *, target: Target, key: KeyRule) -> Turn:
    """Raises Refusal: not his account, not permitted, not readable."""
    _refuse_strangers(world.rules, target)
    style = style_of(incoming.path, is_gateway=world.rules.gateway)
    permit(key, target, world, is_gateway=style is Style.GATEWAY)
    content = _content(incoming) if target.route.request is not None else {}
    return Turn(world=world, target=target, key=key, incoming=incoming, content=content)


def _refuse_strangers(rules: WorldFile, target: Target) -> None:
    """One account of one org is all there is; any team is one of it."""
    account, org = target.named.get("account"), target.named.get("org")
    if account not in (None, rules.nca_id):
        raise not_found(f"Account '{account}' not found")
    if org not in (None, rules.org):
        raise not_found(f"Org '{org}' not found")


def _content(incoming: Incoming) -> dict[str, object]:
    media_type = incoming.media_type or JSON
    if media_type != JSON and not media_type.endswith("+json"):
        raise Refusal(415, f"Content-Type '{media_type[:100]}' is not supported.")
    return json_object(incoming.body)


def _names(turn: Turn) -> set[str]:
    """What the function of this request is called: by its body, else by what is stored."""
    target, world = turn.target, turn.world
    names = {str(turn.content["name"])} if "name" in turn.content else set()
    version = world.outlook.deployments.get(target.deployment or "") or target.version
    if version is None:
        siblings = world.versions.shown_of("function_id", target.function or "")
        return names.union(one.name for one in siblings)
    found = world.versions.look(version)
    return names.union([found.name] if found is not None else [])


def _answer(turn: Turn) -> Reply:
    try:
        found = HANDLERS[turn.target.route.name](turn)
    except Refusal as refusal:
        return _refusing(turn.world, refusal, turn.incoming)
    if turn.target.route.is_listing and isinstance(found, dict):
        found = shortened(turn.key, found, turn.world)
    return found if isinstance(found, Reply) else reply_of(found)


_DESK = Desk(answer=_answer, refuse=_refusing)


def advance(world: World, until: float) -> None:
    """Lets time pass, and serves what arrives meanwhile."""
    advance_with_arrivals(world, until, _serve_arrival)


def _serve_arrival(world: World, incoming: Incoming) -> None:
    """Whose request it is was looked at when it was sent; nobody waits for the answer."""
    target = resolve(incoming.method, incoming.path)
    content = json_object(incoming.body) if target.route.request is not None else {}
    turn = Turn(world=world, target=target, key=ANYONE, incoming=incoming, content=content)
    _answer(turn)
