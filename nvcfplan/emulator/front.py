"""Who the caller is and what he may use; and the logs of his functions, of which there are none.

Source: nvcf-api.md 1.1, 2.8; SDK `ngcbase/api/authentication.py`, `nvcf/api/deploy.py`.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from nvcfplan.emulator.auth import bearer, key_of, oauth_token, unauthenticated
from nvcfplan.emulator.messages import JSON, Reply, json_object, reply_of
from nvcfplan.emulator.readings import VERSION_LIMIT, refuse_unreadable
from nvcfplan.emulator.refusals import not_found
from nvcfplan.wire.accounts import AccountAnswer
from nvcfplan.wire.front import (
    AccountList,
    Caller,
    CallerKey,
    CallerRole,
    Health,
    LogPage,
    LogPageNumbers,
    NamedOrg,
    OneAccount,
    Organization,
    OrganizationList,
    Pagination,
    ServiceVersion,
    SuccessStatus,
    TokenAnswer,
)

if TYPE_CHECKING:
    from nvcfplan.emulator.turns import Turn
    from nvcfplan.emulator.world import World

_TOKEN_LASTS_SECONDS = 600
_SERVICE = ServiceVersion(name="nvcf-api", version="2.245.7")
"""The version that nvcf-api.md was read from."""


def health(turn: Turn) -> dict[str, object]:
    """Says that it is none of NVIDIA's, and how fast its clock runs; virtual time has no speed."""
    return Health(status="UP", emulator=True, speed=turn.speed).to_json()


def info(_: Turn) -> dict[str, object]:
    return _SERVICE.to_json()


def token(turn: Turn) -> Reply:
    """The key is its own token: what it may do is decided when it is used."""
    authorization = turn.incoming.authorization
    found = oauth_token(authorization) or bearer(authorization)
    if key_of(turn.world.rules, found) is None:
        return _unknown(turn)
    return reply_of(TokenAnswer(token=found, expires_in=_TOKEN_LASTS_SECONDS).to_json())


def caller_info(turn: Turn) -> Reply:
    """Of the bearer, or of the key that the body asks about. A key is never said again."""
    asked = turn.incoming
    credentials = bearer(asked.authorization) if asked.method == "GET" else _credentials(turn)
    if key_of(turn.world.rules, credentials) is None:
        return _unknown(turn)
    org = NamedOrg(name=turn.world.rules.org)
    role = CallerRole(org=org, org_roles=["NVCF_ADMIN"])
    found = CallerKey(
        type="PERSONAL_KEY", org_name=org.name, user=Caller(name="emulator", roles=[role])
    )
    return reply_of(found.model_dump(mode="json", by_alias=True))


def _credentials(turn: Turn) -> str:
    body = turn.incoming.body
    if turn.incoming.media_type == JSON:
        return str(json_object(body).get("credentials", ""))
    return dict(parse_qsl(body.decode("latin-1"))).get("credentials", "")


def _unknown(turn: Turn) -> Reply:
    return unauthenticated(turn.world.rules, turn.incoming.path, nonce=str(turn.world.time))


def organizations(turn: Turn) -> dict[str, object]:
    name = turn.world.rules.org
    found = Organization(id=1, name=name, display_name=name, type="ENTERPRISE")
    return OrganizationList(
        organizations=[found],
        pagination_info=Pagination(index=0, size=1, total_pages=1, total_results=1),
        request_status=SuccessStatus(),
    ).to_json()


def account(turn: Turn) -> dict[str, object]:
    refuse_unreadable(turn.world, VERSION_LIMIT)
    return OneAccount(account=_account(turn.world)).to_json()


def accounts(turn: Turn) -> dict[str, object]:
    """One account is all there is."""
    refuse_unreadable(turn.world, VERSION_LIMIT)
    return AccountList(cloud_accounts=[_account(turn.world)]).to_json()


def _account(world: World) -> AccountAnswer:
    """`currentNumberFunctions` counts versions. Source: nvcf-api.md 4.2."""
    rules = world.rules
    return AccountAnswer(
        nca_id=rules.nca_id,
        name=rules.org,
        max_functions_allowed=rules.function_limit,
        max_tasks_allowed=0,
        max_telemetries_allowed=rules.telemetry_limit,
        max_registry_credentials_allowed=rules.credential_limit,
        current_number_functions=len(world.versions),
    )


def logs(turn: Turn) -> dict[str, object]:
    """Nothing is logged; what is asked about must exist all the same."""
    target = turn.target
    if target.version:
        turn.version()
    elif not turn.world.versions.shown_of("function_id", target.function or ""):
        account = turn.world.rules.nca_id
        raise not_found(f"Function id '{target.function}': Not found in account '{account}'")
    return _no_logs(str(uuid.uuid5(uuid.NAMESPACE_URL, turn.incoming.path)))


def log_page(turn: Turn) -> dict[str, object]:
    return _no_logs(turn.target.named["job"])


def _no_logs(job: str) -> dict[str, object]:
    return LogPage(job_id=job, metadata=LogPageNumbers(page=0, total_pages=0), data=[]).to_json()
