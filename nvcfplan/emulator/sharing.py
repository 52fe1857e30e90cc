"""Functions of other accounts that ours may see, and functions that everyone may use.

Who sees them, what of them, and what may not be done to them. Source: nvcf-api.md 3.2, 4.2 to 4.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.bodies import stamp
from nvcfplan.emulator.refusals import Refusal, bad_request
from nvcfplan.emulator.rules import SharedFunctionRule, Visibility
from nvcfplan.emulator.turns import subject

if TYPE_CHECKING:
    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import Version, World

EVERYONE = "*"

DEFAULT_HEALTH: dict[str, object] = {
    "protocol": "HTTP",
    "uri": "/v2/health/ready",
    "port": 8000,
    "timeout": "PT10S",
    "expectedStatusCode": 200,
}


def is_public(version: Version) -> bool:
    """By its own list or by its function's."""
    return EVERYONE in version.parties or EVERYONE in version.own_parties


def shared_with(world: World, visibility: Visibility) -> list[SharedFunctionRule]:
    return [one for one in world.rules.shared_functions if one.visibility is visibility]


def shared_by(world: World, function: str | None) -> list[SharedFunctionRule]:
    """Its versions that we may see, none if it is ours or nobody's."""
    return [one for one in world.rules.shared_functions if one.function_id == function]


def shared_json(world: World, rule: SharedFunctionRule) -> dict[str, object]:
    """Blanked: what it is made of and where it is invoked are its owner's business."""
    content: dict[str, object] = {
        "id": rule.function_id,
        "ncaId": rule.nca_id,
        "versionId": rule.version_id,
        "name": rule.name,
        "status": rule.status,
        "ownedByDifferentAccount": True,
        "apiBodyFormat": "CUSTOM",
        "healthUri": DEFAULT_HEALTH["uri"],
        "health": DEFAULT_HEALTH,
        "createdAt": stamp(world, 0.0),
        "description": rule.description or rule.name,
        "functionType": rule.function_type,
    }
    return content | ({"tags": list(rule.tags)} if rule.tags else {})


def refuse_foreign(turn: Turn, *, verb: str) -> None:
    """Raises Refusal for what only an owner may do: 400 if it is public, 403 if it is shared.

    A function that nobody knows is the caller's to find. Source: nvcf-api.md 4.2, 4.3 #2, #3.
    """
    match _seen_as(turn):
        case Visibility.PUBLIC:
            raise bad_request(f"{named(turn)}: Cannot {verb} public function")
        case Visibility.AUTHORIZED:
            raise Refusal(403, f"{named(turn)}: Forbidden to {verb}")


def refuse_public(turn: Turn, *, verb: str) -> None:
    """Raises Refusal: nobody but the super-admin may do that to a public function."""
    if _seen_as(turn) is Visibility.PUBLIC:
        raise bad_request(f"{named(turn)}: Cannot {verb} public function")


def named(turn: Turn) -> str:
    """The function that the path names, and the version if it names one."""
    function, version = turn.target.function, turn.target.version
    return f"Function id '{function}'" if version is None else subject(function, version)


def _seen_as(turn: Turn) -> Visibility | None:
    """How we come to see what the path names; None: as its owner, or not at all."""
    world, function, version = turn.world, turn.target.function, turn.target.version
    for rule in shared_by(world, function):
        if version in (None, rule.version_id):
            return rule.visibility
    own = world.versions.shown_of("function_id", function or "")
    is_open = any(is_public(one) for one in own if version in (None, one.id))
    return Visibility.PUBLIC if is_open and not turn.is_admin else None
