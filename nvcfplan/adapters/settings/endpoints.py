"""Which service is meant: from options and the variables that people already export.

There is no default endpoint: a plan against an account that nobody named would be a surprise.
Source: nvcf-api.md 1.1, 1.2.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, quote, urlsplit

from nvcfplan.diagnostics import Diagnostic, Severity
from nvcfplan.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

NGC_ENDPOINT: Final = "https://api.ngc.nvidia.com"

_ENDPOINT_VARIABLES: Final = ("NGC_ENDPOINT", "NVCF_BASE_HTTP_URL")
_ORG_VARIABLES: Final = ("NGC_ORG", "NGC_CLI_ORG")
_TEAM_VARIABLES: Final = ("NGC_TEAM", "NGC_CLI_TEAM")
_NGC_HOST = re.compile(r"api\.(?:[a-z0-9-]+\.)*ngc\.nvidia\.com", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_PATH = re.compile(r"/v2(?:/orgs/(?P<org>[^/]+))?(?:/teams/(?P<team>[^/]+))?/nvcf")


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`base_url` ends in `/v2/nvcf` or `/v2/orgs/{org}/nvcf`. `source`: what named it."""

    base_url: str
    org: str | None
    nca_id: str | None
    source: str
    warnings: tuple[Diagnostic, ...] = ()


def resolve_endpoint(
    explicit: str | None, environment: Mapping[str, str], *, org: str | None = None
) -> Endpoint:
    """Option, then NGC_ENDPOINT, then NVCF_BASE_HTTP_URL. `org` is an option as well.

    Raises: SettingsError, when nothing names an endpoint or what does is not one.
    """
    address, source = _address(explicit, environment)
    parts = _parts(address, source)
    found = _PATH.fullmatch(parts.path.rstrip("/"))
    if parts.path.rstrip("/") and found is None:
        raise _unusable(address, source, "its path is not one of the API's")
    named = found["org"] if found else None
    known = _name(org or named or _first(environment, _ORG_VARIABLES), "organisation")
    root = f"{parts.scheme}://{parts.netloc}"
    is_ngc = _NGC_HOST.fullmatch(parts.hostname or "") is not None
    path = f"/v2/orgs/{quote(known, safe='')}/nvcf" if known and (is_ngc or named) else "/v2/nvcf"
    team = found["team"] if found else None
    return Endpoint(
        base_url=root + path,
        org=known,
        nca_id=_name(environment.get("NVCF_NCA_ID") or None, "account id (NVCF_NCA_ID)"),
        source=source,
        warnings=_team_warnings(team or _first(environment, _TEAM_VARIABLES)),
    )


def _address(explicit: str | None, environment: Mapping[str, str]) -> tuple[str, str]:
    if explicit:
        return explicit.strip(), "--endpoint"
    for variable in _ENDPOINT_VARIABLES:
        if environment.get(variable):
            return environment[variable].strip(), variable
    raise SettingsError(
        "no endpoint is named",
        detail="looked at --endpoint, " + ", ".join(_ENDPOINT_VARIABLES),
        remedy=f"for NVIDIA's own service export NGC_ENDPOINT={NGC_ENDPOINT} and NGC_ORG; for a "
        "self-hosted one export NVCF_BASE_HTTP_URL=https://GATEWAY; to try things out without "
        "an account use --emulator",
    )


def _parts(address: str, source: str) -> SplitResult:
    if "@" in address:  # before it is taken apart: a `/` in a password would move the borders
        raise SettingsError(
            f"{source} holds a user name or password",
            detail="keys travel in the Authorization header alone, never in an address",
            remedy="take it out of the address; put the key into NGC_API_KEY",
        )
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        raise _unusable(address, source, "it is not an address") from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise _unusable(address, source, "it must begin with https:// and name a host")
    if parts.query or parts.fragment or not address.isprintable():
        raise _unusable(address, source, "an endpoint has no query, fragment or control character")
    return parts


def _unusable(address: str, source: str, why: str) -> SettingsError:
    shown = re.split("[?#]", ascii(address)[1:-1])[0][:200]
    return SettingsError(
        f"{source} is not a usable endpoint: {shown}",
        detail=why,
        remedy=f"give the address of the API, such as {NGC_ENDPOINT} or https://GATEWAY; the path "
        "may be left out",
    )


def _name(text: str | None, what: str) -> str | None:
    if text is None or _NAME.fullmatch(text):
        return text
    raise SettingsError(
        f"the {what} is not a usable name",
        detail="it may hold letters, digits, dot, hyphen and underscore",
        remedy="correct it: it becomes part of the address",
    )


def _first(environment: Mapping[str, str], variables: tuple[str, ...]) -> str | None:
    return next((environment[one] for one in variables if environment.get(one)), None)


def _team_warnings(team: str | None) -> tuple[Diagnostic, ...]:
    if not team:
        return ()
    warning = Diagnostic(
        code="team-ignored",
        severity=Severity.WARNING,
        summary="the NGC team is not used",
        detail="NVCF's paths with a team ended on 2026-09-30; the organisation's path is used",
        remedy="unset NGC_TEAM and NGC_CLI_TEAM, and take /teams/NAME out of the endpoint",
    )
    return (warning,)
