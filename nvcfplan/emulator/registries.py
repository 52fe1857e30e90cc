"""Registry credentials: add, list, read, change, delete; and which registries are recognized.

Source: nvcf-api.md 2.6.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING

from nvcfplan.emulator.artifacts import artifacts_of, hostname_of
from nvcfplan.emulator.function_bounds import (
    description_faults,
    one_secret_faults,
    secret_text,
    tag_faults,
)
from nvcfplan.emulator.refusals import Refusal, bad_request, not_found
from nvcfplan.emulator.resources import ARTIFACT_TYPES, PROVISIONERS, SYSTEM, Credential, digest
from nvcfplan.emulator.validation import Fault, Faults, canonical, choice_faults, parsed, require
from nvcfplan.wire.registries import (
    AddCredentialRequest,
    CredentialAnswer,
    CredentialList,
    OneCredential,
    RecognizedRegistries,
    RegistryAnswer,
    UpdateCredentialRequest,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nvcfplan.emulator.rules import WorldFile
    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import World
    from nvcfplan.wire.functions import SecretEntry

_HOSTNAME = re.compile(
    r"(?=.{4,253}\Z)((?!-)[a-zA-Z0-9-]{1,63}(?<!-)\.)+[a-zA-Z0-9]{2,63}", re.ASCII
)
_NGC = "NGC Private Registry"
_IMAGES_AND_CHARTS = (
    ("Docker Hub Registry", "docker.io"),
    ("AWS ECR Private Registry", "dkr.ecr.amazonaws.com"),
    ("AWS ECR Public Registry", "public.ecr.aws"),
    ("Volcano Engine Registry", "cr.volces.com"),
    ("Azure Container Registry", "azurecr.io"),
)
_RECOGNIZED = {
    "CONTAINER": ((_NGC, "nvcr.io"), *_IMAGES_AND_CHARTS),
    "HELM": ((_NGC, "helm.ngc.nvidia.com"), *_IMAGES_AND_CHARTS),
    "MODEL": ((_NGC, "api.ngc.nvidia.com"),),
    "RESOURCE": ((_NGC, "api.ngc.nvidia.com"),),
}
_ECR = re.compile(r"\d+[.]dkr[.]ecr[.][a-z0-9-]+[.]amazonaws[.]com", re.ASCII)
_VOLCES = re.compile(r"[a-z0-9-]+[.]cr[.]volces[.]com", re.ASCII)


def recognized_registries(turn: Turn) -> dict[str, object]:
    found = {
        kind: [RegistryAnswer(name=name, hostname=host) for name, host in sorted(pairs)]
        for kind, pairs in _recognized(turn.world.rules).items()
    }
    return RecognizedRegistries(recognized_registries=found).to_json()


def _recognized(rules: WorldFile) -> dict[str, tuple[tuple[str, str], ...]]:
    """Name and host, by artifact type: the usual ones and those of the world file."""
    return {
        kind: (
            *usual,
            *((one.name, one.hostname) for one in rules.registries if kind in one.types),
        )
        for kind, usual in _RECOGNIZED.items()
    }


def _registry_name(rules: WorldFile, hostname: str, kind: str) -> str | None:
    """What the service calls the host; None: it does not know it for such artifacts."""
    general = _general(hostname)
    return next((name for name, host in _recognized(rules)[kind] if host == general), None)


def _general(hostname: str) -> str:
    """Hosts with an account or region in their name are recognized without it."""
    if _ECR.fullmatch(hostname):
        return "dkr.ecr.amazonaws.com"
    if _VOLCES.fullmatch(hostname):
        return "cr.volces.com"
    return "azurecr.io" if hostname.endswith(".azurecr.io") else hostname


def add_credential(turn: Turn) -> dict[str, object]:
    request = parsed(AddCredentialRequest, turn.content)
    require(AddCredentialRequest, _faults(request))
    world, hostname = turn.world, request.registry_hostname
    _refuse_secret(hostname, request.secret)
    types = _types(request.artifact_types)
    names = {kind: _registry_name(world.rules, hostname, kind) for kind in types}
    for kind, name in names.items():
        if name is None:
            raise bad_request(
                f"Invalid request: {kind} registry with hostname {hostname} is not yet recognized"
            )
    _refuse_more(world)
    _refuse_twin(world, hostname, request.secret.name, besides=None)
    credential = Credential(
        id=world.new_id(),
        name=request.secret.name,
        registry=next(iter(names.values())) or hostname,
        hostname=hostname,
        types=types,
        secret=digest(request.secret),
        created_at=world.time,
        updated_at=world.time,
        tags=list(dict.fromkeys(request.tags or [])),
        description=request.description,
        is_legacy=_is_legacy(hostname, request.secret),
    )
    world.credentials[credential.id] = credential
    world.tell("credential", f"{hostname} {credential.id} added")
    world.stir()
    return _one(world, credential)


def _faults(request: AddCredentialRequest) -> Faults:
    if not _HOSTNAME.fullmatch(request.registry_hostname):
        shown = request.registry_hostname[:300]
        yield Fault("registryHostname", shown, "Invalid hostname: such as nvcr.io is expected")
    if not request.artifact_types:
        yield Fault("artifactTypes", "", "must not be empty")
    yield from _type_faults(request.artifact_types)
    yield from one_secret_faults("secret", request.secret)
    yield from tag_faults(request.tags)
    yield from description_faults(request.description)


def _type_faults(types: Sequence[str]) -> Faults:
    for one in types:
        yield from choice_faults("artifactTypes", one, ARTIFACT_TYPES)


def _types(given: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(canonical(one, ARTIFACT_TYPES) or "" for one in given))


def _refuse_secret(hostname: str, secret: SecretEntry) -> None:
    """`user:password` in base64; NGC's registries know one user."""
    user, _, password = _plain(secret).partition(":")
    if not user.strip() or not password.strip() or ":" in password:
        raise bad_request(
            "Invalid request: Registry credential secret must be base64 encoded username:password"
            " format"
        )
    if hostname.endswith(("nvcr.io", "ngc.nvidia.com")) and user != _NGC_USER:
        raise bad_request(
            f"Invalid request: Missing {_NGC_USER} username in NGC registry credential"
        )


_NGC_USER = "$oauthtoken"


def _plain(secret: SecretEntry) -> str:
    """Empty where it is not text in base64."""
    try:
        return base64.b64decode(secret_text(secret), validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def _is_legacy(hostname: str, secret: SecretEntry) -> bool:
    """An NGC key from before they began with `nvapi-`."""
    is_ngc = hostname.lower().endswith(("nvcr.io", "ngc.nvidia.com"))
    return is_ngc and not _plain(secret).partition(":")[2].startswith("nvapi-")


def _refuse_more(world: World) -> None:
    limit, count = world.rules.credential_limit, len(world.credentials)
    if count >= limit:
        raise bad_request(
            f"Account '{world.rules.nca_id}': Cannot add registry credential - maximum allowed"
            f" registry credentials ({limit}) exceeded. Current count: {count}"
        )


def _refuse_twin(world: World, hostname: str, name: str, *, besides: str | None) -> None:
    """Host and name together are unique in the account."""
    for one in world.credentials.values():
        if one.id != besides and (one.hostname, one.name) == (hostname, name):
            raise Refusal(
                409,
                f"Account '{world.rules.nca_id}': Registry credential '{name}' for hostname"
                f" '{hostname}' already exists in the account - Registry credentials must have"
                " unique hostname and credential name within an account",
            )


def list_credentials(turn: Turn) -> dict[str, object]:
    types = _filter(turn, "artifactType", ARTIFACT_TYPES)
    provisioners = _filter(turn, "provisionedBy", PROVISIONERS)
    found = [
        _answer(turn.world, one)
        for one in turn.world.credentials.values()
        if types.intersection(one.types) and one.provisioned_by in provisioners
    ]
    return CredentialList(registry_credentials=found).to_json()


def _filter(turn: Turn, name: str, choices: tuple[str, ...]) -> set[str]:
    """All of them where the query says nothing. Raises Refusal."""
    words = turn.words(name)
    found = {canonical(one, choices) for one in words}
    if None in found:
        raise bad_request(f"Failed to convert '{name}' to one of {', '.join(choices)}")
    return {one for one in found if one is not None} or set(choices)


def read_credential(turn: Turn) -> dict[str, object]:
    return _one(turn.world, _meant(turn))


def update_credential(turn: Turn) -> dict[str, object]:
    """A new secret may have another name; artifact types are added to those there are."""
    request = parsed(UpdateCredentialRequest, turn.content)
    require(UpdateCredentialRequest, _update_faults(request))
    world, credential = turn.world, _meant(turn)
    types = _types(request.artifact_types or [])
    if request.secret is None and not types:
        raise bad_request("Invalid request: Either secret or artifact types must be specified")
    if request.secret is not None:
        _refuse_secret(credential.hostname, request.secret)
    for kind in types:
        if _registry_name(world.rules, credential.hostname, kind) is None:
            raise bad_request(
                f"Invalid request: '{credential.registry}' with hostname '{credential.hostname}'"
                f" not recognized for artifact type '{kind}'"
            )
    if request.secret is not None:
        _refuse_twin(world, credential.hostname, request.secret.name, besides=credential.id)
        credential.name = request.secret.name
        credential.secret = digest(request.secret)
        credential.is_legacy = _is_legacy(credential.hostname, request.secret)
    credential.types = list(dict.fromkeys([*credential.types, *types]))
    credential.updated_at = world.time
    world.tell("credential", f"{credential.hostname} {credential.id} changed")
    world.stir()
    return _one(world, credential)


def _update_faults(request: UpdateCredentialRequest) -> Faults:
    yield from _type_faults(request.artifact_types or [])
    if request.secret is not None:
        yield from one_secret_faults("secret", request.secret)


def delete_credential(turn: Turn) -> None:
    """Neither one that the service set up, nor one that a function still needs."""
    credential = _meant(turn)
    if credential.provisioned_by == SYSTEM:
        raise bad_request("Invalid request: Cannot delete system provisioned registry credential")
    users = [
        f"Registry Credential '{credential.id}': Cannot be deleted as it is in use by Function id"
        f" '{one.function_id}', version '{one.id}' - Delete the function first to be able to delete"
        " the registry credential."
        for one in turn.world.versions.shown()
        if _needs(one.answer, credential)
    ]
    if users:
        raise bad_request(f"[{', '.join(users)}]")
    del turn.world.credentials[credential.id]
    turn.world.tell("credential", f"{credential.hostname} {credential.id} deleted")
    turn.world.stir()


def _needs(answer: dict[str, object], credential: Credential) -> bool:
    return any(
        one.kind in credential.types and hostname_of(one.url) == credential.hostname
        for one in artifacts_of(answer)
    )


def _meant(turn: Turn) -> Credential:
    id_ = turn.target.named["credential"]
    found = turn.world.credentials.get(id_)
    if found is None:
        account = turn.world.rules.nca_id
        raise not_found(f"Registry Credential '{id_}': Not found in account '{account}'")
    return found


def _one(world: World, credential: Credential) -> dict[str, object]:
    return OneCredential(registry_credential=_answer(world, credential)).to_json()


def _answer(world: World, credential: Credential) -> CredentialAnswer:
    return CredentialAnswer(
        registry_credential_id=credential.id,
        nca_id=world.rules.nca_id,
        registry_credential_name=credential.name,
        registry_name=credential.registry,
        registry_hostname=credential.hostname,
        artifact_types=credential.types,
        tags=credential.tags or None,
        description=credential.description,
        provisioned_by=credential.provisioned_by,
        key_type="LEGACY" if credential.is_legacy else None,
        last_updated_at=world.moment(credential.updated_at),
        created_at=world.moment(credential.created_at),
    )
