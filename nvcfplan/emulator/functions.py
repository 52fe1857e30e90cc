"""Functions and their versions: create, list, read, change, delete.

Source: nvcf-api.md 2.1 (rows 2 to 9, 16), 3.1, 3.2, 3.5, 4.2, 4.4.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from nvcfplan.emulator.bodies import (
    described,
    detailed_function,
    distinct,
    function_json,
    one_function,
)
from nvcfplan.emulator.reconcile import undeploy
from nvcfplan.emulator.refusals import bad_request, not_found
from nvcfplan.emulator.turns import Turn, subject
from nvcfplan.emulator.validation import (
    creation_faults,
    is_llm,
    parsed,
    rate_limit_faults,
    require,
    secret_faults,
    secret_text,
    tag_faults,
)
from nvcfplan.emulator.world import Status, Version
from nvcfplan.wire.functions import (
    CreateFunctionRequest,
    SecretEntry,
    SecretsRequest,
    UpdateFunctionRequest,
)

if TYPE_CHECKING:
    from collections.abc import Collection

_VISIBILITIES = ("authorized", "private", "public")


def list_functions(turn: Turn) -> dict[str, object]:
    return {"functions": [function_json(one) for one in _listed(turn)]}


def function_ids(turn: Turn) -> dict[str, object]:
    return {"functionIds": distinct([one.function_id for one in _listed(turn)])}


def _listed(turn: Turn) -> Collection[Version]:
    """All are the account's own, hence private."""
    wanted = [part.strip().lower() for part in turn.query.get("visibility", "").split(",")]
    for one in wanted:
        if one and one not in _VISIBILITIES:
            raise bad_request(f"Failed to convert visibility '{one[:100]}'")
    is_shown = wanted == [""] or "private" in wanted
    return turn.world.versions.shown() if is_shown else ()


def create_function(turn: Turn) -> dict[str, object]:
    request = _creation(turn)
    rules = turn.world.rules
    if len(turn.world.versions) >= rules.function_limit:
        raise bad_request(
            f"Account '{rules.nca_id}': Reached or exceeded the max limit for the number of"
            " functions"
        )
    return _create(turn, request, function_id=turn.world.new_id())


def create_version(turn: Turn) -> dict[str, object]:
    request = _creation(turn)
    function_id = turn.target.function or ""
    siblings = turn.world.versions.shown_of("function_id", function_id)
    if not siblings:
        account = turn.world.rules.nca_id
        raise not_found(f"Function id '{function_id}': Not found in account '{account}'")
    if any((one.answer["functionType"] == "LLM") != is_llm(request) for one in siblings):
        raise bad_request(f"Function id '{function_id}': LLM and non-LLM versions cannot be mixed")
    return _create(turn, request, function_id=function_id)


def _creation(turn: Turn) -> CreateFunctionRequest:
    request = parsed(CreateFunctionRequest, turn.content)
    require(CreateFunctionRequest, creation_faults(request))
    if request.telemetries is not None:
        ids = ", ".join(str(one) for one in request.telemetries.to_json().values())
        raise bad_request(f"Telemetry id '{ids}': Not found in account")
    return request


def _create(turn: Turn, request: CreateFunctionRequest, *, function_id: str) -> dict[str, object]:
    world = turn.world
    version_id = world.new_id()
    version = Version(
        function_id=function_id,
        id=version_id,
        name=request.name,
        created_at=world.time,
        answer=described(world, request, function_id=function_id, version_id=version_id),
        secrets=_digests(request.secrets or []),
    )
    world.versions[version_id] = version
    world.tell("created", f"{version.name} {version_id} of function {function_id}", version)
    world.stir()
    return one_function(version)


def _digests(secrets: list[SecretEntry]) -> dict[str, str]:
    """Values are not kept, only what tells whether they are the same."""
    return {one.name: hashlib.sha256(secret_text(one).encode()).hexdigest() for one in secrets}


def list_versions(turn: Turn) -> dict[str, object]:
    function_id = turn.target.function or ""
    found = turn.world.versions.shown_of("function_id", function_id)
    if not found:
        account = turn.world.rules.nca_id
        raise not_found(f"Function id '{function_id}': Not found in account '{account}'")
    return {"functions": [function_json(one) for one in found]}


def read_version(turn: Turn) -> dict[str, object]:
    with_secrets = turn.flag("includeSecrets")
    return detailed_function(turn.world, turn.version(), with_secrets=with_secrets)


def update_metadata(turn: Turn) -> dict[str, object]:
    """What is omitted is kept."""
    request = parsed(UpdateFunctionRequest, turn.content)
    require(UpdateFunctionRequest, tag_faults(request.tags))
    require(UpdateFunctionRequest, rate_limit_faults(request.rate_limit))
    version = turn.version()
    if request.tags is None and request.rate_limit is None:
        where = subject(version.function_id, version.id)
        raise bad_request(f"{where}: at least one property to update must be specified")
    if request.tags is not None:
        version.answer["tags"] = distinct(request.tags)
    if request.rate_limit is not None:
        version.answer["rateLimit"] = request.rate_limit.to_json()
    turn.world.tell("metadata", f"{version.name} {version.id}", version)
    turn.world.stir()
    return one_function(version)


def update_secrets(turn: Turn) -> None:
    """Merged by name; the first one only while INACTIVE."""
    request = parsed(SecretsRequest, turn.content)
    require(SecretsRequest, secret_faults(request.secrets))
    version = turn.version()
    where = subject(version.function_id, version.id)
    if not request.secrets:
        raise bad_request(f"{where}: at least one secret must be specified")
    if not version.secrets and version.status is not Status.INACTIVE:
        raise bad_request(f"{where}: secrets can be added only to an INACTIVE function")
    version.secrets |= _digests(request.secrets)
    names = ", ".join(sorted(one.name for one in request.secrets))
    turn.world.tell("secrets", f"{version.name} {version.id}: {names}", version)
    turn.world.stir()


def delete_version(turn: Turn) -> None:
    """A deployed one is undeployed by force, without a word. Source: nvcf-api.md 4.4."""
    version = turn.version()
    if version.deployment is not None:
        undeploy(turn.world, version)
    del turn.world.versions[version.id]
    turn.world.tell("deleted", f"{version.name} {version.id}", version)
    turn.world.stir()
