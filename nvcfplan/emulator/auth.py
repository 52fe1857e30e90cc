"""Who is calling, and whether he may: bearer tokens, scopes, and the functions a key is for.

Source: nvcf-api.md 1.2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nvcfplan.emulator.keys import EVERYTHING, KeyKind, KeyRule
from nvcfplan.emulator.layouts import Layout
from nvcfplan.emulator.messages import Reply, reply_to
from nvcfplan.emulator.refusals import Refusal
from nvcfplan.emulator.styles import Style, style_of

if TYPE_CHECKING:
    from nvcfplan.emulator.messages import Incoming
    from nvcfplan.emulator.rules import WorldFile
    from nvcfplan.emulator.targets import Target
    from nvcfplan.emulator.world import Version, World

ANYONE = KeyRule(digest="")
NOBODY = KeyRule(digest="", scopes=())
"""Who calls what is open without saying who he is."""

_DENIED = "Access Denied"


def bearer(authorization: str | None) -> str:
    """The token; empty when there is none of that kind."""
    scheme, _, token = (authorization or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def oauth_token(authorization: str | None) -> str:
    """The key in `Basic $oauthtoken:<key>`, with which the ngc clients ask for a token."""
    scheme, _, text = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        name, _, key = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return ""
    return key if name == "$oauthtoken" else ""


def key_of(rules: WorldFile, token: str) -> KeyRule | None:
    """None: nobody's. Without keys any token is good, and for everything."""
    if not token or not rules.api_keys:
        return ANYONE if token else None
    digest = hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
    known = [one for one in rules.api_keys if hmac.compare_digest(digest, one.digest)]
    return known[0] if known else None


def unauthenticated(rules: WorldFile, path: str, *, nonce: str) -> Reply:
    """The service itself says nothing. Source: nvcf-api.md 1.2."""
    headers = (("WWW-Authenticate", "Bearer"),)
    if style_of(path, is_gateway=rules.gateway) is Style.SERVICE:
        return Reply(status=401, headers=headers)
    refusal = Refusal(401, "Invalid credentials", headers=headers)
    return reply_to(refusal, path, is_gateway=rules.gateway, nonce=nonce)


def refuse_operator(rules: WorldFile, incoming: Incoming) -> Reply | None:
    """The emulator's own calls need a key without limits, where keys are asked for."""
    if not rules.api_keys:
        return None
    key = key_of(rules, bearer(incoming.authorization))
    if key is None:
        return unauthenticated(rules, incoming.path, nonce="")
    is_full = key.scopes is None and key.kind is KeyKind.JWT
    return None if is_full else reply_to(Refusal(403, _DENIED), incoming.path)


@dataclass(frozen=True, slots=True)
class _Asked:
    """The scopes of which one is needed, and whether an API key can have one."""

    scopes: tuple[str, ...]
    is_for_keys: bool


def permit(key: KeyRule, target: Target, world: World, *, is_gateway: bool) -> None:
    """Raises Refusal: 422 for a credential of another kind, 403 for one that may not.

    `is_gateway`: the request came by the NGC front, which exchanges an API key for a token.
    """
    if target.route.is_open:
        return
    asked = _asked(target, is_gateway=is_gateway)
    if key.kind is KeyKind.OTHER:
        raise Refusal(422, "Unsupported authentication type")
    if not asked.scopes:
        return
    if key.scopes is not None and not set(asked.scopes).intersection(key.scopes):
        raise Refusal(403, _DENIED)
    is_key = key.kind is KeyKind.API_KEY
    if is_key and not (asked.is_for_keys and _is_for(key, target, world)):
        raise Refusal(403, _DENIED)


def _asked(target: Target, *, is_gateway: bool) -> _Asked:
    route = target.route
    if route.layout is Layout.SERVICE and "account" in target.named:
        return _Asked(tuple(f"admin:{one}" for one in route.scopes), is_for_keys=False)
    return _Asked(route.scopes, is_for_keys=route.is_for_keys or is_gateway)


def _is_for(key: KeyRule, target: Target, world: World) -> bool:
    """Lists are open to every key, and shortened."""
    if EVERYTHING in key.functions or target.route.is_listing:
        return True
    named = {target.version} if target.version else {target.function, target.deployment}
    return any(named.intersection(_ids(one)) for one in _meant(key, world))


def shortened(key: KeyRule, content: dict[str, object], world: World) -> dict[str, object]:
    """A list without what the key is not for."""
    if key.kind is not KeyKind.API_KEY or EVERYTHING in key.functions:
        return content
    ids = {id_ for one in _meant(key, world) for id_ in _ids(one)}
    return {name: _kept(rows, ids) for name, rows in content.items()}


def _meant(key: KeyRule, world: World) -> list[Version]:
    """The versions that the key names: by id, or by the id or name of their function."""
    words = set(key.functions)
    return [
        one
        for one in world.versions.shown()
        if words.intersection((one.id, one.function_id, one.name))
    ]


def _ids(version: Version) -> set[str | None]:
    deployment = version.deployment.id if version.deployment else version.id
    return {version.id, version.function_id, deployment}


def _kept(rows: object, ids: set[str | None]) -> object:
    """Rows are function ids, functions with a `versionId`, or deployments."""
    if not isinstance(rows, list):
        return rows
    return [one for one in rows if _id_of(one) in ids]


def _id_of(row: object) -> object:
    if not isinstance(row, dict):
        return row
    return row.get("versionId") or row.get("functionVersionId")
