"""Telemetry endpoints: create, list, read, delete, change the secret; and what functions may name.

Source: nvcf-api.md 2.5, 4.2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.function_bounds import one_secret_faults
from nvcfplan.emulator.refusals import Refusal, bad_request, not_found
from nvcfplan.emulator.resources import Telemetry, digest
from nvcfplan.emulator.validation import Fault, Faults, canonical, choice_faults, parsed, require
from nvcfplan.wire.telemetries import (
    CreateTelemetryRequest,
    OneTelemetry,
    TelemetryAnswer,
    TelemetryList,
    TelemetrySecretRequest,
)

if TYPE_CHECKING:
    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import World
    from nvcfplan.wire.functions import TelemetriesEntry

PROTOCOLS = ("HTTP", "GRPC")
TYPES = ("LOGS", "METRICS", "TRACES")
PROVIDERS = (
    "PROMETHEUS",
    "GRAFANA_CLOUD",
    "SPLUNK",
    "DATADOG",
    "SERVICENOW",
    "KRATOS",
    "KRATOS_THANOS",
    "TIMESTREAM",
    "VICTORIAMETRICS",
    "AZURE_MONITOR",
    "OTEL_COLLECTOR",
)


def create_telemetry(turn: Turn) -> dict[str, object]:
    request = parsed(CreateTelemetryRequest, turn.content)
    require(CreateTelemetryRequest, _faults(request))
    world = turn.world
    _refuse_more(world, request.secret.name)
    telemetry = Telemetry(
        id=world.new_id(),
        name=request.secret.name,
        endpoint=request.endpoint,
        protocol=canonical(request.protocol, PROTOCOLS) or "",
        provider=canonical(request.provider, PROVIDERS) or "",
        types=list(dict.fromkeys(canonical(one, TYPES) or "" for one in request.types)),
        secret=digest(request.secret),
        created_at=world.time,
    )
    world.telemetries[telemetry.id] = telemetry
    world.tell("telemetry", f"{telemetry.name} {telemetry.id} created")
    world.stir()
    return _one(world, telemetry)


def _faults(request: CreateTelemetryRequest) -> Faults:
    if not request.endpoint.strip():
        yield Fault("endpoint", request.endpoint, "must not be blank")
    yield from choice_faults("protocol", request.protocol, PROTOCOLS)
    yield from choice_faults("provider", request.provider, PROVIDERS)
    if not request.types:
        yield Fault("types", "", "must not be empty")
    for one in request.types:
        yield from choice_faults("types", one, TYPES)
    yield from one_secret_faults("secret", request.secret)


def _refuse_more(world: World, name: str) -> None:
    account, limit, count = world.rules.nca_id, world.rules.telemetry_limit, len(world.telemetries)
    if count >= limit:
        raise bad_request(
            f"Account '{account}': Cannot create telemetry - maximum allowed telemetries ({limit})"
            f" exceeded. Current count: {count}"
        )
    if any(one.name == name for one in world.telemetries.values()):
        raise bad_request(
            f"Account '{account}': Telemetry and corresponding secret with name '{name}' already"
            " exists in the account - Telemetries must have unique names within an account"
        )


def list_telemetries(turn: Turn) -> dict[str, object]:
    found = [_answer(turn.world, one) for one in turn.world.telemetries.values()]
    return TelemetryList(telemetries=found).to_json()


def read_telemetry(turn: Turn) -> dict[str, object]:
    return _one(turn.world, _meant(turn))


def delete_telemetry(turn: Turn) -> None:
    """Not while a function refers to it."""
    telemetry = _meant(turn)
    users = [
        f"Telemetry '{telemetry.id}': Cannot be deleted as it is in use by Function id"
        f" '{one.function_id}', version '{one.id}' - Delete the function first to be able to delete"
        " the telemetry."
        for one in turn.world.versions.shown()
        if telemetry.id in _referred(one.answer.get("telemetries"))
    ]
    if users:
        raise bad_request(f"[{', '.join(users)}]")
    del turn.world.telemetries[telemetry.id]
    turn.world.tell("telemetry", f"{telemetry.name} {telemetry.id} deleted")
    turn.world.stir()


def _referred(telemetries: object) -> tuple[object, ...]:
    return tuple(telemetries.values()) if isinstance(telemetries, dict) else ()


def update_telemetry_secret(turn: Turn) -> None:
    request = parsed(TelemetrySecretRequest, turn.content)
    require(TelemetrySecretRequest, one_secret_faults("secret", request.secret))
    telemetry = _meant(turn)
    telemetry.secret = digest(request.secret)
    turn.world.tell("telemetry", f"{telemetry.name} {telemetry.id} has a new secret")
    turn.world.stir()


def refuse_unknown(world: World, given: TelemetriesEntry | None) -> None:
    """What a function names must be there, and be for that. Raises Refusal."""
    if given is None:
        return
    wanted = {
        "LOGS": given.logs_telemetry_id,
        "METRICS": given.metrics_telemetry_id,
        "TRACES": given.traces_telemetry_id,
    }
    for kind, id_ in wanted.items():
        if id_ is None:
            continue
        found = world.telemetries.get(id_.lower())
        if found is None:
            raise Refusal(400, _unknown(world, id_))
        if kind not in found.types:
            raise bad_request(f"Invalid telemetry type: '{id_}' is not for {kind}")


def _unknown(world: World, id_: str) -> str:
    return f"Account '{world.rules.nca_id}' Telemetry '{id_[:100]}': Not found"


def _meant(turn: Turn) -> Telemetry:
    id_ = turn.target.named["telemetry"]
    found = turn.world.telemetries.get(id_)
    if found is None:
        raise not_found(_unknown(turn.world, id_))
    return found


def _one(world: World, telemetry: Telemetry) -> dict[str, object]:
    return OneTelemetry(telemetry=_answer(world, telemetry)).to_json()


def _answer(world: World, telemetry: Telemetry) -> TelemetryAnswer:
    return TelemetryAnswer(
        telemetry_id=telemetry.id,
        name=telemetry.name,
        endpoint=telemetry.endpoint,
        protocol=telemetry.protocol,
        provider=telemetry.provider,
        types=telemetry.types,
        created_at=world.moment(telemetry.created_at),
    )
