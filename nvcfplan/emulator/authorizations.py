"""Who else may invoke a function, or one version of it: replace, read, clear, add, remove.

A list of the function and a list of the version; a version has both. Source: nvcf-api.md 2.4.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nvcfplan.emulator.refusals import Refusal, bad_request, not_found
from nvcfplan.emulator.sharing import EVERYONE, named, refuse_public
from nvcfplan.emulator.validation import Fault, Faults, parsed, require
from nvcfplan.wire.authorizations import (
    AuthorizationRequest,
    AuthorizationsAnswer,
    AuthorizationsList,
    AuthorizationsRequest,
    OneAuthorizations,
    PartyAnswer,
    PartyEntry,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import Version


def replace_parties(turn: Turn) -> dict[str, object]:
    request = parsed(AuthorizationsRequest, turn.content)
    require(AuthorizationsRequest, _list_faults(request.authorized_parties))
    refuse_public(turn, verb="create authorized parties for")
    names = [one.nca_id for one in request.authorized_parties]
    if EVERYONE in names and not turn.is_admin:
        raise bad_request(f"{named(turn)}: Only NVIDIA Super Admin can make a function public")
    found = _meant(turn)
    for one in request.authorized_parties:
        _refuse_party(turn, one)
    return _stored(turn, found, names)


def read_parties(turn: Turn) -> dict[str, object]:
    """Of a version, or of every version of the function, in each case with what it inherits."""
    found = _meant(turn)
    answers = [
        _answer(one, version_id=one.id, parties=list(dict.fromkeys(one.parties + one.own_parties)))
        for one in found
    ]
    if turn.target.version is None:
        return AuthorizationsList(functions=answers).to_json()
    return OneAuthorizations(function=answers[0]).to_json()


def clear_parties(turn: Turn) -> dict[str, object]:
    """The answer shows none, not even those that the other list still has."""
    refuse_public(turn, verb="delete authorized parties for")
    found = _meant(turn)
    _stored(turn, found, [])
    answer = _answer(found[0], version_id=turn.target.version, parties=None)
    return OneAuthorizations(function=answer).to_json()


def add_party(turn: Turn) -> dict[str, object]:
    """404 where there is none yet: the first ones are POSTed."""
    found, party = _patched(turn, verb="add")
    names = _listed(turn, found)
    if party in names:
        raise Refusal(409, f"{named(turn)}: Account '{party}' is already authorized to access it")
    return _stored(turn, found, [*names, party])


def remove_party(turn: Turn) -> dict[str, object]:
    found, party = _patched(turn, verb="remove")
    names = _listed(turn, found)
    if party not in names:
        raise not_found(f"{named(turn)}: Specified account '{party}' is not an authorized party")
    return _stored(turn, found, [one for one in names if one != party])


def _patched(turn: Turn, *, verb: str) -> tuple[list[Version], str]:
    request = parsed(AuthorizationRequest, turn.content)
    require(AuthorizationRequest, _party_faults("authorizedParty", request.authorized_party))
    refuse_public(turn, verb=f"{verb} authorized parties for")
    found = _meant(turn)
    party = request.authorized_party
    if party.nca_id == EVERYONE:
        raise bad_request(
            f"{named(turn)}: Invalid authz account '{EVERYONE}' specified for {verb} operation"
        )
    _refuse_party(turn, party)
    if not _listed(turn, found):
        raise not_found(f"{named(turn)}: Does not have any authorized parties to be patched")
    return found, party.nca_id


def _list_faults(parties: Sequence[PartyEntry]) -> Faults:
    names = [one.nca_id for one in parties]
    if not parties:
        yield Fault("authorizedParties", "", "must not be empty")
    if len(set(names)) != len(names):
        message = "Invalid request: Duplicate authorized accounts specified"
        yield Fault("authorizedParties", "***", message)
    if EVERYONE in names and (len(names) > 1 or parties[0].client_id):
        message = "Invalid request: Multiple authz parties or clientId specified with wildcard"
        yield Fault("authorizedParties", EVERYONE, message)
    for one in parties:
        yield from _party_faults("authorizedParties", one)


def _party_faults(field: str, party: PartyEntry) -> Faults:
    if not party.nca_id.strip():
        yield Fault(f"{field}.ncaId", party.nca_id, "must not be blank")


def _refuse_party(turn: Turn, party: PartyEntry) -> None:
    """Not ourselves, and nobody who does not exist."""
    rules, name = turn.world.rules, party.nca_id
    if name == rules.nca_id:
        raise bad_request(
            f"Invalid request: Authorized party mapped to account '{name}' is invalid"
        )
    if rules.accounts and name not in (*rules.accounts, EVERYONE):
        raise bad_request(f"Account '{name[:100]}' not found")


def _meant(turn: Turn) -> list[Version]:
    """The version, or all of the function's, oldest first. Raises Refusal where there is none."""
    return turn.family() if turn.target.version is None else [turn.version()]


def _listed(turn: Turn, found: Sequence[Version]) -> list[str]:
    """The list that the path names; the function's is the same in all of its versions."""
    return found[0].parties if turn.target.version is None else found[0].own_parties


def _stored(turn: Turn, found: Sequence[Version], names: list[str]) -> dict[str, object]:
    for one in found:
        if turn.target.version is None:
            one.parties = list(names)
        else:
            one.own_parties = list(names)
    turn.world.tell("shared", f"{named(turn)}: {', '.join(names) or 'nobody'}", found[0])
    turn.world.stir()
    answer = _answer(found[0], version_id=turn.target.version, parties=names)
    return OneAuthorizations(function=answer).to_json()


def _answer(
    version: Version, *, version_id: str | None, parties: Sequence[str] | None
) -> AuthorizationsAnswer:
    return AuthorizationsAnswer(
        id=version.function_id,
        nca_id=str(version.answer["ncaId"]),
        version_id=version_id,
        authorized_parties=None
        if parties is None
        else [PartyAnswer(nca_id=name) for name in parties],
    )
