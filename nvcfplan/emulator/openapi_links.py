"""Which calls the ids in an answer lead to: the links of the OpenAPI document."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from nvcfplan.emulator.catalogue import ROUTES
from nvcfplan.emulator.layouts import Layout, Route, templates
from nvcfplan.wire.deployments import OneDeployment
from nvcfplan.wire.functions import OneFunction
from nvcfplan.wire.registries import OneCredential
from nvcfplan.wire.telemetries import OneTelemetry

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nvcfplan.wire.protocol import AnswerModel

_PARAMETER = re.compile(r"\{(\w+)\}")

_IDS: Mapping[AnswerModel, Mapping[str, str]] = {
    OneFunction: {
        "function": "$response.body#/function/id",
        "version": "$response.body#/function/versionId",
    },
    OneDeployment: {
        "function": "$response.body#/deployment/functionId",
        "version": "$response.body#/deployment/functionVersionId",
        "deployment": "$response.body#/deployment/deploymentId",
        "specification": (
            "$response.body#/deployment/deploymentSpecifications/0/gpuSpecificationId"
        ),
    },
    OneTelemetry: {"telemetry": "$response.body#/telemetry/telemetryId"},
    OneCredential: {"credential": "$response.body#/registryCredential/registryCredentialId"},
}
"""Where an answer has the ids of what was made, by the parameter that names it in paths."""


_LAYOUTS = ("", "org-", "team-", "account-")
"""What an operation's name begins with, in the order of a route's templates."""


@cache
def operation_names() -> dict[tuple[str, str], str]:
    """By method and template. A second spelling of a route has a number behind its name."""
    found: dict[tuple[str, str], str] = {}
    taken: dict[str, int] = {}
    for route in ROUTES:
        for layout, template in zip(_LAYOUTS, templates(route), strict=False):
            name = f"{layout}{route.name}"
            taken[name] = taken.get(name, 0) + 1
            count = taken[name]
            found[route.method, template] = name if count == 1 else f"{name}-{count}"
    return found


def links(route: Route, template: str) -> dict[str, object]:
    """Only of what makes something; to all that need nothing but what was made."""
    if route.method != "POST" or route.layout is not Layout.SERVICE or route.answer is None:
        return {}
    ids = _IDS.get(route.answer, {})
    prefix = template.removesuffix(f"/{route.path}")
    place = {name: f"$request.path.{name}" for name in _PARAMETER.findall(prefix)}
    found: dict[str, object] = {}
    for other in ROUTES:
        named = _PARAMETER.findall(other.path)
        if other.layout is Layout.SERVICE and named and set(named) <= ids.keys():
            name = operation_names()[other.method, f"{prefix}/{other.path}"]
            parameters = {**place, **{one: ids[one] for one in named}}
            found[name] = {"operationId": name, "parameters": parameters}
    return found
