"""Functions and their versions: create, list, read, change, delete.

Source: nvcf-api.md 2.1 (rows 2 to 9, 16), 3.1, 3.2, 3.5, 4.2, 4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator import llm
from nvcfplan.emulator.artifacts import check_artifacts
from nvcfplan.emulator.bodies import (
    described,
    detailed_function,
    distinct,
    function_json,
    one_function,
)
from nvcfplan.emulator.function_bounds import creation_faults, metadata_faults, secret_faults
from nvcfplan.emulator.reconcile import undeploy
from nvcfplan.emulator.refusals import bad_request, not_found
from nvcfplan.emulator.resources import digests
from nvcfplan.emulator.rules import Visibility
from nvcfplan.emulator.sharing import (
    is_public,
    refuse_foreign,
    shared_by,
    shared_json,
    shared_with,
)
from nvcfplan.emulator.telemetries import refuse_unknown
from nvcfplan.emulator.turns import Turn, subject
from nvcfplan.emulator.validation import canonical, parsed, require
from nvcfplan.emulator.world import Status, Version
from nvcfplan.wire.functions import (
    CreateFunctionRequest,
    SecretsRequest,
    UpdateFunctionRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

PRIVATE = "private"
_VISIBILITIES = (*Visibility, PRIVATE)


def list_functions(turn: Turn) -> dict[str, object]:
    return {"functions": list(_listed(turn))}


def function_ids(turn: Turn) -> dict[str, object]:
    return {"functionIds": distinct([str(one["id"]) for one in _listed(turn)])}


def _listed(turn: Turn) -> Iterator[dict[str, object]]:
    """What anybody may use, what is ours, what is shared with us; each version once."""
    words = turn.words("visibility") or list(_VISIBILITIES)
    wanted = {canonical(one, _VISIBILITIES) for one in words}
    if None in wanted:
        raise bad_request(f"visibility must be one of {', '.join(_VISIBILITIES)}")
    world = turn.world
    for kind in (Visibility.PUBLIC, Visibility.AUTHORIZED):
        if kind in wanted:
            yield from (shared_json(world, one) for one in shared_with(world, kind))
    for version in world.versions.shown():
        if PRIVATE in wanted or (Visibility.PUBLIC in wanted and is_public(version)):
            yield function_json(version)


def create_function(turn: Turn) -> dict[str, object]:
    """The checks stand in the service's order. Source: nvcf-api.md 4.2."""
    request = _creation(turn)
    rules = turn.world.rules
    if len(turn.world.versions) >= rules.function_limit:
        raise bad_request(
            f"Account '{rules.nca_id}': Reached or exceeded the max limit for the number of"
            " functions"
        )
    return _create(turn, request, older=())


def create_version(turn: Turn) -> dict[str, object]:
    request = _creation(turn)
    refuse_foreign(turn, verb="create a version of a")
    return _create(turn, request, older=turn.family())


def _creation(turn: Turn) -> CreateFunctionRequest:
    request = parsed(CreateFunctionRequest, turn.content)
    require(CreateFunctionRequest, creation_faults(request))
    return request


def _create(
    turn: Turn, request: CreateFunctionRequest, *, older: Sequence[Version]
) -> dict[str, object]:
    """`older`: the function's versions so far, whose sharing a new one takes over."""
    world = turn.world
    refuse_unknown(world, request.telemetries)
    llm.refuse_invocation_config(request)
    function_id = older[0].function_id if older else world.new_id()
    version_id = world.new_id()
    version = Version(
        function_id=function_id,
        id=version_id,
        name=request.name,
        created_at=world.time,
        answer=described(world, request, function_id=function_id, version_id=version_id),
        secrets=digests(request.secrets or []),
        parties=list(older[0].parties) if older else [],
    )
    check_artifacts(world, version)
    llm.refuse_sibling(request, older)
    llm.settle(version, request, older)
    world.versions.add(version)
    world.tell("created", f"{version.name} {version_id} of function {function_id}", version)
    world.stir()
    return one_function(version)


def list_versions(turn: Turn) -> dict[str, object]:
    function_id = turn.target.function or ""
    shared = [shared_json(turn.world, one) for one in shared_by(turn.world, function_id)]
    own = [function_json(one) for one in turn.world.versions.shown_of("function_id", function_id)]
    if not shared and not own:
        account = turn.world.rules.nca_id
        raise not_found(f"Function id '{function_id}': Not found in account '{account}'")
    return {"functions": [*shared, *own]}


def read_version(turn: Turn) -> dict[str, object]:
    """Instances and secrets are details, for which another scope is needed."""
    with_secrets = turn.flag("includeSecrets")
    for one in shared_by(turn.world, turn.target.function):
        if one.version_id == turn.target.version:
            return {"function": shared_json(turn.world, one)}
    version = turn.version()
    if not _sees_details(turn):
        return one_function(version)
    return detailed_function(turn.world, version, with_secrets=with_secrets)


def _sees_details(turn: Turn) -> bool:
    """Source: nvcf-api.md 1.2."""
    scopes = turn.key.scopes
    return scopes is None or any(one.endswith("list_functions_details") for one in scopes)


def update_metadata(turn: Turn) -> dict[str, object]:
    """What is omitted is kept. Source: nvcf-api.md 3.5."""
    request = parsed(UpdateFunctionRequest, turn.content)
    require(UpdateFunctionRequest, metadata_faults(request))
    version = turn.version()
    llm.update(turn.world, version, request)
    if request.tags is not None:
        version.answer.pop("tags", None)
        if request.tags:
            version.answer["tags"] = distinct(request.tags)
    if request.rate_limit is not None:
        version.answer["rateLimit"] = request.rate_limit.to_json()
    turn.world.tell("metadata", f"{version.name} {version.id}", version)
    turn.world.stir()
    return one_function(version)


def update_rate_limit(turn: Turn) -> None:
    """The old way to change metadata, with nothing to show for it. Source: nvcf-api.md 1.3."""
    update_metadata(turn)


def delete_rate_limit(turn: Turn) -> None:
    version = turn.version()
    if version.answer.pop("rateLimit", None) is not None:
        turn.world.tell("metadata", f"{version.name} {version.id}: no rate limit", version)
        turn.world.stir()


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
    version.secrets |= digests(request.secrets)
    names = ", ".join(sorted(one.name for one in request.secrets))
    turn.world.tell("secrets", f"{version.name} {version.id}: {names}", version)
    turn.world.stir()


def delete_version(turn: Turn) -> None:
    """A deployed one is undeployed by force, without a word. Source: nvcf-api.md 4.4."""
    refuse_foreign(turn, verb="delete")
    version = turn.version()
    if version.deployment is not None:
        undeploy(turn.world, version)
    del turn.world.versions[version.id]
    turn.world.tell("deleted", f"{version.name} {version.id}", version)
    turn.world.stir()
