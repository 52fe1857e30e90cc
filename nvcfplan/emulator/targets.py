"""Which call a method and path are, and what they name. Source: nvcf-api.md 2.1, 2.3, 2.8."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from nvcfplan.emulator.refusals import Refusal, bad_request, not_found

PREFIX = "/v2/nvcf/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`route`: the word of `faults.ROUTES`. Ids are lower case; None where the path has none."""

    route: str
    function: str | None = None
    version: str | None = None
    deployment: str | None = None
    specification: str | None = None
    account: str | None = None
    org: str | None = None


def resolve(method: str, path: str) -> Target:
    """Raises Refusal: 404 for a path nobody serves, 405 for a method, 400 for a bad id."""
    routes = _routes(path)
    if not routes:
        raise not_found(f"No static resource {path.lstrip('/')}.")
    if method not in routes:
        raise Refusal(405, f"Method '{method}' is not supported.")
    return routes[method]


def _routes(path: str) -> dict[str, Target]:
    """What the path is, by method."""
    if path.startswith(PREFIX):
        return _service(path[len(PREFIX) :].split("/"))
    match path.strip("/").split("/"):
        case ["v1", "si", "accounts", account, "clusters"]:
            return {"GET": Target(route="capacity", account=account)}
        case ["v2", "orgs", org, "ngc", "nvcf", "gpu", "quota", "rules"]:
            return {"GET": Target(route="quota", org=org)}
    return {}


def _service(parts: list[str]) -> dict[str, Target]:
    match parts:
        case ["clusterGroups"]:
            return {"GET": Target(route="inventory")}
        case ["accounts", account]:
            return {"GET": Target(route="account", account=account)}
        case ["functions", *rest]:
            return _functions(rest)
        case ["metadata", "functions", function, "versions", version]:
            return {"PUT": _version("metadata", function, version)}
        case ["secrets", "functions", function, "versions", version]:
            return {"PUT": _version("secrets", function, version)}
        case ["deployments", *rest]:
            return _deployments(rest)
    return {}


def _functions(parts: list[str]) -> dict[str, Target]:
    match parts:
        case []:
            return {
                "GET": Target(route="list-functions"),
                "POST": Target(route="create-function"),
            }
        case ["ids"]:
            return {"GET": Target(route="function-ids")}
        case [function, "versions"]:
            return {
                "GET": Target(route="list-versions", function=_uuid(function)),
                "POST": Target(route="create-version", function=_uuid(function)),
            }
        case [function, "versions", version]:
            return {
                "GET": _version("read-version", function, version),
                "DELETE": _version("delete-version", function, version),
                "PUT": _version("metadata", function, version),
            }
    return {}


def _deployments(parts: list[str]) -> dict[str, Target]:
    match parts:
        case ["functions", function, "versions", version]:
            return {
                "POST": _version("deploy", function, version),
                "GET": _version("read-deployment", function, version),
                "PUT": _version("update-deployment", function, version),
                "DELETE": _version("undeploy", function, version),
            }
        case [deployment]:
            return {"GET": Target(route="find-deployment", deployment=_uuid(deployment))}
        case [deployment, "gpu-specifications", specification]:
            target = Target(
                route="update-specification",
                deployment=_uuid(deployment),
                specification=_uuid(specification),
            )
            return {"PATCH": target}
    return {}


def _version(route: str, function: str, version: str) -> Target:
    return Target(route=route, function=_uuid(function), version=_uuid(version))


def _uuid(text: str) -> str:
    try:
        return str(uuid.UUID(text))
    except ValueError:
        raise bad_request(f"Failed to convert value '{text[:100]}' to a UUID") from None
